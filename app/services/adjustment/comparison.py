"""调出和调入的对比计算: before, out, in and after, per project, per unit and per channel (domain.md 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from app.core.funds import Direction
from app.models.adjustment import AdjustmentLine

K = TypeVar("K")
ZERO = Decimal("0.00")


@dataclass
class Compared(Generic[K]):
    """One project, unit or channel: before − out + in = after, in yuan. `before` counts the adjusted rows
    only, not what else a unit or a channel has."""

    key: K
    before: Decimal = ZERO
    out: Decimal = ZERO
    into: Decimal = ZERO

    @property
    def delta(self) -> Decimal:
        """What it gains or loses."""
        return self.into - self.out

    @property
    def after(self) -> Decimal:
        """What it has afterwards."""
        return self.before + self.delta


@dataclass(frozen=True)
class Comparison:
    """The whole document compared, and the sums of both sides."""

    projects: list[Compared[int]]
    units: list[Compared[int]]
    channels: list[Compared[str]]
    out: Decimal
    into: Decimal

    @property
    def difference(self) -> Decimal:
        """ΣOUT − ΣIN."""
        return self.out - self.into


def compare(lines: Iterable[AdjustmentLine]) -> Comparison:
    """Compare complete and incomplete lines alike; what is not filled in yet counts as nothing. The lines
    come with their projects."""
    rows = list(lines)
    return Comparison(
        _by(rows, lambda line: line.project_id),
        _by(rows, lambda line: line.project.unit_id if line.project else None),
        _by(rows, lambda line: line.channel),
        _sum(rows, Direction.OUT),
        _sum(rows, Direction.IN),
    )


def _by(lines: Iterable[AdjustmentLine], key: Callable[[AdjustmentLine], K | None]) -> list[Compared[K]]:
    found: dict[K, Compared[K]] = {}
    for line in lines:
        name = key(line)
        if name is None:
            continue
        row = found.setdefault(name, Compared(name))
        row.before += line.amount_before or ZERO
        if line.direction is Direction.OUT:
            row.out += line.amount or ZERO
        elif line.direction is Direction.IN:
            row.into += line.amount or ZERO
    return list(found.values())


def _sum(lines: Iterable[AdjustmentLine], direction: Direction) -> Decimal:
    return sum((line.amount or ZERO for line in lines if line.direction is direction), ZERO)
