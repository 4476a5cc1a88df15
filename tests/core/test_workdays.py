"""Limits in working days, over a calendar with and without the year's holiday arrangement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.workdays import MAX_WORKING_DAYS, SHANGHAI, WorkCalendar, end_of_day, last_day, today_in_china


def _entered(first: date, last: date) -> dict[date, bool]:
    days = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return {day: chinese_calendar.is_workday(day) for day in days}


CALENDAR = WorkCalendar(_entered(date(2024, 1, 1), date(2026, 12, 31)), frozenset({2024, 2025, 2026}))
DATES = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (date(2025, 1, 22), 7, date(2025, 2, 7)),
        (date(2025, 4, 29), 2, date(2025, 5, 6)),
        (date(2026, 2, 11), 7, date(2026, 2, 27)),
        (date(2026, 4, 30), 12, date(2026, 5, 20)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
    ],
)
def test_the_days_of_the_domain_page(start: date, n: int, due: date) -> None:
    assert CALENDAR.add(start, n) == due
    assert CALENDAR.between(start, due) == n


def test_a_make_up_saturday_is_worked_and_a_holiday_monday_is_not() -> None:
    assert CALENDAR.is_workday(date(2026, 10, 10))
    assert not CALENDAR.is_workday(date(2026, 10, 5))


def test_the_next_year_is_counted_monday_to_friday_and_says_so() -> None:
    new_year = date(2027, 1, 1)
    assert CALENDAR.is_workday(new_year), "a Friday, before the arrangement is entered"
    assert CALENDAR.is_estimated(new_year)
    assert not CALENDAR.is_estimated(date(2026, 12, 31))
    assert CALENDAR.add(date(2026, 12, 31), 1) == new_year
    entered = WorkCalendar({**CALENDAR.exceptions, new_year: False}, CALENDAR.known_years | {2027})
    assert entered.add(date(2026, 12, 31), 1) == date(2027, 1, 4)
    assert not entered.is_estimated(new_year)


@pytest.mark.parametrize("n", [-1, 0, MAX_WORKING_DAYS + 1])
def test_a_limit_outside_its_bounds_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="working days"):
        CALENDAR.add(date(2026, 1, 5), n)


def test_the_longest_limit_is_counted() -> None:
    plain = WorkCalendar({}, frozenset())
    assert plain.add(date(2026, 1, 5), MAX_WORKING_DAYS) == date(2026, 1, 5) + timedelta(weeks=732)


def test_days_remaining_turn_to_nought_on_the_day_and_negative_after_it() -> None:
    due = date(2026, 10, 9)
    assert CALENDAR.between(date(2026, 10, 8), due) == 1
    assert CALENDAR.between(due, due) == 0
    assert CALENDAR.between(date(2026, 10, 10), due) == -1, "the make-up Saturday"
    assert CALENDAR.between(date(2026, 10, 11), due) == -1, "Sunday adds nothing"
    assert CALENDAR.between(date(2026, 10, 12), due) == -2


def test_a_deadline_is_midnight_in_china_stored_in_utc() -> None:
    assigned = datetime(2026, 9, 30, 9, 0, tzinfo=SHANGHAI)
    deadline = CALENDAR.deadline(assigned, 1)
    assert deadline == datetime(2026, 10, 8, 16, 0, tzinfo=UTC)
    assert deadline.tzinfo is UTC
    assert last_day(deadline) == date(2026, 10, 8)


def test_the_day_a_limit_begins_is_the_day_in_china() -> None:
    late_evening_in_utc = datetime(2026, 9, 29, 16, 30, tzinfo=UTC)  # 00:30 of the 30th in Kaiping
    assert CALENDAR.deadline(late_evening_in_utc, 1) == end_of_day(date(2026, 10, 8))
    assert today_in_china(late_evening_in_utc) == date(2026, 9, 30)
    assert today_in_china(late_evening_in_utc - timedelta(minutes=31)) == date(2026, 9, 29)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        today_in_china(datetime(2026, 9, 30))
    with pytest.raises(ValueError, match="aware"):
        CALENDAR.deadline(datetime(2026, 9, 30), 1)


@given(DATES, st.integers(1, 60))
def test_a_limit_ends_on_a_workday_and_is_counted_back(start: date, n: int) -> None:
    due = CALENDAR.add(start, n)
    assert CALENDAR.is_workday(due)
    assert due > start
    assert CALENDAR.between(start, due) == n
    assert CALENDAR.between(due, start) == -n


@given(DATES, st.integers(1, 40), st.integers(1, 40))
def test_two_limits_in_a_row_are_one_long_one(start: date, first: int, second: int) -> None:
    assert CALENDAR.add(CALENDAR.add(start, first), second) == CALENDAR.add(start, first + second)


@given(DATES)
def test_a_deadline_belongs_to_the_day_it_ends(day: date) -> None:
    assert last_day(end_of_day(day)) == day
