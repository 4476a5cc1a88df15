"""The unit of work: the only place in the program that commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.access.actor import Actor
from app.core.errors import Conflict, StaleVersion
from app.extensions import SQLITE_BEGIN, db
from app.models.base import Stamped

_ACTOR = "unit_of_work.actor"
_AFTER_COMMIT = "unit_of_work.after_commit"


def current_session() -> Session:
    """The session of this request or task, for reading."""
    return cast(Session, db.session())


def is_writing(session: Session) -> bool:
    """Is a unit of work open in this session?"""
    return _ACTOR in session.info


@contextmanager
def unit_of_work(actor: Actor) -> Iterator[Session]:
    """One transaction for one use case: commits once at the end, or leaves nothing behind.

    A service called by another service joins the one that is open. Raises `StaleVersion` when a row
    was changed meanwhile and `Conflict` when the database's own constraints refuse the change.
    """
    session = current_session()
    if is_writing(session):
        yield session
        return
    # What was only read so far ends here, so that the write sees the present and SQLite can lock at once.
    session.commit()
    session.info[_ACTOR] = actor
    session.info[_AFTER_COMMIT] = []
    try:
        session.connection(execution_options={SQLITE_BEGIN: "IMMEDIATE"})
        yield session
        session.commit()
        hooks = cast(list[Callable[[], None]], session.info[_AFTER_COMMIT])
    except StaleDataError as error:
        session.rollback()
        raise StaleVersion from error
    except IntegrityError as error:
        session.rollback()
        raise Conflict(
            "Somebody else did this at the same moment. Open the page again to see the result."
        ) from error
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info[_ACTOR], session.info[_AFTER_COMMIT]
    for hook in hooks:
        hook()


def after_commit(session: Session, hook: Callable[[], None]) -> None:
    """Run `hook` once this unit of work has committed, and never if it has not. A hook must bear being
    lost (a process may die between the commit and it): whatever it wakes also looks for work by the clock."""
    cast(list[Callable[[], None]], session.info[_AFTER_COMMIT]).append(hook)


@event.listens_for(Session, "before_flush")
def _stamp(session: Session, _context: object, _instances: object) -> None:
    actor = cast(Actor | None, session.info.get(_ACTOR))
    if actor is None:
        if session.new or session.deleted or any(session.is_modified(row) for row in session.dirty):
            raise RuntimeError("rows are written inside a unit of work only")
        return
    for row in session.new:
        if isinstance(row, Stamped):
            if row.created_by_id is None:
                row.created_by_id = actor.user_id
            row.updated_by_id = actor.user_id
    for row in session.dirty:
        if isinstance(row, Stamped) and session.is_modified(row):
            row.updated_by_id = actor.user_id
