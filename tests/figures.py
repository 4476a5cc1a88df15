"""Projects as figures need them: straight into the tables, so that a test says only what it counts."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.access.actor import SYSTEM
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.lifecycle import Milestone
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit
from app.services.unit_of_work import unit_of_work
from tests.factories import arrange_funds
from tests.pages import words

_numbers = itertools.count(1)

_STATUS = {
    Stage.DECLARED: (ConstructionStatus.DECLARING, DocumentStatus.IN_REVIEW),
    Stage.PLANNED: (ConstructionStatus.PLANNED, DocumentStatus.APPROVED),
    Stage.CONTRACTED: (ConstructionStatus.BUILDING, DocumentStatus.APPROVED),
    Stage.CLOSED: (ConstructionStatus.CLOSED, DocumentStatus.APPROVED),
    Stage.REJECTED: (ConstructionStatus.NOT_APPROVED, DocumentStatus.REJECTED),
    Stage.TERMINATED: (ConstructionStatus.TERMINATED, DocumentStatus.TERMINATED),
}


def day(text: str, hour: int = 10) -> dt.datetime:
    """A moment of a day in China."""
    return dt.datetime.fromisoformat(f"{text}T{hour:02d}:00:00+08:00")


def make_project(
    unit: Unit,
    *,
    title: str = "电子政务外网线路租赁",
    year: int = 2027,
    requested: str = "100000.00",
    arranged: str | None = None,
    stage: Stage = Stage.DECLARED,
    kind: str = "NEW",
    channels: Mapping[str, str] | None = None,
    submitted: dt.datetime | None = None,
    **fields: Any,
) -> Project:
    """A project with its declaration, its funding and, once approved, its place in the plan."""
    number = next(_numbers)
    status, declared = _STATUS.get(stage, (ConstructionStatus.BUILDING, DocumentStatus.APPROVED))
    moment = submitted or day("2026-10-15")
    with unit_of_work(SYSTEM) as session:
        project = Project(
            code=f"KP{year}XJ{number:05d}",
            title=title,
            budget_year=year,
            unit_id=unit.id,
            nature="NEW",
            declaration_type=kind,
            stage=stage,
            construction_status=status,
            requested_amount=Decimal(requested),
            funding=[
                ProjectFunding(channel=channel, amount=Decimal(amount))
                for channel, amount in (channels or {"GENERAL_BUDGET": requested}).items()
            ],
            created_at=moment,
            updated_at=moment,
            **fields,
        )
        session.add(project)
        session.flush()
        make_declaration(unit, project, status=declared, submitted=moment)
        if stage in Milestone.PLANNED.stages:
            session.add(
                AnnualPlan(
                    year=year,
                    project_id=project.id,
                    unit_id=unit.id,
                    requested_amount=Decimal(requested),
                )
            )
            session.flush()
        if arranged is not None:
            arrange_funds(project, arranged)
    return project


def make_declaration(
    unit: Unit,
    project: Project | None = None,
    *,
    status: DocumentStatus = DocumentStatus.DRAFT,
    submitted: dt.datetime | None = None,
    **fields: Any,
) -> Declaration:
    """A declaration of a unit, of a project or of none yet."""
    number = next(_numbers)
    with unit_of_work(SYSTEM) as session:
        declaration = Declaration(
            code=f"SB2027-{number:05d}",
            status=status,
            unit_id=unit.id,
            project_id=project.id if project else None,
            budget_year=project.budget_year if project else 2027,
            title=fields.pop("title", project.title if project else "草稿"),
            declaration_type=project.declaration_type if project else None,
            requested_amount=project.requested_amount if project else None,
            submitted_at=submitted,
            contact_mobile="13900003320",
            lead_mobile="13800002210",
            **fields,
        )
        session.add(declaration)
    return declaration


def listed(page: Any) -> int:
    """How many rows the list page says it has: “共 12 个项目”, in whatever language."""
    found = re.search(r"(?:共 )?([\d,]+) (?:个项目|projects)", words(page))
    assert found, words(page)[:400]
    return int(found[1].replace(",", ""))
