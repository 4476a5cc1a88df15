"""Drafts of adjustments, and the form they are filled in with."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.models.adjustment import FundAdjustment
from app.services import adjustment
from app.services.adjustment import KIND
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.adjustment.columns import DRAFT_COLUMNS, FIELDS, tabs
from app.views.adjustment.form import FormBuilder, project_json
from app.views.base import PageAction, ScopedInterface
from app.views.base.listing import Listing
from app.views.document.columns import open_status
from app.views.document.drafts import DraftsView, Page, bulk_draft_actions, draft_actions
from app.views.document.filling import DocumentForm, Filling
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

FORM = DocumentForm(
    kind=KIND,
    builder=FormBuilder,
    check=adjustment.check,
    submit=adjustment.submit,
    template="adjustment/form.html",
    drafts="AdjustmentDraftView",
    show_endpoint="AdjustmentView.show",
    menu="AdjustmentView.list",
    create=adjustment.create,
    autosave_new=adjustment.autosave,
)
NEW = PageAction(
    lazy_gettext("New adjustment"), "AdjustmentDraftView.create", "adjustment", "create", "ti-plus"
)
_LONGEST_WORDS = 100


class AdjustmentDraftView(DraftsView):
    """Drafts and returned adjustments, and the form to fill them in."""

    form = FORM
    datamodel = ScopedInterface(FundAdjustment)
    noun = "adjustment"
    title = lazy_gettext("Drafts of adjustments")
    route_base = "/adjustment/drafts"
    list_template = "document/tabs.html"
    columns = DRAFT_COLUMNS
    fields = (*FIELDS, open_status(FundAdjustment))
    joins = (FundAdjustment.unit,)
    show_endpoint = "AdjustmentDraftView.edit"
    page_actions = (NEW,)
    row_actions = draft_actions("AdjustmentDraftView", "AdjustmentView.show")
    bulk_actions = bulk_draft_actions("AdjustmentDraftView")
    include_route_methods = {*DraftsView.include_route_methods, "autosave_new", "projects"}
    method_permission_name = {
        **DraftsView.method_permission_name,
        "autosave_new": "create",
        "projects": "edit",
    }

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=tabs(), **kwargs)

    def listing(self) -> Listing:
        menu_endpoint("AdjustmentView.list")
        return super().listing()

    @expose("/new", methods=["GET", "POST"])
    @has_access
    @permission_name("create")
    def create(self) -> Page:
        """An empty form; the draft is made by its first save, never by opening the page."""
        menu_endpoint("AdjustmentView.list")
        add_crumb(gettext("New adjustment"))
        if request.method == "GET":
            return self._shown(None)
        return self._filled_in(Filling(FORM, current_actor(), None))

    @expose("/autosave", methods=["POST"])
    @has_access
    @permission_name("autosave_new")
    def autosave_new(self) -> Response:
        """Keep what was typed into a new form: makes its draft, or finds the one this page made before."""
        return self._autosaved(None)

    @expose("/projects")
    @has_access
    @permission_name("projects")
    def projects(self) -> Response:
        """Projects whose funds may be adjusted, by number or title, with what they have; for the form."""
        words = request.args.get("q", "")[:_LONGEST_WORDS]
        found = adjustment.candidates(current_session(), current_actor(), words)
        return jsonify([project_json(each) for each in found])
