"""Rules: one definition answers both "may this actor, with this row?" and "which rows?"."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, object_session

from app.access.actor import Actor
from app.core.enums import DataScope, DocumentStatus
from app.core.errors import Conflict, DomainError, NotAllowed
from app.models.unit import Unit


class Rule(ABC):
    """A condition on an actor and a row; `allows` and `criterion` must always agree."""

    @abstractmethod
    def allows(self, actor: Actor, row: Any) -> bool:
        """May the actor, with this row? Rows of unit-scoped models come with `unit` loaded."""

    @abstractmethod
    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        """The same condition over the rows of a statement."""

    def refusal(self, actor: Actor, row: Any) -> DomainError | None:
        """Why not, as an error to raise; None when allowed."""
        return None if self.allows(actor, row) else NotAllowed()

    def __and__(self, other: Rule) -> Rule:
        return All((self, other))

    def __or__(self, other: Rule) -> Rule:
        return Any_((self, other))

    def __invert__(self) -> Rule:
        return Not(self)


@dataclass(frozen=True)
class All(Rule):
    """Every part holds."""

    parts: tuple[Rule, ...]

    def allows(self, actor: Actor, row: Any) -> bool:
        return all(part.allows(actor, row) for part in self.parts)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return and_(*(part.criterion(actor) for part in self.parts))

    def refusal(self, actor: Actor, row: Any) -> DomainError | None:
        return next((why for part in self.parts if (why := part.refusal(actor, row))), None)


@dataclass(frozen=True)
class Any_(Rule):
    """At least one part holds."""

    parts: tuple[Rule, ...]

    def allows(self, actor: Actor, row: Any) -> bool:
        return any(part.allows(actor, row) for part in self.parts)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return or_(*(part.criterion(actor) for part in self.parts))

    def refusal(self, actor: Actor, row: Any) -> DomainError | None:
        return None if self.allows(actor, row) else self.parts[0].refusal(actor, row)


@dataclass(frozen=True)
class Not(Rule):
    """The part does not hold."""

    part: Rule

    def allows(self, actor: Actor, row: Any) -> bool:
        return not self.part.allows(actor, row)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return not_(self.part.criterion(actor))


@dataclass(frozen=True)
class Nobody(Rule):
    """Default deny."""

    def allows(self, actor: Actor, row: Any) -> bool:
        return False

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return false()


@dataclass(frozen=True)
class LoggedIn(Rule):
    """Any person of the office, or the system; for directories everyone picks from."""

    def allows(self, actor: Actor, row: Any) -> bool:
        return actor.is_system or actor.user_id is not None

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return true() if self.allows(actor, None) else false()


@dataclass(frozen=True)
class Holds(Rule):
    """Some role of the actor holds the verb; rows do not matter (configuration tables)."""

    noun: str
    verb: str

    def allows(self, actor: Actor, row: Any) -> bool:
        return actor.holds(self.noun, self.verb)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return true() if actor.holds(self.noun, self.verb) else false()


@dataclass(frozen=True)
class Mine(Rule):
    """The row belongs to the actor himself, by one column with a user's id."""

    column: InstrumentedAttribute[Any]

    def allows(self, actor: Actor, row: Any) -> bool:
        return actor.is_system or (
            actor.user_id is not None and getattr(row, self.column.key) == actor.user_id
        )

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        if actor.is_system:
            return true()
        return self.column == actor.user_id if actor.user_id is not None else false()


@dataclass(frozen=True)
class InState(Rule):
    """The document is in one of these states."""

    column: InstrumentedAttribute[Any]
    states: frozenset[DocumentStatus]

    def allows(self, actor: Actor, row: Any) -> bool:
        return getattr(row, self.column.key) in self.states

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return self.column.in_(sorted(self.states))

    def refusal(self, actor: Actor, row: Any) -> DomainError | None:
        if self.allows(actor, row):
            return None
        status = getattr(row, self.column.key)
        return Conflict("This is not possible while the record is in the state “%(status)s”.", status=status)


AssignedTo = Callable[[Actor], ColumnElement[bool]]
"""A condition on the model's rows: assigned to the actor or his firm."""


@dataclass(frozen=True)
class Granted(Rule):
    """Some role holds the verb, and the row lies within that role's data scope.

    `unit` and `owner` are the columns that tie a row to a unit and to its author; `assigned` says which
    rows are assigned to an actor. A scope that has no such tie here reaches nothing.
    """

    noun: str
    verb: str
    unit: InstrumentedAttribute[Any] | None = None
    owner: InstrumentedAttribute[Any] | None = None
    assigned: AssignedTo | None = None

    def allows(self, actor: Actor, row: Any) -> bool:
        return any(
            self._reaches(actor, grant.scope, grant.unit_ids, row)
            for grant in actor.scopes(self.noun, self.verb)
        )

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        grants = sorted(actor.scopes(self.noun, self.verb), key=lambda grant: grant.scope)
        if any(grant.scope is DataScope.ALL for grant in grants):
            return true()
        return or_(false(), *(self._within(actor, grant.scope, grant.unit_ids) for grant in grants))

    def _reaches(self, actor: Actor, scope: DataScope, unit_ids: frozenset[int], row: Any) -> bool:
        match scope:
            case DataScope.ALL:
                return True
            case DataScope.CHOSEN_UNITS if self.unit is not None:
                return getattr(row, self.unit.key) in unit_ids
            case DataScope.UNIT_TREE if self.unit is not None and actor.unit_path:
                return bool(row.unit.path.startswith(actor.unit_path))
            case DataScope.UNIT if self.unit is not None and actor.unit_id is not None:
                return bool(getattr(row, self.unit.key) == actor.unit_id)
            case DataScope.OWN if self.owner is not None and actor.user_id is not None:
                return bool(getattr(row, self.owner.key) == actor.user_id)
            case DataScope.ASSIGNED if self.assigned is not None:
                return _holds_in_database(row, self.assigned(actor))
        return False

    def _within(self, actor: Actor, scope: DataScope, unit_ids: frozenset[int]) -> ColumnElement[bool]:
        within: ColumnElement[bool] = false()
        match scope:
            case DataScope.CHOSEN_UNITS if self.unit is not None:
                within = self.unit.in_(sorted(unit_ids))
            case DataScope.UNIT_TREE if self.unit is not None and actor.unit_path:
                below = select(Unit.id).where(Unit.path.startswith(actor.unit_path, autoescape=True))
                within = self.unit.in_(below)
            case DataScope.UNIT if self.unit is not None and actor.unit_id is not None:
                within = self.unit == actor.unit_id
            case DataScope.OWN if self.owner is not None and actor.user_id is not None:
                within = self.owner == actor.user_id
            case DataScope.ASSIGNED if self.assigned is not None:
                within = self.assigned(actor)
        return within


@dataclass(frozen=True)
class Assigned(Rule):
    """The row is assigned to the actor, whatever his roles: a signer may read what he signs."""

    condition: AssignedTo

    def allows(self, actor: Actor, row: Any) -> bool:
        return actor.user_id is not None and _holds_in_database(row, self.condition(actor))

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return self.condition(actor) if actor.user_id is not None else false()


@dataclass(frozen=True)
class Where(Rule):
    """The row itself meets a condition that only the database can answer, whoever asks."""

    condition: Callable[[], ColumnElement[bool]]

    def allows(self, actor: Actor, row: Any) -> bool:
        return _holds_in_database(row, self.condition())

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return self.condition()


@dataclass(frozen=True)
class Through(Rule):
    """The row belongs to another one, named by kind and id, and any of that one's rules holds.

    `owners` maps a kind to its model and rules; a function, because the table of rules names itself.
    """

    kind: InstrumentedAttribute[Any]
    owner_id: InstrumentedAttribute[Any]
    owners: Callable[[], Mapping[str, tuple[type[Any], Sequence[Rule]]]]

    def allows(self, actor: Actor, row: Any) -> bool:
        session = object_session(row)
        model, rules = self.owners().get(getattr(row, self.kind.key), (None, ()))
        if session is None or model is None:
            return False
        reach = or_(false(), *(rule.criterion(actor) for rule in rules))
        owner = select(model.id).where(model.id == getattr(row, self.owner_id.key), reach)
        return session.scalar(owner) is not None

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return or_(
            false(),
            *(
                and_(
                    self.kind == kind,
                    self.owner_id.in_(
                        select(model.id).where(or_(false(), *(rule.criterion(actor) for rule in rules)))
                    ),
                )
                for kind, (model, rules) in self.owners().items()
            ),
        )


@dataclass(frozen=True)
class WithWhole(Rule):
    """The row is part of another one, named by a column, and follows that one's rule; for parts that a list
    shows by themselves. `rule` is a function, because the table of rules names itself."""

    column: InstrumentedAttribute[Any]
    whole: type[Any]
    rule: Callable[[], Rule]

    def allows(self, actor: Actor, row: Any) -> bool:
        return _holds_in_database(row, self.criterion(actor))

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return self.column.in_(select(self.whole.id).where(self.rule().criterion(actor)))


def _holds_in_database(row: Any, condition: ColumnElement[bool]) -> bool:
    session = object_session(row)
    model = type(row)
    if session is None:
        return False
    return session.scalar(select(model.id).where(model.id == row.id, condition)) is not None
