"""The roles that a kind of document may not be approved without (`ReviewableDocument.required_roles`)."""

from __future__ import annotations

from collections.abc import Iterable

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.flow import AssigneeKind
from app.models.flow import FlowDefinition, FlowStep
from app.models.user import RoleScope
from app.workflow.registry import registered


def missing_roles(session: Session, definition: FlowDefinition) -> Iterable[Problem]:
    """One problem for each required role that no step asks of every document."""
    entry = registered().get(definition.document_kind)
    asked = {step.role_name for step in definition.steps if _of_every_document(step)}
    for required in entry.required_roles if entry else ():
        if required.role not in asked:
            yield Problem.of(
                "Every document has to pass a step of the role “%(role)s” (%(source)s). Add one without a"
                " condition that cannot be skipped.",
                role=_label(session, required.role),
                source=required.source,
            )


def _of_every_document(step: FlowStep) -> bool:
    """Does the step ask its role of every document, whatever it says?"""
    skippable = step.optional or step.switch or step.conditions
    return step.assignee_kind is AssigneeKind.ROLE and not skippable


def _label(session: Session, role: str) -> str:
    statement = select(RoleScope.label_zh).join(Role, Role.id == RoleScope.role_id).where(Role.name == role)
    return session.scalar(statement) or role
