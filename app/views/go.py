"""`/go/<noun>/<id>`: the address that messages carry, because a service does not know pages."""

from __future__ import annotations

from flask import current_app, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import login_required

from app.core.errors import NotFound
from app.views.document_pages import page_of

_OTHERS = {"task": "ReviewView.task", "agent": "AgentView.open"}
"""The pages of records that are no documents; each checks the reader's scope itself."""


def address(noun: str, row_id: int) -> str:
    """The page of a record. Raises `NotFound` for a kind that has none."""
    endpoint = _OTHERS.get(noun) or page_of(noun).show_endpoint
    if endpoint not in current_app.view_functions:
        raise NotFound
    return url_for(endpoint, pk=row_id)


class GoView(BaseView):
    """Follows the link of a message to the page of its record."""

    route_base = "/go"
    default_view = "to"

    @expose("/<noun>/<int:pk>")
    @login_required
    def to(self, noun: str, pk: int) -> ResponseReturnValue:
        """To the record's page."""
        return redirect(address(noun, pk))
