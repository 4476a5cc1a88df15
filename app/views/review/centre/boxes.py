"""任务中心: 待办, 已办, 我发起的 and 抄送我的 over all document kinds, one tab each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement
from sqlalchemy.orm import joinedload

from app.access import policy
from app.core.enums import Light
from app.core.errors import NotFound
from app.core.flow import Box, Verb
from app.core.xlsx import ColumnKind
from app.models.flow import CopyTo, FlowRun, Task
from app.services import review
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import (
    ChoiceField,
    Column,
    OfficeView,
    ScopedInterface,
    enum_choice,
)
from app.views.base.cells import (
    DaysLeftColumn,
    DeadlineColumn,
)
from app.views.base.listing import Listing
from app.views.review.bulk import ApprovesTogether
from app.views.review.centre.columns import (
    AMOUNT,
    HOW_DONE,
    KEPT,
    KIND,
    LIGHT,
    OPENED,
    RUN_DUE,
    SENDER,
    STATE,
    WITH,
    KeptLamp,
    ReadColumn,
    WordedLamp,
    moment,
)
from app.views.review.centre.fields import (
    AMOUNT_RANGE,
    EVERYWHERE,
    days,
    done_in,
    light_field,
    read_or_not,
    read_state,
    read_states,
    state_field,
)
from app.views.review.lists import CODE, STEP, TITLE, UNIT
from app.views.review.marks import DECISION, STEP_OF_TASK
from app.views.review.tasks import number_of
from app.views.shell import also_count


class _CentreView(OfficeView):
    """One box of the task centre."""

    noun = "task"
    box: ClassVar[Box]
    list_template = "review/centre.html"
    list_verb = "read"
    export_verb = "read"
    empty_text: ClassVar[Any] = ""

    def scope(self, verb: str) -> ColumnElement[bool]:
        """The box, which is narrower than what the actor may read: what is his own affair."""
        return review.box_criterion(current_actor(), self.box)

    def boxes(self) -> list[Box]:
        """The boxes the actor may open."""
        return [box for box in _VIEWS if box is not Box.TODO or current_actor().holds("task", "act")]

    def listing(self) -> Listing:
        actor = current_actor()
        # Before anything is drawn: the shell counts once for the page.
        also_count(**{f"box.{box.value}": review.box_count_query(actor, box) for box in self.boxes()})
        listing = super().listing()
        listing.empty_text = str(self.empty_text)
        return listing

    def render_template(self, template: str, **kwargs: Any) -> str:
        tabs = [
            {
                "href": url_for(f"{_VIEWS[box]}.list"),
                "label": gettext(box.label),
                "count": f"box.{box.value}",
                "unread": box is Box.COPIED,
                "active": box is self.box,
            }
            for box in self.boxes()
        ]
        return super().render_template(template, tabs=tabs, **kwargs)


class TaskTodoView(ApprovesTogether, _CentreView):
    """待办: what waits for me, whatever it is, the most urgent first."""

    datamodel = ScopedInterface(Task)
    box = Box.TODO
    title = lazy_gettext("To do")
    route_base = "/task/todo"
    list_verb = "act"
    export_verb = "act"
    joins = (Task.run, Task.step, FlowRun.unit)
    default_sort = "due"
    show_endpoint = "ReviewView.task"
    empty_text = lazy_gettext("Nothing waits for you. What arrives is told by a message.")
    columns = (
        WordedLamp("light", LIGHT, Task.due_at, sortable=False),
        KIND,
        TITLE,
        CODE,
        UNIT,
        STEP_OF_TASK,
        AMOUNT,
        moment("arrived", lazy_gettext("Arrived"), Task.arrived_at),
        DeadlineColumn("due", lazy_gettext("Due on"), Task.due_at, kind=ColumnKind.DATE, css="date"),
        DaysLeftColumn(
            "left", lazy_gettext("Time left"), Task.due_at, kind=ColumnKind.INTEGER, sortable=False
        ),
    )
    fields = (
        *EVERYWHERE,
        light_field(Task.due_at),
        AMOUNT_RANGE,
        days("arrived", lazy_gettext("Arrived"), Task.arrived_at),
        days("due", lazy_gettext("Due on"), Task.due_at),
    )


class TaskDoneView(_CentreView):
    """已办: what I dealt with, on its way or finished; whether in time."""

    datamodel = ScopedInterface(Task)
    box = Box.DONE
    title = lazy_gettext("Done")
    route_base = "/task/done"
    joins = (Task.run, Task.step, FlowRun.unit)
    default_sort = "-done"
    show_endpoint = "ReviewView.task"
    empty_text = lazy_gettext("You have not dealt with anything yet.")
    columns = (
        KeptLamp("light", lazy_gettext("Done in time"), KEPT, sortable=False),
        KIND,
        TITLE,
        CODE,
        UNIT,
        STEP,
        # Not summed: a document that was dealt with twice stands here twice.
        replace(AMOUNT, total=False),
        DECISION,
        moment("done", lazy_gettext("Dealt with at"), Task.done_at),
        STATE,
    )
    fields = (
        *EVERYWHERE,
        state_field(primary=True),
        ChoiceField(
            "light",
            lazy_gettext("Done in time"),
            options=lambda: [(light.value, words()) for light, words in HOW_DONE.items()],
            where=done_in,
            convert=Light,
            primary=False,
        ),
        enum_choice("decision", lazy_gettext("My decision"), Task.decision, Verb, primary=False),
        AMOUNT_RANGE,
        days("done", lazy_gettext("Dealt with at"), Task.done_at),
    )


class TaskStartedView(_CentreView):
    """我发起的: what I submitted, where it stands and who has it now."""

    datamodel = ScopedInterface(FlowRun)
    box = Box.STARTED
    title = lazy_gettext("Started by me")
    route_base = "/task/started"
    include_route_methods: set[str] = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    joins = (FlowRun.current_step, FlowRun.unit)
    default_sort = "-started"
    show_endpoint = "TaskStartedView.show"
    empty_text = lazy_gettext("You have not submitted anything yet.")
    columns = (
        WordedLamp("light", LIGHT, RUN_DUE, sortable=False),
        KIND,
        TITLE,
        CODE,
        UNIT,
        STATE,
        STEP,
        Column("with", lazy_gettext("Now with"), WITH, sortable=False),
        DeadlineColumn("due", lazy_gettext("Due on"), RUN_DUE, kind=ColumnKind.DATE, css="date"),
        AMOUNT,
        moment("started", lazy_gettext("Submitted at"), FlowRun.started_at),
        moment("finished", lazy_gettext("Finished at"), FlowRun.finished_at),
    )
    fields = (
        *EVERYWHERE,
        state_field(primary=True),
        replace(light_field(RUN_DUE), primary=False),
        AMOUNT_RANGE,
        days("started", lazy_gettext("Submitted at"), FlowRun.started_at),
        days("finished", lazy_gettext("Finished at"), FlowRun.finished_at),
    )

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To the document; its page checks the reader's scope."""
        statement = policy.scoped(current_actor(), FlowRun).where(FlowRun.id == pk)
        run = current_session().scalars(statement).one_or_none()
        if run is None:
            raise NotFound
        return redirect(go.address(run.document_kind, run.document_id))


class TaskCopiedView(_CentreView):
    """抄送我的: what I was shown for information. Opening one marks it as read, so it is opened by a POST."""

    datamodel = ScopedInterface(CopyTo)
    box = Box.COPIED
    title = lazy_gettext("Copied to me")
    route_base = "/task/copied"
    include_route_methods: set[str] = {"list", "export", "save_columns", "open", "mark_read"}
    method_permission_name = {"open": "read", "mark_read": "read"}
    joins = (CopyTo.run, FlowRun.current_step, FlowRun.unit)
    default_sort = "-copied"
    empty_text = lazy_gettext("Nobody has sent you a copy yet.")
    columns = (
        ReadColumn("read", lazy_gettext("Read at"), CopyTo.read_at, kind=ColumnKind.DATETIME, nowrap=True),
        KIND,
        OPENED,
        CODE,
        UNIT,
        STATE,
        STEP,
        WordedLamp("light", LIGHT, RUN_DUE, sortable=False),
        AMOUNT,
        Column("sender", lazy_gettext("Sent by"), SENDER, sortable=False),
        moment("copied", lazy_gettext("Sent at"), CopyTo.at),
    )
    fields = (
        *EVERYWHERE,
        ChoiceField("read", lazy_gettext("Read"), options=read_states, where=read_or_not, convert=read_state),
        state_field(),
        replace(light_field(RUN_DUE), primary=False),
        AMOUNT_RANGE,
        days("copied", lazy_gettext("Sent at"), CopyTo.at),
    )

    @expose("/open/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("open")
    def open(self, pk: int) -> ResponseReturnValue:
        """Mark the copy as read and go to its document."""
        actor = current_actor()
        statement = (
            policy.scoped(actor, CopyTo)
            .where(CopyTo.id == pk, CopyTo.user_id == actor.user_id)
            .options(joinedload(CopyTo.run))
        )
        copy = current_session().scalars(statement).one_or_none()
        if copy is None:
            raise NotFound
        address = go.address(copy.run.document_kind, copy.run.document_id)
        review.mark_copies_read(actor, [pk])
        return redirect(address)

    @expose("/mark-read", methods=["POST"])
    @has_access
    @permission_name("mark_read")
    def mark_read(self) -> ResponseReturnValue:
        """Mark the chosen copies as read, or all of them; ids of other people's change nothing."""
        chosen = None
        if "all" not in request.form:
            texts = request.form.getlist("rowid")
            chosen = [number for text in texts if (number := number_of(text)) is not None]
        count = review.mark_copies_read(current_actor(), chosen)
        flash(gettext("%(count)s copies marked as read.", count=count), "success")
        return redirect(url_for("TaskCopiedView.list"))

    def listing(self) -> Listing:
        listing = super().listing()
        listing.bulk = [
            {
                "label": gettext("Mark as read"),
                "href": url_for("TaskCopiedView.mark_read"),
                "confirm": "",
                "icon": "ti-checks",
                "name": "",
            }
        ]
        return listing


_VIEWS = {
    Box.TODO: TaskTodoView.__name__,
    Box.DONE: TaskDoneView.__name__,
    Box.STARTED: TaskStartedView.__name__,
    Box.COPIED: TaskCopiedView.__name__,
}
