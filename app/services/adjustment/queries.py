"""Adjustments as lists, pages and pickers ask for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import Stage
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.attachment import Attachment
from app.models.project import Project
from app.services import attachment, funds
from app.services.adjustment.comparison import Comparison, compare
from app.services.adjustment.rules import ADJUSTABLE

MOST_CANDIDATES = 20


@dataclass(frozen=True)
class ProjectFunds:
    """A project as the form of an adjustment shows it; amounts in yuan."""

    id: int
    code: str
    title: str
    unit_id: int
    unit: str
    stage: Stage
    arranged: Decimal | None
    channels: Mapping[str, Decimal]


def candidates(session: Session, actor: Actor, words: str) -> list[ProjectFunds]:
    """Projects within the actor's scope whose funds may be adjusted, by number or title; three statements."""
    typed = words.strip()
    rows = policy.scoped(actor, Project).where(
        Project.stage.in_(sorted(ADJUSTABLE)), Project.arranged_amount.is_not(None)
    )
    if typed:
        rows = rows.where(
            or_(
                Project.code.startswith(typed.upper(), autoescape=True),
                Project.title.icontains(typed, autoescape=True),
            )
        )
    rows = rows.order_by(Project.budget_year.desc(), Project.id.desc()).limit(MOST_CANDIDATES)
    return _with_funds(session, session.scalars(rows.options(joinedload(Project.unit))).all())


def projects_of(session: Session, ids: Collection[int]) -> dict[int, ProjectFunds]:
    """The projects of an adjustment that the reader may read, with what they have today; two statements."""
    rows = session.scalars(select(Project).where(Project.id.in_(ids)).options(joinedload(Project.unit))).all()
    return {found.id: found for found in _with_funds(session, rows)}


def _with_funds(session: Session, rows: Sequence[Project]) -> list[ProjectFunds]:
    channels = funds.channel_balances(session, [row.id for row in rows])
    return [
        ProjectFunds(
            row.id,
            row.code,
            row.title,
            row.unit_id,
            row.unit.short_name,
            row.stage,
            row.arranged_amount,
            channels.get(row.id, {}),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Detail:
    """An adjustment and what belongs to it."""

    adjustment: FundAdjustment
    comparison: Comparison
    units: Mapping[int, str]
    attachments: Sequence[Attachment]


def detail(session: Session, actor: Actor, adjustment_id: int, *, verb: str = "read") -> Detail:
    """Everything of one adjustment for its page, print-out and workbook, in a fixed number of statements.
    Raises as `policy.load` does."""
    lines = selectinload(FundAdjustment.lines).joinedload(AdjustmentLine.project).joinedload(Project.unit)
    adjustment: FundAdjustment = policy.load(
        session,
        actor,
        FundAdjustment,
        adjustment_id,
        verb=verb,
        options=(
            lines,
            joinedload(FundAdjustment.created_by),
            joinedload(FundAdjustment.submitted_by),
        ),
    )
    units = {line.project.unit_id: line.project.unit.short_name for line in adjustment.lines if line.project}
    files = attachment.attachments_of(session, actor, FundAdjustment.document_kind, adjustment_id)
    return Detail(adjustment, compare(adjustment.lines), units, files)
