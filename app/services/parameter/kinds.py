"""What a parameter is: its default, how its text is read, and what may be entered."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

OURS = "本系统约定"
WELL_BEFORE_THE_FIRST_DOCUMENT = dt.date(2024, 1, 1)


class ParameterKind(StrEnum):
    """How a parameter's text is read."""

    INTEGER = "INTEGER"
    AMOUNT = "AMOUNT"
    BOOLEAN = "BOOLEAN"
    MONTH_DAY = "MONTH_DAY"
    CHOICE = "CHOICE"
    LIST = "LIST"


@dataclass(frozen=True)
class Parameter:
    """One parameter: its default as text, how to read it, and what may be entered.

    `least` and `most` bound numbers (of `unit`); `choices` bound CHOICE, and LIST where given.
    """

    key: str
    value: str
    kind: ParameterKind
    label_zh: str
    label_en: str
    unit: str = ""
    source: str = OURS
    article: str = ""
    effective_from: dt.date = WELL_BEFORE_THE_FIRST_DOCUMENT
    unchecked: bool = False
    least: Decimal | None = None
    most: Decimal | None = None
    choices: tuple[str, ...] = ()


def integer(
    key: str,
    value: int,
    unit: str,
    label_zh: str,
    label_en: str,
    *,
    within: tuple[int, int],
    source: str = OURS,
    article: str = "",
    unchecked: bool = False,
) -> Parameter:
    """A whole number of `unit`, bounded by `within`."""
    least, most = map(Decimal, within)
    return Parameter(
        key,
        str(value),
        ParameterKind.INTEGER,
        label_zh,
        label_en,
        unit,
        source,
        article,
        unchecked=unchecked,
        least=least,
        most=most,
    )


def amount(
    key: str, value: str, label_zh: str, label_en: str, *, source: str = OURS, article: str = ""
) -> Parameter:
    """An amount in yuan."""
    return Parameter(
        key,
        value,
        ParameterKind.AMOUNT,
        label_zh,
        label_en,
        "元",
        source,
        article,
        least=Decimal(0),
        most=Decimal("99999999999999.99"),
    )
