"""The work calendar: which days are worked, kept by an administrator, and what a change of it moves.

Source: domain.md 9.2. The State Council's arrangement for a year is published about November of the year
before; until it is entered, Monday to Friday is assumed and every answer is an estimate.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import require
from app.core.errors import InvalidInput, Problem
from app.core.flow import TaskState
from app.core.text import trim
from app.core.workdays import WorkCalendar, end_of_day, last_day, today_in_china
from app.models.dictionary import WorkCalendarDay
from app.models.flow import Task
from app.models.upsert import upsert
from app.services import log
from app.services.unit_of_work import unit_of_work

SEEDED_YEARS = range(2024, 2027)
FIRST_DAY, LAST_DAY = dt.date(2020, 1, 1), dt.date(2099, 12, 31)

ESTIMATE_NOTICE = "The holiday arrangement of %(year)s is not entered yet; Monday to Friday is assumed."
"""The msgid to show beside a deadline for which `WorkCalendar.is_estimated` says yes."""

_LONGEST_NOTE = 80
_TASKS_AT_ONCE = 1_000


@dataclass(frozen=True)
class DayEntry:
    """One day as the administrator says it is."""

    day: dt.date
    is_workday: bool
    note: str = ""


def load_calendar(session: Session) -> WorkCalendar:
    """The calendar as entered: one query.

    A year counts as known once both New Year's Day and National Day are entered for it: a single day
    entered by hand does not make the holidays between them known.
    """
    rows: Sequence[tuple[dt.date, bool]] = session.execute(
        select(WorkCalendarDay.date, WorkCalendarDay.is_workday)
    ).all()
    days = dict(rows)
    years = {day.year for day in days}
    known = frozenset(year for year in years if dt.date(year, 1, 1) in days and dt.date(year, 10, 1) in days)
    return WorkCalendar(days, known)


def seed_calendar(session: Session) -> int:
    """Enter the arrangements of 2024 to 2026 for days that have no entry; returns how many were added."""
    # Only here: at run time the table is asked, never the library, which fails for years it does not know.
    import chinese_calendar
    from chinese_calendar.constants import Holiday

    names = {holiday.value: holiday.chinese for holiday in Holiday}
    present = set(session.scalars(select(WorkCalendarDay.date)))
    added = 0
    for day in _days_of(SEEDED_YEARS):
        is_holiday, name = chinese_calendar.get_holiday_detail(day)
        if name is None or day in present:
            continue
        note = names.get(name, name)
        session.add(
            WorkCalendarDay(
                date=day,
                is_workday=not is_holiday,
                note=note if is_holiday else f"{note}调休上班",
                source="国务院办公厅放假安排",
            )
        )
        added += 1
    session.flush()
    return added


def set_day(actor: Actor, day: dt.date, is_workday: bool, note: str = "") -> int:
    """Say of one day whether it is worked; returns how many open deadlines moved.

    Raises `NotAllowed`, or `InvalidInput` for a day outside 2020 to 2099.
    """
    return import_days(actor, [DayEntry(day, is_workday, note)], source="手工录入")


def import_days(actor: Actor, entries: Iterable[DayEntry], *, source: str = "导入") -> int:
    """Enter many days at once, all or none, and move the deadlines of open tasks that cross them so that
    everybody keeps the number of working days given. Returns how many moved.

    Raises `NotAllowed`, or `InvalidInput` for a day outside 2020 to 2099.
    """
    days = {entry.day: entry for entry in entries}
    problems = {
        day.isoformat(): [
            Problem.of("Enter a day from %(first)s to %(last)s.", first=FIRST_DAY, last=LAST_DAY)
        ]
        for day in days
        if not FIRST_DAY <= day <= LAST_DAY
    }
    if problems:
        raise InvalidInput(problems)
    with unit_of_work(actor) as session:
        require(actor, "manage", WorkCalendarDay())
        if not days:
            return 0
        before = load_calendar(session)
        _enter(session, days, source)
        after = load_calendar(session)
        moved = _move_deadlines(session, before, after, min(days), max(days))
        log.record(
            session,
            actor,
            "CALENDAR_CHANGED",
            noun="work_calendar",
            summary=f"{min(days)} - {max(days)}: {len(days)} day(s) entered, {moved} deadline(s) moved",
        )
        return moved


def days_left(calendar: WorkCalendar, due_at: dt.datetime, now: dt.datetime) -> int:
    """Working days from today until a deadline; negative by how many it has passed."""
    return calendar.between(today_in_china(now), last_day(due_at))


def _enter(session: Session, days: Mapping[dt.date, DayEntry], source: str) -> None:
    statement = upsert(session, WorkCalendarDay)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["date"],
            set_={name: statement.excluded[name] for name in ("is_workday", "note", "source")},
        ),
        [
            {
                "date": entry.day,
                "is_workday": entry.is_workday,
                "note": trim(entry.note)[:_LONGEST_NOTE],
                "source": source,
            }
            for entry in days.values()
        ],
    )


def _move_deadlines(
    session: Session, before: WorkCalendar, after: WorkCalendar, first: dt.date, last: dt.date
) -> int:
    """Only a limit that runs across an entered day can move; its number of working days is kept."""
    crossing = (
        select(Task.id, Task.arrived_at, Task.due_at)
        .where(
            Task.state.in_((TaskState.OPEN, TaskState.WAITING)),
            Task.arrived_at < end_of_day(last),
            Task.due_at > end_of_day(first - dt.timedelta(days=1)),
        )
        .order_by(Task.id)
        .limit(_TASKS_AT_ONCE)
    )
    moved, reached = 0, 0
    while rows := session.execute(crossing.where(Task.id > reached)).all():
        reached = rows[-1].id
        changes = []
        for row in rows:
            start = today_in_china(row.arrived_at)
            given = before.between(start, last_day(row.due_at))
            due_at = end_of_day(after.add(start, given)) if given > 0 else row.due_at
            if due_at != row.due_at:
                changes.append({"task_id": row.id, "new_due_at": due_at})
        if changes:
            # On the table, past the version column: a page the reviewer has open stays valid.
            table = Task.__table__
            session.connection().execute(
                update(Task).where(table.c.id == bindparam("task_id")).values(due_at=bindparam("new_due_at")),
                changes,
            )
        moved += len(changes)
    return moved


def _days_of(years: range) -> Iterable[dt.date]:
    first = dt.date(years.start, 1, 1)
    count = (dt.date(years.stop, 1, 1) - first).days
    return (first + dt.timedelta(days=number) for number in range(count))
