"""A change as people read it: every difference with its two sides, and the figures it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import get_locale, gettext
from sqlalchemy import select

from app.core.money import format_wan, format_yuan
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.unit import Unit
from app.services import change
from app.services.change import ChangeValues, Cumulative
from app.services.dictionary import Catalogue, catalogue
from app.services.document.description import Column, Table
from app.services.document.values import sum_of
from app.services.reading import Kind, Number, Reference, Yuan
from app.services.unit_of_work import current_session
from app.views.document.detail import value_text


@dataclass(frozen=True)
class Pair:
    """One field before and after; `path` is its name."""

    path: str
    label: str
    before: str
    after: str
    changed: bool


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells, and what became of it (`same`, `added`, `dropped`, `changed`)."""

    cells: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class PairedTable:
    """A table of rows before and after; `headings` are (label, is a figure)."""

    path: str
    label: str
    headings: tuple[tuple[str, bool], ...]
    before: tuple[Row, ...]
    after: tuple[Row, ...]
    total_before: str
    total_after: str
    changed: bool


@dataclass(frozen=True)
class Figure:
    """One figure before and after; `note` says more, `colour` marks it."""

    label: str
    value: str
    note: str = ""
    colour: str = ""
    title: str = ""


class Reader:
    """Turns the two sides of a change into what this reader may see, in his language."""

    def __init__(self, row: ChangeRequest, *, own: bool) -> None:
        self.row = row
        self.own = own
        self.language = str(get_locale())
        self.known: Catalogue = catalogue(current_session())
        self.old: ChangeValues = change.before(row)
        self.new: ChangeValues = change.values_of(row)
        self._units = self._unit_names()

    def pairs(self) -> list[Pair]:
        """Every field that can be changed, in the order of the form."""
        changed = {item.field for item in self.row.items}
        return [
            Pair(
                field.name,
                gettext(field.label),
                self.text(field.kind, getattr(self.old, field.name)),
                self.text(field.kind, getattr(self.new, field.name)),
                field.name in changed,
            )
            for field in change.PROJECT_FIELDS
        ]

    def before_texts(self) -> dict[str, str]:
        """What each field said before, by name."""
        return {pair.path: pair.before for pair in self.pairs()}

    def tables(self) -> list[PairedTable]:
        """Every table that can be changed."""
        return [self._table(table) for table in change.PROJECT_TABLES]

    def text(self, kind: Kind, value: Any) -> str:
        """One value; empty stays empty."""
        if isinstance(kind, Reference):
            return self._units.get(value, "")
        return value_text(kind, value, self.known, self.language, own=self.own)

    def _unit_names(self) -> dict[int, str]:
        ids = {
            number
            for values in (self.old, self.new)
            for number in (values.owner_unit_id, values.supervising_unit_id)
            if number is not None
        }
        rows = current_session().execute(select(Unit.id, Unit.name).where(Unit.id.in_(ids)))
        return {row.id: row.name for row in rows}

    def _table(self, table: Table) -> PairedTable:
        old, new = getattr(self.old, table.name), getattr(self.new, table.name)
        columns = [
            column
            for column in (*table.columns, *table.computed)
            if any(getattr(row, column.name) not in (None, "") for row in (*old, *new))
        ]
        return PairedTable(
            table.name,
            gettext(table.label),
            tuple((gettext(column.label), isinstance(column.kind, Yuan | Number)) for column in columns),
            self._rows(columns, old, new, "dropped"),
            self._rows(columns, new, old, "added"),
            _total(old),
            _total(new),
            old != new,
        )

    def _rows(
        self, columns: Sequence[Column], rows: Sequence[Any], others: Sequence[Any], state: str
    ) -> tuple[Row, ...]:
        left = list(others)
        found = []
        for row in rows:
            here = "same" if row in left else state
            if row in left:
                left.remove(row)
            cells = tuple(self.text(column.kind, getattr(row, column.name)) or "—" for column in columns)
            found.append(Row(cells, here))
        return tuple(found)


def figures(
    row: ChangeRequest, project: Project, total: Cumulative, *, major: bool, reassess: bool
) -> tuple[Figure, ...]:
    """Amount before → after, by how much and how many percent, days, and all changes together."""
    delta = row.amount_delta or Decimal(0)
    days = row.days_delta
    return (
        Figure(
            gettext("Amount before → after"),
            f"{_wan(row.amount_before)} → {_wan(row.amount_after)}" if delta else _wan(row.amount_before),
            gettext("10,000 yuan · arranged %(amount)s, not altered", amount=_wan(project.arranged_amount)),
            title=f"{_yuan(row.amount_before)} → {_yuan(row.amount_after)}",
        ),
        Figure(
            gettext("Amount changed by"),
            _signed(delta),
            gettext("yuan"),
            "red" if delta > 0 else "green" if delta < 0 else "",
        ),
        Figure(
            gettext("Change ratio"),
            _percent(row.change_ratio),
            gettext("Major change") if major else gettext("General change"),
            "orange" if major else "",
        ),
        Figure(
            gettext("Construction period"),
            "—" if days is None else gettext("%(days)s days", days=f"{days:+d}" if days else "0"),
            gettext("longer") if days and days > 0 else gettext("shorter") if days else gettext("unchanged"),
            "orange" if days and days > 0 else "",
        ),
        Figure(
            gettext("All changes so far"),
            _percent(total.ratio) if total.count else "—",
            gettext(
                "%(count)s applied, %(amount)s yuan", count=total.count, amount=format_yuan(total.amount)
            ),
        ),
    )


def _total(rows: Sequence[Any]) -> str:
    amounts = [row.amount for row in rows if hasattr(row, "amount")]
    return format_yuan(sum_of(amounts)) if amounts else ""


def _wan(amount: Decimal | None) -> str:
    return "—" if amount is None else format_wan(amount)


def _yuan(amount: Decimal | None) -> str:
    return "—" if amount is None else format_yuan(amount)


def _signed(amount: Decimal) -> str:
    return f"+{format_yuan(amount)}" if amount > 0 else format_yuan(amount)


def _percent(share: Decimal | None) -> str:
    return "—" if share is None else f"{share:.2f}%"
