"""The units of a list as a tree: those that have rows in the reader's scope, with the units above them that
lie within it too. Choosing one asks for its rows and those of every unit below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.access.actor import Actor
from app.access.rules import Granted
from app.core.errors import InvalidInput
from app.models.unit import Unit
from app.views.base.query import ListQuery
from app.views.base.search import Arguments, Chip, SearchField, not_offered

ARGUMENT = "under"
MOST_INLINE = 30
"""A larger tree is sent by itself, when it is seen, so that a page stays small: mostly the tree is shut."""
_LONGEST_ID = 9
_LABEL = lazy_gettext("Unit")


@dataclass(frozen=True, slots=True)
class Branch:
    """A unit of the tree and what hangs below it."""

    id: int
    name: str
    short_name: str
    path: str
    children: tuple[Branch, ...]


@dataclass(frozen=True)
class Forest:
    """The tree, which has several roots when the reader's scope has."""

    roots: tuple[Branch, ...]
    by_id: Mapping[int, Branch]

    def __len__(self) -> int:
        return len(self.by_id)

    def rolled_up(self, counts: Mapping[int, int]) -> dict[int, int]:
        """Rows of each unit with those of all below it."""
        total = dict.fromkeys(self.by_id, 0)
        for unit_id, count in counts.items():
            branch = self.by_id.get(unit_id)
            for above in _ids(branch.path) if branch else ():
                if above in total:
                    total[above] += count
        return total

    def open_ids(self, chosen: Iterable[int]) -> frozenset[int]:
        """The units whose branches have to be open for the chosen ones to be seen."""
        return frozenset(
            above for unit_id in chosen if unit_id in self.by_id for above in _ids(self.by_id[unit_id].path)
        )


@dataclass(frozen=True)
class UnitField(SearchField):
    """Rows of the chosen units and of every unit below them; drawn as the tree beside the list."""

    name: str = ARGUMENT
    label: Any = _LABEL
    column: Any = None
    forest: Callable[[], Forest] = lambda: Forest((), {})

    kind = "tree"

    def condition(self, args: Arguments) -> ColumnElement[bool] | None:
        chosen = [text for text in args.getlist(self.name) if text]
        if not chosen:
            return None
        top, below = aliased(Unit), aliased(Unit)
        within = select(below.id).join(top, below.path.startswith(top.path)).where(top.id.in_(_read(chosen)))
        condition: ColumnElement[bool] = self.column.in_(within)
        return condition

    def chips(self, args: Arguments) -> Iterable[Chip]:
        for text in filter(None, args.getlist(self.name)):
            branch = self.forest().by_id.get(int(text)) if _is_id(text) else None
            name = branch.short_name if branch else gettext("(without rows in your scope)")
            yield Chip(gettext("%(unit)s and below", unit=name), (self.name,), text)


def chosen_units(args: Arguments) -> frozenset[int]:
    """The units ticked in the address."""
    return frozenset(int(text) for text in args.getlist(ARGUMENT) if _is_id(text))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID


def _read(texts: list[str]) -> list[int]:
    unreadable = [text for text in texts if not _is_id(text)]
    if unreadable:
        raise InvalidInput({ARGUMENT: [not_offered(unreadable[0])]})
    return [int(text) for text in texts]


def unit_column_of(model: type[Any], joins: Iterable[Any]) -> InstrumentedAttribute[Any] | None:
    """The column that ties the rows of a list to a unit; None when nothing does."""
    for relation in joins:
        if relation.property.mapper.class_ is Unit:
            (column,) = relation.property.local_columns
            found: InstrumentedAttribute[Any] = relation.parent.get_property_by_column(column).class_attribute
            return found
    return getattr(model, "unit_id", None)


def reaches_several(session: Session, actor: Actor, grant: tuple[str, str]) -> bool:
    """Does the scope of `grant`, a noun and a verb, reach more than one unit?"""
    within = Granted(*grant, unit=Unit.id).criterion(actor)
    return len(session.scalars(select(Unit.id).where(within).limit(2)).all()) > 1


def read_forest(
    session: Session,
    actor: Actor,
    grant: tuple[str, str],
    query: ListQuery,
    column: InstrumentedAttribute[Any],
) -> Forest:
    """The tree of a list, in one statement. `grant` is the noun and verb whose scope the list shows: a unit
    without rows stands in the tree only where that scope reaches it."""
    unit = aliased(Unit)
    within = Granted(*grant, unit=unit.id).criterion(actor)
    occupied = query.has_rows(column, unit.id.expression)
    rows = session.execute(
        select(unit.id, unit.path, unit.name, unit.short_name, occupied.label("occupied"))
        .where(or_(within, occupied))
        .order_by(unit.sort, unit.name, unit.id)
    ).all()
    kept = {above for row in rows if row.occupied for above in _ids(row.path)}
    known = {row.id: row for row in rows if row.id in kept}
    below: dict[int | None, list[Any]] = {}
    for row in known.values():
        above = next((each for each in reversed(_ids(row.path)[:-1]) if each in known), None)
        below.setdefault(above, []).append(row)
    by_id: dict[int, Branch] = {}

    def grow(above: int | None) -> Iterator[Branch]:
        for row in below.get(above, ()):
            branch = Branch(row.id, row.name, row.short_name, row.path, tuple(grow(row.id)))
            by_id[row.id] = branch
            yield branch

    return Forest(tuple(grow(None)), by_id)


def _ids(path: str) -> list[int]:
    """The units on a materialised path, from the top."""
    return [int(part) for part in path.split("/") if part]
