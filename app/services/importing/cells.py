"""One cell: from what a workbook holds to the value of its column's kind. Nothing is rounded or guessed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import Labelled
from app.core.money import InvalidAmount, from_wan
from app.core.text import neutralise_formula, trim
from app.core.xlsx import CellValue
from app.models.unit import Unit, UnitName
from app.services.dictionary import catalogue
from app.services.importing.columns import LANGUAGES, SheetColumn, say
from app.services.reading import Choice, Code, Day, Line, Reference, Unreadable, Yuan

_AMBIGUOUS = object()


class Nothing:
    """A lookup for kinds that look nothing up: codes and references are found by their names here."""

    def allows(self, type_code: str, code: str) -> bool:
        return True

    def knows(self, target: str, row_id: int) -> bool:
        return True


class CellReader:
    """Reads the cells of one workbook: dictionaries, enums and units by code or by any of their names."""

    def __init__(self, session: Session, columns: Iterable[SheetColumn]) -> None:
        self._session = session
        self._known = catalogue(session)
        self._names: dict[str, dict[str, Any]] = {}
        self._lookup = Nothing()
        self.unit_names: dict[int, str] = {}
        for column in columns:
            if isinstance(column.kind, Code | Choice | Reference):
                self._names[column.name] = self._names_of(column)

    def read(self, column: SheetColumn, cell: CellValue, *, wan: bool) -> Any:
        """The value of a filled cell. Raises `Unreadable`."""
        kind = column.kind
        if column.name in self._names:
            return self._named(column, cell)
        if isinstance(kind, Yuan) and wan:
            try:
                return from_wan(cell)
            except InvalidAmount as error:
                raise Unreadable(error.problem.message, **error.problem.params) from error
        if isinstance(kind, Day) and isinstance(cell, dt.datetime):
            cell = cell.date()
        if isinstance(kind, Line):
            cell = _plain_text(cell)
        return kind.read(cell, self._lookup)

    def text(self, column: SheetColumn, value: Any) -> str:
        """A value as the log keeps it: codes, plain amounts, ISO dates, and the names of units."""
        if value is None:
            return ""
        if isinstance(column.kind, Reference):
            return self.unit_names.get(value, str(value))
        shown = column.kind.show(value)
        return ",".join(shown) if isinstance(shown, list) else shown

    def choices(self, column: SheetColumn, language: str) -> list[str]:
        """What the drop-down of a column offers, as people read it; empty for one without choices."""
        match column.kind:
            case Code(dictionary=dictionary):
                return [choice.label for choice in self._known.choices(dictionary, language)]
            case Choice(options=enum):
                return [say(member.label, language) for member in enum]
            case Reference():
                units = select(Unit.name).where(Unit.active).order_by(Unit.path)
                return list(self._session.scalars(units))
        return []

    def _named(self, column: SheetColumn, cell: CellValue) -> Any:
        text = _plain_text(cell)
        found = self._names[column.name].get(_fold(text))
        if found is None:
            if isinstance(column.kind, Reference):
                raise Unreadable(
                    "There is no organisation “%(value)s”; give its name or code.", value=text[:40]
                )
            raise Unreadable("“%(value)s” is not one of the choices here.", value=text[:40])
        if found is _AMBIGUOUS:
            raise Unreadable("“%(value)s” could be several; give its code.", value=text[:40])
        return found

    def _names_of(self, column: SheetColumn) -> dict[str, Any]:
        names: dict[str, Any] = {}
        for word, value in self._pairs(column):
            key = _fold(word)
            # A code or full name that comes first is not made ambiguous by somebody's short name.
            names[key] = value if names.get(key, value) == value else _AMBIGUOUS
        names.update({_fold(word): value for word, value in column.synonyms.items()})
        return names

    def _pairs(self, column: SheetColumn) -> Iterable[tuple[str, Any]]:
        match column.kind:
            case Code(dictionary=dictionary):
                for language in LANGUAGES:
                    for choice in self._known.choices(dictionary, language):
                        yield from ((choice.code, choice.code), (choice.label, choice.code))
            case Choice(options=enum):
                yield from _members(enum)
            case Reference():
                yield from self._units()

    def _units(self) -> Iterable[tuple[str, int]]:
        """Units by code, name and short name, and by the names they bore."""
        rows: Sequence[Any] = self._session.execute(
            select(Unit.id, Unit.code, Unit.name, Unit.short_name).order_by(Unit.id)
        ).all()
        exact = {_fold(word) for row in rows for word in (row.code, row.name)}
        for row in rows:
            self.unit_names[row.id] = row.name
            yield from ((row.code, row.id), (row.name, row.id))
        older = self._session.execute(select(UnitName.name, UnitName.unit_id)).all()
        for word, unit_id in [*((row.short_name, row.id) for row in rows), *older]:
            if _fold(word) not in exact:
                yield word, unit_id


def _members(enum: type[Labelled]) -> Iterable[tuple[str, Labelled]]:
    for member in enum:
        yield member.value, member
        for language in LANGUAGES:
            yield say(member.label, language), member


def _plain_text(cell: CellValue) -> str:
    """The text of a cell; a whole number or amount that stands where a text belongs counts as written. The
    apostrophe that our own exports put before what looks like a formula is taken off again."""
    if isinstance(cell, str):
        text = trim(cell)
        bare = text[1:]
        return bare if text.startswith("'") and neutralise_formula(bare) == text else text
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    raise Unreadable("Enter text.")


def _fold(text: str) -> str:
    """As names are compared: without blanks, brackets of one width, no capitals."""
    return "".join(text.split()).replace("（", "(").replace("）", ")").lower()
