"""The one base class of configuration tables: Flask-AppBuilder's generated forms over a service's `Table`.

Flask-AppBuilder makes the form from the columns; the service checks, writes and records. A refusal comes
back as the same form, filled in, each message beside its field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.forms import DynamicForm, FieldConverter, GeneralModelConverter
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from wtforms import SelectField, validators

from app.access import policy
from app.core.enums import Labelled
from app.core.errors import InvalidInput, StaleVersion
from app.services import configuration
from app.services.configuration import Table
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base.listing import Listing, PageAction, RowAction
from app.views.base.view import OfficeView
from app.views.errors import field_errors, translate
from app.views.places import as_left
from app.views.shell import menu_endpoint

Options = Sequence[tuple[str, str]]
"""(value, label) pairs of a select."""


class PickerField(SelectField):
    """A choice among what the actor may choose: options come per request, and nothing else is taken."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        kwargs.update(choices=[], coerce=_text)
        super().__init__(label, **kwargs)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


class OfficeConverter(GeneralModelConverter):
    """Flask-AppBuilder's converter, which makes a tick-box compulsory, shows enums by their codes and asks
    for text where the column fills itself. Uniqueness is the service's business, where it can be sure."""

    def __init__(self, datamodel: Any, table: Table[Any]) -> None:
        super().__init__(datamodel)
        self.table = table

    def _convert_simple(
        self,
        col_name: str,
        label: Any,
        description: Any,
        lst_validators: list[Any],
        form_props: dict[str, Any],
    ) -> dict[str, Any]:
        column = self.datamodel.list_columns[col_name]
        rules = [*lst_validators]
        if (longest := self.datamodel.get_max_length(col_name)) > 0:
            message = lazy_gettext("At most %(most)s characters.", most=longest)
            rules.append(validators.Length(max=longest, message=message))
        if self.table.requires(col_name):
            rules.append(validators.InputRequired(lazy_gettext("This is required.")))
        else:
            rules.append(validators.Optional())
        if getattr(column.type, "enum_class", None) is not None:
            form_props[col_name] = PickerField(label, description=description, validators=rules)
        else:
            default = self.datamodel.get_col_default(col_name)
            converter = FieldConverter(self.datamodel, col_name, label, description, rules, default=default)
            form_props[col_name] = converter.convert()
        return form_props


class ConfigurationView(OfficeView):
    """A list with add, edit, deactivate and remove over one `Table`.

    `labels` and `hints` name the fields; `pickers` are the fields chosen from `options()`. What a form does
    not hold is not written, whatever else is sent along.
    """

    table: ClassVar[Table[Any]]
    labels: ClassVar[Mapping[str, Any]] = {}
    hints: ClassVar[Mapping[str, Any]] = {}
    pickers: ClassVar[frozenset[str]] = frozenset()
    add_label: ClassVar[Any] = lazy_gettext("Add")
    removable: ClassVar[bool] = True

    list_verb = "manage"
    export_verb = "manage"
    form_template: ClassVar[str] = "configuration/form.html"
    include_route_methods: set[str] = {
        "list",
        "export",
        "save_columns",
        "add",
        "edit",
        "activate",
        "deactivate",
        "remove",
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.noun = cls.table.noun
        cls.show_endpoint = f"{cls.__name__}.edit"
        cls.page_actions = (PageAction(cls.add_label, f"{cls.__name__}.add", cls.noun, "manage"),)
        cls.row_actions = cls.actions_of(cls.__name__)

    def __init__(self, **kwargs: Any) -> None:
        self.method_permission_name = {
            **dict.fromkeys(("add", "edit", "activate", "deactivate", "remove"), "manage"),
            **(self.method_permission_name or {}),
        }
        super().__init__(**kwargs)

    @classmethod
    def actions_of(cls, name: str) -> tuple[RowAction, ...]:
        """The entries of a row's menu; `name` is the view's endpoint."""
        actions = [
            RowAction("edit", lazy_gettext("Edit"), "manage", f"{name}.edit", "ti-edit"),
            RowAction(
                "deactivate",
                lazy_gettext("Deactivate"),
                "manage",
                f"{name}.deactivate",
                "ti-circle-off",
                post=True,
                confirm=lazy_gettext("Take this entry out of use? What uses it already keeps it."),
            ),
            RowAction(
                "activate",
                lazy_gettext("Put back into use"),
                "manage",
                f"{name}.activate",
                "ti-circle-check",
                post=True,
            ),
        ]
        if cls.removable:
            actions.append(
                RowAction(
                    "remove",
                    lazy_gettext("Delete"),
                    "manage",
                    f"{name}.remove",
                    "ti-trash",
                    post=True,
                    confirm=lazy_gettext(
                        "Delete this entry for good? This works only while nothing uses it."
                    ),
                )
            )
        return tuple(actions)

    # -- forms ------------------------------------------------------------------------------------------

    def _init_forms(self) -> None:
        super()._init_forms()
        self.add_form = self._form(self.table.fields)
        self.edit_form = self._form([name for name in self.table.fields if name not in self.table.fixed])

    def _form(self, names: Sequence[str]) -> type[DynamicForm]:
        chosen = {
            name: PickerField(
                self.labels.get(name, name),
                description=self.hints.get(name, ""),
                validators=[
                    validators.InputRequired(lazy_gettext("This is required."))
                    if self.table.requires(name)
                    else validators.Optional()
                ],
            )
            for name in names
            if name in self.pickers
        }
        form: type[DynamicForm] = OfficeConverter(self.datamodel, self.table).create_form(
            dict(self.labels), list(names), dict(self.hints), None, chosen
        )
        return form

    def options(self, name: str, row: Any | None) -> Options:
        """What may be chosen in a picker; `row` is None while a new one is made."""
        raise LookupError(name)

    def _offer(self, form: DynamicForm, row: Any | None) -> None:
        for field in form:
            if not isinstance(field, PickerField):
                continue
            column = self.table.column(field.name)
            if field.name in self.pickers:
                offered = list(self.options(field.name, row))
            else:
                offered = [(member.value, gettext(member.label)) for member in _members(column)]
            if not self.table.requires(field.name):
                offered.insert(0, ("", gettext("None")))
            elif row is None:
                offered.insert(0, ("", gettext("Please choose")))
            field.choices = offered

    def _values(self, form: DynamicForm) -> dict[str, Any]:
        return {field.name: field.data for field in form if field.name != "csrf_token"}

    # -- routes -----------------------------------------------------------------------------------------

    @expose("/add", methods=["GET", "POST"])
    @has_access
    @permission_name("add")
    def add(self) -> ResponseReturnValue:
        """Add a row."""
        preset = {name: request.args[name] for name in self.table.fields if name in request.args}
        form = self.add_form() if request.method == "POST" else self.add_form(data=preset)
        self._offer(form, None)
        if request.method == "POST" and form.validate():
            try:
                return self.create(self._values(form))
            except InvalidInput as error:
                return self._page(form, None, 400, self._beside_fields(form, error))
        return self._page(form, None, 400 if form.errors else 200)

    def create(self, values: Mapping[str, Any]) -> ResponseReturnValue:
        """Write the new row and answer. Raises `InvalidInput`."""
        row = configuration.create(current_actor(), self.table, values)
        flash(gettext("“%(name)s” was added.", name=self.table.name_of(row)), "success")
        return redirect(self._list_address())

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def edit(self, pk: int) -> ResponseReturnValue:
        """Change a row."""
        actor = current_actor()
        row = policy.load(current_session(), actor, self.table.model, pk, verb="manage")
        form = self.edit_form() if request.method == "POST" else self.edit_form(obj=row)
        self._offer(form, row)
        if request.method == "POST" and form.validate():
            try:
                seen = _whole(request.form.get("seen"))
                row = configuration.update(actor, self.table, pk, self._values(form), seen)
            except InvalidInput as error:
                return self._page(form, row, 400, self._beside_fields(form, error))
            except StaleVersion as error:
                row = policy.load(current_session(), actor, self.table.model, pk)
                return self._page(form, row, 409, [translate(error.message, error.params)], error)
            flash(gettext("“%(name)s” was saved.", name=self.table.name_of(row)), "success")
            return redirect(self._list_address())
        return self._page(form, row, 400 if form.errors else 200)

    @expose("/deactivate/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("deactivate")
    def deactivate(self, pk: int) -> ResponseReturnValue:
        """Take a row out of use."""
        row = self.switch(pk, active=False)
        flash(gettext("“%(name)s” is out of use now.", name=self.table.name_of(row)), "success")
        return redirect(self._list_address())

    @expose("/activate/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("activate")
    def activate(self, pk: int) -> ResponseReturnValue:
        """Put a row back into use."""
        row = self.switch(pk, active=True)
        flash(gettext("“%(name)s” is in use again.", name=self.table.name_of(row)), "success")
        return redirect(self._list_address())

    @expose("/remove/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("remove")
    def remove(self, pk: int) -> ResponseReturnValue:
        """Delete a row nobody uses."""
        configuration.remove(current_actor(), self.table, pk)
        flash(gettext("The entry was deleted."), "success")
        return redirect(self._list_address())

    def switch(self, pk: int, *, active: bool) -> Any:
        """Put a row into or out of use; returns it."""
        change = configuration.activate if active else configuration.deactivate
        return change(current_actor(), self.table, pk)

    # -- drawing ----------------------------------------------------------------------------------------

    def listing(self) -> Listing:
        """The list; a row offers only the one of "deactivate" and "put back" that changes something."""
        listing = super().listing()
        model, switch = self.table.model, getattr(self.table.model, self.table.switch)
        ids = [row["id"] for row in listing.rows]
        idle = set(current_session().scalars(select(model.id).where(model.id.in_(ids), ~switch)))
        pointless = {url_for(f"{self.endpoint}.deactivate", pk=pk) for pk in idle}
        pointless |= {url_for(f"{self.endpoint}.activate", pk=pk) for pk in ids if pk not in idle}
        for row in listing.rows:
            row["menu"] = [entry for entry in row["menu"] if entry["href"] not in pointless]
            row["classes"] = "text-secondary" if row["id"] in idle else ""
        return listing

    def _page(
        self,
        form: DynamicForm,
        row: Any | None,
        status: int,
        messages: Sequence[str] = (),
        stale: StaleVersion | None = None,
    ) -> ResponseReturnValue:
        menu_endpoint(f"{self.endpoint}.list")
        title = self.table.name_of(row) if row is not None else str(self.add_label)
        history = configuration.history(current_session(), self.table, row.id) if row is not None else []
        page = self.render_template(
            self.form_template,
            title=title,
            form=form,
            fields=[form[name] for name in self.table.fields if name in form],
            row=row,
            fixed=self._fixed(row),
            seen=None if row is None else configuration.revision(current_session(), self.table, row.id),
            messages=messages,
            changes=self._readable(stale.changes) if stale else [],
            history=self._readable(history),
            back_href=as_left(self._list_address()),
            extra=self.beside_form(row),
        )
        return make_response(page, status)

    def beside_form(self, row: Any | None) -> Mapping[str, Any]:
        """More for the template of one view."""
        return {}

    def _fixed(self, row: Any | None) -> list[tuple[str, str]]:
        if row is None:
            return []
        names = [name for name in self.table.fields if name in self.table.fixed]
        return [(str(self.labels.get(name, name)), self.shown(name, getattr(row, name))) for name in names]

    def shown(self, name: str, value: Any) -> str:
        """One value as people read it, in the history and among the fields that cannot change."""
        members = {member.value: gettext(member.label) for member in _members(self.table.column(name))}
        return members.get(value, "" if value is None else str(value))

    def _readable(self, changes: Sequence[Any]) -> list[dict[str, Any]]:
        """Changes with the fields' labels; `changes` come from the history or from a StaleVersion."""
        fields = set(self.table.fields)
        return [
            {
                "field": str(self.labels.get(change.field, change.field)),
                "old": self.shown(change.field, change.old) if change.field in fields else change.old,
                "new": self.shown(change.field, change.new) if change.field in fields else change.new,
                "by": getattr(change, "by", None) or getattr(change, "user_name", ""),
                "at": change.at,
            }
            for change in changes
        ]

    def _beside_fields(self, form: DynamicForm, error: InvalidInput) -> list[str]:
        """Put each message beside its field; what has no field here is said on top."""
        elsewhere: list[str] = []
        for name, texts in field_errors(error).items():
            if name in form:
                form[name].errors = [*form[name].errors, *texts]
            else:
                elsewhere += texts
        return elsewhere

    def _list_address(self) -> str:
        return url_for(f"{self.endpoint}.list")


def _members(column: Any) -> Sequence[Labelled]:
    enum_class = getattr(column.type, "enum_class", None)
    return list(enum_class) if enum_class is not None else []


def _whole(text: str | None) -> int:
    """The revision a page shows; -1, which no row has, when it names none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else -1
