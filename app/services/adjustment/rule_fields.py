"""Values of a fund adjustment that only policy rules ask for: what it comes to for each project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.flow import FlowState
from app.core.funds import Direction
from app.core.money import round_half_up
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.flow import FlowDefinition, FlowStep
from app.models.project import Project
from app.workflow.registry import ConditionField, FieldKind


@dataclass(frozen=True)
class _Moved:
    """What an adjustment adds to a project (less than zero: takes from it), what the project was given so
    far, and what was approved for it; in yuan."""

    delta: Decimal
    arranged: Decimal
    approved: Decimal | None


def _moved(session: Session, adjustment: FundAdjustment) -> list[_Moved]:
    """What the adjustment means for each of its projects; lines without project or amount are left out."""
    rows = session.execute(
        select(Project.id, Project.arranged_amount, Project.approved_amount, AdjustmentLine)
        .join(AdjustmentLine, AdjustmentLine.project_id == Project.id)
        .where(AdjustmentLine.adjustment_id == adjustment.id)
    )
    found: dict[int, _Moved] = {}
    for project_id, arranged, approved, line in rows:
        amount = line.amount or Decimal(0)
        delta = -amount if line.direction is Direction.OUT else amount
        known = found.get(project_id, _Moved(Decimal(0), arranged or Decimal(0), approved))
        found[project_id] = replace(known, delta=known.delta + delta)
    return list(found.values())


def _over_approved(session: Session, adjustment: FundAdjustment) -> Decimal | None:
    """By how much a project that is given more would have more than was approved, at most; None where
    nothing is approved yet."""
    over = [
        each.arranged + each.delta - each.approved
        for each in _moved(session, adjustment)
        if each.approved is not None and each.delta > 0
    ]
    return max(over, default=None)


def _adjusted_percent(session: Session, adjustment: FundAdjustment) -> Decimal | None:
    """The largest share by which a project's arranged amount changes, either way, in percent."""
    shares = [
        round_half_up(abs(each.delta) / each.arranged * 100)
        for each in _moved(session, adjustment)
        if each.arranged
    ]
    return max(shares, default=None)


def _has_finance_step(session: Session, _adjustment: FundAdjustment) -> bool:
    """Does the published flow of adjustments have a step of finance (预算法 art. 72)?"""
    finance = (
        select(func.count(FlowStep.id))
        .join(FlowDefinition, FlowDefinition.id == FlowStep.definition_id)
        .where(
            FlowDefinition.document_kind == FundAdjustment.document_kind,
            FlowDefinition.state == FlowState.PUBLISHED,
            FlowStep.role_name == "finance",
        )
    )
    return bool(session.scalar(finance))


RULE_FIELDS: tuple[ConditionField[FundAdjustment], ...] = (
    ConditionField(
        "over_approved", "Arranged after the adjustment less the approved", FieldKind.AMOUNT, _over_approved
    ),
    ConditionField(
        "adjusted_percent", "Largest change of an arranged amount (%)", FieldKind.NUMBER, _adjusted_percent
    ),
    ConditionField("has_finance_step", "The flow has a finance step", FieldKind.FLAG, _has_finance_step),
)
