"""What a person was told: reading it, counting it, marking it read; and what was texted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import ScalarSelect, Select, delete, func, select, update

from app.access.actor import SYSTEM, Actor
from app.access.policy import criterion, scoped
from app.models.base import utcnow
from app.models.message import Message, OutboxMessage, OutboxState, SmsMessage
from app.services.unit_of_work import current_session, unit_of_work

_MARKED_AT_ONCE = 500
_PURGED_AT_ONCE = 5_000


def inbox(
    actor: Actor, *, unread_only: bool = False, limit: int = 20, before_id: int | None = None
) -> Sequence[Message]:
    """The actor's own messages, newest first; the next page begins `before_id` the last one's id."""
    statement = inbox_statement(actor)
    if unread_only:
        statement = statement.where(Message.read_at.is_(None))
    if before_id is not None:
        statement = statement.where(Message.id < before_id)
    return current_session().scalars(statement.order_by(Message.id.desc()).limit(limit)).all()


def inbox_statement(actor: Actor) -> Select[Message]:
    """The actor's own messages, for a list page to filter and sort."""
    return scoped(actor, Message).where(Message.recipient_id == actor.user_id)


def unread_count_query(actor: Actor) -> ScalarSelect[int]:
    """How many of the actor's own messages he has not read, as a part of another statement."""
    return (
        select(func.count())
        .where(Message.recipient_id == actor.user_id, Message.read_at.is_(None))
        .scalar_subquery()
    )


def unread_count(actor: Actor) -> int:
    """How many of the actor's own messages he has not read: one indexed count."""
    return current_session().scalar(select(unread_count_query(actor))) or 0


def mark_read(actor: Actor, ids: Iterable[int] | None = None) -> int:
    """Mark the actor's own messages read, all of them when `ids` is None; returns how many were unread.

    Ids of other people's messages change nothing and tell nothing.
    """
    mine = (
        update(Message)
        .where(criterion(actor, Message), Message.recipient_id == actor.user_id, Message.read_at.is_(None))
        .values(read_at=utcnow())
        .execution_options(synchronize_session=False)
    )
    with unit_of_work(actor) as session:
        if ids is None:
            return _changed(session.execute(mine))
        chosen = sorted(set(ids))
        parts = (chosen[start : start + _MARKED_AT_ONCE] for start in range(0, len(chosen), _MARKED_AT_ONCE))
        return sum(_changed(session.execute(mine.where(Message.id.in_(part)))) for part in parts)


def sms_statement(actor: Actor) -> Select[SmsMessage]:
    """短信记录 the actor may see, for a list page; load `recipient` with it. Numbers are shown masked."""
    return scoped(actor, SmsMessage)


def purge_delivered(before: dt.datetime) -> int:
    """Remove outbox entries that were sent before a moment; what people were told stays in their inbox
    and in the record of text messages. Returns how many."""
    total = 0
    while True:
        with unit_of_work(SYSTEM) as session:
            oldest = (
                select(OutboxMessage.id)
                .where(OutboxMessage.state == OutboxState.SENT, OutboxMessage.sent_at < before)
                .limit(_PURGED_AT_ONCE)
            )
            ids = session.scalars(oldest).all()
            session.execute(
                delete(OutboxMessage)
                .where(OutboxMessage.id.in_(ids))
                .execution_options(synchronize_session=False)
            )
        total += len(ids)
        if len(ids) < _PURGED_AT_ONCE:
            return total


def _changed(result: object) -> int:
    return int(getattr(result, "rowcount", 0))
