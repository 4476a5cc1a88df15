"""What is done with a document of any kind from its page: its unit withdraws or urges, who may ends it."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.core.errors import InvalidInput, Problem
from app.services import review
from app.views.actor import current_actor
from app.views.document_pages import page_context, page_of
from app.views.errors import field_errors
from app.views.review.tasks import number_of


class DocumentView(BaseView):
    """Moves of a document in review. Who may do them the policy of its kind says, not a permission of this
    view: the same addresses serve every kind."""

    route_base = "/document"
    default_view = "withdraw"

    @expose("/<kind>/<int:pk>/withdraw", methods=["POST"])
    @login_required
    def withdraw(self, kind: str, pk: int) -> ResponseReturnValue:
        """Take a submitted document back to the drafts."""
        page = page_of(kind)
        row = review.withdraw(current_actor(), kind, pk, version=posted_version())
        flash(gettext("Withdrawn: %(code)s. It is a draft again.", code=row.code), "success")
        return redirect(url_for(page.draft_endpoint or page.show_endpoint, pk=pk))

    @expose("/<kind>/<int:pk>/urge", methods=["POST"])
    @login_required
    def urge(self, kind: str, pk: int) -> ResponseReturnValue:
        """Remind the reviewers."""
        page = page_of(kind)
        review.urge(current_actor(), kind, pk)
        flash(gettext("The reviewers have been reminded."), "success")
        return redirect(url_for(page.show_endpoint, pk=pk))

    @expose("/<kind>/<int:pk>/terminate", methods=["POST"])
    @login_required
    def terminate(self, kind: str, pk: int) -> ResponseReturnValue:
        """End the review for good; without a reason the page comes back and asks for it."""
        page = page_of(kind)
        opinion = request.form.get("opinion", "")
        try:
            review.terminate(current_actor(), kind, pk, opinion)
        except InvalidInput as error:
            ending = {"opinion": opinion, "errors": field_errors(error).get("opinion", [])}
            drawn = self.render_template("document/show.html", ending=ending, **page_context(kind, pk))
            return drawn, error.status
        flash(gettext("The review was terminated."), "success")
        return redirect(url_for(page.show_endpoint, pk=pk))


def posted_version() -> int:
    """The version a form was made for. Raises `InvalidInput` for none."""
    text = request.form.get("version", "")
    version = number_of(text)
    if version is None:
        raise InvalidInput(
            {"version": [Problem.of("“%(value)s” is not a whole number from 1.", value=text[:40])]}
        )
    return version
