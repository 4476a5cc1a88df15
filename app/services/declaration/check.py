"""Is the declaration complete and right? One check for the form's ticks, for submission and for REST."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.errors import Problem
from app.models.declaration import Declaration
from app.services.declaration.fields import ChapterKey, chapter_of
from app.services.declaration.form import form_state
from app.services.declaration.requirements import ALWAYS, Demands, demands, limits
from app.services.declaration.rules import apply_rules
from app.services.declaration.values import DeclarationValues, parse, values_of
from app.services.document import findings
from app.services.document.directory import Directory
from app.services.document.findings import (
    AttachmentNeed,
    Chapter,
    ChapterState,
    Finding,
    Findings,
    Severity,
)

__all__ = ["AttachmentNeed", "Chapter", "ChapterState", "Checklist", "Finding", "Severity", "check"]


BY_TYPE = frozenset(ChapterKey) - {chapter_of(name) for name in ALWAYS}
"""The chapters of which only the declaration's type says whether they must contain anything."""


@dataclass(frozen=True)
class Checklist(findings.Checklist):
    """What is found in a declaration, and what was demanded of it. `demands.simple` says that only the short
    form is asked; `rules` are the findings of policy rules: those that refuse the submission also stand
    beside their fields as wrong, the others as hints."""

    demands: Demands


def check(session: Session, declaration: Declaration, *, now: dt.datetime | None = None) -> Checklist:
    """Check a stored declaration as it would be checked at submission at `now`; its rows must be loaded.

    What was typed but could not be read counts as wrong.
    """
    parsed = parse(form_state(declaration), Directory(session, SYSTEM), values_of(declaration))
    found = Findings()
    for path, problems in parsed.problems.items():
        for problem in problems:
            found.add(path, problem, Severity.WRONG)
    values = parsed.values
    wanted = demands(session, values)
    counts = findings.attachment_counts(session, Declaration.document_kind, declaration.id)
    apply_rules(
        found,
        values,
        limits(session),
        wanted,
        session=session,
    )
    _check_title(session, found, declaration, values)
    rules = findings.add_rules(found, session, declaration, now=now)
    needs = _attachment_needs(found, values, wanted, counts)
    undecided = frozenset() if values.declaration_type else BY_TYPE
    chapters = findings.by_chapter(found, ChapterKey, chapter_of, undecided=undecided)
    return Checklist(chapters, needs, wanted.fields, wanted, rules=rules)


def _attachment_needs(
    found: Findings, values: DeclarationValues, wanted: Demands, counts: dict[str, int]
) -> tuple[AttachmentNeed, ...]:
    for category in sorted(wanted.attachments - counts.keys()):
        found.missing(f"attachments.{category}", "This attachment is required.")
    for category in sorted(wanted.expected - counts.keys()):
        found.add(
            f"attachments.{category}",
            Problem.of("Not attached yet; it may follow at the scheme stage."),
            Severity.WARNING,
        )
    hardware = any((line.subject_code or "").startswith("A.2") for line in values.budget_lines)
    if hardware and 0 < counts.get("QUOTE", 0) < _QUOTES_FOR_HARDWARE:
        found.add(
            "attachments.QUOTE",
            Problem.of("Hardware is usually backed by %(count)s quotations.", count=_QUOTES_FOR_HARDWARE),
            Severity.WARNING,
        )
    return findings.attachment_needs(wanted.attachments, wanted.expected, counts)


_QUOTES_FOR_HARDWARE = 3


def _check_title(
    session: Session, found: Findings, declaration: Declaration, values: DeclarationValues
) -> None:
    if not values.title:
        return
    twin = session.scalar(
        select(Declaration.code)
        .where(
            Declaration.unit_id == declaration.unit_id,
            Declaration.budget_year == values.budget_year,
            func.lower(Declaration.title) == values.title.lower(),
            Declaration.id != declaration.id,
            Declaration.status.not_in((DocumentStatus.RECYCLED, DocumentStatus.REJECTED)),
        )
        .limit(1)
    )
    if twin is not None:
        found.add(
            "title",
            Problem.of("Your unit has declared the same title for that year already: %(code)s.", code=twin),
            Severity.WARNING,
        )
