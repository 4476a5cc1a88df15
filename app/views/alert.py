"""审核时限预警: three lamps on top, the open alerts beneath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, func, select

from app.access import policy
from app.access.rules import Granted
from app.core.enums import Light
from app.core.errors import NotFound
from app.core.flow import TaskState
from app.core.xlsx import ColumnKind
from app.models.alert import Alert, AlertKind
from app.models.flow import FlowRun, Task
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import alert, clock
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import Column, DateRange, OfficeView, ScopedInterface, TextField, enum_choice
from app.views.base.cells import DaysLeftColumn, DeadlineColumn, LightColumn, MobileColumn
from app.views.base.listing import Listing


def _green_count() -> int:
    """Open reviews within the same scope whose time limit is still far: they have no alert of their own."""
    actor = current_actor()
    within = Granted("alert", "read", unit=FlowRun.unit_id).criterion(actor) | (Task.user_id == actor.user_id)
    lit = select(Alert.id).where(Alert.target_id == Task.id, Alert.closed_at.is_(None))
    statement = (
        select(func.count())
        .select_from(Task)
        .join(FlowRun, FlowRun.id == Task.run_id)
        .where(Task.state == TaskState.OPEN, Task.due_at.is_not(None), within, ~lit.exists())
    )
    return current_session().scalar(statement) or 0


class AlertView(OfficeView):
    """The open alerts within the reader's scope, the most overdue first."""

    datamodel = ScopedInterface(Alert)
    noun = "alert"
    title = lazy_gettext("Review deadline alerts")
    # The export's scope is the granted one; one's own alerts of other units are shown but not taken along.
    export_verb = "read"
    list_template = "alert/list.html"
    include_route_methods = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    joins = (Alert.unit, Alert.user)
    default_sort = "due"
    show_endpoint = "AlertView.show"
    columns = (
        LightColumn("light", lazy_gettext("Light"), Alert.light),
        Column("title", lazy_gettext("Project title"), Alert.title, link=True),
        Column("code", lazy_gettext("Number"), Alert.code, nowrap=True),
        Column("kind", lazy_gettext("What is watched"), Alert.kind, enum=AlertKind, visible=False),
        Column("unit", lazy_gettext("Declaring unit"), Unit.short_name),
        DeadlineColumn("due", lazy_gettext("Due on"), Alert.due_at, kind=ColumnKind.DATE),
        DaysLeftColumn("left", lazy_gettext("Time left"), Alert.due_at, sortable=False),
        Column("user", lazy_gettext("Reviewer"), AppUser.last_name + AppUser.first_name, nowrap=True),
        MobileColumn("mobile", lazy_gettext("Mobile"), AppUser.mobile, nowrap=True),
        Column("notices", lazy_gettext("Times told"), Alert.notices, kind=ColumnKind.INTEGER),
        Column(
            "raised_at", lazy_gettext("Raised at"), Alert.raised_at, kind=ColumnKind.DATETIME, visible=False
        ),
    )
    fields = (
        TextField("q", lazy_gettext("Title or number"), columns=(Alert.title, Alert.code)),
        enum_choice("light", lazy_gettext("Light"), Alert.light, Light),
        enum_choice("kind", lazy_gettext("What is watched"), Alert.kind, AlertKind, primary=False),
        TextField("unit", lazy_gettext("Declaring unit"), columns=(Unit.name, Unit.short_name)),
        TextField("user", lazy_gettext("Reviewer"), columns=(AppUser.last_name + AppUser.first_name,)),
        DateRange("due", lazy_gettext("Due on"), column=Alert.due_at, moment=True),
    )

    def restriction(self) -> ColumnElement[bool]:
        return Alert.closed_at.is_(None)

    @expose("/list/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """The three lamps and the list."""
        counts: Mapping[Light, int] = alert.light_counts(current_actor())
        figures = {**counts, Light.GREEN: _green_count()}
        cards = [
            {
                "light": light,
                "label": label,
                "count": figures[light],
                "href": url_for("AlertView.list", light=light.value) if light is not Light.GREEN else None,
            }
            for light, label in (
                (Light.RED, gettext("Red · overdue")),
                (Light.AMBER, gettext("Yellow · due soon")),
                (Light.GREEN, gettext("Green · in time")),
            )
        ]
        return self.render_template(
            self.list_template,
            listing=self.listing(),
            cards=cards,
            calculated_at=clock.last_run_at("scan_reviews"),
            title=str(self.title),
        )

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To what the alert is about: the review page of whoever has the task, else the document."""
        statement = policy.scoped(current_actor(), Alert).where(Alert.id == pk)
        row: Any = current_session().scalars(statement).one_or_none()
        if row is None:
            raise NotFound
        if row.user_id == current_actor().user_id and row.task_id is not None:
            return redirect(go.address("task", row.task_id))
        return redirect(go.address(row.document_kind, row.document_id))

    def listing(self) -> Listing:
        listing = super().listing()
        listing.empty_text = gettext("No review is overdue or due soon.")
        return listing
