"""The draft's form: what a browser posts becomes a sheet, and the buttons that work without a script.

Control names are `steps.<key>.<field>` and `steps.<key>.conditions.<key>.<field>`. The keys mean nothing: the
order is that of the page, so that a dragged card takes its controls along as they are.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from app.core.flow import AssigneeKind, Operator, Quorum, UnitMatch
from app.services.review.flows.sheet import FLAGS, RIGHTS, new_code
from app.workflow.conditions import OPERATORS
from app.workflow.registry import ReviewableDocument

_KEY = r"([a-z0-9]{1,16})"
_STEP_FIELD = re.compile(rf"steps\.{_KEY}\.([a-z_]+)")
_CONDITION_FIELD = re.compile(rf"steps\.{_KEY}\.conditions\.{_KEY}\.(field|operator|value)")
_LISTS = ("users", "return_steps")
_TEXTS = (
    "code",
    "name_zh",
    "name_en",
    "assignee_kind",
    "role",
    "group",
    "unit_match",
    "quorum",
    "share_percent",
    "limit_days",
    "switch",
)
_NEW_PERSON = "user_new"

Sheet = dict[str, Any]


def read_form(pairs: Iterable[tuple[str, str]]) -> tuple[Sheet, list[str]]:
    """The sheet as typed, and the keys of its steps in order, by which tools name them."""
    name = ""
    steps: dict[str, Sheet] = {}
    conditions: dict[str, dict[str, Sheet]] = {}
    for control, text in pairs:
        if control == "name":
            name = text
        elif match := _CONDITION_FIELD.fullmatch(control):
            row = conditions.setdefault(match[1], {}).setdefault(match[2], {})
            steps.setdefault(match[1], _blank())
            _put_condition(row, match[3], text)
        elif match := _STEP_FIELD.fullmatch(control):
            _put(steps.setdefault(match[1], _blank()), match[2], text)
    for key, step in steps.items():
        step["conditions"] = list(conditions.get(key, {}).values())
    return {"name": name, "steps": list(steps.values())}, list(steps)


def _put(step: Sheet, field: str, text: str) -> None:
    if field in _LISTS:
        step[field].append(text)
    elif field == _NEW_PERSON:
        step["users"] += [part for part in re.split(r"[\s,，、]+", text) if part]
    elif field in _TEXTS or field in FLAGS:
        step[field] = text


def _put_condition(row: Sheet, field: str, text: str) -> None:
    """Several values of one name become a list, a single one stays a text."""
    if field != "value" or "value" not in row:
        row[field] = text
    elif isinstance(row["value"], list):
        row["value"].append(text)
    else:
        row["value"] = [row["value"], text]


def _blank() -> Sheet:
    """A step of a form: a box that is not ticked is not sent."""
    return {**dict.fromkeys(_TEXTS, ""), **dict.fromkeys(FLAGS, ""), **{name: [] for name in _LISTS}}


def new_step() -> Sheet:
    """A step as it is offered: one reviewer of a role is enough, within three working days."""
    return {
        **_blank(),
        "code": new_code(),
        "assignee_kind": AssigneeKind.ROLE.value,
        "unit_match": UnitMatch.ANY.value,
        "quorum": Quorum.ANY.value,
        "limit_days": "3",
        **{name: name != "may_edit" for name in RIGHTS},
        "conditions": [],
    }


# -- without a script ------------------------------------------------------------------------------------


def apply_tool(sheet: Sheet, keys: list[str], tool: str, entry: ReviewableDocument[Any]) -> Sheet:
    """The sheet after a button was pressed in a browser without our script: `add`, `<key>.up`, `<key>.down`,
    `<key>.copy`, `<key>.drop`, `<key>.condition`, `<key>.condition.<n>.drop`, `<key>.user.<n>.up` or `.drop`.
    Anything else only draws the form again, with the controls that fit what was chosen."""
    changed = copy.deepcopy(sheet)
    steps: list[Sheet] = changed["steps"]
    if tool == "add":
        steps.append(new_step())
        return changed
    key, _, verb = tool.partition(".")
    if key not in keys:
        return changed
    place = keys.index(key)
    match verb.split("."):
        case ["up"] if place > 0:
            steps.insert(place - 1, steps.pop(place))
        case ["down"] if place + 1 < len(steps):
            steps.insert(place + 1, steps.pop(place))
        case ["copy"]:
            steps.insert(place + 1, {**copy.deepcopy(steps[place]), "code": new_code()})
        case ["drop"]:
            del steps[place]
        case ["condition"]:
            steps[place]["conditions"].append(new_condition(entry))
        case ["condition", number, "drop"]:
            _drop(steps[place]["conditions"], number)
        case ["user", number, "up"]:
            _raise(steps[place]["users"], number)
        case ["user", number, "drop"]:
            _drop(steps[place]["users"], number)
    _forget_returns(steps)
    return changed


def new_condition(entry: ReviewableDocument[Any]) -> Sheet:
    """A condition as it is offered: on the first field of the kind."""
    asked = entry.fields[0]
    operators = operators_of(asked.kind)
    return {"field": asked.name, "operator": operators[0].value, "value": ""}


def operators_of(kind: Any) -> list[Operator]:
    """The comparisons a kind of field knows, those of several values first: they are what is meant mostly."""
    order = [Operator.GE, Operator.GT, Operator.LE, Operator.LT, Operator.IN, Operator.NOT_IN, Operator.UNDER]
    return [one for one in (*order, Operator.EQ, Operator.NE) if one in OPERATORS[kind]]


def _drop(rows: list[Any], number: str) -> None:
    if number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]


def _raise(rows: list[Any], number: str) -> None:
    if number.isdecimal() and 0 < int(number) < len(rows):
        rows.insert(int(number) - 1, rows.pop(int(number)))


def _forget_returns(steps: list[Sheet]) -> None:
    """A step that is no longer earlier cannot be returned to."""
    before: list[str] = []
    for step in steps:
        step["return_steps"] = [code for code in step["return_steps"] if code in before]
        before.append(step["code"])
