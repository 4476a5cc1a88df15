"""Asking the rules in force of a document: what they find, what refuses it, and what is kept with it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.orm import Session

from app.core.enums import RuleLevel
from app.core.errors import InvalidInput, Problem
from app.core.flow import Verb
from app.core.workdays import today_in_china
from app.models.base import Document, utcnow
from app.models.flow import FlowLog
from app.models.log import FieldChange
from app.models.policy_rule import PolicyRule, RuleFinding
from app.services.policy_rule.rows import Row, holding, is_inert, rows_of
from app.services.policy_rule.wording import figure, problem
from app.workflow import conditions
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, Value, registered

ELSEWHERE = "title"
"""Beside which field a rule speaks that names none."""

_SUBMITTING = (Verb.SUBMIT, Verb.RESUBMIT)


@dataclass
class Facts:
    """The values of one document, each read at most once whatever the number of rules."""

    session: Session
    entry: ReviewableDocument[Any]
    document: Document
    read: dict[str, Value] = field(default_factory=dict)

    def field(self, name: str) -> ConditionField[Any]:
        """The field of that name. Raises KeyError for another; rules that name one are inert."""
        found = self.entry.rule_field(name)
        if found is None:
            raise KeyError(name)
        return found

    def kind(self, name: str) -> FieldKind:
        return self.field(name).kind

    def value(self, name: str) -> Value:
        if name not in self.read:
            self.read[name] = self.field(name).read(self.session, self.document)
        return self.read[name]

    def holding(self, rows: Sequence[Row]) -> list[Row]:
        """The rows for which the rule applies; none when it does not."""
        return holding(self.session, rows, self.kind, self.value)

    def figure(self, row: Row) -> dict[str, Any]:
        """One comparison as it is kept and shown."""
        return figure(
            self.session,
            self.document,
            self.field(row.field),
            row.operator,
            self.value(row.field),
            row.expected(self.session),
        )

    def figures(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """The compared values of the rows, each field once."""
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            if row.field not in found:
                found[row.field] = self.figure(row)
        return list(found.values())


def evaluate(
    session: Session, kind: str, document: Document, *, now: dt.datetime | None = None
) -> list[RuleFinding]:
    """What the rules in force find in a document as it is; nothing is stored. `now` is when it is asked (the
    clock's time if None). Refusals come first. Rules whose kind or fields are not there stand aside."""
    entry = registered().get(kind)
    if entry is None:
        return []
    moment = now or utcnow()
    with conditions.as_of(session, moment):
        facts = Facts(session, entry, document)
        found = [
            _finding(rule, kind, facts, held, moment)
            for rule in in_force(session, kind, today_in_china(moment))
            if not is_inert(entry, rows := rows_of(rule.conditions)) and (held := facts.holding(rows))
        ]
    return sorted(found, key=lambda finding: finding.level is not RuleLevel.BLOCKS)


def in_force(session: Session, kind: str, today: dt.date) -> Sequence[PolicyRule]:
    """The rules on a document kind that hold on a day, by their codes."""
    return session.scalars(
        select(PolicyRule)
        .where(
            PolicyRule.document_kind == kind,
            PolicyRule.active,
            PolicyRule.valid_from <= today,
            or_(PolicyRule.valid_to.is_(None), PolicyRule.valid_to >= today),
        )
        .order_by(PolicyRule.code)
    ).all()


def refusals(findings: Iterable[RuleFinding]) -> dict[str, list[Problem]]:
    """What keeps the document from being submitted, by field, each citing its article."""
    found: defaultdict[str, list[Problem]] = defaultdict(list)
    for finding in findings:
        if finding.level is RuleLevel.BLOCKS:
            found[finding.place or ELSEWHERE].append(problem(finding))
    return dict(found)


def keep(session: Session, document: Any, findings: Sequence[RuleFinding]) -> None:
    """Store the findings of the submission that is being made, within its unit of work and before the review
    engine writes its entry; earlier submissions keep theirs."""
    number = _submissions(session, document.document_kind, document.id) + 1
    revisions = _revisions(session, {finding.rule_id for finding in findings})
    for finding in findings:
        finding.document_id = document.id
        finding.submission = number
        finding.rule_revision = revisions.get(finding.rule_id, 0)
        session.add(finding)


def at_submit(session: Session, document: Any, *, now: dt.datetime | None = None) -> list[RuleFinding]:
    """For a document's submit: ask the rules, refuse what they block, keep the rest with the document.

    Raises `InvalidInput` naming rule and article beside each field.
    """
    findings = evaluate(session, document.document_kind, document, now=now)
    blocked = refusals(findings)
    if blocked:
        raise InvalidInput(blocked, "Not submitted yet: a policy rule forbids it.")
    keep(session, document, findings)
    return findings


def latest(session: Session, kind: str, document_id: int) -> Sequence[RuleFinding]:
    """What the rules found when the document was last submitted; the page that shows them has already
    checked that the reader may see the document."""
    return session.scalars(
        select(RuleFinding)
        .where(
            RuleFinding.document_kind == kind,
            RuleFinding.document_id == document_id,
            RuleFinding.submission == _counted(kind, document_id).scalar_subquery(),
        )
        .order_by(RuleFinding.id)
    ).all()


def forget(session: Session, kind: str, document_id: int) -> None:
    """A purged document takes its findings with it."""
    session.execute(
        delete(RuleFinding).where(RuleFinding.document_kind == kind, RuleFinding.document_id == document_id)
    )


def _finding(
    rule: PolicyRule, kind: str, facts: Facts, rows: Sequence[Row], moment: dt.datetime
) -> RuleFinding:
    return RuleFinding(
        document_kind=kind,
        rule_id=rule.id,
        code=rule.code,
        name_zh=rule.name_zh,
        name_en=rule.name_en,
        level=rule.level,
        place=rule.place,
        source=rule.source,
        article=rule.article,
        message_zh=rule.message_zh,
        message_en=rule.message_en,
        verified=rule.verified,
        figures=facts.figures(rows),
        at=moment,
    )


def _submissions(session: Session, kind: str, document_id: int) -> int:
    return session.scalar(_counted(kind, document_id)) or 0


def _counted(kind: str, document_id: int) -> Select[int]:
    return select(func.count(FlowLog.id)).where(
        FlowLog.document_kind == kind, FlowLog.document_id == document_id, FlowLog.verb.in_(_SUBMITTING)
    )


def _revisions(session: Session, rule_ids: set[int]) -> dict[int, int]:
    """How often each rule was edited (services/configuration keeps the history)."""
    if not rule_ids:
        return {}
    counted = (
        select(FieldChange.row_id, func.max(FieldChange.row_version))
        .where(FieldChange.noun == PolicyRule.__tablename__, FieldChange.row_id.in_(rule_ids))
        .group_by(FieldChange.row_id)
    )
    return dict(session.execute(counted).all())
