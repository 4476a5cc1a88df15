"""What differs between two versions: field by field, row by row, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from app.core.enums import Labelled
from app.services.history.content import Content
from app.services.history.description import Described, Part, Rows

Text = str | list[str]
Row = Mapping[str, Text]

_ALIKE = 0.5
"""From this share of equal cells on, two rows are one that was changed."""


class Mark(Labelled):
    """What became of a field, a row or a file."""

    SAME = "SAME", "Unchanged"
    CHANGED = "CHANGED", "Changed", "orange"
    ADDED = "ADDED", "Added", "green"
    REMOVED = "REMOVED", "Removed", "red"


@dataclass(frozen=True)
class Pair:
    """One value before and after."""

    part: Part
    old: Text
    new: Text

    @property
    def mark(self) -> Mark:
        """What became of it."""
        return _mark(self.old, self.new)


@dataclass(frozen=True)
class RowPair:
    """One row of a table before and after; the numbers count from 1, None where the row is not there."""

    mark: Mark
    old_no: int | None
    new_no: int | None
    cells: tuple[Pair, ...]


@dataclass(frozen=True)
class TablePair:
    """One table with its rows in the order of the newer version, removed ones where they stood."""

    table: Rows
    rows: tuple[RowPair, ...]

    @property
    def changed(self) -> bool:
        """Does any row differ?"""
        return any(row.mark is not Mark.SAME for row in self.rows)


@dataclass(frozen=True)
class FilePair:
    """One attachment; a file of the same name with another content is CHANGED."""

    mark: Mark
    category: str
    name: str
    old_size: int | None
    new_size: int | None


@dataclass(frozen=True)
class Comparison:
    """Everything two versions hold."""

    fields: tuple[Pair, ...]
    tables: tuple[TablePair, ...]
    files: tuple[FilePair, ...]

    @property
    def differences(self) -> int:
        """How many fields, rows and files differ."""
        return (
            sum(pair.mark is not Mark.SAME for pair in self.fields)
            + sum(row.mark is not Mark.SAME for table in self.tables for row in table.rows)
            + sum(file.mark is not Mark.SAME for file in self.files)
        )


def compare(described: Described, old: Content, new: Content) -> Comparison:
    """Compare two contents of one kind of document, the older one first."""
    before, after = old.get("fields", {}), new.get("fields", {})
    return Comparison(
        tuple(Pair(part, before.get(part.name, ""), after.get(part.name, "")) for part in described.fields),
        tuple(
            TablePair(
                table,
                tuple(
                    _row_pairs(
                        table,
                        old.get("tables", {}).get(table.name, []),
                        new.get("tables", {}).get(table.name, []),
                    )
                ),
            )
            for table in described.tables
        ),
        tuple(_file_pairs(old.get("files", []), new.get("files", []))),
    )


def _row_pairs(table: Rows, old: Sequence[Row], new: Sequence[Row]) -> Iterator[RowPair]:
    partner = _partners(table, old, new)
    after: dict[int, list[int]] = {}
    place = -1
    back = {there: here for here, there in partner.items()}
    for index in range(len(old)):
        if index in back:
            place = back[index]
        else:
            after.setdefault(place, []).append(index)
    for index in range(-1, len(new)):
        if index >= 0:
            other = partner.get(index)
            yield _row_pair(table, old, new, other, index)
        for removed in after.get(index, ()):
            yield _row_pair(table, old, new, removed, None)


def _row_pair(
    table: Rows, old: Sequence[Row], new: Sequence[Row], old_index: int | None, new_index: int | None
) -> RowPair:
    before: Row = old[old_index] if old_index is not None else {}
    after: Row = new[new_index] if new_index is not None else {}
    mark = (
        Mark.ADDED
        if old_index is None
        else Mark.REMOVED
        if new_index is None
        else Mark.SAME
        if before == after
        else Mark.CHANGED
    )
    return RowPair(
        mark,
        old_index + 1 if old_index is not None else None,
        new_index + 1 if new_index is not None else None,
        tuple(Pair(part, before.get(part.name, ""), after.get(part.name, "")) for part in table.columns),
    )


def _partners(table: Rows, old: Sequence[Row], new: Sequence[Row]) -> dict[int, int]:
    """Index of a new row → index of the old row it was: the same content first, then the same key, then
    enough equal cells."""
    before = [_frozen(row) for row in old]
    after = [_frozen(row) for row in new]
    found: dict[int, int] = {}
    for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks():
        found.update({block.b + step: block.a + step for step in range(block.size)})
    _match(found, before, after, lambda row: row)
    keys = [str(row.get(table.key, "")) for row in old], [str(row.get(table.key, "")) for row in new]
    _match(found, *keys, lambda key: key)
    names = [part.name for part in table.columns]
    taken = set(found.values())
    scores = sorted(
        (
            (-_likeness(names, old[there], new[here]), abs(there - here), here, there)
            for here in range(len(new))
            if here not in found
            for there in range(len(old))
            if there not in taken
        ),
    )
    for score, _, here, there in scores:
        if -score >= _ALIKE and here not in found and there not in taken:
            found[here] = there
            taken.add(there)
    return found


def _match(
    found: dict[int, int], old: Sequence[Any], new: Sequence[Any], value: Callable[[Any], Any]
) -> None:
    """Pair what is still alone on both sides and has the same value, in order; blank values never pair."""
    taken = set(found.values())
    waiting: dict[Any, list[int]] = {}
    for index, row in enumerate(old):
        if index not in taken and value(row):
            waiting.setdefault(value(row), []).append(index)
    for index, row in enumerate(new):
        if index not in found and waiting.get(value(row)):
            found[index] = waiting[value(row)].pop(0)


def _frozen(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, str(text)) for name, text in row.items()))


def _likeness(names: Iterable[str], old: Row, new: Row) -> float:
    """The share of equal cells among those that hold something in either row."""
    filled = [name for name in names if old.get(name) or new.get(name)]
    return sum(old.get(name) == new.get(name) for name in filled) / len(filled) if filled else 0.0


def _file_pairs(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> Iterator[FilePair]:
    """Files are the same by category, name and content; several may bear one name."""
    before, after = list(old), list(new)
    for file in new:
        if file in before:
            before.remove(file)
            after.remove(file)
            yield FilePair(Mark.SAME, file["category"], file["name"], file["size"], file["size"])
    for file in list(after):
        named = (file["category"], file["name"])
        earlier = next((each for each in before if (each["category"], each["name"]) == named), None)
        if earlier is not None:
            before.remove(earlier)
            yield FilePair(Mark.CHANGED, *named, earlier["size"], file["size"])
        else:
            yield FilePair(Mark.ADDED, *named, None, file["size"])
    for file in before:
        yield FilePair(Mark.REMOVED, file["category"], file["name"], file["size"], None)


def _mark(old: Text, new: Text) -> Mark:
    if old == new:
        return Mark.SAME
    if not old:
        return Mark.ADDED
    return Mark.CHANGED if new else Mark.REMOVED
