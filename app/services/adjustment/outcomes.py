"""How a fund adjustment is reviewed, and what follows each outcome; found through the engine's registry."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.unit import Unit
from app.services.adjustment.applying import apply
from app.services.adjustment.draft import KIND
from app.services.adjustment.rule_fields import RULE_FIELDS
from app.services.document.outcomes import ended
from app.workflow.registry import ConditionField, FieldKind, RequiredRole, ReviewableDocument, register

FINANCE_ROLE = "finance"


def _submitted(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    KIND.record(session, actor, "SUBMITTED", adjustment, f"{adjustment.amount:.2f}")


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
    on_approved=ended(KIND, "APPROVED", apply),
    on_returned=ended(KIND, "RETURNED"),
    on_rejected=ended(KIND, "REJECTED"),
    on_withdrawn=ended(KIND, "WITHDRAWN"),
    on_terminated=ended(KIND, "TERMINATED"),
    rule_fields=RULE_FIELDS,
    required_roles=(RequiredRole(FINANCE_ROLE, "预算法第七十二条"),),
)

register(REVIEWABLE)
