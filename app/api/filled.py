"""A document that a unit fills in, for programs: saved, submitted and followed through the services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from flask import Response, request

from app.api.base import ReadApi, current_actor
from app.api.body import OPINION, VERSION, Key, json_object, read_key, read_keys, schema_of
from app.api.document import WRITE_ERRORS, Operation, query, record_of, route
from app.core.errors import InvalidInput, StaleVersion
from app.services import review
from app.services.document import draft, submission
from app.services.document.kind import DocumentKind
from app.services.reading import Unreadable
from app.services.unit_of_work import current_session

_MOVE = (VERSION, OPINION)
_ONLY_VERSION = (VERSION,)
_SAID = (OPINION,)
_LONGEST_PATH = 80

MOVES = frozenset(
    {
        "get_list",
        "get",
        "export",
        "put",
        "delete",
        "submit",
        "withdraw",
        "urge",
        "terminate",
        "recycle",
        "restore",
        "purge",
    }
)
"""What every kind offers; a kind adds how a draft is begun."""


class FilledApi(ReadApi):
    """What the resources of such documents share. A PUT leaves alone what it does not name, and replaces a
    table whole. Keys that nobody may set are refused (SEC-47). `submit_service` is (actor, id, version,
    opinion=) → document; `alias_of` are the names that programs read, by ours, where they differ."""

    kind: ClassVar[DocumentKind[Any, Any]]
    submit_service: ClassVar[Callable[..., Any]]
    alias_of: ClassVar[Mapping[str, str]] = {}
    purged_text: ClassVar[Any]

    # --- filling in ------------------------------------------------------------------------------------

    @route("PUT", "/<int:pk>", "edit", "Save", body="Update", errors=WRITE_ERRORS)
    def put(self, pk: int) -> Response:
        """Save a draft or a returned declaration, or nothing of it."""
        body = json_object()
        version = _version(body)
        raw = {name: value for name, value in body.items() if name != VERSION.name}
        with self._in_words_of(body):
            draft.save(self.kind, current_actor(), pk, version, raw)
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
            version = self.kind.load(current_session(), current_actor(), pk).version
        draft.recycle(self.kind, current_actor(), pk, version)
        return self._shown(pk)

    # --- moves -----------------------------------------------------------------------------------------

    @route("POST", "/<int:pk>/submit", "submit", "Submit", body=schema_of(_MOVE), errors=WRITE_ERRORS)
    def submit(self, pk: int) -> Response:
        """Submit it as it is stored; `errors` of a 400 say everything that is missing. Sent twice it has one
        effect and the same answer."""
        values = self._asked(_MOVE)
        with self._in_words_of(()):
            self.submit_service(current_actor(), pk, values["version"], opinion=values["opinion"])
        return self._shown(pk)

    @route("POST", "/<int:pk>/withdraw", "submit", "Withdraw", body=schema_of(_MOVE), errors=WRITE_ERRORS)
    def withdraw(self, pk: int) -> Response:
        """Take it back to the drafts while nobody has reviewed it at the present step."""
        values = self._asked(_MOVE)
        with self._in_words_of(()):
            submission.withdraw(self.kind, current_actor(), pk, values["version"], opinion=values["opinion"])
        return self._shown(pk)

    @route("POST", "/<int:pk>/urge", "submit", "Urge", body=schema_of(_SAID), errors=WRITE_ERRORS)
    def urge(self, pk: int) -> Response:
        """Remind its reviewers, once a day."""
        review.urge(current_actor(), self.kind.name, pk, self._asked(_SAID)["opinion"])
        return self._shown(pk)

    @route("POST", "/<int:pk>/terminate", "read", "Terminate", body=schema_of(_SAID), errors=WRITE_ERRORS)
    def terminate(self, pk: int) -> Response:
        """End its review for good; `opinion` is the reason and required. Needs the grant `task.terminate`."""
        review.terminate(current_actor(), self.kind.name, pk, self._asked(_SAID)["opinion"])
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
        with self._in_words_of(()):
            draft.recycle(self.kind, current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
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
        with self._in_words_of(()):
            draft.restore(self.kind, current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
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
        with self._in_words_of(()):
            draft.purge(self.kind, current_actor(), pk, self._asked(_ONLY_VERSION)["version"])
        return self.answer(message=str(self.purged_text))

    # --- helpers ---------------------------------------------------------------------------------------

    def _asked(self, keys: Iterable[Key]) -> dict[str, Any]:
        return read_keys(json_object(), keys)

    def _shown(self, pk: int, status: int = 200) -> Response:
        return self.answer(status, id=pk, result=self.record(pk))

    def operation(self, name: str) -> Operation:
        operation = super().operation(name)
        if operation.body in ("Begin", "Input", "Update"):
            operation = replace(operation, body=f"{self.component}{operation.body}")
        return operation.answering(record_of(self.component)) if operation.answer is None else operation

    @contextmanager
    def _in_words_of(self, sent: Iterable[str]) -> Iterator[None]:
        """Name fields in refusals as the caller did, else as domain.md does: `service_category`."""
        own = frozenset(sent)

        def spoken(path: str) -> str:
            name, dot, rest = path.partition(".")
            name = name if name in own else self.alias_of.get(name, name)
            return f"{name}{dot}{rest}"[:_LONGEST_PATH]

        try:
            yield
        except InvalidInput as error:
            fields = {spoken(path): problems for path, problems in error.fields.items()}
            raise InvalidInput(fields, error.message, **error.params) from error
        except StaleVersion as error:
            raise StaleVersion([replace(each, field=spoken(each.field)) for each in error.changes]) from error


def _version(body: Mapping[str, Any]) -> int:
    try:
        version: int = read_key(body, VERSION)
    except Unreadable as error:
        raise InvalidInput({VERSION.name: [error.problem]}) from error
    return version
