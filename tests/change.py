"""An approved project with everything a change may touch, and the few steps every test of changes takes."""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.models.change import ChangeRequest
from app.models.project import Project
from app.services import attachment, change, declaration, review
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import make_actor, make_unit

FILES = ("FORM", "SCHEME", "BASIS", "QUOTE", "PERFORMANCE")


def make_bureau() -> dict[str, Actor]:
    """The data bureau's three reviewers, and finance."""
    unit = make_unit()
    return {
        "first": make_actor("bureau_reviewer", unit),
        "recheck": make_actor("bureau_checker", unit),
        "final": make_actor("bureau_leader", unit),
        "finance": make_actor("finance"),
    }


def act(actor: Actor, kind: str, document_id: int, verb: str, opinion: str = "同意。") -> None:
    task = review.open_task(actor, kind, document_id)
    assert task is not None, "nothing waits for him"
    review.act(actor, task.id, verb, version=task.version, opinion=opinion)


def planned_project(handler: Actor, bureau: dict[str, Actor], raw: dict[str, Any] | None = None) -> Project:
    """A project whose declaration went through review: the new build of 4,950,000 yuan unless given."""
    draft = declaration.create(handler, raw or samples.new_build())
    for category in FILES:
        name = f"{category}.pdf"
        attachment.add(handler, "declaration", draft.id, category, name, io.BytesIO(samples.pdf(name)))
    done = declaration.submit(handler, draft.id, draft.version)
    for person in ("first", "recheck", "final"):
        act(bureau[person], "declaration", done.id, "approve")
    with unit_of_work(SYSTEM) as session:
        return session.get_one(Project, done.project_id, populate_existing=True)


def of_amount(amount: str) -> dict[str, Any]:
    """The maintenance renewal with every chapter, of one line and one channel of this amount."""
    full = ("necessity", "current_state", "goals", "scope_text", "annual_goal", "indicators", "mlps_level")
    line = {**samples.maintenance()["budget_lines"][0], "quantity": "1", "unit_price": amount}
    return samples.maintenance(
        **{name: samples.new_build()[name] for name in full},
        requested_amount=amount,
        total_investment=amount,
        budget_lines=[line],
        funding_splits=[{"channel": "GENERAL_BUDGET", "amount": amount}],
    )


def to_amount(amount: str) -> dict[str, Any]:
    """Input that brings such a project to another amount."""
    raw = of_amount(amount)
    return {
        name: raw[name] for name in ("requested_amount", "total_investment", "budget_lines", "funding_splits")
    } | {"kinds": ["FUNDS", "CHANNEL"]}


REASONS: dict[str, Any] = {
    "content": "增加移动端功能，相应调整工期。",
    "reason_code": "DEMAND",
    "reason_text": "市政府常务会议要求同步建设移动端。",
    "performance_effect": "绩效目标不降低。",
}
"""What every request has to say."""


def attach(actor: Actor, row: ChangeRequest, *categories: str) -> None:
    for category in categories or ("CHANGE_LETTER", "CHANGE_SCHEME"):
        name = f"{category}.pdf"
        attachment.add(actor, "change", row.id, category, name, io.BytesIO(samples.pdf(name)))


def drafted(handler: Actor, project: Project, **raw: Any) -> ChangeRequest:
    """A draft that may be submitted, with its attachments."""
    row = change.create(handler, project.id, {"kinds": ["CONTENT"], **REASONS, **raw})
    attach(handler, row)
    return row


def submitted(handler: Actor, project: Project, **raw: Any) -> ChangeRequest:
    """The same, in review."""
    row = drafted(handler, project, **raw)
    return change.submit(handler, row.id, row.version)


def approve(bureau: dict[str, Actor], row: ChangeRequest, *people: str) -> None:
    for person in people or ("first", "final"):
        act(bureau[person], "change", row.id, "approve")


def fresh(session: Session, row: Any) -> Any:
    return session.get_one(type(row), row.id, populate_existing=True)


def yuan(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
