"""The one base class of every API: Flask-AppBuilder's conventions with its holes closed, once.

Flask-AppBuilder's own `ModelRestApi` loads rows by any id, writes what the body says and commits by itself,
opens every route, and is exempt from CSRF for cookies too. Here rows come through the policy, writes belong
to the services, a route exists only when it is named, and a cookie alone writes nothing
(`OfficeSecurityManager.load_user`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from apispec import APISpec
from flask import Response, current_app, g, request, send_file
from flask_appbuilder.api import BaseApi
from flask_babel import get_locale, gettext
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.sql.base import ExecutableOption
from werkzeug.exceptions import Unauthorized

from app.access import policy
from app.access.actor import Actor
from app.api.document import (
    EXCEL,
    LIST_PARAMETERS,
    SHARED_RESPONSES,
    SHARED_SCHEMAS,
    Operation,
    Schema,
    operation_of,
    page_of,
    record_of,
    route,
)
from app.api.fields import Field, FieldSet
from app.api.kinds import LARGEST_WHOLE
from app.api.listing import DEFAULT_PAGE_SIZE, ListStatement, Question, Source, read_question
from app.core import download, xlsx
from app.core.errors import NotAllowed, NotFound
from app.services import dictionary, export
from app.services.unit_of_work import current_session

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def current_actor() -> Actor:
    """Who asks; made by the security manager before any operation, which `guard` has made sure of."""
    return cast(Actor, g.actor)


class OfficeApi(BaseApi):
    """A resource. `noun` is the policy's noun and the name in the address; `model` its rows.

    `include_route_methods` names the methods that are open; nothing else is. A collection is open to who
    holds the operation's verb, unless `open_to_everyone` says that every logged-in user may ask; a single
    record answers 404 to whoever may not see it, whatever is asked of it, before the body is looked at.
    """

    noun: ClassVar[str]
    model: ClassVar[type[Any]]
    component: ClassVar[str]
    open_to_everyone: ClassVar[bool] = False
    include_route_methods: ClassVar[set[str]] = set()
    responses: ClassVar[Mapping[str, Any]] = {}

    def __init__(self) -> None:
        self.resource_name = self.class_permission_name = self.noun
        self.openapi_spec_tag = self.component
        self.operations: dict[str, Operation] = {
            name: operation
            for name in sorted(self.include_route_methods)
            if (operation := operation_of(getattr(self, name))) is not None
        }
        self.method_permission_name = {name: operation.verb for name, operation in self.operations.items()}
        self.base_permissions = sorted({f"can_{verb}" for verb in self.method_permission_name.values()})
        super().__init__()

    # --- before every operation ------------------------------------------------------------------------

    def guard(self, operation: Operation, arguments: Mapping[str, Any]) -> None:
        """Who is not logged in gets 401, who may not ask 403, and who may not see the record 404."""
        if not current_user.is_authenticated or g.get("actor") is None:
            raise Unauthorized
        if any(isinstance(value, int) and value > LARGEST_WHOLE for value in arguments.values()):
            raise NotFound
        if "pk" not in arguments:
            if not self.open_to_everyone and not current_actor().holds(self.noun, operation.verb):
                raise NotAllowed
        elif request.method not in _SAFE:
            self.require_known(arguments["pk"])

    def require_known(self, pk: Any) -> None:
        """Raise `NotFound` unless the actor may read this record."""
        model = self.model
        known = select(model.id).where(model.id == pk, policy.criterion(current_actor(), model))
        if current_session().scalar(known) is None:
            raise NotFound

    def answer(self, status: int = 200, **values: Any) -> Response:
        """A JSON answer."""
        return cast(Response, self.response(status, **values))

    # --- the document ----------------------------------------------------------------------------------

    def schemas(self) -> Mapping[str, Schema]:
        """The component schemas that this resource brings."""
        return {}

    def operation(self, name: str) -> Operation:
        """An operation as documented; resources fill in what depends on their fields."""
        return self.operations[name]

    def add_api_spec(self, api_spec: APISpec) -> None:
        """Put every operation into the document, from what `route` was told."""
        add_shared(api_spec)
        for name, schema in self.schemas().items():
            api_spec.components.schema(name, dict(schema))
        for name in self.operations:
            operation = self.operation(name)
            described = {**operation.described(f"{self.noun}_{name}"), "tags": [self.component]}
            path = self.path_helper(path=operation.path)
            api_spec.path(path=path, operations={operation.method.lower(): described})


def add_shared(api_spec: APISpec) -> None:
    """The schemas and answers that every resource refers to, once."""
    for name, schema in SHARED_SCHEMAS.items():
        if name not in api_spec.components.schemas:
            api_spec.components.schema(name, dict(schema))
    for name, shared in SHARED_RESPONSES.items():
        if name not in api_spec.components.responses:
            api_spec.components.response(name, dict(shared))


class ReadApi(OfficeApi):
    """A resource with a list, a single record and, where `export` is open, a workbook of the list.

    `tables` are the rows that travel inside a single record, under the name of their relationship.
    """

    fields: ClassVar[FieldSet]
    tables: ClassVar[Mapping[str, FieldSet]] = {}
    default_order: ClassVar[str] = "-id"
    default_page_size: ClassVar[int] = DEFAULT_PAGE_SIZE
    title: ClassVar[Any] = ""

    @route("GET", "/", "read", "A page of the list", parameters=LIST_PARAMETERS, errors=(400, 401, 403))
    def get_list(self) -> Response:
        """The rows within the actor's scope, as asked."""
        question = self.question()
        statement = ListStatement(self.source("read"), question)
        session = current_session()
        count = statement.count(session)
        ids, rows = statement.page(session)
        self.complete(rows)
        return self.answer(
            count=count, ids=ids, page=question.page, page_size=question.page_size, result=rows
        )

    @route("GET", "/<int:pk>", "read", "One record")
    def get(self, pk: int) -> Response:
        """One record within the actor's scope."""
        return self.answer(id=pk, result=self.record(pk))

    @route(
        "GET",
        "/export",
        "export",
        "The rows of the list as a workbook",
        parameters=LIST_PARAMETERS,
        answer={"type": "string", "format": "binary"},
        media=EXCEL,
        errors=(400, 401, 403, 429),
    )
    def export(self) -> Response:
        """Every row of the list, all pages, with labels instead of codes."""
        question = self.question()
        shown = [field for field in question.shown if field.label]
        written = export.workbook(
            current_actor(),
            noun=self.noun,
            title=str(self.title),
            columns=[_heading(field) for field in shown],
            rows=self._rows(question, shown),
            total_label=gettext("Total"),
            criteria=request.query_string.decode(errors="replace"),
        )
        response = send_file(written.file, mimetype=EXCEL)
        response.headers.update(download.headers(f"{self.title}.xlsx", written.size))
        response.headers["X-Rows"] = str(written.count)
        return response

    # --- what a resource may say differently -----------------------------------------------------------

    def source(self, verb: str) -> Source:
        """Where the rows of the list come from."""
        return Source(self.model, policy.criterion(current_actor(), self.model, verb), self.model.id)

    def options(self) -> Sequence[ExecutableOption]:
        """What to load with a single record."""
        return ()

    def record(self, pk: int) -> dict[str, Any]:
        """One record as JSON. Raises `NotFound`."""
        row = policy.load(current_session(), current_actor(), self.model, pk, options=self.options())
        return self.fields.record(row) | {
            name: [inner.record(each) for each in getattr(row, name)] for name, inner in self.tables.items()
        }

    def complete(self, rows: list[dict[str, Any]]) -> None:
        """Add to the rows of a page what no column holds."""

    def schemas(self) -> Mapping[str, Schema]:
        whole = self.fields.schema()
        for name, inner in self.tables.items():
            whole["properties"][name] = {"type": "array", "items": inner.schema()}
        return {self.component: whole, f"{self.component}Row": self.fields.schema(self.fields.listed)}

    def operation(self, name: str) -> Operation:
        known = {"get_list": page_of(f"{self.component}Row"), "get": record_of(self.component)}
        operation = self.operations[name]
        return operation.answering(known[name]) if name in known else operation

    # --- reading ---------------------------------------------------------------------------------------

    def question(self) -> Question:
        """What this request asks of the list."""
        return read_question(
            self.fields,
            request.args,
            default_order=self.default_order,
            most=current_app.config["FAB_API_MAX_PAGE_SIZE"],
            page_size=self.default_page_size,
        )

    def _rows(self, question: Question, shown: Sequence[Field]) -> Any:
        statement = ListStatement(self.source("export"), question).every()
        places = [1 + list(question.shown).index(field) for field in shown]
        labels = dictionary.labels(current_session(), str(get_locale()))
        for row in current_session().execute(statement, execution_options={"yield_per": 1000}):
            yield [_exported(field, row[place], labels) for field, place in zip(shown, places, strict=True)]


def _heading(field: Field) -> xlsx.Column:
    return xlsx.Column(field.name, str(field.label), field.kind.excel, width=field.width, total=field.total)


def _exported(field: Field, value: Any, labels: Mapping[tuple[str, str], str]) -> Any:
    """A value as a workbook shows it: a label for a code."""
    if value is None or value == "":
        return None
    if field.kind.enum is not None:
        return gettext(field.kind.enum(value).label)
    if field.kind.dictionary is not None:
        found = value if isinstance(value, list) else str(value).split(",")
        return "、".join(labels.get((field.kind.dictionary, code), code) for code in found)
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    return value
