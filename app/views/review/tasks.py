"""What the pages of one task share: finding it within the reviewer's scope, and what waits besides it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from sqlalchemy.orm import joinedload

from app.access import policy
from app.models.flow import FlowRun, Task
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
    """Where a task stands among those of its kind that wait for the actor, the most urgent first, as in the
    list they are opened from. `count` is how many wait besides it, `place` counts from 1 and is None for one
    that waits no longer."""

    count: int
    total: int
    place: int | None
    next_href: str | None
    previous_href: str | None


_Key = tuple[bool, dt.datetime | None, int]


def queue_around(task: Task) -> Queue:
    """The actor's queue, seen from one of its tasks; behind the last one comes the first again. Once nothing
    of its kind waits besides it, what waits of other kinds comes next."""
    waiting = _waiting()
    own = [key for kind, key in waiting if kind == task.run.document_kind]
    ids = [key[-1] for key in own]
    place = ids.index(task.id) + 1 if task.id in ids else None
    keys = own if set(ids) - {task.id} else [key for _, key in waiting]
    others = [key[-1] for key in keys if key[-1] != task.id]
    if not others:
        return Queue(0, len(ids), place, None, None)
    behind = _place_of(keys, task)
    return Queue(
        count=len(others),
        total=len(ids),
        place=place,
        next_href=_href(others[behind % len(others)]),
        previous_href=_href(others[behind - 1]),
    )


def next_address(done: Task, list_href: str) -> str:
    """The task after the one just done; the list when nothing waits any more."""
    return queue_around(done).next_href or list_href


def _waiting() -> list[tuple[str, _Key]]:
    """What waits for the actor, in order, without a limit last: kinds of document and sorting keys."""
    waiting = (
        policy.scoped(current_actor(), Task, "act")
        .join(Task.run)
        .with_only_columns(FlowRun.document_kind, Task.due_at, Task.id)
    )
    rows = current_session().execute(waiting.order_by(Task.due_at.asc().nulls_last(), Task.id))
    return [(kind, _key(due_at, number)) for kind, due_at, number in rows]


def _key(due_at: dt.datetime | None, number: int) -> _Key:
    return due_at is None, due_at, number


def _place_of(keys: Sequence[_Key], task: Task) -> int:
    """How many wait before where the task stands or stood."""
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
