"""How a fund adjustment is reviewed, and what follows each outcome; found through the engine's registry."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.flow import AssigneeKind, FlowState
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.base import utcnow
from app.models.flow import FlowDefinition, FlowStep
from app.models.unit import Unit
from app.services.adjustment.applying import apply
from app.services.adjustment.draft import KIND
from app.services.adjustment.rule_fields import RULE_FIELDS
from app.workflow.registry import ConditionField, FieldKind, RequiredRole, ReviewableDocument, register

FINANCE_ROLE = "finance"


def _submitted(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    KIND.record(session, actor, "SUBMITTED", adjustment, f"{adjustment.amount:.2f}")


def _approved(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    apply(session, actor, adjustment)
    _ended(session, actor, adjustment, "APPROVED")


def _returned(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    _ended(session, actor, adjustment, "RETURNED")


def _rejected(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    _ended(session, actor, adjustment, "REJECTED")


def _withdrawn(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    _ended(session, actor, adjustment, "WITHDRAWN")


def _terminated(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    _ended(session, actor, adjustment, "TERMINATED")


def _ended(session: Session, actor: Actor, adjustment: FundAdjustment, event: str) -> None:
    KIND.note_status(session, actor, adjustment, DocumentStatus.IN_REVIEW, adjustment.status)
    KIND.record(session, actor, event, adjustment)


def _channels(session: Session, adjustment: FundAdjustment) -> frozenset[str]:
    channels = session.scalars(
        select(AdjustmentLine.channel).where(AdjustmentLine.adjustment_id == adjustment.id)
    )
    return frozenset(channel for channel in channels if channel)


def _unit_path(session: Session, adjustment: FundAdjustment) -> str | None:
    return session.scalar(select(Unit.path).where(Unit.id == adjustment.unit_id))


REVIEWABLE = ReviewableDocument[FundAdjustment](
    kind=FundAdjustment.document_kind,
    model=FundAdjustment,
    label="Fund adjustment",
    title=lambda adjustment: adjustment.title,
    amount=lambda adjustment: adjustment.amount,
    fields=(
        ConditionField(
            "amount", "Adjusted amount", FieldKind.AMOUNT, lambda _session, adjustment: adjustment.amount
        ),
        ConditionField(
            "year", "Adjustment year", FieldKind.NUMBER, lambda _session, adjustment: adjustment.year
        ),
        ConditionField(
            "kind", "Kind of adjustment", FieldKind.CODE, lambda _session, adjustment: adjustment.kind.value
        ),
        ConditionField("funding_channels", "Funding channel", FieldKind.CODES, _channels, "funding_channel"),
        ConditionField("unit", "Drafting unit", FieldKind.UNIT, _unit_path),
    ),
    on_submitted=_submitted,
    on_approved=_approved,
    on_returned=_returned,
    on_rejected=_rejected,
    on_withdrawn=_withdrawn,
    on_terminated=_terminated,
    rule_fields=RULE_FIELDS,
    required_roles=(RequiredRole(FINANCE_ROLE, "预算法第七十二条"),),
)

register(REVIEWABLE)


def seed_default_flow(session: Session) -> None:
    """Enter the default flow where there is none: 市政数局 → 财政局 (domain.md 3.3); never changes one."""
    kind = FundAdjustment.document_kind
    if session.scalar(select(FlowDefinition.id).where(FlowDefinition.document_kind == kind).limit(1)):
        return
    session.add(
        FlowDefinition(
            document_kind=kind,
            name="项目调整审核流程",
            version=1,
            state=FlowState.PUBLISHED,
            published_at=utcnow(),
            steps=[
                _step(1, "bureau", "市政数局审核", "Data bureau", "bureau_leader"),
                _step(2, "finance", "财政局审批", "Finance bureau", FINANCE_ROLE),
            ],
        )
    )
    session.flush()


def _step(seq: int, code: str, name_zh: str, name_en: str, role: str) -> FlowStep:
    return FlowStep(
        seq=seq,
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        assignee_kind=AssigneeKind.ROLE,
        role_name=role,
        limit_days=3,
    )
