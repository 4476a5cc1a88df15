"""Columns, search fields and tabs that the lists of adjustments share."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext
from sqlalchemy import ColumnElement, select

from app.core.enums import DocumentStatus
from app.core.flow import RunState
from app.core.funds import AdjustmentKind
from app.core.xlsx import ColumnKind
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.flow import FlowRun, FlowStep
from app.models.project import Project
from app.models.unit import Unit
from app.views.actor import current_actor
from app.views.base import AmountRange, Column, DateRange, TextField, enum_choice
from app.views.base.cells import BilingualColumn, bilingual
from app.views.base.search import Arguments

_PRESENT_STEP = (
    select(bilingual("", "", FlowStep.name_zh, FlowStep.name_en).expression)
    .join(FlowRun, FlowRun.current_step_id == FlowStep.id)
    .where(
        FlowRun.document_kind == FundAdjustment.document_kind,
        FlowRun.document_id == FundAdjustment.id,
        FlowRun.state == RunState.RUNNING,
    )
    .correlate(FundAdjustment)
    .scalar_subquery()
)
"""The name of the step an adjustment waits at."""

CODE = Column("code", lazy_gettext("Adjustment no."), FundAdjustment.code, nowrap=True, link=True)
TITLE = Column(
    "title",
    lazy_gettext("Subject of the adjustment"),
    FundAdjustment.title,
    link=True,
    css="title",
    width=40,
)
KIND = Column("kind", lazy_gettext("Kind of adjustment"), FundAdjustment.kind, enum=AdjustmentKind)
YEAR = Column("year", lazy_gettext("Adjustment year"), FundAdjustment.year, kind=ColumnKind.YEAR)
BASIS = Column("basis_no", lazy_gettext("Basis document no."), FundAdjustment.basis_no, css="code", width=24)
BASIS_DATE = Column(
    "basis_date",
    lazy_gettext("Basis document of"),
    FundAdjustment.basis_date,
    ColumnKind.DATE,
    visible=False,
)
OUT = Column(
    "out_amount",
    lazy_gettext("Transferred out (yuan)"),
    FundAdjustment.out_amount,
    ColumnKind.MONEY,
    total=True,
)
INTO = Column(
    "in_amount", lazy_gettext("Transferred in (yuan)"), FundAdjustment.in_amount, ColumnKind.MONEY, total=True
)
UNIT = Column("unit", lazy_gettext("Drafting unit"), Unit.short_name, css="unit", visible=False)
STATUS = Column("status", lazy_gettext("Status"), FundAdjustment.status, enum=DocumentStatus)
STEP = BilingualColumn("step", lazy_gettext("Present step"), _PRESENT_STEP, sortable=False)
UPDATED = Column(
    "updated_at",
    lazy_gettext("Last changed"),
    FundAdjustment.updated_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
)
SUBMITTED = Column(
    "submitted_at",
    lazy_gettext("Submitted at"),
    FundAdjustment.submitted_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
)

DRAFT_COLUMNS = (CODE, TITLE, KIND, YEAR, BASIS, BASIS_DATE, OUT, INTO, UNIT, STATUS, UPDATED)
LISTED_COLUMNS = (CODE, TITLE, KIND, YEAR, BASIS, BASIS_DATE, OUT, INTO, UNIT, STATUS, STEP, SUBMITTED)
BIN_COLUMNS = (CODE, TITLE, KIND, YEAR, OUT, INTO, UPDATED)


@dataclass(frozen=True)
class ProjectText(TextField):
    """Adjustments with a row about a project whose number or title contains this."""

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        found = super().condition(args)
        if found is None:
            return None
        return (
            select(AdjustmentLine.id)
            .join(Project, Project.id == AdjustmentLine.project_id)
            .where(AdjustmentLine.adjustment_id == FundAdjustment.id, found)
            .correlate(FundAdjustment)
            .exists()
        )


FIELDS = (
    TextField(
        "q",
        lazy_gettext("Number or document"),
        columns=(FundAdjustment.code, FundAdjustment.title, FundAdjustment.basis_no),
    ),
    ProjectText("project", lazy_gettext("Project no. or title"), columns=(Project.code, Project.title)),
    enum_choice("kind", lazy_gettext("Kind of adjustment"), FundAdjustment.kind, AdjustmentKind),
    AmountRange(
        "amount", lazy_gettext("Transferred out (yuan)"), primary=False, column=FundAdjustment.out_amount
    ),
)
LISTED_FIELDS = (
    *FIELDS,
    enum_choice("status", lazy_gettext("Status"), FundAdjustment.status, DocumentStatus),
    DateRange(
        "submitted",
        lazy_gettext("Submitted at"),
        primary=False,
        column=FundAdjustment.submitted_at,
        moment=True,
    ),
)

_TABS = (
    ("AdjustmentView.list", "read", lazy_gettext("Submitted")),
    ("AdjustmentLineView.list", "read", lazy_gettext("Adjusted rows")),
    ("AdjustmentDraftView.list", "edit", lazy_gettext("Being drafted")),
    ("AdjustmentBinView.list", "edit", lazy_gettext("Recycle bin")),
)


def tabs() -> list[tuple[str, str, int]]:
    """The lists of adjustments this reader may open: endpoint, label, and no count."""
    actor = current_actor()
    return [(endpoint, str(label), 0) for endpoint, verb, label in _TABS if actor.holds("adjustment", verb)]
