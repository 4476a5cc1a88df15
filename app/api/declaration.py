"""项目申报 for programs: filled in, submitted and followed through the same services as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask_babel import lazy_gettext

from app.api.attachment import AttachmentApi
from app.api.base import current_actor
from app.api.body import VERSION, json_object
from app.api.declaration_fields import ALIAS_OF, FIELDS, INPUT, TABLES
from app.api.document import WRITE_ERRORS, Schema, route
from app.api.filled import MOVES, FilledApi
from app.core.fiscal import mask_mobile
from app.models.declaration import Declaration
from app.services import declaration
from app.services.declaration.draft import KIND
from app.services.unit_of_work import current_session

_MOBILES = ("lead_mobile", "contact_mobile")


class DeclarationApi(FilledApi):
    """`/api/v1/declaration/`. The tables of rows travel inside the record; a PUT leaves alone what it does
    not name, and replaces a table whole. Keys that nobody may set are refused (SEC-47)."""

    noun = "declaration"
    model = Declaration
    component = "Declaration"
    title = lazy_gettext("Declared projects")
    include_route_methods = {*MOVES, "post"}
    kind = KIND
    submit_service = staticmethod(declaration.submit)
    alias_of = ALIAS_OF
    purged_text = lazy_gettext("The declaration was removed for good.")
    fields = FIELDS
    tables = TABLES

    # --- reading ---------------------------------------------------------------------------------------

    def record(self, pk: int) -> dict[str, Any]:
        """The declaration with its rows and attachments; telephone numbers are whole inside the unit only."""
        found = declaration.detail(current_session(), current_actor(), pk)
        row = found.declaration
        values = self.fields.record(row)
        if row.unit_id != current_actor().unit_id:
            values |= {name: mask_mobile(values[name]) for name in _MOBILES if values[name]}
        values |= {
            name: [inner.record(each) for each in getattr(row, name)] for name, inner in TABLES.items()
        }
        values["attachments"] = [AttachmentApi.fields.record(each) for each in found.attachments]
        return values

    # --- filling in ------------------------------------------------------------------------------------

    @route("POST", "/", "create", "A new draft", body="Input", status=201, errors=WRITE_ERRORS)
    def post(self) -> Response:
        """A new draft of the caller's unit; it may be incomplete."""
        body = json_object()
        with self._in_words_of(body):
            row = declaration.create(current_actor(), body)
        response = self._shown(row.id, 201)
        response.headers["Location"] = url_for("DeclarationApi.get", pk=row.id)
        return response

    def schemas(self) -> Mapping[str, Schema]:
        found = {name: dict(schema) for name, schema in super().schemas().items()}
        files = {"type": "array", "items": AttachmentApi.fields.schema()}
        found["Declaration"]["properties"]["attachments"] = files
        found["DeclarationInput"] = INPUT
        found["DeclarationUpdate"] = {
            **INPUT,
            "required": ["version"],
            "properties": {"version": dict(VERSION.schema), **INPUT["properties"]},
        }
        return found
