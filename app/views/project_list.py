"""Columns and conditions that the lists of projects share: 项目总览, 项目申报汇总 and 年度需求计划."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import g
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, func, select

from app.core.enums import ConstructionStatus, Stage
from app.core.lifecycle import LIFE_STEPS, Milestone, current_step, steps_done
from app.core.money import WAN, format_wan, round_half_up
from app.core.workdays import SHANGHAI
from app.core.xlsx import ColumnKind
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit
from app.services import statistics
from app.views.actor import current_actor
from app.views.base import AmountRange, ChoiceField, Column, DateRange, TextField, enum_choice
from app.views.base.columns import Labels
from app.views.base.dictionaries import dictionary_choice, labels
from app.views.base.search import Arguments

_ONE_YI = WAN * WAN
_LONGEST_ID = 9
_BETWEEN = "\x1f"
"""Parts two values that one column carries; no text that people type holds it (core/text.py)."""


def whole_number(text: str) -> int:
    """An id or year of the address. Raises ValueError for anything the database could not compare."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise ValueError(text)
    return int(text)


def version_of(text: str | None) -> int:
    """The version a form carries; one that is none is as good as too old."""
    try:
        return whole_number(text or "")
    except ValueError:
        return 0


def short_amount(amount: Decimal) -> str:
    """Yuan in the words of a headline: 万元, or 亿元 from one hundred million on."""
    if abs(amount) >= _ONE_YI:
        return gettext("%(amount)s × 100 million yuan", amount=f"{round_half_up(amount / _ONE_YI):,f}")
    return gettext("%(amount)s × 10,000 yuan", amount=format_wan(amount))


def headline(total: int, sums: Mapping[str, Decimal]) -> str:
    """The line under a list's title: how many projects, what they ask for and what they were given."""
    return gettext(
        "%(total)s projects · requested %(requested)s · arranged %(arranged)s",
        total=f"{total:,}",
        requested=short_amount(sums["requested_amount"]),
        arranged=short_amount(sums["arranged_amount"]),
    )


# --- columns --------------------------------------------------------------------------------------------


def stage_marks(stage: str) -> Markup:
    """The eight marks of a project's life: what is done, what it is at, what is to come."""
    reached = Stage(stage)
    step, done = current_step(reached), steps_done(reached)
    label = gettext(
        "%(stage)s: %(done)s of %(total)s steps done",
        stage=gettext(step.label if step else reached.label),
        done=done,
        total=len(LIFE_STEPS),
    )
    # One element, which the style sheet paints: eight in each row would be a fifth of a page's bytes.
    classes = f"stage d{done} now" if step else f"stage d{done}"
    return Markup('<span class="%s" role="img" title="%s"></span>') % (classes, label)


def when(moment: dt.datetime | None) -> Markup:
    """Today 10:21, yesterday, 11-19, or the whole date of another year; the exact time on hover."""
    if moment is None:
        return Markup("—")
    local, today = moment.astimezone(SHANGHAI), utcnow().astimezone(SHANGHAI).date()
    day = local.date()
    if day == today:
        shown = gettext("today %(time)s", time=local.strftime("%H:%M"))
    elif day == today - dt.timedelta(days=1):
        shown = gettext("yesterday")
    else:
        shown = local.strftime("%m-%d" if day.year == today.year else "%Y-%m-%d")
    exact, stamp = local.strftime("%Y-%m-%d %H:%M"), local.isoformat(timespec="minutes")
    return Markup('<time datetime="%s" title="%s">%s</time>') % (stamp, exact, shown)


def short_channel(name: str) -> str:
    """A channel without what its name explains in brackets."""
    return re.split("[(（]", name)[0]


def channel_names(value: str | None) -> Markup:
    """The channels without what their names explain in brackets; the whole names on hover."""
    known = labels()
    names = [known.get(("funding_channel", code), code) for code in (value or "").split(",") if code]
    shown = "、".join(map(short_channel, names))
    return hinted(shown or "—", "、".join(names))


def hinted(shown: str, whole: str) -> Markup:
    """What a cell says in short, the whole on hover where that says more."""
    if whole in ("", shown):
        return escape(shown)
    return Markup('<span title="%s">%s</span>') % (whole, shown)


def _channels() -> Any:
    """The funding channels of a project as one value, separated by commas."""
    # Ordered before they are put together: SQLite before 3.44 cannot order within the aggregate.
    ordered = (
        select(ProjectFunding.channel)
        .where(ProjectFunding.project_id == Project.id)
        .order_by(ProjectFunding.channel)
        .correlate(Project)
        .subquery()
    )
    return select(func.aggregate_strings(ordered.c.channel, ",")).scalar_subquery()


CODE = Column("code", lazy_gettext("Project no."), Project.code, css="code", link=True, nowrap=True, width=16)
TITLE = Column("title", lazy_gettext("Project title"), Project.title, css="title", link=True, width=44)


@dataclass(frozen=True)
class UnitColumn(Column):
    """The short name of a unit on the page, its whole name in the workbook; both in one value."""

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        return Unit.name.expression

    def text(self, value: Any, labels: Labels) -> Any:
        return value.partition(_BETWEEN)[2]

    def cell(self, value: Any, labels: Labels) -> Markup:
        short, _, name = value.partition(_BETWEEN)
        return hinted(short, name)


UNIT = UnitColumn(
    "unit", lazy_gettext("Requesting unit"), Unit.short_name + _BETWEEN + Unit.name, css="unit", width=28
)
YEAR = Column("year", lazy_gettext("Year"), Project.budget_year, ColumnKind.YEAR)
TYPE = Column(
    "type",
    lazy_gettext("Declaration type"),
    Project.declaration_type,
    dictionary="declaration_type",
    css="code",
)
NATURE = Column("nature", lazy_gettext("Project nature"), Project.nature, dictionary="nature", css="code")
CHANNELS = Column(
    "channels",
    lazy_gettext("Funding channel"),
    _channels(),
    dictionary="funding_channel",
    sortable=False,
    css="unit",
    render=channel_names,
    width=28,
)
REQUESTED = Column(
    "requested_amount",
    lazy_gettext("Requested (10,000 yuan)"),
    Project.requested_amount,
    ColumnKind.MONEY,
    total=True,
    wan=True,
    export_label=lazy_gettext("Requested amount (yuan)"),
)
ARRANGED = Column(
    "arranged_amount",
    lazy_gettext("Arranged (10,000 yuan)"),
    Project.arranged_amount,
    ColumnKind.MONEY,
    total=True,
    wan=True,
    export_label=lazy_gettext("Arranged budget (yuan)"),
)
STAGE = Column(
    "stage",
    lazy_gettext("Life cycle"),
    Project.stage,
    enum=Stage,
    sortable=False,
    css="stage",
    render=stage_marks,
)
STATUS = Column(
    "construction_status",
    lazy_gettext("Construction status"),
    Project.construction_status,
    enum=ConstructionStatus,
    css="badge",
    width=24,
)
FISCAL_CODE = Column(
    "fiscal_code", lazy_gettext("Fiscal performance no."), Project.fiscal_code, css="code", visible=False
)
UPDATED = Column(
    "updated_at", lazy_gettext("Updated"), Project.updated_at, ColumnKind.DATETIME, css="date", render=when
)
SUBMITTED = Column(
    "submitted_at",
    lazy_gettext("Submitted at"),
    select(func.max(Declaration.submitted_at))
    .where(Declaration.project_id == Project.id)
    .correlate(Project)
    .scalar_subquery(),
    ColumnKind.DATETIME,
    sortable=False,
    css="date",
    render=when,
)
OPENED = Column(
    "created_at",
    lazy_gettext("Opened at"),
    Project.created_at,
    ColumnKind.DATETIME,
    css="date",
    visible=False,
)


# --- conditions -----------------------------------------------------------------------------------------


def scoped_units() -> Sequence[tuple[str, str]]:
    """The units to choose from, those whose projects the reader may see; read once per request."""
    if "scoped_units" not in g:
        g.scoped_units = [
            (str(unit_id), name) for unit_id, name in statistics.units_in_scope(current_actor())
        ]
    units: list[tuple[str, str]] = g.scoped_units
    return units


def scoped_years() -> Sequence[tuple[str, str]]:
    """The budget years to choose from; read once per request."""
    if "scoped_years" not in g:
        g.scoped_years = [(str(year), str(year)) for year in statistics.budget_years(current_actor())]
    years: list[tuple[str, str]] = g.scoped_years
    return years


def funded_by(channels: list[str]) -> ColumnElement[bool]:
    """Projects with money from any of these channels."""
    return (
        select(ProjectFunding.project_id)
        .where(ProjectFunding.project_id == Project.id, ProjectFunding.channel.in_(channels))
        .correlate(Project)
        .exists()
    )


def come_to(milestones: list[Any]) -> ColumnElement[bool]:
    """Projects that have come at least to one of these milestones."""
    stages = frozenset[Stage]().union(*(milestone.stages for milestone in milestones))
    return Project.stage.in_(sorted(stages))


@dataclass(frozen=True)
class SubmittedRange(DateRange):
    """The day on which a project's declaration was submitted."""

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        period = super().condition(args)
        return None if period is None else statistics.projects_submitted(period)


CODE_FIELD = TextField("code", lazy_gettext("Project no."), columns=(Project.code,))
TITLE_FIELD = TextField("title", lazy_gettext("Project title"), columns=(Project.title,))
UNIT_FIELD = ChoiceField(
    "unit",
    lazy_gettext("Requesting unit"),
    column=Project.unit_id,
    options=scoped_units,
    convert=whole_number,
)
STATUS_FIELD = enum_choice(
    "construction_status",
    lazy_gettext("Construction status"),
    Project.construction_status,
    ConstructionStatus,
)
CHANNEL_FIELD = dictionary_choice(
    "channel", lazy_gettext("Funding channel"), None, "funding_channel", where=funded_by
)
YEAR_FIELD = ChoiceField(
    "year",
    lazy_gettext("Year"),
    column=Project.budget_year,
    options=scoped_years,
    convert=whole_number,
    beyond=True,
)
ANYWHERE_FIELD = TextField(
    "q",
    lazy_gettext("Keyword"),
    primary=False,
    columns=(Project.title, Project.code, Unit.name),
    placeholder=lazy_gettext("Title, number or unit"),
)
TYPE_FIELD = dictionary_choice(
    "type",
    lazy_gettext("Declaration type"),
    Project.declaration_type,
    "declaration_type",
    primary=False,
)
NATURE_FIELD = dictionary_choice(
    "nature", lazy_gettext("Project nature"), Project.nature, "nature", primary=False
)
SUBMITTED_FIELD = SubmittedRange(
    "submitted",
    lazy_gettext("Submitted at"),
    primary=False,
    column=Declaration.submitted_at,
    moment=True,
)
AMOUNT_FIELD = AmountRange(
    "amount", lazy_gettext("Requested amount (yuan)"), primary=False, column=Project.requested_amount
)
REACHED_FIELD = ChoiceField(
    "reached",
    lazy_gettext("Has come to"),
    primary=False,
    options=lambda: [(milestone.value, gettext(milestone.label)) for milestone in Milestone],
    where=come_to,
    convert=Milestone,
)
OTHER_UNITS_FIELD = ChoiceField(
    "other_than",
    lazy_gettext("Without the units"),
    primary=False,
    options=scoped_units,
    where=lambda units: Project.unit_id.not_in(units),
    convert=whole_number,
)
