"""The policy rules every installation starts with (domain.md sections 3.1 to 3.3 and 11).

Only what the requirements say is the office's own rule; the others name the law or the place they come from.
What nobody has compared with its text yet is not `verified` and shown as 待核对. `locked` follows the table's
column "parameter?": where it says no, no office may bend the rule. Rules name document kinds and fields by
name: those that are not there (yet) stand aside.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import RuleLevel
from app.core.flow import Operator
from app.models.policy_rule import PolicyRule
from app.services.parameter.kinds import OURS, WELL_BEFORE_THE_FIRST_DOCUMENT
from app.services.policy_rule.rows import Row

_REQUIREMENTS = "采购需求"
_INVESTMENT = "《政府投资条例》"
_BUDGET = "《预算法》"
_57 = "国办发〔2019〕57号"
_OUTSIDE_PLAN = ["SUPPLEMENTARY", "FILING"]
_LINKED = ["CONTINUING", "CONTRACT_DUE"]


@dataclass(frozen=True)
class DeclaredRule:
    """A rule as seeded."""

    code: str
    kind: str
    level: RuleLevel
    name_zh: str
    name_en: str
    message_zh: str
    message_en: str
    source: str
    article: str
    rows: tuple[Row, ...]
    place: str = ""
    verified: bool = True
    active: bool = True
    locked: bool = False
    valid_from: dt.date = WELL_BEFORE_THE_FIRST_DOCUMENT


def _row(field: str, operator: Operator, value: Any = None, *, parameter: str = "", group: int = 1) -> Row:
    return Row(field, operator, value, parameter, group)


_BLOCKS, _WARNS = RuleLevel.BLOCKS, RuleLevel.WARNS
_EQ, _GE, _GT, _LT = Operator.EQ, Operator.GE, Operator.GT, Operator.LT
_IN, _NOT_IN = Operator.IN, Operator.NOT_IN

DECLARATION_RULES: tuple[DeclaredRule, ...] = (
    DeclaredRule(
        "D-01",
        "declaration",
        _BLOCKS,
        "申报下一年度项目",
        "Declare for the next year",
        "部门申报下一年度的项目预算；增补和备案制项目可申报当年。",
        "Departments declare for the next year's budget; additions and filings may be for this year.",
        _REQUIREMENTS,
        "项目申报",
        (
            _row("years_ahead", _LT, "1", group=1),
            _row("plan_channel", _NOT_IN, _OUTSIDE_PLAN, group=1),
            _row("years_ahead", _GT, "1", group=2),
            _row("years_ahead", _LT, "0", group=3),
        ),
        place="budget_year",
    ),
    DeclaredRule(
        "D-01b",
        "declaration",
        _BLOCKS,
        "在申报时间内提交",
        "Submit within the window",
        "计划内项目须在申报时间内提交。",
        "Projects for the plan are submitted within the window.",
        _REQUIREMENTS,
        "项目申报",
        (
            _row("in_window", _EQ, False),
            _row("plan_channel", _NOT_IN, _OUTSIDE_PLAN),
        ),
        place="budget_year",
    ),
    DeclaredRule(
        "D-02",
        "declaration",
        _BLOCKS,
        "投资明细合计等于申请资金",
        "The lines add up to the request",
        "投资明细合计须等于申请资金，精确到分。",
        "The budget lines must add up to the requested amount, to the fen.",
        OURS,
        "D-02",
        (_row("lines_difference", _LT, "0", group=1), _row("lines_difference", _GT, "0", group=2)),
        place="requested_amount",
        locked=True,
    ),
    DeclaredRule(
        "D-02b",
        "declaration",
        _BLOCKS,
        "资金渠道合计等于申请资金",
        "The channels add up to the request",
        "各资金渠道合计须等于申请资金，精确到分。",
        "The funding channels must add up to the requested amount, to the fen.",
        OURS,
        "D-02",
        (_row("splits_difference", _LT, "0", group=1), _row("splits_difference", _GT, "0", group=2)),
        place="funding_splits",
        locked=True,
    ),
    DeclaredRule(
        "D-03",
        "declaration",
        _BLOCKS,
        "涉密项目不得录入",
        "No state secrets",
        "涉密项目不适用本系统，不得录入。",
        "Projects with state secrets are outside these rules and must not be entered.",
        "参照广州市白云区办法",
        "第二条",
        (_row("is_secret", _EQ, True),),
        place="is_secret",
        locked=True,
    ),
    DeclaredRule(
        "D-04",
        "declaration",
        _BLOCKS,
        "申报最低金额",
        "Least amount to declare",
        "申请资金低于申报最低金额。",
        "The requested amount is below the least that can be declared.",
        OURS,
        "D-04",
        (
            _row("requested_amount", _LT, parameter="declaration.minimum_amount"),
            _row("requested_amount", _GT, "0"),
        ),
        place="requested_amount",
    ),
    DeclaredRule(
        "S-01",
        "declaration",
        _WARNS,
        "须开展第三方评审",
        "Third-party steps",
        "申请资金达到限额，方案阶段须开展造价评估、技术评审和专家论证。",
        "From this amount on the scheme needs a cost assessment, a technical review and an expert appraisal.",
        _REQUIREMENTS,
        "专家论证",
        (_row("requested_amount", _GE, parameter="third_party.threshold"),),
        place="requested_amount",
    ),
    DeclaredRule(
        "S-02",
        "declaration",
        _WARNS,
        "疑似拆分项目",
        "Possible splitting",
        "本单位同年度名称相近的项目合计达到第三方评审限额，请说明是否拆分。不得以化整为零方式规避。",
        "Similar projects of the unit in this year together reach the limit. Explain that none was split.",
        "《政府采购法》及实施条例",
        "第二十八条",
        (
            _row("similar_total", _GE, parameter="third_party.threshold"),
            _row("requested_amount", _LT, parameter="third_party.threshold"),
        ),
        place="requested_amount",
    ),
    DeclaredRule(
        "B-01",
        "declaration",
        _WARNS,
        "预算年度为公历年度",
        "The budget year is the calendar year",
        "建设周期与所申报的预算年度没有交集，本年度资金在该年度内无法使用。",
        "The construction period lies outside the budget year: this year's money could not be spent in it.",
        _BUDGET,
        "第十八条",
        (_row("outside_budget_year", _EQ, True),),
        place="begin_date",
        locked=True,
    ),
    DeclaredRule(
        "B-03",
        "declaration",
        _WARNS,
        "上年项目须已入库",
        "The earlier project is in the library",
        "所延续的项目未经审核入库；未纳入项目库的项目不得安排预算。",
        "The project that is continued was not reviewed into the library; without it no budget is arranged.",
        "《预算法实施条例》",
        "第四十一条",
        (
            _row("predecessor_in_library", _EQ, False),
            _row("declaration_type", _IN, _LINKED),
        ),
        place="predecessor_id",
        locked=True,
    ),
)

CHANGE_RULES: tuple[DeclaredRule, ...] = (
    DeclaredRule(
        "D-02c",
        "change",
        _BLOCKS,
        "变更后投资明细合计等于申请资金",
        "The lines add up after the change",
        "变更后投资明细合计须等于申请资金，精确到分。",
        "The budget lines must add up to the amount after the change, to the fen.",
        OURS,
        "D-02",
        (_row("lines_difference", _LT, "0", group=1), _row("lines_difference", _GT, "0", group=2)),
        place="requested_amount",
        locked=True,
    ),
    DeclaredRule(
        "D-02d",
        "change",
        _BLOCKS,
        "变更后资金渠道合计等于申请资金",
        "The channels add up after the change",
        "变更后各资金渠道合计须等于申请资金，精确到分。",
        "The funding channels must add up to the amount after the change, to the fen.",
        OURS,
        "D-02",
        (_row("splits_difference", _LT, "0", group=1), _row("splits_difference", _GT, "0", group=2)),
        place="funding_splits",
        locked=True,
    ),
    DeclaredRule(
        "CH-1",
        "change",
        _WARNS,
        "建设内容较大变更须原审批部门审批",
        "A larger change of content",
        "变更建设地点、规模或内容较大的，须报原审批部门审批。",
        "A larger change of place, scale or content goes to the original approver.",
        _INVESTMENT,
        "第二十一条",
        (_row("kinds", _IN, ["CONTENT", "TECHNICAL"]),),
        place="kinds",
    ),
    DeclaredRule(
        "CH-2",
        "change",
        _WARNS,
        "累计变更超过限比为重大变更",
        "A major change of the amount",
        "累计变更金额超过批复金额的限定比例，属重大变更，可要求重新报送。",
        "The changes together exceed the share of the approved amount: a major change, which may have to be"
        " submitted anew.",
        _INVESTMENT,
        "第十二条",
        (_row("cumulative_percent", _GT, parameter="change.major_percent"),),
        place="requested_amount",
    ),
    DeclaredRule(
        "CH-3",
        "change",
        _WARNS,
        "投资原则上不得超过核定概算",
        "Not above the approved estimate",
        "变更后金额超过批复金额，须提出调整方案和资金来源，报原审批部门。",
        "The amount after the change exceeds the approved one: give a plan and the source of the money to the"
        " original approver.",
        _INVESTMENT,
        "第二十三条",
        (_row("over_approved", _GT, "0"),),
        place="requested_amount",
        locked=True,
    ),
    DeclaredRule(
        "CH-4",
        "change",
        _WARNS,
        "调整资金超过总投资限比须审批",
        "Adjusted money above the share",
        "调整资金超过总投资的限定比例，不能由单位自行调整备案，须报审批。",
        "The adjusted money exceeds the share of the total: filing is not enough, it needs approval.",
        _57,
        "第十七条",
        (_row("change_ratio", _GT, parameter="policy.internal_percent"),),
        place="requested_amount",
        verified=False,
    ),
    DeclaredRule(
        "CH-5",
        "change",
        _BLOCKS,
        "补充合同累计不超过原合同百分之十",
        "Supplementary contracts at most 10%",
        "补充合同累计金额超过原合同金额的法定比例。",
        "The supplementary contracts together exceed the legal share of the original contract.",
        "《政府采购法》",
        "第四十九条",
        (_row("supplementary_percent", _GT, parameter="policy.supplementary_percent"),),
        place="requested_amount",
        locked=True,
    ),
    DeclaredRule(
        "CH-6",
        "change",
        _WARNS,
        "变更后达到第三方评审限额",
        "The change reaches the third-party limit",
        "变更后金额达到限额，须补做造价评估、技术评审和专家论证。",
        "The amount after the change reaches the limit: cost assessment, technical review and expert"
        " appraisal follow.",
        _REQUIREMENTS,
        "专家论证",
        (
            _row("amount_after", _GE, parameter="third_party.threshold"),
            _row("amount_before", _LT, parameter="third_party.threshold"),
        ),
        place="requested_amount",
    ),
)

ADJUSTMENT_RULES: tuple[DeclaredRule, ...] = (
    DeclaredRule(
        "V-02",
        "adjustment",
        _BLOCKS,
        "安排金额不得超过批复金额",
        "Not above the approved amount",
        "调整后安排金额超过项目批复金额。",
        "The arranged amount after the adjustment exceeds the approved one.",
        _INVESTMENT,
        "第二十三条",
        (_row("over_approved", _GT, "0"),),
        place="lines",
        locked=True,
    ),
    DeclaredRule(
        "V-03",
        "adjustment",
        _WARNS,
        "项目内部调整不超过限比",
        "Internal adjustment within the share",
        "调整金额超过调整前金额的限定比例。",
        "The adjusted amount exceeds the share of the amount before.",
        _57,
        "第十七条",
        (_row("adjusted_percent", _GT, parameter="policy.internal_percent"),),
        place="lines",
        verified=False,
        active=False,
    ),
    DeclaredRule(
        "B-72",
        "adjustment",
        _BLOCKS,
        "资金调剂须经财政部门",
        "Transfers go through finance",
        "不同预算科目、预算项目间的资金调剂须按财政部门的规定办理，审核流程中须有财政审核环节。",
        "Transfers between budget subjects and projects follow the finance department's rules: the flow needs"
        " a finance step.",
        _BUDGET,
        "第七十二条",
        (_row("has_finance_step", _EQ, False),),
        place="lines",
        locked=True,
    ),
)

SCHEME_RULES: tuple[DeclaredRule, ...] = (
    DeclaredRule(
        "V-01",
        "scheme",
        _WARNS,
        "概算超过可研估算限比须报告",
        "Estimate above the feasibility estimate",
        "投资概算超过可行性研究报告估算的限定比例，须向审批部门报告，可要求重新报送。",
        "The estimate exceeds the feasibility estimate by more than the share: report it; it may have to be"
        " submitted anew.",
        _INVESTMENT,
        "第十二条",
        (_row("estimate_percent", _GT, parameter="policy.estimate_percent"),),
        place="declared_amount",
    ),
)

RULES = (*DECLARATION_RULES, *CHANGE_RULES, *ADJUSTMENT_RULES, *SCHEME_RULES)


def seed_rules(session: Session) -> int:
    """Enter every rule whose code is not there yet; never touch one that is. Returns how many were added."""
    present = set(session.scalars(select(PolicyRule.code)))
    missing = [_model(rule) for rule in RULES if rule.code not in present]
    session.add_all(missing)
    return len(missing)


def _model(rule: DeclaredRule) -> PolicyRule:
    return PolicyRule(
        code=rule.code,
        name_zh=rule.name_zh,
        name_en=rule.name_en,
        document_kind=rule.kind,
        level=rule.level,
        place=rule.place,
        source=rule.source,
        article=rule.article,
        valid_from=rule.valid_from,
        conditions=[row.dump() for row in rule.rows],
        message_zh=rule.message_zh,
        message_en=rule.message_en,
        verified=rule.verified,
        active=rule.active,
        locked=rule.locked,
    )
