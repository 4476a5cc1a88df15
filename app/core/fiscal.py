"""Budget years, and the numbers that documents, projects and people's telephones carry (domain.md 9.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.workdays import today_in_china

FIRST_YEAR, LAST_YEAR = 2000, 2099
PROJECT_PREFIX = "KP"
PROJECT_DIGITS = 4
DOCUMENT_DIGITS = 5

_PROJECT_CODE = re.compile(r"KP(20[0-9]{2})(XJ|YW)([0-9]{4}|[1-9][0-9]{4,6})")
_DOCUMENT_CODE = re.compile(r"([A-Z]{2,4})(20[0-9]{2})-([0-9]{5}|[1-9][0-9]{5,7})")
_DOCUMENT_PREFIX = re.compile(r"[A-Z]{2,4}")
_NATIONAL_CODE = re.compile(r"[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}")
_FISCAL_CODE = re.compile(r"[0-9A-Za-z-]{1,40}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def default_budget_year(now: datetime) -> int:
    """The year a declaration made at `now` (aware) asks money for: next year, in China's calendar (D-01)."""
    return today_in_china(now).year + 1


class NatureMark(StrEnum):
    """The two letters of a project number; the names are the codes of the dictionary 项目现状."""

    NEW = "XJ"
    OPERATION = "YW"


@dataclass(frozen=True)
class ProjectCode:
    """项目编号, such as KP2027XJ0042. Unique, not gap-free; past 9999 the number grows by a digit."""

    year: int
    nature: NatureMark
    sequence: int

    def __post_init__(self) -> None:
        _check(self.year, self.sequence, largest=9_999_999)

    def __str__(self) -> str:
        return f"{PROJECT_PREFIX}{self.year}{self.nature}{self.sequence:0{PROJECT_DIGITS}d}"

    @classmethod
    def parse(cls, text: str) -> ProjectCode:
        """Raises ValueError when the text is not a project number."""
        match = _PROJECT_CODE.fullmatch(text)
        if match is None:
            raise ValueError(f"not a project number: {text!r}")
        return cls(int(match[1]), NatureMark(match[2]), int(match[3]))


@dataclass(frozen=True)
class DocumentCode:
    """A document's number, such as SB2027-00017: prefix of its kind, year, running number."""

    prefix: str
    year: int
    sequence: int

    def __post_init__(self) -> None:
        if not _DOCUMENT_PREFIX.fullmatch(self.prefix):
            raise ValueError(f"a prefix is two to four capital letters, not {self.prefix!r}")
        _check(self.year, self.sequence, largest=99_999_999)

    def __str__(self) -> str:
        return f"{self.prefix}{self.year}-{self.sequence:0{DOCUMENT_DIGITS}d}"

    @classmethod
    def parse(cls, text: str) -> DocumentCode:
        """Raises ValueError when the text is not a document number."""
        match = _DOCUMENT_CODE.fullmatch(text)
        if match is None:
            raise ValueError(f"not a document number: {text!r}")
        return cls(match[1], int(match[2]), int(match[3]))


def is_national_code(text: str) -> bool:
    """国家项目代码 as printed, 2612-440783-04-01-123456 (GB/T 40058-2021)."""
    return _NATIONAL_CODE.fullmatch(text) is not None


def is_fiscal_code(text: str) -> bool:
    """财政绩效项目编号: finance issues it in a form of its own: up to 40 letters, digits, hyphens."""
    return _FISCAL_CODE.fullmatch(text) is not None


def is_mobile(text: str) -> bool:
    """A mainland mobile number, eleven ASCII digits without spaces."""
    return _MOBILE.fullmatch(text) is not None


def mask_mobile(text: str) -> str:
    """'138****2210' outside the own unit; what is not a mobile number is hidden whole."""
    if is_mobile(text):
        return f"{text[:3]}****{text[-4:]}"
    return "*" * len(text)


def _check(year: int, sequence: int, *, largest: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"a year from {FIRST_YEAR} to {LAST_YEAR}, not {year}")
    if not 1 <= sequence <= largest:
        raise ValueError(f"a running number from 1 to {largest}, not {sequence}")
