"""The base classes of every generated view: Flask-AppBuilder's ModelView with its holes closed, once.

Subclasses say what is shown; scope, permission, filters, sorting, paging, export and refusals are here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from flask import (
    Response,
    abort,
    after_this_request,
    current_app,
    jsonify,
    redirect,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_appbuilder import ModelView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext
from sqlalchemy import ColumnElement, true

from app.access import policy
from app.services import export, list_preference
from app.services.list_preference import Kept, Personal, Preference
from app.services.recall import recalled
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base.address import Address
from app.views.base.builder import ListingBuilder
from app.views.base.bulk import MOST_AT_ONCE, ticked
from app.views.base.columns import Column
from app.views.base.dictionaries import labels
from app.views.base.head import HeadBuilder, tree_items
from app.views.base.listing import Listing, PageAction, RowAction, preferred
from app.views.base.once import once
from app.views.base.query import PAGE_SIZES, SAVED, ListQuery, ListSpec
from app.views.base.saved import address_of
from app.views.base.search import Arguments, SearchField
from app.views.base.several import SeveralRows
from app.views.base.units import ARGUMENT, Forest, UnitField, reaches_several, read_forest, unit_column_of
from app.views.places import note_place
from app.views.redirects import local_address
from app.views.workbook import send

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class OfficeView(SeveralRows, ModelView):
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
    unit_column: Any = None
    """What ties a row to a unit, found from the joins and the model; a list that has one gets a tree."""
    has_units: ClassVar[bool] = True

    include_route_methods: set[str] = {"list", "export", "save_columns"}
    # Nothing is generated from all columns: what is shown is named, so that no new column appears by chance.
    search_columns: list[str] = []

    method_permission_name: dict[str, str] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "route_base" not in cls.__dict__:  # WorkOrderView is at /work-order
            cls.route_base = "/" + _WORDS.sub("-", cls.__name__.removesuffix("View")).lower()

    def __init__(self, **kwargs: Any) -> None:
        self.class_permission_name = self.noun
        if self.unit_column is None and self.has_units:
            self.unit_column = unit_column_of(self.datamodel.obj, self.joins)
        if self.unit_column is not None:
            routes = {*self.include_route_methods, "unit_tree", "unit_counts"}
            self.include_route_methods = routes
        self.method_permission_name = {
            "list": self.list_verb,
            "export": self.export_verb or self.list_verb,
            "save_columns": self.list_verb,
            "unit_tree": self.list_verb,
            "unit_counts": self.list_verb,
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
        fields = [*self.fields]
        if self.unit_column is not None:
            fields.append(UnitField(column=self.unit_column, forest=self.forest))
        return ListSpec(
            self.datamodel.obj, self.columns, fields, self.joins, self.default_sort, self.page_size
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

    def list_query(self, verb: str, without: Sequence[str] = ()) -> ListQuery:
        """This request's query over the rows with which the actor may do `verb`."""
        condition = self.scope(verb) & self.restriction()
        args = Arguments(
            (name, value) for name, value in request.args.items(multi=True) if name not in without
        )
        size = self.preference().page_size or self.page_size
        return ListQuery(self.spec, condition, args, size)

    @property
    def list_key(self) -> str:
        """Under which key the reader's columns and queries are kept."""
        return type(self).__name__

    def list_path(self) -> str:
        """The list's own address."""
        return url_for(f"{self.endpoint}.list")

    def preference(self) -> Preference:
        """What the reader chose for this list; the columns of the saved query that is open come first."""
        kept = self._personal().preference
        opened = self._opened(request.args.get(SAVED))
        return replace(kept, columns=opened.columns) if opened and opened.columns else kept

    def saved_queries(self) -> Sequence[Kept]:
        """The saved queries of this list that the reader may use."""
        return self._personal().queries

    def _personal(self) -> Personal:
        """What the reader has for this list, read once per request."""
        session, actor = current_session(), current_actor()
        return once(
            ("personal", self.list_key), lambda: list_preference.personal(session, actor, self.list_key)
        )

    def _opened(self, number: str | int | None) -> Kept | None:
        if not number:
            return None
        return next((each for each in self.saved_queries() if str(each.id) == str(number)), None)

    def forest(self) -> Forest:
        """The tree of the units that have rows in the scope of this list, whatever it shows of them: its
        restriction may be dear, and the figures beside the units follow it."""
        actor, session = current_actor(), current_session()

        def read() -> Forest:
            query = ListQuery(self.spec, self.scope(self.list_verb), Arguments())
            return read_forest(session, actor, (self.noun, self.list_verb), query, self.unit_column)

        key = ("forest", self.list_key, actor.reach)
        return once(key, lambda: recalled(session, key, read))

    def _has_near_units(self) -> bool:
        """May the tree be asked for with the page? Where the rows themselves name their unit it is cheap, and
        where the reader's scope is one unit there are few rows; elsewhere it is fetched once it is seen."""
        if self.unit_column.class_ is self.datamodel.obj:
            return True
        return not reaches_several(current_session(), current_actor(), (self.noun, self.list_verb))

    def _arrive(self) -> None:
        """Open the list with the reader's own query, or with the one that the address only names."""
        if request.args and set(request.args) != {SAVED}:
            return
        number = request.args.get(SAVED) or self.preference().saved_query_id
        if kept := self._opened(number):
            address = address_of(self.list_path(), self.spec, kept)
            if address != f"{self.list_path()}?{SAVED}={request.args.get(SAVED)}":
                abort(redirect(address))

    def listing(self) -> Listing:
        """The list page's view model."""
        self._arrive()
        actor, path = current_actor(), self.list_path()
        query, preference = self.list_query(self.list_verb), self.preference()
        if query.problems:
            after_this_request(_refused)
        else:
            note_place(path)
        address = Address.of(path, request.args.items(multi=True))
        tree = self.unit_column is not None
        asked: dict[str, Any] = request.args.to_dict(flat=False)
        builder = ListingBuilder(
            query=query,
            actor=actor,
            labels=labels() if any(column.dictionary for column in self.columns) else {},
            address=address,
            head=HeadBuilder(
                query=query,
                address=address,
                preference=preference,
                saved=self.saved_queries,
                list_key=self.list_key,
                forest=self.forest if tree else None,
                near_units=self._has_near_units,
                endpoint=self.endpoint,
            ),
            preference=preference,
            row_actions=self.row_actions,
            bulk_actions=[action for action in self.bulk_actions if actor.holds(self.noun, action.verb)],
            show_endpoint=self.show_endpoint,
        )
        listing = builder.build(str(self.title), self.subtitle)
        if self.export_verb and actor.holds(self.noun, self.export_verb):
            listing.export_href = url_for(f"{self.endpoint}.export", **asked)
        if listing.bulk:
            listing.bulk_all = min(self.most_at_once, MOST_AT_ONCE)
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

    @expose("/export", methods=["GET", "POST"])
    @has_access
    @permission_name("export")
    def export(self) -> ResponseReturnValue:
        """Exactly the filtered rows and chosen columns, as a workbook; of the ticked rows, when some are."""
        actor, session = current_actor(), current_session()
        query = self.list_query(self.export_verb or self.list_verb)
        query.require()
        if request.method == "POST":
            query.narrow_to(ticked(query, session))
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
        return send(written, str(self.title))

    @expose("/columns", methods=["POST"])
    @has_access
    @permission_name("list")
    def save_columns(self) -> ResponseReturnValue:
        """Keep the reader's columns, their order and the height of rows, or how many rows a page shows."""
        return self.keep_preference()

    def keep_preference(self) -> ResponseReturnValue:
        """What `save_columns` does, for views that guard it otherwise."""
        actor, form = current_actor(), request.form
        back = local_address(form.get("next"), self.list_path())
        if "page_size" in form:
            sizes = [size for size in PAGE_SIZES if str(size) == form["page_size"]]
            list_preference.save_page_size(actor, self.list_key, *(sizes or [self.page_size]))
            return redirect(back)
        back = self._without_columns_of_query(back)
        known = {column.key for column in self.columns}
        chosen = [key for key in form.getlist("columns") if key in known]
        reset = "reset" in form
        list_preference.save_columns(
            actor, self.list_key, [] if reset else chosen, dense="dense" in form and not reset
        )
        return redirect(back)

    def _without_columns_of_query(self, back: str) -> str:
        """The way back without a saved query that has columns of its own, which would hide these."""
        parts = urlsplit(back)
        address = Address.of(parts.path, parse_qsl(parts.query))
        opened = self._opened(dict(address.pairs).get(SAVED))
        return address.without((SAVED,)) if opened and opened.columns else back

    @expose("/units")
    @has_access
    @permission_name("list")
    def unit_tree(self) -> ResponseReturnValue:
        """The whole tree of units, for a list whose tree is too large to be sent with each page."""
        return Response(tree_items(self.forest(), Arguments(request.args)))

    @expose("/unit-counts")
    @has_access
    @permission_name("list")
    def unit_counts(self) -> ResponseReturnValue:
        """How many rows each unit and all below it have under the list's other conditions."""
        query = self.list_query(self.list_verb, without=(ARGUMENT,))
        session = current_session()

        def read() -> dict[str, int]:
            counts = self.forest().rolled_up(query.per_value(session, self.unit_column))
            return {str(unit_id): count for unit_id, count in counts.items()}

        key = ("unit_counts", self.list_key, current_actor().reach, query.narrowed)
        return jsonify(recalled(session, key, read))


def _refused(response: Response) -> Response:
    """The page of a list whose conditions cannot all be read: shown, but an error to programs."""
    response.status_code = 400
    return response
