"""What a route is: its method and path, the verb it needs, and its place in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

Handler = TypeVar("Handler", bound=Callable[..., Any])
Schema = Mapping[str, Any]

READ_ERRORS = (401, 403, 404)
WRITE_ERRORS = (400, 401, 403, 404, 409, 413, 415)
JSON = "application/json"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ERRORS: Mapping[int, str] = {
    400: "A value is missing or wrong; `errors` says which",
    401: "Log in first: no token, or one that is over",
    403: "The record may be seen, but not this be done with it",
    404: "No such record within the data scope; whether it exists elsewhere is not told",
    409: "The record has moved on; `changes` says who changed what since the version sent",
    413: "The body or file is too large",
    415: "A body that is not JSON, or a file of a kind that is not taken",
    429: "Too many requests, or locked after too many failed log-ins",
}


@dataclass(frozen=True)
class Operation:
    """One operation. `verb` is the policy's, needed on whole collections; a single record is asked through
    its own rule. `answer` and `body` name component schemas or are schemas themselves."""

    method: str
    path: str
    verb: str
    summary: str
    answer: str | Schema | None = None
    body: str | Schema | None = None
    status: int = HTTPStatus.OK
    media: str = JSON
    body_media: str = JSON
    parameters: tuple[Schema, ...] = ()
    errors: tuple[int, ...] = READ_ERRORS
    path_schemas: Mapping[str, Schema] = field(default_factory=dict)

    def answering(self, answer: str | Schema) -> Operation:
        """The same operation with another answer."""
        return replace(self, answer=answer)

    def asking(self, *parameters: Schema, path: Mapping[str, Schema] | None = None) -> Operation:
        """The same operation with other parameters; `path` describes those of the address itself."""
        return replace(self, parameters=parameters or self.parameters, path_schemas=path or {})

    def described(self, operation_id: str) -> dict[str, Any]:
        """The operation as the document has it."""
        content = {} if self.answer is None else {"content": {self.media: {"schema": reference(self.answer)}}}
        described: dict[str, Any] = {
            "operationId": operation_id,
            "summary": self.summary,
            "security": [{"jwt": []}],
            "parameters": [*self._path_parameters(), *self.parameters],
            "responses": {
                str(int(self.status)): {"description": HTTPStatus(self.status).phrase, **content},
                **{str(code): {"$ref": f"#/components/responses/Error{code}"} for code in self.errors},
            },
        }
        if self.body is not None:
            schema = reference(self.body)
            described["requestBody"] = {
                "required": True,
                "content": {self.body_media: {"schema": schema}},
            }
        return described

    def _path_parameters(self) -> list[dict[str, Any]]:
        found = []
        for part in self.path.split("/"):
            if part.startswith("<"):
                converter, _, name = part.strip("<>").rpartition(":")
                schema = {"type": "integer", "minimum": 1} if converter == "int" else {"type": "string"}
                schema = dict(self.path_schemas.get(name, schema))
                found.append({"in": "path", "name": name, "required": True, "schema": schema})
        return found


def route(method: str, path: str, verb: str, summary: str, **more: Any) -> Callable[[Handler], Handler]:
    """Expose a method of an API: the only way, so that none is without a guard, a verb and a description."""
    operation = Operation(method, path, verb, summary, **more)

    def mark(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(api: Any, **arguments: Any) -> Any:
            api.guard(operation, arguments)
            return handler(api, **arguments)

        # As Flask-AppBuilder marks its own.
        vars(guarded).update(_operation=operation, _urls=[(path, (method,))], _permission_name=verb)
        return cast(Handler, guarded)

    return mark


def operation_of(handler: Any) -> Operation | None:
    """How a method was exposed; None for one that was not."""
    found: Operation | None = getattr(handler, "_operation", None)
    return found


def reference(schema: str | Schema) -> dict[str, Any]:
    """A component by its name, or a schema as it is."""
    return {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else dict(schema)


def record_of(schema: str | Schema, key: Schema | None = None) -> dict[str, Any]:
    """The answer with one record."""
    properties = {"id": dict(key or {"type": "integer"}), "result": reference(schema)}
    return {"type": "object", "required": ["id", "result"], "properties": properties}


def page_of(schema: str | Schema, key: Schema | None = None) -> dict[str, Any]:
    """The answer with a page of a list."""
    return {
        "type": "object",
        "required": ["count", "ids", "page", "page_size", "result"],
        "properties": {
            "count": {"type": "integer", "description": "How many rows there are on all pages"},
            "ids": {"type": "array", "items": dict(key or {"type": "integer"})},
            "page": {"type": "integer", "description": "Counted from 0"},
            "page_size": {"type": "integer", "description": "As used, after the limit"},
            "result": {"type": "array", "items": reference(schema)},
        },
    }


def query(name: str, schema: Schema, description: str, required: bool = False) -> Schema:
    """A parameter of the address."""
    return {
        "in": "query",
        "name": name,
        "schema": dict(schema),
        "description": description,
        "required": required,
    }


MESSAGE: Schema = {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}

ERROR: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "description": "For people, in the language of the request"},
        "errors": {
            "type": "object",
            "description": "Field → messages; `budget_lines.2.unit_price` is a cell of a table, from 0",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "changes": {
            "type": "array",
            "description": "With 409: who changed what since the version sent",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "old": {"type": "string"},
                    "new": {"type": "string"},
                    "by": {"type": "string"},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}

QUESTION: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "select_columns": {"type": "array", "items": {"type": "string"}},
        "keys": {"type": "array", "items": {"type": "string"}},
        "filters": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["col", "opr", "value"],
                "properties": {"col": {"type": "string"}, "opr": {"type": "string"}, "value": {}},
            },
        },
        "order_column": {"type": "string"},
        "order_direction": {"type": "string", "enum": ["asc", "desc"]},
        "page": {"type": "integer", "minimum": 0},
        "page_size": {"type": "integer", "minimum": -1},
    },
}

SHARED_SCHEMAS: Mapping[str, Schema] = {"Error": ERROR, "Message": MESSAGE, "ListQuestion": QUESTION}

SHARED_RESPONSES: Mapping[str, Schema] = {
    f"Error{code}": {"description": text, "content": {JSON: {"schema": reference("Error")}}}
    for code, text in _ERRORS.items()
}

LIST_PARAMETERS: tuple[Schema, ...] = (
    {
        "in": "query",
        "name": "q",
        "required": False,
        "description": (
            "Rison, or JSON: `(filters:!((col:title,opr:ct,value:'平台')),order_column:id,"
            "order_direction:desc,page:0,page_size:20,columns:!(id,title))`. Beside it `<field>=<value>`"
            " may be sent plainly."
        ),
        "content": {JSON: {"schema": reference("ListQuestion")}},
    },
    query("page", {"type": "integer", "minimum": 0, "default": 0}, "Counted from 0"),
    query("page_size", {"type": "integer", "minimum": -1}, "Beyond the limit, or -1: the limit"),
    query("order_column", {"type": "string"}, "A field of the list"),
    query("order_direction", {"type": "string", "enum": ["asc", "desc"]}, "asc when not given"),
)
