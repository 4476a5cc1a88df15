"""What pages ask for again and again, read once and kept until anybody commits anything.

A database tells cheaply whether its contents are still the same: PostgreSQL by its snapshot, SQLite by its
data version. What was read under a state holds for every request that finds the same state, in whatever
process the change was made; nothing has to be invalidated by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session

from app.models.base import utcnow
from app.services.unit_of_work import is_writing

T = TypeVar("T")
Kept = dict[Hashable, Any]

_KEPT = "recall.kept"
_BEGUN = "recall.begun"
_MOST = 2_000
_SECONDS = 10
"""Conditions may speak of the present moment (late, an agent of today): so much may they be behind."""

_SNAPSHOT = text("SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned() IS NULL")
_of_engine: WeakKeyDictionary[Engine, tuple[Hashable, Kept]] = WeakKeyDictionary()


def recalled(session: Session, key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives, from memory when it was read under `key` in the present state of the database.

    The key names everything but the data that the result depends on: the question, whose it is, what it is
    narrowed to. The result is shared by threads and outlives the session: values only, no rows.
    """
    kept = _kept(session)
    if kept is None:
        return read()
    if key not in kept:
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = read()
    return cast(T, kept[key])


def _kept(session: Session) -> Kept | None:
    """What is kept for the present state; None while this transaction itself may have written."""
    if is_writing(session):
        return None
    if _KEPT not in session.info:
        session.info[_KEPT] = _kept_of(session.connection())
    return cast(Kept | None, session.info[_KEPT])


def _kept_of(connection: Connection) -> Kept | None:
    tenth = int(utcnow().timestamp() // _SECONDS)
    if connection.dialect.name == "sqlite":
        # Its data version counts what others commit, as this connection sees it: kept by connection.
        others = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        state = (others, _changes(connection), tenth)
        if connection.info.get(_KEPT, (None,))[0] != state:
            connection.info[_KEPT] = (state, {})
        return cast(Kept, connection.info[_KEPT][1])
    snapshot, unwritten = connection.execute(_SNAPSHOT).one()
    if not unwritten:
        return None
    found = _of_engine.get(connection.engine)
    if found is None or found[0] != (snapshot, tenth):
        found = _of_engine[connection.engine] = ((snapshot, tenth), {})
    return found[1]


@event.listens_for(Session, "after_commit")
@event.listens_for(Session, "after_rollback")
@event.listens_for(Session, "after_flush")
def _another_state(session: Session, *_: object) -> None:
    session.info.pop(_KEPT, None)


@event.listens_for(Engine, "begin")
def _begun(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.info[_BEGUN] = _changes(connection)


@event.listens_for(Engine, "rollback")
@event.listens_for(Engine, "rollback_savepoint")
def _undone(connection: Connection, *_: object) -> None:
    """SQLite counts a change once more when it is made, and not when it is undone."""
    if connection.dialect.name == "sqlite" and _changes(connection) != connection.info.get(_BEGUN):
        connection.info.pop(_KEPT, None)


def _changes(connection: Connection) -> int:
    """How many rows this connection has ever changed."""
    raw: Any = connection.connection.dbapi_connection
    return cast(int, raw.total_changes)
