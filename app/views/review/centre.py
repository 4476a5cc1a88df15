"""任务中心: 待办, 已办, 我发起的 and 抄送我的 over all document kinds, one tab each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_, select
from sqlalchemy.orm import aliased, joinedload

from app.access import policy
from app.core.enums import Light
from app.core.errors import NotFound
from app.core.flow import Box, RunState, TaskState, Verb
from app.core.workdays import end_of_day, today_in_china
from app.core.xlsx import ColumnKind
from app.models.base import utcnow
from app.models.flow import CopyTo, FlowRun, FlowStep, Task
from app.models.user import AppUser
from app.services import review
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import (
    AmountRange,
    ChoiceField,
    Column,
    DateRange,
    OfficeView,
    ScopedInterface,
    SearchField,
    enum_choice,
)
from app.views.base.cells import (
    DaysLeftColumn,
    DeadlineColumn,
    LampColumn,
    calendar,
    due_soon_days,
    lamp,
    light_of,
)
from app.views.base.columns import Labels
from app.views.base.listing import Listing
from app.views.base.search import Options
from app.views.review.bulk import ApprovesTogether
from app.views.review.lists import CODE, SEARCH, STEP, TITLE, UNIT, amount_column, steps_of
from app.views.review.marks import DECISION, STEP_OF_TASK
from app.views.review.tasks import number_of
from app.views.shell import also_count
from app.workflow.registry import registered


@dataclass(frozen=True)
class KindColumn(Column):
    """The kind of a document, by the name its registry entry bears."""

    def text(self, value: Any, labels: Labels) -> Any:
        kinds = registered()
        return gettext(kinds[value].label) if value in kinds else value

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return Markup('<span class="badge bg-blue-lt">%s</span>') % self.text(value, labels)


@dataclass(frozen=True)
class WordedLamp(LampColumn):
    """The light of a deadline with its word beside it."""

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return _worded(light_of(value))


@dataclass(frozen=True)
class KeptLamp(Column):
    """Whether a task was done in time: `expression` is its light."""

    def text(self, value: Any, labels: Labels) -> Any:
        return _HOW_DONE[Light(value)]()

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        return _worded(Light(value), _HOW_DONE[Light(value)]())


@dataclass(frozen=True)
class ReadColumn(Column):
    """When a copy was opened; one that was not says so."""

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        if value is None:
            return Markup('<span class="badge bg-red-lt">%s</span>') % gettext("Unread")
        return super().cell(value, labels)


@dataclass(frozen=True)
class OpenedTitle(Column):
    """The title of a copy as a button that opens its document, bold while unread: `expression` is the copy's
    id, whether it was read, and the title."""

    @property
    def sort_expression(self) -> ColumnElement[Any]:
        title: ColumnElement[Any] = FlowRun.title.expression
        return title

    def text(self, value: Any, labels: Labels) -> Any:
        return value.split(_BETWEEN, 2)[2]

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        pk, read, title = value.split(_BETWEEN, 2)
        return Markup(
            '<button class="btn btn-link p-0 text-start text-wrap {weight}" form="copy-open" '
            'formaction="{href}">{title}</button>'
        ).format(
            weight="fw-normal" if read else "fw-bold",
            href=url_for("TaskCopiedView.open", pk=pk),
            title=title,
        )


_BETWEEN = "\x1f"
"""Parts the values that one column carries; no text that people type holds it (core/text.py)."""

_HOW_DONE: dict[Light, Callable[[], str]] = {
    Light.GREEN: lambda: gettext("In time"),
    Light.RED: lambda: gettext("Late"),
    Light.GREY: lambda: gettext("No limit"),
}


def _worded(light: Light, words: str = "") -> Markup:
    return Markup('<span class="nowrap">%s<span class="ms-2">%s</span></span>') % (
        lamp(light),
        words or gettext(light.label),
    )


def _kinds() -> Sequence[tuple[str, str]]:
    return [(kind, gettext(entry.label)) for kind, entry in registered().items()]


def _known_kind(text: str) -> str:
    if text not in registered():
        raise ValueError(text)
    return text


def _lights(*shown: Light) -> Options:
    return lambda: [(light.value, gettext(light.label)) for light in shown]


def _with_light(due_at: Any) -> Callable[[list[Any]], ColumnElement[bool]]:
    """Rows whose deadline shows one of the lights, by the very rule that draws the lamp (`light_of`)."""

    def condition(chosen: list[Any]) -> ColumnElement[bool]:
        now = utcnow()
        # Not amber any more from the end of the working day after the last one that is "soon".
        amber = end_of_day(calendar().add(today_in_china(now), due_soon_days() + 1))
        of_light = {
            Light.GREY: due_at.is_(None),
            Light.RED: due_at <= now,
            Light.AMBER: and_(due_at > now, due_at < amber),
            Light.GREEN: and_(due_at > now, due_at >= amber),
        }
        return or_(*(of_light[light] for light in chosen))

    return condition


def _done_in(chosen: list[Any]) -> ColumnElement[bool]:
    return _KEPT.in_([light.value for light in chosen])


_KEPT = case(
    (Task.due_at.is_(None), literal(Light.GREY.value)),
    (Task.done_at > Task.due_at, literal(Light.RED.value)),
    else_=literal(Light.GREEN.value),
)
"""The light of a task that is done: whether it was done within its limit."""

_open_task = aliased(Task)
_holder = aliased(AppUser)
_sender = aliased(AppUser)
# An expression, so that SQLite looks at the few tasks of one run and not at all open ones by their deadline.
_OPEN_AT_RUN = and_(
    _open_task.run_id == FlowRun.id,
    func.coalesce(cast(_open_task.state, String), "") == TaskState.OPEN.value,
)
_RUN_DUE = select(func.min(_open_task.due_at)).where(_OPEN_AT_RUN).correlate(FlowRun).scalar_subquery()
"""The earliest deadline at a run: empty while it is with its unit, whose time is not counted."""
_WITH = (
    select(func.aggregate_strings(_holder.last_name + _holder.first_name, "、"))
    .select_from(_open_task)
    .join(_holder, _holder.id == _open_task.user_id)
    .where(_OPEN_AT_RUN)
    .correlate(FlowRun)
    .scalar_subquery()
)
_SENDER = (
    select(_sender.last_name + _sender.first_name)
    .where(_sender.id == CopyTo.by_id)
    .correlate(CopyTo)
    .scalar_subquery()
)

_KIND = KindColumn("kind", lazy_gettext("Kind of document"), FlowRun.document_kind, nowrap=True)
_AMOUNT = amount_column(lazy_gettext("Amount (10,000 yuan)"), lazy_gettext("Amount (yuan)"))
_STATE = Column("state", lazy_gettext("Review"), FlowRun.state, enum=RunState)
_LIGHT = lazy_gettext("Light")
_OPEN_LIGHTS = _lights(Light.RED, Light.AMBER, Light.GREEN, Light.GREY)


_OPENED = OpenedTitle(
    "title",
    lazy_gettext("Project title"),
    cast(CopyTo.id, String)
    + _BETWEEN
    + case((CopyTo.read_at.is_(None), ""), else_="1")
    + _BETWEEN
    + FlowRun.title,
    css="title",
    width=40,
)


def _moment(key: str, label: Any, expression: Any) -> Column:
    return Column(key, label, expression, kind=ColumnKind.DATETIME, css="date")


def _days(name: str, label: Any, column: Any, *, primary: bool = False) -> DateRange:
    return DateRange(name, label, column=column, moment=True, primary=primary)


def _light_field(due_at: Any) -> ChoiceField:
    return ChoiceField("light", _LIGHT, options=_OPEN_LIGHTS, where=_with_light(due_at), convert=Light)


def _read_states() -> Sequence[tuple[str, str]]:
    return [("unread", gettext("Unread")), ("read", gettext("Read"))]


def _read_state(text: str) -> str:
    if text not in ("unread", "read"):
        raise ValueError(text)
    return text


def _read_or_not(states: list[str]) -> ColumnElement[bool]:
    unread = CopyTo.read_at.is_(None)
    return or_(*(unread if state == "unread" else ~unread for state in states))


_KIND_FIELD = ChoiceField(
    "kind",
    lazy_gettext("Kind of document"),
    options=_kinds,
    where=lambda kinds: review.of_kinds(kinds),
    convert=_known_kind,
)
_SEARCH: tuple[SearchField, ...] = (
    *SEARCH,
    _KIND_FIELD,
    ChoiceField("step", lazy_gettext("Step"), column=FlowStep.code, options=steps_of()),
)
_AMOUNT_RANGE = AmountRange("amount", lazy_gettext("Amount (yuan)"), column=FlowRun.amount, primary=False)


def _state_field(*, primary: bool = False) -> ChoiceField:
    return enum_choice("state", lazy_gettext("Review"), FlowRun.state, RunState, primary=primary)


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
        WordedLamp("light", _LIGHT, Task.due_at, sortable=False),
        _KIND,
        TITLE,
        CODE,
        UNIT,
        STEP_OF_TASK,
        _AMOUNT,
        _moment("arrived", lazy_gettext("Arrived"), Task.arrived_at),
        DeadlineColumn("due", lazy_gettext("Due on"), Task.due_at, kind=ColumnKind.DATE, css="date"),
        DaysLeftColumn(
            "left", lazy_gettext("Time left"), Task.due_at, kind=ColumnKind.INTEGER, sortable=False
        ),
    )
    fields = (
        *_SEARCH,
        _light_field(Task.due_at),
        _AMOUNT_RANGE,
        _days("arrived", lazy_gettext("Arrived"), Task.arrived_at),
        _days("due", lazy_gettext("Due on"), Task.due_at),
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
        KeptLamp("light", lazy_gettext("Done in time"), _KEPT, sortable=False),
        _KIND,
        TITLE,
        CODE,
        UNIT,
        STEP,
        # Not summed: a document that was dealt with twice stands here twice.
        replace(_AMOUNT, total=False),
        DECISION,
        _moment("done", lazy_gettext("Dealt with at"), Task.done_at),
        _STATE,
    )
    fields = (
        *_SEARCH,
        _state_field(primary=True),
        ChoiceField(
            "light",
            lazy_gettext("Done in time"),
            options=lambda: [(light.value, words()) for light, words in _HOW_DONE.items()],
            where=_done_in,
            convert=Light,
            primary=False,
        ),
        enum_choice("decision", lazy_gettext("My decision"), Task.decision, Verb, primary=False),
        _AMOUNT_RANGE,
        _days("done", lazy_gettext("Dealt with at"), Task.done_at),
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
        WordedLamp("light", _LIGHT, _RUN_DUE, sortable=False),
        _KIND,
        TITLE,
        CODE,
        UNIT,
        _STATE,
        STEP,
        Column("with", lazy_gettext("Now with"), _WITH, sortable=False),
        DeadlineColumn("due", lazy_gettext("Due on"), _RUN_DUE, kind=ColumnKind.DATE, css="date"),
        _AMOUNT,
        _moment("started", lazy_gettext("Submitted at"), FlowRun.started_at),
        _moment("finished", lazy_gettext("Finished at"), FlowRun.finished_at),
    )
    fields = (
        *_SEARCH,
        _state_field(primary=True),
        replace(_light_field(_RUN_DUE), primary=False),
        _AMOUNT_RANGE,
        _days("started", lazy_gettext("Submitted at"), FlowRun.started_at),
        _days("finished", lazy_gettext("Finished at"), FlowRun.finished_at),
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
        _KIND,
        _OPENED,
        CODE,
        UNIT,
        _STATE,
        STEP,
        WordedLamp("light", _LIGHT, _RUN_DUE, sortable=False),
        _AMOUNT,
        Column("sender", lazy_gettext("Sent by"), _SENDER, sortable=False),
        _moment("copied", lazy_gettext("Sent at"), CopyTo.at),
    )
    fields = (
        *_SEARCH,
        ChoiceField(
            "read", lazy_gettext("Read"), options=_read_states, where=_read_or_not, convert=_read_state
        ),
        _state_field(),
        replace(_light_field(_RUN_DUE), primary=False),
        _AMOUNT_RANGE,
        _days("copied", lazy_gettext("Sent at"), CopyTo.at),
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
