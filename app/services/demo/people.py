"""The demo's units and people: one account per role, and a handler for every unit that declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.gateways.signon.local import hash_password
from app.models.base import utcnow
from app.models.unit import Unit
from app.models.user import AppUser
from app.services.demo import units as places

DEMO_MAIL = "@demo.invalid"
"""What marks an account as a demonstration one, whatever it is called."""


@dataclass(frozen=True)
class Account:
    """A demo account: one per role (architecture.md section 10)."""

    username: str
    role: str
    unit: str
    last_name: str
    first_name: str
    position: str


ACCOUNTS: tuple[Account, ...] = (
    Account("admin", "sys_admin", places.DATA_BUREAU, "司徒", "文辉", "系统管理员"),
    Account("security", "sec_admin", places.DATA_BUREAU, "余", "静怡", "安全管理员"),
    Account("auditor", "audit_admin", places.DATA_BUREAU, "邓", "国强", "审计管理员"),
    Account("handler1", "unit_handler", places.POLICE, "陈", "晓琳", "经办人"),
    Account("leader1", "unit_leader", places.POLICE, "黄", "国强", "单位负责人"),
    Account("handler2", "unit_handler", places.EDUCATION, "谭", "慧敏", "经办人"),
    Account("leader2", "unit_leader", places.EDUCATION, "张", "颖仪", "单位负责人"),
    Account("reviewer", "bureau_reviewer", places.DATA_BUREAU, "梁", "志明", "初审"),
    Account("checker", "bureau_checker", places.DATA_BUREAU, "周", "伟杰", "复核"),
    Account("director", "bureau_leader", places.DATA_BUREAU, "关", "伟雄", "分管领导"),
    Account("finance", "finance", places.FINANCE, "吴", "婉仪", "预算股"),
    Account("techfirm", "review_firm", places.REVIEW_FIRM, "李", "示例", "评审经理"),
    Account("costfirm", "cost_firm", places.COST_FIRM, "何", "示例", "造价师"),
    Account("expert1", "expert", places.REVIEW_FIRM, "方", "示例", "专家"),
    Account("viewer", "viewer_stats", "ZFB", "许", "敬之", "市领导"),
)


def load_units(session: Session) -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for place, demo in enumerate(places.UNITS, start=1):
        parent = units.get(demo.parent)
        unit = Unit(
            code=demo.code,
            name=demo.name,
            short_name=demo.short_name,
            kind=demo.kind,
            parent_id=parent.id if parent else None,
            sort=place,
            is_demo=not demo.verified,
        )
        session.add(unit)
        session.flush()
        unit.path = f"{parent.path if parent else '/'}{unit.id}/"
        units[demo.code] = unit
    return units


def load_people(session: Session, units: dict[str, Unit], password: str) -> dict[str, AppUser]:
    roles = {role.name: role for role in session.scalars(select(Role))}
    hashed = hash_password(password)
    accounts = [*ACCOUNTS, *unit_handlers()]
    users = {}
    for place, account in enumerate(accounts, start=1):
        user = AppUser(
            username=account.username,
            last_name=account.last_name,
            first_name=account.first_name,
            email=f"{account.username}{DEMO_MAIL}",
            password=hashed,
            active=True,
            unit_id=units[account.unit].id,
            mobile=f"139{place:08d}",
            position=account.position,
            must_change_password=False,
            password_changed_at=utcnow(),
        )
        user.roles = [roles[account.role]]
        session.add(user)
        users[account.username] = user
    session.flush()
    return users


def unit_handlers() -> Iterator[Account]:
    served = {account.unit for account in ACCOUNTS if account.role == "unit_handler"}
    for place, unit in enumerate(places.UNITS):
        if unit.kind in places.DECLARING_KINDS and unit.code not in served:
            last_name = "陈李张黄何梁谭关邓吴"[place % 10]
            yield Account(
                f"handler_{unit.code.lower()}", "unit_handler", unit.code, last_name, "示例", "经办人"
            )
