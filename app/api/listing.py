"""The question a list is asked: Flask-AppBuilder's rison argument `q`, read strictly, as one statement.

Plain Flask-AppBuilder ignores an unknown filter column, answers 500 to some malformed arguments and gives
as many rows as are asked for. Here whatever cannot be understood is a 400 that says what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import prison
from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.api.fields import Field, FieldSet, nested
from app.api.kinds import Whole, strict_json
from app.core.errors import InvalidInput, Problem
from app.services.reading import Unreadable

DEFAULT_PAGE_SIZE = 20
MOST_VALUES = 500
MOST_FILTERS = 50
LAST_PAGE = 10_000_000
_LONGEST_QUESTION = 8_000
_PAGING = ("page", "page_size", "order_column", "order_direction")
_KNOWN = frozenset({*_PAGING, "filters", "columns", "select_columns", "keys"})
_SAME_AS = {"rel_o_m": "eq", "nrel_o_m": "neq"}


class Nothing:
    """A lookup for values that refer to nothing."""

    def allows(self, type_code: str, code: str) -> bool:
        """No dictionary stands behind these values."""
        return False

    def knows(self, target: str, row_id: int) -> bool:
        """Nor any record."""
        return False


NOTHING = Nothing()


@dataclass(frozen=True)
class Source:
    """Where the rows come from: a table or subquery, the condition of the scope, a unique column, and the
    columns of the fields where they are not the fields' own."""

    table: Any
    scope: ColumnElement[bool]
    key: Any
    columns: Mapping[str, Any] | None = None

    def column(self, field: Field) -> Any:
        """The column of a field."""
        return field.column if self.columns is None else self.columns[field.name]


@dataclass(frozen=True)
class Filter:
    """One condition as it was asked."""

    field: Field
    operator: str
    values: list[Any]


@dataclass(frozen=True)
class Question:
    """What was asked: which rows, in which order, which page, which fields."""

    filters: list[Filter]
    order: Field
    descending: bool
    page: int
    page_size: int
    shown: Sequence[Field]


def read_question(
    fields: FieldSet,
    args: MultiDict[str, str],
    *,
    default_order: str,
    most: int,
    page_size: int = DEFAULT_PAGE_SIZE,
    reserved: frozenset[str] = frozenset(),
) -> Question:
    """The question in the arguments of an address: `q` (rison, or JSON), and beside it plain `page`,
    `page_size`, `order_column`, `order_direction` and `<field>=<value>`; `reserved` are others' names.

    Raises `InvalidInput` naming the argument that cannot be understood.
    """
    return _Reader(fields, args, reserved).question(default_order, most, page_size)


class _Reader:
    def __init__(self, fields: FieldSet, args: MultiDict[str, str], reserved: frozenset[str]) -> None:
        self.fields = fields
        self.asked = _parse(args.get("q", ""))
        self.plain = MultiDict(
            (name, value) for name, value in args.items(multi=True) if name not in reserved | {"q"}
        )
        for name in _PAGING:
            if name in self.plain:
                self.asked.setdefault(name, self.plain[name])
                del self.plain[name]

    def question(self, default_order: str, most: int, page_size: int) -> Question:
        order, descending = self._order(default_order)
        asked = self.asked.get("page_size")
        size = page_size if asked in (None, "", 0, "0") else self._number("page_size", least=-1)
        return Question(
            filters=[*self._filters(), *self._plain_filters()],
            order=order,
            descending=descending,
            page=min(self._number("page") if "page" in self.asked else 0, LAST_PAGE),
            page_size=most if size < 0 else min(size, most),
            shown=self._shown(),
        )

    def _number(self, name: str, least: int = 0) -> int:
        raw = self.asked[name]
        try:
            return Whole(least).read(raw, NOTHING)
        except Unreadable as error:
            raise InvalidInput({name: [error.problem]}) from error

    def _order(self, default: str) -> tuple[Field, bool]:
        name = self.asked.get("order_column")
        if name is None:
            return self.fields.by_name[default.removeprefix("-")], default.startswith("-")
        field = self._field(name, "order_column")
        if not field.sortable:
            raise _refuse("order_column", "This list cannot be sorted by “%(column)s”.", column=field.name)
        direction = self.asked.get("order_direction", "asc")
        if direction not in ("asc", "desc"):
            raise _refuse("order_direction", "Send asc or desc.")
        return field, direction == "desc"

    def _shown(self) -> Sequence[Field]:
        names = self.asked.get("columns") or self.asked.get("select_columns")
        if not names:
            return self.fields.listed
        if not isinstance(names, list) or len(names) > MOST_VALUES:
            raise _refuse("columns", "Send a list of field names.")
        for name in names:
            if not isinstance(name, str) or not self.fields.chosen([name]):
                raise self._unknown("columns", name)
        return self.fields.chosen(names)

    def _field(self, name: object, argument: str) -> Field:
        field = self.fields.by_name.get(name) if isinstance(name, str) else None
        if field is None:
            raise self._unknown(argument, name)
        return field

    def _unknown(self, argument: str, name: object) -> InvalidInput:
        return _refuse(argument, "There is no field “%(name)s” here.", name=_excerpt(name))

    def _filters(self) -> list[Filter]:
        asked = self.asked.get("filters", [])
        if not isinstance(asked, list) or len(asked) > MOST_FILTERS:
            raise _refuse("filters", "Send a list of at most %(most)s conditions.", most=MOST_FILTERS)
        found = []
        for condition in asked:
            if not isinstance(condition, dict) or condition.keys() != {"col", "opr", "value"}:
                raise _refuse("filters", "Each condition has exactly col, opr and value.")
            field = self._field(condition["col"], "filters")
            found.append(self._filter(field, condition["opr"], condition["value"], "filters"))
        return found

    def _plain_filters(self) -> list[Filter]:
        found = []
        for name, values in self.plain.lists():
            field = self._field(name, name)
            operator = "ct" if "ct" in field.kind.operators else "eq"
            raw = values if len(values) > 1 else values[0]
            found.append(self._filter(field, "in" if len(values) > 1 else operator, raw, name))
        return found

    def _filter(self, field: Field, operator: object, raw: object, argument: str) -> Filter:
        if not isinstance(operator, str) or operator not in field.kind.operators:
            raise _refuse(
                argument,
                "“%(name)s” cannot be compared by “%(operator)s”; choose one of: %(known)s.",
                name=field.name,
                operator=_excerpt(operator),
                known=", ".join(sorted(field.kind.operators)) or "-",
            )
        operator = _SAME_AS.get(operator, operator)
        entries: list[object] = [raw]
        if operator in ("in", "not_in"):
            if not isinstance(raw, list) or not 0 < len(raw) <= MOST_VALUES:
                raise _refuse(argument, "Send a list of 1 to %(most)s values.", most=MOST_VALUES)
            entries = raw
        try:
            values = [field.kind.reads.read(entry, NOTHING) for entry in entries]
        except Unreadable as error:
            raise InvalidInput({argument: [error.problem]}) from error
        return Filter(field, operator, values)


def condition(asked: Filter, column: Any) -> ColumnElement[bool]:
    """What a filter asks of its column. A row without a value is not equal to any, and contains none."""
    values = asked.values
    if asked.field.where is not None:
        found = asked.field.where(values)
        return ~found if asked.operator in ("neq", "not_in") else found
    one = values[0]
    match asked.operator:
        case "eq":
            found = column == one
        case "neq":
            found = column.is_distinct_from(one)
        case "in":
            found = column.in_(values)
        case "not_in":
            found = or_(column.is_(None), column.not_in(values))
        case "gt":
            found = column > one
        case "ge":
            found = column >= one
        case "lt":
            found = column < one
        case "le":
            found = column <= one
        case "ct":
            found = column.icontains(one, autoescape=True)
        case "sw":
            found = column.istartswith(one, autoescape=True)
        case "ew":
            found = column.iendswith(one, autoescape=True)
        case negated:
            positive = {"nct": "ct", "nsw": "sw", "new": "ew"}[negated]
            found = or_(column.is_(None), ~condition(Filter(asked.field, positive, values), column))
    return found


@dataclass(frozen=True)
class ListStatement:
    """A question put to a source."""

    source: Source
    question: Question

    def count(self, session: Session) -> int:
        """How many rows there are on all pages."""
        used = [asked.field for asked in self.question.filters]
        return session.scalar(self._from(select(func.count()), used)) or 0

    def page(self, session: Session) -> tuple[list[Any], list[dict[str, Any]]]:
        """The keys and the rows of the page, as JSON. The keys are found first, so that the rows before the
        page cost no more than an index entry each."""
        source, question = self.source, self.question
        keys = self._ordered(self._from(select(source.key.label("key")), self._used))
        keys = keys.limit(question.page_size).offset(question.page * question.page_size)
        found = keys.subquery()
        joined = self._select(question.shown).join(found, source.key == found.c.key)
        rows = session.execute(self._ordered(joined)).all()
        return [row[0] for row in rows], [self._json(row) for row in rows]

    def every(self) -> Select[Any]:
        """All rows of all pages, in order: the key, then the fields asked for."""
        statement = self._select(self.question.shown).where(self._conditions())
        return self._ordered(statement)

    def _json(self, row: Row[Any]) -> dict[str, Any]:
        values = zip(self.question.shown, tuple(row)[1:], strict=True)
        return nested((field.name, field.shows(value)) for field, value in values)

    @property
    def _used(self) -> list[Field]:
        return [*(asked.field for asked in self.question.filters), self.question.order]

    def _select(self, shown: Sequence[Field]) -> Select[Any]:
        columns = [self.source.column(field).label(f"c{place}") for place, field in enumerate(shown)]
        statement = select(self.source.key.label("key"), *columns).select_from(self.source.table)
        return _joined(statement, [*shown, *self._used])

    def _from(self, statement: Select[Any], used: Sequence[Field]) -> Select[Any]:
        statement = _joined(statement.select_from(self.source.table), used)
        return statement.where(self._conditions())

    def _conditions(self) -> ColumnElement[bool]:
        found = self.source.scope
        for asked in self.question.filters:
            found = found & condition(asked, self.source.column(asked.field))
        return found

    def _ordered(self, statement: Select[Any]) -> Select[Any]:
        """Empty values count as the smallest on both databases."""
        column, falling = self.source.column(self.question.order), self.question.descending
        order = column.desc() if falling else column.asc()
        plain = getattr(column, "expression", column)
        own = getattr(plain, "table", None) is getattr(self.source.table, "__table__", None)
        if not own or getattr(plain, "nullable", True):
            # Only where there may be some: no index serves an order of values that cannot be missing.
            order = order.nulls_last() if falling else order.nulls_first()
        return statement.order_by(order, self.source.key.desc() if falling else self.source.key.asc())


def _joined(statement: Select[Any], fields: Sequence[Field]) -> Select[Any]:
    wanted = {id(field.join): field.join for field in fields if field.join is not None}
    for relation in wanted.values():
        statement = statement.join(relation, isouter=True)
    return statement


def _parse(text: str) -> dict[str, Any]:
    if not text:
        return {}
    if len(text) > _LONGEST_QUESTION:
        raise _refuse(
            "q",
            "At most %(most)s characters; these are %(length)s.",
            most=_LONGEST_QUESTION,
            length=len(text),
        )
    asked = _decoded(text)
    if not isinstance(asked, dict):
        raise _refuse("q", "Send an object: (filters:!(),page:0,page_size:20).")
    for name in asked:
        if name not in _KNOWN:
            raise _refuse(
                "q",
                "“%(name)s” is not known here; choose among: %(known)s.",
                name=_excerpt(name),
                known=", ".join(sorted(_KNOWN)),
            )
    return asked


def _decoded(text: str) -> Any:
    try:
        return prison.loads(text)
    except Exception:  # the parser raises whatever its indexing does: IndexError, TypeError, …
        return _from_json(text)


def _from_json(text: str) -> Any:
    try:
        return strict_json(text)
    except (ValueError, RecursionError):
        raise _refuse("q", "This is not valid rison, nor JSON.") from None


def _refuse(argument: str, message: str, **params: object) -> InvalidInput:
    return InvalidInput({argument: [Problem.of(message, **params)]}, "The question cannot be understood.")


def _excerpt(value: object) -> str:
    return str(value).replace("\x00", "")[:40]
