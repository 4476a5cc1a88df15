"""规则参数: the numbers of local rules, each in force from a day on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask import flash, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Date, bindparam, case, func, literal, select
from sqlalchemy.orm import aliased
from wtforms import DateField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from app.access import policy
from app.core.enums import Labelled
from app.core.errors import InvalidInput, NotFound
from app.core.money import format_yuan
from app.core.workdays import today_in_china
from app.core.xlsx import ColumnKind
from app.models.base import utcnow
from app.models.dictionary import RuleParameter
from app.services import attachment, parameter
from app.services.declaration.fields import FIELD_BY_NAME, TABLE_BY_NAME
from app.services.parameter import Parameter, ParameterKind
from app.services.parameter.declared import ATTACHMENT_CATEGORIES, BY_KEY
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import Column, OfficeView, RowAction, ScopedInterface, TextField, enum_choice
from app.views.base.cells import bilingual, in_english, yes_no_field
from app.views.base.columns import Labels
from app.views.base.dictionaries import labels
from app.views.errors import field_errors
from app.views.shell import menu_endpoint


class EntryState(Labelled):
    """Where an entry stands on the present day."""

    NOW = "NOW", "In force", "green"
    FUTURE = "FUTURE", "From a later day", "azure"
    PAST = "PAST", "Replaced"


_OTHER = aliased(RuleParameter)
# Asked when the statement runs: China's day, not the database's.
_TODAY = bindparam("today", callable_=lambda: today_in_china(utcnow()), type_=Date)
_IN_FORCE = (
    select(func.max(_OTHER.effective_from))
    .where(_OTHER.key == RuleParameter.key, _OTHER.effective_from <= _TODAY)
    .correlate(RuleParameter)
    .scalar_subquery()
)
_STATE = case(
    (RuleParameter.effective_from > _TODAY, literal(EntryState.FUTURE.value)),
    (RuleParameter.effective_from == _IN_FORCE, literal(EntryState.NOW.value)),
    else_=literal(EntryState.PAST.value),
)


@dataclass(frozen=True)
class ValueColumn(Column):
    """A value as people read it, yes and no, amounts grouped, fields by label; it comes with its key."""

    def text(self, value: Any, labels: Labels) -> Any:
        key, _, words = value.partition(" ")
        declared = BY_KEY.get(key)
        if declared is None:
            return words
        if declared.kind is ParameterKind.BOOLEAN:
            return gettext("Yes") if words == "true" else gettext("No")
        if declared.kind is ParameterKind.AMOUNT:
            return format_yuan(Decimal(words))
        if declared.kind is ParameterKind.LIST:
            return (", " if in_english() else "、").join(
                _readable(declared, entry) for entry in words.split(",") if entry
            )
        return _readable(declared, words) if declared.kind is ParameterKind.CHOICE else words


class ParameterView(OfficeView):
    """Every entry of every parameter; a change adds an entry from a day on, and earlier days keep theirs."""

    datamodel = ScopedInterface(RuleParameter)
    noun = "parameter"
    title = lazy_gettext("Rule parameters")
    export_verb = "read"
    include_route_methods = {"list", "export", "save_columns", "change"}
    method_permission_name = {"change": "manage"}
    default_sort = "key,-effective_from"
    page_size = 50
    columns = (
        bilingual(
            "label",
            lazy_gettext("Parameter"),
            RuleParameter.label_zh,
            RuleParameter.label_en,
            css="title",
        ),
        ValueColumn(
            "value",
            lazy_gettext("Value"),
            RuleParameter.key + " " + RuleParameter.value,
            sortable=False,
            css="title",
        ),
        Column("unit", lazy_gettext("Unit of measure"), RuleParameter.unit, sortable=False),
        Column("state", lazy_gettext("State"), _STATE, enum=EntryState, sortable=False),
        Column(
            "effective_from",
            lazy_gettext("In force from"),
            RuleParameter.effective_from,
            kind=ColumnKind.DATE,
        ),
        Column("source", lazy_gettext("Source"), RuleParameter.source),
        Column("article", lazy_gettext("Article"), RuleParameter.article),
        Column("unchecked", lazy_gettext("Still to be checked"), RuleParameter.unchecked),
        Column("key", lazy_gettext("Key"), RuleParameter.key, visible=False, nowrap=True),
    )
    fields = (
        TextField(
            "q",
            lazy_gettext("Parameter"),
            columns=(RuleParameter.label_zh, RuleParameter.label_en, RuleParameter.key),
        ),
        enum_choice("state", lazy_gettext("State"), _STATE, EntryState),
        TextField("source", lazy_gettext("Source"), columns=(RuleParameter.source, RuleParameter.article)),
        yes_no_field("unchecked", lazy_gettext("Still to be checked"), RuleParameter.unchecked),
    )
    row_actions = (
        RowAction("change", lazy_gettext("Change the value"), "manage", "ParameterView.change", "ti-edit"),
    )

    @expose("/change/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("change")
    def change(self, pk: int) -> ResponseReturnValue:
        """Give a parameter another value from a day on."""
        actor, session = current_actor(), current_session()
        row: RuleParameter = policy.load(session, actor, RuleParameter, pk, verb="manage")
        declared = BY_KEY.get(row.key)
        if declared is None:
            raise NotFound
        label = row.label_en if in_english() else row.label_zh
        form = _form_for(declared)(data={"value": _to_form(declared, row.value), "effective_from": _today()})
        status = 200
        if form.is_submitted():
            if form.validate():
                try:
                    parameter.change(actor, row.key, _from_form(form.value.data), form.effective_from.data)
                except InvalidInput as error:
                    for name, texts in field_errors(error).items():
                        form[name if name in form else "value"].errors = texts
                else:
                    flash(gettext("“%(name)s” was saved.", name=label), "success")
                    return redirect(url_for("ParameterView.list"))
            status = 400
        menu_endpoint("ParameterView.list")
        page = self.render_template(
            "configuration/form.html",
            title=label,
            form=form,
            fixed=[
                (gettext("Key"), row.key),
                (gettext("Unit of measure"), row.unit),
                (gettext("Source"), f"{row.source} {row.article}".strip()),
            ],
            back_href=url_for("ParameterView.list"),
        )
        return make_response(page, status)


def _form_for(declared: Parameter) -> type[DynamicForm]:
    required = [InputRequired(lazy_gettext("This is required."))]
    fields = {
        "value": _value_field(declared),
        "effective_from": DateField(
            lazy_gettext("In force from"),
            validators=required,
            description=lazy_gettext("Days before keep the value they had."),
        ),
    }
    return type("ParameterForm", (DynamicForm,), fields)


def _value_field(declared: Parameter) -> object:
    label = lazy_gettext("Value")
    required = [InputRequired(lazy_gettext("This is required."))]
    if declared.kind is ParameterKind.BOOLEAN:
        return SelectField(label, choices=[("true", lazy_gettext("Yes")), ("false", lazy_gettext("No"))])
    if declared.kind is ParameterKind.CHOICE:
        return SelectField(label, choices=_choices(declared))
    if declared.kind is ParameterKind.LIST and declared.choices:
        return SelectMultipleField(label, choices=_choices(declared))
    hint = ""
    if declared.least is not None and declared.most is not None:
        hint = lazy_gettext("From %(least)s to %(most)s.", least=declared.least, most=declared.most)
    return StringField(label, validators=[*required, Length(max=200)], description=hint)


def _choices(declared: Parameter) -> Sequence[tuple[str, str]]:
    return [(choice, _readable(declared, choice)) for choice in declared.choices]


_ANSWERS = {
    "review.resubmit_target": {
        "FIRST_STEP": lazy_gettext("the first step"),
        "RETURNING_STEP": lazy_gettext("the step that sent it back"),
    },
    "review.unanswered_remarks": {
        "WARN": lazy_gettext("only warn"),
        "BLOCK": lazy_gettext("refuse to submit"),
    },
}
"""What the choices of a parameter are called that has choices of its own."""


def _readable(declared: Parameter, choice: str) -> str:
    """A choice as people read it: a field of the declaration, a kind of attachment; else as it is written."""
    if choice in (answers := _ANSWERS.get(declared.key, {})):
        return str(answers[choice])
    if declared.choices == ATTACHMENT_CATEGORIES:
        return labels().get((attachment.CATEGORIES, choice), choice)
    known = FIELD_BY_NAME.get(choice) or TABLE_BY_NAME.get(choice)
    return gettext(known.label) if known is not None else choice


def _to_form(declared: Parameter, text: str) -> str | list[str]:
    many = declared.kind is ParameterKind.LIST and declared.choices
    return [entry for entry in text.split(",") if entry] if many else text


def _from_form(value: str | list[str]) -> str:
    return ",".join(value) if isinstance(value, list) else value.strip()


def _today() -> dt.date:
    return today_in_china(utcnow())
