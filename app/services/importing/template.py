"""The workbook to fill in, and the same with the wrong rows and why they are wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from io import BytesIO

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.xlsx import CellValue, FormColumn, FormTexts, write_form
from app.models.importing import ImportRun
from app.services.importing.cells import CellReader
from app.services.importing.columns import N_, SheetColumn, say
from app.services.importing.importable import Importable, importables
from app.services.importing.run import open_file, wrong_rows
from app.services.importing.sheet import read_sheet
from app.services.reading import Day, Year, Yuan
from app.services.unit_of_work import current_session

_ROW = {"zh": "行号", "en": "Row"}
_REASONS = {"zh": "错误原因", "en": "Reasons"}
_INSTRUCTIONS = (
    N_(
        "Fill in the first sheet, one record per row, and upload the workbook. Nothing is stored before you"
        " have seen what each row would do and confirmed it."
    ),
    N_("Columns with an asterisk (*) are required for new records."),
    N_("A blank cell leaves what is stored as it is."),
    N_(
        "The header of an amount says its unit: (元) or (万元). Amounts in yuan have at most two decimals, in"
        " 10,000 yuan at most six; more are refused, nothing is rounded."
    ),
    N_("Write values, not formulas. Columns may be left out or put in another order."),
    N_("Uploading the same file again changes nothing."),
)


def template(session: Session, importable: Importable, language: str, *, wan: bool = False) -> BytesIO:
    """The empty workbook of a list, at its beginning; `wan` heads the amounts 万元."""
    columns = importable.columns(session)
    out = BytesIO()
    write_form(
        _form(session, columns, language, {each.name: wan for each in columns}),
        _texts(importable, language),
        out,
    )
    out.seek(0)
    return out


def wrong_workbook(
    actor: Actor, run_id: int, language: str, reasons: Mapping[int, str]
) -> tuple[ImportRun, BytesIO]:
    """The wrong rows of an import as a workbook to correct and upload again: the cells as they were, the
    row number they had, and `reasons` (by row number, in the reader's language). Raises `NotFound`."""
    session = current_session()
    run, file = open_file(actor, run_id)
    importable = importables()[run.list_key]()
    columns = importable.columns(session)
    with file:
        sheet = read_sheet(session, file, run.file_name, columns, importable.keys)
    wanted = {row.row_no for row in wrong_rows(session, run)}
    places = sorted(sheet.places, key=lambda place: place.index)
    form = _form(
        session,
        [place.column for place in places],
        language,
        {place.column.name: place.wan for place in places},
    )
    extra = (FormColumn(_ROW[language], width=8), FormColumn(_REASONS[language], width=60))
    rows = (
        [
            *(_as_text(cells, place.index) for place in places),
            number,
            reasons.get(number, ""),
        ]
        for number, cells in sheet.rows
        if number in wanted
    )
    out = BytesIO()
    write_form([*form, *extra], _texts(importable, language), out, rows=rows)
    out.seek(0)
    return run, out


def _form(
    session: Session, columns: Sequence[SheetColumn], language: str, wan: Mapping[str, bool]
) -> list[FormColumn]:
    reader = CellReader(session, columns)
    return [
        FormColumn(
            column.header(language, wan=wan[column.name]),
            _kind(column),
            column.required,
            say(column.hint, language) if column.hint else "",
            reader.choices(column, language),
            _width(column),
        )
        for column in columns
    ]


def _kind(column: SheetColumn) -> str:
    match column.kind:
        case Yuan():
            return "money"
        case Year():
            return "year"
        case Day():
            return "date"
    return "text"


def _width(column: SheetColumn) -> int:
    return 40 if column.name == "title" else 28 if column.name == "unit_id" else 18


def _texts(importable: Importable, language: str) -> FormTexts:
    return FormTexts(
        title=say(importable.label, language),
        codes_title=say("Codes", language),
        instructions_title=say("Instructions", language),
        instructions=[say(line, language) for line in _INSTRUCTIONS],
        pick=say("Choose from the list.", language),
        picked_wrong=say("Choose one of the entries of the list.", language),
    )


def _as_text(cells: Sequence[CellValue], index: int) -> str | None:
    cell = cells[index] if index < len(cells) else None
    if isinstance(cell, dt.datetime) and cell.time() == dt.time.min:
        return cell.date().isoformat()
    return None if cell is None else str(cell)
