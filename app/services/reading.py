"""Reading what people typed or programs sent, one field at a time: by kind, never rounding, never guessing.

A kind turns raw input (text of a form, a value of JSON) into a typed value and back into the text a form
shows. What cannot be read raises `Unreadable` with the sentence to put beside the field.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from app.core.enums import Labelled
from app.core.errors import Problem
from app.core.fiscal import FIRST_YEAR, LAST_YEAR, is_mobile
from app.core.money import InvalidAmount, yuan
from app.core.text import normalise, trim

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，－", "0123456789.,-")
_NUMBER = re.compile(r"(?:[0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.(?P<fraction>[0-9]{1,20}))?")
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_YES = frozenset({"1", "true", "on", "yes", "y"})
_NO = frozenset({"", "0", "false", "off", "no", "n"})


class Unreadable(ValueError):
    """A value that is not taken, with the problem to say beside its field."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.problem = Problem.of(message, **params)


class Lookup(Protocol):
    """What reading asks of the database."""

    def allows(self, type_code: str, code: str) -> bool:
        """May this code of a dictionary be chosen here?"""

    def knows(self, target: str, row_id: int) -> bool:
        """Is there a row of this kind (`unit`, `project`) that the actor may refer to?"""


@runtime_checkable
class Finder(Lookup, Protocol):
    """A lookup that also knows rows by their numbers."""

    def find(self, target: str, number: str) -> int | None:
        """The id of the row of this kind with this number that the actor may refer to."""


@dataclass(frozen=True)
class Kind(ABC):
    """How one kind of field is read and shown."""

    @property
    def empty(self) -> Any:
        """The value of a field left blank."""
        return None

    @abstractmethod
    def read(self, raw: object, lookup: Lookup) -> Any:
        """The typed value. Raises `Unreadable`."""

    def show(self, value: Any) -> str | list[str]:
        """The text with which a form is filled; read again, it gives the same value."""
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Line(Kind):
    """Text of one line."""

    most: int

    @property
    def empty(self) -> str:
        return ""

    def read(self, raw: object, lookup: Lookup) -> str:
        return _short_enough(trim(_text(raw)), self.most)


@dataclass(frozen=True)
class Issued(Line):
    """A number that somebody issued, such as 财政绩效项目编号; `fits` knows its form, `message` says it."""

    fits: Callable[[str], bool]
    message: str

    def read(self, raw: object, lookup: Lookup) -> str:
        text = super().read(raw, lookup)
        if text and not self.fits(text):
            raise Unreadable(self.message)
        return text


@dataclass(frozen=True)
class Paragraphs(Kind):
    """Text of several lines."""

    most: int = 20_000

    @property
    def empty(self) -> str:
        return ""

    def read(self, raw: object, lookup: Lookup) -> str:
        return _short_enough(normalise(_text(raw)), self.most)


@dataclass(frozen=True)
class Mobile(Kind):
    """A mainland mobile number."""

    @property
    def empty(self) -> str:
        return ""

    def read(self, raw: object, lookup: Lookup) -> str:
        text = trim(_text(raw)).translate(_FULL_WIDTH).replace(" ", "").replace("-", "")
        if text and not is_mobile(text):
            raise Unreadable("Enter a mobile number of eleven digits, such as 13800000000.")
        return text


@dataclass(frozen=True)
class Code(Kind):
    """One entry of a dictionary, by its code."""

    dictionary: str

    def read(self, raw: object, lookup: Lookup) -> str | None:
        code = trim(_text(raw))
        if not code:
            return None
        if not lookup.allows(self.dictionary, code):
            raise Unreadable("“%(value)s” is not one of the choices here.", value=code[:40])
        return code


@dataclass(frozen=True)
class Choice(Kind):
    """One member of an enum, by its stored value; `otherwise` is what a blank field means."""

    options: type[Labelled]
    otherwise: Labelled | None = None

    @property
    def empty(self) -> Labelled | None:
        return self.otherwise

    def read(self, raw: object, lookup: Lookup) -> Labelled | None:
        value = trim(_text(raw))
        if not value:
            return self.otherwise
        try:
            return self.options(value)
        except ValueError:
            raise Unreadable("“%(value)s” is not one of the choices here.", value=value[:40]) from None


@dataclass(frozen=True)
class Codes(Kind):
    """Several entries of a dictionary, each once."""

    dictionary: str

    @property
    def empty(self) -> tuple[str, ...]:
        return ()

    def read(self, raw: object, lookup: Lookup) -> tuple[str, ...]:
        entries = raw if isinstance(raw, list | tuple) else [raw]
        if len(entries) > 100:
            raise Unreadable("At most %(most)s entries.", most=100)
        one = Code(self.dictionary)
        codes = (one.read(entry, lookup) for entry in entries)
        return tuple(dict.fromkeys(code for code in codes if code))

    def show(self, value: Any) -> list[str]:
        return list(value)


@dataclass(frozen=True)
class Yuan(Kind):
    """An amount in yuan, at most two decimals; never rounded."""

    def read(self, raw: object, lookup: Lookup) -> Decimal | None:
        if _is_blank(raw):
            return None
        try:
            return yuan(raw)
        except InvalidAmount as error:
            raise Unreadable(error.problem.message, **error.problem.params) from error

    def show(self, value: Any) -> str:
        return "" if value is None else f"{value:.2f}"


@dataclass(frozen=True)
class Number(Kind):
    """A number from 0 to `most` with at most `places` decimals; never rounded."""

    places: int
    most: Decimal

    def read(self, raw: object, lookup: Lookup) -> Decimal | None:
        if _is_blank(raw):
            return None
        if isinstance(raw, bool | float) or not isinstance(raw, str | int | Decimal):
            raise Unreadable('Send the number as a decimal string, for example "12.5".')
        match = _NUMBER.fullmatch(str(raw).strip().translate(_FULL_WIDTH))
        if match is None:
            raise Unreadable("Enter a number, for example 12.5.")
        if len((match["fraction"] or "").rstrip("0")) > self.places:
            raise Unreadable("At most %(places)s decimals; nothing was rounded.", places=self.places)
        number = Decimal(match[0].replace(",", "")).quantize(Decimal(1).scaleb(-self.places))
        if number > self.most:
            raise Unreadable("At most %(most)s.", most=self.most)
        return number

    def show(self, value: Any) -> str:
        if value is None:
            return ""
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


def read_day(text: str) -> dt.date:
    """A date, ISO 8601; 2027/1/5 and 2027年1月5日 are understood too. Raises `Unreadable`."""
    match = _DAY.fullmatch(trim(text).translate(_FULL_WIDTH))
    try:
        if match is None or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            raise ValueError
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Unreadable("Enter a date, for example 2027-01-31.") from None


@dataclass(frozen=True)
class Day(Kind):
    """A date, as `read_day` reads it."""

    def read(self, raw: object, lookup: Lookup) -> dt.date | None:
        if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
            return raw
        if _is_blank(raw):
            return None
        return read_day(_text(raw))


@dataclass(frozen=True)
class Year(Kind):
    """A calendar year; the budget year is one (预算法 art. 18)."""

    def read(self, raw: object, lookup: Lookup) -> int | None:
        if _is_blank(raw):
            return None
        year = _whole(raw)
        if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
            raise Unreadable(
                "Enter a year from %(first)s to %(last)s.", first=str(FIRST_YEAR), last=str(LAST_YEAR)
            )
        return year


@dataclass(frozen=True)
class Flag(Kind):
    """Yes or no; blank is no."""

    @property
    def empty(self) -> bool:
        return False

    def read(self, raw: object, lookup: Lookup) -> bool:
        word = "" if raw is None else str(raw).strip().lower()
        if word in _YES or word in _NO:
            return word in _YES
        raise Unreadable("Answer yes or no.")

    def show(self, value: Any) -> str:
        return "1" if value else ""


@dataclass(frozen=True)
class Reference(Kind):
    """A row of another kind, by its id; only one the actor may see."""

    target: str

    def read(self, raw: object, lookup: Lookup) -> int | None:
        if _is_blank(raw):
            return None
        row_id = _whole(raw)
        if row_id is None or not lookup.knows(self.target, row_id):
            raise Unreadable("There is no such record, or it is outside your data scope.")
        return row_id


@dataclass(frozen=True)
class ByNumber(Reference):
    """A row of another kind, by its id or by the number people call it by; words behind the number (a title
    that was pasted along) do not matter."""

    def read(self, raw: object, lookup: Lookup) -> int | None:
        if _is_blank(raw) or _whole(raw) is not None or not isinstance(lookup, Finder):
            return super().read(raw, lookup)
        found = lookup.find(self.target, trim(_text(raw)).split(maxsplit=1)[0])
        if found is None:
            raise Unreadable("There is no such record, or it is outside your data scope.")
        return found


def _text(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | Decimal) and not isinstance(raw, bool):
        return str(raw)
    raise Unreadable("Enter text.")


def _short_enough(text: str, most: int) -> str:
    if len(text) > most:
        raise Unreadable("At most %(most)s characters; these are %(length)s.", most=most, length=len(text))
    return text


def _whole(raw: object) -> int | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        return None
    text = str(raw).strip().translate(_FULL_WIDTH)
    return int(text) if _WHOLE.fullmatch(text) else None


def _is_blank(raw: object) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())
