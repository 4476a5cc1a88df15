"""待申报项目: what is not submitted yet, and the form it is filled in with."""

from __future__ import annotations

from flask import Response, request
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.models.declaration import Declaration
from app.services import declaration
from app.services.declaration.draft import KIND
from app.views.actor import current_actor
from app.views.base import PageAction, ScopedInterface
from app.views.declaration.columns import DRAFT_COLUMNS, DRAFT_FIELDS
from app.views.declaration.form import FormBuilder
from app.views.document.drafts import DraftsView, Page, bulk_draft_actions, draft_actions
from app.views.document.filling import DocumentForm, Filling
from app.views.trail import add_crumb

FORM = DocumentForm(
    kind=KIND,
    builder=FormBuilder,
    check=declaration.check,
    submit=declaration.submit,
    template="declaration/form.html",
    drafts="DeclarationDraftView",
    show_endpoint="DeclarationView.show",
    create=declaration.create,
    autosave_new=declaration.autosave,
    similar="SimilarityView.title",
)


class DeclarationDraftView(DraftsView):
    """Drafts and returned declarations of the actor's units, and the form to fill them in."""

    form = FORM
    datamodel = ScopedInterface(Declaration)
    noun = "declaration"
    title = lazy_gettext("Declarations to submit")
    route_base = "/declaration/drafts"
    columns = DRAFT_COLUMNS
    fields = DRAFT_FIELDS
    joins = (Declaration.unit,)
    show_endpoint = "DeclarationDraftView.edit"
    page_actions = (
        PageAction(lazy_gettext("New declaration"), "DeclarationDraftView.create", "declaration", "create"),
    )
    row_actions = draft_actions("DeclarationDraftView", "DeclarationView.show")
    bulk_actions = bulk_draft_actions("DeclarationDraftView")
    include_route_methods = {*DraftsView.include_route_methods, "autosave_new"}
    method_permission_name = {**DraftsView.method_permission_name, "autosave_new": "create"}

    @expose("/new", methods=["GET", "POST"])
    @has_access
    @permission_name("create")
    def create(self) -> Page:
        """An empty form; the draft is made by its first save, never by opening the page."""
        add_crumb(gettext("New declaration"))
        if request.method == "GET":
            return self._shown(None)
        return self._filled_in(Filling(FORM, current_actor(), None))

    @expose("/autosave", methods=["POST"])
    @has_access
    @permission_name("autosave_new")
    def autosave_new(self) -> Response:
        """Keep what was typed into a new form: makes its draft, or finds the one this page made before."""
        return self._autosaved(None)
