"""项目变更申请: taking over a project, what shall be different, review, and applying it (domain.md 3.2)."""

from app.services.change import outcomes
from app.services.change.check import BASE, Checklist, check
from app.services.change.draft import (
    KIND,
    autosave,
    create,
    purge,
    recycle,
    refresh,
    restore,
    reviewer_edit,
    save,
)
from app.services.change.fields import PROJECT_FIELDS, PROJECT_TABLES, REQUEST_FIELDS, ChapterKey
from app.services.change.project_state import CHANGEABLE_STAGES, Present, moved_since, present
from app.services.change.queries import (
    Candidate,
    Cumulative,
    Detail,
    candidates,
    cumulative,
    detail,
    of_project,
)
from app.services.change.submission import CHECKS, submit, withdraw
from app.services.change.values import DESCRIPTION, PROJECT, ChangeValues, before, values_of

REVIEWABLE = outcomes.REVIEWABLE
"""The change request's entry in the review engine's registry; importing this package registers it."""

__all__ = [
    "BASE",
    "CHANGEABLE_STAGES",
    "CHECKS",
    "DESCRIPTION",
    "KIND",
    "PROJECT",
    "PROJECT_FIELDS",
    "PROJECT_TABLES",
    "REQUEST_FIELDS",
    "REVIEWABLE",
    "Candidate",
    "ChangeValues",
    "ChapterKey",
    "Checklist",
    "Cumulative",
    "Detail",
    "Present",
    "autosave",
    "before",
    "candidates",
    "check",
    "create",
    "cumulative",
    "detail",
    "moved_since",
    "of_project",
    "present",
    "purge",
    "recycle",
    "refresh",
    "restore",
    "reviewer_edit",
    "save",
    "submit",
    "values_of",
    "withdraw",
]
