"""Submitting a document of any kind and taking it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput, StaleVersion
from app.models.base import Fillable
from app.models.log import FieldChange
from app.services import policy_rule, review
from app.services.document.draft import still_current
from app.services.document.kind import DocumentKind, Problems
from app.services.unit_of_work import unit_of_work

D = TypeVar("D", bound=Fillable)
V = TypeVar("V")


def submit(
    kind: DocumentKind[D, V],
    actor: Actor,
    document_id: int,
    version: int,
    *,
    page: str = "",
    opinion: str = "",
    errors: Callable[[Session, D], Problems] | None = None,
    prepare: Callable[[Session, D], None] | None = None,
    now: dt.datetime | None = None,
) -> D:
    """Submit a draft or a returned document as it is stored. `errors` stands in for the kind's own check,
    `prepare` is done to one that passed it, before it enters review. The policy rules are asked of every kind
    as of `now` (the clock's time if None), and what they find is kept with this submission.

    Raises `InvalidInput` saying what is missing or wrong, by field; `StaleVersion` when somebody changed it
    meanwhile; `Conflict` when it is in another state or nobody can review it. The second click of a double
    click changes nothing and gives the same answer.
    """
    with unit_of_work(actor) as session:
        document = kind.load(session, actor, document_id, lock=True)
        if _submitted_just_so(kind, session, actor, document, version):
            return document
        if not still_current(document, version, page):
            raise StaleVersion(policy.changes_since(session, document, version))
        policy.require(actor, "submit", document)
        found = (errors or kind.errors)(session, document)
        if found:
            raise InvalidInput(
                dict(found), "Not submitted yet: %(count)s fields need attention.", count=len(found)
            )
        was = document.status
        document.draft_input = {}
        document.autosave_page = document.autosave_base = None
        if prepare is not None:
            prepare(session, document)
        session.flush()
        policy_rule.at_submit(session, document, now=now)
        review.submit(session, actor, document, opinion)
        kind.note_status(session, actor, document, was, document.status)
        return document


def withdraw(
    kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int, *, opinion: str = ""
) -> D:
    """Take a document back to the drafts while no reviewer has acted at the present step.

    Raises `Conflict` afterwards, `StaleVersion` for an old page.
    """
    document: D = review.withdraw(actor, kind.name, document_id, version=version, opinion=opinion)
    return document


def _submitted_just_so(
    kind: DocumentKind[D, V], session: Session, actor: Actor, document: D, version: int
) -> bool:
    """Did this actor already submit exactly what this page shows?"""
    if document.status is not DocumentStatus.IN_REVIEW or document.submitted_by_id != actor.user_id:
        return False
    changed = session.scalars(
        select(FieldChange.field).where(
            FieldChange.noun == kind.name,
            FieldChange.row_id == document.id,
            FieldChange.row_version > version,
        )
    ).all()
    return version < document.version and list(changed) == ["status"]
