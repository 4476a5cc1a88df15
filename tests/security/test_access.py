"""What an actor holds: one statement, then none until something changes."""

from __future__ import annotations

import pytest
from flask import Flask, g
from flask_appbuilder.security.sqla.models import Group, Permission, PermissionView, Role, ViewMenu
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor, ScopeGrant
from app.access.roles import DEFAULT_ROLES
from app.core.enums import DataScope
from app.core.errors import NotFound
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope
from app.services import access
from app.services import user as users
from app.services.unit_of_work import unit_of_work
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.security.conftest import Browser, statements


def make_role(
    name: str, scope: DataScope, *grants: str, enabled: bool = True, units: tuple[int, ...] = ()
) -> Role:
    with unit_of_work(SYSTEM) as session:
        role = Role(name=name)
        session.add(role)
        session.flush()
        session.add(
            RoleScope(
                role_id=role.id,
                label_zh=name,
                label_en=name,
                scope=scope,
                enabled=enabled,
                units=[session.get_one(Unit, unit_id) for unit_id in units],
            )
        )
        session.flush()
        for grant in grants:
            access.grant_permission(session, name, grant)
    return role


def add_to_group(user: AppUser, *roles: str) -> None:
    """The security administrator puts a user into a new group that holds these roles."""
    with unit_of_work(SYSTEM) as session:
        granted = list(session.scalars(select(Role).where(Role.name.in_(roles))))
        group = Group(name="信息科", label="", description="", roles=granted)
        session.add(group)
        session.flush()
    users.set_roles(make_actor("sec_admin"), user.id, ["unit_handler"], [group.id])


def test_roles_come_directly_and_through_groups(session: Session) -> None:
    user = make_user("unit_handler")
    add_to_group(user, "viewer_stats")
    actor = actor_of(user)
    assert actor.roles == {"unit_handler", "viewer_stats"}
    assert actor.holds("declaration", "create")
    assert actor.holds("statistics", "export"), "the group's grant"
    assert not actor.holds("user", "manage")


def test_a_verb_reaches_as_far_as_all_the_roles_that_hold_it(session: Session) -> None:
    here, there = make_unit(), make_unit()
    make_role("town_reviewer", DataScope.CHOSEN_UNITS, "declaration.read", units=(here.id, there.id))
    actor = actor_of(make_user("unit_handler,town_reviewer"))
    assert actor.scopes("declaration", "read") == {
        ScopeGrant(DataScope.UNIT_TREE),
        ScopeGrant(DataScope.CHOSEN_UNITS, frozenset({here.id, there.id})),
    }
    assert actor.scopes("declaration", "create") == {ScopeGrant(DataScope.UNIT_TREE)}


def test_a_disabled_role_grants_nothing(session: Session) -> None:
    make_role("old_role", DataScope.ALL, "log.read", enabled=False)
    actor = actor_of(make_user("old_role"))
    assert actor.roles == frozenset()
    assert actor.grants == {}


def test_a_role_without_a_scope_grants_nothing(session: Session) -> None:
    """A role made in Flask-AppBuilder's own way has no data scope; default deny."""
    with unit_of_work(SYSTEM) as work:
        permission = work.scalars(select(PermissionView).limit(1)).one()
        work.add(Role(name="bare", permissions=[permission]))
    assert actor_of(make_user("bare")).grants == {}


def test_an_unknown_user_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        access.actor_for(session, 0)


def test_grants_are_read_once_and_again_after_a_change(session: Session) -> None:
    user = make_user("unit_handler")
    assert not actor_of(user).holds("log", "read")
    with statements() as seen:
        actor_of(user)
    assert len(seen) == 1, "name, unit and version; the grants are known"
    with unit_of_work(SYSTEM) as work:
        access.grant_permission(work, "unit_handler", "log.read")
    assert actor_of(user).holds("log", "read")


def _change_roles(work: Session, user: AppUser) -> None:
    user.roles = list(work.scalars(select(Role).where(Role.name == "audit_admin")))


def _change_unit(work: Session, user: AppUser) -> None:
    user.unit_id = None


def _change_scope(work: Session, _user: AppUser) -> None:
    work.scalars(select(RoleScope)).first().scope = DataScope.OWN


def _drop_group(work: Session, _user: AppUser) -> None:
    work.delete(work.scalars(select(Group)).one())


@pytest.mark.parametrize("change", [_change_roles, _change_unit, _change_scope, _drop_group])
def test_every_change_makes_all_processes_forget(session: Session, change: object) -> None:
    user = make_user("unit_handler")
    add_to_group(user, "viewer_stats")
    before = access.version_of(session)
    with unit_of_work(SYSTEM) as work:
        change(work, work.get_one(AppUser, user.id))
    assert access.version_of(session) != before


def test_logging_in_is_not_such_a_change(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    before = access.version_of(session)
    browser.log_in("liang")
    assert access.version_of(session) == before


def test_a_change_that_was_rolled_back_leaves_no_trace(session: Session) -> None:
    user = make_user("unit_handler")

    class Mistake(Exception):
        pass

    with pytest.raises(Mistake), unit_of_work(SYSTEM) as work:
        access.grant_permission(work, "unit_handler", "log.read")
        assert access.actor_for(work, user.id).holds("log", "read")
        raise Mistake
    assert not actor_of(user).holds("log", "read")


def test_seeding_again_keeps_what_administrators_did(session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        access.grant_permission(work, "unit_leader", "log.read")
        handler = work.scalars(select(Role).where(Role.name == "unit_handler")).one()
        handler.permissions = []
        expert = work.scalars(select(Role.id).where(Role.name == "expert")).one()
        work.execute(delete(RoleScope).where(RoleScope.role_id == expert))
        work.execute(delete(Role).where(Role.id == expert))
    with unit_of_work(SYSTEM) as work:
        assert access.seed_roles(work) == 1
        assert access.seed_roles(work) == 0
    assert actor_of(make_user("unit_leader")).holds("log", "read")
    assert not actor_of(make_user("unit_handler")).grants
    assert actor_of(make_user("expert")).holds("task", "act")


def test_the_default_roles_are_flask_appbuilders_rows(session: Session) -> None:
    for role in DEFAULT_ROLES:
        rows = session.execute(
            select(ViewMenu.name, Permission.name)
            .join(PermissionView, PermissionView.view_menu_id == ViewMenu.id)
            .join(Permission, Permission.id == PermissionView.permission_id)
            .join(PermissionView.role)
            .where(Role.name == role.name)
        )
        assert {f"{noun}.{verb.removeprefix('can_')}" for noun, verb in rows} == role.grants
    admin = session.scalar(select(func.count()).select_from(Role).where(Role.name.in_(("Admin", "Public"))))
    assert admin == 0, "Flask-AppBuilder makes these two, and Admin may do everything"


class TestFlaskAppBuilder:
    """Its questions about permissions are answered from the actor."""

    @pytest.fixture
    def asking(self, app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> Actor:
        actor = actor_of(make_user("unit_handler"))
        monkeypatch.setattr("app.views.security.manager.current_user", _Somebody())
        g.actor = actor
        return actor

    def test_its_permissions_are_our_grants_without_a_query(self, app: Flask, asking: Actor) -> None:
        """Plain Flask-AppBuilder sends one query for each button and menu entry: 16 of a list page's 22."""
        manager = app.appbuilder.sm
        with statements() as seen:
            for _ in range(50):
                assert manager.has_access("can_create", "declaration")
                assert not manager.has_access("can_manage", "user")
                assert not manager.has_access("menu_access", "List Users")
                assert not manager.is_item_public("can_read", "declaration")
                assert manager.get_user_menu_access(["List Users"]) == set()
            assert ("can_create", "declaration") in manager.get_user_permissions(None)
        assert seen == []

    def test_the_openapi_page_is_for_everyone_who_is_logged_in(self, app: Flask, asking: Actor) -> None:
        assert app.appbuilder.sm.has_access("can_get", "OpenApi")

    def test_its_own_ways_to_users_and_roles_are_shut(self, app: Flask, session: Session) -> None:
        """Plain Flask-AppBuilder's commit by themselves, unlogged and past the lock."""
        manager = app.appbuilder.sm
        for way in (
            manager.auth_user_db,
            manager.auth_user_ldap,
            manager.reset_password,
            manager.add_user,
            manager.update_user,
            manager.add_role,
        ):
            with pytest.raises(NotImplementedError):
                way("admin", "admin")

    def test_its_pages_for_users_and_roles_are_not_there(self, app: Flask) -> None:
        """Plain Flask-AppBuilder registers /users/, /roles/, /resetmypassword/, /lang/, /back and others."""
        ours = {"login", "logout", "language", "password", "profile", "api", "static", ""}
        paths = {str(rule).split("/")[1] for rule in app.url_map.iter_rules()}
        assert ours <= paths
        assert not paths & {"users", "roles", "groups", "resetmypassword", "resetpassword", "lang", "back"}
        assert not paths & {"userinfoeditview", "permissions", "viewmenus", "registeruser"}

    def test_a_fresh_installation_has_no_account(self, session: Session) -> None:
        assert session.scalar(select(func.count()).select_from(AppUser)) == 0


class _Somebody:
    is_authenticated = True


def test_a_page_asks_once_who_is_there(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    browser.get("/password/")
    with statements() as seen:
        assert browser.get("/password/").status_code == 200
    about_rights = [text for text in seen if "ab_" in text or "user_session" in text or "role_scope" in text]
    assert len(about_rights) == 1, about_rights
    assert not [text for text in seen if "rule_parameter" in text]
