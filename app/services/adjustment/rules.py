"""The rules of domain.md 3.3, each a small function over the values and today's figures.

The same figures are asked three times: while drafting, at submission, and under lock when the adjustment is
applied (`applying.py`), for each of which nothing else may have moved the money meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import Stage
from app.core.funds import AdjustmentKind, Direction
from app.core.lifecycle import Milestone
from app.core.money import MAX_AMOUNT, format_yuan
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.project import Project
from app.services import funds
from app.services.adjustment.fields import TABLES
from app.services.adjustment.values import AdjustmentValues, LineValues, total
from app.services.commitment import Commitment, committed_amount
from app.services.document.findings import Findings

ADJUSTABLE = Milestone.PLANNED.stages - {Stage.CLOSED}
"""The stages in which a project's funds may be adjusted: in the plan or later, and not closed."""

_REQUIRED = ("title", "year", "basis_no", "basis_date", "reason")


@dataclass(frozen=True)
class Figures:
    """What the projects of an adjustment have and are bound to now, in yuan."""

    projects: Mapping[int, Project]
    channels: Mapping[int, Mapping[str, Decimal]]
    bound: Mapping[int, Commitment]

    def before(self, line: LineValues) -> Decimal | None:
        """What the line's project has of the line's channel now; None when nothing was arranged yet."""
        if line.project_id is None or line.channel is None or line.project_id not in self.channels:
            return None
        return self.channels[line.project_id].get(line.channel, funds.NOTHING)


def figures(session: Session, ids: Sequence[int], *, lock: bool = False) -> Figures:
    """Today's figures of these projects, in three statements; with `lock` they stay so until the commit."""
    if lock:
        projects = funds.locked_projects(session, ids)
    else:
        projects = {row.id: row for row in session.scalars(select(Project).where(Project.id.in_(ids)))}
    return Figures(projects, funds.channel_balances(session, ids), committed_amount(session, ids))


def project_ids(lines: Sequence[Any]) -> list[int]:
    """The projects of some lines, each once, in the order of their ids."""
    return sorted({line.project_id for line in lines if line.project_id is not None})


def apply_rules(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    """Every rule but that on attachments."""
    _required(found, values)
    _basis(found, values)
    _cells(found, values)
    _directions(found, values)
    _twice(found, values)
    apply_figures(found, values, known)
    _adds_up(found, values)


def apply_figures(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    """The rules that hang on what the projects have today."""
    _projects(found, values, known)
    _before(found, values, known)
    _enough(found, values, known)
    _bound(found, values, known)


def within_scope(session: Session, actor: Actor, found: Findings, values: AdjustmentValues) -> None:
    """No project outside the data scope of whoever submits."""
    ids = project_ids(values.lines)
    allowed = set(
        session.scalars(select(Project.id).where(Project.id.in_(ids), policy.criterion(actor, Project)))
    )
    for index, line in enumerate(values.lines):
        if line.project_id is not None and line.project_id not in allowed:
            found.wrong(
                f"lines.{index}.project_id", "There is no such record, or it is outside your data scope."
            )


def _required(found: Findings, values: AdjustmentValues) -> None:
    for name in _REQUIRED:
        if getattr(values, name) in (None, ""):
            found.missing(name)
    if not values.lines:
        found.missing("lines", "Add at least one row.")


def _basis(found: Findings, values: AdjustmentValues) -> None:
    if values.basis_date is not None and values.basis_date > today_in_china(utcnow()):
        found.wrong("basis_date", "The document cannot have been published after today.")


def _cells(found: Findings, values: AdjustmentValues) -> None:
    for index, line in enumerate(values.lines):
        for name in TABLES[0].demanded:
            if getattr(line, name) is None:
                found.missing(f"lines.{index}.{name}")
        if line.amount is not None and line.amount <= 0:
            found.wrong(f"lines.{index}.amount", "The amount must be more than zero.")


def _directions(found: Findings, values: AdjustmentValues) -> None:
    for index, line in enumerate(values.lines):
        if line.direction is None or line.direction in values.kind.directions:
            continue
        if values.kind is AdjustmentKind.ADD:
            found.wrong(f"lines.{index}.direction", "A supplement only transfers in.")
        else:
            found.wrong(f"lines.{index}.direction", "A withdrawal only transfers out.")


def _twice(found: Findings, values: AdjustmentValues) -> None:
    """A project's channel stands in one row, and a project only gives or only gets."""
    rows: dict[tuple[int, str], int] = {}
    ways: dict[int, tuple[Direction, int]] = {}
    for index, line in enumerate(values.lines):
        if line.project_id is None:
            continue
        if line.channel is not None:
            first = rows.setdefault((line.project_id, line.channel), index)
            if first != index:
                found.wrong(
                    f"lines.{index}.channel",
                    "Row %(row)s is about the same project and channel. Put the amounts together.",
                    row=first + 1,
                )
        if line.direction is not None:
            way, row = ways.setdefault(line.project_id, (line.direction, index))
            if way is not line.direction:
                found.wrong(
                    f"lines.{index}.direction",
                    "Row %(row)s moves funds of the same project the other way. One document either takes"
                    " from a project or gives to it.",
                    row=row + 1,
                )


def _projects(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    for index, line in enumerate(values.lines):
        project = known.projects.get(line.project_id or 0)
        if project is None:
            continue
        if project.stage not in ADJUSTABLE:
            found.wrong(
                f"lines.{index}.project_id",
                "%(project)s is in the stage “%(stage)s”. Only projects that are in the plan and not closed"
                " can be adjusted.",
                project=project.code,
                stage=project.stage,
            )
        elif project.arranged_amount is None:
            found.wrong(
                f"lines.{index}.project_id",
                "No budget has been arranged for %(project)s yet, so there is nothing to adjust.",
                project=project.code,
            )


def _before(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    """The stale check: the figure that the drafter saw is the figure of today."""
    for index, line in enumerate(values.lines):
        now = known.before(line)
        if now is not None and line.amount_before is not None and line.amount_before != now:
            found.wrong(
                f"lines.{index}.amount_before",
                "When this was drafted %(project)s had %(seen)s yuan of this channel; now it has %(now)s"
                " yuan. Look at the row again and save it with the new figure.",
                project=known.projects[line.project_id or 0].code,
                seen=format_yuan(line.amount_before),
                now=format_yuan(now),
            )


def _enough(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    """After the line, the channel has no less than nothing and no more than an amount can say."""
    for index, line in enumerate(values.lines):
        now = known.before(line)
        if now is None or line.amount is None or line.direction is None:
            continue
        if now + line.direction.sign * line.amount < 0:
            found.wrong(
                f"lines.{index}.amount",
                "%(project)s has only %(now)s yuan of this channel; %(amount)s yuan cannot be taken out.",
                project=known.projects[line.project_id or 0].code,
                now=format_yuan(now),
                amount=format_yuan(line.amount),
            )


def _bound(found: Findings, values: AdjustmentValues, known: Figures) -> None:
    """What a project keeps is no less than what is contracted or paid, and can be written down."""
    moved: dict[int, Decimal] = defaultdict(Decimal)
    rows: dict[int, int] = {}
    for index, line in enumerate(values.lines):
        if line.project_id is not None and line.amount is not None and line.direction is not None:
            moved[line.project_id] += line.direction.sign * line.amount
            rows[line.project_id] = index
    for project_id, delta in moved.items():
        project, bound = known.projects.get(project_id), known.bound.get(project_id)
        if project is None or project.arranged_amount is None:
            continue
        left = project.arranged_amount + delta
        if bound is not None and delta < 0 and left < bound.amount:
            found.wrong(
                f"lines.{rows[project_id]}.amount",
                "%(project)s would keep %(left)s yuan, but %(bound)s yuan are bound already by"
                " %(documents)s.",
                project=project.code,
                left=format_yuan(left),
                bound=format_yuan(bound.amount),
                documents=bound.documents,
            )
        if left > MAX_AMOUNT:
            found.wrong(
                f"lines.{rows[project_id]}.amount",
                "The amount may not exceed %(limit)s yuan.",
                limit=format_yuan(MAX_AMOUNT),
            )


def _adds_up(found: Findings, values: AdjustmentValues) -> None:
    """ΣOUT = ΣIN; a supplement and a withdrawal have one side only."""
    out, into = total(values.lines, Direction.OUT), total(values.lines, Direction.IN)
    if values.kind is AdjustmentKind.TRANSFER and values.lines and out != into:
        found.wrong(
            "lines",
            "%(out)s yuan are transferred out and %(into)s yuan in; the difference is %(difference)s yuan.",
            out=format_yuan(out),
            into=format_yuan(into),
            difference=format_yuan(out - into),
        )
