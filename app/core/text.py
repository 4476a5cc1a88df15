"""What users type and paste, made fit to store, compare and export."""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile(r"\r\n|[\r\n\v\f\x85\u2028\u2029]")
_BLANK_ENDS = re.compile(r"[^\S\n]+(?=\n)")
_REMOVED_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})  # control, invisible formatting, half characters
_KEPT = frozenset("\t\n")
_FORMULA_STARTS = frozenset("=+-@＝＋－＠")  # spreadsheets take the full-width forms for the same
_ROW_BREAKERS = frozenset("\t\r\n")


def normalise(text: str) -> str:
    """Text of several lines: one kind of line end, NFC, nothing invisible, no blanks at line ends.

    Removes control and zero-width characters (also those that reverse the writing direction, with which
    a file or title can pretend to be another) and lone surrogates, which no database stores.
    """
    text = _LINE_ENDS.sub("\n", text)
    if not text.isprintable():
        text = "".join(filter(_is_visible, text))
    text = unicodedata.normalize("NFC", text)
    return _BLANK_ENDS.sub("", text).strip()


def trim(text: str) -> str:
    """Text of one line: as `normalise`, with every run of blanks and line ends as one space."""
    return " ".join(normalise(text).split())


def neutralise_formula(text: str) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front (domain.md 9.3).

    That is text beginning, also after blanks or invisible characters, with = + - @ (or their full-width
    forms), and text beginning with a tab or a line end, which would start a new cell when pasted.
    """
    start = 0
    while start < len(text) and (text[start].isspace() or not _is_visible(text[start])):
        start += 1
    if text[start : start + 1] in _FORMULA_STARTS or not _ROW_BREAKERS.isdisjoint(text[:start]):
        return "'" + text
    return text


def _is_visible(character: str) -> bool:
    if character in _KEPT:
        return True
    if unicodedata.category(character) in _REMOVED_CATEGORIES:
        return False
    return ord(character) & 0xFFFE != 0xFFFE  # U+FFFE, U+FFFF and their like in every plane
