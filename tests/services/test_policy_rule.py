"""Policy rules as data: what they ask, refuse and keep, and how an administrator changes them."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus, RuleLevel
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.funds import AdjustmentKind, Direction
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.annual_plan import AnnualPlan
from app.models.change import ChangeRequest
from app.models.declaration import Declaration
from app.models.dictionary import RuleParameter
from app.models.log import FieldChange, SystemLog
from app.models.policy_rule import PolicyRule, RuleFinding
from app.models.project import Project
from app.services import annual_plan, configuration, policy_rule, review
from app.services import declaration as service
from app.services.policy_rule.evaluating import Facts
from app.services.policy_rule.rows import check, rows_of, typed
from app.services.unit_of_work import unit_of_work
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, reviewable
from tests import samples
from tests.factories import make_actor, make_unit
from tests.sql import count_statements

YEAR = samples.next_year()
_numbers = itertools.count(1)


@pytest.fixture
def handler(session: Session) -> Actor:
    make_actor("bureau_reviewer"), make_actor("bureau_checker"), make_actor("bureau_leader")
    return make_actor("unit_handler", make_unit("开平市水利局(测试)"))


@pytest.fixture
def administrator(session: Session) -> Actor:
    return make_actor("sys_admin")


def amount(figure: str, **changes: Any) -> dict[str, Any]:
    """The maintenance renewal for another amount: one line, one channel."""
    line = {**samples.maintenance()["budget_lines"][0], "quantity": "1", "unit_price": figure}
    return samples.maintenance(
        requested_amount=figure,
        budget_lines=[line],
        funding_splits=[{"channel": "GENERAL_BUDGET", "amount": figure}],
        **{
            "necessity": "必" * 50,
            "current_state": "现状",
            "goals": "目标",
            "scope_text": "内容",
            "total_investment": figure,
            **changes,
        },
    )


def found(session: Session, draft: Declaration) -> dict[str, RuleFinding]:
    return {each.code: each for each in policy_rule.evaluate(session, "declaration", draft)}


def submitted(actor: Actor, raw: dict[str, Any], attached: bool = False) -> Declaration:
    draft = service.create(actor, raw)
    return service.submit(actor, draft.id, draft.version)


def rule_of(session: Session, code: str) -> PolicyRule:
    return session.scalars(select(PolicyRule).where(PolicyRule.code == code)).one()


def set_parameter(key: str, value: str) -> None:
    with unit_of_work(SYSTEM) as session:
        session.add(
            RuleParameter(
                key=key, value=value, label_zh=key, label_en=key, effective_from=dt.date(2026, 1, 2)
            )
        )


def earlier_project(actor: Actor, year: int, planned: bool) -> Project:
    from app.core.enums import ConstructionStatus, Stage

    with unit_of_work(SYSTEM) as session:
        project = Project(
            code=f"KP{year}YW{8000 + next(_numbers)}",
            title="上年度运维",
            budget_year=year,
            unit_id=actor.unit_id,
            nature="OPERATION",
            declaration_type="OTHER",
            stage=Stage.PLANNED if planned else Stage.REJECTED,
            construction_status=ConstructionStatus.PLANNED,
            requested_amount=Decimal("31900.00"),
        )
        session.add(project)
        session.flush()
        if planned:
            session.add(
                AnnualPlan(
                    year=year,
                    project_id=project.id,
                    unit_id=actor.unit_id,
                    requested_amount=Decimal("31900.00"),
                )
            )
        return project


class TestDeclarations:
    """D-01 to D-04 are in tests/rules/test_declaration_rules.py, as what keeps a form back."""

    @pytest.mark.parametrize(
        ("figure", "warned"), [("999999.99", False), ("1000000.00", True), ("1000000.01", True)]
    )
    def test_s01_third_party_steps_from_a_million_on(
        self, session: Session, handler: Actor, figure: str, warned: bool
    ) -> None:
        said = found(session, service.create(handler, amount(figure)))
        assert ("S-01" in said) is warned
        if warned:
            assert said["S-01"].level is RuleLevel.WARNS
            assert said["S-01"].figures[0]["expected"]["zh"] == "1,000,000.00 元"

    def test_s01_follows_its_parameter(self, session: Session, handler: Actor) -> None:
        """One number in one place: the rule names the parameter."""
        set_parameter("third_party.threshold", "500000.00")
        assert "S-01" not in found(session, service.create(handler, amount("499999.99")))
        assert "S-01" in found(session, service.create(handler, amount("500000.00")))

    @pytest.mark.parametrize(
        ("first", "warned"), [("599999.99", False), ("600000.00", True), ("600000.01", True)]
    )
    def test_s02_similar_projects_of_a_unit_and_year_together(
        self, session: Session, handler: Actor, first: str, warned: bool
    ) -> None:
        with unit_of_work(SYSTEM):
            session.add(
                Declaration(
                    code="SB-split",
                    unit_id=handler.unit_id,
                    budget_year=YEAR,
                    title="智慧水利一张图平台建设（一期）",
                    requested_amount=Decimal(first),
                    status=DocumentStatus.IN_REVIEW,
                )
            )
        draft = service.create(handler, amount("400000.00", title="智慧水利一张图平台建设（二期）"))
        assert ("S-02" in found(session, draft)) is warned

    def test_s02_counts_neither_other_units_nor_other_years_nor_other_projects(
        self, session: Session, handler: Actor
    ) -> None:
        other = make_unit()
        with unit_of_work(SYSTEM):
            for number, (unit_id, year, title, status) in enumerate(
                (
                    (other.id, YEAR, "智慧水利一张图平台", DocumentStatus.IN_REVIEW),
                    (handler.unit_id, YEAR - 1, "智慧水利一张图平台", DocumentStatus.APPROVED),
                    (handler.unit_id, YEAR, "防汛会议室音响采购", DocumentStatus.IN_REVIEW),
                    (handler.unit_id, YEAR, "智慧水利一张图平台", DocumentStatus.REJECTED),
                )
            ):
                session.add(
                    Declaration(
                        code=f"SB-other-{number}",
                        unit_id=unit_id,
                        budget_year=year,
                        title=title,
                        requested_amount=Decimal("900000.00"),
                        status=status,
                    )
                )
        draft = service.create(handler, amount("400000.00", title="智慧水利一张图平台"))
        assert "S-02" not in found(session, draft)

    @pytest.mark.parametrize(
        ("begin", "end", "warned"),
        [
            (f"{YEAR - 1}-01-01", f"{YEAR - 1}-12-31", True),
            (f"{YEAR - 1}-06-01", f"{YEAR}-01-01", False),
            (f"{YEAR}-12-31", f"{YEAR + 1}-11-30", False),
            (f"{YEAR + 1}-01-01", f"{YEAR + 1}-12-31", True),
        ],
    )
    def test_b01_the_period_touches_the_budget_year(
        self, session: Session, handler: Actor, begin: str, end: str, warned: bool
    ) -> None:
        draft = service.create(handler, samples.maintenance(begin_date=begin, end_date=end))
        assert ("B-01" in found(session, draft)) is warned

    @pytest.mark.parametrize(("planned", "warned"), [(True, False), (False, True)])
    def test_b03_what_is_continued_was_reviewed_into_the_library(
        self, session: Session, handler: Actor, planned: bool, warned: bool
    ) -> None:
        project = earlier_project(handler, YEAR - 1, planned)
        draft = service.create(
            handler, samples.maintenance(declaration_type="CONTINUING", predecessor_id=str(project.id))
        )
        assert ("B-03" in found(session, draft)) is warned

    def test_b03_asks_nothing_of_a_project_that_continues_none(
        self, session: Session, handler: Actor
    ) -> None:
        assert "B-03" not in found(session, service.create(handler, samples.maintenance()))


def applies(session: Session, code: str, kind: str, **values: Any) -> bool:
    """Does a seeded rule apply to a document with these values? The kind's own fields may not be there yet:
    fields of the same names and kinds stand in for them."""
    kinds = {
        bool: FieldKind.FLAG,
        Decimal: FieldKind.AMOUNT,
        frozenset: FieldKind.CODES,
    }
    entry = ReviewableDocument[Any](
        kind=kind,
        model=Declaration,
        label=kind,
        title=lambda document: "",
        amount=lambda document: None,
        fields=tuple(
            ConditionField(name, name, kinds[type(value)], lambda _s, _d, value=value: value)
            for name, value in values.items()
        ),
        **dict.fromkeys(
            ("on_submitted", "on_approved", "on_returned", "on_rejected", "on_withdrawn", "on_terminated"),
            lambda *_: None,
        ),
    )
    rows = rows_of(rule_of(session, code).conditions)
    assert not policy_rule.is_inert(entry, rows), f"{code} asks for fields that are not among {set(values)}"
    return bool(Facts(session, entry, SimpleNamespace()).holding(rows))  # type: ignore[arg-type]


class TestRulesOfOtherDocuments:
    @pytest.mark.parametrize(
        ("code", "kind", "field", "below", "at", "above", "expected"),
        [
            ("CH-2", "change", "cumulative_percent", "9.99", "10.00", "10.01", (False, False, True)),
            ("CH-3", "change", "over_approved", "-0.01", "0.00", "0.01", (False, False, True)),
            ("CH-4", "change", "change_ratio", "14.99", "15.00", "15.01", (False, False, True)),
            ("CH-5", "change", "supplementary_percent", "9.99", "10.00", "10.01", (False, False, True)),
            ("V-01", "scheme", "estimate_percent", "9.99", "10.00", "10.01", (False, False, True)),
            ("V-02", "adjustment", "over_approved", "-0.01", "0.00", "0.01", (False, False, True)),
            ("V-03", "adjustment", "adjusted_percent", "14.99", "15.00", "15.01", (False, False, True)),
        ],
    )
    def test_below_at_and_above(
        self,
        session: Session,
        code: str,
        kind: str,
        field: str,
        below: str,
        at: str,
        above: str,
        expected: tuple[bool, bool, bool],
    ) -> None:
        figures = (Decimal(below), Decimal(at), Decimal(above))
        assert tuple(applies(session, code, kind, **{field: figure}) for figure in figures) == expected

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            ("800000", "999999.99", False),
            ("800000", "1000000.00", True),
            ("800000", "1000000.01", True),
            ("1000000.00", "1200000.00", False),
        ],
    )
    def test_ch6_a_change_that_lifts_the_amount_to_the_limit(
        self, session: Session, before: str, after: str, expected: bool
    ) -> None:
        said = applies(session, "CH-6", "change", amount_before=Decimal(before), amount_after=Decimal(after))
        assert said is expected

    def test_ch1_a_change_of_content_but_not_of_the_period(self, session: Session) -> None:
        assert applies(session, "CH-1", "change", kinds=frozenset({"CONTENT", "PERIOD"}))
        assert applies(session, "CH-1", "change", kinds=frozenset({"TECHNICAL"}))
        assert not applies(session, "CH-1", "change", kinds=frozenset({"PERIOD"}))

    def test_b72_an_adjustment_passes_finance(self, session: Session) -> None:
        assert applies(session, "B-72", "adjustment", has_finance_step=False)
        assert not applies(session, "B-72", "adjustment", has_finance_step=True)

    def test_only_what_was_read_in_its_source_is_verified(self, session: Session) -> None:
        unverified = set(session.scalars(select(PolicyRule.code).where(~PolicyRule.verified)))
        assert unverified == {"CH-4", "V-03"}, "domain.md section 11: those marked [K]"
        assert not rule_of(session, "V-03").active, "domain.md section 11: off"

    def test_a_rule_whose_kind_or_field_is_not_there_stands_aside(self, session: Session) -> None:
        assert policy_rule.is_inert(None, rows_of(rule_of(session, "V-01").conditions))
        change = reviewable("change")
        assert policy_rule.is_inert(change, rows_of(rule_of(session, "CH-5").conditions))
        assert not policy_rule.is_inert(change, rows_of(rule_of(session, "CH-2").conditions))
        assert policy_rule.evaluate(session, "scheme", Declaration()) == []


class TestFieldsOfOtherDocuments:
    """What the rules of changes and adjustments read from stored documents."""

    def value(self, session: Session, kind: str, name: str, document: Any) -> Any:
        field = reviewable(kind).rule_field(name)
        assert field is not None
        return field.read(session, document)

    def change(self, project: Project, before: str, delta: str, applied: int | None = None) -> ChangeRequest:
        with unit_of_work(SYSTEM) as session:
            row = ChangeRequest(
                code=f"BG-{next(_numbers)}",
                unit_id=project.unit_id,
                project_id=project.id,
                base_version=1,
                base={},
                status=DocumentStatus.APPROVED if applied else DocumentStatus.DRAFT,
                amount_before=Decimal(before),
                amount_delta=Decimal(delta),
                amount_after=Decimal(before) + Decimal(delta),
                applied_version=applied,
            )
            session.add(row)
            return row

    def test_changes_add_up_either_way_over_the_amount_before_the_first(
        self, session: Session, handler: Actor
    ) -> None:
        project = earlier_project(handler, YEAR - 1, planned=True)
        self.change(project, "1000000.00", "60000.00", applied=2)
        self.change(project, "1060000.00", "-30000.00", applied=3)
        third = self.change(project, "1030000.00", "10000.00")
        assert self.value(session, "change", "cumulative_percent", third) == Decimal("10.00")

    def test_the_first_change_counts_by_itself(self, session: Session, handler: Actor) -> None:
        first = self.change(earlier_project(handler, YEAR - 1, planned=True), "1000000.00", "-100100.00")
        assert self.value(session, "change", "cumulative_percent", first) == Decimal("10.01")

    @pytest.mark.parametrize(
        ("arranged", "more", "over"), [("900000", "99999.99", "-0.01"), ("900000", "100000.01", "0.01")]
    )
    def test_an_adjustment_is_held_against_what_was_approved(
        self, session: Session, handler: Actor, arranged: str, more: str, over: str
    ) -> None:
        project = earlier_project(handler, YEAR - 1, planned=True)
        plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project.id)).one()
        annual_plan.arrange(make_actor("finance"), project.id, plan.version, arranged, confirmed=arranged)
        with unit_of_work(SYSTEM):
            session.get_one(Project, project.id, populate_existing=True).approved_amount = Decimal(1_000_000)
            row = FundAdjustment(
                code="TZ-1",
                unit_id=handler.unit_id,
                kind=AdjustmentKind.ADD,
                year=YEAR,
                in_amount=Decimal(more),
                lines=[
                    AdjustmentLine(
                        seq=1,
                        project_id=project.id,
                        direction=Direction.IN,
                        channel="GENERAL_BUDGET",
                        amount=Decimal(more),
                    )
                ],
            )
            session.add(row)
        assert self.value(session, "adjustment", "over_approved", row) == Decimal(over)
        assert self.value(session, "adjustment", "adjusted_percent", row) == Decimal("11.11")
        assert self.value(session, "adjustment", "has_finance_step", row) is True


class TestSubmission:
    def test_a_blocking_rule_refuses_and_names_its_article(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        s01 = rule_of(session, "S-01")
        configuration.update(administrator, policy_rule.RULES_TABLE, s01.id, {"level": "BLOCKS"})
        set_parameter("third_party.threshold", "31900.00")
        draft = service.create(handler, samples.maintenance())

        with pytest.raises(InvalidInput) as refused:
            service.submit(handler, draft.id, draft.version)

        problem = refused.value.fields["requested_amount"][0]
        sentence = problem.message % problem.params
        assert "S-01" in sentence and "采购需求 专家论证" in sentence and "31,900.00 yuan" in sentence
        assert session.scalars(select(RuleFinding)).all() == []
        assert draft.status is DocumentStatus.DRAFT

    def test_what_was_found_is_kept_with_each_submission(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        set_parameter("third_party.threshold", "31900.00")
        declared = submitted(handler, samples.maintenance())
        first = policy_rule.latest(session, "declaration", declared.id)
        assert [(each.code, each.submission, each.rule_revision) for each in first] == [("S-01", 1, 0)]

        service.withdraw(handler, declared.id, declared.version)
        s01 = rule_of(session, "S-01")
        configuration.update(
            administrator, policy_rule.RULES_TABLE, s01.id, {"message_zh": "改过的话。", "source": "新办法"}
        )
        again = session.get_one(Declaration, declared.id, populate_existing=True)
        service.submit(handler, declared.id, again.version)

        second = policy_rule.latest(session, "declaration", declared.id)
        assert [(each.message_zh, each.submission, each.rule_revision) for each in second] == [
            ("改过的话。", 2, 1)
        ]
        everything = session.scalars(select(RuleFinding).order_by(RuleFinding.id)).all()
        assert [each.submission for each in everything] == [1, 2]
        assert everything[0].source == "采购需求", "the first keeps the rule as it was worded then"

    def test_a_submission_without_findings_shows_none_of_an_earlier_one(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        set_parameter("third_party.threshold", "31900.00")
        declared = submitted(handler, samples.maintenance())
        service.withdraw(handler, declared.id, declared.version)
        configuration.deactivate(administrator, policy_rule.RULES_TABLE, rule_of(session, "S-01").id)
        again = session.get_one(Declaration, declared.id, populate_existing=True)
        service.submit(handler, declared.id, again.version)
        assert policy_rule.latest(session, "declaration", declared.id) == []

    def test_a_purged_document_takes_its_findings_along(self, session: Session, handler: Actor) -> None:
        set_parameter("third_party.threshold", "31900.00")
        declared = submitted(handler, samples.maintenance())
        row = service.withdraw(handler, declared.id, declared.version)
        row = service.recycle(handler, row.id, row.version)
        service.purge(handler, row.id, row.version)
        assert session.scalars(select(RuleFinding)).all() == []

    def test_each_value_is_read_once_whatever_the_number_of_rules(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        draft = service.load(session, handler, service.create(handler, amount("600000.00")).id)
        policy_rule.evaluate(session, "declaration", draft)
        with count_statements() as before:
            policy_rule.evaluate(session, "declaration", draft)
        for number in range(5):
            new_rule(administrator, f"X-{number}", [row("similar_total", "GE", "1")])
        with count_statements() as after:
            policy_rule.evaluate(session, "declaration", draft)
        assert len(after) == len(before)

    def test_a_rule_holds_from_its_first_day_to_its_last(
        self, session: Session, administrator: Actor
    ) -> None:
        rule = new_rule(
            administrator,
            "X-day",
            [row("requested_amount", "GE", "1")],
            valid_from="2026-03-01",
            valid_to="2026-03-31",
        )

        def holds(day: str) -> bool:
            return rule in policy_rule.in_force(session, "declaration", dt.date.fromisoformat(day))

        days = ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")
        assert [holds(day) for day in days] == [False, True, True, False]


def row(field: str, operator: str, value: Any, group: int = 1) -> dict[str, Any]:
    return {"group": group, "field": field, "operator": operator, "value": value}


def new_rule(administrator: Actor, code: str, conditions: list[dict[str, Any]], **values: Any) -> PolicyRule:
    return configuration.create(
        administrator,
        policy_rule.RULES_TABLE,
        {
            "code": code,
            "document_kind": "declaration",
            "name_zh": "试验规则",
            "name_en": "A test",
            "level": "WARNS",
            "source": "测试",
            "valid_from": "2026-01-01",
            "message_zh": "试验",
            "message_en": "Test",
            "conditions": conditions,
            **values,
        },
    )


class TestAdministration:
    def test_rows_of_a_group_hold_together_and_any_group_is_enough(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        new_rule(
            administrator,
            "X-1",
            [
                row("nature", "EQ", "OPERATION"),
                row("requested_amount", "GE", "100000"),
                row("nature", "EQ", "NEW", group=2),
            ],
        )
        assert "X-1" not in found(session, service.create(handler, amount("99999.99")))
        assert "X-1" in found(session, service.create(handler, amount("100000.00")))
        assert "X-1" in found(session, service.create(handler, amount("1.00", nature="NEW")))

    @pytest.mark.parametrize(
        ("conditions", "place"),
        [
            ([], "conditions"),
            ([row("requested_amount", "GE", "eine Million")], "conditions.0.value"),
            ([row("requested_amount", "UNDER", "1")], "conditions.0.operator"),
            ([row("nature", "IN", [])], "conditions.0.value"),
            ([row("__class__", "EQ", "x")], "conditions.0.field"),
            ([row("nature", "EXEC", "x")], "conditions.0.operator"),
            ([{**row("nature", "EQ", ""), "parameter": "third_party.threshold"}], "conditions.0.parameter"),
            ([{**row("requested_amount", "GE", ""), "parameter": "os.system"}], "conditions.0.parameter"),
            ([row("requested_amount", "GE", "1", group=10)], "conditions.0.group"),
            ([row("requested_amount", "GE", "1")] * 31, "conditions"),
        ],
    )
    def test_a_row_that_makes_no_sense_is_refused_beside_it(
        self, administrator: Actor, conditions: list[dict[str, Any]], place: str
    ) -> None:
        with pytest.raises(InvalidInput) as refused:
            new_rule(administrator, "X-2", conditions)
        assert place in refused.value.fields

    def test_text_is_compared_never_evaluated(self, session: Session) -> None:
        """SEC-05: what an administrator types stays text."""
        entry = reviewable("declaration")
        raw = {"field": "nature", "operator": "EQ", "value": "__import__('os').system('true')"}
        stored = typed(entry, [raw])
        assert stored[0]["value"] == raw["value"]
        assert check(entry, stored) == {}
        assert typed(entry, [{"field": "nature", "operator": "IN", "value": "NEW，OPERATION"}])[0][
            "value"
        ] == [
            "NEW",
            "OPERATION",
        ]
        assert typed(entry, [{"field": "requested_amount", "operator": "GE", "value": "1,000,000.00"}])[0][
            "value"
        ] == ("1000000.00")

    def test_each_edit_is_kept_with_who_and_what(self, session: Session, administrator: Actor) -> None:
        rule = new_rule(administrator, "X-3", [row("requested_amount", "GE", "1")])
        configuration.update(
            administrator,
            policy_rule.RULES_TABLE,
            rule.id,
            {"conditions": [row("requested_amount", "GE", "2")], "level": "BLOCKS"},
        )
        history = session.scalars(
            select(FieldChange).where(FieldChange.noun == "policy_rule", FieldChange.row_id == rule.id)
        ).all()
        assert {each.field for each in history} == {"conditions", "level"}
        assert {each.row_version for each in history} == {1}
        events = session.scalars(select(SystemLog.event).where(SystemLog.noun == "policy_rule")).all()
        assert events == ["POLICY_RULE_CHANGED", "POLICY_RULE_CHANGED"]

    def test_law_and_arithmetic_are_not_bent(self, session: Session, administrator: Actor) -> None:
        d02 = rule_of(session, "D-02")
        for change in ({"level": "WARNS"}, {"valid_to": "2026-12-31"}, {"conditions": []}):
            with pytest.raises(InvalidInput):
                configuration.update(administrator, policy_rule.RULES_TABLE, d02.id, change)
        with pytest.raises((Conflict, InvalidInput)):
            configuration.deactivate(administrator, policy_rule.RULES_TABLE, d02.id)
        with pytest.raises(Conflict):
            configuration.remove(administrator, policy_rule.RULES_TABLE, d02.id)
        configuration.update(administrator, policy_rule.RULES_TABLE, d02.id, {"article": "第二条"})
        assert session.get_one(PolicyRule, d02.id, populate_existing=True).article == "第二条"

    def test_a_rule_that_found_something_stays(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        rule = new_rule(administrator, "X-4", [row("requested_amount", "GE", "1")])
        submitted(handler, samples.maintenance())
        with pytest.raises(Conflict):
            configuration.remove(administrator, policy_rule.RULES_TABLE, rule.id)

    def test_only_administrators_keep_rules(self, session: Session, handler: Actor) -> None:
        with pytest.raises(NotAllowed):
            new_rule(handler, "X-5", [row("requested_amount", "GE", "1")])
        with pytest.raises((NotAllowed, NotFound)):
            policy_rule.try_rule(handler, rule_of(session, "S-01").id, "SB2027-00001")


class TestTrial:
    def test_a_rule_is_tried_row_by_row_also_while_it_is_off(
        self, session: Session, handler: Actor, administrator: Actor
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        rule = new_rule(
            administrator,
            "X-6",
            [row("requested_amount", "GE", "31900.00"), row("nature", "EQ", "NEW")],
            active=False,
        )
        trial = policy_rule.try_rule(administrator, rule.id, declared.code)
        assert (trial.applies, [each.holds for each in trial.rows]) == (False, [True, False])
        assert trial.rows[0].figure["actual"]["zh"] == "31,900.00 元"
        assert trial.rows[1].figure["actual"]["zh"] == "运维"

    def test_drafts_are_not_told_of(self, session: Session, handler: Actor, administrator: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        with pytest.raises(InvalidInput) as refused:
            policy_rule.try_rule(administrator, rule_of(session, "S-01").id, draft.code)
        assert "code" in refused.value.fields

    def test_a_rule_that_cannot_be_asked_says_so(self, session: Session, administrator: Actor) -> None:
        with pytest.raises(InvalidInput):
            policy_rule.try_rule(administrator, rule_of(session, "V-01").id, "FA2027-00001")


def test_reviewers_may_not_use_a_rule_to_read_what_they_may_not(session: Session, handler: Actor) -> None:
    """The findings of a document follow its own policy."""
    from app.access import policy

    set_parameter("third_party.threshold", "31900.00")
    submitted(handler, samples.maintenance())
    stranger = make_actor("unit_handler", make_unit())
    assert session.scalars(policy.scoped(stranger, RuleFinding)).all() == []
    assert len(session.scalars(policy.scoped(handler, RuleFinding)).all()) == 1
    assert review.open_task(stranger, "declaration", 0) is None
