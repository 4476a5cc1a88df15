"""已申报项目: what the units of the actor have submitted, and the page of one declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_appbuilder import expose
from flask_babel import get_locale, gettext, lazy_gettext
from flask_login import login_required
from sqlalchemy import ColumnElement, false, select

from app.core.enums import DocumentStatus
from app.core.errors import Change
from app.models.declaration import Declaration
from app.models.unit import Unit
from app.services import declaration
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction, ScopedInterface
from app.views.base.dictionaries import catalogue
from app.views.declaration.columns import DECLARED_COLUMNS, DECLARED_FIELDS
from app.views.declaration.detail import DeclarationDetail, declaration_detail
from app.views.document.labels import change_rows
from app.views.document_pages import DocumentPage, page_context, register
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
    include_route_methods = {"list", "export", "save_columns", "show"}

    def restriction(self) -> ColumnElement[bool]:
        """Of the actor's own unit and those below it, whatever else his roles let him read."""
        actor = current_actor()
        if not actor.unit_path:
            return false()
        own = select(Unit.id).where(Unit.path.startswith(actor.unit_path, autoescape=True))
        return Declaration.status.not_in(_UNSUBMITTED) & Declaration.unit_id.in_(own)

    @expose("/show/<int:pk>")
    @login_required
    def show(self, pk: int) -> str:
        """One declaration, to be read and printed. No permission stands before it but the policy of the row:
        signers and readers of a copy, who hold nothing of declarations, come here too."""
        context = page_context(Declaration.document_kind, pk)
        detail: DeclarationDetail = context["detail"]
        menu_endpoint(
            _MENU.get(detail.document.status, "DeclarationView.list")
            if current_actor().holds("declaration", "edit")
            else "DeclarationSummaryView.list"
        )
        add_crumb(detail.code)
        return self.render_template("declaration/show.html", **context)


def _changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return change_rows(declaration.readable(changes, catalogue(), str(get_locale()), gettext))


register(
    DocumentPage(
        kind=Declaration.document_kind,
        label=lazy_gettext("Declaration"),
        show_endpoint="DeclarationView.show",
        detail=declaration_detail,
        template="declaration/_detail.html",
        head_template="declaration/_steps.html",
        tasks_endpoint="ReviewTaskView.list",
        edit_endpoint="ReviewEditView.edit",
        draft_endpoint="DeclarationDraftView.edit",
        changes=_changes,
    )
)
