"""Reading dictionaries: one small query tells whether the process already knows them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.models.dictionary import DictItem
from app.services.recall import recalled


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry as people choose it; `active` is False for one kept only because a document uses it."""

    code: str
    label: str
    parent: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class _Entry:
    type_code: str
    code: str
    parent: str | None
    label_zh: str
    label_en: str
    active: bool

    def label(self, language: str) -> str:
        return self.label_en if language.startswith("en") else self.label_zh


@dataclass(frozen=True)
class Catalogue:
    """Every dictionary at one moment, in the administrator's order."""

    entries: Mapping[str, Mapping[str, _Entry]]
    _labels: dict[str, Mapping[tuple[str, str], str]] = field(default_factory=dict)

    def labels(self, language: str) -> Mapping[tuple[str, str], str]:
        """(type, code) -> label, deactivated entries included: old documents still print them."""
        if language not in self._labels:
            self._labels[language] = {
                (type_code, code): entry.label(language)
                for type_code, entries in self.entries.items()
                for code, entry in entries.items()
            }
        return self._labels[language]

    def label(self, type_code: str, code: str | None, language: str) -> str:
        """A code's label; an unknown code is shown as it is, no code as nothing."""
        return self.labels(language).get((type_code, code), code) if code else ""

    def choices(self, type_code: str, language: str, keep: Collection[str] = ()) -> list[Choice]:
        """The active entries and those of `keep`, which the document already uses."""
        return [
            Choice(entry.code, entry.label(language), entry.parent, entry.active)
            for entry in self.entries.get(type_code, {}).values()
            if entry.active or entry.code in keep
        ]

    def allows(self, type_code: str, code: str, keep: Collection[str] = ()) -> bool:
        """May the code be chosen? A deactivated one only where it is already in use."""
        entry = self.entries.get(type_code, {}).get(code)
        return entry is not None and (entry.active or code in keep)

    def parent(self, type_code: str, code: str) -> str | None:
        """The code of the entry above, such as an indicator's first level."""
        entry = self.entries.get(type_code, {}).get(code)
        return entry.parent if entry is not None else None


_Stamp = tuple[object, ...]
_known: WeakKeyDictionary[Engine, tuple[_Stamp, Catalogue]] = WeakKeyDictionary()
_lock = Lock()


def catalogue(session: Session) -> Catalogue:
    """Every dictionary; while the database stays as it is, without asking."""
    return recalled(session, "catalogue", lambda: _catalogue(session))


def _catalogue(session: Session) -> Catalogue:
    """One aggregate query, and a second one only when somebody changed an entry."""
    stamp = tuple(
        session.execute(
            select(func.count(DictItem.id), func.max(DictItem.id), func.max(DictItem.updated_at))
        ).one()
    )
    engine = session.get_bind().engine
    with _lock:
        known = _known.get(engine)
    if known is not None and known[0] == stamp:
        return known[1]
    fresh = Catalogue(_grouped(_rows(session)))
    with _lock:
        _known[engine] = (stamp, fresh)
    return fresh


def labels(session: Session, language: str) -> Mapping[tuple[str, str], str]:
    """(type, code) -> label in `zh` or `en`."""
    return catalogue(session).labels(language)


def choices(session: Session, type_code: str, language: str, keep: Collection[str] = ()) -> list[Choice]:
    """The entries of one dictionary to choose from; a page that needs several takes `catalogue` once."""
    return catalogue(session).choices(type_code, language, keep)


def _rows(session: Session) -> Iterable[_Entry]:
    columns = (
        DictItem.type_code,
        DictItem.code,
        DictItem.parent_code,
        DictItem.label_zh,
        DictItem.label_en,
        DictItem.active,
    )
    ordered = select(*columns).order_by(DictItem.type_code, DictItem.sort, DictItem.id)
    return (_Entry(*row) for row in session.execute(ordered))


def _grouped(entries: Iterable[_Entry]) -> dict[str, dict[str, _Entry]]:
    grouped: dict[str, dict[str, _Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.type_code, {})[entry.code] = entry
    return grouped
