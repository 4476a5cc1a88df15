"""The three lists of a reviewer: to do, dealt with and still on the way, dealt with and finished."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from app.access import policy
from app.access.rules_task import known_to
from app.core.errors import DomainError, InvalidInput, NotFound, Problem
from app.core.flow import RunState, TaskState, Verb
from app.core.xlsx import ColumnKind
from app.models.declaration import Declaration
from app.models.flow import FlowRun, FlowStep, Task
from app.models.unit import Unit
from app.services import review
from app.services.review.acting import MOST_AT_ONCE
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import (
    AmountRange,
    ChoiceField,
    Column,
    DateRange,
    OfficeView,
    RowAction,
    ScopedInterface,
    TextField,
    enum_choice,
)
from app.views.base.cells import DaysLeftColumn, DeadlineColumn, LampColumn, bilingual, in_english
from app.views.base.listing import Listing
from app.views.errors import field_errors, translate
from app.views.review.tasks import NO_VERSION, number_of
from app.views.shell import menu_endpoint
from app.workflow.naming import step_name

_TITLE = Column("title", lazy_gettext("Project title"), FlowRun.title, link=True, css="title", width=40)
_CODE = Column("code", lazy_gettext("Number"), FlowRun.code, nowrap=True)
_UNIT = Column("unit", lazy_gettext("Declaring unit"), Unit.short_name, css="unit")
_AMOUNT = Column(
    "amount",
    lazy_gettext("Requested (10,000 yuan)"),
    FlowRun.amount,
    kind=ColumnKind.MONEY,
    total=True,
    wan=True,
    export_label=lazy_gettext("Requested amount (yuan)"),
)
_STEP = bilingual("step", lazy_gettext("Step"), FlowStep.name_zh, FlowStep.name_en)
_SEARCH = (
    TextField("q", lazy_gettext("Title or number"), columns=(FlowRun.title, FlowRun.code)),
    TextField("unit", lazy_gettext("Declaring unit"), columns=(Unit.name, Unit.short_name)),
)
_AMOUNT_RANGE = AmountRange("amount", lazy_gettext("Requested amount (yuan)"), column=FlowRun.amount)


def _steps() -> Sequence[tuple[str, str]]:
    """The steps of every version of the flow, once by code; the latest version names them."""
    rows = current_session().scalars(select(FlowStep).order_by(FlowStep.definition_id, FlowStep.seq))
    names = {step.code: step.name_en if in_english() else step.name_zh for step in rows}
    return list(names.items())


class ReviewTaskView(OfficeView):
    """申报项目审核: what waits for me, the most urgent first."""

    datamodel = ScopedInterface(Task)
    noun = "task"
    title = lazy_gettext("Review tasks")
    route_base = "/review/tasks"
    list_verb = "act"
    export_verb = "act"
    list_template = "review/tasks.html"
    include_route_methods = {"list", "export", "save_columns", "choose", "approve"}
    method_permission_name = {"choose": "act", "approve": "act"}
    joins = (Task.run, Task.step, FlowRun.unit)
    default_sort = "due"
    show_endpoint = "ReviewView.task"
    columns = (
        LampColumn("light", lazy_gettext("Light"), Task.due_at, sortable=False),
        _TITLE,
        _CODE,
        _UNIT,
        _STEP,
        _AMOUNT,
        Column("arrived", lazy_gettext("Arrived"), Task.arrived_at, kind=ColumnKind.DATETIME, css="date"),
        DeadlineColumn("due", lazy_gettext("Due on"), Task.due_at, kind=ColumnKind.DATE, css="date"),
        DaysLeftColumn(
            "left", lazy_gettext("Time left"), Task.due_at, kind=ColumnKind.INTEGER, sortable=False
        ),
    )
    fields = (
        *_SEARCH,
        ChoiceField("step", lazy_gettext("Step"), column=FlowStep.code, options=_steps),
        _AMOUNT_RANGE,
        DateRange("arrived", lazy_gettext("Arrived"), column=Task.arrived_at, moment=True, primary=False),
        DateRange("due", lazy_gettext("Due on"), column=Task.due_at, moment=True, primary=False),
    )
    bulk_actions = (
        RowAction(
            "approve", lazy_gettext("Approve the chosen ones"), "act", "ReviewTaskView.choose", "ti-checks"
        ),
    )

    def restriction(self) -> ColumnElement[bool]:
        return FlowRun.document_kind == Declaration.document_kind

    def listing(self) -> Listing:
        listing = super().listing()
        listing.empty_text = gettext("Nothing waits for you. What arrives is told by a message.")
        return listing

    @expose("/choose", methods=["POST"])
    @has_access
    @permission_name("choose")
    def choose(self) -> ResponseReturnValue:
        """The chosen tasks once more, with the opinion to be given on all; nothing is decided yet."""
        return self._bulk_page(self._chosen(request.form.getlist("rowid")))

    @expose("/approve", methods=["POST"])
    @has_access
    @permission_name("approve")
    def approve(self) -> ResponseReturnValue:
        """Approve the chosen tasks, each by itself; a page says of each what became of it."""
        wanted = [text.partition(".") for text in request.form.getlist("task")]
        tasks = self._readable([task_id for task_id, _, _ in wanted])
        opinion = request.form.get("opinion", "")
        # Before approving: the engine reads the tasks afresh, without what belongs to them.
        heads = {task.id: (task.run.code, task.run.title) for task in tasks}
        versions = [(int(task_id), number_of(version) or NO_VERSION) for task_id, _, version in wanted]
        try:
            results = review.approve_many(current_actor(), versions, opinion)
        except InvalidInput as error:
            texts = [text for found in field_errors(error).values() for text in found]
            return self._bulk_page(tasks, opinion, texts), 400
        menu_endpoint("ReviewTaskView.list")
        return self.render_template(
            "review/results.html",
            title=gettext("Approved together"),
            results=[self._told(result, *heads[result.task_id]) for result in results],
            done=sum(result.error is None for result in results),
            left=review.todo_count(current_actor()),
        )

    def _told(self, result: review.ItemResult, code: str, title: str) -> dict[str, object]:
        error = result.error
        words, ok = (_outcome(result.result), True) if result.result else (_why(error), False)
        href = url_for("ReviewView.task", pk=result.task_id)
        return {"code": code, "title": title, "words": words, "ok": ok, "href": href}

    def _bulk_page(self, tasks: Sequence[Task], opinion: str = "", errors: Sequence[str] = ()) -> str:
        menu_endpoint("ReviewTaskView.list")
        return self.render_template(
            "review/bulk.html",
            title=gettext("Approve together"),
            tasks=[(task, str(step_name(task.step))) for task in tasks],
            opinions=review.saved_opinions(current_actor()),
            opinion=opinion,
            errors=errors,
        )

    def _chosen(self, texts: Sequence[str]) -> Sequence[Task]:
        """The chosen tasks, all open to the actor; one that is not refuses them all (`NotFound`)."""
        return self._rows(texts, "act")

    def _readable(self, texts: Sequence[str]) -> Sequence[Task]:
        """The same, where some may have been dealt with meanwhile: that is told of each by itself."""
        return self._rows(texts, "read")

    def _rows(self, texts: Sequence[str], verb: str) -> Sequence[Task]:
        ids = {number for text in texts if (number := number_of(text)) is not None}
        if not 0 < len(ids) <= MOST_AT_ONCE or len(ids) != len(set(texts)):
            problem = Problem.of("Choose between 1 and %(limit)s tasks.", limit=MOST_AT_ONCE)
            raise InvalidInput({"rowid": [problem]})
        statement = (
            policy.scoped(current_actor(), Task, verb)
            .where(Task.id.in_(ids))
            .order_by(Task.due_at, Task.id)
            .options(joinedload(Task.run).joinedload(FlowRun.unit), joinedload(Task.step))
        )
        rows = current_session().scalars(statement).all()
        if len(rows) != len(ids):
            raise NotFound
        return rows


class HandledTaskView(OfficeView):
    """已办: what I dealt with and what is still on its way; the last step may be taken back while nobody
    has touched what followed."""

    datamodel = ScopedInterface(Task)
    noun = "task"
    title = lazy_gettext("Dealt with, still on the way")
    route_base = "/review/handled"
    list_verb = "read"
    export_verb = "read"
    list_template = "review/tasks.html"
    joins = (Task.run, Task.step, FlowRun.unit)
    default_sort = "-done"
    show_endpoint = "ReviewView.task"
    columns = (
        _TITLE,
        _CODE,
        _UNIT,
        _STEP,
        _AMOUNT,
        Column("decision", lazy_gettext("My decision"), Task.decision, enum=Verb, sortable=False),
        Column("done", lazy_gettext("Dealt with at"), Task.done_at, kind=ColumnKind.DATETIME, css="date"),
        Column("state", lazy_gettext("Review"), FlowRun.state, enum=RunState, sortable=False),
    )
    fields = (
        *_SEARCH,
        _AMOUNT_RANGE,
        DateRange("done", lazy_gettext("Dealt with at"), column=Task.done_at, moment=True, primary=False),
    )

    def restriction(self) -> ColumnElement[bool]:
        return (
            (FlowRun.document_kind == Declaration.document_kind)
            & (Task.state == TaskState.DONE)
            & FlowRun.state.in_((RunState.RUNNING, RunState.RETURNED))
        )

    def listing(self) -> Listing:
        menu_endpoint("ReviewTaskView.list")
        return super().listing()


class ReviewedView(OfficeView):
    """已审核申报项目 (requirements.txt): 当前用户办理完成且流程已经流转完毕. Read-only."""

    datamodel = ScopedInterface(FlowRun)
    noun = "task"
    title = lazy_gettext("Reviewed declarations")
    route_base = "/review/reviewed"
    list_verb = "read"
    export_verb = "read"
    include_route_methods = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    joins = (FlowRun.unit,)
    default_sort = "-finished"
    show_endpoint = "ReviewedView.show"
    columns = (
        _TITLE,
        _CODE,
        _UNIT,
        _AMOUNT,
        Column("state", lazy_gettext("Result"), FlowRun.state, enum=RunState),
        Column(
            "started", lazy_gettext("Submitted at"), FlowRun.started_at, kind=ColumnKind.DATETIME, css="date"
        ),
        Column(
            "finished", lazy_gettext("Finished at"), FlowRun.finished_at, kind=ColumnKind.DATETIME, css="date"
        ),
    )
    fields = (
        *_SEARCH,
        enum_choice("state", lazy_gettext("Result"), FlowRun.state, RunState),
        _AMOUNT_RANGE,
        DateRange(
            "finished", lazy_gettext("Finished at"), column=FlowRun.finished_at, moment=True, primary=False
        ),
    )

    def restriction(self) -> ColumnElement[bool]:
        mine = select(Task.run_id).where(known_to(current_actor()), Task.state == TaskState.DONE)
        return (
            (FlowRun.document_kind == Declaration.document_kind)
            & FlowRun.finished_at.is_not(None)
            & FlowRun.id.in_(mine)
        )

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To the document, read-only."""
        statement = policy.scoped(current_actor(), FlowRun).where(FlowRun.id == pk)
        run = current_session().scalars(statement).one_or_none()
        if run is None:
            raise NotFound
        return redirect(go.address(run.document_kind, run.document_id))


def _outcome(result: review.Result) -> str:
    if result.step is not None:
        return gettext("Approved; it is at “%(step)s” now.", step=str(step_name(result.step)))
    return gettext("Approved; the review ended: %(state)s.", state=gettext(result.run_state.label))


def _why(error: DomainError | None) -> str:
    if error is None:
        return ""
    if isinstance(error, InvalidInput):
        return " ".join(text for texts in field_errors(error).values() for text in texts)
    return translate(error.message, error.params)
