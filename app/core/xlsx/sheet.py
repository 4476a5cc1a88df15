"""The rows of a worksheet, as expat events."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from openpyxl.utils import get_column_letter

from app.core.xlsx.parts import Attributes, CellValue, Workbook, local_name, xml_parser
from app.core.xlsx.unreadable import UnreadableReason, UnreadableWorkbook

MAX_ROW_NUMBER = 1_048_576

_LETTERS = re.compile(r"[A-Z]{1,3}(?=[0-9])")


@dataclass(frozen=True)
class SheetLimits:
    """How much of a sheet is read: filled rows, columns, cells whether filled or not; and whether a formula
    stands for its last result or is refused."""

    rows: int
    columns: int
    cells: int
    formulas: bool


class SheetParser:
    """One sheet, fed in pieces; each piece gives the rows it completed."""

    def __init__(self, book: Workbook, limits: SheetLimits) -> None:
        self.book = book
        self._max_rows = limits.rows
        self._max_columns = limits.columns
        self._cells_left = limits.cells
        self._formulas = limits.formulas
        self._row_name = ""
        self._row_number = 0
        self._filled_rows = 0
        self._column = 0
        self._cells: dict[int, CellValue] = {}
        self._kind = "n"
        self._style: str | None = None
        self._pieces: list[str] = []
        self._wanted = False
        self._phonetic = False
        self._ready: list[tuple[int, tuple[CellValue, ...]]] = []
        self._parser = xml_parser(self._start, self._end, self._text)

    def feed(self, chunk: bytes) -> list[tuple[int, tuple[CellValue, ...]]]:
        """Parse a piece, b"" being the end; the rows that hold something. Raises UnreadableWorkbook."""
        self._ready = []
        self._parser.Parse(chunk, not chunk)
        return self._ready

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == self._row_name and not attributes and self._row_number < MAX_ROW_NUMBER:
            # A formatted sheet may have a million empty rows: they pass by the shortest way.
            self._row_number += 1
            self._column = 0
            return
        local = local_name(name)
        if local == "c":
            self._begin_cell(attributes)
        elif local == "v" or local == "t":
            self._wanted = not self._phonetic
        elif local == "row":
            self._row_name = name
            self._begin_row(attributes)
        elif local == "f":
            if not self._formulas:
                cell = f"{get_column_letter(self._column)}{self._row_number}"
                raise UnreadableWorkbook(UnreadableReason.FORMULA, cell=cell)
        elif local == "rPh":
            self._phonetic = True

    def _end(self, name: str) -> None:
        if name == self._row_name:
            if self._cells:
                self._end_row()
            return
        local = local_name(name)
        if local == "v" or local == "t":
            self._wanted = False
        elif local == "c":
            if self._pieces:
                self._end_cell()
        elif local == "rPh":
            self._phonetic = False

    def _text(self, data: str) -> None:
        if self._wanted:
            self._pieces.append(data)

    def _begin_row(self, attributes: Attributes) -> None:
        number = int(attributes["r"]) if "r" in attributes else self._row_number + 1
        if number <= self._row_number:
            raise UnreadableWorkbook(UnreadableReason.BROKEN)
        if number > MAX_ROW_NUMBER:
            raise UnreadableWorkbook(UnreadableReason.TOO_MANY_ROWS, limit=MAX_ROW_NUMBER)
        self._row_number = number
        self._column = 0

    def _begin_cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        self._column = _column_number(reference) if reference else self._column + 1
        self._cells_left -= 1
        if self._cells_left < 0:
            raise UnreadableWorkbook(UnreadableReason.TOO_MANY_CELLS)
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s")
        self._pieces = []

    def _end_cell(self) -> None:
        value = self.book.value(self._kind, self._style, "".join(self._pieces))
        self._pieces = []
        if value is None:
            return
        if self._column > self._max_columns:
            raise UnreadableWorkbook(
                UnreadableReason.TOO_MANY_COLUMNS, limit=self._max_columns, row=self._row_number
            )
        self._cells[self._column] = value

    def _end_row(self) -> None:
        self._filled_rows += 1
        if self._filled_rows > self._max_rows:
            raise UnreadableWorkbook(UnreadableReason.TOO_MANY_ROWS, limit=self._max_rows)
        cells = self._cells
        row = tuple(cells.get(column) for column in range(1, max(cells) + 1))
        self._ready.append((self._row_number, row))
        self._cells = {}


def _column_number(reference: str) -> int:
    letters = _LETTERS.match(reference)
    if letters is None:
        raise UnreadableWorkbook(UnreadableReason.BROKEN)
    return _letters_number(letters[0])


@lru_cache(maxsize=1024)
def _letters_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
