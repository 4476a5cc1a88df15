"""Values of a change request that only policy rules ask for: what it adds up to with the project's others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.change import ChangeItem, ChangeRequest
from app.models.project import Project
from app.services.change.queries import cumulative
from app.services.change.values import ChangeValues, before, project_from, ratio
from app.services.declaration.rule_fields import subtraction
from app.workflow.registry import ConditionField, FieldKind


def _cumulative_percent(session: Session, change: ChangeRequest) -> Decimal | None:
    """This change with those applied before, in percent of the amount before the first of them. It is asked
    until the change is applied itself; afterwards those before it and it are the same sum."""
    if change.amount_delta is None or change.amount_before is None:
        return None
    others = cumulative(session, change.project_id)
    own = Decimal(0) if change.applied_version is not None else change.amount_delta
    base = others.base if others.base is not None else change.amount_before
    return ratio(others.amount + abs(own), base)


def _over_approved(session: Session, change: ChangeRequest) -> Decimal | None:
    """What the amount after the change exceeds the approved one by, in yuan; None where none is approved."""
    approved = session.scalar(select(Project.approved_amount).where(Project.id == change.project_id))
    if approved is None or change.amount_after is None or not change.amount_delta:
        return None
    return change.amount_after - approved


def _sums(values: ChangeValues, table: str) -> tuple[Decimal | None, Decimal | None]:
    """Σ rows of a table, and the amount requested, of one state of the project; in yuan."""
    amounts = [row.amount for row in getattr(values, table)]
    whole = bool(amounts) and None not in amounts
    return sum(amounts, Decimal(0)) if whole else None, values.requested_amount


def _after(session: Session, change: ChangeRequest) -> ChangeValues:
    """The project as the request would have it."""
    items = session.execute(
        select(ChangeItem.field, ChangeItem.after).where(ChangeItem.change_id == change.id)
    )
    return project_from({**change.base, **dict(items.all())})


def _difference(table: str) -> Callable[[Session, ChangeRequest], Decimal | None]:
    """Σ rows − requested after the change; None where they differed before it: that is not the change's."""

    def read(session: Session, change: ChangeRequest) -> Decimal | None:
        total, requested = _sums(before(change), table)
        if total is None or total != requested:
            return None
        total, requested = _sums(_after(session, change), table)
        return total - requested if total is not None and requested is not None else None

    return read


def _both_sums(table: str) -> Callable[[Session, ChangeRequest], str]:
    return lambda session, change: subtraction(*_sums(_after(session, change), table))


RULE_FIELDS: tuple[ConditionField[ChangeRequest], ...] = (
    ConditionField(
        "amount_before",
        "Amount before the change",
        FieldKind.AMOUNT,
        lambda _session, change: change.amount_before,
    ),
    ConditionField(
        "cumulative_percent", "Changes of the project together (%)", FieldKind.NUMBER, _cumulative_percent
    ),
    ConditionField(
        "lines_difference",
        "Budget lines less the request",
        FieldKind.AMOUNT,
        _difference("budget_lines"),
        note=_both_sums("budget_lines"),
    ),
    ConditionField(
        "splits_difference",
        "Funding channels less the request",
        FieldKind.AMOUNT,
        _difference("funding_splits"),
        note=_both_sums("funding_splits"),
    ),
    ConditionField(
        "over_approved", "Amount after the change less the approved", FieldKind.AMOUNT, _over_approved
    ),
)
