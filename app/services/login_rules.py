"""The numbers of logging in, sessions and passwords, as the parameters set them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.services import access, parameter


@dataclass(frozen=True, slots=True)
class LoginRules:
    """One day's rules. The defaults are those of MLPS level 3 (GB/T 22239, 身份鉴别)."""

    max_failures: int
    """So many failures of one user name within `lock` lock it for as long."""
    address_max_failures: int
    lock: dt.timedelta
    captcha_after: int
    idle: dt.timedelta
    absolute: dt.timedelta
    password_length: int
    password_classes: int
    """Of lower case, upper case, digits and others; 1 asks for nothing."""
    password_age: dt.timedelta | None
    """None: a password never grows old (what ASVS 6.2.10 asks for)."""


_kept: tuple[tuple[int, dt.date], LoginRules] | None = None


def rules_for(session: Session, version: int | None = None) -> LoginRules:
    """The rules of today. With the access version of this request they come from memory: a changed
    parameter gives that version another number."""
    global _kept  # one process, one answer; replaced whole, so that threads never see half of it
    key = (access.version_of(session) if version is None else version, today_in_china(utcnow()))
    kept = _kept
    if kept is not None and kept[0] == key:
        return kept[1]
    rules = _read(session)
    _kept = (key, rules)
    return rules


def _read(session: Session) -> LoginRules:
    number = partial(parameter.int_of, session)
    age = number("password.max_age_days")
    return LoginRules(
        max_failures=number("login.max_failures"),
        address_max_failures=number("login.address_max_failures"),
        lock=dt.timedelta(minutes=number("login.lock_minutes")),
        captcha_after=number("login.captcha_after"),
        idle=dt.timedelta(minutes=number("session.idle_minutes")),
        absolute=dt.timedelta(hours=number("session.absolute_hours")),
        password_length=number("password.min_length"),
        password_classes=number("password.classes"),
        password_age=dt.timedelta(days=age) if age else None,
    )
