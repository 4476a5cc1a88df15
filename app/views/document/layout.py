"""Where each field of a document stands on its form, and with which control: the service says what there is
(a `Description`), this says how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext

from app.core.enums import Labelled
from app.services.document.changes import EDIT_REASON
from app.services.document.description import Column, Description
from app.services.reading import (
    Choice,
    Code,
    Codes,
    Day,
    Flag,
    Kind,
    Line,
    Mobile,
    Number,
    Paragraphs,
    Year,
    Yuan,
)


@dataclass(frozen=True)
class Option:
    """One entry of a choice; `short` is a second name under which pasted text may mean it."""

    value: str
    label: str
    parent: str = ""
    short: str = ""


@dataclass(frozen=True)
class Control:
    """One control, ready to be drawn."""

    name: str
    label: str
    widget: str
    width: int = 12
    type: str = "text"
    inputmode: str = ""
    most: int | None = None
    rows: int = 3
    options: tuple[Option, ...] = ()
    blank: bool = True
    hint: str = ""
    figure: bool = False
    money: bool = False
    computed: bool = False
    demanded: bool = False
    narrows: str = ""


@dataclass(frozen=True)
class TableControl:
    """A table of rows: `columns` side by side, `more` in a second line of each row. A `template` of its own
    draws it where the common one says too little."""

    name: str
    label: str
    most: int
    columns: tuple[Control, ...]
    more: tuple[Control, ...] = ()
    hint: str = ""
    template: str = ""


@dataclass(frozen=True)
class ChapterLayout:
    """One chapter of the form: fields with their widths (of twelve), and the tables below them."""

    key: Labelled
    fields: tuple[tuple[str, int], ...] = ()
    tables: tuple[str, ...] = ()
    tables_first: bool = False


@dataclass(frozen=True)
class FormLayout:
    """One kind's form. `tall` fields are long texts, `without_blank` choices always have a value; a table's
    `second_line` has columns (with their widths) below the others; a column of `narrows` leaves the column
    it names only the entries below its own."""

    description: Description[Any]
    chapters: tuple[ChapterLayout, ...]
    hints: Mapping[str, Any] = field(default_factory=dict)
    table_hints: Mapping[str, Any] = field(default_factory=dict)
    tall: frozenset[str] = frozenset()
    second_line: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    narrows: Mapping[str, str] = field(default_factory=dict)
    without_blank: frozenset[str] = frozenset()
    names: Mapping[str, Any] = field(default_factory=dict)
    """What else may be found fault with, by path."""
    table_templates: Mapping[str, str] = field(default_factory=dict)

    @property
    def order(self) -> list[str]:
        """The fields and tables in the order of the form; attachments stand where their chapter does."""
        return [
            name
            for chapter in self.chapters
            for name in ("attachments", *(name for name, _ in chapter.fields), *chapter.tables)
        ]

    def label_of(self, path: str) -> str:
        """A field, a table, a cell or an attachment category as people call it, in the reader's language."""
        name, _, rest = path.partition(".")
        if name in self.description.field:
            return gettext(self.description.field[name].label)
        if name in self.names:
            return str(self.names[name])
        if name == "attachments":
            return gettext("Attachments")
        if name == EDIT_REASON:
            return gettext("Reason for the edit")
        table = self.description.table.get(name)
        if table is None:
            return gettext("The whole document")
        index, _, column_name = rest.partition(".")
        if not index.isdecimal():
            return gettext(table.label)
        row = int(index) + 1
        labels = {column.name: column.label for column in (*table.columns, *table.computed)}
        if column_name not in labels:
            return gettext("%(table)s, row %(row)s", table=gettext(table.label), row=row)
        return gettext(
            "%(table)s, row %(row)s: %(column)s",
            table=gettext(table.label),
            row=row,
            column=gettext(labels[column_name]),
        )

    def control_of(self, name: str, width: int, options: Options) -> Control:
        """The control of a field."""
        declared = self.description.field[name]
        return Control(
            name=name,
            label=gettext(declared.label),
            width=width,
            rows=4 if name in self.tall else 2,
            hint=str(self.hints.get(name, "")),
            blank=name not in self.without_blank,
            **_drawn(name, declared.kind, options),
        )

    def table_of(self, name: str, options: Options) -> TableControl:
        """The control of a table of rows."""
        table = self.description.table[name]
        second = self.second_line.get(name, {})
        columns = [self._column(each, 0, options) for each in table.columns if each.name not in second]
        for each in table.computed:
            columns.append(Control(each.name, gettext(each.label), "computed", computed=True, figure=True))
        more = {column.name: column for column in table.columns if column.name in second}
        return TableControl(
            name,
            gettext(table.label),
            table.most,
            tuple(columns),
            tuple(self._column(more[key], width, options) for key, width in second.items()),
            str(self.table_hints.get(name, "")),
            self.table_templates.get(name, ""),
        )

    def _column(self, column: Column, width: int, options: Options) -> Control:
        drawn = _drawn(column.name, column.kind, options)
        if drawn["widget"] == "textarea":
            drawn["widget"] = "input"
        label = gettext(column.label)
        if column.name == "amount":
            label = gettext("%(label)s (yuan)", label=label)
        return Control(
            name=column.name,
            label=label,
            width=width,
            figure=isinstance(column.kind, Yuan | Number),
            demanded=column.demanded,
            narrows=self.narrows.get(column.name, ""),
            **drawn,
        )


Options = Mapping[str, tuple[Option, ...]]
"""The choices of each dictionary, of `budget_year`, and of what fields refer to (`unit`, `project`)."""


@dataclass
class _Look:
    widget: str = "input"
    type: str = "text"
    inputmode: str = ""
    most: int | None = None
    money: bool = False
    options: tuple[Option, ...] = field(default_factory=tuple)


def _drawn(name: str, kind: Kind, options: Options) -> dict[str, Any]:
    match kind:
        case Line():
            look = _Look(most=kind.most)
        case Paragraphs():
            look = _Look("textarea", most=kind.most)
        case Code():
            look = _Look("select", options=options[kind.dictionary])
        case Choice():
            members = tuple(Option(each.value, gettext(each.label)) for each in kind.options)
            look = _Look("select", options=members)
        case Codes():
            look = _Look("checks", options=options[kind.dictionary])
        case Flag():
            look = _Look("yesno")
        case Day():
            look = _Look(type="date")
        case Mobile():
            look = _Look(type="tel", inputmode="tel", most=20)
        case Yuan() | Number():
            look = _Look(inputmode="decimal", most=30, money=isinstance(kind, Yuan))
        case Year() if name == "budget_year":
            look = _Look("select", options=options["budget_year"])
        case Year():
            look = _Look(inputmode="numeric", most=4)
        case _:
            look = _Look("select", options=options[getattr(kind, "target", "")])
    return vars(look)
