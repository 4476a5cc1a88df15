"""Why a workbook is not read."""

from __future__ import annotations

from app.core.enums import Labelled
from app.core.refusal import Refusal


class UnreadableReason(Labelled):
    """Why a workbook was refused; the label is the sentence for the user."""

    NOT_XLSX = "NOT_XLSX", "This is not an Excel workbook (.xlsx)."
    OLD_FORMAT = (
        "OLD_FORMAT",
        "This is an old or password-protected workbook. Save it as .xlsx without a password.",
    )
    BROKEN = "BROKEN", "The workbook is damaged. Open it in Excel or WPS, save it again and retry."
    UNSAFE = "UNSAFE", "The workbook contains something that no spreadsheet program writes."
    TOO_LARGE = "TOO_LARGE", "Unpacked, the workbook would be larger than %(limit)s MB."
    TOO_MANY_ROWS = "TOO_MANY_ROWS", "The sheet has more than %(limit)s rows. Split it and try again."
    TOO_MANY_CELLS = (
        "TOO_MANY_CELLS",
        "The workbook has far more cells than a list needs. Delete the empty ones.",
    )
    MACROS = "MACROS", "The workbook contains macros. Save it as .xlsx without them."
    FORMULA = (
        "FORMULA",
        "Cell %(cell)s is a formula. Copy the sheet and paste it back as values, then try again.",
    )
    TOO_MANY_COLUMNS = (
        "TOO_MANY_COLUMNS",
        "Row %(row)s has cells beyond column %(limit)s. Delete them and retry.",
    )


class UnreadableWorkbook(Refusal):
    """A workbook that cannot or must not be read."""
