"""A flow's content as plain JSON: written from a version, and read back field by field.

    {"name": "…", "steps": [{"code": "first_review", "name_zh": "初审", …, "users": ["wang"],
      "conditions": [{"field": "requested_amount", "operator": "GE", "value": "1000000.00"}]}]}

Values are texts of a form or values of JSON alike. What cannot be stored is refused at its path
(`steps.0.limit_days`); names that this installation does not know are kept apart, because whoever brings a
file from elsewhere may want the rest.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from app.core.enums import Labelled
from app.core.errors import Problem
from app.core.flow import AssigneeKind, Operator, Quorum, UnitMatch
from app.models.flow import FlowCondition, FlowDefinition, FlowStep, FlowStepUser
from app.services.reading import Flag, Kind, Line, Number, Unreadable, Yuan
from app.services.review.flows.names import Names
from app.workflow import conditions
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, registered

Sheet = Mapping[str, Any]
Problems = dict[str, list[Problem]]

MOST_STEPS = 30
MOST_CONDITIONS = 10
MOST_PEOPLE = 50
MOST_VALUES = 100
LONGEST_LIMIT = 250
"""Working days: a year."""

RIGHTS = (
    "may_edit",
    "may_return_applicant",
    "may_return_earlier",
    "may_reject",
    "may_transfer",
    "may_delegate",
    "may_add_signer",
    "may_copy",
)
FLAGS = ("optional", *RIGHTS)
_DEFAULT_FLAGS = {name: name not in ("optional", "may_edit") for name in FLAGS}

STEP_KEYS = (
    "code",
    "name_zh",
    "name_en",
    "assignee_kind",
    "role",
    "group",
    "users",
    "unit_match",
    "quorum",
    "share_percent",
    "limit_days",
    "conditions",
    "optional",
    "switch",
    *RIGHTS,
    "return_steps",
)
"""What a sheet says of a step, in the order in which people read it."""

_CONDITION_KEYS = ("field", "operator", "value")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NUMBER = Number(places=0, most=Decimal(999_999_999))
_SEVERAL = (Operator.IN, Operator.NOT_IN)

L = TypeVar("L", bound=Labelled)


def new_code() -> str:
    """A code for a new step: it never changes, whatever the step is called later."""
    return f"step_{secrets.token_hex(4)}"


# -- writing ---------------------------------------------------------------------------------------------


def sheet_of(definition: FlowDefinition, names: Names) -> dict[str, Any]:
    """A version's content; its steps come with their conditions and users."""
    return sheet_from(definition.document_kind, definition.name, definition.steps, names)


def sheet_from(kind: str, name: str, steps: Sequence[FlowStep], names: Names) -> dict[str, Any]:
    """The same of steps that are not stored."""
    names.learn_steps(steps)
    entry = registered().get(kind)
    units = {one.name for one in entry.fields if one.kind is FieldKind.UNIT} if entry else set()
    return {"name": name, "steps": [_step_sheet(step, names, units) for step in steps]}


def _step_sheet(step: FlowStep, names: Names, units: Collection[str]) -> dict[str, Any]:
    """One step's content; only what its way of choosing reviewers uses is filled in. `units` are the
    conditions' fields that hold a unit's id."""
    kind = step.assignee_kind
    group = names.group_of(step.group_id) if kind is AssigneeKind.GROUP else None
    people = (names.person(user.user_id) for user in step.users)
    return {
        "code": step.code,
        "name_zh": step.name_zh,
        "name_en": step.name_en,
        "assignee_kind": kind.value,
        "role": step.role_name if kind is AssigneeKind.ROLE else None,
        "group": group.name if group else None,
        "users": [person.username for person in people if person],
        "unit_match": step.unit_match.value,
        "quorum": step.quorum.value,
        "share_percent": step.share_percent if step.quorum is Quorum.SHARE else None,
        "limit_days": step.limit_days,
        "conditions": [
            {
                "field": row.field,
                "operator": row.operator.value,
                "value": _unit_codes(row.value, names) if row.field in units else row.value,
            }
            for row in step.conditions
        ],
        "optional": step.optional,
        "switch": step.switch,
        **{name: getattr(step, name) for name in RIGHTS},
        "return_steps": list(step.return_steps) if step.may_return_earlier else [],
    }


def _unit_codes(value: Any, names: Names) -> Any:
    if isinstance(value, list):
        return [_unit_codes(each, names) for each in value]
    unit = names.units_by_id.get(int(value)) if str(value).isdecimal() else None
    return unit.code if unit else value


# -- reading ---------------------------------------------------------------------------------------------


@dataclass
class Reading:
    """What a sheet says: steps ready to be stored, and where it could not be taken. `problems` cannot be
    stored; `unknown` are names this installation does not have, left out of `steps`."""

    name: str = ""
    steps: list[FlowStep] = field(default_factory=list)
    problems: Problems = field(default_factory=dict)
    unknown: Problems = field(default_factory=dict)

    @property
    def refusals(self) -> Problems:
        """Everything that was not taken, in one."""
        paths = self.problems.keys() | self.unknown.keys()
        return {path: self.problems.get(path, []) + self.unknown.get(path, []) for path in sorted(paths)}


def read_sheet(raw: object, entry: ReviewableDocument[Any], names: Names) -> Reading:
    """Read a sheet for documents of this kind."""
    return _Reader(entry, names).read(raw)


class _Reader:
    """Reads one sheet; a refused value leaves the column's default and a problem at its path."""

    def __init__(self, entry: ReviewableDocument[Any], names: Names) -> None:
        self.entry = entry
        self.names = names
        self.reading = Reading()

    def read(self, raw: object) -> Reading:
        sheet = self._object("", raw, ("name", "steps"))
        self.reading.name = self._line("name", sheet.get("name"), 120)
        if not self.reading.name:
            self._wrong("name", "This is required.")
        rows = self._rows("steps", sheet.get("steps"), MOST_STEPS)
        self.names.learn_usernames(_usernames(rows))
        self.reading.steps = [self._step(f"steps.{place}", row, place + 1) for place, row in enumerate(rows)]
        self._check_codes()
        return self.reading

    def _step(self, path: str, raw: object, seq: int) -> FlowStep:
        row = self._object(path, raw, STEP_KEYS)
        kind = self._member(AssigneeKind, f"{path}.assignee_kind", row, AssigneeKind.ROLE)
        quorum = self._member(Quorum, f"{path}.quorum", row, Quorum.ANY)
        flags = {name: self._flag(f"{path}.{name}", row, _DEFAULT_FLAGS[name]) for name in FLAGS}
        share = self._whole(f"{path}.share_percent", row.get("share_percent"), 100)
        step = FlowStep(
            seq=seq,
            code=self._code(f"{path}.code", row.get("code")),
            name_zh=self._line(f"{path}.name_zh", row.get("name_zh"), 60),
            name_en=self._line(f"{path}.name_en", row.get("name_en"), 80),
            assignee_kind=kind,
            role_name=self._role(f"{path}.role", row.get("role")) if kind is AssigneeKind.ROLE else None,
            group_id=self._group(f"{path}.group", row.get("group")) if kind is AssigneeKind.GROUP else None,
            unit_match=self._member(UnitMatch, f"{path}.unit_match", row, UnitMatch.ANY),
            quorum=quorum,
            share_percent=share if quorum is Quorum.SHARE else None,
            limit_days=self._whole(f"{path}.limit_days", row.get("limit_days"), LONGEST_LIMIT),
            switch=self._switch(f"{path}.switch", row.get("switch")),
            return_steps=self._texts(f"{path}.return_steps", row.get("return_steps"), MOST_STEPS),
            conditions=self._conditions(f"{path}.conditions", row.get("conditions")),
            users=self._users(f"{path}.users", row.get("users")) if kind is AssigneeKind.USERS else [],
            **flags,
        )
        if not step.may_return_earlier:
            step.return_steps = []
        if not step.name_zh and f"{path}.name_zh" not in self.reading.problems:
            self._wrong(f"{path}.name_zh", "Give the step a name.")
        return step

    def _check_codes(self) -> None:
        """Codes are given once, and a return goes back to an earlier step, never forward."""
        before: list[str] = []
        for place, step in enumerate(self.reading.steps):
            if step.code in before:
                self._wrong(f"steps.{place}.code", "Two steps have the same code.")
            if any(code not in before for code in step.return_steps):
                self._wrong(
                    f"steps.{place}.return_steps",
                    "A document can only be returned to a step that comes before this one.",
                )
            before.append(step.code)

    # -- conditions --------------------------------------------------------------------------------------

    def _conditions(self, path: str, raw: object) -> list[FlowCondition]:
        rows = self._rows(path, raw, MOST_CONDITIONS)
        read = (self._condition(f"{path}.{place}", row) for place, row in enumerate(rows))
        return [row for row in read if row is not None]

    def _condition(self, path: str, raw: object) -> FlowCondition | None:
        row = self._object(path, raw, _CONDITION_KEYS)
        name = self._line(f"{path}.field", row.get("field"), 40)
        if not name:
            if row.get("value"):
                self._wrong(f"{path}.field", "Choose what is compared.")
            return None
        asked = self.entry.field(name)
        if asked is None:
            self._unknown(f"{path}.field", "Documents of this kind have no field “%(name)s”.", name=name)
            return None
        operator = self._member(Operator, f"{path}.operator", row, None)
        if operator is None:
            return None
        if operator not in conditions.OPERATORS[asked.kind]:
            self._wrong(f"{path}.operator", "This field cannot be compared in this way.")
            return None
        value = self._value(f"{path}.value", asked, operator, row.get("value"))
        if value is None:
            return None
        wrong = conditions.problem(asked.kind, operator, value)
        if wrong is not None:
            self._add(self.reading.problems, f"{path}.value", wrong)
            return None
        return FlowCondition(field=name, operator=operator, value=value)

    def _value(self, path: str, asked: ConditionField[Any], operator: Operator, raw: object) -> Any:
        """The value as it is stored; None when it was refused."""
        match asked.kind:
            case FieldKind.AMOUNT:
                amount = self._read(path, Yuan(), raw)
                return self._required(path, None if amount is None else f"{amount:.2f}")
            case FieldKind.NUMBER:
                number = self._read(path, _NUMBER, raw)
                return self._required(path, None if number is None else str(number))
            case FieldKind.FLAG:
                return self._required(path, None if raw in (None, "") else self._read(path, Flag(), raw))
            case FieldKind.CODE | FieldKind.CODES:
                return self._choices(path, operator, raw, lambda code: self._code_of(path, asked, code))
            case FieldKind.UNIT:
                return self._choices(path, operator, raw, lambda code: self._unit_of(path, code))

    def _choices(self, path: str, operator: Operator, raw: object, find: Callable[[str], Any]) -> Any:
        texts = self._texts(path, raw, MOST_VALUES)
        if not texts:
            return self._required(path, None)
        found = [value for value in map(find, texts) if value is not None]
        if not found:
            return None
        return found if operator in _SEVERAL or len(found) > 1 else found[0]

    def _code_of(self, path: str, asked: ConditionField[Any], code: str) -> str | None:
        if asked.dictionary and not self.names.allows(asked.dictionary, code):
            self._unknown(path, "The dictionary has no entry “%(name)s”.", name=code[:40])
            return None
        return code

    def _unit_of(self, path: str, code: str) -> int | None:
        unit = self.names.units.get(code)
        if unit is None:
            self._unknown(path, "There is no unit with the code “%(name)s”.", name=code[:40])
        return unit.id if unit else None

    # -- who ---------------------------------------------------------------------------------------------

    def _role(self, path: str, raw: object) -> str | None:
        name = self._line(path, raw, 64)
        if name and name not in self.names.roles:
            self._unknown(path, "There is no role “%(name)s”.", name=name)
            return None
        return name or None

    def _group(self, path: str, raw: object) -> int | None:
        name = self._line(path, raw, 150)
        group = self.names.groups.get(name) if name else None
        if name and group is None:
            self._unknown(path, "There is no group “%(name)s”.", name=name)
        return group.id if group else None

    def _users(self, path: str, raw: object) -> list[FlowStepUser]:
        named = list(dict.fromkeys(self._texts(path, raw, MOST_PEOPLE)))
        people = []
        for username in named:
            person = self.names.person_called(username)
            if person is None:
                self._unknown(path, "There is no user “%(name)s”.", name=username[:64])
            else:
                people.append(person)
        return [FlowStepUser(user_id=person.id, seq=place) for place, person in enumerate(people, start=1)]

    def _switch(self, path: str, raw: object) -> str | None:
        key = self._line(path, raw, 60)
        if key and key not in {one.key for one in self.names.switches}:
            self._unknown(path, "There is no parameter “%(name)s” that is yes or no.", name=key)
            return None
        return key or None

    # -- single values -----------------------------------------------------------------------------------

    def _code(self, path: str, raw: object) -> str:
        code = self._line(path, raw, 40)
        if not code:
            return new_code()
        if not _CODE.fullmatch(code):
            self._wrong(path, "A step's code has small letters, digits and “_” only.")
        return code

    def _line(self, path: str, raw: object, most: int) -> str:
        return self._read(path, Line(most), raw) or ""

    def _whole(self, path: str, raw: object, most: int) -> int | None:
        number = self._read(path, Number(places=0, most=Decimal(most)), raw)
        if number is not None and number < 1:
            self._wrong(path, "A whole number from 1 to %(most)s.", most=most)
            return None
        return None if number is None else int(number)

    def _flag(self, path: str, row: Sheet, default: bool) -> bool:
        if path.rpartition(".")[2] not in row:
            return default
        return bool(self._read(path, Flag(), row[path.rpartition(".")[2]]))

    def _member(self, enum: type[L], path: str, row: Sheet, default: L | None) -> Any:
        raw = row.get(path.rpartition(".")[2])
        if raw is None and default is not None:
            return default
        text = self._line(path, raw, 40)
        try:
            return enum(text)
        except ValueError:
            if path not in self.reading.problems:
                self._wrong(path, "“%(value)s” is not one of the choices here.", value=text)
            return default

    def _texts(self, path: str, raw: object, most: int) -> list[str]:
        """Several texts; a single one counts as a list of one."""
        entries = raw if isinstance(raw, list | tuple) else [] if raw is None else [raw]
        if len(entries) > most:
            self._wrong(path, "At most %(most)s entries.", most=most)
            return []
        return [text for text in (self._line(path, entry, 150) for entry in entries) if text]

    def _rows(self, path: str, raw: object, most: int) -> Sequence[object]:
        if raw is None:
            return []
        if not isinstance(raw, list | tuple):
            self._wrong(path, "A list belongs here.")
            return []
        if len(raw) > most:
            self._wrong(path, "At most %(most)s entries.", most=most)
            return raw[:most]
        return raw

    def _object(self, path: str, raw: object, keys: Sequence[str]) -> Sheet:
        if not isinstance(raw, Mapping):
            self._wrong(path, "An object with named values belongs here.")
            return {}
        for key in raw.keys() - set(keys):
            self._wrong(f"{path}.{key}"[:120].lstrip("."), "Nothing is known under this name.")
        return raw

    def _required(self, path: str, value: Any) -> Any:
        if value is None and path not in self.reading.problems:
            self._wrong(path, "The condition has no value to compare with.")
        return value

    def _read(self, path: str, kind: Kind, raw: object) -> Any:
        try:
            return kind.read(raw, self.names)
        except Unreadable as refused:
            self._add(self.reading.problems, path, refused.problem)
            return None

    def _wrong(self, path: str, message: str, **params: object) -> None:
        self._add(self.reading.problems, path, Problem.of(message, **params))

    def _unknown(self, path: str, message: str, **params: object) -> None:
        self._add(self.reading.unknown, path, Problem.of(message, **params))

    @staticmethod
    def _add(problems: Problems, path: str, problem: Problem) -> None:
        problems.setdefault(path, []).append(problem)


def _usernames(rows: Iterable[object]) -> set[str]:
    """Whom the steps name, as far as that can be read."""
    found: set[str] = set()
    for row in rows:
        users = row.get("users") if isinstance(row, Mapping) else None
        entries = users if isinstance(users, list | tuple) else [users]
        found.update(text.strip()[:150] for text in entries[:MOST_PEOPLE] if isinstance(text, str))
    return found
