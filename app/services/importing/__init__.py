"""Importing lists from workbooks: one facility for every list.

A list describes itself once (`Importable`: columns, keys, loader, rules, applier) and registers; template,
reading, preview, confirm, log and the workbook of wrong rows come with it.
"""

from app.services.importing import calendar, project, sheet
from app.services.importing.cells import CellReader
from app.services.importing.columns import LANGUAGES, SheetColumn, bind, say
from app.services.importing.importable import (
    Existing,
    Importable,
    Outcome,
    Row,
    RowProblem,
    importables,
    register,
)
from app.services.importing.preview import Preview, examine
from app.services.importing.run import (
    confirm,
    discard,
    dry_run,
    importable_of,
    load,
    open_file,
    page_of,
    preview,
    remove_unconfirmed,
    wrong_rows,
)
from app.services.importing.template import template, wrong_workbook

MAX_UNPACKED = sheet.MAX_UNPACKED
PROJECTS = project.ProjectImport.key
WORK_CALENDAR = calendar.WorkCalendarImport.key

__all__ = [
    "LANGUAGES",
    "MAX_UNPACKED",
    "PROJECTS",
    "WORK_CALENDAR",
    "CellReader",
    "Existing",
    "Importable",
    "Outcome",
    "Preview",
    "Row",
    "RowProblem",
    "SheetColumn",
    "bind",
    "confirm",
    "discard",
    "dry_run",
    "examine",
    "importable_of",
    "importables",
    "load",
    "open_file",
    "page_of",
    "preview",
    "register",
    "remove_unconfirmed",
    "say",
    "template",
    "wrong_rows",
    "wrong_workbook",
]
