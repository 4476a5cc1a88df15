"""Periods seen from a day: months of every length, quarters and weeks over the turn of a year."""

from __future__ import annotations

import datetime as dt

import pytest

from app.core.periods import Period, days_of


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        (Period.TODAY, "2026-11-22", "2026-11-22", "2026-11-22"),
        (Period.THIS_WEEK, "2026-11-22", "2026-11-16", "2026-11-22"),  # a Sunday ends its week
        (Period.THIS_WEEK, "2026-11-23", "2026-11-23", "2026-11-29"),
        (Period.THIS_WEEK, "2027-01-01", "2026-12-28", "2027-01-03"),
        (Period.THIS_MONTH, "2028-02-10", "2028-02-01", "2028-02-29"),
        (Period.THIS_MONTH, "2026-12-31", "2026-12-01", "2026-12-31"),
        (Period.LAST_MONTH, "2026-01-31", "2025-12-01", "2025-12-31"),
        (Period.LAST_MONTH, "2026-03-30", "2026-02-01", "2026-02-28"),
        (Period.THIS_QUARTER, "2026-11-22", "2026-10-01", "2026-12-31"),
        (Period.LAST_QUARTER, "2026-02-01", "2025-10-01", "2025-12-31"),
        (Period.THIS_YEAR, "2026-07-01", "2026-01-01", "2026-12-31"),
        (Period.LAST_YEAR, "2026-01-01", "2025-01-01", "2025-12-31"),
    ],
)
def test_a_period_is_whole_days(period: Period, today: str, first: str, last: str) -> None:
    found = days_of(period, dt.date.fromisoformat(today))
    assert found == (dt.date.fromisoformat(first), dt.date.fromisoformat(last))


@pytest.mark.parametrize("period", [each for each in Period if each.value.startswith(("this", "today"))])
def test_the_present_period_holds_today(period: Period) -> None:
    for number in range(800):
        today = dt.date(2026, 1, 1) + dt.timedelta(days=number)
        first, last = days_of(period, today)
        assert first <= today <= last
