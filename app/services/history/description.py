"""Which documents keep versions, and what of them: each registers one description."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy.sql.base import ExecutableOption

from app.core.enums import Labelled
from app.services.document.description import Description, Table
from app.services.reading import Kind


class VersionEvent(Labelled):
    """Why a version was kept."""

    SUBMITTED = "SUBMITTED", "Submitted", "blue"
    RESUBMITTED = "RESUBMITTED", "Submitted again", "azure"
    AMENDED = "AMENDED", "Changed by a reviewer", "orange"
    APPROVED = "APPROVED", "Approved", "green"
    IMPORTED = "IMPORTED", "Imported", "purple"
    CHANGED = "CHANGED", "Changed by a change request", "orange"
    ADJUSTED = "ADJUSTED", "Changed by an adjustment", "orange"


@dataclass(frozen=True)
class Part:
    """One field, or one column of a table: the attribute's name, its label (English msgid), its kind."""

    name: str
    label: str
    kind: Kind


@dataclass(frozen=True)
class Rows:
    """A table of rows: the relationship's name, its label, its columns. Rows that agree in `key` are taken
    for the same row when two versions are compared."""

    name: str
    label: str
    columns: tuple[Part, ...]
    key: str


@dataclass(frozen=True)
class Described:
    """One kind of document that keeps versions. `values_of` gives what a document holds where that is not in
    the attributes of its row; it needs the row loaded with `options`."""

    kind: str
    model: type[Any]
    fields: tuple[Part, ...]
    tables: tuple[Rows, ...] = ()
    values_of: Callable[[Any], Any] | None = None
    options: tuple[ExecutableOption, ...] = ()


_described: dict[str, Described] = {}


def of_document(
    model: type[Any],
    description: Description[Any],
    values_of: Callable[[Any], Any],
    options: Iterable[ExecutableOption],
) -> Described:
    """What versions of a document keep: everything that is filled in, and what we compute in its rows. Rows
    are known by their name, where they have none by their first column."""
    names = [*(each.name for each in description.fields), *(each.name for each in description.tables)]
    own = all(hasattr(model, name) for name in names)
    return Described(
        model.document_kind,
        model,
        tuple(Part(field.name, field.label, field.kind) for field in description.fields),
        tuple(_rows(table) for table in description.tables),
        None if own else values_of,
        tuple(options),
    )


def _rows(table: Table) -> Rows:
    columns = tuple(Part(each.name, each.label, each.kind) for each in (*table.columns, *table.computed))
    named = [part.name for part in columns if part.name == "name"]
    return Rows(table.name, table.label, columns, (named or [columns[0].name])[0])


def register(described: Described) -> None:
    """Let a kind of document keep versions."""
    _described[described.kind] = described


def described(kind: str) -> Described | None:
    """The description of a kind; None for one that keeps no versions."""
    return _described.get(kind)


def all_described() -> Mapping[str, Described]:
    """Every kind that keeps versions."""
    return MappingProxyType(_described)
