"""Submitting a declaration and taking it back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.declaration import Declaration
from app.services import numbering
from app.services.declaration.check import check
from app.services.declaration.draft import KIND
from app.services.document import submission


def submit(
    actor: Actor,
    declaration_id: int,
    version: int,
    *,
    page: str = "",
    opinion: str = "",
    now: dt.datetime | None = None,
) -> Declaration:
    """Submit a draft or a returned declaration as it is stored: it opens its project and enters review.

    Raises as `document.submission.submit` does. `now` is when (the clock's time if None), for the window.
    """
    return submission.submit(
        KIND,
        actor,
        declaration_id,
        version,
        page=page,
        opinion=opinion,
        errors=lambda session, declaration: check(session, declaration, now=now).errors(),
        prepare=_number,
        now=now,
    )


def withdraw(actor: Actor, declaration_id: int, version: int, *, opinion: str = "") -> Declaration:
    """Take a declaration back to the drafts, as `document.submission.withdraw`."""
    return submission.withdraw(KIND, actor, declaration_id, version, opinion=opinion)


def _number(session: Session, declaration: Declaration) -> None:
    """Until its first submission a declaration may change its year, and with it its number."""
    if declaration.project_id is None and f"{declaration.budget_year}-" not in declaration.code:
        declaration.code = numbering.document_code(session, KIND.prefix, declaration.budget_year)
