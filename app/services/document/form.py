"""Between HTML forms and the parser: from posted pairs to input, from a draft to what fills the form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from app.services.document.description import Description
from app.services.reading import Codes

V = TypeVar("V")

PRESENT = "_present"
"""A hidden input of this name says that a check box, a multiple choice or a table is on the page, so that
its absence from the posted pairs means "none"."""

_CELL = re.compile(r"(?P<table>[a-z_]+)[.-](?P<row>[0-9]{1,4})[.-](?P<column>[a-z_0-9]+)")

FormState = dict[str, Any]
"""Field -> text (or list of texts, or rows of texts): what a template needs to fill the form."""


def raw_from_form(description: Description[Any], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parser's input from posted pairs (`budget_lines.0.name`, one pair for each chosen code).

    Rows are taken in the order of their numbers, rows left wholly blank are dropped, other names ignored.
    The result also fills the form again: problems name its rows.
    """
    fields, tables = description.field, description.table
    raw: dict[str, Any] = {}
    typed: dict[str, dict[int, dict[str, str]]] = {}
    present: set[str] = set()
    for name, value in pairs:
        if name == PRESENT:
            present.add(value)
        elif name in fields:
            if isinstance(fields[name].kind, Codes):
                raw.setdefault(name, []).append(value)
            else:
                raw[name] = value
        elif (cell := _CELL.fullmatch(name)) and cell["table"] in tables:
            row = typed.setdefault(cell["table"], {}).setdefault(int(cell["row"]), {})
            if cell["column"] in {column.name for column in tables[cell["table"]].columns}:
                row[cell["column"]] = value
    for name in present & fields.keys():
        raw.setdefault(name, [] if isinstance(fields[name].kind, Codes) else "")
    for name in tables:
        if name in typed or name in present:
            rows = (row for _, row in sorted(typed.get(name, {}).items()))
            raw[name] = [row for row in rows if any(text.strip() for text in row.values())]
    return raw


def form_state(description: Description[V], values: V, draft_input: Mapping[str, str]) -> FormState:
    """What fills the form: the stored values, and over them what was typed but could not be read."""
    state = state_of(description, values)
    for path, typed in draft_input.items():
        _put(state, path, typed)
    return state


def state_of(description: Description[V], values: V) -> FormState:
    """The values as a form shows them."""
    state: FormState = {
        field.name: field.kind.show(getattr(values, field.name)) for field in description.fields
    }
    for table in description.tables:
        columns = (*table.columns, *table.computed)
        state[table.name] = [
            {column.name: column.kind.show(getattr(row, column.name)) for column in columns}
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
