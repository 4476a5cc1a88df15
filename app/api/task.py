"""Review tasks for programs: the four boxes of the task centre, one task, and what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import or_, select, true
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from app.access import policy
from app.api.base import ReadApi, current_actor
from app.api.body import OPINION, VERSION, Key, Wholes, json_object, read_keys, schema_of
from app.api.document import (
    LIST_PARAMETERS,
    WRITE_ERRORS,
    Operation,
    Schema,
    page_of,
    query,
    record_of,
    route,
)
from app.api.fields import Field, FieldSet
from app.api.kinds import AMOUNT, FLAG, ID, MOMENT, TEXT, WHOLE, WORDS, choice
from app.api.listing import Question, Source, read_question
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput, NotFound, Problem
from app.core.flow import Box, RunState, TaskKind, TaskState, Verb
from app.models.flow import FlowRun, Task
from app.services import review
from app.services.reading import Line
from app.services.unit_of_work import current_session
from app.workflow import reading

_SIGNER_PLACES = (TaskKind.BEFORE, TaskKind.PARALLEL, TaskKind.AFTER)
_VERBS = (
    Verb.APPROVE,
    Verb.RETURN,
    Verb.REJECT,
    Verb.TAKE_BACK,
    Verb.TRANSFER,
    Verb.DELEGATE,
    Verb.ADD_SIGNER,
    Verb.COPY_TO,
    Verb.SAVE_OPINION,
    Verb.REASSIGN,
)
_WISH = (
    VERSION,
    OPINION,
    Key(
        "to_step",
        Line(40),
        {"type": "string", "description": "With return: an earlier step's code; else to the applicant"},
    ),
    Key(
        "to_user",
        Wholes(),
        {
            "oneOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}],
            "description": "One person; with copy_to also several",
        },
    ),
    Key(
        "position",
        Line(20),
        {"type": "string", "enum": [place.value for place in _SIGNER_PLACES], "default": "AFTER"},
    ),
    Key("attachments", Wholes(), {"type": "array", "items": {"type": "integer"}}),
)
_BOX = query("box", {"type": "string", "enum": [box.value for box in Box], "default": "todo"}, "Which list")
_DEFAULT_ORDER = {
    Box.TODO: "arrived_at",
    Box.DONE: "-done_at",
    Box.STARTED: "-started_at",
    Box.COPIED: "-copied_at",
}
_STEP = FieldSet((Field("code", WORDS), Field("name_zh", WORDS), Field("name_en", WORDS)))
_MORE = FieldSet(
    (
        Field("state", choice(TaskState)),
        Field("task_kind", choice(TaskKind), attribute="kind"),
        Field("saved_opinion", WORDS),
        Field("acted_by.id", ID, attribute="acted_by_id"),
        Field("acted_by.name", WORDS, attribute="acted_by.full_name"),
    )
)
"""What a single task says beside what the lists do."""


class TaskApi(ReadApi):
    """`/api/v1/task/`. Under 我发起的 and 抄送我的 there is no task of the caller's own: `id` is null there,
    and `ids` are those of the runs."""

    noun = "task"
    model = Task
    component = "Task"
    include_route_methods = {"get_list", "get", "act"}
    # In a list a column is one of `review.tasks`, or several of them put together.
    fields = FieldSet(
        (
            Field("id", ID, "task_id"),
            Field("version", WHOLE, "task_version"),
            Field("run_id", ID, "run_id"),
            Field("kind", TEXT, "kind", attribute="run.document_kind"),
            Field("document_id", ID, "document_id", attribute="run.document_id"),
            Field("code", TEXT, "code", attribute="run.code"),
            Field("title", TEXT, "title", attribute="run.title"),
            Field("amount", AMOUNT, "amount", attribute="run.amount"),
            Field("unit.id", ID, "unit_id", attribute="run.unit_id"),
            Field("unit.name", TEXT, "unit_name", attribute="run.unit.short_name"),
            Field("step.code", TEXT, "step_code", attribute="step.code"),
            Field("step.name_zh", TEXT, "step_zh", attribute="step.name_zh"),
            Field("step.name_en", TEXT, "step_en", attribute="step.name_en"),
            Field("round", WHOLE, "round"),
            Field("run_state", choice(RunState), "run_state", attribute="run.state"),
            Field(
                "started_by.name",
                WORDS,
                ("starter_last", "starter_first"),
                attribute="run.started_by.full_name",
                sortable=False,
            ),
            Field("started_at", MOMENT, "started_at", attribute="run.started_at"),
            Field("holder.id", ID, "holder_id", attribute="user_id"),
            Field(
                "holder.name",
                WORDS,
                ("holder_last", "holder_first"),
                attribute="user.full_name",
                sortable=False,
            ),
            Field("arrived_at", MOMENT, "arrived_at"),
            Field("due_at", MOMENT, "due_at"),
            Field("done_at", MOMENT, "done_at"),
            Field("decision", choice(Verb), "decision"),
            Field("copied_at", MOMENT, "copied_at"),
            Field("read_at", MOMENT, "read_at"),
        )
    )

    # --- lists -----------------------------------------------------------------------------------------

    def question(self) -> Question:
        return read_question(
            self.fields,
            request.args,
            default_order=_DEFAULT_ORDER[_box()],
            most=current_app.config["FAB_API_MAX_PAGE_SIZE"],
            reserved=frozenset({"box"}),
        )

    def source(self, verb: str) -> Source:
        box = _box()
        rows = review.tasks(current_actor(), box).order_by(None).subquery()
        columns = {field.name: _column(rows, field.column) for field in self.fields.listed}
        key = rows.c.task_id if box in (Box.TODO, Box.DONE) else rows.c.run_id
        return Source(rows, true(), key, columns)

    # --- one task --------------------------------------------------------------------------------------

    def options(self) -> tuple[ExecutableOption, ...]:
        return (
            joinedload(Task.run).options(joinedload(FlowRun.unit), joinedload(FlowRun.started_by)),
            joinedload(Task.step),
            joinedload(Task.user),
            joinedload(Task.acted_by),
        )

    def record(self, pk: int) -> dict[str, Any]:
        """The task, with what its holder may do now: `verbs`, and the steps it may go back to."""
        session = current_session()
        task: Task = policy.load(session, current_actor(), Task, pk, options=self.options())
        offered = reading.Options(frozenset())
        if policy.may(current_actor(), "act", task):
            offered = reading.options(session, task)
        return {
            **_RECORD.record(task),
            **_MORE.record(task),
            "verbs": sorted(verb.value for verb in offered.verbs),
            "return_to": [_STEP.record(step) for step in offered.return_to],
            "may_return_to_applicant": offered.may_return_to_applicant,
            "may_edit": bool(offered.verbs) and task.step.may_edit,
        }

    def require_known(self, pk: int) -> None:
        """Raise `NotFound` unless the task is the actor's to know of, or its run his to administer."""
        actor = current_actor()
        reachable = or_(policy.criterion(actor, Task), policy.criterion(actor, FlowRun, "reassign"))
        known = select(Task.id).join(Task.run).where(Task.id == pk, reachable)
        if current_session().scalar(known) is None:
            raise NotFound

    @route(
        "POST",
        "/<int:pk>/<string:verb>",
        "act",
        "Do the task",
        body=schema_of(_WISH),
        answer="TaskResult",
        errors=WRITE_ERRORS,
    )
    def act(self, pk: int, verb: str) -> Response:
        """One of the verbs: approve, return, reject, take_back, transfer, delegate, add_signer, copy_to,
        save_opinion, reassign. The opinion is required for return and reject."""
        if verb not in _VERBS:
            raise NotFound
        wish = read_keys(json_object(), _WISH)
        result = review.act(
            current_actor(),
            pk,
            verb,
            version=wish["version"],
            opinion=wish["opinion"],
            to_step=wish["to_step"] or None,
            to_user=wish["to_user"] or None,
            position=wish["position"] or TaskKind.AFTER,
            attachment_ids=wish["attachments"],
        )
        return self.answer(id=pk, result=_RESULT.record(result))

    # --- the document ----------------------------------------------------------------------------------

    def schemas(self) -> Mapping[str, Schema]:
        found = {name: dict(schema) for name, schema in super().schemas().items()}
        steps = {"type": "array", "items": _STEP.schema()}
        verbs = {"type": "array", "items": choice(Verb).schema}
        found["Task"] = {
            "type": "object",
            "properties": {
                **_RECORD.schema()["properties"],
                **_MORE.schema()["properties"],
                "verbs": verbs,
                "return_to": steps,
                "may_return_to_applicant": dict(FLAG.schema),
                "may_edit": dict(FLAG.schema),
            },
        }
        found["TaskResult"] = record_of(_RESULT.schema())
        return found

    def operation(self, name: str) -> Operation:
        operation = self.operations[name]
        match name:
            case "get_list":
                return operation.answering(page_of("TaskRow")).asking(_BOX, *LIST_PARAMETERS)
            case "act":
                return operation.asking(path={"verb": {"type": "string", "enum": [*map(str, _VERBS)]}})
            case _:
                return super().operation(name)


def _box() -> Box:
    """The box asked for. Raises `InvalidInput` for one there is not."""
    asked = request.args.get("box") or Box.TODO
    try:
        return Box(asked)
    except ValueError:
        problem = Problem.of("“%(value)s” is not one of the choices here.", value=asked[:40])
        raise InvalidInput({"box": [problem]}) from None


def _column(rows: Any, keys: str | tuple[str, ...]) -> Any:
    """A column of the lists, or several put together."""
    if isinstance(keys, str):
        return rows.c[keys]
    first, second = keys
    return rows.c[first] + rows.c[second]


_RECORD = FieldSet(
    tuple(field for field in TaskApi.fields.fields if field.name not in ("copied_at", "read_at"))
)
"""A single task: nobody is sent a copy of his own."""


_RESULT = FieldSet(
    (
        Field("id", ID, attribute="task_id"),
        Field("version", WHOLE, attribute="task_version"),
        Field("verb", choice(Verb)),
        Field("kind", WORDS, attribute="document_kind"),
        Field("document_id", ID),
        Field("status", choice(DocumentStatus)),
        Field("run_state", choice(RunState)),
        Field("round", WHOLE),
        Field("step.code", WORDS),
        Field("step.name_zh", WORDS),
        Field("step.name_en", WORDS),
    )
)
