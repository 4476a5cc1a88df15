"""A step's condition: structured rows, compared by their field's kind, never evaluated text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.flow import Operator
from app.models.base import Document, utcnow
from app.models.flow import FlowStep
from app.workflow.registry import FieldKind, ReviewableDocument, Value

_EQUALITY = frozenset({Operator.EQ, Operator.NE})
_CHOICE = _EQUALITY | {Operator.IN, Operator.NOT_IN}
_ORDER = _EQUALITY | {Operator.GE, Operator.GT, Operator.LE, Operator.LT}

OPERATORS: dict[FieldKind, frozenset[Operator]] = {
    FieldKind.AMOUNT: _ORDER,
    FieldKind.NUMBER: _ORDER,
    FieldKind.CODE: _CHOICE,
    FieldKind.CODES: _CHOICE,
    FieldKind.FLAG: _EQUALITY,
    FieldKind.UNIT: _CHOICE | {Operator.UNDER},
}
"""Which comparisons a kind of field knows."""

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda actual, expected: bool(actual == expected),
    Operator.NE: lambda actual, expected: bool(actual != expected),
    Operator.GE: lambda actual, expected: bool(actual >= expected),
    Operator.GT: lambda actual, expected: bool(actual > expected),
    Operator.LE: lambda actual, expected: bool(actual <= expected),
    Operator.LT: lambda actual, expected: bool(actual < expected),
}
_NEGATED = {Operator.NE: Operator.EQ, Operator.NOT_IN: Operator.IN}
_MOMENT = "conditions.moment"


@contextmanager
def as_of(session: Session, moment: dt.datetime | None) -> Iterator[None]:
    """Let fields that depend on the day read it as of `moment`; as of now for None."""
    session.info[_MOMENT] = moment
    try:
        yield
    finally:
        del session.info[_MOMENT]


def moment_of(session: Session) -> dt.datetime:
    """When the conditions are asked, for a field that depends on the day."""
    return cast(dt.datetime | None, session.info.get(_MOMENT)) or utcnow()


def applies(session: Session, entry: ReviewableDocument[Any], step: FlowStep, document: Document) -> bool:
    """Do all condition rows of the step hold for the document as it is now? A row about a field that the
    document kind no longer has does not hold back the step: reviewing too much is the safe side."""
    for row in step.conditions:
        field = entry.field(row.field)
        if field is None:
            continue
        if not holds(field.kind, row.operator, row.value, field.read(session, document)):
            return False
    return True


def holds(kind: FieldKind, operator: Operator, expected: Any, actual: Value) -> bool:
    """Compare one value of a document with one condition row. An empty value meets only `is not` and
    `is none of`."""
    if operator in _NEGATED:
        return not holds(kind, _NEGATED[operator], expected, actual)
    if actual is None:
        return False
    match kind:
        case FieldKind.AMOUNT | FieldKind.NUMBER:
            return _COMPARE[operator](actual, Decimal(str(expected)))
        case FieldKind.FLAG:
            return bool(actual) is bool(expected)
        case FieldKind.UNIT:
            wanted = {str(unit) for unit in _as_list(expected)}
            path = str(actual).strip("/").split("/")
            return not wanted.isdisjoint(path if operator is Operator.UNDER else path[-1:])
        case FieldKind.CODE | FieldKind.CODES:
            have = actual if isinstance(actual, frozenset) else {str(actual)}
            return not have.isdisjoint({str(code) for code in _as_list(expected)})


def problem(kind: FieldKind, operator: Operator, expected: Any) -> Problem | None:
    """Why a condition row makes no sense; None when it does."""
    if operator not in OPERATORS[kind]:
        return Problem.of("This field cannot be compared in this way.")
    if kind in (FieldKind.AMOUNT, FieldKind.NUMBER):
        try:
            finite = not isinstance(expected, bool | float) and Decimal(str(expected)).is_finite()
        except InvalidOperation:
            finite = False
        return None if finite else Problem.of("The condition needs a number.")
    if kind is FieldKind.FLAG:
        return None if isinstance(expected, bool) else Problem.of("The condition needs yes or no.")
    values = _as_list(expected)
    several = operator in (Operator.IN, Operator.NOT_IN)
    if not values or any(not isinstance(value, str | int) or value == "" for value in values):
        return Problem.of("The condition has no value to compare with.")
    return None if several or len(values) == 1 else Problem.of("The condition takes one value only.")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
