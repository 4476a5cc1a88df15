"""The work calendar: what is seeded, what the administrator enters, and which deadlines it moves."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.errors import InvalidInput, NotAllowed
from app.core.workdays import last_day
from app.models.dictionary import WorkCalendarDay
from app.models.flow import Task
from app.services import work_calendar
from app.services.unit_of_work import unit_of_work
from app.services.work_calendar import DayEntry
from tests.factories import make_actor, make_user
from tests.tasks.office import china, finish, make_tasks


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2025-01-22", 7, "2025-02-07"),
        ("2025-04-29", 2, "2025-05-06"),
        ("2026-02-11", 7, "2026-02-27"),
        ("2026-04-30", 12, "2026-05-20"),
        ("2026-09-30", 1, "2026-10-08"),
    ],
)
def test_the_seeded_calendar_gives_the_known_deadlines(
    session: Session, start: str, days: int, due: str
) -> None:
    calendar = work_calendar.load_calendar(session)

    assert calendar.add(dt.date.fromisoformat(start), days) == dt.date.fromisoformat(due)


def test_seeding_again_adds_nothing_and_changes_nothing(session: Session) -> None:
    admin = make_actor("sys_admin")
    work_calendar.set_day(admin, dt.date(2026, 10, 1), True, "防汛值班")

    with unit_of_work(SYSTEM) as work:
        assert work_calendar.seed_calendar(work) == 0

    assert work_calendar.load_calendar(session).is_workday(dt.date(2026, 10, 1))


def test_a_removed_day_is_seeded_with_its_reason(session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        work.execute(
            delete(WorkCalendarDay).where(
                WorkCalendarDay.date.in_([dt.date(2026, 10, 1), dt.date(2026, 10, 10)])
            )
        )
        assert work_calendar.seed_calendar(work) == 2

    days = dict(session.execute(select(WorkCalendarDay.date, WorkCalendarDay.note)).all())
    assert days[dt.date(2026, 10, 1)] == "国庆节"
    assert days[dt.date(2026, 10, 10)] == "国庆节调休上班"


def test_a_year_without_an_arrangement_is_an_estimate_until_it_is_entered(session: Session) -> None:
    new_year = dt.date(2027, 1, 1)
    before = work_calendar.load_calendar(session)
    assert before.add(dt.date(2026, 12, 31), 1) == new_year  # a Friday, for all the table knows
    assert before.is_estimated(new_year)
    assert not before.is_estimated(dt.date(2026, 12, 31))
    admin = make_actor("sys_admin")

    work_calendar.set_day(admin, new_year, False, "元旦")
    assert work_calendar.load_calendar(session).is_estimated(dt.date(2027, 5, 3))

    work_calendar.set_day(admin, dt.date(2027, 10, 1), False, "国庆节")
    after = work_calendar.load_calendar(session)
    assert not after.is_estimated(dt.date(2027, 5, 3))
    assert after.add(dt.date(2026, 12, 31), 1) == dt.date(2027, 1, 4)


def test_entering_a_year_moves_the_open_deadlines_that_cross_it_and_no_other(session: Session) -> None:
    reviewer = make_user("bureau_reviewer")
    arrived = china("2026-12-30 10:00")
    # Five working days from Wednesday 30 December, Monday to Friday: Wednesday 6 January.
    crossing, done, without = make_tasks(
        reviewer, [china("2027-01-07 00:00"), china("2027-01-07 00:00"), None], arrived=arrived
    )
    (early,) = make_tasks(reviewer, [china("2027-01-01 00:00")], arrived=arrived)
    finish(done)

    moved = work_calendar.import_days(
        make_actor("sys_admin"),
        [
            DayEntry(dt.date(2027, 1, 1), False, "元旦"),
            DayEntry(dt.date(2027, 1, 2), False, "元旦"),
            DayEntry(dt.date(2027, 1, 9), True, "元旦调休上班"),
            DayEntry(dt.date(2027, 10, 1), False, "国庆节"),
        ],
    )

    session.expire_all()
    due = {task.id: session.get_one(Task, task.id).due_at for task in (crossing, done, without, early)}
    assert moved == 1
    assert last_day(due[crossing.id]) == dt.date(2027, 1, 7)
    assert last_day(due[done.id]) == dt.date(2027, 1, 6)
    assert due[without.id] is None
    assert last_day(due[early.id]) == dt.date(2026, 12, 31)


def test_a_moved_deadline_leaves_the_page_the_reviewer_has_open_valid(session: Session) -> None:
    (task,) = make_tasks(
        make_user("bureau_reviewer"), [china("2026-12-04 00:00")], arrived=china("2026-11-26 09:00")
    )
    version = task.version

    assert work_calendar.set_day(make_actor("sys_admin"), dt.date(2026, 12, 1), False, "台风停工") == 1

    session.expire_all()
    assert last_day(session.get_one(Task, task.id).due_at) == dt.date(2026, 12, 4)
    assert session.get_one(Task, task.id).version == version


def test_only_whoever_keeps_the_calendar_changes_it(session: Session) -> None:
    with pytest.raises(NotAllowed):
        work_calendar.set_day(make_actor("bureau_leader"), dt.date(2027, 1, 1), False)


def test_a_day_outside_this_century_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput) as refused:
        work_calendar.set_day(make_actor("sys_admin"), dt.date(202, 1, 1), False)

    assert list(refused.value.fields) == ["0202-01-01"]


def test_days_left_are_working_days_and_negative_once_overdue(session: Session) -> None:
    calendar = work_calendar.load_calendar(session)
    due_at = china("2026-10-09 00:00")  # the end of Thursday 8 October, the first day after the holiday

    assert work_calendar.days_left(calendar, due_at, china("2026-09-30 17:00")) == 1
    assert work_calendar.days_left(calendar, due_at, china("2026-10-08 23:59")) == 0
    assert work_calendar.days_left(calendar, due_at, china("2026-10-09 00:00")) == -1
