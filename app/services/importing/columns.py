"""The columns of a sheet that can be imported: their headers in both languages, and how a cell is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.core.text import trim
from app.services.reading import Kind, Yuan

LANGUAGES = ("zh", "en")

Say = Callable[..., str]
"""say(message, language, **params): a text of ours in one of the languages."""


class _Words:
    """The texts of the product; bound when the application is made, because services know no pages."""

    def __init__(self) -> None:
        self.say: Say = lambda message, language, **params: message % params if params else message


_words = _Words()


def bind(say: Say) -> None:
    """Take headers and labels from `say`."""
    _words.say = say


def say(message: str, language: str, **params: object) -> str:
    """A text of ours in a language."""
    return _words.say(message, language, **params)


def N_(text: str) -> str:
    """Marks a text of ours that is put into a language later."""
    return text


@dataclass(frozen=True)
class SheetColumn:
    """One column. `headers` by language, without required mark and amount unit; `aliases` are headers taken
    as well; `hint` (English msgid) stands in the header's comment; `synonyms` are words people use for a
    code. `required` is asked of new rows."""

    name: str
    headers: Mapping[str, str]
    kind: Kind
    required: bool = False
    hint: str = ""
    aliases: tuple[str, ...] = ()
    synonyms: Mapping[str, Any] = field(default_factory=dict)

    def header(self, language: str, *, wan: bool = False) -> str:
        """What stands in the header cell of a template; `wan` offers amounts in 万元."""
        if not isinstance(self.kind, Yuan):
            return self.headers[language]
        return f"{self.headers[language]}({_WRITTEN_UNITS[language][wan]})"


_WRITTEN_UNITS = {"zh": ("元", "万元"), "en": ("yuan", "10,000 yuan")}
"""The two units an amount column may name in its header (domain.md 9.3), yuan first."""

_UNITS = {
    "元": False,
    "人民币元": False,
    "yuan": False,
    "cny": False,
    "万元": True,
    "万": True,
    "人民币万元": True,
    "10,000yuan": True,
    "10000yuan": True,
}
_HEADER = re.compile(r"(?P<name>.*?)(?:\((?P<unit>[^()]*)\))?")
_PLAIN = str.maketrans({"（": "(", "）": ")", "：": ":", "＊": None, "*": None, "，": ","})


def column(name: str, label: str, kind: Kind, **options: Any) -> SheetColumn:
    """A column named by one of our texts."""
    return SheetColumn(name, {language: say(label, language) for language in LANGUAGES}, kind, **options)


@dataclass(frozen=True)
class Header:
    """A header cell as found: its name, and whether it says 万元 (None: no unit is named)."""

    name: str
    wan: bool | None


def read_header(text: str) -> list[Header]:
    """What a header cell may mean, the likeliest first: marks, blanks and the width of brackets do not
    matter, and a last pair of brackets is a unit where it names one."""
    plain = "".join(trim(text).translate(_PLAIN).split()).lower()
    match = _HEADER.fullmatch(plain)
    found = [Header(plain, None)]
    if match is not None and match["unit"] in _UNITS:
        found.insert(0, Header(match["name"], _UNITS[match["unit"]]))
    return found


def known_headers(columns: list[SheetColumn]) -> dict[str, SheetColumn]:
    """Every header by which a column is recognised."""
    return {
        read_header(text)[-1].name: each
        for each in columns
        for text in (*each.headers.values(), *each.aliases, each.name)
    }
