"""Submitting a declaration and taking it back."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput, StaleVersion
from app.models.declaration import Declaration
from app.models.log import FieldChange
from app.services import numbering, review
from app.services.declaration import thread
from app.services.declaration.check import check
from app.services.declaration.draft import CODE_PREFIX, still_current
from app.services.declaration.queries import load
from app.services.unit_of_work import unit_of_work


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

    Raises `InvalidInput` saying what is missing or wrong, by field; `StaleVersion` when somebody changed it
    meanwhile; `Conflict` when it is in another state or nobody can review it. The second click of a double
    click changes nothing and gives the same answer. `now` is when (the clock's time if None), for the window.
    """
    with unit_of_work(actor) as session:
        declaration = load(session, actor, declaration_id, lock=True)
        if _submitted_just_so(session, actor, declaration, version):
            return declaration
        if not still_current(declaration, version, page):
            raise StaleVersion(policy.changes_since(session, declaration, version))
        policy.require(actor, "submit", declaration)
        errors = check(session, declaration, now=now).errors()
        if errors:
            raise InvalidInput(
                errors, "Not submitted yet: %(count)s fields need attention.", count=len(errors)
            )
        was = declaration.status
        declaration.draft_input = {}
        declaration.autosave_page = declaration.autosave_base = None
        if declaration.project_id is None and f"{declaration.budget_year}-" not in declaration.code:
            declaration.code = numbering.document_code(session, CODE_PREFIX, declaration.budget_year)
        session.flush()
        review.submit(session, actor, declaration, opinion)
        thread.note_status(session, actor, declaration, was, declaration.status)
        return declaration


def withdraw(actor: Actor, declaration_id: int, version: int, *, opinion: str = "") -> Declaration:
    """Take a declaration back to the drafts while no reviewer has acted at the present step.

    Raises `Conflict` afterwards, `StaleVersion` for an old page.
    """
    declaration: Declaration = review.withdraw(
        actor, Declaration.document_kind, declaration_id, version=version, opinion=opinion
    )
    return declaration


def _submitted_just_so(session: Session, actor: Actor, declaration: Declaration, version: int) -> bool:
    """Did this actor already submit exactly what this page shows?"""
    if declaration.status is not DocumentStatus.IN_REVIEW or declaration.submitted_by_id != actor.user_id:
        return False
    changed = session.scalars(
        select(FieldChange.field).where(
            FieldChange.noun == Declaration.document_kind,
            FieldChange.row_id == declaration.id,
            FieldChange.row_version > version,
        )
    ).all()
    return version < declaration.version and list(changed) == ["status"]
