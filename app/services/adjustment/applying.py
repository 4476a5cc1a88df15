"""What an approved adjustment does: its lines become steps of the projects' chains, all or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import Conflict, Problem
from app.core.funds import Direction, FundEntryKind
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.services import funds, history
from app.services.adjustment import rules
from app.services.adjustment.values import AdjustmentValues, LineValues
from app.services.document.findings import Findings
from app.services.history import VersionEvent

_STEPS = {Direction.OUT: FundEntryKind.ADJUST_OUT, Direction.IN: FundEntryKind.ADJUST_IN}


def apply(session: Session, actor: Actor, adjustment: FundAdjustment) -> None:
    """Move the money, in the transaction of the approval. The projects are locked in the order of their ids:
    of two adjustments approved at once the second sees what the first did.

    Raises `Conflict` naming the figure or document that forbids it; nothing is moved then, and the adjustment
    stays in review.
    """
    lines = session.scalars(
        select(AdjustmentLine)
        .where(AdjustmentLine.adjustment_id == adjustment.id)
        .order_by(AdjustmentLine.seq)
    ).all()
    known = rules.figures(session, rules.project_ids(lines), lock=True)
    if against := _against(adjustment, lines, known):
        raise Conflict(against[0].message, **against[0].params)
    steps: dict[int, list[funds.Step]] = defaultdict(list)
    for line in lines:
        if line.project_id is None or line.direction is None or line.amount is None or line.channel is None:
            raise Conflict("A row of this adjustment is not complete.")
        step = funds.Step(_STEPS[line.direction], line.channel, line.direction.sign * line.amount)
        steps[line.project_id].append(step)
    source = funds.Source(FundAdjustment.document_kind, adjustment.id, adjustment.basis_no)
    for project_id in sorted(steps):
        funds.post(session, actor, known.projects[project_id], steps[project_id], source)
    history.keep_all(session, actor, [known.projects[each] for each in sorted(steps)], VersionEvent.ADJUSTED)


def obstacles(session: Session, adjustment: FundAdjustment) -> list[Problem]:
    """What would forbid applying it today, for reviewers to see before they approve; its lines must be
    loaded."""
    known = rules.figures(session, rules.project_ids(adjustment.lines))
    return _against(adjustment, adjustment.lines, known)


def _against(
    adjustment: FundAdjustment, lines: Sequence[AdjustmentLine], known: rules.Figures
) -> list[Problem]:
    found = Findings()
    rules.apply_figures(found, _values(adjustment, lines), known)
    return [problem for _, problem, _ in found.entries]


def _values(adjustment: FundAdjustment, lines: Sequence[AdjustmentLine]) -> AdjustmentValues:
    rows = tuple(
        LineValues(
            line.project_id,
            line.direction,
            line.channel,
            line.amount,
            line.amount_before,
            line.amount_after,
        )
        for line in lines
    )
    return AdjustmentValues(kind=adjustment.kind, year=adjustment.year, lines=rows)
