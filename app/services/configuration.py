"""Writing configuration tables: one way to add, change, switch off and remove a row, checked and recorded.

A table says once which of its fields may be written and what they must obey (`Table`); everything else
that is sent along is ignored. A row in use is switched off, never removed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

import sqlalchemy
from sqlalchemy import Boolean, Column, Date, Integer, String, UniqueConstraint, func, literal, select
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.errors import Change, Conflict, InvalidInput, Problem, StaleVersion
from app.core.text import trim
from app.extensions import metadata
from app.models.base import Model
from app.models.log import FieldChange
from app.services import log
from app.services.unit_of_work import unit_of_work

M = TypeVar("M", bound=Model)
Values = dict[str, Any]
Problems = dict[str, list[Problem]]

_LARGEST_INTEGER = 2**31 - 1


def _no_problems(_session: Session, _row: Any, _values: Values) -> Problems:
    return {}


def _nothing_more(_session: Session, _row: Any, _before: Mapping[str, Any]) -> None:
    return None


def _plain(_name: str, value: Any) -> str:
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Table(Generic[M]):
    """How one configuration table is written.

    `fields` may be given; those of `fixed` only when the row is made, those of `blank` may be left empty
    although their column has no default. `check` looks at cleaned values
    against the row as it still is (a new one has no id) and answers field by field; `saved` runs after the
    row was flushed, with the values it had before (empty for a new row). `used` says of a row whether
    something names it other than by a foreign key. `parts` are tables whose rows belong to the row and go
    with it. `switch` is the field that takes a row out of use, `name_of` what people call a row; `words` is
    how a field's value is kept in the history.
    """

    model: type[M]
    event: str
    fields: tuple[str, ...]
    fixed: frozenset[str] = frozenset()
    blank: frozenset[str] = frozenset()
    check: Callable[[Session, M, Values], Problems] = _no_problems
    saved: Callable[[Session, M, Mapping[str, Any]], None] = _nothing_more
    may_switch_off: Callable[[Session, M], None] = lambda _session, _row: None
    used: Callable[[Session, M], bool] = lambda _session, _row: False
    parts: tuple[sqlalchemy.Table, ...] = ()
    switch: str = "active"
    name_of: Callable[[M], str] = str
    words: Callable[[str, Any], str] = _plain

    def requires(self, name: str) -> bool:
        """Must a value be given? Not where the column may be empty or fills itself."""
        column = self.column(name)
        return not column.nullable and column.default is None and name not in self.blank

    @property
    def noun(self) -> str:
        """The policy's noun."""
        return policy.noun(self.model)

    def column(self, name: str) -> Column[Any]:
        """The column behind a field."""
        column: Column[Any] = self.model.__table__.columns[name]
        return column


def create(actor: Actor, table: Table[M], values: Mapping[str, Any]) -> M:
    """Add a row. Raises `NotAllowed`, or `InvalidInput` naming every refused field."""
    with unit_of_work(actor) as session:
        row = table.model()
        policy.require(actor, "manage", row)
        clean, problems = _cleaned(table, table.fields, values, new=True)
        _check(session, table, row, clean, problems)
        for name, value in clean.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        table.saved(session, row, {})
        _record(session, actor, table, row, "added")
        return row


def update(
    actor: Actor, table: Table[M], row_id: int, values: Mapping[str, Any], seen: int | None = None
) -> M:
    """Change a row; `seen` is its `revision` when it was read, and fields not given stay as they are.

    Raises `NotFound`, `NotAllowed`, `InvalidInput`, or `StaleVersion` when it was changed since `seen`.
    """
    with unit_of_work(actor) as session:
        row = _load(session, actor, table, row_id, seen)
        writable = [name for name in table.fields if name not in table.fixed]
        clean, problems = _cleaned(table, writable, values, new=False)
        _check(session, table, row, clean, problems)
        before = {name: getattr(row, name) for name in clean}
        changed = {name: value for name, value in clean.items() if value != before[name]}
        if not changed:
            return row
        if changed.get(table.switch) is False:
            table.may_switch_off(session, row)
        for name, value in changed.items():
            setattr(row, name, value)
        session.flush()
        table.saved(session, row, before)
        differences = {name: (before[name], value) for name, value in changed.items()}
        _record(session, actor, table, row, "changed", differences)
        return row


def deactivate(actor: Actor, table: Table[M], row_id: int) -> M:
    """Take a row out of use; what names it keeps it. Harmless when it is out of use already."""
    return update(actor, table, row_id, {table.switch: False})


def activate(actor: Actor, table: Table[M], row_id: int) -> M:
    """Put a row back into use."""
    return update(actor, table, row_id, {table.switch: True})


def remove(actor: Actor, table: Table[M], row_id: int) -> None:
    """Delete a row that nothing names. Raises `Conflict` for one in use: deactivate that instead."""
    with unit_of_work(actor) as session:
        row = _load(session, actor, table, row_id, None)
        if _is_referenced(session, table, row) or table.used(session, row):
            name = table.name_of(row)
            raise Conflict("“%(name)s” is in use. Deactivate it instead of deleting it.", name=name)
        _record(session, actor, table, row, "removed")
        for part in table.parts:
            for column in _references(part, table.model):
                session.execute(part.delete().where(column == row_id))
        session.delete(row)
        session.flush()


def history(session: Session, table: Table[Any], row_id: int, limit: int = 20) -> Sequence[FieldChange]:
    """The latest changes of a row, newest first."""
    statement = (
        select(FieldChange)
        .where(FieldChange.noun == _history_noun(table), FieldChange.row_id == row_id)
        .order_by(FieldChange.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()


def revision(session: Session, table: Table[Any], row_id: int) -> int:
    """How often the row was changed here; 0 for one that never was."""
    counted = select(func.max(FieldChange.row_version)).where(
        FieldChange.noun == _history_noun(table), FieldChange.row_id == row_id
    )
    return session.scalar(counted) or 0


def _load(session: Session, actor: Actor, table: Table[M], row_id: int, seen: int | None) -> M:
    row: M = policy.load(session, actor, table.model, row_id, verb="manage", lock=True)
    if seen is not None and revision(session, table, row_id) != seen:
        since = [entry for entry in reversed(history(session, table, row_id)) if entry.row_version > seen]
        raise StaleVersion(
            [Change(entry.field, entry.old, entry.new, entry.user_name, entry.at) for entry in since]
        )
    return row


def _check(session: Session, table: Table[M], row: M, clean: Values, problems: Problems) -> None:
    for name, found in _taken(session, table, row, clean).items():
        problems.setdefault(name, []).extend(found)
    for name, found in table.check(session, row, clean).items():
        problems.setdefault(name, []).extend(found)
    if problems:
        raise InvalidInput(problems)


def _cleaned(
    table: Table[Any], names: Iterable[str], values: Mapping[str, Any], *, new: bool
) -> tuple[Values, Problems]:
    """The given values as the columns hold them, and what is wrong with the others."""
    clean: Values = {}
    problems: Problems = {}
    for name in names:
        column = table.column(name)
        if name not in values:
            if new and table.requires(name):
                problems[name] = [Problem.of("This is required.")]
            continue
        try:
            clean[name] = _read(table, column, values[name])
        except _Refused as refused:
            problems[name] = [refused.problem]
    return clean, problems


class _Refused(Exception):
    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.problem = Problem.of(message, **params)


def _read(table: Table[Any], column: Column[Any], value: Any) -> Any:
    if isinstance(value, str):
        value = trim(value)
    if value is None or value == "":
        if table.requires(column.name):
            raise _Refused("This is required.")
        if column.nullable:
            return None
        return "" if isinstance(column.type, String) else column.default.arg  # type: ignore[union-attr]
    match column.type:
        case EnumType(enum_class=enum_class) if enum_class is not None:
            return _member(enum_class, value)
        case String(length=length):
            if length is not None and len(str(value)) > length:
                raise _Refused("At most %(most)s characters.", most=length)
            return str(value)
        case Boolean():
            if not isinstance(value, bool):
                raise _Refused("Enter yes or no.")
            return value
        case Integer():
            return _integer(value)
        case Date():
            return _day(value)
    return value


def _member(enum_class: type[Enum], value: Any) -> Enum:
    try:
        return enum_class(value)
    except ValueError:
        raise _Refused("“%(value)s” is not one of the offered values.", value=str(value)[:40]) from None


def _integer(value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise _Refused("Enter a whole number.") from None
    if isinstance(value, bool) or abs(number) > _LARGEST_INTEGER:
        raise _Refused("Enter a whole number.")
    return number


def _day(value: Any) -> dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise _Refused("Enter a date such as 2027-01-01.") from None


def _taken(session: Session, table: Table[M], row: M, clean: Values) -> Problems:
    """Values that another row holds where they have to be unique, said at the last field of the key."""
    problems: Problems = {}
    for names in _unique_keys(table):
        if not any(name in clean for name in names):
            continue
        key = {name: clean.get(name, getattr(row, name, None)) for name in names}
        if any(value is None for value in key.values()):
            continue
        model: Any = table.model
        same = [getattr(model, name) == value for name, value in key.items()]
        other = select(literal(1)).where(*same)
        if row.id is not None:
            other = other.where(model.id != row.id)
        if session.scalar(other.limit(1)):
            field = next(name for name in reversed(names) if name in clean)
            problems[field] = [Problem.of("“%(value)s” is already in use.", value=str(key[field]))]
    return problems


def _unique_keys(table: Table[Any]) -> list[tuple[str, ...]]:
    constraints = [
        tuple(column.name for column in constraint.columns)
        for constraint in table.model.__table__.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    return sorted(set(constraints) | {(name,) for name in table.fields if table.column(name).unique})


def _references(table: sqlalchemy.Table, target: type[Any]) -> list[Column[Any]]:
    return [
        column
        for column in table.columns
        if any(key.column.table is target.__table__ for key in column.foreign_keys)
    ]


def _is_referenced(session: Session, table: Table[Any], row: Any) -> bool:
    """Does any row of any table name this one by a foreign key, but those that belong to it and itself?"""
    own = table.model.__table__
    for other in metadata.tables.values():
        for column in _references(other, table.model) if other not in table.parts else ():
            statement = select(literal(1)).where(column == row.id)
            if other is own:
                statement = statement.where(own.c.id != row.id)
            if session.scalar(statement.limit(1)):
                return True
    return False


def _record(
    session: Session,
    actor: Actor,
    table: Table[M],
    row: M,
    what: str,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
) -> None:
    row_id: int = row.id
    log.record(
        session,
        actor,
        table.event,
        noun=table.noun,
        row_id=row_id,
        summary=f"{table.name_of(row)}: {what}" + (f" ({', '.join(changes)})" if changes else ""),
    )
    if changes:
        log.record_changes(
            session,
            actor,
            _history_noun(table),
            row_id,
            revision(session, table, row_id) + 1,
            [
                log.Difference(name, table.words(name, old), table.words(name, new))
                for name, (old, new) in changes.items()
            ],
        )


def _history_noun(table: Table[Any]) -> str:
    # The table's name, not the policy's noun: units and unit groups share one noun but not their ids.
    name: str = table.model.__tablename__
    return name
