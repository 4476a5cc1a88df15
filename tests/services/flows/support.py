"""Sheets and drafts for tests of the flow editor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.access.actor import SYSTEM, Actor
from app.core.flow import FlowState
from app.models.flow import FlowDefinition
from app.services import review
from app.services.review.flows import overview
from app.services.review.flows.drafts import bring
from app.services.review.flows.names import Names
from app.services.review.flows.sheet import sheet_of
from app.services.unit_of_work import current_session, unit_of_work

KIND = "declaration"


def step(code: str, *usernames: str, **fields: Any) -> dict[str, Any]:
    """A step as a sheet has it: named users, or whoever `fields` say."""
    who = {"assignee_kind": "USERS", "users": list(usernames)} if usernames else {}
    return {"code": code, "name_zh": code, "name_en": code, "limit_days": 3, **who, **fields}


def when(field: str, operator: str, value: Any) -> dict[str, Any]:
    """One condition row."""
    return {"field": field, "operator": operator, "value": value}


def draft(actor: Actor, *steps: dict[str, Any], name: str = "测试流程") -> FlowDefinition:
    """A draft with these steps."""
    return bring(actor, KIND, {"name": name, "steps": list(steps)}).draft


def findings(actor: Actor, definition: FlowDefinition) -> list[review.Finding]:
    """What the check says of a version."""
    return review.findings(current_session(), fresh(actor, definition))


def errors(actor: Actor, *steps: dict[str, Any]) -> list[tuple[int | None, str]]:
    """The errors of a draft with these steps: step and sentence."""
    found = findings(actor, draft(actor, *steps))
    return [(one.step, one.problem.message) for one in found if one.severity is review.Severity.ERROR]


def warnings(actor: Actor, *steps: dict[str, Any]) -> list[tuple[int | None, str]]:
    """The same of its warnings."""
    found = findings(actor, draft(actor, *steps))
    return [(one.step, one.problem.message) for one in found if one.severity is review.Severity.WARNING]


def fresh(actor: Actor, definition: FlowDefinition) -> FlowDefinition:
    """A version as it is in the database now."""
    current_session().expire_all()
    return overview.version(actor, definition.id)


def sheet(actor: Actor, definition: FlowDefinition) -> dict[str, Any]:
    """A version's content."""
    return sheet_of(fresh(actor, definition), Names(current_session()))


def published() -> FlowDefinition:
    """The version of declarations in force."""
    found = current_session().scalars(
        select(FlowDefinition).where(
            FlowDefinition.document_kind == KIND, FlowDefinition.state == FlowState.PUBLISHED
        )
    )
    return found.one()


def write(*rows: Any) -> None:
    """Store rows as the system does."""
    with unit_of_work(SYSTEM) as session:
        session.add_all(rows)
        session.flush()
