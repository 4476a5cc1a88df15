"""Fields of a resource: one definition gives its JSON, its documentation, its filters and its export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement

from app.api.kinds import ApiKind, as_json

Values = list[Any]


@dataclass(frozen=True)
class Field:
    """One value of a resource. A dotted name is a value of an object inside it: `unit.name`.

    `column` is what a list selects, `join` the relationship it needs; without a column the field stands in
    the single record only. `attribute` is where the record keeps it when not under its name. `where` makes
    the condition of `eq` and `in` when a comparison with the column will not do, `shows` its JSON when the
    value is not shown as it is. `label` heads the column of a workbook; a field without one is not exported.
    """

    name: str
    kind: ApiKind
    column: Any = None
    label: Any = ""
    attribute: str = ""
    join: Any = None
    sortable: bool = True
    where: Callable[[Values], ColumnElement[bool]] | None = None
    shows: Callable[[Any], Any] = as_json
    total: bool = False
    width: int = 0

    def of(self, row: Any) -> Any:
        """The value of this field in a record."""
        value = row
        for part in (self.attribute or self.name).split("."):
            value = getattr(value, part) if value is not None else None
        return value


@dataclass(frozen=True)
class FieldSet:
    """The fields of a resource, in order."""

    fields: tuple[Field, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields a list can show, filter by or sort by; `unit` stands for `unit.id`."""
        listed = {field.name: field for field in self.listed}
        owners = {name.removesuffix(".id"): field for name, field in listed.items() if name.endswith(".id")}
        return {**owners, **listed}

    @cached_property
    def listed(self) -> tuple[Field, ...]:
        """What a list shows."""
        return tuple(field for field in self.fields if field.column is not None)

    def chosen(self, names: Iterable[str]) -> list[Field]:
        """The listed fields of these names; the name of an object stands for all it holds."""
        wanted = set(names)
        return [field for field in self.listed if wanted & {field.name, field.name.partition(".")[0]}]

    def record(self, row: Any) -> dict[str, Any]:
        """A record as JSON."""
        return nested((field.name, field.shows(field.of(row))) for field in self.fields)

    def schema(self, fields: Sequence[Field] | None = None) -> dict[str, Any]:
        """The JSON schema of a record, or of some of its fields."""
        properties: dict[str, Any] = {}
        for field in self.fields if fields is None else fields:
            owner, _, inner = field.name.partition(".")
            described = {**field.kind.schema, "nullable": True}
            if inner:
                whole = properties.setdefault(owner, {"type": "object", "nullable": True, "properties": {}})
                whole["properties"][inner] = described
            else:
                properties[owner] = described
        return {"type": "object", "properties": properties}


def nested(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Dotted names as objects; an object of which nothing is known is null."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        owner, _, inner = name.partition(".")
        if not inner:
            found[name] = value
        elif value is not None:
            found[owner] = {**(found.get(owner) or {}), inner: value}
        else:
            found.setdefault(owner, None)
    return found
