"""常用查询: the queries one has saved or is offered by others, over every list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_babel import gettext, lazy_gettext
from flask_login import login_required
from sqlalchemy import ColumnElement, true

from app.access import policy
from app.core.errors import InvalidInput, NotAllowed, NotFound, StaleVersion
from app.core.xlsx import ColumnKind
from app.models.saved_query import SavedQuery, Sharing
from app.models.user import AppUser
from app.services import list_preference, saved_query
from app.services.list_preference import Kept
from app.services.saved_query import Wanted
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import ChoiceField, Column, OfficeView, RowAction, ScopedInterface, TextField, enum_choice
from app.views.base.address import arguments_of, query_string
from app.views.base.columns import Labels
from app.views.base.query import ListQuery
from app.views.base.saved import address_of, known_and_stale
from app.views.base.search import Arguments
from app.views.errors import field_errors, translate
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb


def lists() -> dict[str, OfficeView]:
    """The lists whose queries the reader may use, by their key."""
    actor = current_actor()
    views = current_app.appbuilder.baseviews  # type: ignore[attr-defined]
    return {
        view.list_key: view
        for view in views
        if isinstance(view, OfficeView)
        and (view.noun in _EVERYBODYS or actor.holds(view.noun, view.list_verb))
    }


_EVERYBODYS = frozenset({"message", "saved_query"})
"""Lists of one's own affairs, which need no permission."""


def _list_choices() -> Sequence[tuple[str, str]]:
    return [(key, str(view.title)) for key, view in lists().items()]


@dataclass(frozen=True)
class ListColumn(Column):
    """The list a query belongs to, by its title."""

    def text(self, value: Any, labels: Labels) -> Any:
        view = lists().get(value)
        return str(view.title) if view else value


@dataclass
class QueryForm:
    """What is typed about a query; `errors` beside each field."""

    name: str = ""
    sharing: str = Sharing.MINE.value
    with_columns: bool = False
    default: bool = False
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def posted(cls) -> QueryForm:
        """As the browser sent it."""
        form = request.form
        return cls(
            name=form.get("name", ""),
            sharing=form.get("sharing", ""),
            with_columns="with_columns" in form,
            default="default" in form,
        )


class SavedQueryView(OfficeView):
    """One's own queries and those shared, whatever list they belong to."""

    datamodel = ScopedInterface(SavedQuery)
    noun = "saved_query"
    title = lazy_gettext("Saved queries")
    export_verb = None
    include_route_methods = {"list", "save_columns", "open", "add", "edit", "remove", "start"}
    joins = (SavedQuery.owner,)
    has_units = False  # the unit of a query says who is offered it, not what it is about
    default_sort = "list,name"
    show_endpoint = "SavedQueryView.open"
    columns = (
        Column("name", lazy_gettext("Name"), SavedQuery.name, css="title", link=True),
        ListColumn("list", lazy_gettext("List"), SavedQuery.list_key),
        Column("sharing", lazy_gettext("Shared with"), SavedQuery.sharing, enum=Sharing),
        Column("owner", lazy_gettext("Saved by"), AppUser.last_name + AppUser.first_name),
        Column("updated_at", lazy_gettext("Last changed"), SavedQuery.updated_at, kind=ColumnKind.DATETIME),
    )
    fields = (
        TextField("q", lazy_gettext("Name"), columns=(SavedQuery.name,)),
        ChoiceField("list", lazy_gettext("List"), column=SavedQuery.list_key, options=_list_choices),
        enum_choice("sharing", lazy_gettext("Shared with"), SavedQuery.sharing, Sharing),
    )
    row_actions = (
        RowAction("open", lazy_gettext("Open the list"), "read", "SavedQueryView.open", "ti-external-link"),
        RowAction(
            "start",
            lazy_gettext("Let the list open with it, or no longer"),
            "read",
            "SavedQueryView.start",
            "ti-home",
            post=True,
        ),
        RowAction("edit", lazy_gettext("Edit"), "edit", "SavedQueryView.edit", "ti-edit"),
        RowAction(
            "remove",
            lazy_gettext("Delete"),
            "remove",
            "SavedQueryView.remove",
            "ti-trash",
            post=True,
            confirm=lazy_gettext("Delete this saved query? Nobody it is shared with will find it any more."),
        ),
    )

    def restriction(self) -> ColumnElement[bool]:
        """Those of lists the reader may open."""
        known = lists()
        return SavedQuery.list_key.in_(sorted(known)) if known else true()

    @expose("/list/")
    @login_required
    def list(self) -> str:
        """All of them."""
        return self.render_template(self.list_template, listing=self.listing(), title=str(self.title))

    @expose("/columns", methods=["POST"])
    @login_required
    def save_columns(self) -> ResponseReturnValue:
        """Keep the reader's columns."""
        return self.keep_preference()

    @expose("/open/<int:pk>")
    @login_required
    def open(self, pk: int) -> ResponseReturnValue:
        """To the list, asked with the query."""
        row = policy.load(current_session(), current_actor(), SavedQuery, pk)
        view = _view_of(row.list_key)
        kept = Kept(row.id, row.name, row.arguments, (), row.sharing, "", row.version)
        return redirect(address_of(view.list_path(), view.spec, kept))

    @expose("/start/<int:pk>", methods=["POST"])
    @login_required
    def start(self, pk: int) -> ResponseReturnValue:
        """Let the query's list open with it for me, or as it is again."""
        actor, session = current_actor(), current_session()
        row = policy.load(session, actor, SavedQuery, pk)
        name, title = row.name, str(_view_of(row.list_key).title)
        default = list_preference.of(session, actor, row.list_key).saved_query_id != pk
        saved_query.open_with(actor, pk, default=default)
        words = (
            gettext("“%(list)s” opens with “%(name)s” for you now.", list=title, name=name)
            if default
            else gettext("“%(list)s” opens as it is again.", list=title)
        )
        flash(words, "success")
        return redirect(url_for("SavedQueryView.list"))

    @expose("/add", methods=["GET", "POST"])
    @login_required
    def add(self) -> ResponseReturnValue:
        """Keep the conditions of a list under a name."""
        if "list" not in request.args:
            raise InvalidInput({}, "Say which list the query is for.")
        view = _view_of(request.args["list"])
        arguments = _checked(view, request.args.get("arguments", ""))
        if request.method == "GET":
            return self._page(view, arguments, QueryForm())
        form = QueryForm.posted()
        try:
            wanted = self._wanted(view, arguments, form)
            row = saved_query.create(current_actor(), view.list_key, wanted)
        except (InvalidInput, NotAllowed) as error:
            return self._refused(view, arguments, form, error)
        return self._kept(view, row, form)

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @login_required
    def edit(self, pk: int) -> ResponseReturnValue:
        """Rename a query of one's own, share it otherwise, or give it other conditions."""
        actor = current_actor()
        row = policy.load(current_session(), actor, SavedQuery, pk, verb="edit")
        view, version, name = _view_of(row.list_key), row.version, row.name
        arguments = row.arguments
        if "arguments" in request.args:
            arguments = _checked(view, request.args["arguments"])
        if request.method == "GET":
            preference = list_preference.of(current_session(), actor, row.list_key)
            form = QueryForm(name, row.sharing, bool(row.columns), preference.saved_query_id == pk)
            return self._page(view, arguments, form, version=version, title=name)
        form = QueryForm.posted()
        seen = request.form.get("version", "")
        try:
            wanted = self._wanted(view, arguments, form, row.columns)
            row = saved_query.update(
                actor, pk, int(seen) if seen.isdecimal() and len(seen) < 10 else 0, wanted
            )
        except (InvalidInput, NotAllowed, StaleVersion) as error:
            return self._refused(view, arguments, form, error, version=version, title=name)
        return self._kept(view, row, form)

    @expose("/remove/<int:pk>", methods=["POST"])
    @login_required
    def remove(self, pk: int) -> ResponseReturnValue:
        """Keep a query no longer."""
        saved_query.remove(current_actor(), pk)
        flash(gettext("The saved query was deleted."), "success")
        return redirect(url_for("SavedQueryView.list"))

    def _wanted(self, view: OfficeView, arguments: str, form: QueryForm, kept: str = "") -> Wanted:
        columns: Sequence[str] = ()
        if form.with_columns:
            own = list_preference.of(current_session(), current_actor(), view.list_key).columns
            shown = [column.key for column in view.columns if column.visible]
            columns = [key for key in kept.split(",") if key] or own or shown
        return Wanted(form.name, arguments, columns, _sharing(form.sharing))

    def _kept(self, view: OfficeView, row: SavedQuery, form: QueryForm) -> ResponseReturnValue:
        actor = current_actor()
        pk, name, arguments = row.id, row.name, row.arguments
        preference = list_preference.of(current_session(), actor, view.list_key)
        if form.default != (preference.saved_query_id == pk):
            saved_query.open_with(actor, pk, default=form.default)
        flash(gettext("The query “%(name)s” was saved.", name=name), "success")
        kept = Kept(pk, name, arguments, (), Sharing.MINE, "", 0)
        return redirect(address_of(view.list_path(), view.spec, kept))

    def _refused(
        self,
        view: OfficeView,
        arguments: str,
        form: QueryForm,
        error: InvalidInput | NotAllowed | StaleVersion,
        **page: Any,
    ) -> ResponseReturnValue:
        """The same page, filled in, with what is wrong beside its field."""
        fields = field_errors(error) if isinstance(error, InvalidInput) else {}
        form.errors = fields or {"": [translate(error.message, error.params)]}
        return self._page(view, arguments, form, **page), error.status

    def _page(
        self,
        view: OfficeView,
        arguments: str,
        form: QueryForm,
        *,
        version: int | None = None,
        title: str = "",
    ) -> str:
        actor = current_actor()
        menu_endpoint(f"{view.endpoint}.list")
        add_crumb(title or gettext("Save as a query"))
        pairs, stale = known_and_stale(view.spec, arguments)
        query = ListQuery(view.spec, true(), Arguments(pairs))
        labels = {column.key: str(column.label) for column in view.columns}
        chosen = [
            Sharing.MINE,
            *([Sharing.UNIT] if actor.unit_id is not None else []),
            *([Sharing.EVERYONE] if actor.holds("saved_query", "share") else []),
        ]
        return self.render_template(
            "saved_query/form.html",
            title=title or gettext("Save as a query"),
            list_title=str(view.title),
            form=form,
            version=version,
            conditions=[chip.label for chip in query.chips()],
            order=[(labels.get(each.key, each.key), each.descending) for each in query.order]
            if dict(pairs).get("sort")
            else [],
            stale=stale,
            sharings=[(sharing, gettext(sharing.label)) for sharing in chosen],
            back_href=view.list_path() + (f"?{query_string(pairs)}" if pairs else ""),
        )


def _view_of(list_key: str) -> OfficeView:
    """The list of that key. Raises `NotFound` for one there is not, or that the reader may not open."""
    view = lists().get(list_key)
    if view is None:
        raise NotFound
    return view


def _checked(view: OfficeView, text: str) -> str:
    """The arguments as the list understands them. Raises `InvalidInput` for what it does not."""
    try:
        pairs = arguments_of(text)
    except ValueError:
        raise InvalidInput({}, "These conditions cannot be read.") from None
    query = ListQuery(view.spec, true(), Arguments(pairs))
    query.require()
    return query_string(pairs)


def _sharing(text: str) -> Sharing:
    try:
        return Sharing(text)
    except ValueError:
        raise InvalidInput({}, "Say with whom the query is shared.") from None
