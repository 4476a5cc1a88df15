"""Trying a rule on a document that was submitted, before or after it is switched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.access import policy
from app.access.actor import Actor
from app.core.errors import InvalidInput, Problem
from app.models.base import Document
from app.models.policy_rule import PolicyRule
from app.services.policy_rule.evaluating import Facts
from app.services.policy_rule.rows import holding, holds, is_inert, rows_of
from app.services.unit_of_work import current_session
from app.workflow import conditions
from app.workflow.registry import registered


@dataclass(frozen=True)
class TriedRow:
    """One condition row with the document's own value: does it hold?"""

    group: int
    holds: bool
    figure: dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """What one rule says of one document, row by row."""

    code: str
    applies: bool
    rows: Sequence[TriedRow]


def try_rule(actor: Actor, rule_id: int, code: str) -> Trial:
    """Ask one rule, in force or not, of the document with this number; nothing is stored. Documents that are
    not submitted are not told of (policy: `try_rule`).

    Raises `NotFound` for a rule outside the actor's reach, `InvalidInput` for an unknown number and for
    a rule that cannot be asked here.
    """
    session = current_session()
    rule: PolicyRule = policy.load(session, actor, PolicyRule, rule_id, verb="manage")
    entry = registered().get(rule.document_kind)
    rows = rows_of(rule.conditions)
    if entry is None or is_inert(entry, rows):
        raise InvalidInput({"code": [Problem.of("This rule cannot be asked yet: see its state.")]})
    allowed = policy.criterion(actor, entry.model, "try_rule")
    found: Document | None = session.scalars(
        select(entry.model).where(entry.model.code == code.strip(), allowed)
    ).one_or_none()
    if found is None:
        raise InvalidInput({"code": [Problem.of("No submitted document bears this number.")]})
    with conditions.as_of(session, found.submitted_at):
        facts = Facts(session, entry, found)
        tried = [
            TriedRow(
                row.group,
                holds(session, row, facts.kind(row.field), facts.value(row.field)),
                facts.figure(row),
            )
            for row in rows
        ]
        return Trial(found.code, bool(holding(session, rows, facts.kind, facts.value)), tried)
