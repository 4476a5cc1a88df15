"""Filling in a declaration: `app.services.document.draft` with what is its own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import DocumentStatus, Stage
from app.core.errors import Problem
from app.core.fiscal import default_budget_year
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.services.declaration import thread
from app.services.declaration.check import check
from app.services.declaration.queries import with_rows
from app.services.declaration.values import DESCRIPTION, DeclarationValues, Parsed, assign, values_of
from app.services.document import draft
from app.services.document.draft import Autosaved, Raw
from app.services.document.kind import DocumentKind, Problems

__all__ = ["KIND", "Autosaved", "autosave", "create", "purge", "recycle", "restore", "reviewer_edit", "save"]


def _blank(year: int) -> Declaration:
    return Declaration(
        budget_year=year,
        status=DocumentStatus.DRAFT,
        draft_input={},
        service_categories=[],
        basis_codes=[],
        scope_public=[],
        scope_government=[],
        budget_lines=[],
        funding_splits=[],
        later_years=[],
        data_catalogue=[],
        schedule=[],
        indicators=[],
    )


def _secret(parsed: Parsed) -> dict[str, list[Problem]]:
    """D-03: of a secret project nothing is kept, not even by autosave."""
    return {"is_secret": list(parsed.problems["is_secret"])} if parsed.values.is_secret else {}


def _errors(session: Session, declaration: Declaration) -> Problems:
    return check(session, declaration).errors()


def _moved(session: Session, declaration: Declaration, status: DocumentStatus) -> None:
    stage = Stage.TERMINATED if status is DocumentStatus.RECYCLED else Stage.DECLARED
    thread.set_stage(session, declaration, stage)


KIND = DocumentKind[Declaration, DeclarationValues](
    model=Declaration,
    prefix="SB",
    description=DESCRIPTION,
    options=with_rows,
    values_of=values_of,
    assign=assign,
    title=lambda declaration: declaration.title,
    blank=_blank,
    errors=_errors,
    never_kept=_secret,
    moved=_moved,
)


def create(actor: Actor, raw: Raw, *, page: str = "") -> Declaration:
    """A new draft for next year (D-01), as `document.draft.create`."""
    return draft.create(KIND, actor, raw, default_budget_year(utcnow()), page=page)


def save(actor: Actor, declaration_id: int, version: int, raw: Raw, *, page: str = "") -> Declaration:
    """Save a draft or a returned declaration, as `document.draft.save`."""
    return draft.save(KIND, actor, declaration_id, version, raw, page=page)


def autosave(
    actor: Actor, declaration_id: int | None, version: int | None, raw: Raw, *, page: str = "", turn: int = 0
) -> Autosaved:
    """Keep everything typed so far, as `document.draft.autosave`. Raises `InvalidInput` for state secrets."""
    year = default_budget_year(utcnow())
    return draft.autosave(KIND, actor, declaration_id, version, raw, page=page, turn=turn, year=year)


def recycle(actor: Actor, declaration_id: int, version: int) -> Declaration:
    """Put a draft into the unit's recycle bin."""
    return draft.recycle(KIND, actor, declaration_id, version)


def restore(actor: Actor, declaration_id: int, version: int) -> Declaration:
    """Take a draft out of the recycle bin again."""
    return draft.restore(KIND, actor, declaration_id, version)


def purge(actor: Actor, declaration_id: int, version: int) -> None:
    """Remove a draft in the recycle bin for good, with its attachments; the log stays."""
    draft.purge(KIND, actor, declaration_id, version)


def reviewer_edit(actor: Actor, declaration_id: int, version: int, raw: Raw, reason: str) -> Declaration:
    """A reviewer corrects the declaration he has open for review, as `document.draft.reviewer_edit`; its
    project follows."""
    return draft.reviewer_edit(KIND, actor, declaration_id, version, raw, reason, follow=thread.follow_edit)
