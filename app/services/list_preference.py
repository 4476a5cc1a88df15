"""The columns and page size a user keeps for a list."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.dictionary import ListPreference
from app.services.unit_of_work import unit_of_work


def of(session: Session, actor: Actor, list_key: str) -> ListPreference | None:
    """What the actor chose for this list, if anything."""
    if actor.user_id is None:
        return None
    return session.get(ListPreference, (actor.user_id, list_key))


def save(actor: Actor, list_key: str, columns: Sequence[str]) -> None:
    """Keep the chosen columns in order; none returns the list to its default."""
    if actor.user_id is None:
        return
    with unit_of_work(actor) as session:
        preference = of(session, actor, list_key)
        if preference is None:
            preference = ListPreference(user_id=actor.user_id, list_key=list_key)
            session.add(preference)
        preference.columns = ",".join(columns)
