"""From figures to what a page draws: the chart's options, the figures as a table, a link behind each mark."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext
from markupsafe import Markup

from app import charts
from app.charts import Mark, Series
from app.core.money import WAN, format_wan, format_yuan
from app.services.statistics import MilestoneFigure, MonthFigure, UnitFigure, UnitFigures
from app.views.base.dictionaries import catalogue, labels


@dataclass(frozen=True)
class Figure:
    """A chart ready for `ui.chart`: JSON without functions, what it shows in words, and its table."""

    options: str
    label: str
    headers: list[str]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True)
class TableLink:
    """A row's name in the table beside a chart, leading where its mark leads."""

    text: str
    href: str

    def __html__(self) -> str:
        return Markup('<a href="%s">%s</a>') % (self.href, self.text)


def project_list(**conditions: Any) -> str:
    """The list of projects under these conditions."""
    return url_for("ProjectView.list", **conditions)


def amounts_by_unit(figures: UnitFigures, year: int) -> Figure:
    """各部门申请/安排资金: bars in 万元, the exact yuan on hover and in the table."""
    shown = [(unit.name, unit, project_list(unit=unit.unit_id, year=year)) for unit in figures.named]
    if figures.other_units:
        name = gettext("Other units (%(count)s)", count=figures.other_units)
        named = [unit.unit_id for unit in figures.named]
        others = UnitFigure(
            0, name, figures.others.projects, figures.others.requested, figures.others.arranged
        )
        shown.append((name, others, project_list(other_than=named, year=year)))
    requested, arranged = gettext("Requested"), gettext("Arranged")
    series = [
        Series(requested, [_amount(name, requested, unit.requested, href) for name, unit, href in shown]),
        Series(arranged, [_amount(name, arranged, unit.arranged, href) for name, unit, href in shown]),
    ]
    return Figure(
        charts.bars(series).dump_options_with_quotes(),
        gettext("Requested and arranged amounts by unit, %(year)s, in 10,000 yuan", year=str(year)),
        [
            gettext("Requesting unit"),
            gettext("Projects"),
            gettext("Requested amount (yuan)"),
            gettext("Arranged budget (yuan)"),
        ],
        [
            [TableLink(name, href), unit.projects, format_yuan(unit.requested), format_yuan(unit.arranged)]
            for name, unit, href in shown
        ],
    )


def _amount(name: str, series: str, amount: Any, href: str) -> Mark:
    exact = gettext(
        "%(series)s: %(wan)s × 10,000 yuan (%(yuan)s yuan)",
        series=series,
        wan=format_wan(amount),
        yuan=format_yuan(amount),
    )
    return Mark(name, amount / WAN, f"{name}\n{exact}", href)


def declarations_by_month(figures: Sequence[MonthFigure], year: int) -> Figure:
    """每月申报: bars upon each other, one colour for each type."""
    months = months_between(figures)
    counts = {(figure.month, figure.declaration_type): figure.projects for figure in figures}
    kinds = _types(figures)
    series = [
        Series(name, [_month(month, name, counts.get((month, code), 0), year, type=code) for month in months])
        for code, name in kinds.items()
    ]
    return Figure(
        charts.stacked_bars(series).dump_options_with_quotes(),
        gettext("Declarations by month and type, budget year %(year)s", year=str(year)),
        [gettext("Month"), *kinds.values(), gettext("Total")],
        [
            [
                TableLink(month, project_list(year=year, **period(month))),
                *(counts.get((month, code), 0) for code in kinds),
                sum(counts.get((month, code), 0) for code in kinds),
            ]
            for month in months
        ],
    )


def declarations_as_line(figures: Sequence[MonthFigure], year: int) -> Figure:
    """每月申报 on one line, all types together."""
    months = months_between(figures)
    name = gettext("Declarations")
    totals = {month: sum(figure.projects for figure in figures if figure.month == month) for month in months}
    series = [Series(name, [_month(month, name, totals[month], year) for month in months])]
    return Figure(
        charts.line(series).dump_options_with_quotes(),
        gettext("Declarations by month, budget year %(year)s", year=str(year)),
        [gettext("Month"), name],
        [[TableLink(month, project_list(year=year, **period(month))), totals[month]] for month in months],
    )


def _month(month: str, series: str, count: int, year: int, **conditions: Any) -> Mark:
    counted = gettext("%(series)s: %(count)s", series=series, count=f"{count:,}")
    return Mark(month, count, f"{month}\n{counted}", project_list(year=year, **period(month), **conditions))


def stage_funnel(figures: Sequence[MilestoneFigure], year: int) -> Figure:
    """项目所处阶段: how many projects have come at least so far."""
    first = figures[0].projects if figures else 0
    marks = []
    for figure in figures:
        name = gettext(figure.milestone.label)
        share = f"{figure.projects * 100 / first:.1f}" if first else "0.0"
        tip = gettext(
            "%(name)s: %(count)s projects, %(share)s%% of those declared",
            name=name,
            count=f"{figure.projects:,}",
            share=share,
        )
        href = project_list(year=year, reached=figure.milestone.value)
        marks.append(Mark(name, figure.projects, tip, href))
    return Figure(
        charts.funnel(marks, gettext("Projects")).dump_options_with_quotes(),
        gettext("Projects that have come at least to each stage, %(year)s", year=str(year)),
        [gettext("Has come to"), gettext("Projects")],
        [[TableLink(mark.label, mark.href), f"{mark.value:,}"] for mark in marks],
    )


def months_between(figures: Sequence[MonthFigure]) -> list[str]:
    """Every month from the first to the last, also those in which nothing was submitted."""
    if not figures:
        return []
    first, last = (_count(figure.month) for figure in (figures[0], figures[-1]))
    return [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(first, last + 1)]


def _count(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def period(month: str) -> dict[str, str]:
    """The list's condition for one month: its first and last day."""
    days = monthrange(int(month[:4]), int(month[5:]))[1]
    return {"submitted_from": f"{month}-01", "submitted_to": f"{month}-{days:02d}"}


def _types(figures: Sequence[MonthFigure]) -> Mapping[str, str]:
    """The types that occur, in the dictionary's order, by code."""
    present = {figure.declaration_type for figure in figures}
    ordered = [code for code in catalogue().entries.get("declaration_type", {}) if code in present]
    known = labels()
    codes = [*ordered, *sorted(present.difference(ordered))]
    return {code: known.get(("declaration_type", code), code) for code in codes}
