"""What a column of an exported table is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ColumnKind(Enum):
    """What a column holds, and so how its cells are stored and shown."""

    TEXT = "text"
    MONEY = "money"
    """Decimal yuan, a number shown #,##0.00."""
    INTEGER = "integer"
    YEAR = "year"
    """A whole number that is not grouped: 2027, never 2,027."""
    PERCENT = "percent"
    """Percent points as the database holds them (45.5), shown 45.50%."""
    DATE = "date"
    DATETIME = "datetime"
    """An aware time, shown in China's."""


_WIDTHS = {
    ColumnKind.TEXT: 20,
    ColumnKind.MONEY: 18,
    ColumnKind.INTEGER: 10,
    ColumnKind.YEAR: 10,
    ColumnKind.PERCENT: 10,
    ColumnKind.DATE: 12,
    ColumnKind.DATETIME: 17,
}
_TOTALLED = frozenset({ColumnKind.MONEY, ColumnKind.INTEGER})


@dataclass(frozen=True)
class Column:
    """One column: `label` is what the reader of the workbook sees, `width` is in characters (0: by kind)."""

    key: str
    label: str
    kind: ColumnKind = ColumnKind.TEXT
    width: int = 0
    total: bool = False

    def __post_init__(self) -> None:
        if self.total and self.kind not in _TOTALLED:
            raise ValueError(f"column {self.key}: only amounts and whole numbers add up")
        if not 0 <= self.width <= 255:
            raise ValueError(f"column {self.key}: a width is 1 to 255 characters")

    @property
    def shown_width(self) -> int:
        """The width to write, in characters."""
        return self.width or _WIDTHS[self.kind]
