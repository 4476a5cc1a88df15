"""项目调整: drafting, checking, submitting, and moving the money once it is approved (domain.md 3.3)."""

from app.services.adjustment import outcomes
from app.services.adjustment.applying import obstacles
from app.services.adjustment.check import ATTACHMENT, check
from app.services.adjustment.comparison import Compared, Comparison, compare
from app.services.adjustment.draft import (
    KIND,
    autosave,
    create,
    purge,
    recycle,
    restore,
    save,
    this_year,
)
from app.services.adjustment.fields import FIELDS, TABLES, ChapterKey
from app.services.adjustment.queries import Detail, ProjectFunds, candidates, detail, projects_of
from app.services.adjustment.rules import ADJUSTABLE, project_ids
from app.services.adjustment.submission import submit, withdraw
from app.services.adjustment.values import DESCRIPTION, AdjustmentValues, values_of

REVIEWABLE = outcomes.REVIEWABLE
"""The adjustment's entry in the review engine's registry; importing this package registers it."""

__all__ = [
    "ADJUSTABLE",
    "ATTACHMENT",
    "DESCRIPTION",
    "FIELDS",
    "KIND",
    "REVIEWABLE",
    "TABLES",
    "AdjustmentValues",
    "ChapterKey",
    "Compared",
    "Comparison",
    "Detail",
    "ProjectFunds",
    "autosave",
    "candidates",
    "check",
    "compare",
    "create",
    "detail",
    "obstacles",
    "project_ids",
    "projects_of",
    "purge",
    "recycle",
    "restore",
    "save",
    "submit",
    "this_year",
    "values_of",
    "withdraw",
]
