"""项目申报汇总: the projects that have passed the first review, for the workbook that finance asks for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement

from app.models.project import Project
from app.services import project
from app.views import project_list as shared
from app.views.base import OfficeView, ScopedInterface


class DeclarationSummaryView(OfficeView):
    """项目申报汇总, with exactly the requirements' conditions and the year."""

    datamodel = ScopedInterface(Project)
    noun = "project"
    title = lazy_gettext("Declaration summary")
    route_base = "/declaration-summary"
    show_endpoint = "ProjectView.show"
    joins = (Project.unit,)
    default_sort = "-code"
    columns = (
        shared.CODE,
        shared.FISCAL_CODE,
        shared.TITLE,
        shared.UNIT,
        shared.YEAR,
        shared.NATURE,
        shared.TYPE,
        shared.CHANNELS,
        shared.REQUESTED,
        shared.ARRANGED,
        shared.STATUS,
        shared.SUBMITTED,
    )
    fields = (
        shared.CODE_FIELD,
        shared.TITLE_FIELD,
        shared.UNIT_FIELD,
        shared.STATUS_FIELD,
        shared.CHANNEL_FIELD,
        shared.YEAR_FIELD,
    )

    def restriction(self) -> ColumnElement[bool]:
        """已经初审的项目 (requirements.txt, 项目申报汇总)."""
        return project.in_summary()

    def subtitle(self, total: int, sums: Mapping[str, Decimal]) -> str:
        """How many projects, what they ask for and what they were given."""
        return shared.headline(total, sums)
