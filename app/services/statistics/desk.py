"""What waits for one person: the figures and drafts of his workbench."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.models.base import utcnow
from app.services import review
from app.services.unit_of_work import current_session
from app.workflow.registry import ReviewableDocument, registered


@dataclass(frozen=True, slots=True)
class Filling:
    """Documents of one kind that the actor has to fill in: drafts, and what was sent back."""

    drafts: int
    returned: int

    @property
    def all(self) -> int:
        """Both together."""
        return self.drafts + self.returned


@dataclass(frozen=True, slots=True)
class Desk:
    """How many reviews wait, how many of them are late; what has to be filled in, by document kind."""

    tasks: int = 0
    overdue: int = 0
    filling: Mapping[str, Filling] = field(default_factory=dict)

    @property
    def drafts(self) -> int:
        return sum(each.drafts for each in self.filling.values())

    @property
    def returned(self) -> int:
        return sum(each.returned for each in self.filling.values())


@dataclass(frozen=True, slots=True)
class OwnDraft:
    """A document that has to be filled in; `amount` in yuan, None while nothing is entered."""

    kind: str
    id: int
    title: str
    status: DocumentStatus
    amount: Decimal | None
    updated_at: dt.datetime


def _filled_in_by(actor: Actor) -> list[ReviewableDocument[Any]]:
    return [entry for entry in registered().values() if actor.holds(entry.kind, "edit")]


def desk(actor: Actor, now: dt.datetime | None = None) -> Desk:
    """The figures of the actor's own work, in one statement."""
    entries = _filled_in_by(actor)
    counts = [
        select(func.count(entry.model.id))
        .where(policy.criterion(actor, entry.model, "edit"), entry.model.status == status)
        .scalar_subquery()
        for entry in entries
        for status in (DocumentStatus.DRAFT, DocumentStatus.RETURNED)
    ]
    row = current_session().execute(
        select(review.todo_count_query(actor), review.overdue_count_query(actor, now or utcnow()), *counts)
    )
    tasks, overdue, *found = row.one()
    kinds = [entry.kind for entry in entries]
    return Desk(tasks, overdue, dict(zip(kinds, map(Filling, found[::2], found[1::2]), strict=True)))


def own_drafts(actor: Actor, most: int = 5) -> Sequence[OwnDraft]:
    """What the actor has to fill in, what was sent back first, then the drafts touched last."""
    found = [
        OwnDraft(
            entry.kind, row.id, entry.title(row) or row.code, row.status, entry.amount(row), row.updated_at
        )
        for entry in _filled_in_by(actor)
        for row in current_session().scalars(
            policy.scoped(actor, entry.model, "edit")
            .order_by(
                (entry.model.status == DocumentStatus.RETURNED).desc(),
                entry.model.updated_at.desc(),
                entry.model.id.desc(),
            )
            .limit(most)
        )
    ]
    found.sort(key=lambda draft: (draft.status is DocumentStatus.RETURNED, draft.updated_at), reverse=True)
    return found[:most]
