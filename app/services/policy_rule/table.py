"""How the policy rules are written (services/configuration.py): versioned, checked, recorded."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Problem
from app.models.policy_rule import PolicyRule, RuleFinding
from app.services.configuration import Problems, Table, Values
from app.services.policy_rule import rows
from app.workflow.registry import registered

_BENT_ONLY_BY_LAW = ("level", "valid_to", "conditions", "active", "place")


def _check(_session: Session, row: PolicyRule, values: Values) -> Problems:
    problems: Problems = {}
    kind = values.get("document_kind", row.document_kind)
    entry = registered().get(kind)
    begin: dt.date | None = values.get("valid_from", row.valid_from)
    end: dt.date | None = values.get("valid_to", row.valid_to)
    if begin is not None and end is not None and end < begin:
        problems["valid_to"] = [Problem.of("The last day comes before the first.")]
    if row.locked:
        for name in _BENT_ONLY_BY_LAW:
            if name in values and values[name] != getattr(row, name):
                problems[name] = [
                    Problem.of(
                        "This rule is law or arithmetic; only its wording and source can be corrected."
                    )
                ]
        return problems
    if "document_kind" in values and entry is None:
        problems["document_kind"] = [Problem.of("There is no such kind of document.")]
    if entry is not None and (row.id is None or values.get("conditions", row.conditions) != row.conditions):
        problems.update(rows.check(entry, values.get("conditions")))
    elif entry is None and "conditions" in values and values["conditions"] != row.conditions:
        problems["conditions"] = [
            Problem.of("The conditions cannot be changed until this kind of document is there.")
        ]
    return problems


def _may_switch_off(_session: Session, row: PolicyRule) -> None:
    if row.locked:
        raise Conflict("“%(name)s” is law or arithmetic and stays in force.", name=str(row))


def _used(session: Session, row: PolicyRule) -> bool:
    found = select(literal(1)).where(RuleFinding.rule_id == row.id)
    return row.locked or session.scalar(found.limit(1)) is not None


def _words(name: str, value: Any) -> str:
    """Conditions are kept as JSON, so that the history can show each row."""
    if name == "conditions":
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


RULES_TABLE = Table(
    model=PolicyRule,
    event="POLICY_RULE_CHANGED",
    fields=(
        "code",
        "document_kind",
        "name_zh",
        "name_en",
        "level",
        "place",
        "source",
        "article",
        "valid_from",
        "valid_to",
        "message_zh",
        "message_en",
        "conditions",
        "verified",
        "active",
    ),
    fixed=frozenset({"code", "document_kind"}),
    check=_check,
    used=_used,
    may_switch_off=_may_switch_off,
    words=_words,
)
"""A rule's code and document kind are given once: findings keep the code, conditions belong to the kind."""
