"""A fund adjustment's values: typed, read by one parser from a form or from JSON, kept in rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.core.funds import AdjustmentKind, Direction
from app.models.adjustment import FundAdjustment
from app.services.adjustment.fields import FIELDS, TABLES
from app.services.document import values as document
from app.services.document.description import Description
from app.services.document.values import Reading, sum_of


@dataclass(frozen=True)
class LineValues:
    """One line, in yuan. `amount_before` is what whoever drafted it saw; `amount_after` is ours."""

    project_id: int | None = None
    direction: Direction | None = None
    channel: str | None = None
    amount: Decimal | None = None
    amount_before: Decimal | None = None
    amount_after: Decimal | None = None


@dataclass(frozen=True)
class AdjustmentValues:
    """Everything the data bureau fills in (domain.md 3.3). Empty is None, "" or ()."""

    title: str = ""
    kind: AdjustmentKind = AdjustmentKind.TRANSFER
    year: int | None = None
    basis_no: str = ""
    basis_date: dt.date | None = None
    reason: str = ""
    lines: tuple[LineValues, ...] = ()


Parsed = document.Parsed[AdjustmentValues]


def after(before: Decimal | None, direction: Direction | None, amount: Decimal | None) -> Decimal | None:
    """What a line makes of the figure before it, in yuan; None while something is missing."""
    if before is None or direction is None or amount is None:
        return None
    return before + direction.sign * amount


def total(lines: Iterable[Any], direction: Direction) -> Decimal:
    """What all lines of one direction move, in yuan."""
    return sum_of(line.amount for line in lines if line.direction is direction)


def finish_row(_reading: Reading[Any], row: Any, _path: str, _raw: Mapping[str, Any]) -> Any:
    """A line's figure after it is ours."""
    return replace(row, amount_after=after(row.amount_before, row.direction, row.amount))


DESCRIPTION = Description(
    values=AdjustmentValues,
    fields=FIELDS,
    tables=TABLES,
    row_values={"lines": LineValues},
    finish_row=finish_row,
)


def values_of(adjustment: FundAdjustment) -> AdjustmentValues:
    """The values an adjustment holds; its lines must be loaded."""
    return document.values_of(DESCRIPTION, adjustment)


def assign(adjustment: FundAdjustment, values: AdjustmentValues) -> None:
    """Put the values into the adjustment, with their sums. A year left blank keeps the one the row has."""
    if values.year is None:
        values = replace(values, year=adjustment.year)
    document.assign(DESCRIPTION, adjustment, values)
    adjustment.out_amount = total(values.lines, Direction.OUT)
    adjustment.in_amount = total(values.lines, Direction.IN)
