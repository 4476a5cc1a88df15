"""项目调整 for programs: drafted, submitted and followed as on the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, url_for
from flask_babel import lazy_gettext

from app.api.attachment import AttachmentApi
from app.api.base import current_actor
from app.api.body import VERSION, json_object
from app.api.declaration_fields import kind_of, row_input
from app.api.document import WRITE_ERRORS, Schema, route
from app.api.fields import Field, FieldSet
from app.api.filled import MOVES, FilledApi
from app.api.kinds import AMOUNT, DAY, ID, MOMENT, TEXT, WHOLE, WORDS, YEAR, choice, code
from app.core.enums import DocumentStatus
from app.core.funds import AdjustmentKind, Direction
from app.models.adjustment import FundAdjustment
from app.models.unit import Unit
from app.services import adjustment
from app.services.unit_of_work import current_session


def _fields() -> Iterator[Field]:
    row = FundAdjustment
    yield Field("id", ID, row.id)
    yield Field("version", WHOLE, row.version)
    yield Field("code", TEXT, row.code, lazy_gettext("Adjustment no."), width=16)
    yield Field("title", TEXT, row.title, lazy_gettext("Subject of the adjustment"), width=44)
    yield Field("kind", choice(AdjustmentKind), row.kind, lazy_gettext("Kind of adjustment"))
    yield Field("year", YEAR, row.year, lazy_gettext("Adjustment year"))
    yield Field("basis_no", TEXT, row.basis_no, lazy_gettext("Basis document no."), width=24)
    yield Field("basis_date", DAY, row.basis_date, lazy_gettext("Basis document of"))
    yield Field("reason", WORDS)
    yield Field("out_amount", AMOUNT, row.out_amount, lazy_gettext("Transferred out (yuan)"), total=True)
    yield Field("in_amount", AMOUNT, row.in_amount, lazy_gettext("Transferred in (yuan)"), total=True)
    yield Field("status", choice(DocumentStatus), row.status, lazy_gettext("Status"))
    yield Field("unit.id", ID, row.unit_id)
    yield Field("unit.name", TEXT, Unit.name, lazy_gettext("Drafting unit"), join=row.unit, width=28)
    yield Field("created_at", MOMENT, row.created_at)
    yield Field("created_by.id", ID, attribute="created_by_id")
    yield Field("created_by.name", WORDS, attribute="created_by.full_name")
    yield Field("updated_at", MOMENT, row.updated_at)
    yield Field("submitted_at", MOMENT, row.submitted_at, lazy_gettext("Submitted at"))
    yield Field("submitted_by.id", ID, attribute="submitted_by_id")
    yield Field("submitted_by.name", WORDS, attribute="submitted_by.full_name")
    yield Field("finished_at", MOMENT, row.finished_at)


LINES = FieldSet(
    (
        Field("id", ID),
        Field("seq", WHOLE),
        Field("project_id", ID),
        Field("project.code", WORDS),
        Field("project.title", WORDS),
        Field("direction", choice(Direction)),
        Field("channel", code("funding_channel")),
        Field("amount", AMOUNT),
        Field("amount_before", AMOUNT),
        Field("amount_after", AMOUNT),
    )
)


def _input() -> dict[str, Any]:
    fields = {field.name: {**kind_of(field.kind).schema, "nullable": True} for field in adjustment.FIELDS}
    (table,) = adjustment.TABLES
    lines = row_input(table)
    before = lines["items"]["properties"]["amount_before"]
    before["description"] = "What you saw; left out: what it is now. Submission refuses another figure"
    return {"type": "object", "additionalProperties": False, "properties": {**fields, "lines": lines}}


class AdjustmentApi(FilledApi):
    """`/api/v1/adjustment/`. The lines travel inside the record; a PUT that names `lines` replaces all."""

    noun = "adjustment"
    model = FundAdjustment
    component = "Adjustment"
    title = lazy_gettext("Fund adjustments")
    include_route_methods = {*MOVES, "post"}
    kind = adjustment.KIND
    submit_service = staticmethod(adjustment.submit)
    purged_text = lazy_gettext("The adjustment was removed for good.")
    fields = FieldSet(tuple(_fields()))
    tables = {"lines": LINES}

    def record(self, pk: int) -> dict[str, Any]:
        """The adjustment with its lines and files."""
        found = adjustment.detail(current_session(), current_actor(), pk)
        return self.fields.record(found.adjustment) | {
            "lines": [LINES.record(line) for line in found.adjustment.lines],
            "attachments": [AttachmentApi.fields.record(each) for each in found.attachments],
        }

    @route("POST", "/", "create", "A new draft", body="Input", status=201, errors=WRITE_ERRORS)
    def post(self) -> Response:
        """A new draft; it may be incomplete."""
        body = json_object()
        with self._in_words_of(body):
            row = adjustment.create(current_actor(), body)
        response = self._shown(row.id, 201)
        response.headers["Location"] = url_for("AdjustmentApi.get", pk=row.id)
        return response

    def schemas(self) -> Mapping[str, Schema]:
        found = {name: dict(schema) for name, schema in super().schemas().items()}
        wanted = _input()
        files = {"type": "array", "items": AttachmentApi.fields.schema()}
        found["Adjustment"]["properties"]["attachments"] = files
        found["AdjustmentInput"] = wanted
        found["AdjustmentUpdate"] = {
            **wanted,
            "required": ["version"],
            "properties": {"version": dict(VERSION.schema), **wanted["properties"]},
        }
        return found
