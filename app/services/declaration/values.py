"""A declaration's values: typed, read by one parser from a form or from JSON, kept in rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.core.money import MAX_AMOUNT, InvalidAmount, format_yuan, line_amount, yuan
from app.models.declaration import Declaration
from app.services.declaration.fields import ALIASES, FIELDS, TABLES
from app.services.document import values as document
from app.services.document.description import Description
from app.services.document.values import Reading, sum_of
from app.services.reading import Lookup

__all__ = ["DESCRIPTION", "DeclarationValues", "Parsed", "assign", "parse", "sum_of", "values_of"]


@dataclass(frozen=True)
class BudgetLineValues:
    """预算明细. Yuan; `amount` is ours: quantity × unit price, rounded half up."""

    subject_code: str | None = None
    name: str = ""
    spec: str = ""
    unit_name: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    basis_text: str = ""
    cost_method: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class FundingSplitValues:
    """资金渠道 and its yuan."""

    channel: str | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class LaterYearValues:
    """以后年度资金 in yuan."""

    year: int | None = None
    amount: Decimal | None = None


@dataclass(frozen=True)
class CatalogueEntryValues:
    """信息资源目录: one data resource."""

    name: str = ""
    provider: str = ""
    sharing_type: str | None = None
    update_frequency: str = ""
    note: str = ""


@dataclass(frozen=True)
class ScheduleStepValues:
    """进度计划: one piece of work."""

    content: str = ""
    begin_date: dt.date | None = None
    end_date: dt.date | None = None


@dataclass(frozen=True)
class IndicatorValues:
    """绩效指标; `weight` in percent."""

    level1: str | None = None
    level2: str | None = None
    name: str = ""
    operator: str | None = None
    target_value: str = ""
    unit_name: str = ""
    weight: Decimal | None = None


@dataclass(frozen=True)
class DeclarationValues:
    """Everything a unit fills in (domain.md 3.1.1 to 3.1.3). Empty is None, "" or ()."""

    title: str = ""
    budget_year: int | None = None
    nature: str | None = None
    declaration_type: str | None = None
    service_categories: tuple[str, ...] = ()
    plan_channel: str | None = None
    supervising_unit_id: int | None = None
    predecessor_id: int | None = None
    is_secret: bool = False
    basis_codes: tuple[str, ...] = ()
    basis_text: str = ""
    necessity: str = ""
    feasibility: str = ""
    reasonableness: str = ""
    current_state: str = ""
    goals: str = ""
    scope_text: str = ""
    begin_date: dt.date | None = None
    end_date: dt.date | None = None
    mlps_level: str | None = None
    crypto_required: bool = False
    on_cloud: bool = False
    cloud_resources: str = ""
    scope_public: tuple[str, ...] = ()
    scope_government: tuple[str, ...] = ()
    requested_amount: Decimal | None = None
    total_investment: Decimal | None = None
    long_term_goal: str = ""
    annual_goal: str = ""
    lead_name: str = ""
    lead_mobile: str = ""
    contact_name: str = ""
    contact_mobile: str = ""
    budget_lines: tuple[BudgetLineValues, ...] = ()
    funding_splits: tuple[FundingSplitValues, ...] = ()
    later_years: tuple[LaterYearValues, ...] = ()
    data_catalogue: tuple[CatalogueEntryValues, ...] = ()
    schedule: tuple[ScheduleStepValues, ...] = ()
    indicators: tuple[IndicatorValues, ...] = ()


ROW_VALUES: Mapping[str, type[Any]] = {
    "budget_lines": BudgetLineValues,
    "funding_splits": FundingSplitValues,
    "later_years": LaterYearValues,
    "data_catalogue": CatalogueEntryValues,
    "schedule": ScheduleStepValues,
    "indicators": IndicatorValues,
}


def finish(reading: Reading[DeclarationValues], values: DeclarationValues) -> DeclarationValues:
    """What no single field can tell: secrets are not taken, and the end may not lie before the beginning."""
    if values.is_secret:
        reading.refuse(
            "is_secret",
            "Projects that involve state secrets must not be entered into this system."
            " Nothing was stored; use the channel for secret matters.",
        )
    if not _out_of_order(values.begin_date, values.end_date):
        return values
    # The database refuses such a row, so that a draft keeps the end as typed instead.
    reading.refuse("end_date", "The end lies before the beginning.")
    reading.keep_unread("end_date", values.end_date)
    return replace(values, end_date=None)


def finish_row(reading: Reading[Any], row: Any, path: str, raw: Mapping[str, Any]) -> Any:
    """A budget line's amount is ours; a piece of work ends after it began."""
    if isinstance(row, BudgetLineValues):
        return _with_amount(reading, row, path, raw.get("amount"))
    if isinstance(row, ScheduleStepValues) and _out_of_order(row.begin_date, row.end_date):
        reading.refuse(f"{path}.end_date", "The end lies before the beginning.")
    return row


DESCRIPTION = Description(
    values=DeclarationValues,
    fields=FIELDS,
    tables=TABLES,
    row_values=ROW_VALUES,
    aliases=ALIASES,
    finish=finish,
    finish_row=finish_row,
)

_EMPTY = DeclarationValues()
Parsed = document.Parsed[DeclarationValues]


def parse(raw: Mapping[str, Any], lookup: Lookup, base: DeclarationValues = _EMPTY) -> Parsed:
    """Read input of a form or of JSON over what a declaration already says (`document.values.parse`)."""
    return document.parse(DESCRIPTION, raw, lookup, base)


def values_of(declaration: Declaration) -> DeclarationValues:
    """The values a declaration holds; its tables of rows must be loaded."""
    return document.values_of(DESCRIPTION, declaration)


def assign(declaration: Declaration, values: DeclarationValues) -> None:
    """Put the values into the declaration. A budget year left blank keeps the one the row has: a document
    always belongs to a year."""
    if values.budget_year is None:
        values = replace(values, budget_year=declaration.budget_year)
    document.assign(DESCRIPTION, declaration, values)


def _with_amount(reading: Reading[Any], line: BudgetLineValues, path: str, given: object) -> BudgetLineValues:
    if line.quantity is None or line.unit_price is None:
        return line
    amount = line_amount(line.quantity, line.unit_price)
    if amount > MAX_AMOUNT:
        reading.refuse(
            f"{path}.unit_price", "The amount may not exceed %(limit)s yuan.", limit=format_yuan(MAX_AMOUNT)
        )
        return line
    if given not in (None, "") and not _says(given, amount):
        reading.refuse(
            f"{path}.amount",
            "Quantity × unit price is %(amount)s yuan, not %(given)s.",
            amount=format_yuan(amount),
            given=str(given)[:40],
        )
    return replace(line, amount=amount)


def _says(given: object, amount: Decimal) -> bool:
    try:
        return yuan(given) == amount
    except InvalidAmount:
        return False


def _out_of_order(begin: dt.date | None, end: dt.date | None) -> bool:
    return begin is not None and end is not None and end < begin
