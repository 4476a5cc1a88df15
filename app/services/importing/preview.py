"""What a file would do: every row new, changed, unchanged or wrong, compared with what is stored now."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import Problem
from app.models.importing import RowState
from app.services.importing.cells import CellReader
from app.services.importing.columns import SheetColumn
from app.services.importing.importable import Existing, Importable, Outcome, Row, RowProblem
from app.services.importing.sheet import Place, Sheet, read_sheet
from app.services.reading import Unreadable

_LONGEST_SHOWN = 2_000


@dataclass(frozen=True)
class Preview:
    """The outcomes of a file's rows in their order, and what to tell about the file."""

    columns: Mapping[str, SheetColumn]
    outcomes: Sequence[Outcome]
    records: Sequence[dict[str, Any]]
    notices: tuple[Problem, ...]

    def counts(self) -> Counter[RowState]:
        """How many rows are in each state."""
        return Counter(outcome.state for outcome in self.outcomes)

    def fingerprint(self) -> str:
        """The digest of all that the preview says; another one means that something changed meanwhile."""
        said = json.dumps(self.records, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()


def examine(
    session: Session, actor: Actor, importable: Importable, file: BinaryIO, name: str, *, lock: bool = False
) -> Preview:
    """Read a file and compare each row with the record it is about. Raises `InvalidInput` beside `file` for
    one that cannot be read as a whole. With `lock` the records stay locked for the caller's transaction."""
    columns = importable.columns(session)
    sheet = read_sheet(session, file, name, columns, importable.keys)
    reader = CellReader(session, columns)
    rows = _rows(sheet, reader)
    keys = {
        key: list(dict.fromkeys(row.values[key] for row in rows if key in row.values))
        for key in importable.keys
    }
    stored = importable.load(session, actor, keys, lock=lock)
    repeated = _repeated(importable, rows, stored)
    outcomes = [
        _outcome(session, actor, importable, columns, row, stored, repeated.get(row.no, ())) for row in rows
    ]
    places = {place.column.name: place for place in sheet.places}
    by_name = {column.name: column for column in columns}
    records = [_record(importable, reader, by_name, places, outcome) for outcome in outcomes]
    return Preview(by_name, outcomes, records, sheet.notices)


def _rows(sheet: Sheet, reader: CellReader) -> list[Row]:
    rows = []
    for number, cells in sheet.rows:
        values: dict[str, Any] = {}
        problems: list[RowProblem] = []
        for place in sheet.places:
            cell = cells[place.index] if place.index < len(cells) else None
            if cell is None or (isinstance(cell, str) and not cell.strip()):
                continue
            try:
                value = reader.read(place.column, cell, wan=place.wan)
            except Unreadable as error:
                problems.append(RowProblem(place.column.name, error.problem))
                continue
            if value not in (None, ""):
                values[place.column.name] = value
        if values or problems:
            rows.append(Row(number, values, tuple(problems)))
    return rows


def _repeated(
    importable: Importable, rows: Iterable[Row], stored: Mapping[tuple[str, Any], Existing]
) -> dict[int, tuple[int, ...]]:
    """Row → the other rows about the same record, whichever key each of them gives."""
    groups: dict[tuple[str, Any], list[int]] = {}
    for row in rows:
        marks: set[tuple[str, Any]] = set()
        for key in importable.keys:
            if key in row.values:
                found = stored.get((key, row.values[key]))
                marks.add(("#", found.id) if found is not None else (key, row.values[key]))
        for mark in marks:
            groups.setdefault(mark, []).append(row.no)
    others: dict[int, set[int]] = {}
    for numbers in groups.values():
        if len(numbers) > 1:
            for number in numbers:
                others.setdefault(number, set()).update(numbers)
    return {number: tuple(sorted(found - {number})) for number, found in others.items()}


def _outcome(
    session: Session,
    actor: Actor,
    importable: Importable,
    columns: Sequence[SheetColumn],
    row: Row,
    stored: Mapping[tuple[str, Any], Existing],
    others: Sequence[int],
) -> Outcome:
    matches = {
        found.id: found
        for key in importable.keys
        if key in row.values and (found := stored.get((key, row.values[key]))) is not None
    }
    existing = next(iter(matches.values()), None)
    held: Mapping[str, Any] = existing.values if existing else {}
    changed = tuple(
        column.name
        for column in columns
        if column.name in row.values and row.values[column.name] != held.get(column.name)
    )
    state = RowState.NEW if existing is None else RowState.CHANGED if changed else RowState.UNCHANGED
    outcome = Outcome(row, state, existing, changed, row.problems, existing.id if existing else None)
    problems = list(row.problems)
    if len(matches) > 1:
        problems.append(RowProblem.of("", "The numbers of this row belong to different records."))
    if others:
        shown = "、".join(map(str, others[:5]))
        problems.append(RowProblem.of("", "Row %(rows)s is about the same record.", rows=shown))
    if existing is None:
        unread = {problem.column for problem in row.problems}
        problems += [
            RowProblem.of(column.name, "This is required.")
            for column in columns
            if column.required and column.name not in row.values and column.name not in unread
        ]
    if state is not RowState.UNCHANGED:
        problems += importable.check(session, actor, outcome)
    if problems:
        outcome.state, outcome.problems = RowState.WRONG, tuple(problems)
    return outcome


def _record(
    importable: Importable,
    reader: CellReader,
    columns: Mapping[str, SheetColumn],
    places: Mapping[str, Place],
    outcome: Outcome,
) -> dict[str, Any]:
    """An outcome as the log keeps it."""
    row, existing = outcome.row, outcome.existing
    held: Mapping[str, Any] = existing.values if existing else {}
    values = {**held, **row.values}
    key = next((key for key in importable.keys if values.get(key)), "")
    return {
        "row_no": row.no,
        "state": outcome.state.value,
        "record_key": reader.text(columns[key], values[key])[:80] if key else "",
        "title": importable.name(values)[:200],
        "record_id": outcome.record_id,
        "changes": [
            {
                "field": name,
                "old": reader.text(columns[name], held.get(name))[:_LONGEST_SHOWN],
                "new": reader.text(columns[name], row.values[name])[:_LONGEST_SHOWN],
            }
            for name in outcome.changed
        ],
        "problems": [
            {
                "field": problem.column,
                "cell": places[problem.column].cell(row.no) if problem.column in places else "",
                "message": problem.problem.message,
                "params": {name: _plain(value) for name, value in problem.problem.params.items()},
            }
            for problem in outcome.problems
        ],
    }


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | bool) else str(value)
