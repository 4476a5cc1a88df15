"""Periods named from today: what "this month" or "last quarter" means on the day it is asked."""

from __future__ import annotations

import datetime as dt

from app.core.enums import Labelled

_MONTHS_OF_QUARTER = 3
_MONTHS_OF_YEAR = 12


class Period(Labelled):
    """A stretch of whole days that moves with today. Weeks begin on Monday; quarters are the calendar's."""

    TODAY = "today", "Today"
    THIS_WEEK = "this_week", "This week"
    THIS_MONTH = "this_month", "This month"
    LAST_MONTH = "last_month", "Last month"
    THIS_QUARTER = "this_quarter", "This quarter"
    LAST_QUARTER = "last_quarter", "Last quarter"
    THIS_YEAR = "this_year", "This year"
    LAST_YEAR = "last_year", "Last year"


def days_of(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day of a period, seen from `today`."""
    month = _month_number(today)
    quarter = month - month % _MONTHS_OF_QUARTER
    year = month - month % _MONTHS_OF_YEAR
    match period:
        case Period.TODAY:
            return today, today
        case Period.THIS_WEEK:
            monday = today - dt.timedelta(days=today.weekday())
            return monday, monday + dt.timedelta(days=6)
        case Period.THIS_MONTH:
            return _months(month, 1)
        case Period.LAST_MONTH:
            return _months(month - 1, 1)
        case Period.THIS_QUARTER:
            return _months(quarter, _MONTHS_OF_QUARTER)
        case Period.LAST_QUARTER:
            return _months(quarter - _MONTHS_OF_QUARTER, _MONTHS_OF_QUARTER)
        case Period.THIS_YEAR:
            return _months(year, _MONTHS_OF_YEAR)
        case Period.LAST_YEAR:
            return _months(year - _MONTHS_OF_YEAR, _MONTHS_OF_YEAR)


def _month_number(day: dt.date) -> int:
    """Months since the year 0."""
    return day.year * _MONTHS_OF_YEAR + day.month - 1


def _months(first: int, count: int) -> tuple[dt.date, dt.date]:
    return _first_day(first), _first_day(first + count) - dt.timedelta(days=1)


def _first_day(month: int) -> dt.date:
    return dt.date(month // _MONTHS_OF_YEAR, month % _MONTHS_OF_YEAR + 1, 1)
