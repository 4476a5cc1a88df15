"""Who an actor is and what he holds: read in one statement, kept per process until something changes.

A cached answer carries the `AccessVersion` under which it was read. Every change of users, roles, groups,
scopes or parameters gives that row another number, in the same transaction, so a change is in force with the
next request of every process, and no request asks twice.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Group,
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_group_role,
    assoc_permissionview_role,
    assoc_user_group,
    assoc_user_role,
)
from sqlalchemy import event, func, insert, inspect, select, union, update
from sqlalchemy.orm import Session

from app.access.actor import Actor, ScopeGrant
from app.access.roles import DEFAULT_ROLES, DefaultRole
from app.core.enums import DataScope
from app.core.errors import NotFound
from app.models.dictionary import RuleParameter
from app.models.unit import Unit
from app.models.user import AccessVersion, AppUser, RoleScope, role_scope_unit

PERMISSION_PREFIX = "can_"
"""Flask-AppBuilder's permission `can_read` on the view `declaration` is the grant `declaration.read`."""

_VERSION_ROW = 1
_VERSIONS_KEPT = 3


@dataclass(frozen=True, slots=True)
class RoleLabel:
    """A role as people call it."""

    name: str
    label_zh: str
    label_en: str


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one user holds: his enabled roles, own and through groups, and every grant with its scopes."""

    roles: tuple[RoleLabel, ...] = ()
    grants: Mapping[str, frozenset[ScopeGrant]] = field(default_factory=dict)


class _HoldingsCache:
    """The holdings of the last few access versions; older versions are never asked for again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: dict[int, dict[int, Holdings]] = {}

    def get(self, version: int, user_id: int) -> Holdings | None:
        with self._lock:
            return self._versions.get(version, {}).get(user_id)

    def put(self, version: int, user_id: int, holdings: Holdings) -> None:
        with self._lock:
            self._versions.setdefault(version, {})[user_id] = holdings
            while len(self._versions) > _VERSIONS_KEPT:
                del self._versions[next(iter(self._versions))]


_cache = _HoldingsCache()


def actor_for(session: Session, user_id: int, address: str = "") -> Actor:
    """The actor for a user, as a task or a test needs it (a request has its own, see services/session.py).

    Raises `NotFound` for an unknown user.
    """
    row = session.execute(
        select(
            AppUser.username,
            AppUser.last_name,
            AppUser.first_name,
            AppUser.unit_id,
            func.coalesce(Unit.path, ""),
            func.coalesce(AccessVersion.number, 0),
        )
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .outerjoin(AccessVersion, AccessVersion.id == _VERSION_ROW)
        .where(AppUser.id == user_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    username, last_name, first_name, unit_id, unit_path, version = row
    holdings = holdings_of(session, user_id, version)
    return Actor(
        user_id=user_id,
        username=username,
        name=f"{last_name}{first_name}",
        unit_id=unit_id,
        unit_path=unit_path,
        roles=frozenset(role.name for role in holdings.roles),
        grants=holdings.grants,
        address=address,
    )


def holdings_of(session: Session, user_id: int, version: int) -> Holdings:
    """What a user holds under an access version: from this process's memory, else in one statement."""
    known = _cache.get(version, user_id)
    if known is None:
        known = _read_holdings(session, user_id)
        _cache.put(version, user_id, known)
    return known


def version_of(session: Session) -> int:
    """The present access version; 0 before anything was seeded."""
    return session.scalar(select(AccessVersion.number).where(AccessVersion.id == _VERSION_ROW)) or 0


def bump(session: Session) -> None:
    """Make every process forget what it holds in memory, once this transaction is committed.

    Changes made through mapped rows do this by themselves; call it after bulk statements. The new number is
    random, so that one that was rolled back can never be met again with another meaning.
    """
    number = secrets.randbelow(2**31 - 1) + 1
    table = AccessVersion.__table__
    changed: Any = session.execute(update(table).where(table.c.id == _VERSION_ROW).values(number=number))
    if changed.rowcount == 0:
        session.execute(insert(table).values(id=_VERSION_ROW, number=number))


def seed_roles(session: Session) -> int:
    """Enter the roles of `access/roles.py` that are missing, with their grants; returns how many were added.

    A role that is already there is never touched: what an administrator added or took away stays.
    """
    present = set(session.scalars(select(Role.name)))
    missing = [role for role in DEFAULT_ROLES if role.name not in present]
    if missing:
        permissions = _permissions(session, {grant for role in missing for grant in role.grants})
        for role in missing:
            _add_role(session, role, permissions)
    if version_of(session) == 0:
        bump(session)
    return len(missing)


def grant_permission(session: Session, role_name: str, grant: str) -> None:
    """Give a role one more grant, "noun.verb". Raises `NotFound` for an unknown role."""
    role = session.scalars(select(Role).where(Role.name == role_name)).one_or_none()
    if role is None:
        raise NotFound
    permission = _permissions(session, {grant})[grant]
    if permission not in role.permissions:
        role.permissions.append(permission)
        session.flush()


def _read_holdings(session: Session, user_id: int) -> Holdings:
    roles_of_user = union(
        select(assoc_user_role.c.role_id).where(assoc_user_role.c.user_id == user_id),
        select(assoc_group_role.c.role_id)
        .join(assoc_user_group, assoc_user_group.c.group_id == assoc_group_role.c.group_id)
        .where(assoc_user_group.c.user_id == user_id),
    ).subquery()
    rows = session.execute(
        select(
            Role.name,
            RoleScope.label_zh,
            RoleScope.label_en,
            RoleScope.scope,
            ViewMenu.name,
            Permission.name,
            role_scope_unit.c.unit_id,
        )
        .select_from(roles_of_user)
        .join(RoleScope, RoleScope.role_id == roles_of_user.c.role_id)
        .join(Role, Role.id == RoleScope.role_id)
        .outerjoin(assoc_permissionview_role, assoc_permissionview_role.c.role_id == Role.id)
        .outerjoin(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
        .outerjoin(Permission, Permission.id == PermissionView.permission_id)
        .outerjoin(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
        .outerjoin(role_scope_unit, role_scope_unit.c.role_id == Role.id)
        .where(RoleScope.enabled)
        .order_by(Role.id)
    ).all()
    roles: dict[str, RoleLabel] = {}
    scopes: dict[str, DataScope] = {}
    units: defaultdict[str, set[int]] = defaultdict(set)
    holders: defaultdict[str, set[str]] = defaultdict(set)
    for name, label_zh, label_en, scope, noun, permission, unit_id in rows:
        roles[name] = RoleLabel(name, label_zh, label_en)
        scopes[name] = scope
        if unit_id is not None:
            units[name].add(unit_id)
        if noun is not None and permission is not None:
            holders[f"{noun}.{permission.removeprefix(PERMISSION_PREFIX)}"].add(name)
    scope_of = {name: ScopeGrant(scope, frozenset(units[name])) for name, scope in scopes.items()}
    grants = {grant: frozenset(scope_of[name] for name in names) for grant, names in holders.items()}
    return Holdings(tuple(roles.values()), grants)


def _permissions(session: Session, grants: Iterable[str]) -> dict[str, PermissionView]:
    """Flask-AppBuilder's row for each grant, made where it is missing."""
    pairs = {grant: tuple(grant.split(".", 1)) for grant in grants}
    verbs = {row.name: row for row in session.scalars(select(Permission))}
    nouns = {row.name: row for row in session.scalars(select(ViewMenu))}
    known = {
        (row.view_menu.name, row.permission.name): row for row in session.scalars(select(PermissionView))
    }
    result = {}
    for grant, (noun, verb) in sorted(pairs.items()):
        permission_name = f"{PERMISSION_PREFIX}{verb}"
        if permission_name not in verbs:
            verbs[permission_name] = Permission(name=permission_name)
        if noun not in nouns:
            nouns[noun] = ViewMenu(name=noun)
        if (noun, permission_name) not in known:
            row = PermissionView(permission=verbs[permission_name], view_menu=nouns[noun])
            session.add(row)
            known[noun, permission_name] = row
        result[grant] = known[noun, permission_name]
    return result


def _add_role(session: Session, default: DefaultRole, permissions: Mapping[str, PermissionView]) -> None:
    role = Role(name=default.name, permissions=[permissions[grant] for grant in sorted(default.grants)])
    session.add(role)
    session.flush()
    session.add(
        RoleScope(
            role_id=role.id,
            label_zh=default.label_zh,
            label_en=default.label_en,
            scope=default.scope,
            enabled=True,
        )
    )
    session.flush()


_WATCHED: dict[type[Any], tuple[str, ...] | None] = {
    AppUser: ("roles", "groups", "unit_id", "active"),
    Role: ("permissions", "user", "groups", "name"),
    Group: ("users", "roles"),
    RoleScope: None,
    PermissionView: None,
    RuleParameter: None,
}
"""What changes the answers kept in memory; None means every attribute."""


def _changes_access(row: object, *, existing: bool) -> bool:
    kind = next((kind for kind in _WATCHED if isinstance(row, kind)), None)
    if kind is None:
        return False
    attributes = _WATCHED[kind]
    if attributes is None or not existing:
        return True
    state = inspect(row, raiseerr=True)
    return any(state.attrs[name].history.has_changes() for name in attributes if name in state.attrs)


@event.listens_for(Session, "before_flush")
def _bump_on_change(session: Session, _context: object, _instances: object) -> None:
    if (
        any(_changes_access(row, existing=True) for row in session.dirty)
        or any(_changes_access(row, existing=False) for row in session.new)
        or any(_changes_access(row, existing=False) for row in session.deleted)
    ):
        bump(session)
