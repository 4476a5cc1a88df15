"""项目申报 for programs: filled in, submitted and followed through the same services as the pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext

from app.api.attachment import AttachmentApi
from app.api.base import ReadApi, current_actor
from app.api.body import OPINION, VERSION, Key, json_object, read_key, read_keys, schema_of
from app.api.declaration_fields import ALIAS_OF, FIELDS, INPUT, TABLES
from app.api.document import WRITE_ERRORS, Operation, Schema, query, record_of, route
from app.core.errors import InvalidInput, StaleVersion
from app.core.fiscal import mask_mobile
from app.models.declaration import Declaration
from app.services import declaration
from app.services.reading import Unreadable
from app.services.unit_of_work import current_session

_MOVE = (VERSION, OPINION)
_ONLY_VERSION = (VERSION,)
_MOBILES = ("lead_mobile", "contact_mobile")
_LONGEST_PATH = 80


class DeclarationApi(ReadApi):
    """`/api/v1/declaration/`. The tables of rows travel inside the record; a PUT leaves alone what it does
    not name, and replaces a table whole. Keys that nobody may set are refused (SEC-47)."""

    noun = "declaration"
    model = Declaration
    component = "Declaration"
    title = lazy_gettext("Declared projects")
    include_route_methods = {
        "get_list",
        "get",
        "export",
        "post",
        "put",
        "delete",
        "submit",
        "withdraw",
        "recycle",
        "restore",
        "purge",
    }
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

    @route("POST", "/", "create", "A new draft", body="DeclarationInput", status=201, errors=WRITE_ERRORS)
    def post(self) -> Response:
        """A new draft of the caller's unit; it may be incomplete."""
        body = json_object()
        with _in_words_of(body):
            row = declaration.create(current_actor(), body)
        response = self._shown(row.id, 201)
        response.headers["Location"] = url_for("DeclarationApi.get", pk=row.id)
        return response

    @route("PUT", "/<int:pk>", "edit", "Save", body="DeclarationUpdate", errors=WRITE_ERRORS)
    def put(self, pk: int) -> Response:
        """Save a draft or a returned declaration, or nothing of it."""
        body = json_object()
        version = _version(body)
        raw = {name: value for name, value in body.items() if name != VERSION.name}
        with _in_words_of(body):
            declaration.save(current_actor(), pk, version, raw)
        return self._shown(pk)

    @route(
        "DELETE",
        "/<int:pk>",
        "recycle",
        "Put into the recycle bin",
        parameters=(query("version", VERSION.schema, "Without it: the present one"),),
        errors=WRITE_ERRORS,
    )
    def delete(self, pk: int) -> Response:
        """Put a draft into the recycle bin, from which it can be restored; so no version is demanded."""
        body = json_object() if request.content_length else dict(request.args)
        optional = replace(VERSION, required=False)
        version = read_keys(body, (optional,))["version"]
        if version is None:
            version = declaration.load(current_session(), current_actor(), pk).version
        declaration.recycle(current_actor(), pk, version)
        return self._shown(pk)

    # --- moves -----------------------------------------------------------------------------------------

    @route("POST", "/<int:pk>/submit", "submit", "Submit", body=schema_of(_MOVE), errors=WRITE_ERRORS)
    def submit(self, pk: int) -> Response:
        """Submit it as it is stored; `errors` of a 400 say everything that is missing. Sent twice it has one
        effect and the same answer."""
        values = self._asked(_MOVE)
        with _in_words_of(()):
            declaration.submit(current_actor(), pk, values["version"], opinion=values["opinion"])
        return self._shown(pk)

    @route("POST", "/<int:pk>/withdraw", "submit", "Withdraw", body=schema_of(_MOVE), errors=WRITE_ERRORS)
    def withdraw(self, pk: int) -> Response:
        """Take it back to the drafts while nobody has reviewed it at the present step."""
        values = self._asked(_MOVE)
        with _in_words_of(()):
            declaration.withdraw(current_actor(), pk, values["version"], opinion=values["opinion"])
        return self._shown(pk)

    @route(
        "POST",
        "/<int:pk>/recycle",
        "edit",
        "Put into the recycle bin",
        body=schema_of(_ONLY_VERSION),
        errors=WRITE_ERRORS,
    )
    def recycle(self, pk: int) -> Response:
        """Put a draft into the recycle bin."""
        with _in_words_of(()):
            declaration.recycle(current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
        return self._shown(pk)

    @route(
        "POST",
        "/<int:pk>/restore",
        "edit",
        "Take out of the recycle bin",
        body=schema_of(_ONLY_VERSION),
        errors=WRITE_ERRORS,
    )
    def restore(self, pk: int) -> Response:
        """Take a draft out of the recycle bin."""
        with _in_words_of(()):
            declaration.restore(current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
        return self._shown(pk)

    @route(
        "POST",
        "/<int:pk>/purge",
        "edit",
        "Remove for good",
        body=schema_of(_ONLY_VERSION),
        answer="Message",
        errors=WRITE_ERRORS,
    )
    def purge(self, pk: int) -> Response:
        """Remove a draft in the recycle bin for good, with its attachments; the log stays."""
        with _in_words_of(()):
            declaration.purge(current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
        return self.answer(message=gettext("The declaration was removed for good."))

    # --- helpers ---------------------------------------------------------------------------------------

    def _asked(self, keys: Iterable[Key]) -> dict[str, Any]:
        return read_keys(json_object(), keys)

    def _shown(self, pk: int, status: int = 200) -> Response:
        return self.answer(status, id=pk, result=self.record(pk))

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

    def operation(self, name: str) -> Operation:
        operation = super().operation(name)
        return operation.answering(record_of("Declaration")) if operation.answer is None else operation


def _version(body: Mapping[str, Any]) -> int:
    try:
        version: int = read_key(body, VERSION)
    except Unreadable as error:
        raise InvalidInput({VERSION.name: [error.problem]}) from error
    return version


@contextmanager
def _in_words_of(sent: Iterable[str]) -> Iterator[None]:
    """Name fields in refusals as the caller did, else as domain.md does: `service_category`."""
    own = frozenset(sent)

    def spoken(path: str) -> str:
        name, dot, rest = path.partition(".")
        name = name if name in own else ALIAS_OF.get(name, name)
        return f"{name}{dot}{rest}"[:_LONGEST_PATH]

    try:
        yield
    except InvalidInput as error:
        fields = {spoken(path): problems for path, problems in error.fields.items()}
        raise InvalidInput(fields, error.message, **error.params) from error
    except StaleVersion as error:
        raise StaleVersion([replace(each, field=spoken(each.field)) for each in error.changes]) from error
