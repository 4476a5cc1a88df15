"""Columns that need more than a value and a label: two languages, a masked number, a lamp, a tree."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import get_locale, gettext
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, func, literal
from sqlalchemy.orm import InstrumentedAttribute

from app.core.enums import Light
from app.core.fiscal import mask_mobile
from app.core.workdays import WorkCalendar, last_day
from app.models.base import utcnow
from app.services import parameter, work_calendar
from app.services.unit_of_work import current_session
from app.views.base.columns import Column, Labels
from app.views.base.search import ChoiceField

_BETWEEN = "\x1f"
"""Parts two values that one column carries; no text that people type holds it (core/text.py)."""


def in_english() -> bool:
    """Does the reader use English?"""
    return str(get_locale()).startswith("en")


@dataclass(frozen=True)
class BilingualColumn(Column):
    """A name that the database holds in both languages."""

    def text(self, value: Any, labels: Labels) -> Any:
        zh, _, en = str(value or "").partition(_BETWEEN)
        return (en or zh) if in_english() else zh


def bilingual(
    key: str, label: Any, zh: InstrumentedAttribute[str], en: InstrumentedAttribute[str], **options: Any
) -> BilingualColumn:
    """A column over a pair of labels."""
    return BilingualColumn(key, label, zh + _BETWEEN + en, **options)


@dataclass(frozen=True)
class TreeColumn(Column):
    """A name moved in by its depth: `expression` is path, a blank and the name; it sorts by the path."""

    path: Any = None

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        expression: ColumnElement[Any] = self.path
        return expression

    def text(self, value: Any, labels: Labels) -> Any:
        return value.partition(" ")[2]

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        path, _, name = value.partition(" ")
        return escape("\u2003" * max(path.count("/") - 2, 0) + name)


@dataclass(frozen=True)
class MobileColumn(Column):
    """A mobile number, masked on the page and in the workbook."""

    def text(self, value: Any, labels: Labels) -> Any:
        return mask_mobile(value) if value else None


@dataclass(frozen=True)
class DeadlineColumn(Column):
    """The last day of a limit; it sorts what has none behind everything that has one."""

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        return func.coalesce(self.expression, literal(_NEVER, self.expression.type))

    def text(self, value: Any, labels: Labels) -> Any:
        return last_day(value) if value is not None else None


@dataclass(frozen=True)
class DaysLeftColumn(DeadlineColumn):
    """Working days until a deadline, as words with a colour; the number alone in a workbook."""

    def text(self, value: Any, labels: Labels) -> Any:
        return days_left(value) if value is not None else None

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return days_badge(value)


@dataclass(frozen=True)
class LampColumn(DeadlineColumn):
    """The light of a deadline."""

    def text(self, value: Any, labels: Labels) -> Any:
        return gettext(light_of(value).label)

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return lamp(light_of(value))


@dataclass(frozen=True)
class LightColumn(Column):
    """A light that is stored."""

    def text(self, value: Any, labels: Labels) -> Any:
        return gettext(Light(value).label)

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return lamp(Light(value))


_NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)


def calendar() -> WorkCalendar:
    """The work calendar, read once per request."""
    if "work_calendar" not in g:
        g.work_calendar = work_calendar.load_calendar(current_session())
    found: WorkCalendar = g.work_calendar
    return found


def due_soon_days() -> int:
    """With how many working days left a review is due soon, read once per request."""
    if "due_soon_days" not in g:
        g.due_soon_days = parameter.int_of(current_session(), "review.due_soon_days")
    days: int = g.due_soon_days
    return days


def days_left(due_at: dt.datetime) -> int:
    """Working days from today until a deadline; negative by how many it has passed."""
    return work_calendar.days_left(calendar(), due_at, utcnow())


def light_of(due_at: dt.datetime | None) -> Light:
    """The light of an open task: none without a limit."""
    if due_at is None:
        return Light.GREY
    if due_at <= utcnow():
        return Light.RED
    return Light.AMBER if days_left(due_at) <= due_soon_days() else Light.GREEN


def lamp(light: Light) -> Markup:
    """A lamp that says its light to whoever sees no colour."""
    return Markup('<span class="lamp {0}" role="img" aria-label="{1}" title="{1}"></span>').format(
        light.value.lower(), gettext(light.label)
    )


def days_badge(due_at: dt.datetime | None) -> Markup:
    """The badge “3 working days left”, or how late it is."""
    if due_at is None:
        return Markup('<span class="text-secondary">%s</span>') % gettext("No limit")
    left = days_left(due_at)
    if due_at <= utcnow():
        words = gettext("Overdue, working days: %(count)s", count=-left) if left < 0 else gettext("Overdue")
    elif left == 0:
        words = gettext("Due today")
    else:
        words = gettext("Working days left: %(count)s", count=left)
    colours = {Light.RED: "red", Light.AMBER: "yellow", Light.GREEN: "green"}
    return Markup(
        '<span class="badge bg-%s-lt"><i class="ti ti-clock me-1" aria-hidden="true"></i>%s</span>'
    ) % (
        colours[light_of(due_at)],
        words,
    )


def yes_no_field(name: str, label: Any, column: Any, **options: Any) -> ChoiceField:
    """A choice between yes and no."""
    return ChoiceField(
        name,
        label,
        column=column,
        options=lambda: (("1", gettext("Yes")), ("0", gettext("No"))),
        convert=_yes_or_no,
        **options,
    )


def _yes_or_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(text)
    return text == "1"


__all__ = [
    "BilingualColumn",
    "DaysLeftColumn",
    "DeadlineColumn",
    "LampColumn",
    "LightColumn",
    "MobileColumn",
    "TreeColumn",
    "bilingual",
    "days_badge",
    "days_left",
    "in_english",
    "lamp",
    "light_of",
    "yes_no_field",
]
