"""What a chart draws: marks with an exact value, the sentence shown on hover, and the list behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import escape
from pyecharts.options.series_options import BasicOpts


@dataclass(frozen=True, slots=True)
class Mark:
    """One bar, point or band. `value` is exact, in the unit of the axis; `tip` is plain text, a line each."""

    label: str
    value: Decimal | int
    tip: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """Marks of one colour under one name, one for each category of the axis."""

    name: str
    marks: Sequence[Mark]


class MarkItem(BasicOpts):
    """A mark as ECharts wants it. Its tip is markup there, where a name is but text, so it is escaped."""

    def __init__(self, mark: Mark) -> None:
        self.opts: dict[str, Any] = {"name": mark.label, "value": mark.value}
        if mark.tip:
            self.opts["tooltip"] = {"formatter": _markup(mark.tip)}
        if mark.href:
            self.opts["href"] = mark.href


def _markup(text: str) -> str:
    # ECharts fills {a}, {b} and {c} in a formatter; a unit may be called anything.
    return "<br>".join(str(escape(line)) for line in text.splitlines()).replace("{", "&#123;")
