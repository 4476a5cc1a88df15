"""The flows every installation starts with."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.flow import AssigneeKind, FlowState, Operator
from app.models.base import utcnow
from app.models.flow import FlowCondition, FlowDefinition, FlowStep

FIRST_REVIEW = "first_review"
"""初审: the step from which on the declaration summary shows a project."""

UNIT_LEADER_SWITCH = "review.unit_leader_step"


def seed_default_flows(session: Session) -> None:
    """Enter the default flow of each kind where there is none (domain.md 3.1.5, 3.2, 3.3)."""
    known = set(session.scalars(select(FlowDefinition.document_kind)))
    if "declaration" not in known:
        session.add(_flow("declaration", "项目申报审核流程"))
    if "change" not in known:
        # A major change is checked once more (CH-2), any other goes from the first review to the final one.
        major = FlowCondition(field="is_major", operator=Operator.EQ, value=True)
        session.add(_flow("change", "项目变更申请审核流程", recheck=[major]))
    if "adjustment" not in known:
        bureau = _role_step(1, "bureau", "市政数局审核", "Data bureau", "bureau_leader")
        finance = _role_step(2, "finance", "财政局审批", "Finance bureau", "finance")
        session.add(_published("adjustment", "项目调整审核流程", bureau, finance))
    session.flush()


def _flow(kind: str, name: str, recheck: Sequence[FlowCondition] = ()) -> FlowDefinition:
    """The unit's leader, then the bureau's first review, re-check (under its conditions) and final review."""
    return _published(
        kind,
        name,
        _unit_leader_step(),
        _role_step(2, FIRST_REVIEW, "初审", "First review", "bureau_reviewer", may_edit=True),
        _role_step(3, "recheck", "复核", "Re-check", "bureau_checker", conditions=recheck),
        _role_step(4, "final_review", "终审", "Final review", "bureau_leader"),
    )


def _published(kind: str, name: str, *steps: FlowStep) -> FlowDefinition:
    return FlowDefinition(
        document_kind=kind,
        name=name,
        version=1,
        state=FlowState.PUBLISHED,
        published_at=utcnow(),
        steps=list(steps),
    )


def _unit_leader_step() -> FlowStep:
    return FlowStep(
        seq=1,
        code="unit_leader",
        name_zh="单位负责人审核",
        name_en="Unit leader",
        assignee_kind=AssigneeKind.UNIT_HEAD,
        limit_days=3,
        optional=True,
        switch=UNIT_LEADER_SWITCH,
    )


def _role_step(
    seq: int,
    code: str,
    name_zh: str,
    name_en: str,
    role: str,
    *,
    may_edit: bool = False,
    conditions: Sequence[FlowCondition] = (),
) -> FlowStep:
    return FlowStep(
        seq=seq,
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        assignee_kind=AssigneeKind.ROLE,
        role_name=role,
        limit_days=3,
        may_edit=may_edit,
        conditions=list(conditions),
    )
