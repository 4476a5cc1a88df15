"""The OpenAPI document of the whole API, for whoever is logged in (SEC-51)."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from flask import Response, current_app, jsonify
from flask_appbuilder.api import BaseApi

from app.api.base import OfficeApi, add_shared
from app.api.document import route

_OPENAPI = "3.0.3"
_ABOUT = (
    "Amounts are decimal strings in yuan, dates ISO 8601, moments with their offset; dictionary fields carry"
    " codes, listed by `/dictionary/`. A record's `version` is sent back with every change of it: 409 means"
    " that somebody changed it meanwhile. Lists, records, files and workbooks hold what the caller's data"
    " scope reaches; everything else is 404."
)
_WITHOUT_TOKEN = frozenset({"/api/v1/security/login"})


class OpenApi(OfficeApi):
    """`/api/v1/_openapi`. Flask-AppBuilder's own takes the server's address from the request's Host."""

    noun = "openapi"
    component = "OpenApi"
    open_to_everyone = True
    route_base = "/api/v1"
    include_route_methods = {"get"}

    @route("GET", "/_openapi", "read", "This document", answer={"type": "object"}, errors=(401,))
    def get(self) -> Response:
        """Every operation of every resource."""
        return jsonify(document())


def document() -> dict[str, Any]:
    """The document, from the resources as they are registered."""
    appbuilder = current_app.appbuilder  # type: ignore[attr-defined]  # Flask-AppBuilder's own attribute
    spec = APISpec(
        title=str(appbuilder.app_name),
        version="v1",
        openapi_version=_OPENAPI,
        info={"description": _ABOUT},
        servers=[{"url": "/"}],
    )
    spec.components.security_scheme("jwt", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    add_shared(spec)
    for view in appbuilder.baseviews:
        if isinstance(view, BaseApi):
            view.add_api_spec(spec)
    found: dict[str, Any] = spec.to_dict()
    for path, operations in found["paths"].items():
        for operation in operations.values():
            operation.setdefault("security", [] if path in _WITHOUT_TOKEN else [{"jwt": []}])
    return found
