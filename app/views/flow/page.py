"""What the pages of flows draw: cards of steps, nodes of the diagram, rows of a comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flask_babel import get_locale, gettext

from app.core.errors import Change
from app.core.flow import AssigneeKind, Quorum, UnitMatch
from app.models.flow import FlowDefinition
from app.services.review import Finding, Severity
from app.services.review.flows.compare import Fate, StepDifference
from app.services.review.flows.names import Names
from app.services.review.flows.sheet import RIGHTS, Sheet, sheet_of
from app.services.review.flows.words import Words
from app.views.errors import problem_text
from app.views.flow.form import operators_of
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, registered

Option = tuple[str, str]
Errors = Mapping[str, Sequence[str]]


def flow_words(kind: str, names: Names) -> Words:
    """The words of a document kind's flows."""
    return Words(names, registered().get(kind))


def kind_label(kind: str) -> str:
    """What documents of a kind are called."""
    entry = registered().get(kind)
    return gettext(entry.label) if entry else kind


@dataclass(frozen=True)
class Node:
    """One step of the diagram in words."""

    number: int
    name: str
    who: str
    quorum: str
    limit: str
    conditions: Sequence[str]
    optional: bool
    switch: str
    findings: Sequence[str] = ()

    @property
    def may_be_skipped(self) -> bool:
        """Is there a way past it?"""
        return bool(self.conditions or self.optional or self.switch)


def diagram(sheet: Sheet, words: Words, found: Sequence[Finding] = ()) -> list[Node]:
    """The steps of a version as a diagram, each with the errors it has."""
    return [
        Node(
            number=number,
            name=words.step(step),
            who=words.who(step),
            quorum=words.quorum(step),
            limit=words.limit(step),
            conditions=[words.condition(row) for row in step["conditions"]],
            optional=bool(step["optional"]),
            switch=words.switch(step["switch"]),
            findings=[
                problem_text(one.problem)
                for one in found
                if one.step == number and one.severity is Severity.ERROR
            ],
        )
        for number, step in enumerate(sheet["steps"], start=1)
    ]


def rights(step: Sheet, words: Words, steps: Mapping[str, str]) -> list[str]:
    """What a reviewer may do at a step, in words."""
    shown = [words.label(name) for name in RIGHTS if step.get(name)]
    if step.get("may_return_earlier") and step.get("return_steps"):
        targets = words.text("return_steps", step["return_steps"], steps)
        earlier = words.label("may_return_earlier")
        shown = [f"{one}({targets})" if one == earlier else one for one in shown]
    return shown


def step_names(*sheets: Sheet, words: Words) -> dict[str, str]:
    """The names of steps by their codes; the first sheet that knows one says it."""
    return {step["code"]: words.step(step) for sheet in reversed(sheets) for step in sheet["steps"]}


# -- findings --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownFinding:
    """A finding in words, with the step's name and the control it is about."""

    text: str
    error: bool
    place: str
    anchor: str


def shown_findings(found: Sequence[Finding], sheet: Sheet, words: Words) -> list[ShownFinding]:
    """The findings as the pages list them."""
    shown = []
    for one in found:
        step = sheet["steps"][one.step - 1] if one.step and one.step <= len(sheet["steps"]) else None
        place = gettext("Step %(number)s %(name)s", number=one.step, name=words.step(step)) if step else ""
        anchor = f"step-{one.step - 1}" if step is not None and one.step else "flow-steps"
        shown.append(ShownFinding(problem_text(one.problem), one.severity is Severity.ERROR, place, anchor))
    return shown


# -- comparing -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownDifference:
    """One step of a comparison in words."""

    name: str
    fate: Fate
    old_place: int | None
    new_place: int | None
    moved: bool
    who: str
    fields: Sequence[Mapping[str, str]]


def shown_differences(
    found: Sequence[StepDifference], words: Words, steps: Mapping[str, str]
) -> list[ShownDifference]:
    """A comparison as the page draws it."""
    return [
        ShownDifference(
            name=words.step(one.sheet),
            fate=one.fate,
            old_place=one.old_place,
            new_place=one.new_place,
            moved=one.moved,
            who=_in_short(one.sheet, words),
            fields=[
                {
                    "field": words.label(each.field),
                    "old": words.text(each.field, each.old, steps),
                    "new": words.text(each.field, each.new, steps),
                }
                for each in one.fields
            ],
        )
        for one in found
    ]


def _in_short(step: Sheet, words: Words) -> str:
    """Who, how many, how long and on which condition, in one line."""
    conditions = words.comma.join(words.condition(row) for row in step.get("conditions") or ())
    when = gettext("only when %(conditions)s", conditions=conditions) if conditions else ""
    return " · ".join(filter(None, (words.who(step), words.quorum(step), words.limit(step), when)))


def shown_changes(changes: Sequence[Change], words: Words, steps: Mapping[str, str]) -> list[dict[str, Any]]:
    """What somebody else changed meanwhile, with names instead of codes."""
    rows = []
    for change in changes:
        code, dot, name = change.field.rpartition(".")
        step = steps.get(code, code)
        if not dot:
            label, values = words.label(name), [change.old, change.new]
        elif not name:
            label, values = (
                gettext("Step “%(name)s”", name=change.new or change.old),
                [change.old, change.new],
            )
        else:
            label = f"{step} · {words.label(name)}"
            values = [words.text(name, _value(text), steps) for text in (change.old, change.new)]
        rows.append({"field": label, "old": values[0], "new": values[1], "by": change.by, "at": change.at})
    return rows


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# -- the form --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConditionChoice:
    """A field that conditions may ask for: its control and comparisons."""

    name: str
    label: str
    kind: str
    operators: Sequence[Option]
    options: Sequence[Option]


@dataclass
class EditPage:
    """The page on which a draft is edited: the sheet as stored or as typed, and what can be chosen."""

    definition: FlowDefinition
    entry: ReviewableDocument[Any]
    names: Names
    sheet: Mapping[str, Any]
    revision: int
    errors: Errors = field(default_factory=dict)
    message: str = ""
    changes: Sequence[Mapping[str, Any]] = ()
    unsaved: bool = False
    open_steps: frozenset[int] = frozenset()
    findings: Sequence[Finding] = ()

    @cached_property
    def words(self) -> Words:
        return Words(self.names, self.entry)

    @cached_property
    def stored(self) -> Sheet:
        """The draft as it is saved: what the check and the diagram are about."""
        return sheet_of(self.definition, self.names)

    @cached_property
    def shown_findings(self) -> list[ShownFinding]:
        return shown_findings(self.findings, self.stored, self.words)

    @cached_property
    def blocked(self) -> bool:
        """Does an error forbid publishing?"""
        return any(one.error for one in self.shown_findings)

    @cached_property
    def nodes(self) -> list[Node]:
        return diagram(self.stored, self.words, self.findings)

    def is_open(self, place: int) -> bool:
        """Is a step's card unfolded: it has messages, is new, or is the only one?"""
        prefix = f"steps.{place}."
        return (
            place in self.open_steps
            or len(self.sheet["steps"]) == 1
            or any(path.startswith(prefix) for path in self.errors)
        )

    def messages(self, path: str) -> Sequence[str]:
        """What is wrong at a path."""
        return self.errors.get(path, ())

    @property
    def summary(self) -> list[tuple[str, str, Sequence[str]]]:
        """Every message: where to jump, what it is about, what is wrong."""
        return [(path.replace(".", "-"), self._about(path), texts) for path, texts in self.errors.items()]

    def _about(self, path: str) -> str:
        parts = path.split(".")
        if parts[0] != "steps" or len(parts) < 3:
            return self.words.label(parts[0]) if parts[0] in ("name",) else gettext("Steps")
        step = self.sheet["steps"][int(parts[1])]
        where = gettext("Step %(number)s %(name)s", number=int(parts[1]) + 1, name=self.words.step(step))
        return f"{where} · {self.words.label(parts[2])}"

    def earlier(self, place: int) -> list[Option]:
        """The steps before a place, by code and name."""
        return [(step["code"], self.words.step(step)) for step in self.sheet["steps"][:place]]

    # -- choices -----------------------------------------------------------------------------------------

    assignee_kinds = property(lambda self: [(kind.value, gettext(kind.label)) for kind in AssigneeKind])
    unit_matches = property(lambda self: [(match.value, gettext(match.label)) for match in UnitMatch])
    quorums = property(lambda self: [(quorum.value, gettext(quorum.label)) for quorum in Quorum])

    @cached_property
    def rights(self) -> list[Option]:
        """What a reviewer may be allowed; returning has its own place."""
        return [(name, self.words.label(name)) for name in RIGHTS if not name.startswith("may_return")]

    @cached_property
    def groups(self) -> list[Option]:
        return [(group.name, group.label) for group in self.names.groups.values()]

    @cached_property
    def switches(self) -> list[Option]:
        return [(one.key, self.words.switch(one.key)) for one in self.names.switches]

    def roles(self, chosen: Any) -> list[Option]:
        """Roles that are in use, and the one chosen before."""
        return [
            (role.name, self.words.role(role.name))
            for role in self.names.roles.values()
            if role.enabled or role.name == chosen
        ]

    @cached_property
    def condition_fields(self) -> list[ConditionChoice]:
        """What conditions may ask of documents of this kind."""
        return [self._choice(asked, ()) for asked in self.entry.fields]

    def condition_field(self, name: Any, value: Any) -> ConditionChoice | None:
        """The same for one row, with values chosen before although they are out of use now."""
        asked = self.entry.field(str(name))
        return self._choice(asked, value if isinstance(value, list) else [value]) if asked else None

    def _choice(self, asked: ConditionField[Any], kept: Sequence[Any]) -> ConditionChoice:
        operators = [(one.value, gettext(one.label)) for one in operators_of(asked.kind)]
        options: list[Option] = []
        if asked.kind is FieldKind.UNIT:
            units = self.names.units.values()
            options = [(unit.code, unit.name) for unit in units if unit.active or unit.code in kept]
        elif asked.dictionary:
            chosen = self.names.catalogue.choices(
                asked.dictionary, str(get_locale()), [str(one) for one in kept]
            )
            options = [(one.code, one.label) for one in chosen]
        elif asked.kind is FieldKind.FLAG:
            options = [("true", gettext("Yes")), ("false", gettext("No"))]
        return ConditionChoice(asked.name, gettext(asked.label), asked.kind.value, operators, options)

    def people(self, usernames: Sequence[str]) -> list[Option]:
        """Named users by name, in order."""
        self.names.learn_usernames(usernames)
        return list(zip(usernames, self.words.people(usernames), strict=True))
