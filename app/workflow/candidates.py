"""Who may review at a step: by role, group, name or as head of the document's unit; active users only."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import (
    Role,
    assoc_group_role,
    assoc_user_group,
    assoc_user_role,
)
from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.core.enums import DataScope
from app.core.flow import AssigneeKind, UnitMatch
from app.models.flow import FlowStep, FlowStepUser
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope, role_scope_unit

UnitId = int | ColumnElement[int] | InstrumentedAttribute[int]
"""A unit by its id, or the column of an enclosing statement."""

UNIT_HEAD_ROLE = "unit_leader"
"""The role whose holders in a unit are its heads."""


def candidates(session: Session, step: FlowStep, unit_id: int) -> list[int]:
    """The ids of the users who may review a document of this unit at this step, in reviewing order."""
    return list(session.scalars(_statement(step, unit_id)))


def is_active(session: Session, user_id: int) -> bool:
    """Is there such a user, and may he still log in?"""
    return session.scalar(select(AppUser.id).where(AppUser.id == user_id, AppUser.active)) is not None


def may_act(step: FlowStep, unit_id: UnitId) -> ColumnElement[bool]:
    """Which rows of `AppUser` may review a document of this unit at this step, as a condition; with a
    column for `unit_id`, of each unit of the enclosing statement."""
    match step.assignee_kind:
        case AssigneeKind.ROLE:
            who = _holds_role(step.role_name or "", unit_id)
        case AssigneeKind.UNIT_HEAD:
            who = and_(AppUser.unit_id == unit_id, _holds_role(UNIT_HEAD_ROLE, unit_id))
        case AssigneeKind.GROUP:
            members = select(assoc_user_group.c.user_id).where(assoc_user_group.c.group_id == step.group_id)
            who = AppUser.id.in_(members)
        case AssigneeKind.USERS:
            who = AppUser.id.in_(select(FlowStepUser.user_id).where(FlowStepUser.step_id == step.id))
    return and_(AppUser.active, _unit_matches(step.unit_match, unit_id), who)


def _statement(step: FlowStep, unit_id: int) -> Select[int]:
    users = select(AppUser.id).where(may_act(step, unit_id))
    if step.assignee_kind is AssigneeKind.USERS:
        named = and_(FlowStepUser.user_id == AppUser.id, FlowStepUser.step_id == step.id)
        users = users.join(FlowStepUser, named).order_by(FlowStepUser.seq)
    return users.order_by(AppUser.id)


def _unit_matches(match: UnitMatch, unit_id: UnitId) -> ColumnElement[bool]:
    if match is UnitMatch.ANY:
        return true()
    if match is UnitMatch.SAME:
        return AppUser.unit_id == unit_id
    document_unit, reviewer_unit = aliased(Unit), aliased(Unit)
    above = (
        select(reviewer_unit.id)
        .join(document_unit, document_unit.path.startswith(reviewer_unit.path))
        .where(document_unit.id == unit_id)
    )
    return AppUser.unit_id.in_(above)


def _holds_role(name: str, unit_id: UnitId) -> ColumnElement[bool]:
    """Holds the role, himself or through a group; the role is enabled and reaches the document's unit."""
    role = select(Role.id).where(Role.name == name).scalar_subquery()
    own = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id == role)
    through_group = (
        select(assoc_user_group.c.user_id)
        .join(assoc_group_role, assoc_group_role.c.group_id == assoc_user_group.c.group_id)
        .where(assoc_group_role.c.role_id == role)
    )
    return and_(
        or_(AppUser.id.in_(own), AppUser.id.in_(through_group)),
        _role_reaches(role, unit_id),
    )


def _role_reaches(role: Select[int] | ColumnElement[int], unit_id: UnitId) -> ColumnElement[bool]:
    chosen = exists().where(
        role_scope_unit.c.role_id == RoleScope.role_id, role_scope_unit.c.unit_id == unit_id
    )
    document_unit, reviewer_unit = aliased(Unit), aliased(Unit)
    in_tree = exists().where(
        document_unit.id == unit_id,
        reviewer_unit.id == AppUser.unit_id,
        document_unit.path.startswith(reviewer_unit.path),
    )
    # A scope of own rows or assigned ones says nothing about units: the task itself is the assignment.
    reaches = or_(
        RoleScope.scope.in_((DataScope.ALL, DataScope.OWN, DataScope.ASSIGNED)),
        and_(RoleScope.scope == DataScope.CHOSEN_UNITS, chosen),
        and_(RoleScope.scope == DataScope.UNIT, AppUser.unit_id == unit_id),
        and_(RoleScope.scope == DataScope.UNIT_TREE, in_tree),
    )
    scoped = exists(select(literal(1)).where(RoleScope.role_id == role))
    usable = exists(
        select(literal(1))
        .where(RoleScope.role_id == role, RoleScope.enabled, reaches)
        .correlate_except(RoleScope)
    )
    return or_(~scoped, usable)
