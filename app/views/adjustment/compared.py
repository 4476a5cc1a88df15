"""对比计算 as the form, the page and the print-out show it: before − out + in = after, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from app.core.funds import AdjustmentKind
from app.core.money import format_yuan, in_words
from app.services.adjustment import Compared, Comparison


@dataclass(frozen=True)
class Row:
    """One project, unit or channel; amounts as text, `rises` and `falls` colour the change."""

    name: str
    before: str
    out: str
    into: str
    delta: str
    after: str
    rises: bool
    falls: bool


@dataclass(frozen=True)
class Table:
    """One of the three tables; `key` names it for the script."""

    key: str
    label: str
    head: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class ComparisonView:
    """Both sides of the adjustment and the three tables. `difference` is ΣOUT − ΣIN."""

    out: str
    out_words: str
    into: str
    into_words: str
    difference: str
    one_sided: bool
    balanced: bool
    tables: tuple[Table, ...]


def comparison_view(
    found: Comparison,
    kind: AdjustmentKind,
    projects: Callable[[int], str],
    units: Callable[[int], str],
    channels: Callable[[str], str],
) -> ComparisonView:
    """The comparison with the names of what is compared."""
    one_sided = kind is not AdjustmentKind.TRANSFER
    return ComparisonView(
        format_yuan(found.out),
        in_words(found.out),
        format_yuan(found.into),
        in_words(found.into),
        format_yuan(found.difference),
        one_sided,
        one_sided or found.difference == 0,
        (
            Table("projects", gettext("By project"), gettext("Project"), _rows(found.projects, projects)),
            Table("units", gettext("By unit"), gettext("Unit"), _rows(found.units, units)),
            Table(
                "channels",
                gettext("By funding channel"),
                gettext("Funding channel"),
                _rows(found.channels, channels),
            ),
        ),
    )


def signed(amount: Decimal) -> str:
    """+300.00, -300.00, 0.00."""
    return f"+{format_yuan(amount)}" if amount > 0 else format_yuan(amount)


def _rows(found: Iterable[Compared[Any]], name: Callable[[Any], str]) -> tuple[Row, ...]:
    return tuple(
        Row(
            name(each.key),
            format_yuan(each.before),
            format_yuan(each.out),
            format_yuan(each.into),
            signed(each.delta),
            format_yuan(each.after),
            each.delta > 0,
            each.delta < 0,
        )
        for each in found
    )
