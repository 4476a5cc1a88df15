"""调整明细: every adjusted row, before and after, to be followed project by project."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement

from app.access import policy
from app.core.enums import DocumentStatus
from app.core.funds import AdjustmentKind, Direction
from app.core.xlsx import ColumnKind
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.project import Project
from app.models.unit import Unit
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.adjustment.columns import tabs
from app.views.base import Column, DateRange, OfficeView, ScopedInterface, TextField, enum_choice
from app.views.base.dictionaries import dictionary_choice
from app.views.base.listing import Listing
from app.views.project_list import channel_names
from app.views.shell import menu_endpoint

_UNSUBMITTED = (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)


class AdjustmentLineView(OfficeView):
    """The rows of submitted adjustments."""

    datamodel = ScopedInterface(AdjustmentLine)
    noun = "adjustment"
    title = lazy_gettext("Adjusted rows")
    route_base = "/adjustment/lines"
    list_template = "document/tabs.html"
    include_route_methods = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    show_endpoint = "AdjustmentLineView.show"
    joins = (AdjustmentLine.adjustment, AdjustmentLine.project, Project.unit)
    default_sort = "-id"
    columns = (
        Column("adjustment", lazy_gettext("Adjustment no."), FundAdjustment.code, nowrap=True, link=True),
        Column(
            "basis_no",
            lazy_gettext("Basis document no."),
            FundAdjustment.basis_no,
            css="code",
            width=24,
            visible=False,
        ),
        Column(
            "kind",
            lazy_gettext("Kind of adjustment"),
            FundAdjustment.kind,
            enum=AdjustmentKind,
            visible=False,
        ),
        Column("code", lazy_gettext("Project no."), Project.code, css="code", nowrap=True, width=16),
        Column("title", lazy_gettext("Project title"), Project.title, css="title", width=40),
        Column("unit", lazy_gettext("Declaring unit"), Unit.short_name, css="unit"),
        Column(
            "channel",
            lazy_gettext("Funding channel"),
            AdjustmentLine.channel,
            dictionary="funding_channel",
            css="unit",
            render=channel_names,
            width=28,
        ),
        Column("direction", lazy_gettext("Direction"), AdjustmentLine.direction, enum=Direction),
        Column("before", lazy_gettext("Before (yuan)"), AdjustmentLine.amount_before, ColumnKind.MONEY),
        Column("amount", lazy_gettext("Adjusted amount (yuan)"), AdjustmentLine.amount, ColumnKind.MONEY),
        Column("after", lazy_gettext("After (yuan)"), AdjustmentLine.amount_after, ColumnKind.MONEY),
        Column("status", lazy_gettext("Status"), FundAdjustment.status, enum=DocumentStatus),
        Column(
            "submitted_at",
            lazy_gettext("Submitted at"),
            FundAdjustment.submitted_at,
            ColumnKind.DATETIME,
            css="date",
            visible=False,
        ),
        Column("id", lazy_gettext("No."), AdjustmentLine.id, ColumnKind.INTEGER, visible=False),
    )
    fields = (
        TextField("project", lazy_gettext("Project no. or title"), columns=(Project.code, Project.title)),
        TextField(
            "q",
            lazy_gettext("Number or document"),
            columns=(FundAdjustment.code, FundAdjustment.title, FundAdjustment.basis_no),
        ),
        TextField("unit", lazy_gettext("Declaring unit"), columns=(Unit.name, Unit.short_name)),
        enum_choice(
            "kind", lazy_gettext("Kind of adjustment"), FundAdjustment.kind, AdjustmentKind, primary=False
        ),
        enum_choice("direction", lazy_gettext("Direction"), AdjustmentLine.direction, Direction),
        dictionary_choice(
            "channel", lazy_gettext("Funding channel"), AdjustmentLine.channel, "funding_channel"
        ),
        enum_choice("status", lazy_gettext("Status"), FundAdjustment.status, DocumentStatus),
        DateRange(
            "submitted",
            lazy_gettext("Submitted at"),
            primary=False,
            column=FundAdjustment.submitted_at,
            moment=True,
        ),
    )

    def restriction(self) -> ColumnElement[bool]:
        return FundAdjustment.status.not_in(_UNSUBMITTED)

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=tabs(), **kwargs)

    def listing(self) -> Listing:
        menu_endpoint("AdjustmentView.list")
        return super().listing()

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To the adjustment that a row belongs to."""
        line: AdjustmentLine = policy.load(current_session(), current_actor(), AdjustmentLine, pk)
        return redirect(url_for("AdjustmentView.show", pk=line.adjustment_id))
