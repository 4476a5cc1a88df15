"""The words of a project's funds, and how an amount is shared out over its channels (domain.md 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal

from app.core.enums import Labelled

_CENT = Decimal("0.01")
# Wide enough for the product of two amounts, so that only the cut to cents rounds.
_EXACT = Context(prec=60, rounding=ROUND_DOWN)


class FundEntryKind(Labelled):
    """Why a project's funds changed."""

    INITIAL = "INITIAL", "Initial arrangement", "blue"
    CORRECTION = "CORRECTION", "Initial amount corrected"
    ADJUST_IN = "ADJUST_IN", "Transferred in", "green"
    ADJUST_OUT = "ADJUST_OUT", "Transferred out", "orange"

    @property
    def is_initial(self) -> bool:
        """Does it belong to what the plan gave, and not to an adjustment?"""
        return self in (FundEntryKind.INITIAL, FundEntryKind.CORRECTION)


class Direction(Labelled):
    """调出 or 调入, seen from the project."""

    OUT = "OUT", "Transfer out", "orange"
    IN = "IN", "Transfer in", "green"

    @property
    def sign(self) -> int:
        """-1 for what leaves the project, 1 for what comes to it."""
        return -1 if self is Direction.OUT else 1


class AdjustmentKind(Labelled):
    """项目调整: what is moved from project to project, added from outside, or taken back."""

    TRANSFER = "TRANSFER", "Transfer between projects", "azure"
    ADD = "ADD", "Supplement", "green"
    WITHDRAW = "WITHDRAW", "Withdrawal of funds", "orange"

    @property
    def directions(self) -> frozenset[Direction]:
        """The directions its lines may have."""
        match self:
            case AdjustmentKind.ADD:
                return frozenset({Direction.IN})
            case AdjustmentKind.WITHDRAW:
                return frozenset({Direction.OUT})
            case _:
                return frozenset(Direction)


def share_out(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """An amount in yuan shared out in proportion to weights (not negative), to the cent; the parts add up
    to it: what rounding down leaves goes to the largest weights first. Without any weight the first key
    gets all. Raises ValueError for no key."""
    if not weights:
        raise ValueError("nobody to share with")
    total = sum(weights.values(), Decimal(0))
    if not total:
        first = min(weights)
        return {key: amount if key == first else Decimal("0.00") for key in weights}
    parts = {
        key: _EXACT.quantize(_EXACT.divide(_EXACT.multiply(amount, weight), total), _CENT)
        for key, weight in weights.items()
    }
    left = amount - sum(parts.values(), Decimal(0))
    for key in sorted(weights, key=lambda key: (-weights[key], key)):
        if not left:
            break
        parts[key] += _CENT
        left -= _CENT
    return parts
