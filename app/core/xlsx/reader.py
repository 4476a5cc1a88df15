"""Reads the first sheet of a stranger's workbook, row by row, at a price known beforehand.

Own expat handlers instead of openpyxl's reader: that one builds a tree per row, fills every gap in the row
numbers with empty rows, pads each row to its last column, and parses styles and strings of any length
before the first row is seen, so that a small file can keep it busy for minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZipFile

from app.core.archives import ArchiveLimits, ArchiveProblem, UnsafeArchive, open_archive
from app.core.xlsx.parts import CellValue, Workbook, damage_named
from app.core.xlsx.sheet import SheetLimits, SheetParser
from app.core.xlsx.unreadable import UnreadableReason, UnreadableWorkbook

MAX_ENTRIES = 2_000
DEFAULT_MAX_COLUMNS = 512
DEFAULT_MAX_CELLS = 20_000_000

_CHUNK = 1 << 16
_OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_rows(
    file: BinaryIO,
    *,
    max_rows: int,
    max_bytes_unpacked: int,
    max_columns: int = DEFAULT_MAX_COLUMNS,
    max_cells: int = DEFAULT_MAX_CELLS,
    formulas: bool = True,
) -> Iterator[tuple[int, tuple[CellValue, ...]]]:
    """The rows of the first visible sheet that hold anything, each with its row number in the sheet.

    Formulas give their last result, or are refused without `formulas`; a row is as long as its last filled
    cell. `max_cells` bounds the empty cells too, and half of it the shared strings: they cost time though
    they give nothing. The container is checked at the call, the rows while they are read:
    UnreadableWorkbook can come from either.
    """
    archive = _open(file, max_bytes_unpacked)
    with damage_named():
        book = Workbook(archive, max_strings=max_cells // 2)
    limits = SheetLimits(max_rows, max_columns, max_cells, formulas)
    return _rows(archive, SheetParser(book, limits))


def _rows(archive: ZipFile, sheet: SheetParser) -> Iterator[tuple[int, tuple[CellValue, ...]]]:
    with damage_named():
        stream = archive.open(sheet.book.sheet_part)
    with stream:
        while True:
            with damage_named():
                chunk = stream.read(_CHUNK)
                rows = sheet.feed(chunk)
            yield from rows
            if not chunk:
                return


def _open(file: BinaryIO, max_bytes_unpacked: int) -> ZipFile:
    file.seek(0)
    head = file.read(8)
    if head == _OLE_MARK:
        raise UnreadableWorkbook(UnreadableReason.OLD_FORMAT)
    if not head.startswith(b"PK\x03\x04"):
        raise UnreadableWorkbook(UnreadableReason.NOT_XLSX)
    try:
        return open_archive(file, ArchiveLimits(MAX_ENTRIES, max_bytes_unpacked))
    except UnsafeArchive as error:
        if error.reason is ArchiveProblem.TOO_LARGE:
            raise UnreadableWorkbook(UnreadableReason.TOO_LARGE, **error.params) from error
        unsafe = error.reason in (ArchiveProblem.SUSPICIOUS, ArchiveProblem.TOO_MANY_ENTRIES)
        reason = UnreadableReason.UNSAFE if unsafe else UnreadableReason.BROKEN
        raise UnreadableWorkbook(reason) from error
