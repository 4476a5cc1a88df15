"""How a value becomes the XML of a cell. Called once per cell of an export: this is the fast road.

openpyxl's write-only mode, unstyled, makes about 4,800 rows of 15 columns a second here (its Cell object
and one XML generator step per tag); the product promises 8,000 styled ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from app.core.text import neutralise_formula
from app.core.workdays import SHANGHAI
from app.core.xlsx.columns import ColumnKind

MAX_TEXT = 32_767
"""Characters a cell holds; Excel calls a file with more damaged."""

_EPOCH = date(1899, 12, 30).toordinal()
_FIRST_SAFE_DAY = date(1900, 3, 1).toordinal()
"""Excel believes in 29 February 1900; days before it have no serial number two programs agree on."""

# Anything here sends a text down the slow road; the rest is written as it stands.
_SPECIAL = re.compile(r"[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]|\A\W*[=+\-@＝＋－＠]|_x[0-9A-Fa-f]{4}_")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

CellBody = Callable[[object], str]
"""From a value to what follows a cell's style, such as '><v>1</v></c>'; '' when there is no cell."""


def text_body(value: object) -> str:
    """Text, neutralised, escaped and without what XML cannot hold."""
    text = value if type(value) is str else "" if value is None else str(value)
    if len(text) > MAX_TEXT or _SPECIAL.search(text):
        text = _made_safe(text)
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else ""


def number_body(value: object) -> str:
    """An exact number. Floats are refused: an amount that was one has already lost its fen."""
    if value is None:
        return ""
    if isinstance(value, Decimal) and value.is_finite():
        return f"><v>{value:f}</v></c>"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"><v>{value}</v></c>"
    raise TypeError(f"a number column takes Decimal and int, not {value!r}")


def percent_body(value: object) -> str:
    """Percent points: 45.5 is stored as 0.455 and shown as 45.50%."""
    if value is None:
        return ""
    if not isinstance(value, Decimal | int):
        raise TypeError(f"a number column takes Decimal and int, not {value!r}")
    number_body(value)
    return f"><v>{Decimal(value).scaleb(-2):f}</v></c>"


def date_body(value: object) -> str:
    """A real date; of an aware time, its date in China."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = _in_china(value)
    if not isinstance(value, date):
        raise TypeError(f"a date column takes dates, not {value!r}")
    day = value.toordinal()
    if day < _FIRST_SAFE_DAY:
        return text_body(value.strftime("%Y-%m-%d"))
    return f"><v>{day - _EPOCH}</v></c>"


def datetime_body(value: object) -> str:
    """A real date and time, China's wall clock. Naive times are refused."""
    if value is None:
        return ""
    if not isinstance(value, datetime):
        raise TypeError(f"a time column takes datetimes, not {value!r}")
    local = _in_china(value)
    day = local.toordinal()
    if day < _FIRST_SAFE_DAY:
        return text_body(local.strftime("%Y-%m-%d %H:%M"))
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    return f"><v>{day - _EPOCH + seconds / 86_400:.10f}</v></c>"


BODIES: dict[ColumnKind, CellBody] = {
    ColumnKind.TEXT: text_body,
    ColumnKind.MONEY: number_body,
    ColumnKind.INTEGER: number_body,
    ColumnKind.YEAR: number_body,
    ColumnKind.PERCENT: percent_body,
    ColumnKind.DATE: date_body,
    ColumnKind.DATETIME: datetime_body,
}


def escape(text: str) -> str:
    """Text as XML character data, also within a double-quoted attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _made_safe(text: str) -> str:
    text = neutralise_formula(_ILLEGAL.sub("", text.replace("\r\n", "\n")))
    if len(text) > MAX_TEXT:
        text = text[: MAX_TEXT - 1] + "…"
    # Excel reads _x000D_ in a text as a control character unless its first underscore is itself escaped.
    return escape(_LOOKS_ESCAPED.sub("_x005F_", text)).replace("\r", "&#13;")


def _in_china(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("times are aware; a naive time cannot be exported")
    return value.astimezone(SHANGHAI)
