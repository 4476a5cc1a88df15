"""项目申报: filling in, checking, submitting, and what follows (domain.md 3.1)."""

from app.services.declaration import outcomes
from app.services.declaration.changes import history, readable
from app.services.declaration.check import (
    AttachmentNeed,
    Chapter,
    ChapterState,
    Checklist,
    Finding,
    Severity,
    check,
)
from app.services.declaration.draft import (
    Autosaved,
    autosave,
    create,
    purge,
    recycle,
    restore,
    reviewer_edit,
    save,
)
from app.services.declaration.fields import FIELDS, TABLES, ChapterKey, chapter_of
from app.services.declaration.form import PRESENT, FormState, form_state, raw_from_form, state_of
from app.services.declaration.queries import (
    Detail,
    detail,
    load,
    pending,
    recycled,
    reviewed,
    submitted,
    with_related,
    with_rows,
)
from app.services.declaration.submission import submit, withdraw
from app.services.declaration.values import DeclarationValues, Parsed, parse, values_of
from app.services.document.changes import ShownChange

REVIEWABLE = outcomes.REVIEWABLE
"""The declaration's entry in the review engine's registry; importing this package registers it."""

__all__ = [
    "FIELDS",
    "PRESENT",
    "REVIEWABLE",
    "TABLES",
    "AttachmentNeed",
    "Autosaved",
    "Chapter",
    "ChapterKey",
    "ChapterState",
    "Checklist",
    "DeclarationValues",
    "Detail",
    "Finding",
    "FormState",
    "Parsed",
    "Severity",
    "ShownChange",
    "autosave",
    "chapter_of",
    "check",
    "create",
    "detail",
    "form_state",
    "history",
    "load",
    "parse",
    "pending",
    "purge",
    "raw_from_form",
    "readable",
    "recycle",
    "recycled",
    "restore",
    "reviewed",
    "reviewer_edit",
    "save",
    "state_of",
    "submit",
    "submitted",
    "values_of",
    "with_related",
    "with_rows",
    "withdraw",
]
