"""Where each field of a declaration stands on its form, and with which control: the service says what
there is (services/declaration/fields.py), this page says how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext, lazy_gettext

from app.services.declaration.fields import FIELD_BY_NAME, TABLE_BY_NAME, ChapterKey, Column
from app.services.reading import Code, Codes, Day, Flag, Kind, Line, Mobile, Number, Paragraphs, Year, Yuan


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
    narrows: str = ""


@dataclass(frozen=True)
class TableControl:
    """A table of rows: `columns` side by side, `more` in a second line of each row."""

    name: str
    label: str
    most: int
    columns: tuple[Control, ...]
    more: tuple[Control, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class ChapterLayout:
    """One chapter of the form: fields with their widths (of twelve), and the tables below them."""

    key: ChapterKey
    fields: tuple[tuple[str, int], ...] = ()
    tables: tuple[str, ...] = ()
    tables_first: bool = False


LAYOUT: tuple[ChapterLayout, ...] = (
    ChapterLayout(
        ChapterKey.BASIC,
        (
            ("title", 8),
            ("budget_year", 4),
            ("declaration_type", 4),
            ("nature", 4),
            ("plan_channel", 4),
            ("predecessor_id", 8),
            ("supervising_unit_id", 4),
            ("service_categories", 12),
            ("is_secret", 12),
        ),
    ),
    ChapterLayout(
        ChapterKey.BASIS,
        (
            ("basis_codes", 12),
            ("basis_text", 12),
            ("necessity", 12),
            ("current_state", 12),
            ("feasibility", 6),
            ("reasonableness", 6),
        ),
    ),
    ChapterLayout(
        ChapterKey.SCOPE,
        (
            ("goals", 12),
            ("scope_text", 12),
            ("begin_date", 4),
            ("end_date", 4),
            ("mlps_level", 4),
            ("crypto_required", 4),
            ("on_cloud", 8),
            ("cloud_resources", 12),
            ("scope_public", 5),
            ("scope_government", 7),
        ),
        ("data_catalogue",),
    ),
    ChapterLayout(
        ChapterKey.LINES,
        (("requested_amount", 6), ("total_investment", 6)),
        ("budget_lines",),
        tables_first=True,
    ),
    ChapterLayout(ChapterKey.FUNDING, (), ("funding_splits", "later_years")),
    ChapterLayout(
        ChapterKey.PERFORMANCE, (("long_term_goal", 6), ("annual_goal", 6)), ("indicators", "schedule")
    ),
    ChapterLayout(ChapterKey.ATTACHMENTS),
    ChapterLayout(
        ChapterKey.CONTACTS,
        (("lead_name", 3), ("lead_mobile", 3), ("contact_name", 3), ("contact_mobile", 3)),
    ),
)

_HINTS: Mapping[str, Any] = {
    "is_secret": lazy_gettext("State secrets must not be entered here; such projects use their own channel."),
    "predecessor_id": lazy_gettext("For continuing projects and payments due under a contract."),
    "total_investment": lazy_gettext("Already arranged + requested this year + later years."),
}
_TABLE_HINTS: Mapping[str, Any] = {
    "later_years": lazy_gettext(
        "What later years will need; leave blank when everything is asked for this year."
    ),
    "indicators": lazy_gettext("At least one indicator of each class; weights, when used, add up to 100."),
}
_TALL = frozenset({"basis_text", "necessity", "goals", "scope_text"})
_SECOND_LINE: Mapping[str, Mapping[str, int]] = {"budget_lines": {"cost_method": 4, "basis_text": 8}}
_NARROWS: Mapping[str, str] = {"level1": "level2"}
_SHOWN_WITHOUT_BLANK = frozenset({"budget_year"})

Options = Mapping[str, tuple[Option, ...]]
"""The choices of each dictionary, and of `budget_year`, `unit` and `project`."""


def label_of(path: str) -> str:
    """A field, a table, a cell or an attachment category as people call it, in the reader's language."""
    name, _, rest = path.partition(".")
    if name in FIELD_BY_NAME:
        return gettext(FIELD_BY_NAME[name].label)
    table = TABLE_BY_NAME.get(name)
    if table is None:
        return gettext("Attachments")
    index, _, column_name = rest.partition(".")
    if not index.isdecimal():
        return gettext(table.label)
    row = int(index) + 1
    labels = {column.name: column.label for column in table.columns} | {"amount": "Amount"}
    if column_name not in labels:
        return gettext("%(table)s, row %(row)s", table=gettext(table.label), row=row)
    return gettext(
        "%(table)s, row %(row)s: %(column)s",
        table=gettext(table.label),
        row=row,
        column=gettext(labels[column_name]),
    )


def control_of(name: str, width: int, options: Options) -> Control:
    """The control of a field."""
    declared = FIELD_BY_NAME[name]
    return Control(
        name=name,
        label=gettext(declared.label),
        width=width,
        rows=4 if name in _TALL else 2,
        hint=str(_HINTS.get(name, "")),
        blank=name not in _SHOWN_WITHOUT_BLANK,
        **_drawn(name, declared.kind, options),
    )


def table_of(name: str, options: Options) -> TableControl:
    """The control of a table of rows."""
    table = TABLE_BY_NAME[name]
    second = _SECOND_LINE.get(name, {})
    columns = [_column(column, 0, options) for column in table.columns if column.name not in second]
    if name == "budget_lines":
        columns.append(Control("amount", gettext("Subtotal"), "computed", computed=True, figure=True))
    more = {column.name: column for column in table.columns if column.name in second}
    return TableControl(
        name,
        gettext(table.label),
        table.most,
        tuple(columns),
        tuple(_column(more[key], width, options) for key, width in second.items()),
        str(_TABLE_HINTS.get(name, "")),
    )


def _column(column: Column, width: int, options: Options) -> Control:
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
        narrows=_NARROWS.get(column.name, ""),
        **drawn,
    )


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
