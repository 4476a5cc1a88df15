"""Rule parameters and the work calendar, read from their tables by the engine itself."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.workdays import WorkCalendar, today_in_china
from app.models.dictionary import RuleParameter, WorkCalendarDay

_HORIZON = dt.timedelta(days=1_000)
"""No reviewing limit reaches further than this; later days need not be read."""


def parameter(session: Session, key: str, default: str, today: dt.date) -> str:
    """The value in force today of a local rule, or `default` when none was entered."""
    value = session.scalar(
        select(RuleParameter.value)
        .where(RuleParameter.key == key, RuleParameter.effective_from <= today)
        .order_by(RuleParameter.effective_from.desc())
        .limit(1)
    )
    return default if value is None else value


def due_at(session: Session, start: dt.datetime, working_days: int | None) -> dt.datetime | None:
    """When a limit in working days that began at `start` ends, in UTC; None without a limit."""
    if working_days is None:
        return None
    today = today_in_china(start)
    rows = session.execute(
        select(WorkCalendarDay.date, WorkCalendarDay.is_workday).where(
            WorkCalendarDay.date >= today, WorkCalendarDay.date < today + _HORIZON
        )
    ).all()
    exceptions = {row.date: row.is_workday for row in rows}
    years = frozenset(day.year for day in exceptions)
    return WorkCalendar(exceptions, years).deadline(start, working_days)
