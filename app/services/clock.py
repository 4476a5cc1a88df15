"""What the clock itself keeps: its heartbeat, and how long passing records stay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from app.access.actor import SYSTEM, Actor
from app.access.policy import scoped
from app.models.base import utcnow
from app.models.clock import ClockJob
from app.models.upsert import upsert
from app.models.user import LoginAttempt, UserSession
from app.services import attachment, importing, message, parameter
from app.services.unit_of_work import current_session, unit_of_work

BEATS = "deliver_outbox"
"""The job that runs every minute: when it last ran is when a worker was last alive."""

_DEAD_AFTER = dt.timedelta(minutes=3)
_LONGEST_OUTCOME = 200


@dataclass(frozen=True)
class CleanedUp:
    """How many passing records one clean-up removed."""

    outbox: int
    attempts: int
    sessions: int
    files: int
    imports: int

    def __str__(self) -> str:
        return (
            f"outbox={self.outbox} attempts={self.attempts} sessions={self.sessions} files={self.files}"
            f" imports={self.imports}"
        )


def record_run(
    name: str, started_at: dt.datetime, worker: str, *, outcome: str = "", failed: bool = False
) -> None:
    """Write down that a job ran, over its former run."""
    statement = upsert(current_session(), ClockJob).values(
        name=name,
        started_at=started_at,
        finished_at=utcnow(),
        worker=worker[:80],
        outcome=" ".join(outcome.split())[:_LONGEST_OUTCOME],
        failed=failed,
    )
    columns = ("started_at", "finished_at", "worker", "outcome", "failed")
    with unit_of_work(SYSTEM) as session:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["name"], set_={column: statement.excluded[column] for column in columns}
            )
        )


def last_runs(actor: Actor) -> Sequence[ClockJob]:
    """The last run of every job, for whoever keeps the parameters."""
    return current_session().scalars(scoped(actor, ClockJob).order_by(ClockJob.name)).all()


def last_run_at(name: str) -> dt.datetime | None:
    """When a job last ended; for the line "calculated at …" above a list of its results."""
    return current_session().scalar(select(ClockJob.finished_at).where(ClockJob.name == name))


def is_alive(now: dt.datetime | None = None) -> bool:
    """Has any worker beaten within the last three minutes?"""
    beat = last_run_at(BEATS)
    return beat is not None and is_recent(beat, now or utcnow())


def is_recent(beat: dt.datetime, now: dt.datetime) -> bool:
    """Does a beat at that moment mean that a worker lives now?"""
    return beat > now - _DEAD_AFTER


def clean_up(now: dt.datetime | None = None) -> CleanedUp:
    """Remove what has been kept for as long as its parameter says: delivered outbox entries, records of
    log-ins (网络安全法 art. 21: at least six months), and sessions that ended as long ago; files uploaded for
    opinions that were never given; imports nobody confirmed; and files that no row names, left by processes
    that died."""
    moment = now or utcnow()
    session = current_session()
    keep_messages = dt.timedelta(days=parameter.int_of(session, "message.keep_days"))
    keep_log = dt.timedelta(days=parameter.int_of(session, "log.keep_days"))
    delivered = message.purge_delivered(moment - keep_messages)
    before = moment - keep_log
    imports = importing.remove_unconfirmed(moment)
    files = attachment.remove_orphans(session, now=moment)
    with unit_of_work(SYSTEM) as session:
        attachment.remove_abandoned(session, now=moment)
        attempts: Any = session.execute(delete(LoginAttempt).where(LoginAttempt.at < before))
        sessions: Any = session.execute(delete(UserSession).where(UserSession.ended_at < before))
        return CleanedUp(delivered, attempts.rowcount, sessions.rowcount, files, imports)
