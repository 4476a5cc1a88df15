"""What a fund adjustment is made of (domain.md 3.3), once, for form, REST, history and print-out alike."""

from __future__ import annotations

from app.core.enums import Labelled
from app.core.funds import AdjustmentKind, Direction
from app.models.adjustment import AdjustmentLine
from app.services.document.description import Column, Field, Table
from app.services.reading import ByNumber, Choice, Code, Day, Line, Paragraphs, Year, Yuan

MOST_LINES = 200


class ChapterKey(Labelled):
    """The chapters of the form, in order; the label is an English msgid."""

    BASIS = "basis", "Basis of the adjustment"
    LINES = "lines", "Adjusted projects"
    ATTACHMENTS = "attachments", "Attachments"


FIELDS: tuple[Field, ...] = (
    Field("title", "Subject of the adjustment", Line(200), ChapterKey.BASIS),
    Field("kind", "Kind of adjustment", Choice(AdjustmentKind, AdjustmentKind.TRANSFER), ChapterKey.BASIS),
    Field("year", "Adjustment year", Year(), ChapterKey.BASIS),
    Field("basis_no", "Basis document no.", Line(80), ChapterKey.BASIS),
    Field("basis_date", "Basis document of", Day(), ChapterKey.BASIS),
    Field("reason", "Reason for the adjustment", Paragraphs(), ChapterKey.BASIS),
)

TABLES: tuple[Table, ...] = (
    Table(
        "lines",
        "Adjusted projects",
        ChapterKey.LINES,
        AdjustmentLine,
        MOST_LINES,
        (
            Column("project_id", "Project", ByNumber("project"), demanded=True),
            Column("direction", "Direction", Choice(Direction), demanded=True),
            Column("channel", "Funding channel", Code("funding_channel"), demanded=True),
            Column("amount", "Adjusted amount", Yuan(), demanded=True),
            Column("amount_before", "Before (yuan)", Yuan()),
        ),
        frozenset({"id", "seq", "amount_after", "project"}),
        computed=(Column("amount_after", "After (yuan)", Yuan()),),
    ),
)
