"""Who is asking: the actor of this request, made once by the security manager before any view runs."""

from __future__ import annotations

from typing import cast

from flask import g, request
from flask_login import current_user

from app.access.actor import Actor
from app.services.access import RoleLabel
from app.services.session import SessionUser


def current_actor() -> Actor:
    """The actor of this request; without a log-in one that holds nothing and is nobody."""
    actor: Actor | None = g.get("actor")
    if actor is None:
        return Actor(user_id=None, username="", name="", address=client_address())
    return actor


def current_user_row() -> SessionUser | None:
    """Who is logged in, with his unit: a value read once for this request; None without a log-in."""
    return cast(SessionUser, current_user) if current_user.is_authenticated else None


def current_access_version() -> int:
    """The access version of this request: what is kept in memory under it is still true."""
    user = current_user_row()
    return user.access_version if user else 0


def current_roles() -> tuple[RoleLabel, ...]:
    """The enabled roles of whoever is logged in, with their names in both languages."""
    return cast(tuple[RoleLabel, ...], g.get("roles", ()))


def client_address() -> str:
    """The peer's address; that of the browser behind proxies we trust (config TRUSTED_PROXIES)."""
    return request.remote_addr or ""
