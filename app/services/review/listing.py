"""The task centre: 待办, 已办, 我发起的, 抄送我的 over all document kinds, and their counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    ScalarSelect,
    Select,
    String,
    Subquery,
    Update,
    and_,
    cast,
    false,
    func,
    null,
    or_,
    select,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.access import policy
from app.access.actor import Actor
from app.core.errors import InvalidInput, Problem
from app.core.flow import Box, RunState, TaskState
from app.models.base import utcnow
from app.models.flow import CopyTo, FlowRun, FlowStep, Task
from app.models.unit import Unit
from app.models.user import AppUser
from app.services.recall import recalled
from app.services.unit_of_work import current_session, unit_of_work


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
    rows = {Box.STARTED: _of_runs, Box.COPIED: _of_copies}.get(box, _of_tasks)()
    statement = rows.where(box_criterion(actor, box), *_conditions(box, narrowed))
    return _ordered(statement, box, narrowed.sort or _DEFAULT_SORT[box])


def box_criterion(actor: Actor, box: Box) -> ColumnElement[bool]:
    """What is in a box: a condition on `Task` (待办, 已办), `FlowRun` (我发起的) or `CopyTo` (抄送我的)."""
    match box:
        case Box.TODO:
            return policy.criterion(actor, Task, "act")
        case Box.DONE:
            return _done_by(actor)
        case Box.STARTED:
            return _by_user(actor, FlowRun.started_by_id)
        case Box.COPIED:
            return _by_user(actor, CopyTo.user_id)


def of_kinds(kinds: Collection[str]) -> ColumnElement[bool]:
    """Runs of some document kinds, where people's own tasks are looked for.

    Written so that no index of runs serves it: nearly every run is of one kind, and SQLite, which knows no
    figures of its tables, would read all of them instead of the few tasks of one person.
    """
    return func.coalesce(FlowRun.document_kind, "").in_(sorted(kinds))


def runs_done_by(actor: Actor) -> Select[int]:
    """The runs in which the actor has done something, himself, through an agent, or as one."""
    return select(Task.run_id).where(_done_by(actor))


def _done_by(actor: Actor) -> ColumnElement[bool]:
    """What he did and what was done for him; not what those did whose agent he is today."""
    own, for_another = _done_parts(actor)
    # Few have ever stood in for somebody. For all others one index has the whole answer, in its order; with
    # an "or" both databases would fetch and sort all that a person did in years.
    session = current_session()
    stood_in = recalled(
        session,
        ("stood_in", actor.user_id),
        lambda: session.scalar(select(Task.id).where(for_another).limit(1)) is not None,
    )
    if not stood_in:
        return own
    return Task.id.in_(union_all(select(Task.id).where(own), select(Task.id).where(for_another)))


def _done_parts(actor: Actor) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What he did in his own name or had done, and what he did as an agent: no task is in both."""
    if actor.user_id is None or not actor.holds("task", "read"):
        return false(), false()
    done = Task.state == TaskState.DONE
    stood_in = and_(Task.acted_by_id == actor.user_id, Task.acted_by_id != Task.user_id)
    return and_(Task.user_id == actor.user_id, done), and_(stood_in, done)


def _by_user(actor: Actor, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return column == actor.user_id if actor.user_id is not None else false()


def box_count_query(actor: Actor, box: Box) -> ColumnElement[int]:
    """How many rows a box has, as a part of another statement."""
    if box is Box.DONE:
        own, for_another = _done_parts(actor)
        return _count(Task, own) + _count(Task, for_another)
    return _count({Box.STARTED: FlowRun, Box.COPIED: CopyTo}.get(box, Task), box_criterion(actor, box))


def _count(model: Any, condition: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(model).where(condition).scalar_subquery()


def todo_count_query(actor: Actor) -> ScalarSelect[int]:
    """How many tasks wait for the actor, as a part of another statement."""
    return _count(Task, box_criterion(actor, Box.TODO))


def todo_figures(actor: Actor, kinds: Iterable[str]) -> Subquery:
    """How many tasks wait for the actor, in all (`todo`) and by document kind (`todo.<kind>`): a table of one
    row for another statement to select from, so that his tasks are gone through once."""
    of_kind = (func.count().filter(FlowRun.document_kind == kind).label(f"todo.{kind}") for kind in kinds)
    return (
        select(func.count().label("todo"), *of_kind)
        .select_from(Task)
        .join(FlowRun, FlowRun.id == Task.run_id)
        .where(box_criterion(actor, Box.TODO))
        .subquery("tasks")
    )


def overdue_count_query(actor: Actor, now: dt.datetime) -> ScalarSelect[int]:
    """How many of the tasks that wait for the actor are past their limit, as a part of another statement."""
    late = (box_criterion(actor, Box.TODO), Task.due_at <= now)
    return select(func.count()).select_from(Task).where(*late).scalar_subquery()


def unread_copies_query(actor: Actor) -> ScalarSelect[int]:
    """How many copies the actor has not opened yet, as a part of another statement."""
    unread = (box_criterion(actor, Box.COPIED), CopyTo.read_at.is_(None))
    return select(func.count()).select_from(CopyTo).where(*unread).scalar_subquery()


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


def mark_copies_read(actor: Actor, ids: Iterable[int] | None = None) -> int:
    """Mark the actor's own copies as read, all of them when `ids` is None; returns how many were unread.
    Ids of other people's copies change nothing and tell nothing."""
    mine = update(CopyTo).where(
        policy.criterion(actor, CopyTo), CopyTo.user_id == actor.user_id, CopyTo.read_at.is_(None)
    )
    if ids is not None:
        mine = mine.where(CopyTo.id.in_(sorted(set(ids))))
    return _mark_read(actor, mine)


def mark_document_copies_read(actor: Actor, kind: str, document_id: int) -> int:
    """The same for one document, when it was opened some other way, from a message."""
    runs = select(FlowRun.id).where(FlowRun.document_kind == kind, FlowRun.document_id == document_id)
    return _mark_read(
        actor,
        update(CopyTo).where(
            CopyTo.user_id == actor.user_id, CopyTo.read_at.is_(None), CopyTo.run_id.in_(runs)
        ),
    )


def _mark_read(actor: Actor, statement: Update) -> int:
    with unit_of_work(actor) as session:
        done = session.execute(
            statement.values(read_at=utcnow()).execution_options(synchronize_session=False)
        )
        return int(getattr(done, "rowcount", 0))


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
        of_kinds((narrowed.kind,)) if narrowed.kind else None,
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
