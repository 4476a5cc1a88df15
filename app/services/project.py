"""项目: the summary of what was declared, and one project's whole life on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus, Stage
from app.core.lifecycle import Milestone
from app.models.adjustment import FundAdjustment
from app.models.annual_plan import AnnualPlan
from app.models.attachment import Attachment
from app.models.change import ChangeRequest
from app.models.declaration import Declaration
from app.models.project import Project, ProjectFundEntry
from app.services import annual_plan, change, funds, project_version, review
from app.services.commitment import committed_amount as committed_amount
from app.services.funds import ChannelFunds
from app.services.review.flows.seed import FIRST_REVIEW
from app.services.unit_of_work import current_session

DESCRIBED = project_version.DESCRIBED
"""What of a project its versions keep."""


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


@dataclass(frozen=True)
class Overview:
    """项目总览 of one project: itself, its declaration (the newest first), its place in the plan, its files,
    the stages it has reached in order, the earlier and later projects it belongs with, its changes with what
    those applied come to together, and its funds."""

    project: Project
    declarations: Sequence[Declaration]
    plan: AnnualPlan | None
    attachments: Sequence[Attachment]
    stages: Sequence[tuple[Stage, bool]]
    continues: Sequence[Project]
    continued_by: Sequence[Project]
    changes: Sequence[ChangeRequest]
    changed: change.Cumulative
    present: change.ChangeValues | None
    """What the changes have made of its contents; None while none was applied."""
    funds: FundsOverview


@dataclass(frozen=True)
class FundsOverview:
    """资金安排: the chain of what a project was given, summed up by channel, with the numbers of the
    adjustments in it and which of them the reader may open."""

    entries: Sequence[ProjectFundEntry]
    channels: Sequence[ChannelFunds]
    readable: frozenset[int]
    codes: Mapping[int, str]


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
    changed = change.cumulative(session, project_id)
    return Overview(
        project,
        declarations,
        annual_plan.entry(session, actor, project_id),
        session.scalars(files.order_by(Attachment.category, Attachment.id)).all(),
        stages_of(project.stage),
        session.scalars(before.order_by(Project.id)).all(),
        session.scalars(after.order_by(Project.id)).all(),
        change.of_project(session, actor, project_id),
        changed,
        change.present(session, project).values if changed.count else None,
        _funds(session, actor, project_id),
    )


def _funds(session: Session, actor: Actor, project_id: int) -> FundsOverview:
    entries = funds.chain(session, project_id)
    adjusted = [each.document_id for each in entries if each.document_kind == FundAdjustment.document_kind]
    documents = session.execute(
        select(
            FundAdjustment.id,
            FundAdjustment.code,
            policy.criterion(actor, FundAdjustment).label("readable"),
        ).where(FundAdjustment.id.in_(adjusted))
    ).all()
    return FundsOverview(
        entries,
        funds.per_channel(entries),
        frozenset(document.id for document in documents if document.readable),
        {document.id: document.code for document in documents},
    )


def stages_of(stage: Stage) -> list[tuple[Stage, bool]]:
    """The life cycle, each stage with whether it is reached. An ended project shows only how it ended."""
    if stage not in _LIFE:
        return [(Stage.DECLARED, True), (stage, True)]
    reached = _LIFE.index(stage)
    return [(each, position <= reached) for position, each in enumerate(_LIFE)]
