"""政策规则: the rules that every submitted document is held against, kept by administrators."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale, gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy import select

from app.access import policy
from app.core.enums import Labelled, RuleLevel
from app.core.errors import InvalidInput
from app.core.flow import Operator
from app.core.workdays import today_in_china
from app.core.xlsx import ColumnKind
from app.models.base import utcnow
from app.models.policy_rule import PolicyRule
from app.models.unit import Unit
from app.services import policy_rule
from app.services.declaration.fields import FIELDS, TABLES
from app.services.parameter.declared import BY_KEY
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import ChoiceField, Column, RowAction, ScopedInterface, TextField, enum_choice
from app.views.base.cells import bilingual, in_english, yes_no_field
from app.views.base.columns import Labels
from app.views.base.configuration import ConfigurationView, Options
from app.views.base.dictionaries import catalogue
from app.views.errors import field_errors
from app.views.shell import menu_endpoint
from app.workflow.conditions import OPERATORS
from app.workflow.registry import registered

_ROW = re.compile(r"conditions\.([0-9]{1,3})\.(group|field|operator|value|parameter)")
_EMPTY_ROWS = 2
_CASES = 6


class RuleState(Labelled):
    """Where a rule stands today. `INERT` ones name a document kind, a field or a parameter not there yet."""

    IN_FORCE = "IN_FORCE", "In force", "green"
    FUTURE = "FUTURE", "From a later day", "azure"
    PAST = "PAST", "Not in force any more"
    OFF = "OFF", "Switched off"
    INERT = "INERT", "Not asked yet", "orange"


_KIND_LABELS = {
    "declaration": lazy_gettext("Declaration"),
    "change": lazy_gettext("Change request"),
    "adjustment": lazy_gettext("Fund adjustment"),
    "scheme": lazy_gettext("Construction scheme"),
}


def _kind_label(kind: str) -> str:
    known = registered().get(kind)
    return str(_KIND_LABELS.get(kind) or (gettext(known.label) if known else kind))


def _kinds() -> Options:
    return [(kind, _kind_label(kind)) for kind in sorted({*registered(), *_KIND_LABELS})]


def _state_of(rule: PolicyRule) -> RuleState:
    today = today_in_china(utcnow())
    if policy_rule.is_inert(registered().get(rule.document_kind), policy_rule.rows_of(rule.conditions)):
        return RuleState.INERT
    if not rule.active:
        return RuleState.OFF
    if rule.valid_from > today:
        return RuleState.FUTURE
    return RuleState.PAST if rule.valid_to is not None and rule.valid_to < today else RuleState.IN_FORCE


def _states() -> Mapping[str, RuleState]:
    """The state of every rule by its code, worked out once a request: there are a few dozen."""
    if "policy_rule_states" not in g:
        rules = current_session().scalars(policy.scoped(current_actor(), PolicyRule, "manage"))
        g.policy_rule_states = {rule.code: _state_of(rule) for rule in rules}
    found: Mapping[str, RuleState] = g.policy_rule_states
    return found


@dataclass(frozen=True)
class StateColumn(Column):
    """The state of a rule, which no column of the table holds."""

    def text(self, value: Any, labels: Labels) -> Any:
        return gettext(_states()[value].label)

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        state = _states()[value]
        return Markup('<span class="badge bg-%s-lt">%s</span>') % (state.colour, gettext(state.label))


@dataclass(frozen=True)
class KindColumn(Column):
    """The document kind as people call it."""

    def text(self, value: Any, labels: Labels) -> Any:
        return _kind_label(value)


class PolicyRuleView(ConfigurationView):
    """Rules with source, article, dates, conditions and level; each can be tried on a submitted document."""

    datamodel = ScopedInterface(PolicyRule)
    table = policy_rule.RULES_TABLE
    title = lazy_gettext("Policy rules")
    route_base = "/policy-rule"
    add_label = lazy_gettext("Add a rule")
    form_template = "policy_rule/form.html"
    include_route_methods = {*ConfigurationView.include_route_methods, "trial"}
    method_permission_name = {"trial": "manage"}
    labels = {
        "code": lazy_gettext("Rule no."),
        "document_kind": lazy_gettext("Document kind"),
        "name_zh": lazy_gettext("Chinese name"),
        "name_en": lazy_gettext("English name"),
        "level": lazy_gettext("Effect"),
        "place": lazy_gettext("Said beside the field"),
        "source": lazy_gettext("Source"),
        "article": lazy_gettext("Article"),
        "valid_from": lazy_gettext("In force from"),
        "valid_to": lazy_gettext("In force until"),
        "message_zh": lazy_gettext("What is said, in Chinese"),
        "message_en": lazy_gettext("What is said, in English"),
        "conditions": lazy_gettext("Conditions of the rule"),
        "verified": lazy_gettext("Compared with the text of its source"),
        "active": lazy_gettext("In use"),
    }
    hints = {
        "code": lazy_gettext("Given once; findings keep it."),
        "valid_to": lazy_gettext("Leave blank while no end is known."),
        "message_zh": lazy_gettext("The compared figures, source and article are added by themselves."),
    }
    pickers = frozenset({"document_kind", "place"})
    default_sort = "document_kind,code"
    page_size = 50
    columns = (
        Column("code", lazy_gettext("Rule no."), PolicyRule.code, nowrap=True, link=True),
        bilingual("name", lazy_gettext("Rule"), PolicyRule.name_zh, PolicyRule.name_en, css="title"),
        KindColumn("document_kind", lazy_gettext("Document kind"), PolicyRule.document_kind),
        Column("level", lazy_gettext("Effect"), PolicyRule.level, enum=RuleLevel),
        Column("source", lazy_gettext("Source"), PolicyRule.source),
        Column("article", lazy_gettext("Article"), PolicyRule.article),
        StateColumn("state", lazy_gettext("State"), PolicyRule.code, sortable=False),
        Column("verified", lazy_gettext("Verified"), PolicyRule.verified),
        Column("valid_from", lazy_gettext("In force from"), PolicyRule.valid_from, kind=ColumnKind.DATE),
        Column(
            "valid_to",
            lazy_gettext("In force until"),
            PolicyRule.valid_to,
            kind=ColumnKind.DATE,
            visible=False,
        ),
    )
    fields = (
        TextField(
            "q",
            lazy_gettext("Rule no. or name"),
            columns=(PolicyRule.code, PolicyRule.name_zh, PolicyRule.name_en),
        ),
        ChoiceField("kind", lazy_gettext("Document kind"), column=PolicyRule.document_kind, options=_kinds),
        enum_choice("level", lazy_gettext("Effect"), PolicyRule.level, RuleLevel),
        TextField("source", lazy_gettext("Source"), columns=(PolicyRule.source, PolicyRule.article)),
        yes_no_field("verified", lazy_gettext("Verified"), PolicyRule.verified),
        yes_no_field("active", lazy_gettext("In use"), PolicyRule.active),
    )

    @classmethod
    def actions_of(cls, name: str) -> tuple[RowAction, ...]:
        """Edit, try, switch and remove."""
        edit, *others = super().actions_of(name)
        tried = RowAction("trial", lazy_gettext("Try this rule"), "manage", f"{name}.trial", "ti-test-pipe")
        return (edit, tried, *others)

    def options(self, name: str, row: Any | None) -> Options:
        if name == "document_kind":
            return [(kind, _kind_label(kind)) for kind in sorted(registered())]
        known = [
            *((each.name, gettext(each.label)) for each in FIELDS),
            *((each.name, gettext(each.label)) for each in TABLES),
        ]
        if row is None or row.document_kind == "declaration":
            return known
        return [(row.place, row.place)] if row.place else []

    # -- conditions: rows of their own beside the generated form ----------------------------------------

    def _form(self, names: Sequence[str]) -> type[DynamicForm]:
        return super()._form([name for name in names if name != "conditions"])

    def _values(self, form: DynamicForm) -> dict[str, Any]:
        values = super()._values(form)
        if "conditions_given" in request.form:
            kind = form.document_kind.data if "document_kind" in form else request.form.get("kind", "")
            values["conditions"] = policy_rule.typed(registered().get(kind or ""), _typed_rows())
        return values

    def _beside_fields(self, form: DynamicForm, error: InvalidInput) -> list[str]:
        beside = {
            name: texts for name, texts in field_errors(error).items() if name.startswith("conditions.")
        }
        g.condition_errors = beside
        said = {text for texts in beside.values() for text in texts}
        return [text for text in super()._beside_fields(form, error) if text not in said]

    def beside_form(self, row: PolicyRule | None) -> Mapping[str, Any]:
        """What the condition rows need: the rows, what can be compared and how."""
        editable = row is None or not (row.locked or _state_of(row) is RuleState.INERT)
        typed = _typed_rows() if request.method == "POST" and "conditions_given" in request.form else None
        stored = policy_rule.rows_of(row.conditions) if row is not None else []
        rows = typed if typed is not None else [_as_typed(each) for each in stored]
        spare = _EMPTY_ROWS if editable else 0
        return {
            "wide": ("message_zh", "message_en"),
            "rule": row,
            "state": _state_of(row) if row is not None else None,
            "editable": editable,
            "sentences": [_sentence(each, row.document_kind) for each in stored] if row is not None else [],
            "rows": [*rows, *({} for _ in range(spare))],
            "errors": g.get("condition_errors", {}),
            "comparable": _comparable(row),
            "operators": [(each.value, gettext(each.label)) for each in Operator],
            "parameters": [
                (each.key, each.label_en if in_english() else each.label_zh)
                for each in policy_rule.parameters()
            ],
            "cases": range(1, _CASES + 1),
            "script": _for_script(row) if editable else None,
            "trial_href": url_for(f"{self.endpoint}.trial", pk=row.id) if row is not None else None,
        }

    def shown(self, name: str, value: Any) -> str:
        if name == "document_kind":
            return _kind_label(value)
        if name == "conditions" and isinstance(value, str) and value:
            return "; ".join(_sentence(each, None) for each in policy_rule.rows_of(json.loads(value)))
        return super().shown(name, value)

    # -- trying a rule ----------------------------------------------------------------------------------

    @expose("/trial/<int:pk>")
    @has_access
    @permission_name("trial")
    def trial(self, pk: int) -> ResponseReturnValue:
        """What a rule says of a submitted document, row by row; nothing is stored."""
        actor, session = current_actor(), current_session()
        rule: PolicyRule = policy.load(session, actor, PolicyRule, pk, verb="manage")
        code = request.args.get("code", "").strip()[:40]
        found, errors = None, []
        if code:
            try:
                found = policy_rule.try_rule(actor, pk, code)
            except InvalidInput as refused:
                errors = field_errors(refused)["code"]
        menu_endpoint(f"{self.endpoint}.list")
        language = str(get_locale())
        page = self.render_template(
            "policy_rule/trial.html",
            title=gettext("Try the rule %(code)s", code=rule.code),
            rule=rule,
            name=rule.name_en if in_english() else rule.name_zh,
            basis=policy_rule.basis(rule),
            state=_state_of(rule),
            code=code,
            errors=errors,
            trial=found,
            figures=policy_rule.shown_figures([row.figure for row in found.rows], language, gettext)
            if found
            else (),
            edit_href=url_for(f"{self.endpoint}.edit", pk=pk),
            back_href=self._list_address(),
        )
        return make_response(page, 400 if errors else 200)


def _typed_rows() -> list[dict[str, str]]:
    """The condition rows of the posted form, in their order."""
    rows: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for name, value in request.form.items():
        if match := _ROW.fullmatch(name):
            rows[int(match[1])][match[2]] = value[:500]
    return [
        rows[index]
        for index in sorted(rows)
        if any(rows[index].get(column, "").strip() for column in ("field", "value", "parameter"))
    ]


def _as_typed(row: policy_rule.Row) -> dict[str, str]:
    if isinstance(row.value, list):
        value = ",".join(map(str, row.value))
    elif isinstance(row.value, bool):
        value = "true" if row.value else "false"
    else:
        value = "" if row.value is None else str(row.value)
    return {
        "group": str(row.group),
        "field": row.field,
        "operator": row.operator.value,
        "value": value,
        "parameter": row.parameter,
    }


def _sentence(row: policy_rule.Row, kind: str | None) -> str:
    """A condition row as people read it: “1. Requested amount at least 1,000,000.00”."""
    known_kinds = registered()
    entries = [known_kinds[kind]] if kind and kind in known_kinds else list(known_kinds.values())
    field = next((found for entry in entries if (found := entry.rule_field(row.field))), None)
    name = gettext(field.label) if field else row.field
    value = _as_typed(row)["value"]
    if row.parameter:
        known = BY_KEY.get(row.parameter)
        value = (known.label_en if in_english() else known.label_zh) if known else row.parameter
    elif field is not None and field.dictionary:
        labels = catalogue().labels("en" if in_english() else "zh")
        value = "、".join(labels.get((field.dictionary, code), code) for code in value.split(","))
    elif isinstance(row.value, bool):
        value = gettext("Yes") if row.value else gettext("No")
    return f"{row.group}. {name} {gettext(row.operator.label)} {value}"


def _comparable(row: PolicyRule | None) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(kind, its label, [(field, label)]) for the select of fields; only one kind once the rule is made."""
    kinds = [row.document_kind] if row is not None else sorted(registered())
    return [
        (
            kind,
            _kind_label(kind),
            [(field.name, gettext(field.label)) for field in (*entry.fields, *entry.rule_fields)],
        )
        for kind in kinds
        if (entry := registered().get(kind)) is not None
    ]


def _for_script(row: PolicyRule | None) -> dict[str, Any]:
    """What the page's script offers: how each field compares, and the codes it may have."""
    kinds = {
        kind: {
            field.name: {"kind": field.kind.value, "choices": field.dictionary}
            for field in (*entry.fields, *entry.rule_fields)
        }
        for kind, entry in registered().items()
        if row is None or kind == row.document_kind
    }
    dictionaries = {field["choices"] for fields in kinds.values() for field in fields.values()} - {""}
    language = "en" if in_english() else "zh"
    choices: dict[str, Iterable[Any]] = {
        name: [[choice.code, choice.label] for choice in catalogue().choices(name, language)]
        for name in sorted(dictionaries)
    }
    units = select(Unit.id, Unit.name).where(Unit.active).order_by(Unit.path)
    choices["unit"] = [[str(unit_id), name] for unit_id, name in current_session().execute(units)]
    return {
        "kind": row.document_kind if row is not None else "",
        "fields": kinds,
        "choices": choices,
        "operators": {
            kind.value: [each.value for each in Operator if each in known]
            for kind, known in OPERATORS.items()
        },
        "yes": gettext("Yes"),
        "no": gettext("No"),
    }
