"""How a declaration is reviewed, and what follows each outcome; found by the engine through its registry."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import Stage
from app.models.declaration import Declaration, FundingSplit
from app.models.unit import Unit
from app.services import similarity
from app.services.declaration import thread
from app.services.declaration.draft import KIND
from app.services.declaration.rule_fields import RULE_FIELDS
from app.services.document.outcomes import ended
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, register


def _submitted(session: Session, actor: Actor, declaration: Declaration) -> None:
    project = thread.open_project(session, declaration)
    similarity.index_projects(session, [project.id])
    similarity.keep(session, actor, declaration)
    KIND.record(session, actor, "SUBMITTED", declaration, project.code)


def _approved(session: Session, actor: Actor, declaration: Declaration) -> None:
    thread.set_stage(session, declaration, Stage.PLANNED)
    thread.enter_plan(session, declaration)


def _rejected(session: Session, actor: Actor, declaration: Declaration) -> None:
    thread.set_stage(session, declaration, Stage.REJECTED)


def _terminated(session: Session, actor: Actor, declaration: Declaration) -> None:
    thread.set_stage(session, declaration, Stage.TERMINATED)


def _channels(session: Session, declaration: Declaration) -> frozenset[str]:
    channels = session.scalars(
        select(FundingSplit.channel).where(FundingSplit.declaration_id == declaration.id)
    )
    return frozenset(channel for channel in channels if channel)


def _unit_path(session: Session, declaration: Declaration) -> str | None:
    return session.scalar(select(Unit.path).where(Unit.id == declaration.unit_id))


def _requested(_session: Session, declaration: Declaration) -> Decimal | None:
    return declaration.requested_amount


REVIEWABLE = ReviewableDocument[Declaration](
    kind=Declaration.document_kind,
    model=Declaration,
    label="Declaration",
    title=lambda declaration: declaration.title,
    amount=lambda declaration: declaration.requested_amount,
    fields=(
        ConditionField("requested_amount", "Requested amount", FieldKind.AMOUNT, _requested, always=True),
        ConditionField(
            "total_investment",
            "Total investment",
            FieldKind.AMOUNT,
            lambda _session, declaration: declaration.total_investment,
        ),
        ConditionField(
            "budget_year",
            "Budget year",
            FieldKind.NUMBER,
            lambda _session, declaration: declaration.budget_year,
            always=True,
        ),
        ConditionField(
            "nature",
            "Project nature",
            FieldKind.CODE,
            lambda _session, declaration: declaration.nature,
            "nature",
            always=True,
        ),
        ConditionField(
            "declaration_type",
            "Declaration type",
            FieldKind.CODE,
            lambda _session, declaration: declaration.declaration_type,
            "declaration_type",
            always=True,
        ),
        ConditionField(
            "plan_channel",
            "Way into the plan",
            FieldKind.CODE,
            lambda _session, declaration: declaration.plan_channel,
            "plan_channel",
        ),
        ConditionField(
            "mlps_level",
            "MLPS level",
            FieldKind.CODE,
            lambda _session, declaration: declaration.mlps_level,
            "mlps_level",
        ),
        ConditionField(
            "service_categories",
            "Service category",
            FieldKind.CODES,
            lambda _session, declaration: frozenset(declaration.service_categories),
            "service_category",
        ),
        ConditionField(
            "funding_channels",
            "Funding channel",
            FieldKind.CODES,
            _channels,
            "funding_channel",
            always=True,
        ),
        ConditionField(
            "crypto_required",
            "Uses cryptography",
            FieldKind.FLAG,
            lambda _session, declaration: declaration.crypto_required,
        ),
        ConditionField("unit", "Declaring unit", FieldKind.UNIT, _unit_path, always=True),
    ),
    on_submitted=_submitted,
    on_approved=ended(KIND, "APPROVED", _approved),
    on_returned=ended(KIND, "RETURNED"),
    on_rejected=ended(KIND, "REJECTED", _rejected),
    on_withdrawn=ended(KIND, "WITHDRAWN"),
    on_terminated=ended(KIND, "TERMINATED", _terminated),
    rule_fields=RULE_FIELDS,
)

register(REVIEWABLE)
