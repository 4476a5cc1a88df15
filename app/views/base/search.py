"""Search fields of a list: each reads its own arguments of the address and yields a condition and a chip."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from sqlalchemy import ColumnElement, or_
from werkzeug.datastructures import MultiDict

from app.core.enums import Labelled
from app.core.errors import InvalidInput, Problem

Arguments = MultiDict[str, str]
Options = Callable[[], Sequence[tuple[str, str]]]
"""Delivers (value, label) pairs when the page needs them."""

_LONGEST_TEXT = 100
_LONGEST_ECHO = 40


@dataclass(frozen=True)
class Chip:
    """A chosen condition as shown above the list; `names` are the arguments that removing it drops."""

    label: str
    names: tuple[str, ...]
    value: str | None = None


@dataclass(frozen=True)
class SearchField(ABC):
    """One condition of the search form. `primary` fields are always open, others behind "more"."""

    name: str
    label: Any
    primary: bool = True

    kind = "text"

    @property
    def names(self) -> tuple[str, ...]:
        """The arguments of the address that this field reads."""
        return (self.name,)

    @abstractmethod
    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        """What the arguments ask of the rows; None when they ask nothing. Raises `InvalidInput`."""

    @abstractmethod
    def chips(self, args: Arguments) -> Iterable[Chip]:
        """The chosen conditions, readable and removable one by one."""

    def view(self, args: Arguments) -> dict[str, Any]:
        """What the form template draws."""
        return {
            "name": self.name,
            "label": str(self.label),
            "kind": self.kind,
            "primary": self.primary,
            "value": args.get(self.name, ""),
        }


@dataclass(frozen=True)
class TextField(SearchField):
    """Contains, whatever the case, in any of the columns."""

    columns: tuple[Any, ...] = ()
    placeholder: Any = ""

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        text = args.get(self.name, "").strip()
        if not text:
            return None
        if len(text) > _LONGEST_TEXT:
            raise InvalidInput(
                {self.name: [Problem.of("Search for at most %(n)s characters.", n=_LONGEST_TEXT)]}
            )
        return or_(*(column.icontains(text, autoescape=True) for column in self.columns))

    def chips(self, args: Arguments) -> Iterable[Chip]:
        if text := args.get(self.name, "").strip():
            yield Chip(gettext("%(field)s contains “%(text)s”", field=self.label, text=text), (self.name,))

    def view(self, args: Arguments) -> dict[str, Any]:
        return {**super().view(args), "placeholder": str(self.placeholder)}


def not_offered(value: str) -> Problem:
    """What is said of a value that is none of those to choose from."""
    return Problem.of("“%(value)s” is not one of the offered values.", value=value[:_LONGEST_ECHO])


@dataclass(frozen=True)
class ChoiceField(SearchField):
    """One or several of the offered values. `where` makes the condition when a plain IN will not do.
    `beyond` lets values be asked for that are not offered: a year that has no rows yet is still a year."""

    column: Any = None
    options: Options = lambda: ()
    where: Callable[[list[str]], ColumnElement[bool]] | None = None
    convert: Callable[[str], Any] = str
    beyond: bool = False

    kind = "multiselect"

    def _chosen(self, args: Arguments) -> list[str]:
        return [value for value in args.getlist(self.name) if value]

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        chosen = self._chosen(args)
        if not chosen:
            return None
        try:
            values = [self.convert(value) for value in chosen]
        except ValueError:
            raise InvalidInput({self.name: [not_offered(", ".join(chosen))]}) from None
        offered = None if self.beyond else {value for value, _ in self.options()}
        if offered is not None and (unknown := [value for value in chosen if value not in offered]):
            raise InvalidInput({self.name: [not_offered(", ".join(unknown))]})
        if self.where is not None:
            return self.where(values)
        condition: ColumnElement[bool] = self.column.in_(values)
        return condition

    def chips(self, args: Arguments) -> Iterable[Chip]:
        chosen = self._chosen(args)
        labels = dict(self.options()) if chosen else {}
        for value in chosen:
            label = gettext("%(field)s = %(value)s", field=self.label, value=labels.get(value, value))
            yield Chip(label, (self.name,), value)

    def view(self, args: Arguments) -> dict[str, Any]:
        chosen = set(self._chosen(args))
        options = [(value, label, value in chosen) for value, label in self.options()]
        return {**super().view(args), "options": options, "values": sorted(chosen)}


def enum_choice(name: str, label: Any, column: Any, enum: type[Labelled], **options: Any) -> ChoiceField:
    """A choice among the members of an enum."""

    def offered() -> Sequence[tuple[str, str]]:
        return [(member.value, gettext(member.label)) for member in enum]

    return ChoiceField(name, label, column=column, options=offered, convert=enum, **options)
