"""The base classes of every generated view: Flask-AppBuilder's ModelView with its holes closed, once.

Subclasses say what is shown; scope, permission, filters, sorting, paging, export and refusals are here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from flask import current_app, g, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import ModelView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext
from sqlalchemy import ColumnElement, true

from app.access import policy
from app.core import download
from app.models.dictionary import ListPreference
from app.services import export, list_preference
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base.columns import Column
from app.views.base.dictionaries import labels
from app.views.base.listing import Listing, ListingBuilder, PageAction, RowAction, preferred
from app.views.base.query import ListQuery, ListSpec
from app.views.base.search import Arguments, SearchField
from app.views.redirects import local_address

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class OfficeView(ModelView):
    """A list with search, chips, columns, sums, row and bulk actions, and Excel export.

    `noun` is the policy's noun and Flask-AppBuilder's permission class; `list_verb` and `export_verb` are
    the verbs whose scope the list and its export show. Everything Flask-AppBuilder would open by itself
    (add, edit, delete, download, actions) is closed unless a subclass opens it.
    """

    noun: ClassVar[str]
    title: ClassVar[Any]
    columns: ClassVar[Sequence[Column]] = ()
    fields: ClassVar[Sequence[SearchField]] = ()
    joins: ClassVar[Sequence[Any]] = ()
    default_sort: ClassVar[str] = "-id"
    list_verb: ClassVar[str] = "read"
    export_verb: ClassVar[str | None] = "export"
    row_actions: ClassVar[Sequence[RowAction]] = ()
    bulk_actions: ClassVar[Sequence[RowAction]] = ()
    page_actions: ClassVar[Sequence[PageAction]] = ()
    show_endpoint: ClassVar[str | None] = None
    list_template = "list/list.html"

    include_route_methods: ClassVar[set[str]] = {"list", "export", "save_columns"}
    # Nothing is generated from all columns: what is shown is named, so that no new column appears by chance.
    search_columns: list[str] = []

    method_permission_name: dict[str, str] | None = None

    def __init__(self, **kwargs: Any) -> None:
        self.class_permission_name = self.noun
        self.method_permission_name = {
            "list": self.list_verb,
            "export": self.export_verb or self.list_verb,
            "save_columns": self.list_verb,
            **(self.method_permission_name or {}),
        }
        self.base_permissions = sorted({f"can_{verb}" for verb in self.method_permission_name.values()})
        self.list_title = self.title  # else Flask-AppBuilder makes one up and puts it over the title
        key = self.datamodel.get_pk_name()
        self.list_columns = self.add_columns = self.edit_columns = self.show_columns = [key]
        self.search_columns = [key]
        super().__init__(**kwargs)

    def _init_titles(self) -> None:
        """Flask-AppBuilder would make titles of class names, in English."""

    @property
    def spec(self) -> ListSpec:
        """The list as data."""
        return ListSpec(
            self.datamodel.obj, self.columns, self.fields, self.joins, self.default_sort, self.page_size
        )

    def restriction(self) -> ColumnElement[bool]:
        """What this list shows of the rows in scope; all by default."""
        return true()

    def scope(self, verb: str) -> ColumnElement[bool]:
        """The rows with which the actor may do `verb`."""
        return policy.criterion(current_actor(), self.datamodel.obj, verb)

    def subtitle(self, total: int, sums: Mapping[str, Decimal]) -> str:
        """The line under the title: how many rows, and the sums of the columns that total, in yuan."""
        return gettext("%(total)s rows", total=f"{total:,}")

    def list_query(self, verb: str) -> ListQuery:
        """This request's query over the rows with which the actor may do `verb`."""
        condition = self.scope(verb) & self.restriction()
        preference = self.preference()
        size = preference.page_size if preference and preference.page_size else self.page_size
        return ListQuery(self.spec, condition, Arguments(request.args), size)

    @property
    def list_key(self) -> str:
        """Under which key the reader's columns are kept."""
        return type(self).__name__

    def preference(self) -> ListPreference | None:
        """What the reader chose for this list, read once per request."""
        kept: dict[str, ListPreference | None] = g.setdefault("list_preferences", {})
        if self.list_key not in kept:
            kept[self.list_key] = list_preference.of(current_session(), current_actor(), self.list_key)
        return kept[self.list_key]

    def listing(self) -> Listing:
        """The list page's view model."""
        actor = current_actor()
        endpoint = f"{self.endpoint}.list"
        builder = ListingBuilder(
            query=self.list_query(self.list_verb),
            actor=actor,
            labels=labels(),
            endpoint=endpoint,
            preference=self.preference(),
            row_actions=self.row_actions,
            bulk_actions=[action for action in self.bulk_actions if actor.holds(self.noun, action.verb)],
            show_endpoint=self.show_endpoint,
        )
        listing = builder.build(str(self.title), self.subtitle)
        if self.export_verb and actor.holds(self.noun, self.export_verb):
            arguments: dict[str, Any] = request.args.to_dict(flat=False)
            listing.export_href = url_for(f"{self.endpoint}.export", **arguments)
        listing.column_action_href = url_for(f"{self.endpoint}.save_columns")
        listing.actions = [
            {
                "label": str(action.label),
                "href": url_for(action.endpoint),
                "icon": action.icon,
                "primary": action.primary,
            }
            for action in self.page_actions
            if actor.holds(action.noun, action.verb) and action.endpoint in current_app.view_functions
        ]
        return listing

    @expose("/list/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """The list page."""
        return self.render_template(self.list_template, listing=self.listing(), title=str(self.title))

    @expose("/export")
    @has_access
    @permission_name("export")
    def export(self) -> ResponseReturnValue:
        """Exactly the filtered rows and chosen columns, as a workbook."""
        actor, session = current_actor(), current_session()
        query = self.list_query(self.export_verb or self.list_verb)
        columns = [column for column, shown in preferred(self.columns, self.preference()) if shown]
        known = labels()
        readers = [column.reader(known) for column in columns]
        rows = (
            [read(row[place]) for place, read in enumerate(readers, start=1)]
            for row in query.stream(session, columns)
        )
        written = export.workbook(
            actor,
            noun=self.noun,
            title=str(self.title),
            columns=[column.exported() for column in columns],
            rows=rows,
            total_label=gettext("Total"),
            criteria=request.query_string.decode(errors="replace"),
        )
        response = send_file(written.file, mimetype=EXCEL)
        response.headers.update(download.headers(f"{self.title}.xlsx", written.size))
        response.headers["X-Rows"] = str(written.count)
        return response

    @expose("/columns", methods=["POST"])
    @has_access
    @permission_name("list")
    def save_columns(self) -> ResponseReturnValue:
        """Keep the reader's columns and their order for this list."""
        known = {column.key for column in self.columns}
        chosen = (
            []
            if "reset" in request.form
            else [key for key in request.form.getlist("columns") if key in known]
        )
        list_preference.save(current_actor(), self.list_key, chosen)
        return redirect(local_address(request.form.get("next"), url_for(f"{self.endpoint}.list")))
