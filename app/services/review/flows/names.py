"""What roles, groups, people, units and codes are called, looked up once for a whole flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from flask_appbuilder.security.sqla.models import Group, Role
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import NotAllowed
from app.core.text import trim
from app.models.flow import FlowStep
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope
from app.services.dictionary import Catalogue, catalogue
from app.services.parameter import PARAMETERS, Parameter, ParameterKind
from app.services.people import may_review
from app.services.unit_of_work import current_session


@dataclass(frozen=True)
class RoleName:
    """A role as the office calls it; a disabled one lets nobody act."""

    name: str
    label_zh: str
    label_en: str
    enabled: bool


@dataclass(frozen=True)
class GroupName:
    """A group of users; `name` is the same in every installation."""

    id: int
    name: str
    label: str


@dataclass(frozen=True)
class UnitName:
    """A unit; `code` is the same in every installation."""

    id: int
    code: str
    name: str
    path: str
    active: bool


@dataclass(frozen=True)
class PersonName:
    """A user; `username` is the same in every installation."""

    id: int
    username: str
    name: str
    unit: str
    active: bool

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.name, self.unit)))


class Names:
    """The directory of one request; each part is read when it is first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._people: dict[int, PersonName] = {}
        self._usernames: dict[str, int] = {}

    @cached_property
    def roles(self) -> Mapping[str, RoleName]:
        """Every role by its name, enabled ones first."""
        rows = self._session.execute(
            select(Role.name, RoleScope.label_zh, RoleScope.label_en, RoleScope.enabled)
            .outerjoin(RoleScope, RoleScope.role_id == Role.id)
            .where(or_(RoleScope.role_id.is_not(None), Role.name.not_in(_TECHNICAL)))
            .order_by(RoleScope.enabled.desc(), Role.id)
        )
        return {
            row.name: RoleName(
                row.name, row.label_zh or row.name, row.label_en or row.name, row.enabled is not False
            )
            for row in rows
        }

    @cached_property
    def groups(self) -> Mapping[str, GroupName]:
        """Every group by its name."""
        rows = self._session.execute(select(Group.id, Group.name, Group.label).order_by(Group.name))
        return {row.name: GroupName(row.id, row.name, row.label or row.name) for row in rows}

    @cached_property
    def units(self) -> Mapping[str, UnitName]:
        """Every unit by its code, in the order of the tree's numbering."""
        columns = (Unit.id, Unit.code, Unit.name, Unit.path, Unit.active)
        rows = self._session.execute(select(*columns).order_by(Unit.sort, Unit.id))
        return {row.code: UnitName(*row) for row in rows}

    @cached_property
    def units_by_id(self) -> Mapping[int, UnitName]:
        """Every unit by its id."""
        return {unit.id: unit for unit in self.units.values()}

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every dictionary."""
        return catalogue(self._session)

    @property
    def switches(self) -> Sequence[Parameter]:
        """The parameters that can take a step out of a flow: those that are yes or no."""
        return [one for one in PARAMETERS if one.kind is ParameterKind.BOOLEAN]

    def group_of(self, group_id: int | None) -> GroupName | None:
        """The group with this id."""
        return next((group for group in self.groups.values() if group.id == group_id), None)

    def learn_steps(self, steps: Iterable[FlowStep]) -> None:
        """Read everybody whom these steps name, in one statement."""
        wanted = {user.user_id for step in steps for user in step.users} - self._people.keys()
        if wanted:
            self.learn(AppUser.id.in_(wanted))

    def learn_usernames(self, usernames: Iterable[str]) -> None:
        """Read everybody with these user names, in one statement."""
        wanted = set(usernames) - self._usernames.keys()
        if wanted:
            self.learn(AppUser.username.in_(wanted))

    def person(self, user_id: int) -> PersonName | None:
        """Somebody learnt before, by id."""
        return self._people.get(user_id)

    def person_called(self, username: str) -> PersonName | None:
        """Somebody learnt before, by user name."""
        user_id = self._usernames.get(username)
        return self._people.get(user_id) if user_id is not None else None

    def allows(self, type_code: str, code: str) -> bool:
        """Is the code an entry of the dictionary, in use or not? (The check says of one that is not.)"""
        return code in self.catalogue.entries.get(type_code, {})

    def knows(self, target: str, row_id: int) -> bool:
        """Is there such a unit?"""
        return target == "unit" and row_id in self.units_by_id

    def learn(self, which: ColumnElement[bool]) -> None:
        """Read the people of this condition on `AppUser`."""
        columns = (AppUser.id, AppUser.username, AppUser.last_name, AppUser.first_name, AppUser.active)
        rows = self._session.execute(
            select(*columns, Unit.short_name).outerjoin(Unit, Unit.id == AppUser.unit_id).where(which)
        )
        for row in rows:
            name = f"{row.last_name}{row.first_name}"
            person = PersonName(row.id, row.username, name, row.short_name or "", bool(row.active))
            self._people[person.id] = person
            self._usernames[person.username] = person.id


def find_reviewers(actor: Actor, text: str, most: int = 20) -> list[PersonName]:
    """Active people who may review, by name, user name, unit or position, for whoever keeps flows. Raises
    NotAllowed for anybody else."""
    if not actor.holds("flow", "manage"):
        raise NotAllowed
    name = AppUser.last_name + AppUser.first_name
    statement = (
        select(AppUser.id, AppUser.username, name, func.coalesce(Unit.short_name, ""), AppUser.active)
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .where(AppUser.active, may_review())
        .order_by(Unit.sort, name, AppUser.id)
        .limit(most)
    )
    for word in trim(text).split():
        columns = (name, AppUser.username, Unit.name, Unit.short_name, AppUser.position)
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return [PersonName(*row) for row in current_session().execute(statement)]


_TECHNICAL = ("Admin", "Public")
"""Roles of Flask-AppBuilder that no person of the office holds."""
