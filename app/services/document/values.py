"""A document's values: typed, read by one parser from a form or from JSON, kept in rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, Generic, TypeVar

from app.core.errors import Problem
from app.services.document.description import Column, Description, Table
from app.services.reading import Code, Codes, Finder, Lookup, Reference, Unreadable

V = TypeVar("V")

_LONGEST_UNREAD = 100_000


@dataclass(frozen=True)
class Parsed(Generic[V]):
    """What the parser made of some input.

    `values` holds what could be read, the rest as in the base; `problems` says what could not, by path
    (`budget_lines.2.unit_price`); `unread` keeps those inputs as typed; `unknown` are keys nobody may set.
    """

    values: V
    problems: Mapping[str, list[Problem]]
    unread: Mapping[str, str]
    given: frozenset[str]
    unknown: tuple[str, ...]

    def refusals(self) -> dict[str, list[Problem]]:
        """Every problem, those of unknown keys included; for callers that must not guess."""
        problem = Problem.of("There is no such field, or it may not be set.")
        return {**self.problems, **{name: [problem] for name in self.unknown}}


def parse(description: Description[V], raw: Mapping[str, Any], lookup: Lookup, base: V) -> Parsed[V]:
    """Read input of a form (`form.raw_from_form`) or of JSON. Keys that are absent keep the base's values.

    Never raises for what the input holds. Codes and references that the base already carries stay allowed,
    even when the dictionary has dropped them or they lie outside the actor's scope.
    """
    keeping = _Keeping(lookup, _codes_in(description, base), _references_in(description, base))
    return Reading(description, raw, keeping, base).run()


def values_of(description: Description[V], document: Any) -> V:
    """The values a document holds in its columns; its tables of rows must be loaded."""
    scalars = {field.name: _plain(getattr(document, field.name)) for field in description.fields}
    tables = {
        table.name: tuple(
            row_type(**{name: getattr(row, name) for name in _names(row_type)})
            for row in getattr(document, table.name)
        )
        for table in description.tables
        for row_type in (description.row_values[table.name],)
    }
    return description.values(**scalars, **tables)


def assign(description: Description[V], document: Any, values: V) -> None:
    """Put the values into the document's columns; rows are changed in place, added or removed at the end."""
    for field in description.fields:
        value = getattr(values, field.name)
        setattr(document, field.name, list(value) if isinstance(value, tuple) else value)
    for table in description.tables:
        _assign_rows(document, table, description.row_values[table.name], getattr(values, table.name))


def sum_of(amounts: Iterable[Decimal | None]) -> Decimal:
    """The total of the amounts that are there, in yuan."""
    return sum((amount for amount in amounts if amount is not None), Decimal("0.00"))


def cells(description: Description[V], values: V) -> Iterator[tuple[str, Column, Any]]:
    """Every cell of every table: its path, its column, its value."""
    for table in description.tables:
        for index, row in enumerate(getattr(values, table.name)):
            for column in table.columns:
                yield f"{table.name}.{index}.{column.name}", column, getattr(row, column.name)


def as_typed(raw: object) -> str:
    """Input that could not be read, as text that either database can keep."""
    text = ", ".join(map(str, raw)) if isinstance(raw, list | tuple) else "" if raw is None else str(raw)
    # Neither database stores a NUL or half a character.
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()[:_LONGEST_UNREAD]


class _Keeping:
    """A lookup that also allows what a document already carries."""

    def __init__(
        self, lookup: Lookup, codes: frozenset[tuple[str, str]], references: frozenset[tuple[str, int]]
    ) -> None:
        self._lookup = lookup
        self._codes = codes
        self._references = references

    def allows(self, type_code: str, code: str) -> bool:
        return (type_code, code) in self._codes or self._lookup.allows(type_code, code)

    def knows(self, target: str, row_id: int) -> bool:
        return (target, row_id) in self._references or self._lookup.knows(target, row_id)

    def find(self, target: str, number: str) -> int | None:
        return self._lookup.find(target, number) if isinstance(self._lookup, Finder) else None


class Reading(Generic[V]):
    """One pass over one input; a description's `finish` and `finish_row` may `refuse` and `keep_unread`."""

    def __init__(self, description: Description[V], raw: Mapping[str, Any], lookup: Lookup, base: V) -> None:
        self.description = description
        self.raw = {description.aliases.get(name, name): value for name, value in raw.items()}
        self.lookup = lookup
        self.base = base
        self.problems: dict[str, list[Problem]] = {}
        self.unread: dict[str, str] = {}
        self.unknown = [name for name in self.raw if name not in description.names]

    def run(self) -> Parsed[V]:
        """Read everything."""
        read: dict[str, Any] = {}
        for field in self.description.fields:
            if field.name in self.raw:
                read[field.name] = self._cell(field.name, self.raw[field.name], field.kind)
        for table in self.description.tables:
            if table.name in self.raw:
                read[table.name] = self._rows(table, self.raw[table.name])
        values = self.description.finish(self, replace(self.base, **read))  # type: ignore[type-var]
        given = frozenset(self.raw) & self.description.names
        return Parsed(values, self.problems, self.unread, given, tuple(self.unknown))

    def refuse(self, path: str, message: str, **params: object) -> None:
        """Say that what stands at a path cannot be taken."""
        self.problems.setdefault(path, []).append(Problem.of(message, **params))

    def keep_unread(self, name: str, otherwise: object) -> None:
        """Keep a field as it was typed, though it could be read."""
        self.unread[name] = as_typed(self.raw.get(name, otherwise))

    def _cell(self, path: str, raw: object, kind: Any) -> Any:
        try:
            return kind.read(raw, self.lookup)
        except Unreadable as error:
            self.problems.setdefault(path, []).append(error.problem)
            self.unread[path] = as_typed(raw)
            return kind.empty

    def _rows(self, table: Table, raw: object) -> tuple[Any, ...]:
        if not isinstance(raw, Sequence) or isinstance(raw, str):
            self.refuse(table.name, "Send a list of rows.")
            return tuple(getattr(self.base, table.name))
        if len(raw) > table.most:
            self.refuse(
                table.name, "At most %(most)s rows; these are %(count)s.", most=table.most, count=len(raw)
            )
        return tuple(
            self._row(table, f"{table.name}.{index}", row) for index, row in enumerate(raw[: table.most])
        )

    def _row(self, table: Table, path: str, raw: object) -> Any:
        row_type = self.description.row_values[table.name]
        if not isinstance(raw, Mapping):
            self.refuse(path, "Send each row as an object.")
            return row_type()
        known = {column.name for column in table.columns} | table.given
        self.unknown += [f"{path}.{name}" for name in raw if name not in known]
        read = {
            column.name: self._cell(f"{path}.{column.name}", raw[column.name], column.kind)
            for column in table.columns
            if column.name in raw
        }
        return self.description.finish_row(self, row_type(**read), path, raw)


def _names(values: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(values))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _codes_in(description: Description[V], values: V) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    named = [(field.kind, getattr(values, field.name)) for field in description.fields]
    named += [(column.kind, value) for _, column, value in cells(description, values)]
    for kind, value in named:
        if isinstance(kind, Code) and value:
            found.add((kind.dictionary, value))
        elif isinstance(kind, Codes):
            found.update((kind.dictionary, code) for code in value)
    return frozenset(found)


def _references_in(description: Description[V], values: V) -> frozenset[tuple[str, int]]:
    named = [(field.kind, getattr(values, field.name)) for field in description.fields]
    named += [(column.kind, value) for _, column, value in cells(description, values)]
    return frozenset(
        (kind.target, value) for kind, value in named if isinstance(kind, Reference) and value is not None
    )


def _assign_rows(document: Any, table: Table, row_type: type[Any], rows: Sequence[Any]) -> None:
    stored: list[Any] = getattr(document, table.name)
    names = _names(row_type)
    for index, values in enumerate(rows):
        if index == len(stored):
            stored.append(table.row(seq=index + 1))
        for name in names:
            setattr(stored[index], name, getattr(values, name))
    del stored[len(rows) :]
