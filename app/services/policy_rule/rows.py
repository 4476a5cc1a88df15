"""The condition rows of a policy rule: structured data, read, checked and compared; never evaluated text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.core.flow import Operator
from app.services import parameter
from app.services.parameter import ParameterKind
from app.services.parameter.declared import BY_KEY
from app.workflow import conditions
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, Value

MOST_ROWS = 30
MOST_GROUPS = 9
NUMERIC = frozenset({FieldKind.AMOUNT, FieldKind.NUMBER})
_NUMBERS = frozenset({ParameterKind.INTEGER, ParameterKind.AMOUNT})


@dataclass(frozen=True)
class Row:
    """One condition row. The rows of a group hold together, and any group is enough. The value compared with
    is `value`, or the present number of the RuleParameter that `parameter` names."""

    field: str
    operator: Operator
    value: Any = None
    parameter: str = ""
    group: int = 1

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Row:
        """A row as the database holds it."""
        return cls(
            field=stored["field"],
            operator=Operator(stored["operator"]),
            value=stored.get("value"),
            parameter=stored.get("parameter") or "",
            group=stored.get("group", 1),
        )

    def dump(self) -> dict[str, Any]:
        """The row as the database holds it."""
        compared = {"parameter": self.parameter} if self.parameter else {"value": self.value}
        return {"group": self.group, "field": self.field, "operator": self.operator.value, **compared}

    def expected(self, session: Session) -> Any:
        """What the document's value is compared with today."""
        return parameter.value(session, self.parameter) if self.parameter else self.value


def rows_of(stored: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows of a rule in the order of its page."""
    return [Row.load(each) for each in stored]


def is_inert(entry: ReviewableDocument[Any] | None, rows: Sequence[Row]) -> bool:
    """Can the rule not be asked here: because the document kind is not there (yet), or a field of it, or a
    parameter? Then the whole rule stands aside: half a condition would say something else."""
    return entry is None or any(
        entry.rule_field(row.field) is None or (row.parameter and row.parameter not in BY_KEY) for row in rows
    )


def holding(
    session: Session,
    rows: Sequence[Row],
    kind_of: Callable[[str], FieldKind],
    value_of: Callable[[str], Value],
) -> list[Row]:
    """The rows of every group that holds as a whole: the rule applies when there are any."""
    groups: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    return [
        row
        for _, group in sorted(groups.items())
        if all(holds(session, each, kind_of(each.field), value_of(each.field)) for each in group)
        for row in group
    ]


def holds(session: Session, row: Row, kind: FieldKind, actual: Value) -> bool:
    """Does one row hold for a document's value?"""
    return conditions.holds(kind, row.operator, row.expected(session), actual)


def parameters() -> list[parameter.Parameter]:
    """The parameters whose number a row may name."""
    return [known for known in parameter.PARAMETERS if known.kind in _NUMBERS]


def typed(entry: ReviewableDocument[Any] | None, raw: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Rows as they were typed, made into rows as they are stored; what cannot be read stays as typed, for
    `check` to refuse. Rows in which nothing was chosen are left out."""
    return [
        _typed(entry, each)
        for each in raw
        if any(each.get(column, "").strip() for column in ("field", "value", "parameter"))
    ]


def _typed(entry: ReviewableDocument[Any] | None, raw: Mapping[str, str]) -> dict[str, Any]:
    name, operator = raw.get("field", "").strip(), raw.get("operator", "")
    group = raw.get("group", "1")
    row: dict[str, Any] = {
        "group": int(group) if group.isascii() and group.isdigit() and len(group) < 3 else 0,
        "field": name,
        "operator": operator,
    }
    if key := raw.get("parameter", "").strip():
        return {**row, "parameter": key}
    field = entry.rule_field(name) if entry is not None else None
    return {**row, "value": _value(field, operator, raw.get("value", "").strip())}


def _value(field: ConditionField[Any] | None, operator: str, text: str) -> Any:
    if field is None:
        return text
    if field.kind in NUMERIC:
        return text.replace(",", "").replace("，", "")
    if field.kind is FieldKind.FLAG:
        return _ANSWERS.get(text.lower(), text)
    several = operator in (Operator.IN, Operator.NOT_IN)
    return [code for code in _BETWEEN.split(text) if code] if several else text


_ANSWERS = {"true": True, "false": False, "1": True, "0": False, "是": True, "否": False}
_BETWEEN = re.compile(r"[\s,，、;；]+")


def check(entry: ReviewableDocument[Any], stored: Any) -> dict[str, list[Problem]]:
    """What is wrong with the rows given for a rule on this kind of document, by `conditions.2.value`."""
    if not isinstance(stored, list) or not stored:
        return {"conditions": [Problem.of("A rule needs at least one condition.")]}
    if len(stored) > MOST_ROWS:
        return {"conditions": [Problem.of("A rule takes at most %(most)s conditions.", most=MOST_ROWS)]}
    found: dict[str, list[Problem]] = {}
    for index, each in enumerate(stored):
        column, problem = _fault(entry, each)
        if problem is not None:
            found[f"conditions.{index}.{column}"] = [problem]
    return found


def _fault(entry: ReviewableDocument[Any], stored: Mapping[str, Any]) -> tuple[str, Problem | None]:
    field: ConditionField[Any] | None = entry.rule_field(str(stored.get("field") or ""))
    if field is None:
        return "field", Problem.of("Choose what is compared.")
    if stored.get("operator") not in set(Operator):
        return "operator", Problem.of("Choose how it is compared.")
    if stored.get("group") not in range(1, MOST_GROUPS + 1):
        return "group", Problem.of("Choose a case from 1 to %(most)s.", most=MOST_GROUPS)
    operator = Operator(stored["operator"])
    if key := stored.get("parameter"):
        known = {each.key for each in parameters()}
        if field.kind not in NUMERIC or key not in known:
            return "parameter", Problem.of("Only numbers can be compared with a parameter.")
        wrong = operator not in conditions.OPERATORS[field.kind]
        return "operator", Problem.of("This field cannot be compared in this way.") if wrong else None
    problem = conditions.problem(field.kind, operator, stored.get("value"))
    column = "operator" if operator not in conditions.OPERATORS[field.kind] else "value"
    return column, problem
