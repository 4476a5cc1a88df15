"""Kinds of values in the API: how each is documented, compared in a filter, and headed in a workbook.

In JSON every amount is a decimal string in yuan, every date ISO 8601, every dictionary field its code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from app.core.enums import Labelled
from app.core.fiscal import FIRST_YEAR, LAST_YEAR
from app.core.workdays import SHANGHAI
from app.core.xlsx import ColumnKind
from app.services import reading
from app.services.reading import Lookup, Unreadable

LARGEST_WHOLE = 2**31 - 1
"""The largest whole number that both databases compare with an id, a year or a version."""

EQUALITY = frozenset({"eq", "neq", "in", "not_in"})
ORDER = EQUALITY | {"gt", "ge", "lt", "le"}
SEARCH = EQUALITY | {"ct", "nct", "sw", "nsw", "ew", "new"}
RELATION = EQUALITY | {"rel_o_m", "nrel_o_m"}
SHOWN_ONLY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Whole(reading.Kind):
    """A whole number that fits a database column."""

    least: int = 0

    def read(self, raw: object, lookup: Lookup) -> int:
        text = str(raw).strip() if isinstance(raw, int | str) and not isinstance(raw, bool) else ""
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            raise Unreadable("Send a whole number.")
        number = int(text)
        if not self.least <= number <= LARGEST_WHOLE:
            raise Unreadable(
                "Send a whole number from %(least)s to %(most)s.", least=self.least, most=LARGEST_WHOLE
            )
        return number


@dataclass(frozen=True)
class Choice(reading.Kind):
    """A member of an enum."""

    enum: type[Labelled]

    def read(self, raw: object, lookup: Lookup) -> Labelled:
        try:
            return self.enum(raw if isinstance(raw, str) else "")
        except ValueError:
            raise Unreadable("“%(value)s” is not one of the choices here.", value=str(raw)[:40]) from None


@dataclass(frozen=True)
class Moment(reading.Kind):
    """A moment, ISO 8601; without an offset it is China's time, and a day is its first moment."""

    def read(self, raw: object, lookup: Lookup) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(raw if isinstance(raw, str) else "")
        except ValueError:
            raise Unreadable("Enter a moment, for example 2027-01-31T09:00:00+08:00.") from None
        if not FIRST_YEAR < moment.year <= LAST_YEAR:
            raise Unreadable("Enter a moment, for example 2027-01-31T09:00:00+08:00.")
        return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Given(reading.Kind):
    """A value that may not be empty, read by another kind: a filter compares with something."""

    kind: reading.Kind

    def read(self, raw: object, lookup: Lookup) -> Any:
        value = self.kind.read(raw, lookup)
        if value is None:
            raise Unreadable("Send a value to compare with.")
        return value


@dataclass(frozen=True)
class ApiKind:
    """One kind of value. `operators` are those a filter may use; none means that it is only shown."""

    schema: Mapping[str, Any]
    reads: reading.Kind
    operators: frozenset[str]
    excel: ColumnKind = ColumnKind.TEXT
    dictionary: str | None = None
    enum: type[Labelled] | None = None


def _text(operators: frozenset[str]) -> ApiKind:
    return ApiKind({"type": "string"}, reading.Line(200), operators)


ID = ApiKind({"type": "integer"}, Whole(), RELATION, ColumnKind.INTEGER)
WHOLE = ApiKind({"type": "integer"}, Whole(), ORDER, ColumnKind.INTEGER)
YEAR = ApiKind({"type": "integer", "example": 2027}, Given(reading.Year()), ORDER, ColumnKind.YEAR)
TEXT = _text(SEARCH)
WORDS = _text(SHOWN_ONLY)
AMOUNT = ApiKind(
    {"type": "string", "format": "decimal", "example": "31900.00", "description": "Yuan, two decimals"},
    Given(reading.Yuan()),
    ORDER,
    ColumnKind.MONEY,
)
DAY = ApiKind({"type": "string", "format": "date"}, Given(reading.Day()), ORDER, ColumnKind.DATE)
MOMENT = ApiKind({"type": "string", "format": "date-time"}, Moment(), ORDER, ColumnKind.DATETIME)
FLAG = ApiKind({"type": "boolean"}, reading.Flag(), frozenset({"eq", "neq"}))


def code(dictionary: str) -> ApiKind:
    """A dictionary's code."""
    schema = {"type": "string", "description": f"A code of the dictionary `{dictionary}`"}
    return ApiKind(schema, reading.Line(40), EQUALITY, dictionary=dictionary)


def codes(dictionary: str, operators: frozenset[str] = SHOWN_ONLY) -> ApiKind:
    """Several codes of a dictionary."""
    schema = {"type": "array", "items": code(dictionary).schema}
    return ApiKind(schema, reading.Line(40), operators, dictionary=dictionary)


def choice(enum: type[Labelled]) -> ApiKind:
    """A state or kind of our own."""
    schema = {"type": "string", "enum": [member.value for member in enum]}
    return ApiKind(schema, Choice(enum), EQUALITY, enum=enum)


def strict_json(text: str | bytes) -> Any:
    """What JSON says, if it could also be said back. Raises `ValueError`, also for a number of 5,000 digits
    and for half a character, which no database stores and no answer can hold; and `RecursionError`."""
    found = json.loads(text)
    json.dumps(found, ensure_ascii=False).encode()
    return found


def as_json(value: Any) -> Any:
    """A value of the database as JSON has it."""
    match value:
        case Decimal():
            return f"{value:f}"
        case dt.datetime():
            return value.astimezone(SHANGHAI).isoformat()
        case dt.date():
            return value.isoformat()
        case Enum():
            return value.value
        case list() | tuple() | frozenset():
            return [as_json(each) for each in value]
        case _:
            return value
