"""How an administrator changes what is known of a user (services/configuration.py).

Passwords, state, roles and groups are not fields: they have use cases of their own in services/user.py.
"""

from __future__ import annotations

import re

from flask_appbuilder.security.sqla.models import assoc_user_group, assoc_user_role
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.fiscal import is_mobile
from app.models.dictionary import ListPreference
from app.models.unit import Unit
from app.models.user import AppUser, UserSession
from app.services.configuration import Problems, Table, Values

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")


def _check(session: Session, row: AppUser, values: Values) -> Problems:
    problems: Problems = {}
    if values.get("mobile") and not is_mobile(values["mobile"]):
        problems["mobile"] = [Problem.of("Enter a mobile number of 11 digits.")]
    if "email" in values and not _EMAIL.fullmatch(values["email"]):
        problems["email"] = [Problem.of("Enter an e-mail address such as name@example.gov.cn.")]
    unit_id = values.get("unit_id")
    if unit_id is not None and unit_id != row.unit_id:
        unit = session.get(Unit, unit_id)
        if unit is None or not unit.active:
            problems["unit_id"] = [Problem.of("There is no such unit.")]
    return problems


TABLE = Table(
    model=AppUser,
    event="USER_CHANGED",
    fields=("username", "last_name", "first_name", "unit_id", "position", "mobile", "email"),
    fixed=frozenset({"username"}),
    # Flask-AppBuilder's columns want both; a Chinese name often stands whole in one field.
    blank=frozenset({"first_name", "email"}),
    check=_check,
    parts=(assoc_user_role, assoc_user_group, UserSession.__table__, ListPreference.__table__),
    name_of=lambda user: f"{user.full_name} ({user.username})",
)
"""A user is removed only while nothing he did is on record; else he is disabled."""
