"""项目变更申请 for programs: begun from a project, filled in, submitted and followed as on the pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, url_for
from flask_babel import lazy_gettext

from app.api.attachment import AttachmentApi
from app.api.base import current_actor
from app.api.body import VERSION, Key, json_object, read_key, read_keys, schema_of
from app.api.declaration_fields import kind_of, row_input
from app.api.document import WRITE_ERRORS, Schema, route
from app.api.fields import Field, FieldSet
from app.api.filled import MOVES, FilledApi
from app.api.kinds import (
    AMOUNT,
    FLAG,
    ID,
    MOMENT,
    TEXT,
    WHOLE,
    WORDS,
    ApiKind,
    Whole,
    choice,
    code,
    codes,
)
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput
from app.core.fiscal import mask_mobile
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.unit import Unit
from app.services import change
from app.services.change.draft import KIND
from app.services.reading import Unreadable
from app.services.unit_of_work import current_session

ALIAS_OF: Mapping[str, str] = {"content": "change_content", "reason_code": "change_reason"}
"""Our names → those of domain.md, where they differ."""

_MOBILES = frozenset({"lead_mobile", "contact_mobile"})
_RATIO = ApiKind(
    {"type": "string", "format": "decimal", "description": "Percent", "example": "10.01"},
    AMOUNT.reads,
    AMOUNT.operators,
)
_PROJECT_ID = Key(
    "project_id",
    Whole(1),
    {"type": "integer", "minimum": 1, "description": "The project to change; its data are taken over"},
    required=True,
)


def _fields() -> Iterator[Field]:
    yield Field("id", ID, ChangeRequest.id)
    yield Field("version", WHOLE, ChangeRequest.version)
    yield Field("code", TEXT, ChangeRequest.code, lazy_gettext("Change no."), width=16)
    yield Field("status", choice(DocumentStatus), ChangeRequest.status, lazy_gettext("Status"))
    yield Field("unit.id", ID, ChangeRequest.unit_id)
    yield Field(
        "unit.name", TEXT, Unit.name, lazy_gettext("Declaring unit"), join=ChangeRequest.unit, width=28
    )
    yield Field("project.id", ID, ChangeRequest.project_id, attribute="project_id")
    yield Field(
        "project.code", TEXT, Project.code, lazy_gettext("Project no."), join=ChangeRequest.project, width=16
    )
    yield Field(
        "project.title",
        TEXT,
        Project.title,
        lazy_gettext("Project title"),
        join=ChangeRequest.project,
        width=44,
    )
    yield Field("base_version", WHOLE, ChangeRequest.base_version)
    yield Field("kinds", codes("change_kind"), ChangeRequest.kinds, sortable=False)
    yield Field(
        "change_reason",
        code("change_reason"),
        ChangeRequest.reason_code,
        lazy_gettext("Reason of the change"),
        attribute="reason_code",
    )
    for name in ("content", "reason_text", "basis_text", "performance_effect", "impact"):
        yield Field(ALIAS_OF.get(name, name), WORDS, attribute=name)
    yield Field("amount_before", AMOUNT, ChangeRequest.amount_before, lazy_gettext("Amount before (yuan)"))
    yield Field("amount_after", AMOUNT, ChangeRequest.amount_after, lazy_gettext("Amount after (yuan)"))
    yield Field(
        "amount_delta",
        AMOUNT,
        ChangeRequest.amount_delta,
        lazy_gettext("Changed by (yuan)"),
        total=True,
    )
    yield Field("change_ratio", _RATIO, ChangeRequest.change_ratio, lazy_gettext("Ratio (%)"))
    yield Field("days_delta", WHOLE, ChangeRequest.days_delta, lazy_gettext("Days"))
    yield Field("is_major", FLAG, ChangeRequest.is_major, lazy_gettext("Major change"))
    yield Field("needs_assessment", FLAG, ChangeRequest.needs_assessment)
    yield Field("submitted_at", MOMENT, ChangeRequest.submitted_at, lazy_gettext("Submitted at"))
    yield Field("finished_at", MOMENT, ChangeRequest.finished_at)
    yield Field("applied_at", MOMENT, ChangeRequest.applied_at, lazy_gettext("Applied at"))
    yield Field("applied_version", WHOLE, ChangeRequest.applied_version)


_SIDE: Schema = {
    "type": "object",
    "additionalProperties": True,
    "description": "Field → text, list of codes, or rows of texts; amounts as decimal strings in yuan",
}
_ITEM: Schema = {
    "type": "object",
    "properties": {"field": {"type": "string"}, "before": {"nullable": True}, "after": {"nullable": True}},
}


def _input() -> dict[str, Any]:
    fields: dict[str, Any] = {
        ALIAS_OF.get(field.name, field.name): {**kind_of(field.kind).schema, "nullable": True}
        for field in (*change.REQUEST_FIELDS, *change.PROJECT_FIELDS)
    }
    tables = {table.name: row_input(table) for table in change.PROJECT_TABLES}
    return {"type": "object", "additionalProperties": False, "properties": {**fields, **tables}}


class ChangeApi(FilledApi):
    """`/api/v1/change/`. The project's fields and tables in a body are as they shall be afterwards; a record
    has them before and after, and the `items` that differ."""

    noun = "change"
    model = ChangeRequest
    component = "Change"
    title = lazy_gettext("Change requests")
    include_route_methods = {*MOVES, "post", "refresh"}
    kind = KIND
    submit_service = staticmethod(change.submit)
    alias_of = ALIAS_OF
    purged_text = lazy_gettext("The change request was removed for good.")
    fields = FieldSet(tuple(_fields()))

    def record(self, pk: int) -> dict[str, Any]:
        """The request with both sides and its files; telephone numbers are whole in the unit only."""
        found = change.detail(current_session(), current_actor(), pk)
        row = found.change
        hidden = _MOBILES if row.unit_id != current_actor().unit_id else frozenset()
        before = {name: _shown(name, value, hidden) for name, value in row.base.items()}
        items = [
            {
                "field": item.field,
                "before": _shown(item.field, item.before, hidden),
                "after": _shown(item.field, item.after, hidden),
            }
            for item in row.items
        ]
        return self.fields.record(row) | {
            "before": before,
            "after": {**before, **{item["field"]: item["after"] for item in items}},
            "items": items,
            "attachments": [AttachmentApi.fields.record(each) for each in found.attachments],
        }

    @route(
        "POST", "/", "create", "Begin a change of a project", body="Begin", status=201, errors=WRITE_ERRORS
    )
    def post(self) -> Response:
        """A new draft with the project's data taken over; what the body names shall be different."""
        body = json_object()
        try:
            project_id: int = read_key(body, _PROJECT_ID)
        except Unreadable as error:
            raise InvalidInput({_PROJECT_ID.name: [error.problem]}) from error
        raw = {name: value for name, value in body.items() if name != _PROJECT_ID.name}
        with self._in_words_of(body):
            row = change.create(current_actor(), project_id, raw)
        response = self._shown(row.id, 201)
        response.headers["Location"] = url_for("ChangeApi.get", pk=row.id)
        return response

    @route(
        "POST",
        "/<int:pk>/refresh",
        "edit",
        "Take over the project's data again",
        body=schema_of((VERSION,)),
        errors=WRITE_ERRORS,
    )
    def refresh(self, pk: int) -> Response:
        """After a 400 at `base`: the project changed since. What the request wants to be different stays."""
        version = read_keys(json_object(), (VERSION,))["version"]
        with self._in_words_of(()):
            change.refresh(current_actor(), pk, version)
        return self._shown(pk)

    def schemas(self) -> Mapping[str, Schema]:
        found = {name: dict(schema) for name, schema in super().schemas().items()}
        wanted = _input()
        found["Change"]["properties"] |= {
            "before": _SIDE,
            "after": _SIDE,
            "items": {"type": "array", "items": _ITEM},
            "attachments": {"type": "array", "items": AttachmentApi.fields.schema()},
        }
        found["ChangeBegin"] = {
            **wanted,
            "required": ["project_id"],
            "properties": {"project_id": dict(_PROJECT_ID.schema), **wanted["properties"]},
        }
        found["ChangeUpdate"] = {
            **wanted,
            "required": ["version"],
            "properties": {"version": dict(VERSION.schema), **wanted["properties"]},
        }
        return found


def _shown(name: str, value: Any, hidden: frozenset[str]) -> Any:
    return mask_mobile(value) if name in hidden and value else value
