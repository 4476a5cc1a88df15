"""A declaration's values: typed, read by one parser from a form or from JSON, kept in rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any

from app.core.errors import Problem
from app.core.money import MAX_AMOUNT, InvalidAmount, format_yuan, line_amount, yuan
from app.models.declaration import Declaration
from app.services.declaration.fields import ALIASES, FIELDS, TABLES, Column, Table
from app.services.reading import Code, Codes, Lookup, Reference, Unreadable


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

_LONGEST_UNREAD = 100_000
_EMPTY = DeclarationValues()


@dataclass(frozen=True)
class Parsed:
    """What the parser made of some input.

    `values` holds what could be read, the rest as in the base; `problems` says what could not, by path
    (`budget_lines.2.unit_price`); `unread` keeps those inputs as typed; `unknown` are keys nobody may set.
    """

    values: DeclarationValues
    problems: Mapping[str, list[Problem]]
    unread: Mapping[str, str]
    given: frozenset[str]
    unknown: tuple[str, ...]

    def refusals(self) -> dict[str, list[Problem]]:
        """Every problem, those of unknown keys included; for callers that must not guess."""
        problem = Problem.of("There is no such field, or it may not be set.")
        return {**self.problems, **{name: [problem] for name in self.unknown}}


def parse(raw: Mapping[str, Any], lookup: Lookup, base: DeclarationValues = _EMPTY) -> Parsed:
    """Read input of a form (`form.raw_from_form`) or of JSON. Keys that are absent keep the base's values.

    Never raises for what the input holds. Codes and references that the base already carries stay allowed,
    even when the dictionary has dropped them or they lie outside the actor's scope.
    """
    return _Parser(raw, _Keeping(lookup, _codes_in(base), _references_in(base)), base).run()


def values_of(declaration: Declaration) -> DeclarationValues:
    """The values a declaration holds; its tables of rows must be loaded."""
    scalars: dict[str, Any] = {field.name: _plain(getattr(declaration, field.name)) for field in FIELDS}
    tables: dict[str, Any] = {
        table.name: tuple(
            ROW_VALUES[table.name](**{name: getattr(row, name) for name in _names(ROW_VALUES[table.name])})
            for row in getattr(declaration, table.name)
        )
        for table in TABLES
    }
    return DeclarationValues(**scalars, **tables)


def assign(declaration: Declaration, values: DeclarationValues) -> None:
    """Put the values into the declaration; rows are changed in place, added or taken away at the end.

    A budget year left blank keeps the one the row has: a document always belongs to a year.
    """
    for field in FIELDS:
        value = getattr(values, field.name)
        if field.name == "budget_year" and value is None:
            continue
        setattr(declaration, field.name, list(value) if isinstance(value, tuple) else value)
    for table in TABLES:
        _assign_rows(declaration, table, getattr(values, table.name))


def sum_of(amounts: Iterable[Decimal | None]) -> Decimal:
    """The total of the amounts that are there, in yuan."""
    return sum((amount for amount in amounts if amount is not None), Decimal("0.00"))


def cells(values: DeclarationValues) -> Iterator[tuple[str, Column | None, Any]]:
    """Every cell of every table: its path, its column, its value."""
    for table in TABLES:
        for index, row in enumerate(getattr(values, table.name)):
            for column in table.columns:
                yield f"{table.name}.{index}.{column.name}", column, getattr(row, column.name)


class _Keeping:
    """A lookup that also allows what a document already carries."""

    def __init__(
        self, lookup: Lookup, codes: frozenset[tuple[str, str]], references: frozenset[tuple[str, int]]
    ) -> None:
        self._lookup = lookup
        self._codes = codes
        self._references = references

    def allows(self, type_code: str, code: str) -> bool:
        return (type_code, code) in self._codes or self._lookup.allows(type_code, code)

    def knows(self, target: str, row_id: int) -> bool:
        return (target, row_id) in self._references or self._lookup.knows(target, row_id)


class _Parser:
    """One pass over one input."""

    def __init__(self, raw: Mapping[str, Any], lookup: Lookup, base: DeclarationValues) -> None:
        self.raw = {ALIASES.get(name, name): value for name, value in raw.items()}
        self.lookup = lookup
        self.base = base
        self.problems: dict[str, list[Problem]] = {}
        self.unread: dict[str, str] = {}
        self.unknown = [name for name in self.raw if name not in _NAMES]

    def run(self) -> Parsed:
        read: dict[str, Any] = {}
        for field in FIELDS:
            if field.name in self.raw:
                read[field.name] = self._cell(field.name, self.raw[field.name], field.kind)
        for table in TABLES:
            if table.name in self.raw:
                read[table.name] = self._rows(table, self.raw[table.name])
        values = replace(self.base, **read)
        if values.is_secret:
            self._refuse(
                "is_secret",
                "Projects that involve state secrets must not be entered into this system."
                " Nothing was stored; use the channel for secret matters.",
            )
        if _out_of_order(values.begin_date, values.end_date):
            values = self._without_end(values)
        return Parsed(values, self.problems, self.unread, frozenset(self.raw) & _NAMES, tuple(self.unknown))

    def _cell(self, path: str, raw: object, kind: Any) -> Any:
        try:
            return kind.read(raw, self.lookup)
        except Unreadable as error:
            self.problems.setdefault(path, []).append(error.problem)
            self.unread[path] = _as_typed(raw)
            return kind.empty

    def _refuse(self, path: str, message: str, **params: object) -> None:
        self.problems.setdefault(path, []).append(Problem.of(message, **params))

    def _rows(self, table: Table, raw: object) -> tuple[Any, ...]:
        if not isinstance(raw, Sequence) or isinstance(raw, str):
            self._refuse(table.name, "Send a list of rows.")
            return tuple(getattr(self.base, table.name))
        if len(raw) > table.most:
            self._refuse(
                table.name, "At most %(most)s rows; these are %(count)s.", most=table.most, count=len(raw)
            )
        return tuple(
            self._row(table, f"{table.name}.{index}", row) for index, row in enumerate(raw[: table.most])
        )

    def _row(self, table: Table, path: str, raw: object) -> Any:
        if not isinstance(raw, Mapping):
            self._refuse(path, "Send each row as an object.")
            return ROW_VALUES[table.name]()
        known = {column.name for column in table.columns} | table.given
        self.unknown += [f"{path}.{name}" for name in raw if name not in known]
        read = {
            column.name: self._cell(f"{path}.{column.name}", raw[column.name], column.kind)
            for column in table.columns
            if column.name in raw
        }
        row = ROW_VALUES[table.name](**read)
        if isinstance(row, BudgetLineValues):
            return self._with_amount(row, path, raw.get("amount"))
        if isinstance(row, ScheduleStepValues) and _out_of_order(row.begin_date, row.end_date):
            self._refuse(f"{path}.end_date", "The end lies before the beginning.")
        return row

    def _with_amount(self, line: BudgetLineValues, path: str, given: object) -> BudgetLineValues:
        if line.quantity is None or line.unit_price is None:
            return line
        amount = line_amount(line.quantity, line.unit_price)
        if amount > MAX_AMOUNT:
            self._refuse(
                f"{path}.unit_price",
                "The amount may not exceed %(limit)s yuan.",
                limit=format_yuan(MAX_AMOUNT),
            )
            return line
        if given not in (None, "") and not _says(given, amount):
            self._refuse(
                f"{path}.amount",
                "Quantity × unit price is %(amount)s yuan, not %(given)s.",
                amount=format_yuan(amount),
                given=str(given)[:40],
            )
        return replace(line, amount=amount)

    def _without_end(self, values: DeclarationValues) -> DeclarationValues:
        # The database refuses such a row, so that a draft keeps the end as typed instead.
        self._refuse("end_date", "The end lies before the beginning.")
        self.unread["end_date"] = _as_typed(self.raw.get("end_date", values.end_date))
        return replace(values, end_date=None)


_NAMES = frozenset({field.name for field in FIELDS} | {table.name for table in TABLES})


def _names(values: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(values))


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_typed(raw: object) -> str:
    text = ", ".join(map(str, raw)) if isinstance(raw, list | tuple) else "" if raw is None else str(raw)
    # Neither database stores a NUL or half a character.
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()[:_LONGEST_UNREAD]


def _says(given: object, amount: Decimal) -> bool:
    try:
        return yuan(given) == amount
    except InvalidAmount:
        return False


def _out_of_order(begin: dt.date | None, end: dt.date | None) -> bool:
    return begin is not None and end is not None and end < begin


def _codes_in(values: DeclarationValues) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    named = [(field.kind, getattr(values, field.name)) for field in FIELDS]
    named += [(column.kind, value) for _, column, value in cells(values) if column is not None]
    for kind, value in named:
        if isinstance(kind, Code) and value:
            found.add((kind.dictionary, value))
        elif isinstance(kind, Codes):
            found.update((kind.dictionary, code) for code in value)
    return frozenset(found)


def _references_in(values: DeclarationValues) -> frozenset[tuple[str, int]]:
    return frozenset(
        (field.kind.target, getattr(values, field.name))
        for field in FIELDS
        if isinstance(field.kind, Reference) and getattr(values, field.name) is not None
    )


def _assign_rows(declaration: Declaration, table: Table, rows: Sequence[Any]) -> None:
    stored: list[Any] = getattr(declaration, table.name)
    names = _names(ROW_VALUES[table.name])
    for index, values in enumerate(rows):
        if index == len(stored):
            stored.append(table.row(seq=index + 1))
        for name in names:
            setattr(stored[index], name, getattr(values, name))
    del stored[len(rows) :]
