"""Reading and changing parameters: each in force from a day on, the latest one not in the future holds."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import may
from app.core.errors import InvalidInput, NotAllowed, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.dictionary import RuleParameter
from app.services import log
from app.services.parameter.declared import (
    BY_KEY,
    DECLARATION_FIELDS,
    PARAMETERS,
)
from app.services.parameter.kinds import Parameter, ParameterKind
from app.services.unit_of_work import unit_of_work

__all__ = [
    "DECLARATION_FIELDS",
    "PARAMETERS",
    "Parameter",
    "ParameterKind",
    "all_values",
    "bool_of",
    "change",
    "decimal_of",
    "int_of",
    "list_of",
    "problem_with",
    "seed_parameters",
    "value",
]

_CACHE = "parameter.history"
_LONGEST_VALUE = 200
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_AMOUNT = re.compile(r"[0-9]{1,14}(\.[0-9]{1,2})?")
_MONTH_DAY = re.compile(r"[0-9]{2}-[0-9]{2}")
_WORDS = {"true": True, "false": False}

History = Mapping[str, list[tuple[dt.date, str]]]


def value(session: Session, key: str, on: dt.date | None = None) -> str:
    """The parameter's text in force on a day (China's today when None); its default before any entry.

    Raises KeyError for a key that is not declared. One query per session, whatever is asked for.
    """
    declared = BY_KEY[key]
    day = on or today_in_china(utcnow())
    entries = [text for effective_from, text in _history(session).get(key, []) if effective_from <= day]
    return entries[-1] if entries else declared.value


def all_values(session: Session, on: dt.date | None = None) -> dict[str, str]:
    """Every declared parameter's text in force on a day."""
    return {key: value(session, key, on) for key in BY_KEY}


def int_of(session: Session, key: str, on: dt.date | None = None) -> int:
    """A whole number, in the parameter's own unit."""
    return int(value(session, key, on))


def decimal_of(session: Session, key: str, on: dt.date | None = None) -> Decimal:
    """An exact number: yuan for amounts."""
    return Decimal(value(session, key, on))


def bool_of(session: Session, key: str, on: dt.date | None = None) -> bool:
    """Yes or no."""
    return _WORDS[value(session, key, on)]


def list_of(session: Session, key: str, on: dt.date | None = None) -> tuple[str, ...]:
    """The comma-separated entries, in order."""
    return tuple(entry for entry in value(session, key, on).split(",") if entry)


def problem_with(key: str, text: str) -> Problem | None:
    """Why `text` cannot be the value of this parameter; None when it can."""
    declared = BY_KEY[key]
    if len(text) > _LONGEST_VALUE:
        return Problem.of("At most %(most)s characters.", most=_LONGEST_VALUE)
    match declared.kind:
        case ParameterKind.INTEGER:
            shape, hint = _INTEGER.fullmatch(text), "Enter a whole number."
        case ParameterKind.AMOUNT:
            shape, hint = _AMOUNT.fullmatch(text), "Enter an amount in yuan with at most two decimals."
        case _:
            return _problem_with_words(declared, text)
    if shape is None:
        return Problem.of(hint)
    number = Decimal(text)
    if (declared.least is not None and number < declared.least) or (
        declared.most is not None and number > declared.most
    ):
        return Problem.of(
            "Enter a number from %(least)s to %(most)s.", least=declared.least, most=declared.most
        )
    return None


def change(actor: Actor, key: str, text: str, effective_from: dt.date) -> None:
    """Give a parameter another value from a day on; earlier days keep theirs.

    Raises `NotAllowed`, or `InvalidInput` for an unknown key or a value that cannot be read.
    """
    if key not in BY_KEY:
        raise InvalidInput({"key": [Problem.of("There is no such parameter.")]})
    problem = problem_with(key, text)
    if problem is not None:
        raise InvalidInput({"value": [problem]})
    declared = BY_KEY[key]
    with unit_of_work(actor) as session:
        before = value(session, key, effective_from)
        row = session.scalars(
            select(RuleParameter).where(
                RuleParameter.key == key, RuleParameter.effective_from == effective_from
            )
        ).one_or_none()
        if row is None:
            row = _row(declared)
            row.effective_from = effective_from
        if not may(actor, "manage", row):
            raise NotAllowed
        row.value = text
        session.add(row)
        log.record(
            session,
            actor,
            "PARAMETER_CHANGED",
            noun="parameter",
            summary=f"{key}: {before} -> {text} ({effective_from.isoformat()})",
        )


def seed_parameters(session: Session) -> int:
    """Enter every declared parameter that has no entry yet; never touches one that has. Returns how many."""
    present = set(session.scalars(select(RuleParameter.key).distinct()))
    missing = [_row(parameter) for parameter in PARAMETERS if parameter.key not in present]
    session.add_all(missing)
    return len(missing)


def _problem_with_words(declared: Parameter, text: str) -> Problem | None:
    match declared.kind:
        case ParameterKind.BOOLEAN:
            return None if text in _WORDS else Problem.of("Enter true or false.")
        case ParameterKind.MONTH_DAY:
            return None if _is_month_day(text) else Problem.of("Enter a month and a day, such as 09-30.")
        case ParameterKind.CHOICE:
            unknown = [] if text in declared.choices else [text]
        case _:
            unknown = [entry for entry in text.split(",") if entry and entry not in declared.choices]
    if not unknown:
        return None
    return Problem.of(
        "“%(unknown)s” is not possible here. Possible: %(choices)s.",
        unknown=", ".join(unknown),
        choices=", ".join(declared.choices),
    )


def _is_month_day(text: str) -> bool:
    if not _MONTH_DAY.fullmatch(text):
        return False
    try:
        # A leap year, so that 29 February is a day.
        dt.date.fromisoformat(f"2024-{text}")
    except ValueError:
        return False
    return True


def _row(parameter: Parameter) -> RuleParameter:
    return RuleParameter(
        key=parameter.key,
        value=parameter.value,
        unit=parameter.unit,
        label_zh=parameter.label_zh,
        label_en=parameter.label_en,
        source=parameter.source,
        article=parameter.article,
        effective_from=parameter.effective_from,
        unchecked=parameter.unchecked,
    )


def _history(session: Session) -> History:
    """Every entry by key in the order of its dates, read once per session and again after a change."""
    if _CACHE not in session.info:
        history: defaultdict[str, list[tuple[dt.date, str]]] = defaultdict(list)
        rows = session.execute(
            select(RuleParameter.key, RuleParameter.effective_from, RuleParameter.value).order_by(
                RuleParameter.effective_from
            )
        )
        for key, effective_from, text in rows:
            history[key].append((effective_from, text))
        session.info[_CACHE] = dict(history)
    return cast(History, session.info[_CACHE])


@event.listens_for(Session, "after_flush")
def _forget_after_change(session: Session, _context: object) -> None:
    if any(isinstance(row, RuleParameter) for row in (*session.new, *session.dirty, *session.deleted)):
        session.info.pop(_CACHE, None)


@event.listens_for(Session, "after_soft_rollback")
def _forget_after_rollback(session: Session, _previous: object) -> None:
    session.info.pop(_CACHE, None)
