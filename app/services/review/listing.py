"""The task centre: 待办, 已办, 我发起的, 抄送我的 over all document kinds, and their counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    ScalarSelect,
    Select,
    String,
    cast,
    func,
    null,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.access import policy
from app.access.actor import Actor
from app.core.errors import InvalidInput, Problem
from app.core.flow import Box, RunState, TaskState
from app.models.flow import CopyTo, FlowRun, FlowStep, Task
from app.models.unit import Unit
from app.models.user import AppUser
from app.services.unit_of_work import current_session


@dataclass(frozen=True)
class TaskFilter:
    """What a list of the task centre is narrowed to. Amounts in yuan, moments aware, `below_unit_id` a unit
    with all below it, `late` only what is past its time limit, `sort` a key of `SORTS` (`-` before it:
    falling)."""

    kind: str = ""
    text: str = ""
    step_code: str = ""
    below_unit_id: int | None = None
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    arrived_from: dt.datetime | None = None
    arrived_before: dt.datetime | None = None
    due_before: dt.datetime | None = None
    run_state: RunState | None = None
    sort: str = ""


_holder, _starter = aliased(AppUser), aliased(AppUser)

SORTS: Mapping[str, InstrumentedAttribute[Any]] = {
    "code": FlowRun.code,
    "title": FlowRun.title,
    "amount": FlowRun.amount,
    "unit": Unit.sort,
    "started_at": FlowRun.started_at,
    "arrived_at": Task.arrived_at,
    "due_at": Task.due_at,
    "done_at": Task.done_at,
    "copied_at": CopyTo.at,
}
_OF_TASK = frozenset({"arrived_at", "due_at", "done_at"})
_DEFAULT_SORT = {
    Box.TODO: "due_at",
    Box.DONE: "-done_at",
    Box.STARTED: "-started_at",
    Box.COPIED: "-copied_at",
}


def tasks(actor: Actor, box: Box | str, narrowed: TaskFilter | None = None) -> Select[Any]:
    """The rows of one box, in order: task_id, task_version, run_id, kind, document_id, code, title, amount,
    unit_id, unit_name, step_zh, step_en, step_code, round, run_state, starter_last, starter_first,
    started_at, holder_id, holder_last, holder_first, arrived_at, due_at, done_at, decision, copied_at,
    read_at. Columns of a task are empty in 我发起的 and 抄送我的. Raises InvalidInput for an unknown sort.
    """
    box = Box(box)
    narrowed = narrowed or TaskFilter()
    match box:
        case Box.TODO:
            statement = _of_tasks().where(policy.criterion(actor, Task, "act"))
        case Box.DONE:
            # Not what the people did whose agent he is today: only what he did, and what was done for him.
            mine = or_(Task.user_id == actor.user_id, Task.acted_by_id == actor.user_id)
            statement = _of_tasks().where(policy.criterion(actor, Task), mine, Task.state == TaskState.DONE)
        case Box.STARTED:
            statement = _of_runs().where(FlowRun.started_by_id == actor.user_id)
        case Box.COPIED:
            statement = _of_copies().where(CopyTo.user_id == actor.user_id)
    statement = statement.where(*_conditions(box, narrowed))
    return _ordered(statement, box, narrowed.sort or _DEFAULT_SORT[box])


def todo_count_query(actor: Actor) -> ScalarSelect[int]:
    """How many tasks wait for the actor, as a part of another statement."""
    return (
        select(func.count()).select_from(Task).where(policy.criterion(actor, Task, "act")).scalar_subquery()
    )


def todo_count(actor: Actor) -> int:
    """How many tasks wait for the actor."""
    return current_session().scalar(select(todo_count_query(actor))) or 0


def todo_counts(actor: Actor) -> dict[str, int]:
    """How many tasks wait for the actor, by document kind."""
    rows = current_session().execute(
        select(FlowRun.document_kind, func.count().label("number"))
        .join(Task, Task.run_id == FlowRun.id)
        .where(policy.criterion(actor, Task, "act"))
        .group_by(FlowRun.document_kind)
    )
    return {row.document_kind: row.number for row in rows}


_HEAD = (
    FlowRun.id.label("run_id"),
    FlowRun.document_kind.label("kind"),
    FlowRun.document_id,
    FlowRun.code,
    FlowRun.title,
    FlowRun.amount,
    FlowRun.unit_id,
    Unit.short_name.label("unit_name"),
    FlowStep.name_zh.label("step_zh"),
    FlowStep.name_en.label("step_en"),
    FlowStep.code.label("step_code"),
    FlowRun.state.label("run_state"),
    _starter.last_name.label("starter_last"),
    _starter.first_name.label("starter_first"),
    FlowRun.started_at,
)
_TASK: Mapping[str, InstrumentedAttribute[Any]] = {
    "task_id": Task.id,
    "task_version": Task.version,
    "round": Task.round,
    "holder_id": Task.user_id,
    "holder_last": _holder.last_name,
    "holder_first": _holder.first_name,
    "arrived_at": Task.arrived_at,
    "due_at": Task.due_at,
    "done_at": Task.done_at,
    "decision": Task.decision,
}
_COPY: Mapping[str, InstrumentedAttribute[Any]] = {"copied_at": CopyTo.at, "read_at": CopyTo.read_at}


def _given(columns: Mapping[str, InstrumentedAttribute[Any]]) -> list[Label[Any]]:
    return [column.label(name) for name, column in columns.items()]


def _empty(columns: Mapping[str, InstrumentedAttribute[Any]]) -> list[Label[Any]]:
    return [type_coerce(null(), column.type).label(name) for name, column in columns.items()]


def _of_tasks() -> Select[Any]:
    return (
        select(*_given(_TASK), *_HEAD, *_empty(_COPY))
        .select_from(Task)
        .join(FlowRun, FlowRun.id == Task.run_id)
        .join(FlowStep, FlowStep.id == Task.step_id)
        .join(_holder, _holder.id == Task.user_id)
        .join(Unit, Unit.id == FlowRun.unit_id)
        .outerjoin(_starter, _starter.id == FlowRun.started_by_id)
    )


def _of_runs() -> Select[Any]:
    columns = _empty(_TASK)
    columns[list(_TASK).index("round")] = FlowRun.round.label("round")
    return (
        select(*columns, *_HEAD, *_empty(_COPY))
        .select_from(FlowRun)
        .outerjoin(FlowStep, FlowStep.id == FlowRun.current_step_id)
        .join(Unit, Unit.id == FlowRun.unit_id)
        .outerjoin(_starter, _starter.id == FlowRun.started_by_id)
    )


def _of_copies() -> Select[Any]:
    return (
        select(*_empty(_TASK), *_HEAD, *_given(_COPY))
        .select_from(CopyTo)
        .join(FlowRun, FlowRun.id == CopyTo.run_id)
        .outerjoin(FlowStep, FlowStep.id == FlowRun.current_step_id)
        .join(Unit, Unit.id == FlowRun.unit_id)
        .outerjoin(_starter, _starter.id == FlowRun.started_by_id)
    )


def _conditions(box: Box, narrowed: TaskFilter) -> list[ColumnElement[bool]]:
    of_task = box in (Box.TODO, Box.DONE)
    arrived = Task.arrived_at if of_task else FlowRun.started_at
    conditions: list[ColumnElement[bool] | None] = [
        FlowRun.document_kind == narrowed.kind if narrowed.kind else None,
        FlowStep.code == narrowed.step_code if narrowed.step_code else None,
        FlowRun.amount >= narrowed.amount_from if narrowed.amount_from is not None else None,
        FlowRun.amount <= narrowed.amount_to if narrowed.amount_to is not None else None,
        arrived >= narrowed.arrived_from if narrowed.arrived_from else None,
        arrived < narrowed.arrived_before if narrowed.arrived_before else None,
        Task.due_at < narrowed.due_before if narrowed.due_before and of_task else None,
        FlowRun.state == narrowed.run_state if narrowed.run_state else None,
    ]
    if narrowed.text:
        words = narrowed.text.strip()
        conditions.append(
            or_(
                FlowRun.title.icontains(words, autoescape=True),
                FlowRun.code.icontains(words, autoescape=True),
            )
        )
    if narrowed.below_unit_id is not None:
        conditions.append(Unit.path.contains("/" + cast(narrowed.below_unit_id, String) + "/"))
    return [condition for condition in conditions if condition is not None]


def _ordered(statement: Select[Any], box: Box, sort: str) -> Select[Any]:
    key = sort.removeprefix("-")
    column = SORTS.get(key)
    known = {"copied_at": box is Box.COPIED}.get(key, key not in _OF_TASK or box in (Box.TODO, Box.DONE))
    if column is None or not known:
        raise InvalidInput({"sort": [Problem.of("This list cannot be sorted by “%(column)s”.", column=key)]})
    ordered = column.desc() if sort.startswith("-") else column.asc()
    last = {Box.TODO: Task.id, Box.DONE: Task.id}.get(box, FlowRun.id)
    return statement.order_by(ordered.nulls_last(), last)
