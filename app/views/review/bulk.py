"""Approving several tasks at once: shown once more, each decided by itself, the result of each told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import joinedload

from app.access import policy
from app.core.errors import InvalidInput, NotFound, Problem
from app.models.flow import FlowRun, Task
from app.services import review
from app.services.review.acting import MOST_AT_ONCE
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction
from app.views.base.bulk import RowResult, why_not
from app.views.errors import field_errors
from app.views.review.tasks import NO_VERSION, number_of
from app.views.shell import menu_endpoint
from app.workflow.naming import step_name


class ApprovesTogether(OfficeView):
    """A list of tasks of which several can be approved at once."""

    include_route_methods = {"list", "export", "save_columns", "choose", "approve"}
    method_permission_name = {"choose": "act", "approve": "act"}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = lazy_gettext("Approve the chosen ones")
        cls.bulk_actions = (RowAction("approve", words, "act", f"{cls.__name__}.choose", "ti-checks"),)

    @expose("/choose", methods=["POST"])
    @has_access
    @permission_name("choose")
    def choose(self) -> ResponseReturnValue:
        """The chosen tasks once more, with the opinion to be given on all; nothing is decided yet."""
        return self._bulk_page(self._chosen([str(task_id) for task_id in self.chosen_ids()]))

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
        return self.tell_results(
            [self._told(result, *heads[result.task_id]) for result in results],
            gettext("Approved together"),
            always=True,
            subtitle=gettext(
                "%(done)s of %(all)s approved.",
                done=sum(result.error is None for result in results),
                all=len(results),
            ),
            back=gettext("Back to my tasks (%(count)s)", count=review.todo_count(current_actor())),
        )

    def _told(self, result: review.ItemResult, code: str, title: str) -> RowResult:
        words = _outcome(result.result) if result.result else ""
        return told(result, words, code, title, url_for("ReviewView.task", pk=result.task_id))

    def _bulk_page(self, tasks: Sequence[Task], opinion: str = "", errors: Sequence[str] = ()) -> str:
        menu_endpoint(f"{self.endpoint}.list")
        return self.render_template(
            "review/bulk.html",
            title=gettext("Approve together"),
            tasks=[(task, str(step_name(task.step))) for task in tasks],
            approve_href=url_for(f"{self.endpoint}.approve"),
            list_href=url_for(f"{self.endpoint}.list"),
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


def told(result: review.ItemResult, words: str, code: str, title: str, href: str) -> RowResult:
    """What became of one task: `words` when it was done, else why not."""
    why = "" if result.error is None else why_not(result.error)
    return RowResult(code, title, result.error is None, why or words, href or None)


def _outcome(result: review.Result) -> str:
    if result.step is not None:
        return gettext("Approved; it is at “%(step)s” now.", step=str(step_name(result.step)))
    return gettext("Approved; the review ended: %(state)s.", state=gettext(result.run_state.label))
