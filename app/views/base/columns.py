"""Columns of a list: one definition serves the page, the sort, the sum row and the Excel export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from app.core import xlsx
from app.core.enums import Labelled
from app.core.money import format_wan, format_yuan
from app.core.workdays import SHANGHAI
from app.core.xlsx import ColumnKind

Labels = Mapping[tuple[str, str], str]
"""(dictionary, code) → label in the reader's language."""


@dataclass(frozen=True)
class Column:
    """One column. `expression` is what the database delivers; `dictionary` or `enum` turn its code into a
    label (several codes joined by commas are allowed for a dictionary); `total` is summed over all rows.
    `wan` shows an amount in 万元 with the exact yuan on hover; the workbook always has yuan, under
    `export_label`. `css` is a kind of cell that list/_table.html knows: title, unit, code, stage, badge."""

    key: str
    label: Any
    expression: Any
    kind: ColumnKind = ColumnKind.TEXT
    dictionary: str | None = None
    enum: type[Labelled] | None = None
    sortable: bool = True
    total: bool = False
    link: bool = False
    visible: bool = True
    nowrap: bool = False
    render: Callable[[Any], Markup] | None = None
    width: int = 0
    wan: bool = False
    export_label: Any = None
    css: str = ""

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        """What the list sorts by when this column is chosen."""
        expression: ColumnElement[Any] = getattr(self.expression, "element", self.expression)
        return expression

    @property
    def align(self) -> str:
        """`end` for figures, else `start`."""
        return "end" if self.kind in _FIGURES else "start"

    def text(self, value: Any, labels: Labels) -> Any:
        """The value as exported: a label for a code, else the value itself."""
        if value is None or value == "":
            return None
        if self.enum is not None:
            return gettext(self.enum(value).label)
        if self.dictionary is not None:
            return "、".join(labels.get((self.dictionary, code), code) for code in str(value).split(","))
        return value

    def reader(self, labels: Labels) -> Callable[[Any], Any]:
        """`text` for many rows: a code is looked up and translated once, not once per row."""
        if self.enum is None and self.dictionary is None:
            return lambda value: self.text(value, labels)
        known: dict[Any, Any] = {}

        def read(value: Any) -> Any:
            if value not in known:
                known[value] = self.text(value, labels)
            return known[value]

        return read

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        """The value as shown on the page."""
        if self.render is not None:
            return self.render(value)
        if value is None or value == "":
            return _EMPTY
        if self.enum is not None:
            member = self.enum(value)
            return Markup('<span class="badge bg-%s-lt">%s</span>') % (member.colour, gettext(member.label))
        if self.wan:
            return in_wan(value)
        return escape(show(self.text(value, labels)))

    def shown_total(self, amount: Decimal) -> str | Markup:
        """The sum under the column, in the column's own unit."""
        return in_wan(amount) if self.wan else show(amount)

    def exported(self) -> xlsx.Column:
        """This column in a workbook."""
        label = self.label if self.export_label is None else self.export_label
        return xlsx.Column(self.key, str(label), self.kind, width=self.width, total=self.total)


_FIGURES = frozenset({ColumnKind.MONEY, ColumnKind.INTEGER, ColumnKind.PERCENT})
_EMPTY = "—"


def show(value: object) -> str:
    """A value as people read it: amounts grouped, times in Shanghai, yes and no."""
    match value:
        case None:
            return _EMPTY
        case bool():
            return gettext("Yes") if value else gettext("No")
        case Decimal():
            return format_yuan(value)
        case dt.datetime():
            return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        case dt.date():
            return value.isoformat()
        case _:
            return str(value)


def in_wan(amount: Decimal) -> Markup:
    """An amount of yuan shown in 万元, with the exact yuan on hover."""
    return Markup('<span title="%s">%s</span>') % (
        gettext("%(amount)s yuan", amount=format_yuan(amount)),
        format_wan(amount),
    )


def attribute_column(attribute: InstrumentedAttribute[Any], label: Any, **options: Any) -> Column:
    """A column over one mapped attribute, its kind taken from the attribute's type."""
    python_type = attribute.type.python_type
    kinds = {
        Decimal: ColumnKind.MONEY,
        int: ColumnKind.INTEGER,
        dt.date: ColumnKind.DATE,
        dt.datetime: ColumnKind.DATETIME,
    }
    options.setdefault("kind", kinds.get(python_type, ColumnKind.TEXT))
    if isinstance(python_type, type) and issubclass(python_type, Labelled):
        options.setdefault("enum", python_type)
    return Column(attribute.key, label, attribute, **options)
