"""The roles the office starts with (domain.md section 5); the database holds the copies in use."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.enums import DataScope


@dataclass(frozen=True)
class DefaultRole:
    """A role as seeded: its data scope and its grants, "noun.verb"."""

    name: str
    label_zh: str
    label_en: str
    scope: DataScope
    grants: frozenset[str]


def _role(name: str, label_zh: str, label_en: str, scope: DataScope, *grants: str) -> DefaultRole:
    return DefaultRole(name, label_zh, label_en, scope, frozenset(grants))


_REVIEW = (
    "task.read",
    "task.act",
    "declaration.read",
    "declaration.export",
    "change.read",
    "change.export",
    "project.read",
    "project.export",
    "project.similar",
)
_ADJUSTMENTS_READ = ("adjustment.read", "adjustment.export")
_ADJUSTMENTS = (*_ADJUSTMENTS_READ, "adjustment.create", "adjustment.edit", "adjustment.submit")
_FIGURES = ("statistics.read", "statistics.export", "annual_plan.read", "annual_plan.export", "alert.read")

DEFAULT_ROLES: tuple[DefaultRole, ...] = (
    _role(
        "unit_handler",
        "申报单位经办人",
        "Unit handler",
        DataScope.UNIT_TREE,
        "declaration.read",
        "declaration.create",
        "declaration.edit",
        "declaration.submit",
        "declaration.export",
        "change.read",
        "change.create",
        "change.edit",
        "change.submit",
        "change.export",
        "project.read",
        "project.export",
        "project.similar",
        "annual_plan.read",
        "statistics.read",
        "alert.read",
        "task.read",
        "task.act",
    ),
    _role("unit_leader", "申报单位负责人", "Unit leader", DataScope.UNIT_TREE, *_REVIEW, *_FIGURES),
    _role(
        "bureau_reviewer",
        "市政数局初审",
        "First reviewer",
        DataScope.ALL,
        *_REVIEW,
        *_FIGURES,
        *_ADJUSTMENTS,
        "task.reassign",
        "task.terminate",
        "saved_query.share",
        "project.import",
        "import.read",
    ),
    _role("bureau_checker", "市政数局复核", "Re-checker", DataScope.ALL, *_REVIEW, *_FIGURES, *_ADJUSTMENTS),
    _role(
        "bureau_leader",
        "市政数局分管领导",
        "Final reviewer",
        DataScope.ALL,
        *_REVIEW,
        *_FIGURES,
        *_ADJUSTMENTS_READ,
        "task.terminate",
    ),
    _role(
        "finance",
        "财政局",
        "Finance",
        DataScope.ALL,
        *_REVIEW,
        *_FIGURES,
        *_ADJUSTMENTS_READ,
        "annual_plan.arrange",
    ),
    _role("review_firm", "评审公司", "Review firm", DataScope.ASSIGNED, "task.read", "task.act"),
    _role("cost_firm", "造价公司", "Cost firm", DataScope.ASSIGNED, "task.read", "task.act"),
    _role("expert", "专家", "Expert", DataScope.ASSIGNED, "task.read", "task.act"),
    _role(
        "viewer_stats", "领导(只看统计)", "Leader (figures only)", DataScope.ALL, *_FIGURES, "project.read"
    ),
    _role(
        "sys_admin",
        "系统管理员",
        "System administrator",
        DataScope.ALL,
        "user.read",
        "user.manage",
        "unit.manage",
        "dictionary.manage",
        "menu.manage",
        "parameter.read",
        "parameter.manage",
        "policy_rule.read",
        "policy_rule.manage",
        "work_calendar.manage",
        "flow.read",
        "flow.manage",
        "sms.read",
        "task.reassign",
        "saved_query.share",
        "import.read",
    ),
    _role(
        "sec_admin",
        "安全管理员",
        "Security administrator",
        DataScope.ALL,
        "user.read",
        "role.read",
        "role.manage",
        "session.read",
        "session.end",
    ),
    _role(
        "audit_admin",
        "审计管理员",
        "Audit administrator",
        DataScope.ALL,
        "log.read",
        "log.export",
        "user.read",
        "import.read",
        "import.read_all",
    ),
)
