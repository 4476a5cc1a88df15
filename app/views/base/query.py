"""From an address to rows: conditions, order, page, sums and stream of one list, for one request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Row, Select, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.util import find_tables

from app.core.errors import InvalidInput, Problem
from app.views.base.columns import Column
from app.views.base.search import Arguments, Chip, SearchField

PAGE_SIZES = (25, 50, 100)
"""A page of a list stays below 150 KB at the largest of them; whoever wants all rows exports them."""
MOST_SORT_KEYS = 5
SAVED = "saved"
"""The argument that names the saved query the other arguments came from."""
_PAGING = frozenset({"sort", "page", "page_size", SAVED})
_LARGEST_PAGE_NUMBER = 1_000_000
_BATCH = 2_000


@dataclass(frozen=True)
class ListSpec:
    """What a list is made of. `joins` are to-one relationships whose columns the list uses; `default_sort`
    is written as in the address: "-requested_amount,code"."""

    model: type[Any]
    columns: Sequence[Column]
    fields: Sequence[SearchField] = ()
    joins: Sequence[InstrumentedAttribute[Any]] = ()
    default_sort: str = "-id"
    page_size: int = PAGE_SIZES[0]


@dataclass(frozen=True)
class Order:
    """One sort key chosen in the address."""

    key: str
    descending: bool

    def __str__(self) -> str:
        return f"-{self.key}" if self.descending else self.key


def unknown_arguments(spec: ListSpec, args: Arguments) -> list[str]:
    """The arguments that this list does not have, in order."""
    known = _PAGING.union(*(spec_field.names for spec_field in spec.fields))
    return [name for name in args if name not in known]


@dataclass
class ListQuery:
    """One request's view of a list: `condition` is the actor's scope and the list's own restriction.

    Raises `InvalidInput` for an unknown argument, sort column or page. Conditions that cannot be read are in
    `problems`, field by field, and the list has no rows until they are put right.
    """

    spec: ListSpec
    condition: ColumnElement[bool]
    args: Arguments
    page_size: int = 0
    order: list[Order] = field(init=False)
    conditions: list[ColumnElement[bool]] = field(init=False)
    problems: dict[str, list[Problem]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name in unknown_arguments(self.spec, self.args):
            problem = Problem.of("There is no condition “%(name)s” on this list.", name=name[:40])
            raise InvalidInput({name: [problem]})
        self.conditions = [self.condition, *self._asked()]
        if self.problems:
            self.conditions.append(false())
        self.order = self._read_order()
        self.page_size = self._read_page_size()

    def _asked(self) -> Iterator[ColumnElement[bool]]:
        for spec_field in self.spec.fields:
            try:
                condition = spec_field.condition(self.args)
            except InvalidInput as error:
                self.problems.update(error.fields)
                continue
            if condition is not None:
                yield condition

    def require(self) -> None:
        """Raises `InvalidInput` unless every condition can be read: before anything is done with the rows."""
        if self.problems:
            raise InvalidInput(self.problems)

    @property
    def requested_page(self) -> int:
        """The page asked for, from 1; the caller clamps it to the last."""
        return min(self._number("page", 1), _LARGEST_PAGE_NUMBER)

    @property
    def narrowed(self) -> tuple[tuple[str, str], ...]:
        """What the address asks of the rows, whatever their order and page."""
        return tuple((name, value) for name, value in self.args.items(multi=True) if name not in _PAGING)

    @property
    def sort(self) -> str:
        """The order as written in an address."""
        return ",".join(map(str, self.order))

    def chips(self) -> list[Chip]:
        """The chosen conditions."""
        return [chip for spec_field in self.spec.fields for chip in spec_field.chips(self.args)]

    def summary(self, session: Session) -> tuple[int, dict[str, Decimal]]:
        """How many rows there are and the sums of the columns that total, in one statement."""
        totals = [column for column in self.spec.columns if column.total]
        sums = [func.sum(column.sort_expression).label(column.key) for column in totals]
        counted: Any = select(func.count(), *sums)
        statement = self._joined(counted, sums).where(*self.conditions)
        row = session.execute(statement).one()
        return row[0], {
            column.key: total or Decimal(0) for column, total in zip(totals, row[1:], strict=True)
        }

    def page(
        self, session: Session, columns: Sequence[Column], page: int, extra: Sequence[ColumnElement[Any]] = ()
    ) -> list[Row[Any]]:
        """The rows of one page: id, the columns, then `extra`. The ids are found first, so that skipped
        rows cost no more than an index entry each."""
        model = self.spec.model
        found = self._joined(select(model.id), self._order_keys()).where(*self.conditions)
        ids = (
            found.order_by(*self._order_keys())
            .limit(self.page_size)
            .offset((page - 1) * self.page_size)
            .subquery()
        )
        statement = self._select(columns, extra).join(ids, model.id == ids.c.id)
        return list(session.execute(statement.order_by(*self._order_keys())))

    def joined(self, statement: Select[Any]) -> Select[Any]:
        """A statement over the list's model with the joins that the list's own condition needs."""
        return self._joined(statement, [self.condition])

    def narrow_to(self, ids: Collection[int]) -> None:
        """Ask for these rows alone, among those under the conditions."""
        self.conditions.append(self.spec.model.id.in_(ids))

    def ids(self, session: Session, most: int) -> list[int]:
        """The ids of the first rows under the conditions, in order; at most so many."""
        found = self._joined(select(self.spec.model.id), self._order_keys()).where(*self.conditions)
        return list(session.scalars(found.order_by(*self._order_keys()).limit(most)))

    def per_value(self, session: Session, column: InstrumentedAttribute[Any]) -> dict[Any, int]:
        """How many rows there are for each value of a column."""
        counted = self._joined(select(column, func.count()), [column.expression]).where(*self.conditions)
        return dict(session.execute(counted.group_by(column)).all())

    def has_rows(self, column: InstrumentedAttribute[Any], value: Any) -> ColumnElement[bool]:
        """Has the list a row with this value in a column, whatever the conditions of the address? The value
        is a column of the statement that asks."""
        model: Any = self.spec.model
        if column.class_ is model:  # one look into an index for each value
            own = self._joined(select(model.id), [self.condition])
            return own.where(column == value, self.condition).exists()
        return value.in_(
            self._joined(select(column), [column.expression, self.condition]).where(self.condition)
        )

    def stream(self, session: Session, columns: Sequence[Column]) -> Iterator[Row[Any]]:
        """All rows under the conditions, in order, a batch at a time."""
        statement = self._select(columns).where(*self.conditions).order_by(*self._order_keys())
        yield from session.execute(statement, execution_options={"yield_per": _BATCH})

    def _select(self, columns: Sequence[Column], extra: Sequence[ColumnElement[Any]] = ()) -> Select[Any]:
        expressions = [column.expression.label(f"c{place}") for place, column in enumerate(columns)]
        wanted = [*expressions, *extra, *self._order_keys()]
        return self._joined(select(self.spec.model.id, *expressions, *extra), wanted)

    def _joined(self, statement: Select[Any], wanted: Iterable[ClauseElement]) -> Select[Any]:
        """The statement over the model and those of its joins that the conditions or what is wanted need:
        SQLite makes every join it is told of, also for a count."""
        parts = (*self.conditions, *wanted)
        tables = {table for part in parts for table in _tables_of(part)}
        needed = []
        for relation in reversed(self.spec.joins):
            joined: Any = relation.property
            if joined.mapper.local_table in tables:
                needed.append(relation)
                tables.add(joined.parent.local_table)
        statement = statement.select_from(self.spec.model)
        for relation in reversed(needed):
            statement = statement.join(relation, isouter=True)
        return statement

    def _order_keys(self) -> list[ColumnElement[Any]]:
        by_key = {column.key: column for column in self.spec.columns}
        keys = []
        for order in self.order:
            expression = by_key[order.key].sort_expression if order.key in by_key else self.spec.model.id
            keys.append(self._ordered_by(expression, order.descending))
        # Among equals the later row follows the last key's direction, so that one index serves both.
        keys.append(self.spec.model.id.desc() if self.order[-1].descending else self.spec.model.id.asc())
        return keys

    def _ordered_by(self, expression: Any, descending: bool) -> ColumnElement[Any]:
        """Empty values count as the smallest on both databases. A column that has none is not asked for it:
        PostgreSQL finds no index for an order of empty values that cannot be there."""
        order: ColumnElement[Any] = expression.desc() if descending else expression.asc()
        column = getattr(expression, "expression", expression)
        own = getattr(column, "table", None) is self.spec.model.__table__
        if own and not getattr(column, "nullable", True):
            return order
        return order.nulls_last() if descending else order.nulls_first()

    def _read_order(self) -> list[Order]:
        text = self.args.get("sort", "") or self.spec.default_sort
        chosen: dict[str, Order] = {}
        for part in filter(None, text.split(",")):
            key = part.removeprefix("-")
            chosen.setdefault(key, Order(key, part.startswith("-")))
        sortable = {column.key for column in self.spec.columns if column.sortable} | {"id"}
        for key in chosen:
            if key not in sortable:
                problem = Problem.of("This list cannot be sorted by “%(name)s”.", name=key[:40])
                raise InvalidInput({"sort": [problem]})
        if not 0 < len(chosen) <= MOST_SORT_KEYS:
            problem = Problem.of("Sort by 1 to %(most)s columns.", most=MOST_SORT_KEYS)
            raise InvalidInput({"sort": [problem]})
        return list(chosen.values())

    def _read_page_size(self) -> int:
        size = self._number("page_size", self.page_size or self.spec.page_size)
        return min(size, PAGE_SIZES[-1])

    def _number(self, name: str, default: int) -> int:
        text = self.args.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0):
            raise InvalidInput(
                {name: [Problem.of("“%(value)s” is not a whole number from 1.", value=text[:40])]}
            )
        return int(text)


@lru_cache(maxsize=1_000)
def _tables_of(part: ClauseElement) -> frozenset[Any]:
    """The tables of an expression; those of columns and scopes are the same objects at every request."""
    return frozenset(find_tables(part, check_columns=True))
