"""How the system itself is doing, for those who keep it: the clock, the messages, the log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select

from app.access import policy
from app.access.actor import Actor
from app.core.enums import LogLevel
from app.models.base import utcnow
from app.models.clock import ClockJob
from app.models.log import SystemLog
from app.models.message import Channel, OutboxMessage, OutboxState
from app.models.user import AppUser, UserSession
from app.services import clock
from app.services.unit_of_work import current_session

_RECENT = dt.timedelta(days=7)
_UNSENT = (OutboxState.PENDING, OutboxState.SENDING, OutboxState.FAILED)


@dataclass(frozen=True, slots=True)
class OfficeState:
    """`beat_at` is when a worker was last alive, `alive` whether that is recent; `jobs` are the last run of
    each job; `waiting` and `lost` messages are not delivered yet and given up. `held` text messages of those
    that wait are kept for the office's hours, the first until `held_until`."""

    beat_at: dt.datetime | None
    alive: bool
    jobs: Sequence[ClockJob]
    waiting: int
    lost: int
    held: int = 0
    held_until: dt.datetime | None = None

    @property
    def failed_jobs(self) -> list[str]:
        """The jobs that ended badly last time."""
        return [job.name for job in self.jobs if job.failed]


@dataclass(frozen=True, slots=True)
class SecurityState:
    """How many users may log in, how many are disabled, how many sessions are open."""

    active: int
    disabled: int
    sessions: int


@dataclass(frozen=True, slots=True)
class LogFigure:
    """How many log entries of a level the last seven days brought."""

    level: LogLevel
    entries: int


def office_state(actor: Actor, now: dt.datetime | None = None) -> OfficeState:
    """Whether the clock runs and messages leave, in two statements; empty where the actor may not see it."""
    session = current_session()
    moment = now or utcnow()
    jobs = clock.last_runs(actor)
    beat = next((job for job in jobs if job.name == clock.BEATS), None)
    held = and_(
        OutboxMessage.channel == Channel.SMS,
        OutboxMessage.state == OutboxState.PENDING,
        OutboxMessage.next_attempt_at > moment,
    )
    rows = session.execute(
        select(
            OutboxMessage.state,
            func.count(),
            func.count().filter(held),
            func.min(OutboxMessage.next_attempt_at).filter(held),
        )
        .where(
            policy.criterion(actor, OutboxMessage),
            OutboxMessage.state.in_((*_UNSENT, OutboxState.GAVE_UP)),
        )
        .group_by(OutboxMessage.state)
    )
    found = rows.all()
    counts = {state: count for state, count, _, _ in found}
    return OfficeState(
        beat_at=beat.finished_at if beat else None,
        alive=beat is not None and clock.is_recent(beat.finished_at, moment),
        jobs=jobs,
        waiting=sum(counts.get(state, 0) for state in _UNSENT),
        lost=counts.get(OutboxState.GAVE_UP, 0),
        held=sum(count for _, _, count, _ in found),
        held_until=next((until for _, _, _, until in found if until), None),
    )


def security_state(actor: Actor) -> SecurityState:
    """Users and sessions, in one statement."""
    users = select(func.count(AppUser.id)).where(policy.criterion(actor, AppUser))
    sessions = select(func.count(UserSession.id)).where(
        policy.criterion(actor, UserSession), UserSession.ended_at.is_(None)
    )
    row = current_session().execute(
        select(
            users.where(AppUser.active).scalar_subquery(),
            users.where(~AppUser.active).scalar_subquery(),
            sessions.scalar_subquery(),
        )
    )
    return SecurityState(*row.one())


def log_figures(actor: Actor, now: dt.datetime | None = None) -> list[LogFigure]:
    """The log entries of the last seven days by level, the worst first; every level, also with none."""
    since = (now or utcnow()) - _RECENT
    rows = current_session().execute(
        select(SystemLog.level, func.count())
        .where(policy.criterion(actor, SystemLog), SystemLog.at >= since)
        .group_by(SystemLog.level)
    )
    counts = dict(rows.all())
    return [LogFigure(level, counts.get(level, 0)) for level in reversed(LogLevel)]


def recent_warnings(actor: Actor, most: int = 6, now: dt.datetime | None = None) -> Sequence[SystemLog]:
    """The last warnings and errors of the last seven days."""
    return (
        current_session()
        .scalars(
            policy.scoped(actor, SystemLog)
            .where(SystemLog.level != LogLevel.INFO, SystemLog.at >= (now or utcnow()) - _RECENT)
            .order_by(SystemLog.at.desc(), SystemLog.id.desc())
            .limit(most)
        )
        .all()
    )
