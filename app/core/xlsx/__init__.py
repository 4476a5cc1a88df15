"""The one Excel writer and the one Excel reader of the product."""

from app.core.xlsx.columns import Column, ColumnKind
from app.core.xlsx.form import FormColumn, FormTexts, write_form
from app.core.xlsx.parts import CellValue
from app.core.xlsx.reader import read_rows
from app.core.xlsx.unreadable import UnreadableReason, UnreadableWorkbook
from app.core.xlsx.writer import write_rows

__all__ = [
    "CellValue",
    "Column",
    "ColumnKind",
    "FormColumn",
    "FormTexts",
    "UnreadableReason",
    "UnreadableWorkbook",
    "read_rows",
    "write_form",
    "write_rows",
]
