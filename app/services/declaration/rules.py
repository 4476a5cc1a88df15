"""What the form of a declaration asks by itself (domain.md 3.1), each a small function over the values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.money import format_yuan
from app.models.declaration import Declaration
from app.models.project import Project
from app.services.declaration.fields import TABLE_BY_NAME
from app.services.declaration.requirements import LINKED_TYPES, Demands, Limits
from app.services.declaration.values import DeclarationValues, sum_of
from app.services.dictionary import catalogue
from app.services.document.findings import Findings


def apply_rules(
    found: Findings,
    values: DeclarationValues,
    limits: Limits,
    wanted: Demands,
    *,
    session: Session,
) -> None:
    """What the form itself asks. Rules with a source and an article are data (services/policy_rule)."""
    _required(found, values, wanted)
    _texts(found, values, limits, wanted)
    _lines(found, values)
    _splits(found, values)
    _amounts(found, values)
    _predecessor(found, session, values)
    _investment(found, session, values)
    _later_years(found, values)
    _catalogue_rows(found, values)
    _schedule(found, values)
    _indicators(found, session, values, wanted)


def _required(found: Findings, values: DeclarationValues, wanted: Demands) -> None:
    for name in sorted(wanted.fields):
        value = getattr(values, name)
        if value == () and name in TABLE_BY_NAME:
            found.missing(name, "Add at least one row.")
        elif value in (None, "", ()):
            found.missing(name)


def _texts(found: Findings, values: DeclarationValues, limits: Limits, wanted: Demands) -> None:
    length = len(values.necessity)
    if "necessity" in wanted.fields and 0 < length < limits.necessity_length:
        found.wrong(
            "necessity",
            "Explain the necessity in at least %(least)s characters; these are %(length)s.",
            least=limits.necessity_length,
            length=length,
        )


def _lines(found: Findings, values: DeclarationValues) -> None:
    for index, line in enumerate(values.budget_lines):
        path = f"budget_lines.{index}"
        _cells_filled(found, "budget_lines", index, line)
        if line.quantity == 0:
            found.wrong(f"{path}.quantity", "The quantity must be more than zero.")
        if line.unit_price == 0:
            found.wrong(f"{path}.unit_price", "The unit price must be more than zero.")


def _splits(found: Findings, values: DeclarationValues) -> None:
    """The amount of each source must be separable (增城 第四条): each channel once."""
    seen: set[str] = set()
    for index, split in enumerate(values.funding_splits):
        path = f"funding_splits.{index}"
        _cells_filled(found, "funding_splits", index, split)
        if split.amount == 0:
            found.wrong(f"{path}.amount", "The amount must be more than zero.")
        if split.channel in seen:
            found.wrong(f"{path}.channel", "This channel is listed twice. Put its amounts together.")
        if split.channel:
            seen.add(split.channel)


def _amounts(found: Findings, values: DeclarationValues) -> None:
    if values.requested_amount == 0:
        found.wrong("requested_amount", "The requested amount must be more than zero.")


def _predecessor(found: Findings, session: Session, values: DeclarationValues) -> None:
    if (
        values.declaration_type not in LINKED_TYPES
        or values.predecessor_id is None
        or values.budget_year is None
    ):
        return
    year = session.scalar(select(Project.budget_year).where(Project.id == values.predecessor_id))
    if year is not None and year >= values.budget_year:
        found.wrong(
            "predecessor_id",
            "Choose a project of an earlier year than %(year)s; this one is of %(given)s.",
            year=str(values.budget_year),
            given=str(year),
        )


def _investment(found: Findings, session: Session, values: DeclarationValues) -> None:
    """Total ≥ requested, and requested + later years = total − what earlier years already arranged."""
    total, requested = values.total_investment, values.requested_amount
    if total is None:
        if values.later_years:
            found.missing("total_investment")
        return
    if requested is None or found.has("later_years"):
        return
    if total < requested:
        found.wrong(
            "total_investment",
            "The total investment may not be less than the %(requested)s yuan requested.",
            requested=format_yuan(requested),
        )
        return
    later = sum_of(row.amount for row in values.later_years)
    arranged = already_arranged(session, values.predecessor_id)
    difference = total - arranged - requested - later
    if difference:
        found.wrong(
            "total_investment",
            "Total %(total)s must equal already arranged %(arranged)s + requested %(requested)s"
            " + later years %(later)s; the difference is %(difference)s yuan.",
            total=format_yuan(total),
            arranged=format_yuan(arranged),
            requested=format_yuan(requested),
            later=format_yuan(later),
            difference=format_yuan(difference),
        )


def already_arranged(session: Session, project_id: int | None) -> Decimal:
    """What the plans of earlier years gave to this project and those it continues, in yuan."""
    if project_id is None:
        return Decimal("0.00")
    chain = select(Project.id).where(Project.id == project_id).cte("chain", recursive=True)
    # UNION, not UNION ALL: two projects that name each other end the walk.
    chain = chain.union(
        select(Declaration.predecessor_id)
        .join(chain, Declaration.project_id == chain.c.id)
        .where(Declaration.predecessor_id.is_not(None))
    )
    amounts = session.scalars(select(Project.arranged_amount).where(Project.id.in_(select(chain.c.id))))
    return sum_of(amounts)


def _later_years(found: Findings, values: DeclarationValues) -> None:
    seen: set[int] = set()
    for index, row in enumerate(values.later_years):
        path = f"later_years.{index}"
        _cells_filled(found, "later_years", index, row)
        if row.year is not None and values.budget_year is not None and row.year <= values.budget_year:
            found.wrong(f"{path}.year", "A later year lies after %(year)s.", year=str(values.budget_year))
        if row.year in seen:
            found.wrong(f"{path}.year", "This year is listed twice. Put its amounts together.")
        if row.year is not None:
            seen.add(row.year)


def _catalogue_rows(found: Findings, values: DeclarationValues) -> None:
    for index, row in enumerate(values.data_catalogue):
        _cells_filled(found, "data_catalogue", index, row)


def _schedule(found: Findings, values: DeclarationValues) -> None:
    for index, row in enumerate(values.schedule):
        _cells_filled(found, "schedule", index, row)


def _indicators(found: Findings, session: Session, values: DeclarationValues, wanted: Demands) -> None:
    """3.1.3: every class has an indicator, and weights add up to 100 when they are used."""
    rows = values.indicators
    if not rows:
        return
    known = catalogue(session)
    for index, row in enumerate(rows):
        path = f"indicators.{index}"
        _cells_filled(found, "indicators", index, row)
        if row.level1 and row.level2 and known.parent("indicator_level2", row.level2) != row.level1:
            found.wrong(f"{path}.level2", "This indicator does not belong to the class chosen beside it.")
    if "indicators" in wanted.fields and not found.has("indicators"):
        present = {row.level1 for row in rows}
        for choice in known.choices("indicator_level1", "zh"):
            if choice.code not in present:
                found.wrong("indicators", "Every class needs an indicator: output, benefit and satisfaction.")
                break
    weights = [row.weight for row in rows if row.weight is not None]
    if weights and (len(weights) < len(rows) or sum(weights) != 100):
        found.wrong(
            "indicators",
            "Give every indicator a weight and let them add up to 100; they add up to %(sum)s.",
            sum=f"{sum(weights):f}",
        )


def _cells_filled(found: Findings, table: str, index: int, row: Any) -> None:
    for name in TABLE_BY_NAME[table].demanded:
        if getattr(row, name) in (None, ""):
            found.missing(f"{table}.{index}.{name}")
