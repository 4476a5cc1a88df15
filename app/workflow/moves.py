"""How a run moves: finding the next step, giving tasks, closing them, and ending."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from app.core.enums import DocumentStatus
from app.core.errors import Conflict
from app.core.flow import Quorum, RunState, SkipReason, TaskKind, TaskState, Verb
from app.core.workdays import today_in_china
from app.models.flow import FlowStep, Task
from app.workflow import quorum
from app.workflow.candidates import candidates
from app.workflow.case import Case, EventKind, nobody_at
from app.workflow.conditions import applies
from app.workflow.registry import Handler
from app.workflow.settings import due_at, parameter


@dataclass(frozen=True)
class Route:
    """Where a run goes next: a step with its reviewers, or the end; and the steps it passes by."""

    step: FlowStep | None
    reviewers: tuple[int, ...] = ()
    skipped: tuple[tuple[FlowStep, SkipReason], ...] = ()


def route(case: Case, at: FlowStep | None) -> Route:
    """The first step that still has to review the document as it is now, seen from `at`.

    A step behind `at` whose condition only now holds (somebody raised the amount) is gone to as well: an
    edit must not carry a document past a reviewer. Raises Conflict when a step that may not be skipped
    has no reviewer.
    """
    settled = {task.step_id for task in case.standing() if task.decision is Verb.APPROVE}
    skipped: list[tuple[FlowStep, SkipReason]] = []
    for step in case.steps:
        if step.id in settled:
            continue
        behind = at is not None and step.seq < at.seq
        if behind and (step.optional or step.switch):
            continue
        reason = _passed_by(case, step)
        reviewers: list[int] = []
        if reason is None:
            reviewers, excluded = eligible(case, step)
            if reviewers:
                return Route(step, tuple(reviewers), tuple(skipped))
            if not step.optional:
                raise nobody_at(step, excluded=excluded)
            reason = SkipReason.NOBODY
        if not behind:
            skipped.append((step, reason))
    return Route(None, (), tuple(skipped))


def _passed_by(case: Case, step: FlowStep) -> SkipReason | None:
    if step.switch and parameter(case.session, step.switch, "true", today_in_china(case.now)) == "false":
        return SkipReason.SWITCHED_OFF
    if not applies(case.session, case.entry, step, case.document):
        return SkipReason.CONDITION
    return None


def eligible(case: Case, step: FlowStep) -> tuple[list[int], bool]:
    """Who may review at the step now, and whether separation of duty kept somebody out."""
    everybody = candidates(case.session, step, case.document.unit_id)
    kept_out = case.submitters | case.acted_elsewhere(step)
    allowed = [user for user in everybody if user not in kept_out]
    return allowed, len(allowed) < len(everybody)


def arrive(
    case: Case,
    step: FlowStep,
    reviewers: Collection[int],
    opened_by: Task | None = None,
    told: EventKind = EventKind.ARRIVED,
    opinion: str = "",
) -> None:
    """Put the run at a step and give its reviewers their tasks."""
    case.run.current_step_id = step.id
    case.run.state = RunState.RUNNING
    for number, user in enumerate(reviewers, start=1):
        waits = step.quorum is Quorum.SEQUENCE and number > 1
        task = give(case, step, user, kind=TaskKind.STEP, seq=number)
        task.opened_by_id = opened_by.id if opened_by else None
        if waits:
            task.state = TaskState.WAITING
        else:
            start(case, task, told, opinion)
    case.session.flush()


def give(case: Case, step: FlowStep, user: int, *, kind: TaskKind, seq: int = 0) -> Task:
    """A fresh task for a person at a step; one of his that was cancelled or handed on starts anew.
    Raises Conflict when he has or had a part at this step in this round."""
    known = next((task for task in case.tasks_at(step) if task.user_id == user), None)
    if known is None:
        known = Task(run_id=case.run.id, step_id=step.id, round=case.run.round, user_id=user)
        case.tasks.append(known)
        case.session.add(known)
    elif known.state is not TaskState.CANCELLED and known.decision is not Verb.TRANSFER:
        raise Conflict("This person already has a part at this step.")
    known.kind, known.seq, known.state = kind, seq, TaskState.OPEN
    known.parent_id = known.delegated_by_id = known.added_by_id = None
    known.opened_by_id = known.closed_by_id = known.resume_state = None
    known.arrived_at = known.due_at = known.done_at = None
    known.decision = known.acted_by_id = None
    known.saved_opinion = ""
    return known


def start(case: Case, task: Task, told: EventKind = EventKind.ARRIVED, opinion: str = "") -> None:
    """Open a task: its time begins to run, and its person is told."""
    step = case.step(task.step_id)
    task.state = TaskState.OPEN
    task.arrived_at = case.now
    task.due_at = due_at(case.session, case.now, step.limit_days)
    case.tell(told, [task.user_id], task=task, opinion=opinion)


def finish(case: Case, task: Task, decision: Verb) -> None:
    """Mark a task done by the actor."""
    task.state = TaskState.DONE
    task.decision = decision
    task.acted_by_id = case.actor.user_id
    task.done_at = case.now
    task.saved_opinion = ""


def cancel(case: Case, tasks: Iterable[Task], by: Task | None = None) -> None:
    """Close tasks nobody needs any more, and what hangs on them; `by` is the task whose act did it."""
    for task in tasks:
        if task.state not in (TaskState.OPEN, TaskState.WAITING):
            continue
        task.resume_state = task.state
        task.state = TaskState.CANCELLED
        task.closed_by_id = by.id if by else None
        task.done_at = case.now
        cancel(case, case.children(task), by)


def supersede(case: Case, step: FlowStep) -> None:
    """The run goes back to a step: what was decided there and after no longer stands."""
    behind = {other.id for other in case.steps if other.seq >= step.seq}
    for task in case.tasks:
        if task.state is TaskState.DONE and task.step_id in behind:
            task.superseded = True


def go_on(case: Case, task: Task) -> Route | None:
    """After an approval: open whose turn is next; when the step is decided, the way on. None: it stays.

    Changes only tasks of the present step; `follow_route` does the rest once the entry is written.
    """
    step = case.step(task.step_id)
    if not quorum.is_met(step, case.tasks_at(step)):
        following = quorum.next_in_sequence(step, case.tasks_at(step))
        if following is not None:
            following.opened_by_id = task.id
            start(case, following)
        return None
    cancel(
        case,
        (other for other in quorum.counted(case.tasks_at(step)) if other.state is not TaskState.DONE),
        by=task,
    )
    if any(other.state in (TaskState.OPEN, TaskState.WAITING) for other in case.tasks_at(step)):
        return None
    return route(case, step)


def follow_route(case: Case, way: Route, opened_by: Task | None = None) -> None:
    """Write what was passed by, and arrive at the next step or end approved (the status is set already)."""
    for step, reason in way.skipped:
        case.log(Verb.SKIP, from_step=step, to_step=way.step, skip_reason=reason)
    if way.step is not None:
        arrive(case, way.step, way.reviewers, opened_by)
        return
    end(case, RunState.APPROVED, case.entry.on_approved, EventKind.APPROVED)


def status_after(way: Route | None) -> DocumentStatus:
    """The document's status once a route is followed."""
    ends = way is not None and way.step is None
    return DocumentStatus.APPROVED if ends else DocumentStatus.IN_REVIEW


def end(
    case: Case, state: RunState, handler: Handler[Any], event: EventKind | None, opinion: str = ""
) -> None:
    """Close the run with everything open in it, let the service follow the outcome, tell the submitters."""
    step = next((step for step in case.steps if step.id == case.run.current_step_id), None)
    waiting = [task.user_id for task in case.pending() if task.state is TaskState.OPEN]
    cancel(case, case.pending())
    case.run.state = state
    case.run.current_step_id = None
    case.run.finished_at = case.now
    case.follow(handler)
    if event is not None:
        case.tell(event, case.submitters, step=step, opinion=opinion)
        # Whoever still had it to do must not look for a task that is gone.
        case.tell(EventKind.CLOSED, [user for user in waiting if user != case.actor.user_id], step=step)
