"""Logging in: one door behind the form, the API, LDAP and sign-on, with one lock and one log.

A try is counted as a failure *before* the password is looked at, and struck from the count when it was
right. So a hundred tries at once are no more than a hundred tries in a row: the lock closes after the same
number of them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import Labelled, LogLevel
from app.core.errors import DomainError
from app.gateways.signon import Identity, PasswordProvider, SignOnUnavailable
from app.gateways.signon.local import password_matches
from app.models.base import utcnow
from app.models.user import AppUser, LoginAttempt
from app.services import log
from app.services.login_rules import LoginRules, rules_for
from app.services.password import LONGEST
from app.services.unit_of_work import unit_of_work

_NAME_LENGTH = 128
_ADDRESS_LENGTH = 64

CaptchaCheck = Callable[[int | None], bool]
"""Was the picture read? Told the number of the user name's last try, to which a picture is bound."""


class Refusal(Labelled):
    """Why somebody is not let in, as he is told."""

    WRONG = "WRONG", "The username or the password is not right."
    DISABLED = "DISABLED", "This account is disabled. Ask your administrator."
    CAPTCHA = "CAPTCHA", "Enter the characters in the picture as well."
    NOT_TIED = (
        "NOT_TIED",
        "You proved who you are, but no account here is tied to that identity. Ask your administrator.",
    )
    NOT_PROVED = "NOT_PROVED", "Signing on did not succeed. Start again from the log-in page."
    UNAVAILABLE = (
        "UNAVAILABLE",
        "This way of logging in does not answer at present. Use another one, or try later.",
    )
    LOCKED = "LOCKED", "Too many failed log-ins. Try again in %(minutes)s minutes."


class LoginRefused(DomainError):
    """Not let in (401). `captcha_after` is set when the next try must bring a captcha: the number of the
    last try, to which its picture is bound."""

    status = 401

    def __init__(self, reason: Refusal, *, captcha_after: int | None = None, **params: object) -> None:
        super().__init__(reason.label, **params)
        self.reason = reason
        self.captcha_after = captcha_after


class LoginLocked(LoginRefused):
    """Too many failures (429): even the right password is refused until `until`."""

    status = 429

    def __init__(self, until: dt.datetime, now: dt.datetime) -> None:
        super().__init__(Refusal.LOCKED, minutes=max(1, ceil((until - now) / dt.timedelta(minutes=1))))
        self.until = until


@dataclass(frozen=True, slots=True)
class _Account:
    id: int
    username: str
    name: str
    password: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class _Try:
    """One counted try: `last` is the number of the one before it under the same name."""

    id: int
    last: int | None
    captcha_wanted: bool
    account: _Account | None


def authenticate(
    username: str,
    password: str,
    *,
    address: str,
    way: str,
    provider: PasswordProvider | None = None,
    captcha: CaptchaCheck | None = None,
) -> AppUser:
    """Let a person in by user name and password; `provider` is the directory to ask, None the local one.

    `captcha` is given by ways that can show a picture; the others rely on the lock alone. Raises
    `LoginLocked`, `LoginRefused`. Must not run inside a unit of work: what it counts is kept even when
    it refuses.
    """
    username = username.strip()[:_NAME_LENGTH]
    tried = _count(username, address, way, provider.external_id(username) if provider else None)
    try:
        failure = _why_wrong(tried.account, username, password, provider)
    except SignOnUnavailable as error:
        _forget(tried)
        raise LoginRefused(Refusal.UNAVAILABLE) from error
    unread = captcha is not None and tried.captcha_wanted and not captcha(tried.last)
    if failure is not None:
        raise _refuse(tried, username, address, way, Refusal.CAPTCHA if unread else failure)
    if unread:
        # The right password was not a failure; without the picture it opens nothing either.
        _forget(tried)
        raise LoginRefused(Refusal.CAPTCHA, captcha_after=tried.last)
    return _let_in(tried, address, way)


def authenticate_identity(identity: Identity, *, address: str, way: str) -> AppUser:
    """Let in whoever another system has proved to be `identity`, matched by issuer and subject alone.

    Raises `LoginLocked`, and `LoginRefused` for an identity that no account is tied to.
    """
    tried = _count(identity.external_id, address, way, identity.external_id)
    if tried.account is None:
        raise _refuse(tried, identity.external_id, address, way, Refusal.NOT_TIED)
    return _let_in(tried, address, way)


def refuse_identity(address: str, way: str, why: str) -> LoginRefused:
    """Log a sign-on that came back wrong, and return what to raise."""
    visitor = _visitor(None, "", address)
    with unit_of_work(visitor) as session:
        log.record(session, visitor, "LOGIN_FAILED", summary=f"{way}: {why}", level=LogLevel.WARNING)
    return LoginRefused(Refusal.NOT_PROVED)


def confirm_password(actor: Actor, password: str) -> bool:
    """Is this the actor's own password? Wrong ones count towards the same lock. Raises `LoginLocked`."""
    tried = _count(actor.username, actor.address, "confirm", None)
    if _why_wrong(tried.account, actor.username, password, None) is not None:
        _refuse(tried, actor.username, actor.address, "confirm", Refusal.WRONG)
        return False
    _forget(tried)
    return True


def locked_until(session: Session, username: str, address: str, now: dt.datetime) -> dt.datetime | None:
    """Until when this user name or this address is locked; None when neither is."""
    rules = rules_for(session)
    moments = (
        _lock_end(_failures_of_name(session, username, now, rules), rules.max_failures, rules, now),
        _lock_end(_failures_of_address(session, address, now, rules), rules.address_max_failures, rules, now),
    )
    return max((moment for moment in moments if moment), default=None)


def _count(username: str, address: str, way: str, external_id: str | None) -> _Try:
    address = address[:_ADDRESS_LENGTH]
    now = utcnow()
    with unit_of_work(_visitor(None, username, address)) as session:
        account = _find(session, username, external_id)
        name = _counted_name(account, username)
        _one_at_a_time(session, f"address:{address}", f"name:{name}")
        until = locked_until(session, name, address, now)
        if until is not None:
            log.record(
                session,
                _visitor(account, username, address),
                "LOGIN_REFUSED",
                summary=f"{way}: locked until {until.isoformat(timespec='seconds')}",
                level=LogLevel.WARNING,
            )
        else:
            rules = rules_for(session)
            failures = len(_failures_of_name(session, name, now, rules))
            last = session.scalar(select(func.max(LoginAttempt.id)).where(LoginAttempt.username == name))
            attempt = LoginAttempt(at=now, username=name, address=address, way=way[:20], succeeded=False)
            session.add(attempt)
            session.flush()
            tried = _Try(attempt.id, last, failures >= rules.captcha_after, account)
    if until is not None:
        raise LoginLocked(until, now)
    return tried


def _why_wrong(
    account: _Account | None, username: str, password: str, provider: PasswordProvider | None
) -> Refusal | None:
    """What to say when the password does not open this account; None when it does."""
    # scrypt fills a key up with NULs, so that a password and the same with NULs behind it would be one.
    if len(password) > LONGEST or "\x00" in password:
        password_matches(None, "")
        return Refusal.WRONG
    if provider is None:
        return None if password_matches(account.password if account else None, password) else Refusal.WRONG
    identity = provider.verify(username, password)
    if identity is None:
        return Refusal.WRONG
    # The name typed found the account; what the directory proved must be that very account.
    tied = account is not None and provider.external_id(username) == identity.external_id
    return None if tied else Refusal.NOT_TIED


def _refuse(tried: _Try, username: str, address: str, way: str, reason: Refusal) -> LoginRefused:
    with unit_of_work(_visitor(tried.account, username, address)) as session:
        now = utcnow()
        name = _counted_name(tried.account, username)
        rules = rules_for(session)
        visitor = _visitor(tried.account, username, address)
        log.record(session, visitor, "LOGIN_FAILED", summary=way, level=LogLevel.WARNING)
        if locked_until(session, name, address, now) is not None:
            log.record(session, visitor, "LOCKED", summary=way, level=LogLevel.WARNING)
        wanted = len(_failures_of_name(session, name, now, rules)) >= rules.captcha_after
    return LoginRefused(reason, captcha_after=tried.id if wanted else None)


def _forget(tried: _Try) -> None:
    with unit_of_work(_visitor(tried.account, "", "")) as session:
        attempt = session.get(LoginAttempt, tried.id)
        if attempt is not None:
            session.delete(attempt)


def _let_in(tried: _Try, address: str, way: str) -> AppUser:
    account = tried.account
    if account is None or not account.active:
        raise _refuse(tried, account.username if account else "", address, way, Refusal.DISABLED)
    with unit_of_work(_visitor(account, account.username, address)) as session:
        attempt = session.get_one(LoginAttempt, tried.id)
        attempt.succeeded = True
        user = session.get_one(AppUser, account.id)
        # Flask-AppBuilder's own column, without a time zone.
        user.last_login = utcnow().replace(tzinfo=None)
        user.login_count = (user.login_count or 0) + 1
        log.record(session, _visitor(account, account.username, address), "LOGIN_OK", summary=way)
    return user


def _find(session: Session, username: str, external_id: str | None) -> _Account | None:
    if not username.isprintable():
        # Nobody is called so, and PostgreSQL does not take a NUL at all.
        return None
    condition = AppUser.username == username if external_id is None else AppUser.external_id == external_id
    row = session.execute(
        select(
            AppUser.id,
            AppUser.username,
            AppUser.last_name,
            AppUser.first_name,
            AppUser.password,
            AppUser.active,
        ).where(condition)
    ).one_or_none()
    if row is None:
        return None
    return _Account(row[0], row[1], f"{row[2]}{row[3]}", row[4], bool(row[5]))


def _counted_name(account: _Account | None, username: str) -> str:
    """Under which name a try is counted. A name nobody has is kept as a digest: people type passwords into
    the wrong field."""
    if account is not None:
        return account.username
    return "?" + hashlib.sha256(username.encode()).hexdigest()[:40]


def _visitor(account: _Account | None, username: str, address: str) -> Actor:
    if account is not None:
        return Actor(user_id=account.id, username=account.username, name=account.name, address=address)
    # Two letters tell the auditor enough; more might be a password typed into the wrong field.
    shown = "".join(character for character in username[:2] if character.isprintable())
    shown = f"{shown}…" if username else ""
    return Actor(user_id=None, username=shown, name=shown, address=address)


def _failures_of_name(session: Session, name: str, now: dt.datetime, rules: LoginRules) -> list[dt.datetime]:
    """The failures since the last success that may still count, newest first."""
    success = (
        select(func.coalesce(func.max(LoginAttempt.id), 0))
        .where(LoginAttempt.username == name, LoginAttempt.succeeded)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(LoginAttempt.at)
            .where(
                LoginAttempt.username == name,
                LoginAttempt.at > now - 2 * rules.lock,
                LoginAttempt.id > success,
                ~LoginAttempt.succeeded,
            )
            .order_by(LoginAttempt.id.desc())
            .limit(rules.max_failures)
        )
    )


def _failures_of_address(
    session: Session, address: str, now: dt.datetime, rules: LoginRules
) -> list[dt.datetime]:
    return list(
        session.scalars(
            select(LoginAttempt.at)
            .where(
                LoginAttempt.address == address,
                LoginAttempt.at > now - 2 * rules.lock,
                ~LoginAttempt.succeeded,
            )
            .order_by(LoginAttempt.id.desc())
            .limit(rules.address_max_failures)
        )
    )


def _lock_end(
    failures: list[dt.datetime], allowed: int, rules: LoginRules, now: dt.datetime
) -> dt.datetime | None:
    """So many failures within the lock's length lock for that length from the last of them on."""
    if len(failures) < allowed or failures[0] - failures[-1] > rules.lock:
        return None
    until = failures[0] + rules.lock
    return until if until > now else None


def _one_at_a_time(session: Session, *names: str) -> None:
    """Let tries of one address and one name wait for each other until this transaction ends. SQLite has one
    writer anyway; always in the same order, so that nobody waits for nobody."""
    if session.get_bind().dialect.name == "postgresql":
        for name in names:
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
