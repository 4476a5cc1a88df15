"""Errors as pages and as JSON: what is wrong, where, what to do, and the request's number."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_babel import get_locale, gettext, lazy_gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, SecurityError

from app.core.enums import Labelled
from app.core.errors import DomainError, InvalidInput, Problem, Spoken, StaleVersion
from app.core.workdays import SHANGHAI
from app.extensions import db
from app.services import log
from app.views.actor import current_actor

logger = logging.getLogger(__name__)

_TITLES: dict[int, Any] = {
    400: lazy_gettext("The request cannot be read"),
    401: lazy_gettext("Please log in"),
    403: lazy_gettext("You may not do this"),
    404: lazy_gettext("Not found"),
    405: lazy_gettext("This address is not used that way"),
    409: lazy_gettext("Somebody was faster, or the record has moved on"),
    413: lazy_gettext("The file is too large"),
    415: lazy_gettext("This kind of file is not accepted"),
    429: lazy_gettext("Too many requests"),
    500: lazy_gettext("Something went wrong on our side"),
}
_HINTS: dict[int, Any] = {
    400: lazy_gettext("Go back, correct what is named above and try again."),
    403: lazy_gettext("If you need this for your work, ask your administrator for the permission."),
    404: lazy_gettext("Check the address, or look for the record through its list."),
    409: lazy_gettext(
        "Open the record again to see its present state; what you typed is still in the page you came from."
    ),
    413: lazy_gettext("One file may have at most 50 MB. Compress or split it."),
    429: lazy_gettext("Wait a minute and try again."),
    500: lazy_gettext("Nothing was saved. Tell the hotline the request number below."),
}


def translate(message: str, params: dict[str, object] | Any) -> str:
    """A message in the reader's language; enum parameters become their labels."""
    shown = {name: _shown(value) for name, value in dict(params).items()}
    return gettext(message, **shown) if shown else gettext(message)


def _shown(value: object) -> object:
    if isinstance(value, Labelled):
        return gettext(value.label)
    return value.spoken(str(get_locale()), gettext) if isinstance(value, Spoken) else value


def problem_text(problem: Problem) -> str:
    """One refused value's message in the reader's language."""
    return translate(problem.message, problem.params)


def field_errors(error: InvalidInput) -> dict[str, list[str]]:
    """Field → messages in the reader's language."""
    return {name: [problem_text(problem) for problem in problems] for name, problems in error.fields.items()}


def wants_json() -> bool:
    """Did a program ask, or a script of ours?"""
    return request.path.startswith("/api/") or request.headers.get("Accept", "").startswith(
        "application/json"
    )


def _domain_error(error: DomainError) -> Response:
    db.session.rollback()
    message = translate(error.message, error.params)
    fields = field_errors(error) if isinstance(error, InvalidInput) else {}
    changes = (
        [
            {"field": change.field, "old": change.old, "new": change.new, "by": change.by, "at": change.at}
            for change in error.changes
        ]
        if isinstance(error, StaleVersion)
        else []
    )
    return respond(error.status, message, fields, changes)


def respond(
    status: int,
    message: str,
    fields: dict[str, list[str]] | None = None,
    changes: list[dict[str, Any]] | None = None,
) -> Response:
    """The error as JSON or as a page; who asked for what he may not do stands in the log."""
    if status == 403:
        _note_denied()
    if wants_json():
        body: dict[str, Any] = {"message": message}
        if fields:
            body["errors"] = fields
        if changes:
            body["changes"] = [
                {**change, "at": change["at"].astimezone(SHANGHAI).isoformat()} for change in changes
            ]
        return make_response(jsonify(body), status)
    if status >= 500:
        return _page_without_database(status)
    page = render_template(
        "errors/error.html",
        code=status,
        title=str(_TITLES.get(status, _TITLES[400])),
        message=message,
        details=[text for texts in (fields or {}).values() for text in texts],
        hint=str(_HINTS.get(status, "")),
        request_id=g.get("request_id", ""),
        changes=changes or [],
    )
    return make_response(page, status)


def _note_denied() -> None:
    actor = current_actor()
    if actor.user_id is None:
        return
    try:
        log.denied(actor, request.method, request.path)
    except OperationalError:
        # A busy database must not turn a refusal into a failure; the program's own log still has it.
        logger.warning("%s was refused %s %s", actor.username, request.method, request.path)


def _page_without_database(status: int) -> Response:
    """The page for our own failures: drawn without the shell, whose counts would ask the database again."""
    template = current_app.jinja_env.get_template("errors/error.html")
    page = template.render(
        code=status,
        title=str(_TITLES.get(status, _TITLES[500])),
        message=str(_TITLES[500]),
        hint=str(_HINTS[500]),
        request_id=g.get("request_id", ""),
        lang=str(get_locale()),
    )
    return make_response(page, status)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    message = str(_TITLES.get(status, error.name))
    if isinstance(error, SecurityError):
        # Under a host name that is not ours no address can be made, and so no page of ours.
        return make_response(message, status, {"Content-Type": "text/plain; charset=utf-8"})
    if isinstance(error, CSRFError):
        message = gettext("This page was open too long. Go back, reload it and send the form again.")
    return respond(status, message)


def _unexpected(error: Exception) -> Response:
    db.session.rollback()
    logger.exception("request %s failed", g.get("request_id", ""))
    return respond(500, str(_TITLES[500]))


def install(app: Flask) -> None:
    """One handler turns the family of domain errors into answers, one the framework's, one the rest."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
