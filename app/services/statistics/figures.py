"""Figures over projects: by year and stage, by unit, by month and type. Amounts in yuan, budget years.

Whoever may read a project counts it: the condition is the one the project list has, so that a mark of a
chart and the list behind it never disagree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, String, exists, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.access import policy
from app.access.actor import Actor
from app.access.rules import Granted
from app.core.enums import DocumentStatus, Stage, UnitKind
from app.core.fiscal import default_budget_year
from app.core.lifecycle import Milestone
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.unit import Unit
from app.services.recall import recalled
from app.services.unit_of_work import current_session

_NOTHING = Decimal("0.00")
_UNSUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)
_FIRMS = (UnitKind.REVIEW_FIRM, UnitKind.COST_FIRM)


class china_month(FunctionElement[str]):
    """The month of a moment in China, 2026-03. China has kept one time, eight hours ahead, since 1992."""

    type = String()
    inherit_cache = True
    name = "china_month"


@compiles(china_month, "sqlite")
def _month_on_sqlite(element: china_month, compiler: SQLCompiler, **options: Any) -> str:
    return f"strftime('%Y-%m', {compiler.process(element.clauses, **options)}, '+8 hours')"


@compiles(china_month, "postgresql")
def _month_on_postgresql(element: china_month, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"to_char({moment} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')"


@dataclass(frozen=True, slots=True)
class StageFigure:
    """The projects of one year at one stage: how many, what they ask for, what they were given (yuan)."""

    year: int
    stage: Stage
    projects: int
    requested: Decimal
    arranged: Decimal


@dataclass(frozen=True, slots=True)
class YearFigure:
    """One budget year: how many projects, requested and arranged (yuan)."""

    year: int
    projects: int = 0
    requested: Decimal = _NOTHING
    arranged: Decimal = _NOTHING


@dataclass(frozen=True, slots=True)
class MilestoneFigure:
    """How many projects have come at least so far."""

    milestone: Milestone
    projects: int


@dataclass(frozen=True, slots=True)
class UnitFigure:
    """One unit's projects of a year: how many, requested and arranged (yuan)."""

    unit_id: int
    name: str
    projects: int
    requested: Decimal
    arranged: Decimal


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """The units that ask for most, and all others as one figure; `named` are the units shown by name."""

    named: Sequence[UnitFigure]
    others: YearFigure
    other_units: int


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """How many projects of one type were submitted in one month of China's calendar, `2026-03`."""

    month: str
    declaration_type: str
    projects: int


def by_stage(actor: Actor, *conditions: ColumnElement[bool]) -> list[StageFigure]:
    """Every year's projects by stage; years and funnel are sums of these, so that no page asks twice."""
    rows = current_session().execute(
        select(
            Project.budget_year,
            Project.stage,
            func.count(),
            func.sum(Project.requested_amount),
            func.sum(Project.arranged_amount),
        )
        .where(policy.criterion(actor, Project), *conditions)
        .group_by(Project.budget_year, Project.stage)
        .order_by(Project.budget_year)
    )
    return [
        StageFigure(year, stage, projects, requested or _NOTHING, arranged or _NOTHING)
        for year, stage, projects, requested, arranged in rows
    ]


def years(figures: Iterable[StageFigure]) -> list[YearFigure]:
    """The same projects by year, the earliest first."""
    found: dict[int, YearFigure] = {}
    for figure in figures:
        before = found.get(figure.year, YearFigure(figure.year))
        found[figure.year] = YearFigure(
            figure.year,
            before.projects + figure.projects,
            before.requested + figure.requested,
            before.arranged + figure.arranged,
        )
    return [found[year] for year in sorted(found)]


def year_of(known: Sequence[YearFigure], now: dt.datetime | None = None) -> int:
    """The year to begin with: the one declared for at present, else the last that has any project."""
    present = default_budget_year(now or utcnow())
    if not known or any(figure.year == present for figure in known):
        return present
    return known[-1].year


def funnel(figures: Iterable[StageFigure], year: int) -> list[MilestoneFigure]:
    """How many projects of a year have come at least to each milestone."""
    at: dict[Stage, int] = {}
    for figure in figures:
        if figure.year == year:
            at[figure.stage] = at.get(figure.stage, 0) + figure.projects
    return [
        MilestoneFigure(milestone, sum(count for stage, count in at.items() if stage in milestone.stages))
        for milestone in Milestone
    ]


def by_unit(actor: Actor, year: int, top: int = 10) -> UnitFigures:
    """Requested and arranged by unit, the `top` units that ask for most by name and all others together."""
    rows = current_session().execute(
        select(
            Project.unit_id,
            Unit.short_name,
            func.count(),
            func.sum(Project.requested_amount).label("requested"),
            func.sum(Project.arranged_amount),
        )
        .join(Unit, Unit.id == Project.unit_id)
        .where(policy.criterion(actor, Project), Project.budget_year == year)
        .group_by(Project.unit_id, Unit.short_name)
        .order_by(func.sum(Project.requested_amount).desc(), Project.unit_id)
    )
    figures = [
        UnitFigure(unit_id, name, projects, requested or _NOTHING, arranged or _NOTHING)
        for unit_id, name, projects, requested, arranged in rows
    ]
    # One bar "others" for a single unit would hide its name and save nothing.
    named = figures if len(figures) <= top + 1 else figures[:top]
    rest = figures[len(named) :]
    others = YearFigure(
        year,
        sum(figure.projects for figure in rest),
        sum((figure.requested for figure in rest), _NOTHING),
        sum((figure.arranged for figure in rest), _NOTHING),
    )
    return UnitFigures(named, others, len(rest))


def by_month(actor: Actor, year: int) -> list[MonthFigure]:
    """The projects of a budget year by the month of their submission and by type, in order of time."""
    month = china_month(Declaration.submitted_at).label("month")
    rows = current_session().execute(
        select(month, Project.declaration_type, func.count(Project.id.distinct()))
        .join(Declaration, Declaration.project_id == Project.id)
        .where(policy.criterion(actor, Project), Project.budget_year == year, *_submitted())
        .group_by(month, Project.declaration_type)
        .order_by(month, Project.declaration_type)
    )
    return [MonthFigure(*row) for row in rows]


def projects_submitted(*when: ColumnElement[bool]) -> ColumnElement[bool]:
    """Projects whose declaration is submitted, at the time that `when` asks of `Declaration.submitted_at`."""
    return exists().where(Declaration.project_id == Project.id, *_submitted(), *when)


def _submitted() -> tuple[ColumnElement[bool], ...]:
    return (Declaration.submitted_at.is_not(None), Declaration.status.not_in(_UNSUBMITTED))


def budget_years(actor: Actor) -> list[int]:
    """The years to choose from, the latest first: from the first with a project to the last, in scope."""
    session = current_session()
    return recalled(session, ("budget_years", actor.reach), lambda: _budget_years(session, actor))


def _budget_years(session: Session, actor: Actor) -> list[int]:
    reach = policy.criterion(actor, Project)
    first = select(func.min(Project.budget_year)).where(reach).scalar_subquery()
    last = select(func.max(Project.budget_year)).where(reach).scalar_subquery()
    earliest, latest = session.execute(select(first, last)).one()
    if earliest is None:
        return [default_budget_year(utcnow())]
    return list(range(latest, earliest - 1, -1))


def units_in_scope(actor: Actor, noun: str = "project") -> list[tuple[int, str]]:
    """(id, name) of the units whose rows of a noun the actor may read; firms declare nothing."""
    session = current_session()
    return recalled(
        session, ("units_in_scope", actor.reach, noun), lambda: _units_in_scope(session, actor, noun)
    )


def _units_in_scope(session: Session, actor: Actor, noun: str) -> list[tuple[int, str]]:
    unit = aliased(Unit)
    reach = Granted(noun, "read", unit=unit.id).criterion(actor)
    rows = session.execute(
        select(unit.id, unit.name).where(reach, unit.kind.not_in(_FIRMS)).order_by(unit.sort, unit.id)
    )
    return [(unit_id, name) for unit_id, name in rows]
