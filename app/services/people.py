"""The directory a reviewer picks from: active colleagues by name, unit and position, nothing more."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    ViewMenu,
    assoc_group_role,
    assoc_permissionview_role,
    assoc_user_group,
    assoc_user_role,
)
from sqlalchemy import ColumnElement, Select, func, or_, select

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
    """Somebody who can be given a part in a review."""

    id: int
    name: str
    unit: str
    position: str

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.name, self.unit, self.position)))


def reviewers(actor: Actor, text: str = "", *, limit: int = _MOST) -> list[Person]:
    """Active colleagues who may review, by name, unit or position; those of the actor's own unit first.

    Whether somebody is fit for one task is the engine's to say. Raises `NotAllowed` for who does not review.
    """
    statement = _reviewers(actor).limit(limit)
    for word in trim(text).split():
        columns = (_NAME, Unit.name, Unit.short_name, AppUser.position, AppUser.username)
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return [Person(*row) for row in current_session().execute(statement)]


def named(actor: Actor, user_ids: Collection[int]) -> list[Person]:
    """Those of the directory with these ids. Raises `NotAllowed` as `reviewers` does."""
    statement = _reviewers(actor).where(AppUser.id.in_(user_ids))
    return [Person(*row) for row in current_session().execute(statement)]


_NAME = AppUser.last_name + AppUser.first_name


def _reviewers(actor: Actor) -> Select[Any]:
    if actor.user_id is None or not actor.holds("task", "act"):
        raise NotAllowed
    return (
        select(AppUser.id, _NAME, func.coalesce(Unit.short_name, ""), func.coalesce(AppUser.position, ""))
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .where(AppUser.active, AppUser.id != actor.user_id, _may_review())
        .order_by((AppUser.unit_id == actor.unit_id).desc(), Unit.sort, _NAME, AppUser.id)
    )


def _may_review() -> ColumnElement[bool]:
    """Holds `task.act` by an enabled role of his own or through a group."""
    roles = (
        select(assoc_permissionview_role.c.role_id)
        .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .join(Permission, Permission.id == PermissionView.permission_id)
        .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .join(RoleScope, RoleScope.role_id == assoc_permissionview_role.c.role_id)
        .where(ViewMenu.name == "task", Permission.name == f"{PERMISSION_PREFIX}act", RoleScope.enabled)
    )
    own = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id.in_(roles))
    through_group = (
        select(assoc_user_group.c.user_id)
        .join(assoc_group_role, assoc_group_role.c.group_id == assoc_user_group.c.group_id)
        .where(assoc_group_role.c.role_id.in_(roles))
    )
    return or_(AppUser.id.in_(own), AppUser.id.in_(through_group))
