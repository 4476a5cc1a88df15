"""A change request's values: what the unit says about it, and the project as it shall be afterwards."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app.core.money import round_half_up
from app.models.change import ChangeItem, ChangeRequest
from app.services.change.fields import DECLARED, PROJECT_FIELDS, PROJECT_TABLES, REQUEST_FIELDS
from app.services.declaration.values import (
    ROW_VALUES,
    BudgetLineValues,
    DeclarationValues,
    FundingSplitValues,
    IndicatorValues,
    LaterYearValues,
    ScheduleStepValues,
    finish_row,
)
from app.services.document import form
from app.services.document.description import Description
from app.services.document.form import FormState
from app.services.document.values import Reading, parse

_HUNDRED = Decimal(100)
_LARGEST_RATIO = Decimal("9999999999.99")


@dataclass(frozen=True)
class ChangeValues:
    """What the unit fills in. From `owner_unit_id` on: the project afterwards. Amounts in yuan."""

    kinds: tuple[str, ...] = ()
    content: str = ""
    reason_code: str | None = None
    reason_text: str = ""
    basis_text: str = ""
    performance_effect: str = ""
    impact: str = ""

    owner_unit_id: int | None = None
    title: str = ""
    supervising_unit_id: int | None = None
    lead_name: str = ""
    lead_mobile: str = ""
    contact_name: str = ""
    contact_mobile: str = ""
    goals: str = ""
    scope_text: str = ""
    begin_date: dt.date | None = None
    end_date: dt.date | None = None
    mlps_level: str | None = None
    crypto_required: bool = False
    on_cloud: bool = False
    cloud_resources: str = ""
    requested_amount: Decimal | None = None
    total_investment: Decimal | None = None
    long_term_goal: str = ""
    annual_goal: str = ""
    budget_lines: tuple[BudgetLineValues, ...] = ()
    funding_splits: tuple[FundingSplitValues, ...] = ()
    later_years: tuple[LaterYearValues, ...] = ()
    schedule: tuple[ScheduleStepValues, ...] = ()
    indicators: tuple[IndicatorValues, ...] = ()


def _finish(reading: Reading[ChangeValues], values: ChangeValues) -> ChangeValues:
    begin, end = values.begin_date, values.end_date
    if begin is None or end is None or end >= begin:
        return values
    reading.refuse("end_date", "The end lies before the beginning.")
    reading.keep_unread("end_date", end)
    return replace(values, end_date=None)


DESCRIPTION = Description(
    values=ChangeValues,
    fields=(*REQUEST_FIELDS, *PROJECT_FIELDS),
    tables=PROJECT_TABLES,
    row_values=ROW_VALUES,
    aliases={"change_content": "content", "change_reason": "reason_code"},
    finish=_finish,
    finish_row=finish_row,
)
"""All that can be filled in."""

PROJECT = replace(DESCRIPTION, fields=PROJECT_FIELDS, aliases={}, finish=lambda _reading, values: values)
"""The part that says what the project is."""


class _Trusting:
    """For what we stored ourselves: it was looked up when it was taken in."""

    def allows(self, type_code: str, code: str) -> bool:
        return True

    def knows(self, target: str, row_id: int) -> bool:
        return True


def state_of_project(values: ChangeValues) -> FormState:
    """The project part as texts: what `ChangeRequest.base` and its items keep."""
    return form.state_of(PROJECT, values)


def project_from(state: FormState, onto: ChangeValues | None = None) -> ChangeValues:
    """The project part read back from such texts."""
    known = {name: state[name] for name in PROJECT.names if name in state}
    return parse(PROJECT, known, _Trusting(), onto or ChangeValues()).values


def before(change: ChangeRequest) -> ChangeValues:
    """The project when its data were taken over."""
    return project_from(change.base)


def values_of(change: ChangeRequest) -> ChangeValues:
    """What the request says, the project as it shall be included; its items must be loaded."""
    state = {**change.base, **{item.field: item.after for item in change.items}}
    own: dict[str, Any] = {field.name: getattr(change, field.name) for field in REQUEST_FIELDS}
    return replace(project_from(state), **{**own, "kinds": tuple(change.kinds)})


def assign(change: ChangeRequest, values: ChangeValues) -> None:
    """Put the values into the request: its items are what differs from the base, its figures follow."""
    for field in REQUEST_FIELDS:
        value = getattr(values, field.name)
        setattr(change, field.name, list(value) if isinstance(value, tuple) else value)
    after = state_of_project(values)
    names = [*PROJECT.field, *PROJECT.table]
    differing = [name for name in names if after[name] != change.base.get(name)]
    kept = {item.field: item for item in change.items if item.field in differing}
    for item in [item for item in change.items if item.field not in kept]:
        change.items.remove(item)
    for seq, name in enumerate(differing, start=1):
        if name not in kept:
            kept[name] = ChangeItem(field=name)
            change.items.append(kept[name])
        item = kept[name]
        item.seq, item.before, item.after = seq, change.base.get(name), after[name]
    _figures(change, before(change), values)


def as_declared(values: ChangeValues, whole: DeclarationValues) -> DeclarationValues:
    """The project part as a declaration would say it, the rest as in `whole`; for the declaration's rules."""
    return replace(whole, **{name: getattr(values, name) for name in DECLARED})


def _figures(change: ChangeRequest, old: ChangeValues, new: ChangeValues) -> None:
    """domain.md 3.2: amount_delta, days_delta, change_ratio = |amount_delta| ÷ approved amount. Until an
    amount is approved, what was requested stands for it."""
    requested = old.requested_amount or Decimal("0.00")
    approved = change.base.get("approved_amount") or ""
    change.amount_before = Decimal(approved) if approved else requested
    wanted = new.requested_amount if new.requested_amount is not None else requested
    change.amount_delta = wanted - requested
    change.amount_after = change.amount_before + change.amount_delta
    change.days_delta = _days(old, new)
    change.change_ratio = ratio(change.amount_delta, change.amount_before)


def ratio(delta: Decimal, amount: Decimal) -> Decimal | None:
    """|delta| ÷ amount in percent, rounded half up to two decimals; None of nothing."""
    if amount == 0:
        return None
    return min(round_half_up(abs(delta) * _HUNDRED / amount), _LARGEST_RATIO)


def _days(old: ChangeValues, new: ChangeValues) -> int | None:
    """By how many days the construction period gets longer; None while a date is not known."""
    earlier, later = _period(old), _period(new)
    return (later - earlier).days if earlier is not None and later is not None else None


def _period(values: ChangeValues) -> dt.timedelta | None:
    if values.begin_date is None or values.end_date is None:
        return None
    return values.end_date - values.begin_date
