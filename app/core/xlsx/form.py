"""A workbook to fill in: headers that explain themselves, drop-downs, an instructions sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from app.core.text import neutralise_formula
from app.core.xlsx.package import sheet_titles

_LAST_ROW = 1_048_576
_FORMATS = {"text": "@", "money": "#,##0.00####", "year": "0", "date": "yyyy-mm-dd"}


@dataclass(frozen=True)
class FormColumn:
    """A column to fill in. `kind`: text, money, year or date; `choices` become its drop-down; `note` is the
    header's comment."""

    header: str
    kind: str = "text"
    required: bool = False
    note: str = ""
    choices: Sequence[str] = ()
    width: int = 18


@dataclass(frozen=True)
class FormTexts:
    """The words around the columns, in the reader's language."""

    title: str
    codes_title: str
    instructions_title: str
    instructions: Sequence[str]
    pick: str
    picked_wrong: str


def write_form(
    columns: Sequence[FormColumn],
    texts: FormTexts,
    out: BinaryIO,
    *,
    rows: Iterable[Sequence[object]] = (),
) -> None:
    """Write the workbook. Drop-downs read a hidden sheet, so that a list may be of any length; what is
    not on the list is refused by Excel and WPS themselves. Rows are written as texts that cannot act as
    formulas."""
    book = Workbook(write_only=True)
    data_title, codes_title, guide_title = (
        sheet_titles(title, 1)[0] for title in (texts.title, texts.codes_title, texts.instructions_title)
    )
    sheet = book.create_sheet(data_title)
    guide = book.create_sheet(guide_title)
    codes = book.create_sheet(codes_title)
    codes.sheet_state = "hidden"
    sheet.freeze_panes = "A2"
    for number, column in enumerate(columns, start=1):
        dimension = sheet.column_dimensions[get_column_letter(number)]
        dimension.width, dimension.number_format = column.width, _FORMATS[column.kind]
    _validate(sheet, columns, codes_title, texts)
    sheet.append([_header(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_cell(value) for value in row])
    _fill_codes(codes, columns)
    guide.column_dimensions["A"].width = 110
    for line in texts.instructions:
        cell = WriteOnlyCell(guide, value=_cell(line))
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        guide.append([cell])
    book.save(out)


def _header(sheet: Any, column: FormColumn) -> Any:
    cell = WriteOnlyCell(sheet, value=f"{column.header}*" if column.required else column.header)
    cell.font = Font(bold=True, color="FFC00000" if column.required else "FF000000")
    cell.fill = PatternFill("solid", fgColor="FFE8EEF7")
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    cell.border = Border(bottom=Side(style="thin", color="FFB0B7C3"))
    if column.note:
        cell.comment = Comment(column.note, "", width=260, height=90)
    return cell


def _validate(sheet: Any, columns: Sequence[FormColumn], codes_title: str, texts: FormTexts) -> None:
    quoted = codes_title.replace("'", "''")
    for number, column in enumerate(columns, start=1):
        if not column.choices:
            continue
        letter = get_column_letter(number)
        rule = DataValidation(
            type="list",
            formula1=f"'{quoted}'!${letter}$1:${letter}${len(column.choices)}",
            allow_blank=True,
            showErrorMessage=True,
            showInputMessage=True,
            error=texts.picked_wrong,
            prompt=texts.pick,
        )
        rule.add(f"{letter}2:{letter}{_LAST_ROW}")
        sheet.data_validations.append(rule)


def _fill_codes(codes: Any, columns: Sequence[FormColumn]) -> None:
    """The hidden sheet: each column's choices under the column's own letter."""
    longest = max((len(column.choices) for column in columns), default=0)
    for index in range(longest):
        codes.append([column.choices[index] if index < len(column.choices) else None for column in columns])


def _cell(value: object) -> str | None:
    return None if value is None or value == "" else neutralise_formula(str(value))
