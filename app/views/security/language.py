"""The language of the pages: changed by a POST that leads back to the same page."""

from __future__ import annotations

from flask import abort, current_app, redirect, request, session
from flask_appbuilder import BaseView, expose
from flask_babel import refresh
from werkzeug.wrappers import Response

from app.views.redirects import local_address


class LanguageView(BaseView):
    """Instead of Flask-AppBuilder's `GET /lang/<code>`, which changes something on a GET."""

    route_base = "/language"
    default_view = "switch"

    @expose("/<string:code>", methods=["POST"])
    def switch(self, code: str) -> Response:
        """Keep the language in the session and go back."""
        if code not in current_app.config["LANGUAGES"]:
            abort(404)
        session["locale"] = code
        refresh()
        return redirect(local_address(request.form.get("next"), "/"))
