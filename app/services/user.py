"""Users: entering them, their passwords, their state and roles, and what they keep about themselves."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Group, Role
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import LogLevel
from app.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from app.gateways.signon.local import hash_password, password_matches
from app.models.base import utcnow
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import log, login, password, session
from app.services.login_rules import rules_for
from app.services.unit_of_work import current_session, unit_of_work

_USERNAME = re.compile(r"[A-Za-z0-9_.@-]{2,64}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_EMAIL_LENGTH = 120
_NAME_LENGTH = 64
_POSITION_LENGTH = 60


@dataclass(frozen=True)
class NewUser:
    """What is known of a person when he is entered."""

    username: str
    last_name: str
    first_name: str = ""
    unit_id: int | None = None
    email: str = ""
    mobile: str = ""
    position: str = ""
    roles: tuple[str, ...] = ()
    group_ids: tuple[int, ...] = ()
    external_id: str | None = None


@dataclass(frozen=True)
class Profile:
    """What a user keeps about himself."""

    last_name: str
    first_name: str
    email: str
    mobile: str
    position: str


def create_user(actor: Actor, new: NewUser, *, initial_password: str | None = None) -> tuple[AppUser, str]:
    """Enter a user; returns him and his initial password, random and to be changed at the first log-in.

    Programs that load demonstration data give `initial_password`; it is taken as it is and may be kept.
    Raises `NotAllowed`, `InvalidInput`.
    """
    with unit_of_work(actor) as open_session:
        user = AppUser(
            username=new.username,
            last_name=new.last_name,
            first_name=new.first_name,
            unit_id=new.unit_id,
            email=new.email or f"{new.username}@local.invalid",
            mobile=new.mobile or None,
            position=new.position or None,
            external_id=new.external_id,
            active=True,
        )
        policy.require(actor, "manage", user)
        if (new.roles or new.group_ids) and not actor.holds("role", "manage"):
            raise NotAllowed("Roles are granted by the security administrator.")
        problems = _problems_of_new(open_session, new)
        if problems:
            raise InvalidInput(problems)
        initial = initial_password or password.random_password(rules_for(open_session))
        user.password = hash_password(initial)
        user.must_change_password = initial_password is None
        user.password_changed_at = utcnow()
        roles, groups = _roles(open_session, new.roles), _groups(open_session, new.group_ids)
        open_session.add(user)
        user.roles, user.groups = roles, groups
        open_session.flush()
        log.record(
            open_session, actor, "USER_CREATED", noun="user", row_id=user.id, summary=", ".join(new.roles)
        )
    return user, initial


def set_password(actor: Actor, current: str, new: str, *, keep_session_id: int | None = None) -> None:
    """Change one's own password; every other session of the user ends.

    Raises `InvalidInput` for a wrong current password (which counts towards the lock) or a new one that
    the rules refuse, and `LoginLocked`.
    """
    if not login.confirm_password(actor, current):
        raise InvalidInput({"current": [Problem.of("This is not your present password.")]})
    with unit_of_work(actor) as open_session:
        user = open_session.get_one(AppUser, actor.user_id)
        problem = password.problem_with(new, user.username, rules_for(open_session))
        if problem is None and password_matches(user.password, new):
            problem = Problem.of("Choose a password that differs from the present one.")
        if problem is not None:
            raise InvalidInput({"new": [problem]})
        user.password = hash_password(new)
        user.password_changed_at = utcnow()
        user.must_change_password = False
        session.end_all(open_session, user.id, "PASSWORD_CHANGED", except_id=keep_session_id)
        log.record(open_session, actor, "PASSWORD_CHANGED", noun="user", row_id=user.id)


def reset_password(actor: Actor, user_id: int) -> str:
    """Give a user a new random password, to be changed at the next log-in; his sessions end.

    Returns it, to be handed over once. Raises `NotFound`, `NotAllowed`.
    """
    with unit_of_work(actor) as open_session:
        user: AppUser = policy.load(open_session, actor, AppUser, user_id, verb="manage")
        initial = password.random_password(rules_for(open_session))
        user.password = hash_password(initial)
        user.password_changed_at = utcnow()
        user.must_change_password = True
        session.end_all(open_session, user.id, "PASSWORD_RESET")
        log.record(open_session, actor, "PASSWORD_RESET", noun="user", row_id=user.id, level=LogLevel.WARNING)
    return initial


def disable(actor: Actor, user_id: int) -> None:
    """Shut a user out on every way in, at once. Raises `NotFound`, `NotAllowed`, `Conflict` for oneself."""
    if user_id == actor.user_id:
        raise Conflict("You cannot disable your own account.")
    _set_active(actor, user_id, active=False)


def enable(actor: Actor, user_id: int) -> None:
    """Let a disabled user in again. Raises `NotFound`, `NotAllowed`."""
    _set_active(actor, user_id, active=True)


def set_roles(
    actor: Actor, user_id: int, role_names: Collection[str], group_ids: Collection[int] = ()
) -> None:
    """Give a user exactly these roles and groups; when that changes anything his sessions end.

    Roles are the security administrator's (verb `manage` on roles), not the system administrator's. Nobody
    changes his own. Raises `NotFound`, `NotAllowed`, `InvalidInput`.
    """
    if not actor.holds("role", "manage") or user_id == actor.user_id:
        raise NotAllowed
    with unit_of_work(actor) as open_session:
        user: AppUser = policy.load(
            open_session,
            actor,
            AppUser,
            user_id,
            options=(selectinload(AppUser.roles), selectinload(AppUser.groups)),
        )
        before = {role.name for role in user.roles}, {group.id for group in user.groups}
        after = set(role_names), set(group_ids)
        if before == after:
            return
        user.roles = _roles(open_session, role_names)
        user.groups = _groups(open_session, group_ids)
        session.end_all(open_session, user.id, "ROLES_CHANGED")
        log.record(
            open_session,
            actor,
            "PERMISSION_CHANGED",
            noun="user",
            row_id=user.id,
            summary=f"{', '.join(sorted(before[0]))} -> {', '.join(sorted(after[0]))}",
            level=LogLevel.WARNING,
        )


def own_profile(actor: Actor) -> AppUser:
    """The actor's own row, with his unit. Raises `NotAllowed` without a user."""
    if actor.user_id is None:
        raise NotAllowed
    row: AppUser = policy.load(current_session(), actor, AppUser, actor.user_id)
    return row


def update_profile(
    actor: Actor, profile: Profile, current_password: str = "", *, just_logged_in: bool = False
) -> None:
    """Change what a user keeps about himself. A new telephone or e-mail asks for the password again
    (SEC-44): whoever finds an open screen must not redirect the messages of its owner. Users without a
    password here must have just logged in their own way instead.

    Raises `InvalidInput`, `LoginLocked`.
    """
    user = own_profile(actor)
    problems = _problems_of_profile(profile)
    contacts_change = (user.email, user.mobile or "") != (profile.email, profile.mobile)
    if contacts_change and not problems:
        problems = _problems_of_identity(actor, user, current_password, just_logged_in)
    if problems:
        raise InvalidInput(problems)
    with unit_of_work(actor) as open_session:
        user = open_session.get_one(AppUser, actor.user_id)
        taken = select(AppUser.id).where(AppUser.email == profile.email, AppUser.id != user.id)
        if open_session.scalar(taken) is not None:
            raise InvalidInput({"email": [Problem.of("Another account already has this e-mail.")]})
        user.last_name, user.first_name = profile.last_name, profile.first_name
        user.email, user.mobile = profile.email, profile.mobile or None
        user.position = profile.position or None
        log.record(
            open_session,
            actor,
            "CONTACT_CHANGED" if contacts_change else "PROFILE_CHANGED",
            noun="user",
            row_id=user.id,
        )


def _problems_of_identity(
    actor: Actor, user: AppUser, current_password: str, just_logged_in: bool
) -> dict[str, list[Problem]]:
    if not user.password:
        if just_logged_in:
            return {}
        return {
            "current_password": [
                Problem.of("Log out and in again, then change the telephone or e-mail within five minutes.")
            ]
        }
    if current_password and login.confirm_password(actor, current_password):
        return {}
    return {"current_password": [Problem.of("Enter your password to change the telephone or e-mail.")]}


def _set_active(actor: Actor, user_id: int, *, active: bool) -> None:
    with unit_of_work(actor) as open_session:
        user: AppUser = policy.load(open_session, actor, AppUser, user_id, verb="manage")
        user.active = active
        if not active:
            session.end_all(open_session, user.id, "DISABLED")
        log.record(
            open_session,
            actor,
            "USER_ENABLED" if active else "USER_DISABLED",
            noun="user",
            row_id=user.id,
            level=LogLevel.WARNING,
        )


def _problems_of_new(open_session: Session, new: NewUser) -> dict[str, list[Problem]]:
    problems = _problems_of_profile(
        Profile(new.last_name, new.first_name, new.email or "x@local.invalid", new.mobile, new.position)
    )
    if not _USERNAME.fullmatch(new.username):
        problems["username"] = [Problem.of("Use 2 to 64 letters, digits or . _ @ -")]
    elif open_session.scalar(select(AppUser.id).where(AppUser.username == new.username)) is not None:
        problems["username"] = [Problem.of("This username is taken.")]
    if new.email and open_session.scalar(select(AppUser.id).where(AppUser.email == new.email)) is not None:
        problems["email"] = [Problem.of("Another account already has this e-mail.")]
    if new.unit_id is not None and open_session.get(Unit, new.unit_id) is None:
        problems["unit_id"] = [Problem.of("There is no such unit.")]
    return problems


def _problems_of_profile(profile: Profile) -> dict[str, list[Problem]]:
    problems: dict[str, list[Problem]] = {}
    if not profile.last_name.strip():
        problems["last_name"] = [Problem.of("Enter the name.")]
    for name, text, most in (
        ("last_name", profile.last_name, _NAME_LENGTH),
        ("first_name", profile.first_name, _NAME_LENGTH),
        ("position", profile.position, _POSITION_LENGTH),
        ("email", profile.email, _EMAIL_LENGTH),
    ):
        if len(text) > most:
            problems[name] = [Problem.of("At most %(most)s characters.", most=most)]
        elif not text.isprintable():
            problems[name] = [Problem.of("Some characters here cannot be printed. Type the text again.")]
    if profile.mobile and not _MOBILE.fullmatch(profile.mobile):
        problems["mobile"] = [Problem.of("Enter a mobile number of 11 digits.")]
    if "email" not in problems and not _EMAIL.fullmatch(profile.email):
        problems["email"] = [Problem.of("Enter an e-mail address such as name@example.gov.cn.")]
    return problems


def _roles(open_session: Session, names: Collection[str]) -> list[Role]:
    rows: Sequence[Role] = open_session.scalars(select(Role).where(Role.name.in_(sorted(names)))).all()
    unknown = set(names) - {row.name for row in rows}
    if unknown:
        raise InvalidInput(
            {"roles": [Problem.of("There is no role “%(name)s”.", name=", ".join(sorted(unknown)))]}
        )
    return list(rows)


def _groups(open_session: Session, group_ids: Collection[int]) -> list[Group]:
    rows: Sequence[Group] = open_session.scalars(select(Group).where(Group.id.in_(sorted(group_ids)))).all()
    if len(rows) != len(set(group_ids)):
        raise InvalidInput({"group_ids": [Problem.of("There is no such group.")]})
    return list(rows)
