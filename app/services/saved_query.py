"""常用查询: conditions of a list kept under a name, shared or not, each run under its reader's own scope.

The list's arguments are checked by whoever knows the list (views/base/query.py) before they come here; here
they are text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.errors import InvalidInput, NotAllowed, Problem
from app.core.text import trim
from app.models.saved_query import SavedQuery, Sharing
from app.services import list_preference, log
from app.services.list_preference import Kept
from app.services.unit_of_work import unit_of_work

LONGEST_NAME = 40
LONGEST_ARGUMENTS = 4_000
MOST_OF_A_LIST = 30
"""How many queries one person keeps for one list; more is a heap and no help."""

_NOUN = "saved_query"


@dataclass(frozen=True)
class Wanted:
    """A query as its owner wants it: `arguments` is a query string, `columns` keys in order (none: the
    reader's own)."""

    name: str
    arguments: str
    columns: Sequence[str] = ()
    sharing: Sharing = Sharing.MINE


def offered(session: Session, actor: Actor, list_key: str) -> tuple[Kept, ...]:
    """The queries of a list that the actor may use: his own first, then what others share, by name."""
    return list_preference.personal(session, actor, list_key).queries


def create(actor: Actor, list_key: str, wanted: Wanted) -> SavedQuery:
    """Keep a query. Raises `InvalidInput` for a name that is empty, too long or taken, and for one query too
    many; `NotAllowed` for sharing with everybody without the grant."""
    if actor.user_id is None:
        raise NotAllowed
    with unit_of_work(actor) as session:
        row = SavedQuery(owner_id=actor.user_id, list_key=list_key)
        own = select(func.count()).where(
            SavedQuery.owner_id == actor.user_id, SavedQuery.list_key == list_key
        )
        if (session.scalar(own) or 0) >= MOST_OF_A_LIST:
            problem = Problem.of("At most %(limit)s queries are kept for one list.", limit=MOST_OF_A_LIST)
            raise InvalidInput({"name": [problem]})
        _write(session, actor, row, wanted)
        session.add(row)
        session.flush()
        _told(session, actor, "SAVED_QUERY_CREATED", row)
        return row


def update(actor: Actor, query_id: int, version: int, wanted: Wanted) -> SavedQuery:
    """Change one's own query: its name, conditions, columns, and who else is offered it."""
    with unit_of_work(actor) as session:
        row: SavedQuery = policy.load(session, actor, SavedQuery, query_id, verb="edit", version=version)
        _write(session, actor, row, wanted)
        session.flush()
        _told(session, actor, "SAVED_QUERY_CHANGED", row)
        return row


def remove(actor: Actor, query_id: int) -> None:
    """Keep a query no longer: one's own, or one shared with everybody by whoever may share so."""
    with unit_of_work(actor) as session:
        row: SavedQuery = policy.load(session, actor, SavedQuery, query_id, verb="remove")
        _told(session, actor, "SAVED_QUERY_REMOVED", row)
        session.delete(row)


def open_with(actor: Actor, query_id: int, *, default: bool = True) -> SavedQuery:
    """Let the query's list open with it from now on, or as it is; for the actor alone."""
    with unit_of_work(actor) as session:
        row: SavedQuery = policy.load(session, actor, SavedQuery, query_id)
        list_preference.save_default(actor, row.list_key, row.id if default else None)
        return row


def _write(session: Session, actor: Actor, row: SavedQuery, wanted: Wanted) -> None:
    if wanted.sharing is Sharing.EVERYONE and not actor.holds(_NOUN, "share"):
        raise NotAllowed(
            "You may share a query with your unit; sharing it with everybody needs a permission."
        )
    if wanted.sharing is Sharing.UNIT and actor.unit_id is None:
        raise InvalidInput({"sharing": [Problem.of("Your account belongs to no unit to share with.")]})
    row.name = _checked_name(session, row, wanted.name)
    if len(wanted.arguments) > LONGEST_ARGUMENTS:
        raise InvalidInput({"name": [Problem.of("These conditions are too long to be kept.")]})
    row.arguments = wanted.arguments
    row.columns = ",".join(wanted.columns)
    row.sharing = wanted.sharing
    row.unit_id = actor.unit_id if wanted.sharing is Sharing.UNIT else None


def _checked_name(session: Session, row: SavedQuery, name: str) -> str:
    name = trim(name)
    if not name:
        raise InvalidInput({"name": [Problem.of("Give the query a name.")]})
    if len(name) > LONGEST_NAME:
        raise InvalidInput(
            {"name": [Problem.of("A name has at most %(limit)s characters.", limit=LONGEST_NAME)]}
        )
    with session.no_autoflush:
        taken = session.scalar(
            select(SavedQuery.id).where(
                SavedQuery.owner_id == row.owner_id,
                SavedQuery.list_key == row.list_key,
                SavedQuery.name == name,
                SavedQuery.id.is_distinct_from(row.id),
            )
        )
    if taken is not None:
        raise InvalidInput({"name": [Problem.of("You have a query of this name for this list.")]})
    return name


def _told(session: Session, actor: Actor, event: str, row: SavedQuery) -> None:
    summary = f"{row.list_key} {row.name} {row.sharing} ?{row.arguments}"
    log.record(session, actor, event, noun=_NOUN, row_id=row.id, summary=summary)
