"""Is the declaration complete and right? One check for the form's ticks, for submission and for REST."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.errors import Problem
from app.models.attachment import Attachment
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.services.declaration.directory import Directory
from app.services.declaration.fields import ChapterKey, chapter_of
from app.services.declaration.form import form_state
from app.services.declaration.requirements import Demands, demands, limits
from app.services.declaration.rules import Findings, Severity, apply_rules
from app.services.declaration.values import DeclarationValues, parse, values_of

__all__ = ["AttachmentNeed", "Chapter", "ChapterState", "Checklist", "Finding", "Severity", "check"]


class ChapterState(StrEnum):
    """The tick beside a chapter."""

    OK = "ok"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """Something to say beside a field (`field` is its path)."""

    field: str
    problem: Problem
    severity: Severity


@dataclass(frozen=True)
class Chapter:
    """One chapter of the form with everything found in it."""

    key: ChapterKey
    state: ChapterState
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class AttachmentNeed:
    """One category of attachments: how many there are, whether `required` now or `expected` later."""

    category: str
    required: bool
    expected: bool
    count: int


@dataclass(frozen=True)
class Checklist:
    """What is found in a declaration, by chapter. `simple` says that only the short form is asked."""

    chapters: tuple[Chapter, ...]
    attachments: tuple[AttachmentNeed, ...]
    demands: Demands

    @property
    def complete(self) -> bool:
        """May it be submitted?"""
        return all(chapter.state is ChapterState.OK for chapter in self.chapters)

    @property
    def findings(self) -> list[Finding]:
        """All findings in the order of the form."""
        return [finding for chapter in self.chapters for finding in chapter.findings]

    def errors(self) -> dict[str, list[Problem]]:
        """What keeps it from being submitted, by field."""
        return self._by_field(Severity.MISSING, Severity.WRONG)

    def warnings(self) -> dict[str, list[Problem]]:
        """What the unit should look at again, by field."""
        return self._by_field(Severity.WARNING)

    def hints(self) -> dict[str, list[Problem]]:
        """What is good to know, by field."""
        return self._by_field(Severity.HINT)

    def _by_field(self, *severities: Severity) -> dict[str, list[Problem]]:
        found: defaultdict[str, list[Problem]] = defaultdict(list)
        for finding in self.findings:
            if finding.severity in severities:
                found[finding.field].append(finding.problem)
        return dict(found)


def check(session: Session, declaration: Declaration, *, now: dt.datetime | None = None) -> Checklist:
    """Check a stored declaration as it would be checked at submission at `now`; its rows must be loaded.

    What was typed but could not be read counts as wrong. The window and the year are asked only until the
    first submission: a returned declaration may come back in January.
    """
    parsed = parse(form_state(declaration), Directory(session, SYSTEM), values_of(declaration))
    found = Findings()
    for path, problems in parsed.problems.items():
        for problem in problems:
            found.add(path, problem, Severity.WRONG)
    values = parsed.values
    wanted = demands(session, values)
    counts = _attachment_counts(session, declaration.id)
    apply_rules(
        found,
        values,
        limits(session),
        wanted,
        session=session,
        now=(now or utcnow()) if declaration.project_id is None else None,
    )
    _check_title(session, found, declaration, values)
    needs = _attachment_needs(found, values, wanted, counts)
    return Checklist(_chapters(found), needs, wanted)


def _attachment_counts(session: Session, declaration_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Attachment.category, func.count())
        .where(Attachment.owner_kind == Declaration.document_kind, Attachment.owner_id == declaration_id)
        .group_by(Attachment.category)
    )
    return dict(rows.all())


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
    categories = sorted(wanted.attachments | wanted.expected | counts.keys())
    return tuple(
        AttachmentNeed(
            category, category in wanted.attachments, category in wanted.expected, counts.get(category, 0)
        )
        for category in categories
    )


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


def _chapters(found: Findings) -> tuple[Chapter, ...]:
    grouped: defaultdict[ChapterKey, list[Finding]] = defaultdict(list)
    for path, problem, severity in found.entries:
        grouped[chapter_of(path)].append(Finding(path, problem, severity))
    return tuple(Chapter(key, _state(grouped[key]), tuple(grouped[key])) for key in ChapterKey)


def _state(findings: Sequence[Finding]) -> ChapterState:
    severities = {finding.severity for finding in findings}
    if Severity.WRONG in severities:
        return ChapterState.WRONG
    return ChapterState.MISSING if Severity.MISSING in severities else ChapterState.OK
