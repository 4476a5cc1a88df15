"""A flow in words, in the language of whoever reads: who reviews, on which condition, what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import get_locale, gettext
from flask_babel.speaklater import LazyString

from app.core.flow import AssigneeKind, Operator, Quorum, UnitMatch
from app.core.money import format_yuan
from app.models.flow import FlowCondition
from app.services.review.flows.names import Names
from app.services.review.flows.sheet import Sheet
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, Value


def _(text: str, **params: object) -> str:
    return str(gettext(text, **params))


def N_(text: str) -> str:
    """Marks a text for translation that is said later."""
    return text


FIELD_LABELS: Mapping[str, str] = {
    "name": N_("Name of the flow"),
    "place": N_("Place in the flow"),
    "name_zh": N_("Chinese name"),
    "name_en": N_("English name"),
    "assignee_kind": N_("Who reviews"),
    "role": N_("Role"),
    "group": N_("Group"),
    "users": N_("Named users"),
    "unit_match": N_("Unit of the reviewers"),
    "quorum": N_("How many must approve"),
    "share_percent": N_("Share in percent"),
    "limit_days": N_("Limit in working days"),
    "conditions": N_("On which condition"),
    "optional": N_("Skipped when nobody can act"),
    "switch": N_("Switched by a parameter"),
    "may_edit": N_("Change the document directly"),
    "may_return_applicant": N_("Return to the applicant"),
    "may_return_earlier": N_("Return to an earlier step"),
    "return_steps": N_("Earlier steps to return to"),
    "may_reject": N_("Reject"),
    "may_transfer": N_("Transfer"),
    "may_delegate": N_("Delegate"),
    "may_add_signer": N_("Add signers"),
    "may_copy": N_("Copy to others"),
}
"""What the fields of a sheet are called."""


class Words:
    """Says the parts of sheets of one document kind. People have to be learnt by `names` before."""

    def __init__(self, names: Names, entry: ReviewableDocument[Any] | None) -> None:
        self.names = names
        self.entry = entry

    @property
    def language(self) -> str:
        """`zh` or `en`; Chinese outside a request."""
        locale = get_locale()
        return "en" if locale is not None and locale.language == "en" else "zh"

    @property
    def comma(self) -> str:
        """What stands between the parts of an enumeration."""
        return ", " if self.language == "en" else "、"

    # -- steps -------------------------------------------------------------------------------------------

    def step(self, sheet: Sheet) -> str:
        """A step's name."""
        if self.language == "en" and sheet.get("name_en"):
            return str(sheet["name_en"])
        return str(sheet.get("name_zh") or _("Step without a name"))

    def who(self, sheet: Sheet) -> str:
        """“Holders of the role First reviewer, the document's unit”."""
        unit = _member(UnitMatch, sheet.get("unit_match"))
        where = "" if unit in (None, UnitMatch.ANY) else _(unit.label)
        return " · ".join(filter(None, (self._reviewers(sheet), where)))

    def _reviewers(self, sheet: Sheet) -> str:
        match _member(AssigneeKind, sheet.get("assignee_kind")):
            case AssigneeKind.ROLE:
                role = self.role(sheet.get("role"))
                return role or _("no role chosen")
            case AssigneeKind.GROUP:
                return _("Group %(name)s", name=self.group(sheet.get("group")) or "—")
            case AssigneeKind.USERS:
                people = self.people(sheet.get("users") or ())
                return self.comma.join(people) or _("no user named")
            case AssigneeKind.UNIT_HEAD:
                return _(AssigneeKind.UNIT_HEAD.label)
            case _:
                return ""

    def quorum(self, sheet: Sheet) -> str:
        """“A share: 60%”."""
        quorum = _member(Quorum, sheet.get("quorum"))
        if quorum is Quorum.SHARE:
            return f"{_(quorum.label)} {sheet.get('share_percent') or '?'}%"
        return _(quorum.label) if quorum else ""

    def limit(self, sheet: Sheet) -> str:
        """“3 working days”, or nothing."""
        days = sheet.get("limit_days")
        return _("%(days)s working days", days=days) if days else ""

    def role(self, name: Any) -> str:
        """A role as the office calls it."""
        known = self.names.roles.get(name)
        if known is None:
            return str(name or "")
        return known.label_en if self.language == "en" else known.label_zh

    def group(self, name: Any) -> str:
        """A group as the office calls it."""
        known = self.names.groups.get(name)
        return known.label if known else str(name or "")

    def people(self, usernames: Iterable[str]) -> list[str]:
        """People by name and unit."""
        found = ((username, self.names.person_called(username)) for username in usernames)
        return [str(person) if person else username for username, person in found]

    def switch(self, key: Any) -> str:
        """What a parameter is called."""
        known = next((one for one in self.names.switches if one.key == key), None)
        if known is None:
            return str(key or "")
        return known.label_en if self.language == "en" else known.label_zh

    # -- conditions --------------------------------------------------------------------------------------

    def condition(self, row: Sheet) -> str:
        """“Requested amount at least 1,000,000.00 yuan”."""
        asked = self.entry.field(str(row.get("field"))) if self.entry else None
        operator = _member(Operator, row.get("operator"))
        label = _(asked.label) if asked else str(row.get("field"))
        words = (label, _(operator.label) if operator else "", self.value(asked, row.get("value")))
        return " ".join(filter(None, words))

    def value(self, asked: ConditionField[Any] | None, value: Any) -> str:
        """A condition's value as people read it; units by code or id."""
        if isinstance(value, list | tuple | frozenset):
            return self.comma.join(self.value(asked, each) for each in value)
        if asked is None or value is None:
            return str(value or "")
        match asked.kind:
            case FieldKind.AMOUNT:
                return _("%(amount)s yuan", amount=_amount(value))
            case FieldKind.FLAG:
                return _("Yes") if value in (True, "true", "1") else _("No")
            case FieldKind.UNIT:
                unit = self.names.units.get(str(value))
                if unit is None and str(value).isdecimal():
                    unit = self.names.units_by_id.get(int(value))
                return unit.name if unit else str(value)
            case FieldKind.CODE | FieldKind.CODES if asked.dictionary:
                return self.names.catalogue.label(asked.dictionary, str(value), self.language)
            case _:
                return str(value)

    def rows(self, rows: Sequence[FlowCondition]) -> LazyString:
        """Stored conditions in words, when they are read."""
        sheets = [{"field": row.field, "operator": row.operator.value, "value": row.value} for row in rows]
        return LazyString(lambda: self.comma.join(self.condition(sheet) for sheet in sheets))

    def example(self, document: Mapping[str, Value]) -> LazyString:
        """A document by the values of its fields, in words, when they are read."""
        return LazyString(
            lambda: self.comma.join(self._example(name, value) for name, value in document.items())
        )

    def _example(self, name: str, value: Value) -> str:
        asked = self.entry.field(name) if self.entry else None
        label = _(asked.label) if asked else name
        values = value if isinstance(value, frozenset) else {value}
        known = sorted(str(each) for each in values if each is not None and not _is_other(each))
        if value is None:
            shown = _("not given")
        elif not known:
            shown = _("another value")
        elif asked is not None and asked.kind is FieldKind.UNIT:
            shown = self.value(asked, known[0].strip("/").split("/")[-1])
        elif asked is not None and asked.kind is FieldKind.FLAG:
            shown = self.value(asked, value)
        else:
            shown = self.value(asked, known)
        return f"{label} {shown}"

    # -- any field ---------------------------------------------------------------------------------------

    def label(self, field: str) -> str:
        """What a field of a sheet is called."""
        return _(FIELD_LABELS.get(field, field))

    def text(self, field: str, value: Any, steps: Mapping[str, str]) -> str:
        """A field's value as people read it; `steps` are the names of steps by code."""
        if value is None or value == "" or value == []:
            return ""
        match field:
            case "assignee_kind":
                return _label(AssigneeKind, value)
            case "unit_match":
                return _label(UnitMatch, value)
            case "quorum":
                return _label(Quorum, value)
            case "role":
                return self.role(value)
            case "group":
                return self.group(value)
            case "users":
                return self.comma.join(self.people(value))
            case "switch":
                return self.switch(value)
            case "return_steps":
                return self.comma.join(steps.get(code, code) for code in value)
            case "conditions":
                return "\n".join(self.condition(row) for row in value)
            case _ if isinstance(value, bool):
                return _("Yes") if value else _("No")
            case _:
                return str(value)


def _amount(value: Any) -> str:
    try:
        return format_yuan(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def _is_other(value: Value) -> bool:
    return str(value).startswith("\0") or str(value).endswith("/0/")


def _member(enum: Any, value: Any) -> Any:
    try:
        return enum(value)
    except ValueError:
        return None


def _label(enum: Any, value: Any) -> str:
    member = _member(enum, value)
    return _(member.label) if member is not None else str(value)
