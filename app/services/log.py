"""Writing the system log and the field-by-field history, inside the caller's unit of work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import LogLevel
from app.models.log import FieldChange, SystemLog
from app.services.unit_of_work import unit_of_work

_SUMMARY_LENGTH = 500


def record(
    session: Session,
    actor: Actor,
    event: str,
    *,
    noun: str = "",
    row_id: int | None = None,
    summary: str = "",
    level: LogLevel = LogLevel.INFO,
) -> SystemLog:
    """Add one line to the system log; line breaks in `summary` are flattened so that a line stays a line."""
    entry = SystemLog(
        event=event,
        level=level,
        user_id=actor.user_id,
        username=actor.username[:128],
        address=actor.address,
        noun=noun,
        row_id=row_id,
        summary=" ".join(summary.split())[:_SUMMARY_LENGTH],
    )
    session.add(entry)
    return entry


def denied(actor: Actor, method: str, path: str) -> None:
    """Note, in a transaction of its own, that a logged-in user asked for what he may not do (SEC-53)."""
    with unit_of_work(actor) as session:
        record(session, actor, "AUTHZ_DENIED", summary=f"{method} {path}", level=LogLevel.WARNING)


@dataclass(frozen=True)
class Difference:
    """One field before and after, as people read them."""

    field: str
    old: str
    new: str


def record_changes(
    session: Session,
    actor: Actor,
    noun: str,
    row_id: int,
    row_version: int,
    differences: Iterable[Difference],
    *,
    by_reviewer: bool = False,
) -> None:
    """Keep each difference of one row; `row_version` is the version the change produces."""
    session.add_all(
        FieldChange(
            user_id=actor.user_id,
            user_name=actor.name,
            noun=noun,
            row_id=row_id,
            row_version=row_version,
            field=difference.field,
            old=difference.old,
            new=difference.new,
            by_reviewer=by_reviewer,
        )
        for difference in differences
    )
