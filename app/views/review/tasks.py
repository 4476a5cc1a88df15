"""What the pages of one task share: finding it within the reviewer's scope, and what waits besides it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import joinedload

from app.access import policy
from app.models.flow import Task
from app.services.unit_of_work import current_session
from app.views.actor import current_actor

NO_VERSION = 0
"""What a form without a version is taken to have read: no row is at it, so nothing is decided unread."""


def known_task(pk: int) -> Task:
    """The task within the actor's scope, with its run, step and people. Raises `NotFound`."""
    loading = (joinedload(Task.run), joinedload(Task.step), joinedload(Task.acted_by), joinedload(Task.user))
    row: Task = policy.load(current_session(), current_actor(), Task, pk, options=loading)
    return row


@dataclass(frozen=True)
class Queue:
    """Where a task stands among all that wait for the actor, the most urgent first. `count` is how many wait
    besides it, `place` counts from 1 and is None for one that waits no longer."""

    count: int
    total: int
    place: int | None
    next_href: str | None
    previous_href: str | None


_Key = tuple[bool, dt.datetime | None, int]


def queue_around(task: Task) -> Queue:
    """The actor's queue, seen from one of its tasks; behind the last one comes the first again."""
    keys = _waiting()
    ids = [key[-1] for key in keys]
    place = ids.index(task.id) if task.id in ids else None
    others = [number for number in ids if number != task.id]
    if not others:
        return Queue(0, len(ids), 1 if place is not None else None, None, None)
    behind = place if place is not None else _place_of(keys, task)
    return Queue(
        count=len(others),
        total=len(ids),
        place=place + 1 if place is not None else None,
        next_href=_href(others[behind % len(others)]),
        previous_href=_href(others[behind - 1]),
    )


def next_address(done: Task, list_href: str) -> str:
    """The task after the one just done; the list when nothing waits any more."""
    return queue_around(done).next_href or list_href


def _waiting() -> list[_Key]:
    """What waits for the actor as sorting keys, in order; without a limit last."""
    waiting = policy.scoped(current_actor(), Task, "act").with_only_columns(Task.due_at, Task.id)
    rows = current_session().execute(waiting.order_by(Task.due_at.asc().nulls_last(), Task.id))
    return [_key(due_at, number) for due_at, number in rows]


def _key(due_at: dt.datetime | None, number: int) -> _Key:
    return due_at is None, due_at, number


def _place_of(keys: Sequence[_Key], task: Task) -> int:
    """How many wait before where the task stood."""
    own = _key(task.due_at, task.id)
    return sum(_before(key, own) for key in keys)


def _before(one: _Key, other: _Key) -> bool:
    if one[0] or other[0]:
        return (one[0], one[-1]) < (other[0], other[-1])
    return one < other


def _href(task_id: int) -> str:
    return url_for("ReviewView.task", pk=task_id)


def number_of(text: str | None) -> int | None:
    """A whole number as forms send it, else None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
