"""Small makers of units, people and actors, so that a test says only what matters to it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from flask_jwt_extended import create_access_token
from sqlalchemy import select

from app.access.actor import SYSTEM, Actor
from app.core.enums import UnitKind
from app.models.annual_plan import AnnualPlan
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import funds
from app.services import session as sessions
from app.services.access import actor_for, bump
from app.services.unit_of_work import current_session, unit_of_work
from app.views.security.manager import SESSION_CLAIM
from tests.databases import QUICK_HASH

_numbers = itertools.count(1)


def make_unit(
    name: str = "", parent: Unit | None = None, kind: UnitKind = UnitKind.GOVERNMENT, **fields: Any
) -> Unit:
    """A unit below `parent` with its path set."""
    number = next(_numbers)
    with unit_of_work(SYSTEM) as session:
        unit = Unit(
            code=fields.pop("code", f"T{number}"),
            name=name or f"测试单位{number}",
            short_name=fields.pop("short_name", name or f"单位{number}"),
            kind=kind,
            parent_id=parent.id if parent else None,
            **fields,
        )
        session.add(unit)
        session.flush()
        unit.path = f"{parent.path if parent else '/'}{unit.id}/"
    return unit


def make_user(
    role: str = "unit_handler", unit: Unit | None = None, username: str = "", **fields: Any
) -> AppUser:
    """A person with one role (or several, joined by commas); the password is `conftest.PASSWORD`."""
    number = next(_numbers)
    unit = unit or make_unit()
    with unit_of_work(SYSTEM) as session:
        roles = session.scalars(select(Role).where(Role.name.in_(role.split(",")))).all()
        user = AppUser(
            username=username or f"user{number}",
            last_name=fields.pop("last_name", "梁"),
            first_name=fields.pop("first_name", f"志明{number}"),
            email=f"user{number}@example.invalid",
            password=QUICK_HASH,
            active=fields.pop("active", True),
            unit_id=unit.id,
            must_change_password=False,
            **fields,
        )
        user.roles = list(roles)
        session.add(user)
        session.flush()
        bump(session)
    return user


def arrange_funds(project: Project, amount: str, channels: Mapping[str, str] | None = None) -> None:
    """Give a project its initial amount, in yuan, as the annual plan does."""
    with unit_of_work(SYSTEM) as session:
        plan = session.scalar(select(AnnualPlan).where(AnnualPlan.project_id == project.id))
        if plan is not None:
            plan.initial_amount = Decimal(amount)
        funds.arrange(
            session,
            SYSTEM,
            project,
            Decimal(amount),
            funds.Source("annual_plan", plan.id if plan else 0, "开财〔2026〕1号"),
            {channel: Decimal(part) for channel, part in (channels or {}).items()},
        )


def actor_of(user: AppUser) -> Actor:
    """The actor this user is when logged in."""
    return actor_for(current_session(), user.id)


def make_actor(role: str = "unit_handler", unit: Unit | None = None, **fields: Any) -> Actor:
    """A new person with a role, as an actor."""
    return actor_of(make_user(role, unit, **fields))


ADDRESS = "10.1.2.3"
"""Where people of the tests sit."""


def let_in(client: FlaskClient, username: str, **address: Any) -> None:
    """Log somebody in as the log-in does once it has believed the password: for tests of what comes after.
    `address` is where the site is, where that matters."""
    with client.application.app_context():
        key, _ = _begin(username)
    with client.session_transaction(**address) as cookie:
        cookie["_user_id"] = key


def token_for(app: Flask, username: str) -> str:
    """What the API's log-in answers to somebody whose password was right."""
    with app.app_context():
        key, user_id = _begin(username)
        return str(create_access_token(str(user_id), fresh=True, additional_claims={SESSION_CLAIM: key}))


def _begin(username: str) -> tuple[str, int]:
    """A new session on the server, and whose it is."""
    user_id = current_session().scalars(select(AppUser.id).where(AppUser.username == username)).one()
    return sessions.begin(user_id, address=ADDRESS, agent="tests"), user_id
