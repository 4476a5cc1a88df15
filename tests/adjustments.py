"""A bureau, a finance office and projects with money: what tests of fund adjustments begin with."""

from __future__ import annotations

import io
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import Stage
from app.models.adjustment import FundAdjustment
from app.models.flow import FlowRun, Task
from app.models.project import Project
from app.models.unit import Unit
from app.services import adjustment, attachment, review
from app.services.unit_of_work import current_session
from tests.factories import make_actor, make_unit
from tests.figures import make_project
from tests.samples import pdf

GENERAL, GRANT = "GENERAL_BUDGET", "SUPERIOR_GRANT"


@dataclass
class Bureau:
    """Who takes part: the drafter, the bureau's leader, finance."""

    unit: Unit
    drafter: Actor
    leader: Actor
    finance: Actor

    @classmethod
    def open(cls) -> Bureau:
        """New people for one test."""
        unit = make_unit()
        return cls(
            unit,
            make_actor("bureau_reviewer", unit),
            make_actor("bureau_leader", unit),
            make_actor("finance", make_unit()),
        )

    def project(self, arranged: str | None = "1000.00", **fields: Any) -> Project:
        """A project in the plan, of a unit of its own."""
        fields.setdefault("stage", Stage.PLANNED)
        return make_project(
            fields.pop("unit", None) or make_unit(), arranged=arranged, requested="1000.00", **fields
        )

    def draft(self, *lines: dict[str, Any], attach: bool = True, **fields: Any) -> FundAdjustment:
        """A draft that lacks nothing but what the test says."""
        row = adjustment.create(self.drafter, raw(*lines, **fields))
        if attach:
            attachment.add(
                self.drafter, "adjustment", row.id, adjustment.ATTACHMENT, "调整文件.pdf", io.BytesIO(pdf())
            )
        return fresh(row)

    def submitted(self, *lines: dict[str, Any], **fields: Any) -> FundAdjustment:
        """An adjustment in review."""
        row = self.draft(*lines, **fields)
        return fresh(adjustment.submit(self.drafter, row.id, row.version))

    def approve(self, row: FundAdjustment, *actors: Actor) -> None:
        """Let the bureau's leader and finance approve it, or whoever is given."""
        for actor in actors or (self.leader, self.finance):
            task = task_of(actor, row)
            review.act(actor, task.id, "approve", version=task.version, opinion="同意。")


def raw(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The input of a transfer."""
    return {
        "title": "调整年度项目资金",
        "kind": "TRANSFER",
        "year": "2026",
        "basis_no": "开财〔2026〕8号",
        "basis_date": "2026-01-15",
        "reason": "原项目招标节余，调剂用于急需项目。",
        "lines": list(lines),
        **fields,
    }


def out(project: Project, amount: str, channel: str = GENERAL, **fields: Any) -> dict[str, Any]:
    """A row that takes from a project."""
    return {"project_id": project.id, "direction": "OUT", "channel": channel, "amount": amount, **fields}


def into(project: Project, amount: str, channel: str = GENERAL, **fields: Any) -> dict[str, Any]:
    """A row that gives to a project."""
    return {**out(project, amount, channel), "direction": "IN", **fields}


def task_of(actor: Actor, row: FundAdjustment) -> Task:
    """What the actor has to do with an adjustment."""
    return (
        current_session()
        .scalars(
            select(Task)
            .join(FlowRun, FlowRun.id == Task.run_id)
            .where(
                FlowRun.document_kind == "adjustment",
                FlowRun.document_id == row.id,
                Task.user_id == actor.user_id,
            )
            .order_by(Task.id.desc())
            .execution_options(populate_existing=True)
        )
        .all()[0]
    )


def fresh(row: FundAdjustment) -> FundAdjustment:
    """The adjustment as it is stored now."""
    return adjustment.KIND.load(current_session(), SYSTEM, row.id)


def arranged(session: Session, project: Project) -> Decimal | None:
    """What a project has now, in yuan."""
    return session.get_one(Project, project.id, populate_existing=True).arranged_amount
