"""The fields of a declaration as programs see them: the form's, under the names of domain.md 3.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import lazy_gettext

from app.api.fields import Field, FieldSet
from app.api.kinds import (
    AMOUNT,
    DAY,
    FLAG,
    ID,
    MOMENT,
    SHOWN_ONLY,
    TEXT,
    WHOLE,
    WORDS,
    YEAR,
    ApiKind,
    choice,
    code,
)
from app.api.kinds import codes as codes_of
from app.core.enums import DocumentStatus
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.unit import Unit
from app.services import declaration
from app.services.declaration.fields import ALIASES
from app.services.document.description import Table
from app.services.reading import (
    ByNumber,
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
    Reference,
    Year,
    Yuan,
)

ALIAS_OF: Mapping[str, str] = {name: alias for alias, name in ALIASES.items()}
"""Our names → those of domain.md, where they differ."""

_LISTED = frozenset(
    {
        "title",
        "budget_year",
        "nature",
        "declaration_type",
        "service_categories",
        "plan_channel",
        "begin_date",
        "end_date",
        "mlps_level",
        "requested_amount",
        "total_investment",
    }
)
"""What a list shows of the form."""

_EXPORTED = frozenset({"title", "budget_year", "nature", "declaration_type", "requested_amount"})
_REFERENCES = {"supervising_unit_id": ("id", "name"), "predecessor_id": ("id", "code", "title")}


def kind_of(kind: Kind) -> ApiKind:
    """How a kind of the form is documented and filtered."""
    match kind:
        case Code():
            return code(kind.dictionary)
        case Codes():
            return codes_of(kind.dictionary)
        case Line():
            return ApiKind({"type": "string", "maxLength": kind.most}, kind, TEXT.operators)
        case Paragraphs():
            return ApiKind({"type": "string", "maxLength": kind.most}, kind, SHOWN_ONLY)
        case Mobile():
            return ApiKind({"type": "string", "example": "13800000000"}, kind, SHOWN_ONLY)
        case Yuan():
            return AMOUNT
        case Number():
            schema = {"type": "string", "format": "decimal", "example": "12.5"}
            return ApiKind({**schema, "description": f"At most {kind.places} decimals"}, kind, SHOWN_ONLY)
        case Day():
            return DAY
        case Year():
            return YEAR
        case Flag():
            return FLAG
        case Choice():
            return choice(kind.options)
        case ByNumber():
            either = [{"type": "integer"}, {"type": "string"}]
            return ApiKind({"oneOf": either, "description": "Its id or its number"}, kind, SHOWN_ONLY)
        case _:
            return ID


def _head() -> Iterator[Field]:
    yield Field("id", ID, Declaration.id)
    yield Field("version", WHOLE, Declaration.version)
    yield Field("code", TEXT, Declaration.code, lazy_gettext("Declaration no."), width=16)
    yield Field("status", choice(DocumentStatus), Declaration.status, lazy_gettext("Status"))
    yield Field("unit.id", ID, Declaration.unit_id)
    yield Field("unit.name", TEXT, Unit.name, lazy_gettext("Declaring unit"), join=Declaration.unit, width=28)
    yield Field("project.id", ID, Declaration.project_id, attribute="project_id")
    yield Field(
        "project.code", TEXT, Project.code, lazy_gettext("Project no."), join=Declaration.project, width=16
    )


def _form() -> Iterator[Field]:
    for field in declaration.FIELDS:
        if isinstance(field.kind, Reference):
            name = ALIAS_OF[field.name]
            for inner in _REFERENCES[field.name]:
                yield Field(f"{name}.{inner}", ID if inner == "id" else WORDS)
            continue
        listed = field.name in _LISTED
        yield Field(
            ALIAS_OF.get(field.name, field.name),
            kind_of(field.kind),
            getattr(Declaration, field.name) if listed else None,
            lazy_gettext(field.label) if field.name in _EXPORTED else "",
            attribute=field.name,
            sortable=not isinstance(field.kind, Codes),
            total=field.name == "requested_amount",
            width=44 if field.name == "title" else 0,
        )


def _tail() -> Iterator[Field]:
    yield Field("created_at", MOMENT, Declaration.created_at)
    yield Field("created_by.id", ID, attribute="created_by_id")
    yield Field("created_by.name", WORDS, attribute="created_by.full_name")
    yield Field("updated_at", MOMENT, Declaration.updated_at)
    yield Field("submitted_at", MOMENT, Declaration.submitted_at, lazy_gettext("Submitted at"))
    yield Field("submitted_by.id", ID, attribute="submitted_by_id")
    yield Field("submitted_by.name", WORDS, attribute="submitted_by.full_name")
    yield Field("finished_at", MOMENT, Declaration.finished_at)


def _table(table: Table) -> FieldSet:
    columns = [Field(column.name, kind_of(column.kind)) for column in table.columns]
    if table.name == "budget_lines":
        columns.append(Field("amount", AMOUNT))
    return FieldSet((Field("id", ID), Field("seq", WHOLE), *columns))


FIELDS = FieldSet((*_head(), *_form(), *_tail()))
TABLES: Mapping[str, FieldSet] = {table.name: _table(table) for table in declaration.TABLES}


def _described(kind: Kind) -> dict[str, Any]:
    return {**kind_of(kind).schema, "nullable": True}


def row_input(table: Table) -> dict[str, Any]:
    """The JSON schema of the rows of a table, as they may be sent."""
    columns: dict[str, Any] = {column.name: _described(column.kind) for column in table.columns}
    given = {name: {"description": "As it was read; not taken"} for name in sorted(table.given)}
    row = {"type": "object", "additionalProperties": False, "properties": {**given, **columns}}
    return {"type": "array", "maxItems": table.most, "items": row}


INPUT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{ALIAS_OF.get(field.name, field.name): _described(field.kind) for field in declaration.FIELDS},
        **{table.name: row_input(table) for table in declaration.TABLES},
    },
}
"""What a unit may send; a draft may be incomplete."""
