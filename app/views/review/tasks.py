"""What the pages of one task share: finding it within the reviewer's scope, and what waits besides it."""

from __future__ import annotations

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
class Following:
    """How many tasks wait besides one, and the most urgent of them."""

    count: int
    href: str | None


def following(task: Task | None) -> Following:
    """What waits for the actor besides this task, the most urgent first."""
    waiting = policy.scoped(current_actor(), Task, "act").with_only_columns(Task.id)
    if task is not None:
        waiting = waiting.where(Task.id != task.id)
    ids = current_session().scalars(waiting.order_by(Task.due_at.asc().nulls_last(), Task.id)).all()
    return Following(len(ids), url_for("ReviewView.task", pk=ids[0]) if ids else None)


def next_address() -> str:
    """The next task, or the list when nothing waits any more."""
    return following(None).href or url_for("ReviewTaskView.list")


def number_of(text: str | None) -> int | None:
    """A whole number as forms send it, else None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
