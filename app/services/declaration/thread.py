"""A declaration and the project it opened: number, stage, amounts, and the year's plan."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.core.enums import ConstructionStatus, Stage
from app.core.money import round_half_up
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration, FundingSplit
from app.models.project import Project, ProjectFunding
from app.services import numbering, similarity

_CONSTRUCTION_STATUS = {
    Stage.DECLARED: ConstructionStatus.DECLARING,
    Stage.PLANNED: ConstructionStatus.PLANNED,
    Stage.REJECTED: ConstructionStatus.NOT_APPROVED,
    Stage.TERMINATED: ConstructionStatus.TERMINATED,
}
"""What the lists show at the stages a declaration can bring a project to (domain.md section 4)."""


def open_project(session: Session, declaration: Declaration) -> Project:
    """The project of a declaration: opened with its number at the first submission, brought up to date at
    every later one."""
    project = _project(session, declaration)
    if project is None:
        nature = declaration.nature or "NEW"
        project = Project(
            code=numbering.project_code(session, declaration.budget_year, nature),
            unit_id=declaration.unit_id,
            funding=[],
        )
        session.add(project)
    project.stage = Stage.DECLARED
    project.construction_status = ConstructionStatus.DECLARING
    _copy(session, declaration, project)
    session.flush()
    declaration.project_id = project.id
    return project


def follow_edit(session: Session, declaration: Declaration) -> None:
    """Bring the project up to date after a reviewer changed the declaration."""
    project = _project(session, declaration)
    if project is not None:
        _copy(session, declaration, project)
        similarity.index_projects(session, [project.id])


def set_stage(session: Session, declaration: Declaration, stage: Stage) -> None:
    """Move the declaration's project, if it has opened one yet."""
    project = _project(session, declaration)
    if project is not None:
        project.stage = stage
        project.construction_status = _CONSTRUCTION_STATUS[stage]


def enter_plan(session: Session, declaration: Declaration) -> None:
    """An approved declaration enters the annual demand plan (申报项目审核: 列入年度需求计划)."""
    project = _project(session, declaration)
    if project is None or session.scalar(select(AnnualPlan.id).where(AnnualPlan.project_id == project.id)):
        return
    session.add(
        AnnualPlan(
            year=declaration.budget_year,
            project_id=project.id,
            unit_id=declaration.unit_id,
            requested_amount=round_half_up(declaration.requested_amount or 0),
        )
    )


def _project(session: Session, declaration: Declaration) -> Project | None:
    if declaration.project_id is None:
        return None
    return session.scalars(
        select(Project)
        .where(Project.id == declaration.project_id)
        .options(selectinload(Project.funding))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _copy(session: Session, declaration: Declaration, project: Project) -> None:
    project.title = declaration.title
    project.budget_year = declaration.budget_year
    project.nature = declaration.nature or ""
    project.declaration_type = declaration.declaration_type or ""
    project.requested_amount = round_half_up(declaration.requested_amount or 0)
    splits = session.execute(
        select(FundingSplit.channel, FundingSplit.amount).where(FundingSplit.declaration_id == declaration.id)
    )
    wanted = {channel: amount for channel, amount in splits if channel and amount is not None}
    kept = {row.channel: row for row in project.funding}
    for channel, amount in wanted.items():
        if channel in kept:
            kept[channel].amount = amount
        else:
            project.funding.append(ProjectFunding(channel=channel, amount=amount))
    for channel, row in kept.items():
        if channel not in wanted:
            project.funding.remove(row)
