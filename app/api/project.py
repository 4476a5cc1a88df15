"""项目 for programs: the projects in scope, with their money by channel, and the workbook of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.api.base import ReadApi
from app.api.fields import Field, FieldSet
from app.api.kinds import AMOUNT, EQUALITY, ID, MOMENT, TEXT, WHOLE, YEAR, choice, code, codes
from app.core.enums import ConstructionStatus, Stage
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit


def _funded_by(channels: list[Any]) -> ColumnElement[bool]:
    """Projects with money from any of these channels."""
    return Project.funding.any(ProjectFunding.channel.in_(channels))


def _channel_codes(value: Any) -> list[str]:
    """The codes, from a list's column (joined by commas) or a record's rows."""
    if not value:
        return []
    return value.split(",") if isinstance(value, str) else [row.channel for row in value]


# Unordered: SQLite before 3.44 cannot order here, and the primary key hands them out in order anyway.
_CHANNELS = (
    select(func.aggregate_strings(ProjectFunding.channel, ","))
    .where(ProjectFunding.project_id == Project.id)
    .correlate(Project)
    .scalar_subquery()
)


class ProjectApi(ReadApi):
    """`/api/v1/project/`: read and exported; a project is opened and moved by its documents."""

    noun = "project"
    model = Project
    component = "Project"
    title = lazy_gettext("Project overview")
    include_route_methods = {"get_list", "get", "export"}
    fields = FieldSet(
        (
            Field("id", ID, Project.id),
            Field("version", WHOLE, Project.version),
            Field("code", TEXT, Project.code, lazy_gettext("Project no."), width=16),
            Field("fiscal_code", TEXT, Project.fiscal_code, lazy_gettext("Fiscal performance no."), width=20),
            Field("national_code", TEXT, Project.national_code),
            Field("title", TEXT, Project.title, lazy_gettext("Project title"), width=44),
            Field("unit.id", ID, Project.unit_id),
            Field("unit.name", TEXT, Unit.name, lazy_gettext("Declaring unit"), join=Project.unit, width=28),
            Field("budget_year", YEAR, Project.budget_year, lazy_gettext("Budget year")),
            Field("nature", code("nature"), Project.nature, lazy_gettext("Project nature")),
            Field(
                "declaration_type",
                code("declaration_type"),
                Project.declaration_type,
                lazy_gettext("Declaration type"),
            ),
            Field(
                "funding_channel",
                codes("funding_channel", EQUALITY),
                _CHANNELS,
                lazy_gettext("Funding channel"),
                attribute="funding",
                sortable=False,
                where=_funded_by,
                shows=_channel_codes,
                width=28,
            ),
            Field("stage", choice(Stage), Project.stage),
            Field(
                "construction_status",
                choice(ConstructionStatus),
                Project.construction_status,
                lazy_gettext("Construction status"),
                width=24,
            ),
            Field(
                "requested_amount",
                AMOUNT,
                Project.requested_amount,
                lazy_gettext("Requested amount (yuan)"),
                total=True,
            ),
            Field(
                "arranged_amount",
                AMOUNT,
                Project.arranged_amount,
                lazy_gettext("Arranged budget (yuan)"),
                total=True,
            ),
            Field("approved_amount", AMOUNT, Project.approved_amount),
            Field("created_at", MOMENT, Project.created_at),
            Field("updated_at", MOMENT, Project.updated_at, lazy_gettext("Updated")),
        )
    )

    tables = {
        "funding": FieldSet((Field("channel", code("funding_channel")), Field("amount", AMOUNT))),
    }

    def options(self) -> Sequence[ExecutableOption]:
        return (selectinload(Project.funding),)
