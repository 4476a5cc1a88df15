"""Is the adjustment complete and right? One check for the form's ticks, for submission and for REST."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import Labelled
from app.models.adjustment import FundAdjustment
from app.services.adjustment import rules
from app.services.adjustment.fields import ChapterKey
from app.services.adjustment.values import DESCRIPTION, values_of
from app.services.document import findings, form
from app.services.document.directory import Directory
from app.services.document.findings import Checklist, Findings, Severity
from app.services.document.values import parse

ATTACHMENT = "ADJUSTMENT"
"""调整文件: the category without which nothing is submitted."""

REQUIRED = frozenset({"title", "year", "basis_no", "basis_date", "reason", "lines"})


def check(session: Session, adjustment: FundAdjustment, actor: Actor | None = None) -> Checklist:
    """Check a stored adjustment as it would be checked if `actor` submitted it now; its lines must be loaded.
    What was typed but could not be read counts as wrong."""
    state = form.form_state(DESCRIPTION, values_of(adjustment), adjustment.draft_input)
    # What the form shows beside the lines is worked out anew; it is no input.
    parsed = parse(DESCRIPTION, state, Directory(session, SYSTEM), values_of(adjustment))
    found = Findings()
    for path, problems in parsed.problems.items():
        for problem in problems:
            found.add(path, problem, Severity.WRONG)
    known = rules.figures(session, rules.project_ids(parsed.values.lines))
    rules.apply_rules(found, parsed.values, known)
    if actor is not None:
        rules.within_scope(session, actor, found, parsed.values)
    asked = findings.add_rules(found, session, adjustment)
    counts = findings.attachment_counts(session, FundAdjustment.document_kind, adjustment.id)
    if not counts.get(ATTACHMENT):
        found.missing(f"attachments.{ATTACHMENT}", "This attachment is required.")
    needs = findings.attachment_needs(frozenset({ATTACHMENT}), frozenset(), counts)
    return Checklist(findings.by_chapter(found, ChapterKey, chapter_of), needs, REQUIRED, rules=asked)


def chapter_of(path: str) -> Labelled:
    """The chapter in which a field, a table or a cell (`lines.2.amount`) stands."""
    return DESCRIPTION.chapter_of(path, ChapterKey.ATTACHMENTS)
