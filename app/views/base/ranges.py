"""From–to: conditions with two open ends, each with the stretches people ask for again and again."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement

from app.core.errors import InvalidInput, Problem
from app.core.money import WAN, InvalidAmount, format_yuan, from_spoken
from app.core.periods import Period, days_of
from app.core.workdays import SHANGHAI, today_in_china
from app.models.base import utcnow
from app.services.reading import Unreadable, read_day
from app.views.base.search import Arguments, Chip, SearchField, not_offered


@dataclass(frozen=True)
class RangeField(SearchField):
    """From–to; either end may be open, and ends that were swapped are put right. `<name>_in` names one of
    the `offered` stretches instead, such as this month: what it means is decided when it is asked."""

    column: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.name}_from", f"{self.name}_to", f"{self.name}_in")

    @abstractmethod
    def parse(self, text: str) -> Any:
        """The bound as a value. Raises `Unreadable` or `InvalidAmount`."""

    @abstractmethod
    def readable(self, text: str) -> str:
        """The bound as shown on the chip."""

    @abstractmethod
    def offered(self) -> Sequence[tuple[str, str]]:
        """The stretches to choose from: code and label."""

    @abstractmethod
    def stretch(self, code: str) -> tuple[Any, Any]:
        """The ends of an offered stretch; None is an open end. Raises `ValueError`."""

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        low, high = self.bounds(args)
        if low is not None and high is not None:
            between: ColumnElement[bool] = self._from(low) & self._to(high)
            return between
        if low is not None:
            return self._from(low)
        return self._to(high) if high is not None else None

    def bounds(self, args: Arguments) -> tuple[Any, Any]:
        """What is asked for, both ends: within the typed ends and within the chosen stretch. Raises
        `InvalidInput` with every unreadable end."""
        problems: dict[str, list[Problem]] = {}
        low, high = sorted_ends(*(self._bound(args, name, problems) for name in self.names[:2]))
        from_, to = self._chosen_stretch(args, problems)
        if problems:
            raise InvalidInput(problems)
        lows = [end for end in (low, from_) if end is not None]
        highs = [end for end in (high, to) if end is not None]
        return max(lows, default=None), min(highs, default=None)

    def _bound(self, args: Arguments, name: str, problems: dict[str, list[Problem]]) -> Any:
        text = args.get(name, "").strip()
        if not text:
            return None
        try:
            return self.parse(text)
        except (Unreadable, InvalidAmount) as error:
            problems[name] = [error.problem]
            return None

    def _chosen_stretch(self, args: Arguments, problems: dict[str, list[Problem]]) -> tuple[Any, Any]:
        code = args.get(self.names[2], "")
        if not code:
            return None, None
        try:
            return self.stretch(code)
        except ValueError:
            problems[self.names[2]] = [not_offered(code)]
            return None, None

    def _from(self, low: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = self.column >= low
        return condition

    def _to(self, high: Any) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = self.column <= high
        return condition

    def chips(self, args: Arguments) -> Iterable[Chip]:
        if code := args.get(self.names[2], ""):
            label = dict(self.offered()).get(code, code)
            yield Chip(gettext("%(field)s = %(value)s", field=self.label, value=label), (self.names[2],))
        for name, text, sign in zip(self.names[:2], self._typed(args), ("≥", "≤"), strict=True):
            if text:
                yield Chip(f"{self.label} {sign} {self.readable(text)}", (name,))

    def view(self, args: Arguments) -> dict[str, Any]:
        low, high, stretch = self.names
        min_value, max_value = self._typed(args)
        chosen = args.get(stretch, "")
        return {
            **super().view(args),
            "min_name": low,
            "max_name": high,
            "min_value": min_value,
            "max_value": max_value,
            "stretch_name": stretch,
            "stretches": [(code, label, code == chosen) for code, label in self.offered()],
        }

    def _typed(self, args: Arguments) -> tuple[str, str]:
        """Both ends as typed, the smaller first."""
        low, high = (args.get(name, "").strip() for name in self.names[:2])
        try:
            swapped = bool(low and high) and self.parse(low) > self.parse(high)
        except (Unreadable, InvalidAmount):
            swapped = False
        return (high, low) if swapped else (low, high)


def sorted_ends(low: Any, high: Any) -> tuple[Any, Any]:
    """Both ends, the smaller first; None is an open end and stays where it is."""
    swapped = low is not None and high is not None and low > high
    return (high, low) if swapped else (low, high)


_AMOUNTS: dict[str, tuple[Any, Decimal | None, Decimal | None]] = {
    "under_100": (lazy_gettext("Under 1 million yuan"), None, 100 * WAN - Decimal("0.01")),
    "from_100": (lazy_gettext("1 million yuan and more"), 100 * WAN, None),
    "from_500": (lazy_gettext("5 million yuan and more"), 500 * WAN, None),
    "from_1000": (lazy_gettext("10 million yuan and more"), 1000 * WAN, None),
}
"""The stretches of amounts by their code, bounds in yuan. From 1 million yuan on a scheme is assessed by
third parties (domain.md 3.5), so that is where the office draws its line."""


@dataclass(frozen=True)
class AmountRange(RangeField):
    """An amount range in yuan; 120万 and 1.2亿 are understood."""

    kind = "amountrange"

    def parse(self, text: str) -> Decimal:
        return from_spoken(text)

    def readable(self, text: str) -> str:
        try:
            return format_yuan(from_spoken(text))
        except InvalidAmount:
            return text

    def offered(self) -> Sequence[tuple[str, str]]:
        return [(code, str(label)) for code, (label, _, _) in _AMOUNTS.items()]

    def stretch(self, code: str) -> tuple[Decimal | None, Decimal | None]:
        if code not in _AMOUNTS:
            raise ValueError(code)
        _, low, high = _AMOUNTS[code]
        return low, high


@dataclass(frozen=True)
class DateRange(RangeField):
    """A range of days in China; `moment` says that the column holds moments, not days."""

    moment: bool = False

    kind = "daterange"

    def parse(self, text: str) -> dt.date:
        return read_day(text)

    def readable(self, text: str) -> str:
        return text

    def offered(self) -> Sequence[tuple[str, str]]:
        return [(period.value, gettext(period.label)) for period in Period]

    def stretch(self, code: str) -> tuple[dt.date, dt.date]:
        return days_of(Period(code), today_in_china(utcnow()))

    def _from(self, low: dt.date) -> ColumnElement[bool]:
        condition: ColumnElement[bool] = self.column >= (_midnight(low) if self.moment else low)
        return condition

    def _to(self, high: dt.date) -> ColumnElement[bool]:
        if self.moment:
            before: ColumnElement[bool] = self.column < _midnight(high + dt.timedelta(days=1))
            return before
        return super()._to(high)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), SHANGHAI)
