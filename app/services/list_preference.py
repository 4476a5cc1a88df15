"""What a reader has for a list: columns, page size, narrow rows, the saved queries he may use, and the one
the list opens with. Read in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, literal, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.models.dictionary import ListPreference
from app.models.saved_query import SavedQuery, Sharing
from app.models.user import AppUser
from app.services.recall import recalled
from app.services.unit_of_work import unit_of_work


@dataclass(frozen=True)
class Preference:
    """What one user chose for one list: the keys of his columns in order (none: the list's own), how many
    rows a page shows (none: the list's own), whether rows are narrow, and the query the list opens with."""

    columns: tuple[str, ...] = ()
    page_size: int | None = None
    dense: bool = False
    saved_query_id: int | None = None


NOTHING_CHOSEN = Preference()


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved query as offered above its list; `owner` is empty for the reader's own."""

    id: int
    name: str
    arguments: str
    columns: tuple[str, ...]
    sharing: Sharing
    owner: str
    version: int


@dataclass(frozen=True)
class Personal:
    """What one reader has for one list; his own queries come first, then what others share, by name."""

    preference: Preference = NOTHING_CHOSEN
    queries: tuple[Kept, ...] = ()


def personal(session: Session, actor: Actor, list_key: str) -> Personal:
    """What the actor has for this list."""
    if actor.user_id is None:
        return Personal()
    key = ("personal", actor.reach, list_key)
    return recalled(session, key, lambda: _read(session, actor, list_key))


def of(session: Session, actor: Actor, list_key: str) -> Preference:
    """What the actor chose for this list."""
    return personal(session, actor, list_key).preference


def _read(session: Session, actor: Actor, list_key: str) -> Personal:
    one = select(literal(1).label("one")).subquery()
    chosen = and_(ListPreference.user_id == actor.user_id, ListPreference.list_key == list_key)
    offered = and_(SavedQuery.list_key == list_key, policy.criterion(actor, SavedQuery))
    mine = SavedQuery.owner_id == actor.user_id
    rows = session.execute(
        select(
            ListPreference.columns,
            ListPreference.page_size,
            ListPreference.dense,
            ListPreference.saved_query_id,
            SavedQuery,
            AppUser.last_name + AppUser.first_name,
            mine,
        )
        .select_from(one)
        .outerjoin(ListPreference, chosen)
        .outerjoin(SavedQuery, offered)
        .outerjoin(AppUser, AppUser.id == SavedQuery.owner_id)
        .order_by(mine.desc(), SavedQuery.name, SavedQuery.id)
    ).all()
    columns, page_size, dense, saved_query_id = rows[0][:4]
    return Personal(
        Preference(_keys(columns), page_size, bool(dense), saved_query_id),
        tuple(
            Kept(
                query.id,
                query.name,
                query.arguments,
                _keys(query.columns),
                query.sharing,
                "" if own else owner,
                query.version,
            )
            for *_, query, owner, own in rows
            if query is not None
        ),
    )


def _keys(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (text or "").split(",")))


def save_columns(actor: Actor, list_key: str, columns: Sequence[str], *, dense: bool = False) -> None:
    """Keep the chosen columns in order, and whether rows are narrow; none returns the list to its own."""
    _keep(actor, list_key, columns=",".join(columns), dense=dense)


def save_page_size(actor: Actor, list_key: str, size: int) -> None:
    """Keep how many rows a page shows."""
    _keep(actor, list_key, page_size=size)


def save_default(actor: Actor, list_key: str, saved_query_id: int | None) -> None:
    """Keep the saved query that the list opens with; None opens it as it is."""
    _keep(actor, list_key, saved_query_id=saved_query_id)


def _keep(actor: Actor, list_key: str, **values: Any) -> None:
    if actor.user_id is None:
        return
    with unit_of_work(actor) as session:
        preference = session.get(ListPreference, (actor.user_id, list_key))
        if preference is None:
            preference = ListPreference(user_id=actor.user_id, list_key=list_key)
            session.add(preference)
        for name, value in values.items():
            setattr(preference, name, value)
