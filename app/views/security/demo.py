"""The demonstration accounts shown on the log-in page of the profile `demo`, and of no other."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from app.models.unit import Unit
from app.models.user import AppUser
from app.services.unit_of_work import current_session

DEMO_MAIL = "@demo.invalid"
"""What marks an account as a demonstration one."""


def accounts() -> list[tuple[str, str, str]]:
    """Username, position and unit of each demonstration account; empty outside the profile `demo`."""
    if current_app.config["SETTINGS"].profile != "demo":
        return []
    rows = current_session().execute(
        select(AppUser.username, AppUser.position, Unit.short_name)
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .where(AppUser.email.endswith(DEMO_MAIL, autoescape=True), AppUser.active)
        .order_by(AppUser.id)
        .limit(30)
    )
    return [(username, position or "", unit or "") for username, position, unit in rows]


def password() -> str:
    """Their common password."""
    return str(current_app.config["SETTINGS"].demo_password)
