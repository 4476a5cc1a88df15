"""Sessions on the server: begun by a log-in, found by each request, ended by logging out, by time, by a
changed password, role or state, or by an administrator.

The browser's cookie and a program's token carry only a random 256-bit key; the table holds its SHA-256.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.core.enums import LogLevel
from app.models.base import utcnow
from app.models.unit import Unit
from app.models.user import AccessVersion, AppUser, UserSession
from app.services import access, log
from app.services.login_rules import rules_for
from app.services.unit_of_work import unit_of_work

KEY_BYTES = 32
SEEN_EVERY = dt.timedelta(minutes=1)
"""`seen_at` is written at most so often: reading pages otherwise never writes."""

_AGENT_LENGTH = 200
_ADDRESS_LENGTH = 64


@dataclass(frozen=True, slots=True)
class UnitOfUser:
    """The unit of whoever is logged in."""

    id: int
    path: str
    name: str
    short_name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class SessionUser:
    """Who a session belongs to, as a value that no rollback empties. Flask-Login's four names included."""

    id: int
    username: str
    last_name: str
    first_name: str
    position: str
    unit: UnitOfUser | None
    has_password: bool
    must_change_password: bool
    """Given by an administrator, or older than the rules allow."""
    session_id: int
    session_started_at: dt.datetime
    seen_at: dt.datetime
    access_version: int
    key: str = field(repr=False)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    @property
    def full_name(self) -> str:
        """Family name first, as Chinese names are written."""
        return f"{self.last_name}{self.first_name}"

    @property
    def unit_id(self) -> int | None:
        """The unit's id."""
        return self.unit.id if self.unit else None

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the key of the session, not the number of the user."""
        return self.key

    def __str__(self) -> str:
        return self.full_name


def begin(user_id: int, *, address: str, agent: str) -> str:
    """Open a session and return its key; it is shown to nobody but the client and stored nowhere."""
    key = secrets.token_urlsafe(KEY_BYTES)
    with unit_of_work(SYSTEM) as session:
        session.add(
            UserSession(
                key_hash=_hash(key),
                user_id=user_id,
                address=address[:_ADDRESS_LENGTH],
                agent=agent[:_AGENT_LENGTH],
            )
        )
    return key


_OWNER = (
    select(
        UserSession.id,
        UserSession.started_at,
        UserSession.seen_at,
        AppUser.id,
        AppUser.username,
        AppUser.last_name,
        AppUser.first_name,
        AppUser.position,
        AppUser.password.is_not(None),
        AppUser.must_change_password,
        AppUser.password_changed_at,
        Unit.id,
        Unit.path,
        Unit.name,
        Unit.short_name,
        func.coalesce(AccessVersion.number, 0),
    )
    .join(AppUser, AppUser.id == UserSession.user_id)
    .outerjoin(Unit, Unit.id == AppUser.unit_id)
    .outerjoin(AccessVersion, AccessVersion.id == 1)
    .where(UserSession.key_hash == bindparam("key_hash"), UserSession.ended_at.is_(None), AppUser.active)
)
"""Whose session it is: built once, asked by every request."""


def resolve(session: Session, key: str, now: dt.datetime | None = None) -> SessionUser | None:
    """Whose key this is, in one statement; None when the session is unknown, ended, idle or too old, or the
    user is disabled."""
    now = now or utcnow()
    row = session.execute(_OWNER, {"key_hash": _hash(key)}).one_or_none()
    if row is None:
        return None
    (session_id, started_at, seen_at, user_id, username, last_name, first_name, position) = row[:8]
    (has_password, must_change, changed_at, unit_id, path, unit_name, short_name, version) = row[8:]
    rules = rules_for(session, version)
    if now - seen_at > rules.idle or now - started_at > rules.absolute:
        return None
    too_old = rules.password_age and changed_at and now - changed_at > rules.password_age
    return SessionUser(
        id=user_id,
        username=username,
        last_name=last_name,
        first_name=first_name,
        position=position or "",
        unit=None if unit_id is None else UnitOfUser(unit_id, path, unit_name, short_name),
        has_password=has_password,
        must_change_password=bool(has_password and (must_change or too_old)),
        session_id=session_id,
        session_started_at=started_at,
        seen_at=seen_at,
        access_version=version,
        key=key,
    )


def actor_of(session: Session, user: SessionUser, address: str = "") -> Actor:
    """The actor of a request; asks the database only when this process does not know the grants yet."""
    holdings = access.holdings_of(session, user.id, user.access_version)
    return Actor(
        user_id=user.id,
        username=user.username,
        name=user.full_name,
        unit_id=user.unit_id,
        unit_path=user.unit.path if user.unit else "",
        roles=frozenset(role.name for role in holdings.roles),
        grants=holdings.grants,
        address=address,
    )


def touch(user: SessionUser, now: dt.datetime | None = None) -> None:
    """Note that the session is in use, if the last note is older than a minute."""
    now = now or utcnow()
    if now - user.seen_at < SEEN_EVERY:
        return
    with unit_of_work(SYSTEM) as session:
        session.execute(update(UserSession).where(UserSession.id == user.session_id).values(seen_at=now))


def end(actor: Actor, session_id: int) -> None:
    """End one session: one's own, or as an administrator somebody else's.

    Raises `NotFound` for a session the actor may not see.
    """
    with unit_of_work(actor) as session:
        row: UserSession = policy.load(session, actor, UserSession, session_id, verb="end")
        if row.ended_at is not None:
            return
        own = row.user_id == actor.user_id
        row.ended_at, row.end_reason = utcnow(), "LOGOUT" if own else "ENDED_BY_ADMINISTRATOR"
        log.record(
            session,
            actor,
            "LOGOUT" if own else "SESSION_ENDED",
            noun="session",
            row_id=row.id,
            summary="" if own else f"user {row.user_id}",
            level=LogLevel.INFO if own else LogLevel.WARNING,
        )


def end_all(session: Session, user_id: int, reason: str, *, except_id: int | None = None) -> None:
    """End every session of a user (inside the caller's unit of work), but the one named."""
    statement = update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    if except_id is not None:
        statement = statement.where(UserSession.id != except_id)
    session.execute(statement.values(ended_at=utcnow(), end_reason=reason))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
