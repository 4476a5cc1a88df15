"""The Actor: who is acting, as a frozen value that services take first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from app.core.enums import DataScope


@dataclass(frozen=True, slots=True)
class ScopeGrant:
    """One role's data scope; `unit_ids` are the chosen units of `CHOSEN_UNITS`."""

    scope: DataScope
    unit_ids: frozenset[int] = frozenset()


class Reach(NamedTuple):
    """All that rules ask of an actor, as a key: two actors of equal reach see and may the same."""

    user_id: int | None
    unit_id: int | None
    unit_path: str
    is_system: bool
    grants: frozenset[tuple[str, frozenset[ScopeGrant]]]

    def actor(self) -> Actor:
        """An actor of this reach, with no name and no address."""
        return Actor(
            user_id=self.user_id,
            username="",
            name="",
            unit_id=self.unit_id,
            unit_path=self.unit_path,
            grants=dict(self.grants),
            is_system=self.is_system,
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. `grants` maps "noun.verb" to the scopes of every enabled role holding it (own and
    through groups); `unit_path` is the materialised path of the unit, `/1/7/31/`."""

    user_id: int | None
    username: str
    name: str
    unit_id: int | None = None
    unit_path: str = ""
    roles: frozenset[str] = frozenset()
    grants: Mapping[str, frozenset[ScopeGrant]] = field(default_factory=dict)
    address: str = ""
    is_system: bool = False
    reach: Reach = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grants = frozenset(self.grants.items())
        reach = Reach(self.user_id, self.unit_id, self.unit_path, self.is_system, grants)
        object.__setattr__(self, "reach", _same(reach))

    def scopes(self, noun: str, verb: str) -> frozenset[ScopeGrant]:
        """The scopes within which this actor holds the verb; empty means no rows."""
        if self.is_system:
            return _EVERYTHING
        return self.grants.get(f"{noun}.{verb}", frozenset())

    def holds(self, noun: str, verb: str) -> bool:
        """Does any role of the actor hold the verb, whatever the rows?"""
        return bool(self.scopes(noun, verb))


@lru_cache(maxsize=1_000)
def _same(reach: Reach) -> Reach:
    """One object for all actors of equal reach: a key that is found by identity costs no comparison."""
    return reach


_EVERYTHING = frozenset({ScopeGrant(DataScope.ALL)})

SYSTEM = Actor(user_id=None, username="system", name="System", is_system=True)
"""The clock and the command line; never a person's request."""
