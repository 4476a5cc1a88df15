"""Which documents a step's conditions let through, decided without a document.

Conditions only compare a field with constants, so a few sample values per field stand for all others: each
constant, its neighbours, and something that is none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from math import prod
from typing import Any

from app.models.flow import FlowCondition, FlowStep
from app.services.review.flows.names import Names
from app.workflow.conditions import holds
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, Value

MOST_COMBINATIONS = 20_000
_OTHER = "\0other"
_CENT, _ONE = Decimal("0.01"), Decimal(1)
_MOST_SUBSETS = 5

Rows = Sequence[FlowCondition]


class TooMany(Exception):
    """More combinations than can be tried."""


def contradiction(entry: ReviewableDocument[Any], step: FlowStep, names: Names) -> Rows | None:
    """The rows of one field that no value can meet together, as few as show it; None when there are none.
    Rows that make no sense are somebody else's finding."""
    for name, rows in _by_field(step.conditions).items():
        asked = entry.field(name)
        if asked is None:
            continue
        values = _samples(asked, rows, names)
        if any(_all_hold(asked, rows, value) for value in values):
            continue
        pairs = itertools.combinations(rows, 2)
        met = (pair for pair in pairs if not any(_all_hold(asked, pair, value) for value in values))
        return next(met, tuple(rows))
    return None


def unreviewed(
    entry: ReviewableDocument[Any], steps: Sequence[FlowStep], names: Names
) -> Mapping[str, Value] | None:
    """Values of a document that would pass by all of these steps; None when every document meets one.
    Raises TooMany when that cannot be decided."""
    rows = _by_field(row for step in steps for row in step.conditions)
    asked = {name: field for name in rows if (field := entry.field(name)) is not None}
    samples = {name: _samples(field, rows[name], names) for name, field in asked.items()}
    if prod(map(len, samples.values())) > MOST_COMBINATIONS:
        raise TooMany
    for values in itertools.product(*samples.values()):
        document = dict(zip(samples, values, strict=True))
        if not any(applies(asked, step, document) for step in steps):
            return document
    return None


def applies(fields: Mapping[str, ConditionField[Any]], step: FlowStep, document: Mapping[str, Value]) -> bool:
    """Would a document with these values go through the step? As the engine does, a row about a field that
    does not exist holds nothing back."""
    return all(
        holds(fields[row.field].kind, row.operator, row.value, document.get(row.field))
        for row in step.conditions
        if row.field in fields
    )


def _all_hold(asked: ConditionField[Any], rows: Rows, value: Value) -> bool:
    return all(holds(asked.kind, row.operator, row.value, value) for row in rows)


def _by_field(rows: Iterable[FlowCondition]) -> dict[str, list[FlowCondition]]:
    grouped: dict[str, list[FlowCondition]] = {}
    for row in rows:
        grouped.setdefault(row.field, []).append(row)
    return grouped


def _samples(asked: ConditionField[Any], rows: Rows, names: Names) -> list[Value]:
    """Values that stand for every other, as far as these rows can tell them apart."""
    constants = [
        value for row in rows for value in (row.value if isinstance(row.value, list) else [row.value])
    ]
    found: list[Value]
    match asked.kind:
        case FieldKind.AMOUNT | FieldKind.NUMBER:
            beside = _CENT if asked.kind is FieldKind.AMOUNT else _ONE
            numbers = {Decimal(str(value)) for value in constants}
            near = {number + way for number in numbers for way in (-beside, Decimal(0), beside)}
            found = [*sorted(number for number in near if number >= 0)]
        case FieldKind.FLAG:
            found = [True, False]
        case FieldKind.CODE:
            found = [*dict.fromkeys(map(str, constants)), _OTHER]
        case FieldKind.CODES:
            found = _code_sets(list(dict.fromkeys(map(str, constants))))
        case FieldKind.UNIT:
            paths = (names.units_by_id.get(int(value)) for value in constants if str(value).isdecimal())
            found = ["/0/"]
            for unit in paths:
                if unit is not None:
                    found += [unit.path, f"{unit.path}0/"]
    return found if asked.always else [*found, None]


def _code_sets(codes: Sequence[str]) -> list[Value]:
    """Sets of codes: all of them where these are few, else each one, all, and another."""
    if len(codes) <= _MOST_SUBSETS:
        sizes = range(1, len(codes) + 1)
        chosen = [frozenset(each) for size in sizes for each in itertools.combinations(codes, size)]
    else:
        chosen = [*(frozenset({code}) for code in codes), frozenset(codes)]
    return [frozenset({_OTHER}), *chosen]
