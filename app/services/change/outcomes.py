"""How a change request is reviewed, and what follows each outcome; found by the engine's registry."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.unit import Unit
from app.services.change.applying import apply
from app.services.change.draft import KIND
from app.services.change.rule_fields import RULE_FIELDS
from app.services.document.outcomes import ended
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, register


def _submitted(session: Session, actor: Actor, change: ChangeRequest) -> None:
    KIND.record(session, actor, "SUBMITTED", change)


def _size(_session: Session, change: ChangeRequest) -> Decimal | None:
    return abs(change.amount_delta) if change.amount_delta is not None else None


def _nature(session: Session, change: ChangeRequest) -> str | None:
    return session.scalar(select(Project.nature).where(Project.id == change.project_id))


def _type(session: Session, change: ChangeRequest) -> str | None:
    return session.scalar(select(Project.declaration_type).where(Project.id == change.project_id))


def _unit_path(session: Session, change: ChangeRequest) -> str | None:
    return session.scalar(select(Unit.path).where(Unit.id == change.unit_id))


REVIEWABLE = ReviewableDocument[ChangeRequest](
    kind=ChangeRequest.document_kind,
    model=ChangeRequest,
    label="Change request",
    title=lambda change: change.title,
    amount=lambda change: change.amount_after,
    fields=(
        ConditionField(
            "amount_after",
            "Amount after the change",
            FieldKind.AMOUNT,
            lambda _session, change: change.amount_after,
        ),
        ConditionField("amount_delta", "Amount changed by (either way)", FieldKind.AMOUNT, _size),
        ConditionField(
            "change_ratio",
            "Change ratio (%)",
            FieldKind.NUMBER,
            lambda _session, change: change.change_ratio,
        ),
        ConditionField("is_major", "Major change", FieldKind.FLAG, lambda _session, change: change.is_major),
        ConditionField(
            "needs_assessment",
            "Lifts the amount to the third-party threshold",
            FieldKind.FLAG,
            lambda _session, change: change.needs_assessment,
        ),
        ConditionField(
            "kinds",
            "Kinds of change",
            FieldKind.CODES,
            lambda _session, change: frozenset(change.kinds),
            "change_kind",
        ),
        ConditionField(
            "reason_code",
            "Reason of the change",
            FieldKind.CODE,
            lambda _session, change: change.reason_code,
            "change_reason",
        ),
        ConditionField("nature", "Project nature", FieldKind.CODE, _nature, "nature"),
        ConditionField("declaration_type", "Declaration type", FieldKind.CODE, _type, "declaration_type"),
        ConditionField("unit", "Declaring unit", FieldKind.UNIT, _unit_path),
    ),
    on_submitted=_submitted,
    on_approved=ended(KIND, "APPROVED", apply),
    on_returned=ended(KIND, "RETURNED"),
    on_rejected=ended(KIND, "REJECTED"),
    on_withdrawn=ended(KIND, "WITHDRAWN"),
    on_terminated=ended(KIND, "TERMINATED"),
    rule_fields=RULE_FIELDS,
)

register(REVIEWABLE)
