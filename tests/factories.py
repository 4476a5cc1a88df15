"""Small makers of units, people and actors, so that a test says only what matters to it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from app.access.actor import SYSTEM, Actor
from app.core.enums import UnitKind
from app.models.annual_plan import AnnualPlan
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import funds
from app.services.access import actor_for, bump
from app.services.unit_of_work import current_session, unit_of_work
from tests.conftest import PASSWORD

_numbers = itertools.count(1)
# One cheap hash for all test users: hashing is tested on its own, and dear on purpose.
_HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")


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
            password=_HASH,
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
