"""What waits for one person: the figures and drafts of his workbench."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.services import review
from app.services.unit_of_work import current_session


@dataclass(frozen=True, slots=True)
class Desk:
    """How many reviews wait, how many of them are late; drafts to finish, and declarations sent back."""

    tasks: int
    overdue: int
    drafts: int
    returned: int


@dataclass(frozen=True, slots=True)
class OwnDraft:
    """A declaration that its unit has to finish; `requested` in yuan, None while nothing is entered."""

    id: int
    code: str
    title: str
    status: DocumentStatus
    requested: Decimal | None
    updated_at: dt.datetime


def desk(actor: Actor, now: dt.datetime | None = None) -> Desk:
    """The figures of the actor's own work, in one statement."""
    own = policy.criterion(actor, Declaration, "edit")
    drafts = select(func.count(Declaration.id)).where(own)
    row = current_session().execute(
        select(
            review.todo_count_query(actor),
            review.overdue_count_query(actor, now or utcnow()),
            drafts.where(Declaration.status == DocumentStatus.DRAFT).scalar_subquery(),
            drafts.where(Declaration.status == DocumentStatus.RETURNED).scalar_subquery(),
        )
    )
    return Desk(*row.one())


def own_drafts(actor: Actor, most: int = 5) -> Sequence[OwnDraft]:
    """What the actor has to fill in, first what was sent back, then the drafts touched last."""
    rows = current_session().execute(
        select(
            Declaration.id,
            Declaration.code,
            Declaration.title,
            Declaration.status,
            Declaration.requested_amount,
            Declaration.updated_at,
        )
        .where(policy.criterion(actor, Declaration, "edit"))
        .order_by(
            (Declaration.status == DocumentStatus.RETURNED).desc(),
            Declaration.updated_at.desc(),
            Declaration.id.desc(),
        )
        .limit(most)
    )
    return [OwnDraft(*row) for row in rows]
