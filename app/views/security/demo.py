"""The demonstration accounts shown on the log-in page of the profile `demo`, and of no other."""

from __future__ import annotations

from flask import current_app
from sqlalchemy import select

from app.models.unit import Unit
from app.models.user import AppUser
from app.services.demo import ACCOUNTS, DEMO_MAIL
from app.services.unit_of_work import current_session


def accounts() -> list[tuple[str, str, str]]:
    """Username, position and unit of the account of each role; empty outside the profile `demo`."""
    if current_app.config["SETTINGS"].profile != "demo":
        return []
    names = [account.username for account in ACCOUNTS]
    rows = current_session().execute(
        select(AppUser.username, AppUser.position, Unit.short_name)
        .outerjoin(Unit, Unit.id == AppUser.unit_id)
        .where(
            AppUser.username.in_(names), AppUser.email.endswith(DEMO_MAIL, autoescape=True), AppUser.active
        )
        .order_by(AppUser.id)
    )
    return [(username, position or "", unit or "") for username, position, unit in rows]


def password() -> str:
    """Their common password."""
    return str(current_app.config["SETTINGS"].demo_password)
