"""Figures: each from one grouped statement under the reader's scope, the same rows that the lists show."""

from app.services.statistics.desk import Desk, OwnDraft, desk, own_drafts
from app.services.statistics.figures import (
    MilestoneFigure,
    MonthFigure,
    StageFigure,
    UnitFigure,
    UnitFigures,
    YearFigure,
    budget_years,
    by_month,
    by_stage,
    by_unit,
    funnel,
    projects_submitted,
    units_in_scope,
    year_of,
    years,
)
from app.services.statistics.office import LogFigure, OfficeState, log_figures, office_state, recent_warnings

__all__ = [
    "Desk",
    "LogFigure",
    "MilestoneFigure",
    "MonthFigure",
    "OfficeState",
    "OwnDraft",
    "StageFigure",
    "UnitFigure",
    "UnitFigures",
    "YearFigure",
    "budget_years",
    "by_month",
    "by_stage",
    "by_unit",
    "desk",
    "funnel",
    "log_figures",
    "office_state",
    "own_drafts",
    "projects_submitted",
    "recent_warnings",
    "units_in_scope",
    "year_of",
    "years",
]
