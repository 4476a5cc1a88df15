"""The declarations of each list, and one declaration with everything a page or print-out shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.models.annual_plan import AnnualPlan
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.log import FieldChange
from app.services.document.changes import history

with_rows: tuple[ExecutableOption, ...] = (
    selectinload(Declaration.budget_lines),
    selectinload(Declaration.funding_splits),
    selectinload(Declaration.later_years),
    selectinload(Declaration.data_catalogue),
    selectinload(Declaration.schedule),
    selectinload(Declaration.indicators),
)
"""Loads every table of rows, one statement each whatever their number."""

with_related: tuple[ExecutableOption, ...] = (
    joinedload(Declaration.project),
    joinedload(Declaration.predecessor),
    joinedload(Declaration.supervising_unit),
    joinedload(Declaration.created_by),
    joinedload(Declaration.submitted_by),
)
"""Loads what a page names beside the declaration, in the same statement."""


def pending(actor: Actor) -> Select[Any]:
    """待申报项目: drafts and what was returned, where the actor may fill them in."""
    return policy.scoped(actor, Declaration, "edit")


def submitted(actor: Actor) -> Select[Any]:
    """已申报项目: what the units of the actor have submitted, in whatever state it is now."""
    return policy.scoped(actor, Declaration).where(Declaration.status.not_in(_NOT_SUBMITTED))


def reviewed(actor: Actor) -> Select[Any]:
    """已审核申报项目: whose flow has ended."""
    return policy.scoped(actor, Declaration).where(Declaration.status.in_(_ENDED))


def recycled(actor: Actor) -> Select[Any]:
    """回收站: deleted drafts of the actor's units."""
    return policy.scoped(actor, Declaration, "restore")


_NOT_SUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)
_ENDED = (DocumentStatus.APPROVED, DocumentStatus.REJECTED, DocumentStatus.TERMINATED)


def load(
    session: Session,
    actor: Actor,
    declaration_id: int,
    *,
    verb: str = "read",
    version: int | None = None,
    lock: bool = False,
) -> Declaration:
    """One declaration with its rows, through the actor's scope. Raises as `policy.load` does."""
    row: Declaration = policy.load(
        session, actor, Declaration, declaration_id, verb=verb, version=version, lock=lock, options=with_rows
    )
    return row


@dataclass(frozen=True)
class Detail:
    """A declaration and what belongs to it. `amendments` are the fields reviewers changed."""

    declaration: Declaration
    attachments: Sequence[Attachment]
    amendments: Sequence[FieldChange]
    plan: AnnualPlan | None


def detail(session: Session, actor: Actor, declaration_id: int) -> Detail:
    """Everything of one declaration for its page and print-out, in ten statements whatever its size."""
    declaration: Declaration = policy.load(
        session, actor, Declaration, declaration_id, options=(*with_rows, *with_related)
    )
    attachments = session.scalars(
        select(Attachment)
        .where(Attachment.owner_kind == Declaration.document_kind, Attachment.owner_id == declaration_id)
        .order_by(Attachment.category, Attachment.id)
        .options(joinedload(Attachment.created_by))
    ).all()
    plan = session.scalars(
        select(AnnualPlan).where(AnnualPlan.project_id == declaration.project_id)
    ).one_or_none()
    return Detail(
        declaration,
        attachments,
        history(session, Declaration.document_kind, declaration_id, by_reviewers=True),
        plan,
    )
