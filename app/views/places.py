"""Where each list was left: whoever comes back from a row finds the list as it was.

A list page notes its own address in a cookie; a redirect to the bare list after something was done leads to
that address, and so do the way back in the crumbs and on forms. Windows are told apart by static/js/shell.js,
which keeps the places of its own window and puts them into the cookie while it is in front.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, unquote

from flask import Flask, Response, after_this_request, current_app, request

from app.views.redirects import local_address

COOKIE = "places"
_KEPT_SIGNS = "!$'()*,/:;?@&=%+"
_LONGEST = 2_500
"""Characters of the cookie: a request's head has its limits."""


def note_place(path: str) -> None:
    """Let this request's address be where the list at `path` was left."""
    places = dict(_places())
    places.pop(path, None)
    query = quote(request.query_string, safe=_KEPT_SIGNS)
    if query:
        places[path] = query
    if places == _places():
        return
    while places and len(_written(places)) > _LONGEST:
        del places[next(iter(places))]

    @after_this_request
    def tell(response: Response) -> Response:
        response.set_cookie(
            COOKIE, _written(places), samesite="Lax", secure=bool(current_app.config["SESSION_COOKIE_SECURE"])
        )
        return response


def as_left(path: str) -> str:
    """The list at `path` as it was left, or the bare list."""
    query = _places().get(path)
    return local_address(f"{path}?{query}", path) if query else path


def _places() -> Mapping[str, str]:
    """List → query string. What the browser sends is no more than a wish: it becomes a query of ours."""
    try:
        told = json.loads(unquote(request.cookies.get(COOKIE, "")))
    except ValueError:
        return {}
    if not isinstance(told, dict):
        return {}
    return {
        path: query
        for path, query in told.items()
        if isinstance(path, str) and isinstance(query, str) and "#" not in query
    }


def _written(places: Mapping[str, str]) -> str:
    return quote(json.dumps(places, separators=(",", ":")), safe="")


def install(app: Flask) -> None:
    """Send whoever has done something on a row back to the list as he left it, to the row."""

    @app.after_request
    def lead_back(response: Response) -> Response:
        if request.method != "POST" or response.status_code not in (302, 303) or not response.location:
            return response
        place = as_left(response.location)
        row = (request.view_args or {}).get("pk")
        if place != response.location:
            response.location = f"{place}#r{row}" if isinstance(row, int) else place
        return response
