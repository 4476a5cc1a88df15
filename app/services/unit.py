"""机构管理: the tree of organisations, their names over the years, and their place in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, update
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core import credit_code
from app.core.errors import Conflict, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.unit import Unit, UnitName
from app.models.user import AppUser
from app.services.configuration import Problems, Table, Values

LONGEST_PATH = 200
LONG_AGO = dt.date(2000, 1, 1)
"""Since when a unit bore the first name we know of: before any document of ours."""

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """One unit in the order of the tree; `depth` counts from 0."""

    id: int
    name: str
    depth: int
    active: bool


def tree(session: Session, actor: Actor, *, keep: int | None = None, without_below: str = "") -> list[Place]:
    """The units the actor may see, parents before children: those in use, and `keep` whatever its state.

    `without_below` is a path: that unit and those below it are left out (a unit is never put below itself).
    """
    statement = (
        select(Unit.id, Unit.parent_id, Unit.name, Unit.path, Unit.active)
        .where(policy.criterion(actor, Unit))
        .order_by(Unit.sort, Unit.id)
    )
    children: dict[int | None, list[Any]] = {}
    rows = session.execute(statement).all()
    known = {row.id for row in rows}
    for row in rows:
        children.setdefault(row.parent_id if row.parent_id in known else None, []).append(row)
    places: list[Place] = []

    def walk(parent: int | None, depth: int) -> None:
        for row in children.get(parent, ()):
            if without_below and row.path.startswith(without_below):
                continue
            if row.active or row.id == keep:
                places.append(Place(row.id, row.name, depth, row.active))
            walk(row.id, depth + 1)

    walk(None, 0)
    return places


def name_on(session: Session, unit_id: int, day: dt.date) -> str:
    """The name a unit bore on a day, as old documents print it; its present one when no older is known."""
    old = session.scalar(
        select(UnitName.name)
        .where(
            UnitName.unit_id == unit_id,
            UnitName.valid_from <= day,
            (UnitName.valid_to >= day) | UnitName.valid_to.is_(None),
        )
        .order_by(UnitName.valid_from.desc())
        .limit(1)
    )
    if old is not None:
        return old
    # A day before the first entry: the oldest name we know comes nearest.
    oldest = select(UnitName.name).where(UnitName.unit_id == unit_id).order_by(UnitName.valid_from).limit(1)
    return session.scalar(oldest) or session.scalar(select(Unit.name).where(Unit.id == unit_id)) or ""


def names(session: Session, unit_id: int) -> Sequence[UnitName]:
    """Every name a unit bore, the latest first."""
    statement = select(UnitName).where(UnitName.unit_id == unit_id).order_by(UnitName.valid_from.desc())
    return session.scalars(statement).all()


def _check(session: Session, row: Unit, values: Values) -> Problems:
    problems: Problems = {}
    if (uscc := values.get("uscc")) and not credit_code.is_valid(uscc):
        problems["uscc"] = [Problem.of("This is not a valid unified credit code of 18 characters.")]
    if "parent_id" in values and (problem := _problem_with_parent(session, row, values["parent_id"])):
        problems["parent_id"] = [problem]
    return problems


def _problem_with_parent(session: Session, row: Unit, parent_id: int | None) -> Problem | None:
    if parent_id == row.parent_id:
        return None
    # Whoever moves a unit holds the roots: two moves at once could otherwise make a ring.
    session.execute(select(Unit.id).where(Unit.parent_id.is_(None)).order_by(Unit.id).with_for_update())
    if parent_id is None:
        return None
    parent = session.execute(select(Unit.path, Unit.active).where(Unit.id == parent_id)).one_or_none()
    if parent is None or not parent.active:
        return Problem.of("This organisation does not exist or is not in use any more.")
    if row.id is not None and parent.path.startswith(row.path):
        return Problem.of("A unit cannot be put below itself or below one of its own units.")
    deepest = _longest_path_below(session, row) - len(row.path) if row.id is not None else 0
    if len(parent.path) + deepest + len(f"{row.id or 10**9}/") > LONGEST_PATH:
        return Problem.of("The tree would become too deep.")
    return None


def _longest_path_below(session: Session, row: Unit) -> int:
    below = Unit.path.startswith(row.path, autoescape=True)
    return session.scalar(select(func.max(func.length(Unit.path))).where(below)) or 0


def _saved(session: Session, row: Unit, before: Mapping[str, Any]) -> None:
    if not before or ("parent_id" in before and before["parent_id"] != row.parent_id):
        _place(session, row)
    if before.get("name", row.name) != row.name:
        _keep_name(session, row, before["name"])


def _place(session: Session, row: Unit) -> None:
    """Give the unit its path, and all below it theirs."""
    above = session.scalar(select(Unit.path).where(Unit.id == row.parent_id)) if row.parent_id else "/"
    old, new = row.path, f"{above}{row.id}/"
    if old and old != new:
        session.execute(
            update(Unit)
            .where(Unit.path.startswith(old, autoescape=True), Unit.id != row.id)
            .values(path=literal(new) + func.substr(Unit.path, len(old) + 1))
            .execution_options(synchronize_session="fetch")
        )
    row.path = new
    session.flush()


def _keep_name(session: Session, row: Unit, old: str) -> None:
    """End the old name yesterday and begin the new one today; the day of a rename bears the new name."""
    today = today_in_china(utcnow())
    latest = session.scalars(
        select(UnitName).where(UnitName.unit_id == row.id).order_by(UnitName.valid_from.desc()).limit(1)
    ).one_or_none()
    if latest is not None and latest.valid_from == today:
        latest.name = row.name
        return
    if latest is None:
        session.add(UnitName(unit_id=row.id, name=old, valid_from=LONG_AGO, valid_to=today - _ONE_DAY))
    else:
        latest.valid_to = today - _ONE_DAY
    session.add(UnitName(unit_id=row.id, name=row.name, valid_from=today))


def _may_switch_off(session: Session, row: Unit) -> None:
    """Raises `Conflict` while people or units in use depend on it: they would lose their place."""
    people = session.scalar(select(func.count()).where(AppUser.unit_id == row.id, AppUser.active)) or 0
    if people:
        raise Conflict(
            "“%(name)s” still has %(n)s active users. Move or disable them first.", name=row.name, n=people
        )
    below = session.scalar(select(func.count()).where(Unit.parent_id == row.id, Unit.active)) or 0
    if below:
        raise Conflict("“%(name)s” still has %(n)s units in use below it.", name=row.name, n=below)


TABLE = Table(
    model=Unit,
    event="UNIT_CHANGED",
    fields=("code", "name", "short_name", "kind", "parent_id", "uscc", "sort", "active"),
    fixed=frozenset({"code"}),
    check=_check,
    saved=_saved,
    may_switch_off=_may_switch_off,
    parts=(UnitName.__table__,),
)
"""How units are written; `code` is given once, because old documents and programs know the unit by it."""
