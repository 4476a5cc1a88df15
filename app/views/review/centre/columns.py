"""What the boxes of the task centre show of each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select
from sqlalchemy.orm import aliased

from app.core.enums import Light
from app.core.flow import RunState, TaskState
from app.core.xlsx import ColumnKind
from app.models.flow import CopyTo, FlowRun, Task
from app.models.user import AppUser
from app.views.base import (
    Column,
)
from app.views.base.cells import (
    LampColumn,
    lamp,
    light_of,
)
from app.views.base.columns import Labels
from app.views.review.lists import amount_column
from app.workflow.registry import registered


@dataclass(frozen=True)
class KindColumn(Column):
    """The kind of a document, by the name its registry entry bears."""

    def text(self, value: Any, labels: Labels) -> Any:
        kinds = registered()
        return gettext(kinds[value].label) if value in kinds else value

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return Markup('<span class="badge bg-blue-lt">%s</span>') % self.text(value, labels)


@dataclass(frozen=True)
class WordedLamp(LampColumn):
    """The light of a deadline with its word beside it."""

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return _worded(light_of(value))


@dataclass(frozen=True)
class KeptLamp(Column):
    """Whether a task was done in time: `expression` is its light."""

    def text(self, value: Any, labels: Labels) -> Any:
        return HOW_DONE[Light(value)]()

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return _worded(Light(value), HOW_DONE[Light(value)]())


@dataclass(frozen=True)
class ReadColumn(Column):
    """When a copy was opened; one that was not says so."""

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        if value is None:
            return Markup('<span class="badge bg-red-lt">%s</span>') % gettext("Unread")
        return super().cell(value, labels)


@dataclass(frozen=True)
class OpenedTitle(Column):
    """The title of a copy as a button that opens its document, bold while unread: `expression` is the copy's
    id, whether it was read, and the title."""

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        title: ColumnElement[Any] = FlowRun.title.expression
        return title

    def text(self, value: Any, labels: Labels) -> Any:
        return value.split(_BETWEEN, 2)[2]

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        pk, read, title = value.split(_BETWEEN, 2)
        return Markup(
            '<button class="btn btn-link p-0 text-start text-wrap {weight}" form="copy-open" '
            'formaction="{href}">{title}</button>'
        ).format(
            weight="fw-normal" if read else "fw-bold",
            href=url_for("TaskCopiedView.open", pk=pk),
            title=title,
        )


_BETWEEN = "\x1f"
"""Parts the values that one column carries; no text that people type holds it (core/text.py)."""

HOW_DONE: dict[Light, Callable[[], str]] = {
    Light.GREEN: lambda: gettext("In time"),
    Light.RED: lambda: gettext("Late"),
    Light.GREY: lambda: gettext("No limit"),
}


def _worded(light: Light, words: str = "") -> Markup:
    return Markup('<span class="nowrap">%s<span class="ms-2">%s</span></span>') % (
        lamp(light),
        words or gettext(light.label),
    )


KEPT = case(
    (Task.due_at.is_(None), literal(Light.GREY.value)),
    (Task.done_at > Task.due_at, literal(Light.RED.value)),
    else_=literal(Light.GREEN.value),
)
"""The light of a task that is done: whether it was done within its limit."""

_open_task = aliased(Task)
_holder = aliased(AppUser)
_sender = aliased(AppUser)
# An expression, so that SQLite looks at the few tasks of one run and not at all open ones by their deadline.
_OPEN_AT_RUN = and_(
    _open_task.run_id == FlowRun.id,
    func.coalesce(cast(_open_task.state, String), "") == TaskState.OPEN.value,
)
RUN_DUE = select(func.min(_open_task.due_at)).where(_OPEN_AT_RUN).correlate(FlowRun).scalar_subquery()
"""The earliest deadline at a run: empty while it is with its unit, whose time is not counted."""
WITH = (
    select(func.aggregate_strings(_holder.last_name + _holder.first_name, "、"))
    .select_from(_open_task)
    .join(_holder, _holder.id == _open_task.user_id)
    .where(_OPEN_AT_RUN)
    .correlate(FlowRun)
    .scalar_subquery()
)
SENDER = (
    select(_sender.last_name + _sender.first_name)
    .where(_sender.id == CopyTo.by_id)
    .correlate(CopyTo)
    .scalar_subquery()
)

KIND = KindColumn("kind", lazy_gettext("Kind of document"), FlowRun.document_kind, nowrap=True)
AMOUNT = amount_column(lazy_gettext("Amount (10,000 yuan)"), lazy_gettext("Amount (yuan)"))
STATE = Column("state", lazy_gettext("Review"), FlowRun.state, enum=RunState)
LIGHT = lazy_gettext("Light")

OPENED = OpenedTitle(
    "title",
    lazy_gettext("Project title"),
    cast(CopyTo.id, String)
    + _BETWEEN
    + case((CopyTo.read_at.is_(None), ""), else_="1")
    + _BETWEEN
    + FlowRun.title,
    css="title",
    width=40,
)


def moment(key: str, label: Any, expression: Any) -> Column:
    return Column(key, label, expression, kind=ColumnKind.DATETIME, css="date")
