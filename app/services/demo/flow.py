"""A flow in preparation, so that an administrator has something to compare, to check and to publish."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.flow import AssigneeKind, FlowState, Operator
from app.models.declaration import Declaration
from app.models.flow import FlowCondition, FlowDefinition, FlowStep
from app.services import review

_LARGE = "1000000.00"


def add_flow_draft(session: Session) -> None:
    """A draft of the next version: finance looks at declarations of a million yuan and more, and the re-check
    has five working days."""
    first = session.scalars(
        select(FlowDefinition).where(
            FlowDefinition.document_kind == Declaration.document_kind,
            FlowDefinition.state == FlowState.PUBLISHED,
        )
    ).one()
    draft = review.draft_of(SYSTEM, first.id)
    steps = sorted(draft.steps, key=lambda step: step.seq)
    final = steps[-1]
    steps[-2].limit_days = 5
    final.seq += 1
    session.flush()
    draft.steps.append(
        FlowStep(
            seq=final.seq - 1,
            code="finance_opinion",
            name_zh="财政会审",
            name_en="Opinion of finance",
            assignee_kind=AssigneeKind.ROLE,
            role_name="finance",
            limit_days=5,
            may_reject=False,
            conditions=[FlowCondition(field="requested_amount", operator=Operator.GE, value=_LARGE)],
        )
    )
    draft.name = "项目申报审核流程（大额增加财政会审）"
    session.flush()
