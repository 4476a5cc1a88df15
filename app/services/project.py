"""项目: the summary of what was declared, and one project's whole life on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.lifecycle import Milestone
from app.models.annual_plan import AnnualPlan
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.project import Project, ProjectFunding
from app.services import annual_plan, review
from app.services.unit_of_work import current_session

FIRST_REVIEW = "first_review"
"""The step after which a project appears in the summary (requirements.txt: 已经初审的项目)."""


@dataclass(frozen=True)
class SummaryFilter:
    """The search form of 项目申报汇总; None and "" ask for nothing."""

    code: str = ""
    title: str = ""
    unit_id: int | None = None
    construction_status: ConstructionStatus | None = None
    channel: str | None = None
    budget_year: int | None = None


@dataclass(frozen=True)
class Totals:
    """The sum row, in yuan; `by_channel` splits what was requested."""

    count: int
    requested: Decimal
    arranged: Decimal
    by_channel: Mapping[str, Decimal]


def in_summary() -> ColumnElement[bool]:
    """Projects whose declaration has passed the first review."""
    passed = review.in_review_past(Declaration.document_kind, FIRST_REVIEW)
    in_review = select(Declaration.project_id).where(
        Declaration.status == DocumentStatus.IN_REVIEW, Declaration.id.in_(passed)
    )
    planned = exists().where(AnnualPlan.project_id == Project.id).correlate(Project)
    # Only an approval brings a project further than declared, so most need no look at their reviews.
    return or_(
        Project.stage.in_(sorted(Milestone.PLANNED.stages)),
        and_(Project.stage == Stage.DECLARED, Project.id.in_(in_review)),
        and_(Project.stage == Stage.TERMINATED, planned),
    )


def conditions(wanted: SummaryFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on projects, shared by the list, its totals and its export."""
    found: list[ColumnElement[bool]] = []
    if wanted.code:
        found.append(Project.code.icontains(wanted.code, autoescape=True))
    if wanted.title:
        found.append(Project.title.icontains(wanted.title, autoescape=True))
    if wanted.unit_id is not None:
        found.append(Project.unit_id == wanted.unit_id)
    if wanted.construction_status is not None:
        found.append(Project.construction_status == wanted.construction_status)
    if wanted.budget_year is not None:
        found.append(Project.budget_year == wanted.budget_year)
    if wanted.channel:
        found.append(Project.funding.any(ProjectFunding.channel == wanted.channel))
    return found


def summary(actor: Actor, wanted: SummaryFilter = SummaryFilter(), *, verb: str = "read") -> Select[Any]:
    """项目申报汇总 within the actor's scope (`verb="export"` for the workbook), unit and channels loaded."""
    return (
        policy.scoped(actor, Project, verb)
        .where(in_summary(), *conditions(wanted))
        .options(joinedload(Project.unit), selectinload(Project.funding))
    )


def summary_totals(session: Session, actor: Actor, wanted: SummaryFilter = SummaryFilter()) -> Totals:
    """The sums over exactly the rows of `summary`, in two statements."""
    reach = (policy.criterion(actor, Project), in_summary(), *conditions(wanted))
    nothing = Decimal("0.00")
    count, requested, arranged = session.execute(
        select(
            func.count(Project.id), func.sum(Project.requested_amount), func.sum(Project.arranged_amount)
        ).where(*reach)
    ).one()
    by_channel = session.execute(
        select(ProjectFunding.channel, func.sum(ProjectFunding.amount))
        .join(Project, ProjectFunding.project_id == Project.id)
        .where(*reach)
        .group_by(ProjectFunding.channel)
    )
    return Totals(count, requested or nothing, arranged or nothing, dict(by_channel.all()))


@dataclass(frozen=True)
class Overview:
    """项目总览 of one project: itself, its declaration (the newest first), its place in the plan, its files,
    the stages it has reached in order, and the earlier and later projects it belongs with."""

    project: Project
    declarations: Sequence[Declaration]
    plan: AnnualPlan | None
    attachments: Sequence[Attachment]
    stages: Sequence[tuple[Stage, bool]]
    continues: Sequence[Project]
    continued_by: Sequence[Project]


_LIFE = (
    Stage.DECLARED,
    Stage.PLANNED,
    Stage.SCHEME,
    Stage.APPROVED,
    Stage.PROCURED,
    Stage.CONTRACTED,
    Stage.TRIAL,
    Stage.AWAITING,
    Stage.ACCEPTED,
    Stage.OPERATION,
    Stage.CLOSED,
)


def overview(actor: Actor, project_id: int) -> Overview:
    """One project with what belongs to it, each part through the actor's own scope. Raises `NotFound`."""
    session = current_session()
    project: Project = policy.load(
        session, actor, Project, project_id, options=(selectinload(Project.funding),)
    )
    declarations = session.scalars(
        policy.scoped(actor, Declaration)
        .where(Declaration.project_id == project_id)
        .order_by(Declaration.id.desc())
    ).all()
    files = policy.scoped(actor, Attachment).where(
        Attachment.owner_kind == Declaration.document_kind,
        Attachment.owner_id.in_([declaration.id for declaration in declarations]),
    )
    before = policy.scoped(actor, Project).where(
        Project.id.in_([each.predecessor_id for each in declarations if each.predecessor_id is not None])
    )
    after = policy.scoped(actor, Project).where(
        Project.id.in_(select(Declaration.project_id).where(Declaration.predecessor_id == project_id))
    )
    return Overview(
        project,
        declarations,
        annual_plan.entry(session, actor, project_id),
        session.scalars(files.order_by(Attachment.category, Attachment.id)).all(),
        stages_of(project.stage),
        session.scalars(before.order_by(Project.id)).all(),
        session.scalars(after.order_by(Project.id)).all(),
    )


def stages_of(stage: Stage) -> list[tuple[Stage, bool]]:
    """The life cycle, each stage with whether it is reached. An ended project shows only how it ended."""
    if stage not in _LIFE:
        return [(Stage.DECLARED, True), (stage, True)]
    reached = _LIFE.index(stage)
    return [(each, position <= reached) for position, each in enumerate(_LIFE)]
