"""What a kind of document is made of: its fields and tables of rows, for forms, REST and history alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from app.core.enums import Labelled
from app.services.reading import Kind

if TYPE_CHECKING:
    from app.services.document.values import Reading

V = TypeVar("V")


@dataclass(frozen=True)
class Field:
    """One field: its name (also the column's), label (English msgid), kind and chapter."""

    name: str
    label: str
    kind: Kind
    chapter: Labelled


@dataclass(frozen=True)
class Column:
    """One column of a table of rows; `demanded` says that no row is complete without it."""

    name: str
    label: str
    kind: Kind
    demanded: bool = False


@dataclass(frozen=True)
class Table:
    """Rows that travel inside the document. `most` rows are taken; `given` are keys that programs send
    back from what they read and that are not ours to set. `computed` are cells we work out ourselves."""

    name: str
    label: str
    chapter: Labelled
    row: type[Any]
    most: int
    columns: tuple[Column, ...]
    given: frozenset[str] = frozenset({"id", "seq"})
    computed: tuple[Column, ...] = ()

    @property
    def demanded(self) -> tuple[str, ...]:
        """The names of the cells every row must fill."""
        return tuple(column.name for column in self.columns if column.demanded)


def _as_read(_reading: Any, values: Any, *_where: Any) -> Any:
    return values


@dataclass(frozen=True)
class Description(Generic[V]):
    """One kind of document. `values` and `row_values` are the frozen dataclasses its input is read into, by
    `aliases` also under other names. `finish` and `finish_row` look at a whole input and at a whole row
    once their fields are read: they may refuse, and give back what is to be kept."""

    values: type[V]
    fields: tuple[Field, ...]
    tables: tuple[Table, ...] = ()
    row_values: Mapping[str, type[Any]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    finish: Callable[[Reading[V], V], V] = _as_read
    finish_row: Callable[[Reading[V], Any, str, Mapping[str, Any]], Any] = _as_read

    @cached_property
    def field(self) -> Mapping[str, Field]:
        """The fields by name."""
        return {each.name: each for each in self.fields}

    @cached_property
    def table(self) -> Mapping[str, Table]:
        """The tables by name."""
        return {each.name: each for each in self.tables}

    @cached_property
    def names(self) -> frozenset[str]:
        """Everything that may be set."""
        return frozenset(self.field.keys() | self.table.keys())

    def chapter_of(self, path: str, otherwise: Labelled) -> Labelled:
        """The chapter in which a field, a table or a cell (`budget_lines.2.unit_price`) stands."""
        name = path.partition(".")[0]
        found = self.table.get(name) or self.field.get(name)
        return found.chapter if found else otherwise
