"""Values of a declaration that only policy rules ask for: sums, days, and what stands beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.enums import DocumentStatus
from app.core.money import format_yuan
from app.core.workdays import today_in_china
from app.models.annual_plan import AnnualPlan
from app.models.declaration import BudgetLine, Declaration, FundingSplit
from app.models.unit import Unit
from app.services import parameter
from app.services.similarity.text import title_grams, title_score
from app.workflow.conditions import moment_of
from app.workflow.registry import ConditionField, FieldKind

_COUNTED = (DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED, DocumentStatus.APPROVED)


def _today(session: Session) -> dt.date:
    return today_in_china(moment_of(session))


def _years_ahead(session: Session, declaration: Declaration) -> int | None:
    """How many years the budget year lies ahead; asked until the first submission only, because a returned
    declaration may come back in January."""
    return None if declaration.project_id else declaration.budget_year - _today(session).year


def _in_window(session: Session, declaration: Declaration) -> bool | None:
    """Is today within the declaration window? Asked until the first submission only. A window may span the
    new year."""
    if declaration.project_id:
        return None
    begin, end = _window(session)
    day = f"{_today(session):%m-%d}"
    return begin <= day <= end if begin <= end else day >= begin or day <= end


def _window(session: Session) -> tuple[str, str]:
    return (
        parameter.value(session, "declaration.window_begin"),
        parameter.value(session, "declaration.window_end"),
    )


def _sum(session: Session, rows: type[Any], declaration: Declaration) -> Decimal | None:
    amounts = session.scalars(select(rows.amount).where(rows.declaration_id == declaration.id)).all()
    return sum(amounts, Decimal(0)) if amounts and None not in amounts else None


def _difference(rows: type[Any]) -> Callable[[Session, Declaration], Decimal | None]:
    """Σ rows − requested, in yuan; None while one of the two is not there."""

    def read(session: Session, declaration: Declaration) -> Decimal | None:
        total, requested = _sum(session, rows, declaration), declaration.requested_amount
        return total - requested if total is not None and requested else None

    return read


def _both_sums(rows: type[Any]) -> Callable[[Session, Declaration], str]:
    def note(session: Session, declaration: Declaration) -> str:
        return subtraction(_sum(session, rows, declaration), declaration.requested_amount)

    return note


def subtraction(total: Decimal | None, requested: Decimal | None) -> str:
    """“4,950,000.00 − 5,000,000.00”: the two sums behind a difference."""
    if total is None or requested is None:
        return ""
    return f"{format_yuan(total)} − {format_yuan(requested)}"


def _similar_total(session: Session, declaration: Declaration) -> Decimal | None:
    """This request and those of the same unit and year with a similar title, each below the third-party
    limit, together; None when it stands alone (采购法 art. 28: no splitting)."""
    limit = parameter.decimal_of(session, "third_party.threshold")
    alike = parameter.int_of(session, "similarity.threshold") / 100
    requested = declaration.requested_amount
    if not declaration.title or not requested or requested >= limit:
        return None
    others = session.execute(
        select(Declaration.title, Declaration.requested_amount).where(
            Declaration.unit_id == declaration.unit_id,
            Declaration.budget_year == declaration.budget_year,
            Declaration.id != declaration.id,
            Declaration.status.in_(_COUNTED),
            Declaration.requested_amount < limit,
        )
    )
    names = tuple(
        session.execute(select(Unit.name, Unit.short_name).where(Unit.id == declaration.unit_id)).one()
    )
    own = title_grams(declaration.title, names)
    found = [
        amount
        for title, amount in others
        if amount is not None and title_score(own, title_grams(title, names)) >= alike
    ]
    return sum(found, requested) if found else None


def _outside_budget_year(_session: Session, declaration: Declaration) -> bool | None:
    """Has the construction period no day in common with the budget year (预算法 art. 18)?"""
    begin, end = declaration.begin_date, declaration.end_date
    if begin is None or end is None:
        return None
    return end.year < declaration.budget_year or begin.year > declaration.budget_year


def _predecessor_in_library(session: Session, declaration: Declaration) -> bool | None:
    """Was the project that is continued reviewed into an annual plan (预算法实施条例 art. 41)?"""
    if declaration.predecessor_id is None:
        return None
    planned = select(func.count(AnnualPlan.id)).where(AnnualPlan.project_id == declaration.predecessor_id)
    return bool(session.scalar(planned))


def _is_secret(_session: Session, declaration: Declaration) -> bool:
    return bool(declaration.is_secret)


RULE_FIELDS: tuple[ConditionField[Declaration], ...] = (
    ConditionField("years_ahead", "Years from now to the budget year", FieldKind.NUMBER, _years_ahead),
    ConditionField(
        "in_window",
        "Within the declaration window",
        FieldKind.FLAG,
        _in_window,
        note=lambda session, _declaration: " — ".join(_window(session)),
    ),
    ConditionField(
        "lines_difference",
        "Budget lines less the request",
        FieldKind.AMOUNT,
        _difference(BudgetLine),
        note=_both_sums(BudgetLine),
    ),
    ConditionField(
        "splits_difference",
        "Funding channels less the request",
        FieldKind.AMOUNT,
        _difference(FundingSplit),
        note=_both_sums(FundingSplit),
    ),
    ConditionField("is_secret", "State secrets", FieldKind.FLAG, _is_secret),
    ConditionField(
        "similar_total",
        "Similar projects of the unit in this year together",
        FieldKind.AMOUNT,
        _similar_total,
    ),
    ConditionField(
        "outside_budget_year",
        "Construction period outside the budget year",
        FieldKind.FLAG,
        _outside_budget_year,
    ),
    ConditionField(
        "predecessor_in_library",
        "The continued project is in an annual plan",
        FieldKind.FLAG,
        _predecessor_in_library,
    ),
)
