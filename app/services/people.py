"""The directory a reviewer picks from: active colleagues by name, unit, position and role, nothing more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_group_role,
    assoc_permissionview_role,
    assoc_user_group,
    assoc_user_role,
)
from sqlalchemy import ColumnElement, Select, func, or_, select, union
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import NotAllowed
from app.core.text import trim
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope
from app.services.access import PERMISSION_PREFIX
from app.services.unit_of_work import current_session

_MOST = 20


@dataclass(frozen=True)
class Person:
    """Somebody who can be given a part in a review. `roles` are role labels, (zh, en)."""

    id: int
    name: str
    unit: str
    position: str
    roles: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.name, self.unit, self.position)))

    def described(self, language: str) -> str:
        """Name, unit, position, and the roles where they say more than the position."""
        place = 0 if language.startswith("zh") else 1
        names = [role[place] for role in self.roles if role[place] != self.position]
        return " · ".join(filter(None, (str(self), ("、" if place == 0 else ", ").join(names))))


def reviewers(
    actor: Actor, text: str = "", *, grant: str = "act", without: Collection[int] = (), limit: int = _MOST
) -> list[Person]:
    """Active colleagues who may review (or, with the grant `read`, be sent a copy), by name, unit or
    position; those of the actor's own unit first. `without` are ids left out: whoever is unfit for the task
    at hand.

    Raises `NotAllowed` for who neither reviews nor administers reviews.
    """
    statement = _directory(actor, grant).where(AppUser.id.not_in(without)).limit(limit)
    for word in trim(text).split():
        columns = (_NAME, Unit.name, Unit.short_name, AppUser.position, AppUser.username)
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return _people(current_session(), statement)


def named(actor: Actor, user_ids: Collection[int], *, grant: str = "act") -> list[Person]:
    """Those of the directory with these ids. Raises `NotAllowed` as `reviewers` does."""
    return _people(current_session(), _directory(actor, grant).where(AppUser.id.in_(user_ids)))


def holders(session: Session, user_ids: Collection[int], grant: str) -> set[int]:
    """Those of these users who hold `task.<grant>` and may log in."""
    statement = select(AppUser.id).where(AppUser.id.in_(user_ids), AppUser.active, _holds(grant))
    return set(session.scalars(statement))


_NAME = AppUser.last_name + AppUser.first_name


def _directory(actor: Actor, grant: str) -> Select[Any]:
    if actor.user_id is None or not (actor.holds("task", "act") or actor.holds("task", "reassign")):
        raise NotAllowed
    return (
        select(AppUser.id, _NAME, func.coalesce(Unit.short_name, ""), func.coalesce(AppUser.position, ""))
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .where(AppUser.active, AppUser.id != actor.user_id, _holds(grant))
        .order_by((AppUser.unit_id == actor.unit_id).desc(), Unit.sort, _NAME, AppUser.id)
    )


def _people(session: Session, statement: Select[Any]) -> list[Person]:
    rows = session.execute(statement).all()
    roles = _roles_of(session, [row[0] for row in rows])
    return [
        Person(user_id, name, unit, position, tuple(roles.get(user_id, ())))
        for user_id, name, unit, position in rows
    ]


def _roles_of(session: Session, user_ids: Sequence[int]) -> Mapping[int, list[tuple[str, str]]]:
    """The labels of the enabled roles of these users, own and through groups."""
    if not user_ids:
        return {}
    held = union(
        select(assoc_user_role.c.user_id, assoc_user_role.c.role_id),
        select(assoc_user_group.c.user_id, assoc_group_role.c.role_id).join(
            assoc_group_role, assoc_group_role.c.group_id == assoc_user_group.c.group_id
        ),
    ).subquery()
    rows = session.execute(
        select(held.c.user_id, RoleScope.label_zh, RoleScope.label_en)
        .join(Role, Role.id == held.c.role_id)
        .join(RoleScope, RoleScope.role_id == Role.id)
        .where(held.c.user_id.in_(user_ids), RoleScope.enabled)
        .order_by(held.c.user_id, Role.id)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for user_id, label_zh, label_en in rows:
        found.setdefault(user_id, []).append((label_zh, label_en))
    return found


def may_review() -> ColumnElement[bool]:
    """Which rows of `AppUser` hold `task.act`, by an enabled role of their own or through a group."""
    return _holds("act")


def _holds(grant: str) -> ColumnElement[bool]:
    """Holds `task.<grant>` by an enabled role of his own or through a group."""
    roles = (
        select(assoc_permissionview_role.c.role_id)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .join(RoleScope, RoleScope.role_id == assoc_permissionview_role.c.role_id)
        .where(ViewMenu.name == "task", Permission.name == f"{PERMISSION_PREFIX}{grant}", RoleScope.enabled)
    )
    own = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id.in_(roles))
    through_group = (
        select(assoc_user_group.c.user_id)
        .join(assoc_group_role, assoc_group_role.c.group_id == assoc_user_group.c.group_id)
        .where(assoc_group_role.c.role_id.in_(roles))
    )
    return or_(AppUser.id.in_(own), AppUser.id.in_(through_group))
