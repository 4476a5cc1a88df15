"""A file as rows of cells under known columns. What is wrong with the whole file is refused here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from sqlalchemy.orm import Session

from app.core.errors import InvalidInput, Problem
from app.core.text import trim
from app.core.xlsx import CellValue, UnreadableWorkbook, read_rows
from app.services import parameter
from app.services.importing.columns import SheetColumn, known_headers, read_header
from app.services.reading import Yuan

MAX_UNPACKED = 64 << 20
_CELLS_A_ROW = 40
_HEADER_AMONG = 10
"""The header is one of the first rows: lists come with titles above it."""
_LONGEST_CSV_LINE = 100_000
_MOST_CSV_LINES = 1_048_576

IGNORED = frozenset({"序号", "备注", "行号", "错误原因", "no.", "note", "row", "reasons"})
"""Headers people and our own workbooks add; they are passed over without a word."""

RawRow = tuple[int, tuple[CellValue, ...]]


@dataclass(frozen=True)
class Place:
    """Where a column stands in the sheet (from 0), and whether its amounts are in 万元."""

    column: SheetColumn
    index: int
    wan: bool = False

    def cell(self, row: int) -> str:
        """The address of its cell in a row, such as C5."""
        return f"{letters(self.index)}{row}"


@dataclass(frozen=True)
class Sheet:
    """A file as read: its header row, the columns found, the rows below it, and what to tell about it."""

    header: tuple[str, ...]
    places: tuple[Place, ...]
    rows: tuple[RawRow, ...]
    notices: tuple[Problem, ...]


def read_sheet(
    session: Session, file: BinaryIO, name: str, columns: list[SheetColumn], keys: Sequence[str]
) -> Sheet:
    """Read a workbook (.xlsx) or, by its name, a CSV file. Raises `InvalidInput` beside `file`."""
    most = parameter.int_of(session, "import.max_rows")
    known = known_headers(columns)
    rows = list(_csv(file, most) if name.lower().endswith(".csv") else _workbook(file, most))
    header_at = next(
        (place for place, (_, row) in enumerate(rows[:_HEADER_AMONG]) if _names(row, known)), None
    )
    if header_at is None:
        raise _refused("No header row was found. Use the template: the first row names the columns.")
    header = tuple(_text(cell) for cell in rows[header_at][1])
    places, unknown = _placed(header, known)
    if not any(place.column.name in keys for place in places):
        wanted = " / ".join(column.headers["zh"] for column in columns if column.name in keys)
        raise _refused("The column that identifies a row is missing: %(columns)s.", columns=wanted)
    below = rows[header_at + 1 :]
    if not below:
        raise _refused("There are no rows below the header.")
    notices = []
    if unknown:
        notices.append(
            Problem.of(
                "Columns that are not known and will not be read: %(names)s.", names="、".join(unknown)
            )
        )
    return Sheet(header, places, tuple(below), tuple(notices))


def letters(index: int) -> str:
    """The letters of a column, counting from 0: A, B, … AA."""
    text = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def _workbook(file: BinaryIO, most: int) -> Iterator[RawRow]:
    limits = {"max_rows": most + _HEADER_AMONG, "max_bytes_unpacked": MAX_UNPACKED}
    try:
        rows = read_rows(file, **limits, max_cells=most * _CELLS_A_ROW, formulas=False)
        yield from _counted(rows, most)
    except UnreadableWorkbook as error:
        raise InvalidInput({"file": [error.problem]}) from error


def _csv(file: BinaryIO, most: int) -> Iterator[RawRow]:
    """Excel in China saves CSV files in GB 18030; other programs in UTF-8."""
    file.seek(0)
    data = file.read()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", errors="replace")
    if "\x00" in text:
        raise _refused("This is neither an Excel workbook (.xlsx) nor a CSV file.")
    csv.field_size_limit(_LONGEST_CSV_LINE)
    try:
        lines = islice(enumerate(csv.reader(io.StringIO(text)), start=1), _MOST_CSV_LINES)
        filled = ((number, tuple(row)) for number, row in lines if any(cell.strip() for cell in row))
        yield from _counted(filled, most)
    except csv.Error as error:
        raise _refused("The CSV file cannot be read. Save it as .xlsx and try again.") from error


def _counted(rows: Iterable[RawRow], most: int) -> Iterator[RawRow]:
    for count, row in enumerate(rows):
        if count > most + _HEADER_AMONG - 1:
            raise _refused("The sheet has more than %(limit)s rows. Split it and try again.", limit=most)
        yield row


def _names(row: Sequence[CellValue], known: Mapping[str, SheetColumn]) -> bool:
    """Is this the header: at least two known columns, or all that it holds?"""
    texts = [text for cell in row if (text := _text(cell))]
    named = sum(_column(text, known) is not None for text in texts)
    return named >= 2 or (named > 0 and named == len(texts))


def _column(text: str, known: Mapping[str, SheetColumn]) -> tuple[SheetColumn, bool | None] | None:
    for meaning in read_header(text):
        if meaning.name in known:
            return known[meaning.name], meaning.wan
    return None


def _placed(header: Sequence[str], known: Mapping[str, SheetColumn]) -> tuple[tuple[Place, ...], list[str]]:
    places: dict[str, Place] = {}
    unknown: list[str] = []
    for index, text in enumerate(header):
        found = _column(text, known)
        if found is None:
            if text and read_header(text)[-1].name not in IGNORED:
                unknown.append(text[:40])
            continue
        column, wan = found
        if column.name in places:
            raise _refused("The column “%(name)s” is there twice.", name=text[:40])
        if isinstance(column.kind, Yuan) and wan is None:
            raise _refused(
                "The header “%(name)s” must say the unit of its amounts: write (元) or (万元) behind it.",
                name=text[:40],
            )
        places[column.name] = Place(column, index, bool(wan))
    return tuple(places.values()), unknown


def _text(cell: CellValue) -> str:
    return "" if cell is None else trim(str(cell))


def _refused(message: str, **params: object) -> InvalidInput:
    return InvalidInput({"file": [Problem.of(message, **params)]})
