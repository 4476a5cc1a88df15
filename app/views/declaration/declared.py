"""已申报项目: what the units of the actor have submitted, and the page of one declaration."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, false, select
from werkzeug.wrappers import Response as BaseResponse

from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput, Problem
from app.models.declaration import Declaration
from app.models.unit import Unit
from app.services import declaration, review
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction, ScopedInterface
from app.views.declaration.columns import DECLARED_COLUMNS, DECLARED_FIELDS
from app.views.declaration.detail import declaration_detail
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

_UNSUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)
_MENU = {
    DocumentStatus.DRAFT: "DeclarationDraftView.list",
    DocumentStatus.RETURNED: "DeclarationDraftView.list",
    DocumentStatus.RECYCLED: "DeclarationBinView.list",
}


class DeclarationView(OfficeView):
    """Submitted declarations of the actor's own units, with the step each waits at."""

    datamodel = ScopedInterface(Declaration)
    noun = "declaration"
    title = lazy_gettext("Declared projects")
    route_base = "/declaration"
    columns = DECLARED_COLUMNS
    fields = DECLARED_FIELDS
    joins = (Declaration.unit, Declaration.project)
    default_sort = "-submitted_at"
    show_endpoint = "DeclarationView.show"
    row_actions = (
        RowAction("show", lazy_gettext("Open"), "read", "DeclarationView.show", "ti-eye"),
        RowAction("edit", lazy_gettext("Revise"), "edit", "DeclarationDraftView.edit", "ti-edit"),
    )
    include_route_methods = {"list", "export", "save_columns", "show", "withdraw", "urge"}
    method_permission_name = {"show": "read", "withdraw": "submit", "urge": "submit"}

    def restriction(self) -> ColumnElement[bool]:
        """Of the actor's own unit and those below it, whatever else his roles let him read."""
        actor = current_actor()
        if not actor.unit_path:
            return false()
        own = select(Unit.id).where(Unit.path.startswith(actor.unit_path, autoescape=True))
        return Declaration.status.not_in(_UNSUBMITTED) & Declaration.unit_id.in_(own)

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> str:
        """One declaration, to be read, printed, and by its unit withdrawn."""
        detail = declaration_detail(current_actor(), pk)
        menu_endpoint(
            _MENU.get(detail.document.status, "DeclarationView.list")
            if current_actor().holds("declaration", "edit")
            else "DeclarationSummaryView.list"
        )
        add_crumb(detail.code)
        return self.render_template("declaration/show.html", detail=detail, title=detail.title)

    @expose("/withdraw/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("withdraw")
    def withdraw(self, pk: int) -> BaseResponse:
        """Take a submitted declaration back to the drafts."""
        row = declaration.withdraw(current_actor(), pk, _posted_version())
        flash(gettext("Withdrawn: %(code)s. It is a draft again.", code=row.code), "success")
        return redirect(url_for("DeclarationDraftView.edit", pk=pk))

    @expose("/urge/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("urge")
    def urge(self, pk: int) -> BaseResponse:
        """Remind the reviewers."""
        review.urge(current_actor(), Declaration.document_kind, pk)
        flash(gettext("The reviewers have been reminded."), "success")
        return redirect(url_for("DeclarationView.show", pk=pk))


def _posted_version() -> int:
    text = request.form.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(
            {"version": [Problem.of("“%(value)s” is not a whole number from 1.", value=text[:40])]}
        )
    return int(text)
