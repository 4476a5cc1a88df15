"""What follows the outcomes of a review, alike for every kind of document."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.services.document.kind import D, DocumentKind, V

Hook = Callable[[Session, Actor, D], None]


def ended(kind: DocumentKind[D, V], event: str, *first: Hook[D]) -> Hook[D]:
    """The hook for an outcome: what the kind does `first`, then the new state and a line in the log.

    `event` is the end of the line's name, `APPROVED`.
    """

    def hook(session: Session, actor: Actor, document: D) -> None:
        for step in first:
            step(session, actor, document)
        kind.note_status(session, actor, document, DocumentStatus.IN_REVIEW, document.status)
        kind.record(session, actor, event, document)

    return hook
