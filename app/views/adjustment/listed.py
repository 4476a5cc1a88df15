"""项目调整: what was submitted, the page of one adjustment, and its rows as a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale, gettext, lazy_gettext
from sqlalchemy import ColumnElement

from app.core import xlsx
from app.core.enums import DocumentStatus
from app.core.xlsx import ColumnKind
from app.models.adjustment import FundAdjustment
from app.services import adjustment, export
from app.services.dictionary import catalogue
from app.services.unit_of_work import current_session
from app.views import workbook
from app.views.actor import current_actor
from app.views.adjustment.columns import LISTED_COLUMNS, LISTED_FIELDS, tabs
from app.views.adjustment.detail import adjustment_detail, shown_changes
from app.views.adjustment.drafts import NEW
from app.views.base import OfficeView, RowAction, ScopedInterface
from app.views.document_pages import DocumentPage, page_context, register
from app.views.project_list import short_amount
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

_UNSUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)


class AdjustmentView(OfficeView):
    """Submitted adjustments, with the step each waits at."""

    datamodel = ScopedInterface(FundAdjustment)
    noun = "adjustment"
    title = lazy_gettext("Fund adjustments")
    route_base = "/adjustment"
    list_template = "document/tabs.html"
    columns = LISTED_COLUMNS
    fields = LISTED_FIELDS
    joins = (FundAdjustment.unit,)
    default_sort = "-submitted_at"
    show_endpoint = "AdjustmentView.show"
    page_actions = (NEW,)
    row_actions = (
        RowAction("show", lazy_gettext("Open"), "read", "AdjustmentView.show", "ti-eye"),
        RowAction("edit", lazy_gettext("Revise"), "edit", "AdjustmentDraftView.edit", "ti-edit"),
        RowAction(
            "workbook", lazy_gettext("Export the rows"), "export", "AdjustmentView.workbook", "ti-download"
        ),
    )
    include_route_methods = {"list", "export", "save_columns", "show", "workbook"}
    method_permission_name = {"show": "read", "workbook": "export"}

    def restriction(self) -> ColumnElement[bool]:
        return FundAdjustment.status.not_in(_UNSUBMITTED)

    def subtitle(self, total: int, sums: Mapping[str, Decimal]) -> str:
        """How many adjustments, and what they move."""
        return gettext(
            "%(total)s adjustments · out %(out)s · in %(into)s",
            total=f"{total:,}",
            out=short_amount(sums["out_amount"]),
            into=short_amount(sums["in_amount"]),
        )

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=tabs(), **kwargs)

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> str:
        """One adjustment, to be read and printed."""
        context = page_context(FundAdjustment.document_kind, pk)
        menu_endpoint("AdjustmentView.list")
        add_crumb(context["detail"].code)
        return self.render_template("adjustment/show.html", **context)

    @expose("/<int:pk>/workbook")
    @has_access
    @permission_name("workbook")
    def workbook(self, pk: int) -> ResponseReturnValue:
        """The rows of one adjustment, before and after, as a workbook."""
        actor, session = current_actor(), current_session()
        row = adjustment.detail(session, actor, pk, verb="export").adjustment
        title = f"{row.code} {row.title}".strip()
        written = export.workbook(
            actor,
            noun="adjustment",
            title=row.code,
            columns=_workbook_columns(),
            rows=_workbook_rows(row),
            total_label=gettext("Total"),
            criteria=title,
        )
        return workbook.send(written, title)


def _workbook_columns() -> list[xlsx.Column]:
    money = ColumnKind.MONEY
    return [
        xlsx.Column("seq", gettext("No."), ColumnKind.INTEGER, width=6),
        xlsx.Column("code", gettext("Project no."), width=16),
        xlsx.Column("title", gettext("Project title"), width=44),
        xlsx.Column("unit", gettext("Declaring unit"), width=18),
        xlsx.Column("channel", gettext("Funding channel"), width=22),
        xlsx.Column("before", gettext("Before (yuan)"), money, width=18, total=True),
        xlsx.Column("out", gettext("Transferred out (yuan)"), money, width=18, total=True),
        xlsx.Column("into", gettext("Transferred in (yuan)"), money, width=18, total=True),
        xlsx.Column("after", gettext("After (yuan)"), money, width=18, total=True),
    ]


def _workbook_rows(row: FundAdjustment) -> Iterator[list[object]]:
    known, language = catalogue(current_session()), str(get_locale())
    for line in row.lines:
        project, out = line.project, line.direction is not None and line.direction.sign < 0
        yield [
            line.seq,
            project.code if project else "",
            project.title if project else "",
            project.unit.short_name if project else "",
            known.label("funding_channel", line.channel, language) if line.channel else "",
            line.amount_before,
            line.amount if out else None,
            None if out else line.amount,
            line.amount_after,
        ]


register(
    DocumentPage(
        kind=FundAdjustment.document_kind,
        label=lazy_gettext("Fund adjustment"),
        show_endpoint="AdjustmentView.show",
        detail=adjustment_detail,
        template="adjustment/_detail.html",
        tasks_endpoint="AdjustmentTaskView.list",
        draft_endpoint="AdjustmentDraftView.edit",
        css=("css/declaration.css", "css/adjustment.css"),
        changes=shown_changes,
    )
)
