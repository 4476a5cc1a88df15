"""What is found in a document that is filled in: by field, by chapter, and how much it matters."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.enums import Labelled, RuleLevel
from app.core.errors import Problem
from app.models.attachment import Attachment
from app.models.policy_rule import RuleFinding
from app.services import policy_rule


class Severity(StrEnum):
    """How much a finding matters: the first two keep a document from being submitted."""

    MISSING = "missing"
    WRONG = "wrong"
    WARNING = "warning"
    HINT = "hint"


@dataclass
class Findings:
    """What the rules found so far. A field that could not be read is not asked for again as missing."""

    entries: list[tuple[str, Problem, Severity]] = field(default_factory=list)

    def add(self, path: str, problem: Problem, severity: Severity) -> None:
        """Note a finding."""
        self.entries.append((path, problem, severity))

    def missing(self, path: str, message: str = "Fill this in.") -> None:
        """Note that a value is not there, unless something else is wrong with it already."""
        if all(path != noted for noted, _, _ in self.entries):
            self.add(path, Problem.of(message), Severity.MISSING)

    def wrong(self, path: str, message: str, **params: object) -> None:
        """Note that a value cannot stay as it is."""
        self.add(path, Problem.of(message, **params), Severity.WRONG)

    def has(self, prefix: str) -> bool:
        """Is something wrong with this field, or with a cell of this table, already?"""
        return any(path == prefix or path.startswith(f"{prefix}.") for path, _, _ in self.entries)


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

    key: Labelled
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
    """What is found in a document, by chapter, and the names of the fields and tables it must fill. `rules`
    are the findings of policy rules: those that refuse the submission also stand beside their fields as
    wrong, the others as hints."""

    chapters: tuple[Chapter, ...]
    attachments: tuple[AttachmentNeed, ...]
    required: frozenset[str]
    rules: tuple[RuleFinding, ...] = field(default=(), kw_only=True)

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


def by_chapter(
    found: Findings,
    keys: type[Labelled],
    chapter_of: Callable[[str], Labelled],
    *,
    undecided: frozenset[Labelled] = frozenset(),
) -> tuple[Chapter, ...]:
    """The findings under the chapters they belong to; a chapter without any is there too. Of an `undecided`
    one it is not known yet what it must contain, so that nothing found does not mean complete."""
    grouped: defaultdict[Labelled, list[Finding]] = defaultdict(list)
    for path, problem, severity in found.entries:
        grouped[chapter_of(path)].append(Finding(path, problem, severity))
    return tuple(Chapter(key, _state(grouped[key], key in undecided), tuple(grouped[key])) for key in keys)


def add_rules(
    found: Findings, session: Session, document: Any, *, now: dt.datetime | None = None
) -> tuple[RuleFinding, ...]:
    """Ask the policy rules of a document and note what they find beside its fields. Of a field that is
    missing or cannot be read a rule would only see the value before, so it says nothing there."""
    rules = policy_rule.evaluate(session, document.document_kind, document, now=now)
    unread = [path for path, _, severity in found.entries if severity in (Severity.MISSING, Severity.WRONG)]
    for rule in rules:
        place = rule.place or policy_rule.ELSEWHERE
        if not any(path == place or path.startswith(f"{place}.") for path in unread):
            severity = Severity.WRONG if rule.level is RuleLevel.BLOCKS else Severity.HINT
            found.add(place, policy_rule.problem(rule), severity)
    return tuple(rules)


def attachment_counts(session: Session, kind: str, document_id: int) -> dict[str, int]:
    """How many files a document has in each category that has any."""
    rows = session.execute(
        select(Attachment.category, func.count())
        .where(Attachment.owner_kind == kind, Attachment.owner_id == document_id)
        .group_by(Attachment.category)
    )
    return dict(rows.all())


def attachment_needs(
    required: frozenset[str], expected: frozenset[str], counts: dict[str, int]
) -> tuple[AttachmentNeed, ...]:
    """Every category that is asked for or used."""
    return tuple(
        AttachmentNeed(category, category in required, category in expected, counts.get(category, 0))
        for category in sorted(required | expected | counts.keys())
    )


def _state(findings: Sequence[Finding], undecided: bool) -> ChapterState:
    severities = {finding.severity for finding in findings}
    if Severity.WRONG in severities:
        return ChapterState.WRONG
    return ChapterState.MISSING if undecided or Severity.MISSING in severities else ChapterState.OK
