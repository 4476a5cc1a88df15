"""Writes a table of any length as a workbook, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl.utils import get_column_letter

from app.core.xlsx import package
from app.core.xlsx.cells import BODIES, CellBody, number_body, text_body
from app.core.xlsx.columns import Column, ColumnKind
from app.core.xlsx.package import Style

MAX_SHEET_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_SHEET_BYTES = 1 << 30
"""A sheet also ends here, far below the 4 GB that need a kind of zip some programs cannot open."""

_FLUSH_ROWS = 200
_COMPRESSION_LEVEL = 5  # level 6 and above cost a third more time for some two percent
_STYLES = {kind: Style[kind.name] for kind in ColumnKind}
_TOTAL_STYLES = {ColumnKind.MONEY: Style.TOTAL_MONEY, ColumnKind.INTEGER: Style.TOTAL_INTEGER}


def write_rows(
    columns: Sequence[Column],
    rows: Iterable[Sequence[object]],
    *,
    sheet_title: str,
    heading: str | None,
    out: BinaryIO,
    total_label: str = "Total",
    max_sheet_rows: int = MAX_SHEET_ROWS,
) -> int:
    """Write `rows` under `columns` to `out` (need not be seekable) and return how many there were.

    Labels, sheet title, heading and total label come translated. Header bold, frozen and filterable; texts
    cannot act as formulas; amounts, dates and times are real ones. Where a column has `total`, a last row
    holds exact sums (of all sheets). What a sheet cannot hold goes on in a further one.
    Raises ValueError for a row of another length, TypeError for a value its column cannot hold.
    """
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise ValueError(f"a table has 1 to {MAX_COLUMNS} columns")
    sums = _Sums(columns)
    filters: list[str] = []
    count = 0
    source = iter(rows)
    row = next(source, None)
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
        archive.writestr("_rels/.rels", package.package_relations_xml())
        archive.writestr("xl/styles.xml", package.styles_xml())
        while row is not None or not filters:  # a table without rows still has one sheet
            with archive.open(f"xl/worksheets/sheet{len(filters) + 1}.xml", "w") as stream:
                sheet = _Sheet(columns, heading, stream, last_row=max_sheet_rows - bool(sums))
                row = sheet.fill(row, source, sums)
                filters.append(sheet.finish(sums if row is None else None, total_label))
            count += sheet.data_rows
        titles = package.sheet_titles(sheet_title, len(filters))
        archive.writestr("xl/workbook.xml", package.workbook_xml(titles, filters))
        archive.writestr("xl/_rels/workbook.xml.rels", package.workbook_relations_xml(len(filters)))
        archive.writestr("[Content_Types].xml", package.content_types_xml(len(filters)))
    return count


class _Sums:
    """Exact totals of the columns that want one; false when none does."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.values: dict[int, Decimal] = {i: Decimal(0) for i, column in enumerate(columns) if column.total}

    def __bool__(self) -> bool:
        return bool(self.values)

    def add(self, row: Sequence[object]) -> None:
        for index in self.values:
            value = row[index]
            if isinstance(value, Decimal | int):
                self.values[index] += value


@dataclass
class _Sheet:
    columns: Sequence[Column]
    heading: str | None
    stream: IO[bytes]
    last_row: int
    row: int = 0
    data_rows: int = 0
    written: int = 0
    buffer: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.letters = [get_column_letter(number) for number in range(1, len(self.columns) + 1)]
        self.cells: list[tuple[str, str, CellBody]] = [
            (f'<c r="{letter}', f'" s="{_STYLES[column.kind]:d}"', BODIES[column.kind])
            for letter, column in zip(self.letters, self.columns, strict=True)
        ]
        self._begin()

    def fill(
        self, row: Sequence[object] | None, source: Iterator[Sequence[object]], sums: _Sums
    ) -> Sequence[object] | None:
        """Write `row` and those after it while there is room; the first that found none, or None."""
        cells, buffer = self.cells, self.buffer
        width = len(cells)
        while row is not None and self.row < self.last_row and self.written < MAX_SHEET_BYTES:
            if len(row) != width:
                raise ValueError(f"row {self.data_rows + 1} has {len(row)} values for {width} columns")
            self.row += 1
            number = str(self.row)
            parts = [f'<row r="{number}">']
            for (opening, style, body), value in zip(cells, row, strict=True):
                if inside := body(value):
                    parts += (opening, number, style, inside)
            parts.append("</row>")
            buffer.append("".join(parts))
            if sums:
                sums.add(row)
            self.data_rows += 1
            if len(buffer) >= _FLUSH_ROWS:
                self._flush()
            row = next(source, None)
        return row

    def finish(self, sums: _Sums | None, total_label: str) -> str:
        """Write the totals, if any, and the end; the filtered range, absolute, for the workbook."""
        first, last = self.header_row, self.row
        if sums:
            self._total_row(sums, total_label)
        end = self.letters[-1]
        merged = ""
        if self.heading is not None and len(self.columns) > 1:
            merged = f'<mergeCells count="1"><mergeCell ref="A1:{end}1"/></mergeCells>'
        self.buffer.append(
            f'</sheetData><autoFilter ref="A{first}:{end}{last}"/>{merged}'
            '<pageMargins left="0.4" right="0.4" top="0.6" bottom="0.6" header="0.3" footer="0.3"/>'
            '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
        )
        self._flush()
        return f"$A${first}:${end}${last}"

    def _begin(self) -> None:
        self.header_row = 1 if self.heading is None else 2
        below = self.header_row + 1
        widths = "".join(
            f'<col min="{number}" max="{number}" width="{column.shown_width}" customWidth="1"/>'
            for number, column in enumerate(self.columns, 1)
        )
        self.buffer.append(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0">'
            f'<pane ySplit="{self.header_row}" topLeftCell="A{below}" activePane="bottomLeft" '
            'state="frozen"/>'
            f'</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>'
        )
        if self.heading is not None:
            self.row += 1
            self.buffer.append(
                f'<row r="1" ht="30" customHeight="1"><c r="A1" s="{Style.HEADING:d}"'
                f"{text_body(self.heading) or '/>'}</row>"
            )
        self.row += 1
        labels = "".join(
            f'<c r="{letter}{self.row}" s="{Style.HEADER:d}"{text_body(column.label) or "/>"}'
            for letter, column in zip(self.letters, self.columns, strict=True)
        )
        self.buffer.append(f'<row r="{self.row}" ht="22" customHeight="1">{labels}</row>')

    def _total_row(self, sums: _Sums, label: str) -> None:
        self.row += 1
        cells = []
        for index, column in enumerate(self.columns):
            if index in sums.values:
                style, body = _TOTAL_STYLES[column.kind], number_body(sums.values[index])
            else:
                style, body = Style.TOTAL_TEXT, (text_body(label) if index == 0 else "") or "/>"
            cells.append(f'<c r="{self.letters[index]}{self.row}" s="{style:d}"{body}')
        self.buffer.append(f'<row r="{self.row}">{"".join(cells)}</row>')

    def _flush(self) -> None:
        data = "".join(self.buffer).encode()
        self.buffer.clear()
        self.stream.write(data)
        self.written += len(data)
