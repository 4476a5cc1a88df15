"""在办任务: what waits at whom, for those who may give it to somebody else when he is away or has left."""

from __future__ import annotations

from collections.abc import Sequence

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale, gettext, lazy_gettext
from sqlalchemy import ColumnElement
from sqlalchemy.orm import joinedload

from app.access import policy
from app.core.errors import Conflict, InvalidInput, NotFound, Problem
from app.core.flow import TaskState
from app.core.xlsx import ColumnKind
from app.models.flow import FlowRun, Task
from app.models.user import AppUser
from app.services import people, review
from app.services.review.acting import MOST_AT_ONCE
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import Column, DateRange, OfficeView, RowAction, ScopedInterface, TextField, enum_choice
from app.views.base.cells import DaysLeftColumn, DeadlineColumn, LampColumn
from app.views.base.listing import Listing
from app.views.errors import field_errors
from app.views.review.bulk import told
from app.views.review.centre import KindColumn
from app.views.review.lists import CODE, SEARCH, STEP, TITLE, UNIT
from app.views.review.tasks import NO_VERSION, number_of
from app.views.shell import menu_endpoint
from app.workflow.naming import step_name

_PENDING = (TaskState.OPEN, TaskState.WAITING)
_OWN_ROUTES = {"one", "of_run", "choose", "give", "people"}
_HOLDER = AppUser.last_name + AppUser.first_name


class OpenTaskView(OfficeView):
    """Every open task of the units the actor administers; one or several are given to one person."""

    datamodel = ScopedInterface(Task)
    noun = "task"
    title = lazy_gettext("Open tasks")
    route_base = "/review/open"
    list_verb = "reassign"
    export_verb = "reassign"
    include_route_methods = {"list", "export", "save_columns"} | _OWN_ROUTES
    method_permission_name = dict.fromkeys(_OWN_ROUTES, "reassign")
    joins = (Task.run, Task.step, Task.user, FlowRun.unit)
    default_sort = "due"
    columns = (
        LampColumn("light", lazy_gettext("Light"), Task.due_at, sortable=False),
        TITLE,
        CODE,
        KindColumn(
            "kind", lazy_gettext("Kind of document"), FlowRun.document_kind, nowrap=True, visible=False
        ),
        UNIT,
        STEP,
        Column("holder", lazy_gettext("Held by"), _HOLDER, nowrap=True),
        Column("state", lazy_gettext("State"), Task.state, enum=TaskState, sortable=False, visible=False),
        Column("arrived", lazy_gettext("Arrived"), Task.arrived_at, kind=ColumnKind.DATETIME, css="date"),
        DeadlineColumn("due", lazy_gettext("Due on"), Task.due_at, kind=ColumnKind.DATE, css="date"),
        DaysLeftColumn(
            "left", lazy_gettext("Time left"), Task.due_at, kind=ColumnKind.INTEGER, sortable=False
        ),
    )
    fields = (
        *SEARCH,
        TextField("holder", lazy_gettext("Held by"), columns=(_HOLDER,)),
        enum_choice("state", lazy_gettext("State"), Task.state, TaskState, primary=False),
        DateRange("due", lazy_gettext("Due on"), column=Task.due_at, moment=True, primary=False),
    )
    row_actions = (
        RowAction("reassign", lazy_gettext("Reassign"), "reassign", "OpenTaskView.one", "ti-user-share"),
    )
    bulk_actions = (
        RowAction(
            "reassign",
            lazy_gettext("Reassign the chosen ones"),
            "reassign",
            "OpenTaskView.choose",
            "ti-user-share",
        ),
    )

    def restriction(self) -> ColumnElement[bool]:
        return Task.state.in_(_PENDING)

    def listing(self) -> Listing:
        listing = super().listing()
        listing.empty_text = gettext("Nothing waits at anybody.")
        return listing

    @expose("/one/<int:pk>")
    @has_access
    @permission_name("one")
    def one(self, pk: int) -> ResponseReturnValue:
        """One task, to be given to somebody else. Raises `Conflict` for one that is closed."""
        tasks = self._tasks([str(pk)], pending=False)
        if tasks[0].state not in _PENDING:
            raise Conflict("This task is not open any more. Open the page again to see what happened.")
        return self._page(tasks)

    @expose("/of/<int:pk>")
    @has_access
    @permission_name("of_run")
    def of_run(self, pk: int) -> ResponseReturnValue:
        """The open tasks of one review. Raises `Conflict` when it waits at nobody."""
        policy.load(current_session(), current_actor(), FlowRun, pk, verb="reassign")
        found = self._loaded(Task.run_id == pk)
        if not found:
            raise Conflict("This waits at nobody now.")
        return self._page(found)

    @expose("/choose", methods=["POST"])
    @has_access
    @permission_name("choose")
    def choose(self) -> ResponseReturnValue:
        """The chosen tasks once more, and to whom; nothing is done yet."""
        return self._page(self._tasks([str(task_id) for task_id in self.chosen_ids()]))

    @expose("/give", methods=["POST"])
    @has_access
    @permission_name("give")
    def give(self) -> ResponseReturnValue:
        """Give the chosen tasks to one person, each by itself; a page says of each what became of it."""
        wanted = [text.partition(".") for text in request.form.getlist("task")]
        tasks = self._tasks([task_id for task_id, _, _ in wanted], pending=False)
        to_user = number_of(request.form.get("to_user"))
        if to_user is None:
            return self._page(tasks, {"to_user": [gettext("Choose one person.")]}), 400
        # Before it is done: the engine reads the tasks afresh, without what belongs to them.
        heads = {task.id: (task.run.code, task.run.title) for task in tasks}
        documents = {task.id: (task.run.document_kind, task.run.document_id) for task in tasks}
        versions = [(int(task_id), number_of(version) or NO_VERSION) for task_id, _, version in wanted]
        opinion = request.form.get("opinion", "")
        results = review.reassign_many(current_actor(), versions, to_user, opinion)
        errors = [result.error for result in results if result.error is not None]
        if len(results) == 1 and errors and isinstance(errors[0], InvalidInput):
            return self._page(tasks, field_errors(errors[0])), 400
        person = next(iter(people.named(current_actor(), [to_user])), None)
        words = gettext("Given to %(name)s.", name=person.name if person else "")
        reads = {kind: current_actor().holds(kind, "read") for kind, _ in documents.values()}
        return self.tell_results(
            [
                told(
                    result,
                    words,
                    *heads[result.task_id],
                    go.address(*documents[result.task_id]) if reads[documents[result.task_id][0]] else "",
                )
                for result in results
            ],
            gettext("Reassigned"),
            always=True,
            subtitle=gettext(
                "%(done)s of %(all)s given away.", done=len(results) - len(errors), all=len(results)
            ),
            back=gettext("Back to the open tasks"),
        )

    @expose("/people")
    @has_access
    @permission_name("people")
    def people(self) -> ResponseReturnValue:
        """Who could take the tasks `task` (ids) over, while one types: [{id, text}]."""
        tasks = self._tasks(request.args.getlist("task")[:MOST_AT_ONCE], pending=False)
        # With several tasks, somebody unfit for one of them may do for the others: each is told by itself.
        unfit = review.unfit_people(tasks[0], "reassign") if len(tasks) == 1 else set[int]()
        found = people.reviewers(current_actor(), request.args.get("q", "")[:60], without=unfit)
        return jsonify([{"id": one.id, "text": one.described(str(get_locale()))} for one in found])

    def _page(self, tasks: Sequence[Task], errors: dict[str, list[str]] | None = None) -> str:
        menu_endpoint("OpenTaskView.list")
        chosen = number_of(request.form.get("to_user"))
        found = people.named(current_actor(), [chosen]) if chosen is not None else []
        return self.render_template(
            "review/reassign.html",
            title=gettext("Reassign"),
            tasks=[(task, str(step_name(task.step))) for task in tasks],
            chosen=[(person.id, person.described(str(get_locale()))) for person in found],
            opinion=request.form.get("opinion", ""),
            errors=errors or {},
            people_href=url_for("OpenTaskView.people", task=[task.id for task in tasks]),
            list_href=url_for("OpenTaskView.list"),
        )

    def _tasks(self, texts: Sequence[str], *, pending: bool = True) -> Sequence[Task]:
        """The tasks with these ids; one that is not the actor's to give refuses them all (`NotFound`)."""
        ids = {number for text in texts if (number := number_of(text)) is not None}
        if not 0 < len(ids) <= MOST_AT_ONCE or len(ids) != len(set(texts)):
            problem = Problem.of("Choose between 1 and %(limit)s tasks.", limit=MOST_AT_ONCE)
            raise InvalidInput({"rowid": [problem]})
        found = self._loaded(Task.id.in_(ids), pending=pending)
        if len(found) != len(ids):
            raise NotFound
        return found

    def _loaded(self, condition: ColumnElement[bool], *, pending: bool = True) -> Sequence[Task]:
        statement = policy.scoped(current_actor(), Task, "reassign").where(condition)
        if pending:
            statement = statement.where(Task.state.in_(_PENDING))
        return (
            current_session()
            .scalars(
                statement.order_by(Task.due_at, Task.id).options(
                    joinedload(Task.run).joinedload(FlowRun.unit),
                    joinedload(Task.step),
                    joinedload(Task.user),
                )
            )
            .all()
        )
