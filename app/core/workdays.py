"""Working days: pure counting over a calendar that somebody else loads.

Source of the rules: 民法典 art. 201 (the day itself does not count) and domain.md 9.2 (due at 24:00 China
time of the n-th working day; stored in UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_WORKING_DAYS = 3_660
"""Longer limits are a mistake in a parameter, not a deadline."""

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked.

    `exceptions` says of a day whether it is worked; any other day follows Monday to Friday.
    `known_years` are those whose holiday arrangement has been entered; for the others every answer is
    an estimate (`is_estimated`) and has to be shown as one.
    """

    exceptions: Mapping[date, bool]
    known_years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        """Whether `day` is worked: as entered, else Monday to Friday."""
        return self.exceptions.get(day, day.weekday() < _SATURDAY)

    def is_estimated(self, day: date) -> bool:
        """Whether the arrangement for that day's year is still to be entered."""
        return day.year not in self.known_years

    def add(self, start: date, n: int) -> date:
        """The n-th working day after `start` (1 <= n <= MAX_WORKING_DAYS). Raises ValueError otherwise."""
        if not 1 <= n <= MAX_WORKING_DAYS:
            raise ValueError(f"a limit is 1 to {MAX_WORKING_DAYS} working days, not {n}")
        day = start
        while n:
            day += _ONE_DAY
            n -= self.is_workday(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days from `start` to `end`: positive while time remains, negative when `end` has passed.

        The day itself does not count, so `between(start, add(start, n)) == n`, and a limit that ended on the
        last working day before today is late by one (-1).
        """
        if end < start:
            return -self.between(end, start)
        days = (start + timedelta(days=i) for i in range(1, (end - start).days + 1))
        return sum(self.is_workday(day) for day in days)

    def deadline(self, start: datetime, n: int) -> datetime:
        """When a limit of n working days that began at `start` (aware) ends, in UTC: 24:00 China time."""
        return end_of_day(self.add(today_in_china(start), n))


def today_in_china(now: datetime) -> date:
    """The date on the office's wall at the moment `now` (aware). Raises ValueError for a naive time."""
    if now.tzinfo is None:
        raise ValueError("times are aware; a naive time has no date in China")
    return now.astimezone(SHANGHAI).date()


def end_of_day(day: date) -> datetime:
    """24:00 China time of `day`, in UTC."""
    return datetime.combine(day + _ONE_DAY, time.min, tzinfo=SHANGHAI).astimezone(UTC)


def last_day(deadline: datetime) -> date:
    """The day to show for a deadline made by `end_of_day`: 24:00 belongs to the day it ends."""
    return today_in_china(deadline - timedelta(microseconds=1))
