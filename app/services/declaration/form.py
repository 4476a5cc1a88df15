"""Between HTML forms and the parser: from posted pairs to input, from a draft to what fills the form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.models.declaration import Declaration
from app.services.declaration.fields import FIELD_BY_NAME, FIELDS, TABLE_BY_NAME, TABLES
from app.services.declaration.values import DeclarationValues, values_of
from app.services.reading import Codes

PRESENT = "_present"
"""A hidden input of this name says that a check box, a multiple choice or a table is on the page, so that
its absence from the posted pairs means "none"."""

_CELL = re.compile(r"(?P<table>[a-z_]+)[.-](?P<row>[0-9]{1,4})[.-](?P<column>[a-z_0-9]+)")

FormState = dict[str, Any]
"""Field -> text (or list of texts, or rows of texts): what a template needs to fill the form."""


def raw_from_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parser's input from posted pairs (`budget_lines.0.name`, one pair for each chosen code).

    Rows are taken in the order of their numbers, rows left wholly blank are dropped, other names ignored.
    The result also fills the form again: problems name its rows.
    """
    raw: dict[str, Any] = {}
    tables: dict[str, dict[int, dict[str, str]]] = {}
    present: set[str] = set()
    for name, value in pairs:
        if name == PRESENT:
            present.add(value)
        elif name in FIELD_BY_NAME:
            if isinstance(FIELD_BY_NAME[name].kind, Codes):
                raw.setdefault(name, []).append(value)
            else:
                raw[name] = value
        elif (cell := _CELL.fullmatch(name)) and cell["table"] in TABLE_BY_NAME:
            row = tables.setdefault(cell["table"], {}).setdefault(int(cell["row"]), {})
            if cell["column"] in {column.name for column in TABLE_BY_NAME[cell["table"]].columns}:
                row[cell["column"]] = value
    for name in present & FIELD_BY_NAME.keys():
        raw.setdefault(name, [] if isinstance(FIELD_BY_NAME[name].kind, Codes) else "")
    for name in TABLE_BY_NAME:
        if name in tables or name in present:
            rows = (row for _, row in sorted(tables.get(name, {}).items()))
            raw[name] = [row for row in rows if any(text.strip() for text in row.values())]
    return raw


def form_state(declaration: Declaration) -> FormState:
    """What fills the form: the stored values, and over them what was typed but could not be read.

    The tables of rows must be loaded.
    """
    state = state_of(values_of(declaration))
    for path, typed in declaration.draft_input.items():
        _put(state, path, typed)
    return state


def state_of(values: DeclarationValues) -> FormState:
    """The values as a form shows them."""
    state: FormState = {field.name: field.kind.show(getattr(values, field.name)) for field in FIELDS}
    for table in TABLES:
        state[table.name] = [
            {column.name: column.kind.show(getattr(row, column.name)) for column in table.columns}
            | (
                {"amount": "" if row.amount is None else f"{row.amount:.2f}"}
                if table.name == "budget_lines"
                else {}
            )
            for row in getattr(values, table.name)
        ]
    return state


def merged_input(kept: Mapping[str, str], given: frozenset[str], unread: Mapping[str, str]) -> dict[str, str]:
    """What stays typed but unread after another save: the old entries of fields not given, and the new."""
    stays = {path: text for path, text in kept.items() if path.partition(".")[0] not in given}
    return {**stays, **unread}


def _put(state: FormState, path: str, typed: str) -> None:
    name, _, rest = path.partition(".")
    if not rest:
        state[name] = (
            [part.strip() for part in typed.split(",")] if isinstance(state.get(name), list) else typed
        )
        return
    index, _, column = rest.partition(".")
    rows = state.get(name, [])
    if index.isdecimal() and int(index) < len(rows):
        rows[int(index)][column] = typed
