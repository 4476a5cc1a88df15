"""Submitted change requests, the page of one of them, and its sheet of comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, false, select

from app.core import xlsx
from app.core.enums import DocumentStatus
from app.core.errors import Change
from app.models.change import ChangeRequest
from app.models.unit import Unit
from app.services import export
from app.views import workbook
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction, ScopedInterface
from app.views.change.columns import DECLARED_COLUMNS, DECLARED_FIELDS
from app.views.change.detail import ChangeDetail, change_detail, readable
from app.views.change.drafts import tabs
from app.views.document.labels import change_rows
from app.views.document_pages import DocumentPage, page_context, register
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

_UNSUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)


class ChangeView(OfficeView):
    """Submitted change requests of the actor's own units, with the step each waits at."""

    datamodel = ScopedInterface(ChangeRequest)
    noun = "change"
    title = lazy_gettext("Submitted change requests")
    route_base = "/change"
    list_template = "document/tabs.html"
    columns = DECLARED_COLUMNS
    fields = DECLARED_FIELDS
    joins = (ChangeRequest.project, ChangeRequest.unit)
    default_sort = "-submitted_at"
    show_endpoint = "ChangeView.show"
    row_actions = (
        RowAction("show", lazy_gettext("Open"), "read", "ChangeView.show", "ti-eye"),
        RowAction("edit", lazy_gettext("Revise"), "edit", "ChangeDraftView.edit", "ti-edit"),
    )
    include_route_methods = {"list", "export", "save_columns", "show", "compare"}
    method_permission_name = {"show": "read", "compare": "read"}

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=tabs(), **kwargs)

    def listing(self) -> Any:
        menu_endpoint("ChangeDraftView.list")
        return super().listing()

    def restriction(self) -> ColumnElement[bool]:
        """Of the actor's own unit and those below it, whatever else his roles let him read."""
        actor = current_actor()
        if not actor.unit_path:
            return false()
        own = select(Unit.id).where(Unit.path.startswith(actor.unit_path, autoescape=True))
        return ChangeRequest.status.not_in(_UNSUBMITTED) & ChangeRequest.unit_id.in_(own)

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> str:
        """One change request, to be read and printed."""
        context = page_context(ChangeRequest.document_kind, pk)
        detail: ChangeDetail = context["detail"]
        own = current_actor().holds("change", "edit")
        recycled = detail.document.status is DocumentStatus.RECYCLED
        menu_endpoint(
            ("ChangeBinView.list" if recycled else "ChangeDraftView.list")
            if own
            else "ChangeReviewedView.list"
        )
        add_crumb(detail.code)
        return self.render_template("change/show.html", **context)

    @expose("/compare/<int:pk>")
    @has_access
    @permission_name("compare")
    def compare(self, pk: int) -> ResponseReturnValue:
        """对比表: every difference with its two sides, as a workbook."""
        detail = change_detail(current_actor(), pk)
        title = gettext("Comparison %(code)s", code=detail.code)
        written = export.workbook(
            current_actor(),
            noun="change",
            title=title,
            columns=(
                xlsx.Column("field", gettext("Field"), width=24),
                xlsx.Column("row", gettext("Row"), width=8),
                xlsx.Column("before", gettext("Before"), width=48),
                xlsx.Column("after", gettext("After"), width=48),
            ),
            rows=_compared(detail),
            total_label=gettext("Total"),
            criteria=detail.code,
        )
        return workbook.send(written, title)


def _compared(detail: ChangeDetail) -> Iterator[Sequence[object]]:
    for pair in detail.pairs:
        yield pair.label, "", pair.before, pair.after
    for table in detail.tables:
        for place in range(max(len(table.before), len(table.after))):
            sides = (
                " | ".join(rows[place].cells) if place < len(rows) else ""
                for rows in (table.before, table.after)
            )
            yield table.label, str(place + 1), *sides
        if table.total_before or table.total_after:
            yield table.label, gettext("Total"), table.total_before, table.total_after


def _rows(found: Sequence[Change]) -> list[dict[str, Any]]:
    return change_rows(readable(found))


register(
    DocumentPage(
        kind=ChangeRequest.document_kind,
        label=lazy_gettext("Change request"),
        show_endpoint="ChangeView.show",
        detail=change_detail,
        template="change/_detail.html",
        tasks_endpoint="ChangeTaskView.list",
        edit_endpoint="ChangeEditView.edit",
        draft_endpoint="ChangeDraftView.edit",
        css=("css/declaration.css", "css/change.css"),
        changes=_rows,
    )
)
