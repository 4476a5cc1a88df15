"""Submitting a change request and taking it back."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.change import ChangeRequest
from app.services.change.check import check
from app.services.change.draft import KIND, mark
from app.services.document import submission
from app.services.document.kind import Problems

CHECKS: list[Callable[[Session, ChangeRequest], Problems]] = [
    lambda session, change: check(session, change).errors(),
]
"""What a request has to pass, each giving what is wrong by field. Rules kept as data plug in here."""


def submit(actor: Actor, change_id: int, version: int, *, page: str = "", opinion: str = "") -> ChangeRequest:
    """Submit a draft or a returned request as it is stored. Raises as `document.submission.submit` does; a
    project that changed meanwhile, or takes no change any more, is said at the field `base`."""
    return submission.submit(
        KIND, actor, change_id, version, page=page, opinion=opinion, errors=_errors, prepare=mark
    )


def withdraw(actor: Actor, change_id: int, version: int, *, opinion: str = "") -> ChangeRequest:
    """Take a request back to the drafts, as `document.submission.withdraw`."""
    return submission.withdraw(KIND, actor, change_id, version, opinion=opinion)


def _errors(session: Session, change: ChangeRequest) -> Problems:
    return {path: found for one in CHECKS for path, found in one(session, change).items()}
