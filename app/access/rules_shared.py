"""What one person shares with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from app.access.actor import Actor
from app.access.rules import Rule
from app.models.saved_query import SavedQuery, Sharing


@dataclass(frozen=True)
class Shared(Rule):
    """A saved query that its owner shares with everybody, or with the unit the actor belongs to."""

    def allows(self, actor: Actor, row: Any) -> bool:
        if actor.user_id is None:
            return False
        return row.sharing is Sharing.EVERYONE or (
            row.sharing is Sharing.UNIT and actor.unit_id is not None and row.unit_id == actor.unit_id
        )

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        if actor.user_id is None:
            return false()
        everyone = SavedQuery.sharing == Sharing.EVERYONE
        if actor.unit_id is None:
            return everyone
        return or_(everyone, and_(SavedQuery.sharing == Sharing.UNIT, SavedQuery.unit_id == actor.unit_id))


@dataclass(frozen=True)
class SharedWithEveryone(Rule):
    """A saved query that its owner shares with everybody."""

    def allows(self, actor: Actor, row: Any) -> bool:
        return bool(row.sharing is Sharing.EVERYONE)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return SavedQuery.sharing == Sharing.EVERYONE
