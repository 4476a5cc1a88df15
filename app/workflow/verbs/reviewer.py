"""What a reviewer decides: approve, return, reject, take back, keep an opinion for later."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.enums import DocumentStatus
from app.core.errors import Conflict, NotAllowed
from app.core.flow import RunState, TaskKind, TaskState, Verb
from app.models.flow import FlowStep, Task
from app.workflow.case import Case, EventKind, checked_opinion, nobody_at, require_opinion
from app.workflow.moves import (
    arrive,
    cancel,
    eligible,
    end,
    finish,
    follow_route,
    go_on,
    start,
    status_after,
    supersede,
)
from app.workflow.naming import step_name


def approve(case: Case, task: Task, opinion: str = "", attachment_ids: Iterable[int] = ()) -> None:
    """Approve; a delegate's approval is an answer to his delegator. Raises Conflict when the next step has
    no reviewer, NotAllowed for a submitter."""
    step = may_review(case, task)
    opinion = checked_opinion(opinion)
    if task.kind is TaskKind.DELEGATED:
        finish(case, task, Verb.REPLY)
        case.log(
            Verb.REPLY,
            task=task,
            from_step=step,
            to_step=step,
            to_user_id=task.delegated_by_id,
            opinion=opinion,
            attachment_ids=attachment_ids,
        )
        _resume_parent(case, task, opinion)
        case.session.flush()
        return
    finish(case, task, Verb.APPROVE)
    _resume_parent(case, task, opinion)
    for child in case.children(task):
        if child.kind is TaskKind.AFTER and child.state is TaskState.WAITING:
            child.opened_by_id = task.id
            start(case, child)
    way = go_on(case, task)
    case.set_status(status_after(way))
    case.log(
        Verb.APPROVE,
        task=task,
        from_step=step,
        to_step=step if way is None else way.step,
        opinion=opinion,
        attachment_ids=attachment_ids,
    )
    if way is not None:
        case.tell(EventKind.OPINION, case.submitters, step=step, opinion=opinion)
        follow_route(case, way, opened_by=task)
    case.session.flush()


def return_to_applicant(case: Case, task: Task, opinion: str, attachment_ids: Iterable[int] = ()) -> None:
    """Send the document back to its unit at once, whatever the quorum. The opinion is required."""
    step = _may_decide(case, task)
    if not step.may_return_applicant:
        raise NotAllowed("At this step nothing can be returned to the applicant.")
    opinion = require_opinion(opinion)
    finish(case, task, Verb.RETURN)
    cancel(case, case.pending(), by=task)
    supersede(case, step)
    case.run.state = RunState.RETURNED
    case.run.returned_from_id = step.id
    case.run.current_step_id = None
    case.set_status(DocumentStatus.RETURNED)
    case.log(Verb.RETURN, task=task, from_step=step, opinion=opinion, attachment_ids=attachment_ids)
    case.follow(case.entry.on_returned)
    case.tell(EventKind.RETURNED, case.submitters, step=step, opinion=opinion)
    case.session.flush()


def return_to_step(
    case: Case, task: Task, to_step_id: int, opinion: str, attachment_ids: Iterable[int] = ()
) -> None:
    """Send the document back to an earlier step this run has passed, in a new round; never forward.
    Raises Conflict for any other step, or when nobody can review there."""
    step = _may_decide(case, task)
    if not step.may_return_earlier:
        raise NotAllowed("At this step nothing can be returned to an earlier step.")
    opinion = require_opinion(opinion)
    target = case.step(to_step_id)
    if target not in return_targets(case):
        raise Conflict("A document can only be returned to a step it has already passed.")
    if not may_go_back(step, target):
        raise NotAllowed("From this step nothing is returned to “%(step)s”.", step=step_name(target))
    finish(case, task, Verb.RETURN)
    cancel(case, case.pending(), by=task)
    supersede(case, target)
    case.run.round += 1
    reviewers, excluded = eligible(case, target)
    if not reviewers:
        raise nobody_at(target, excluded=excluded)
    case.log(
        Verb.RETURN, task=task, from_step=step, to_step=target, opinion=opinion, attachment_ids=attachment_ids
    )
    arrive(case, target, reviewers, told=EventKind.SENT_BACK, opinion=opinion)


def may_go_back(step: FlowStep, target: FlowStep) -> bool:
    """Does the flow let a document go from one step back to another? Any one, unless some are named."""
    return not step.return_steps or target.code in step.return_steps


def return_targets(case: Case) -> list[FlowStep]:
    """The earlier steps where somebody's approval stands: those a return may go to."""
    passed = {task.step_id for task in case.standing() if task.decision is Verb.APPROVE}
    return [step for step in case.steps if step.seq < case.current.seq and step.id in passed]


def reject(case: Case, task: Task, opinion: str, attachment_ids: Iterable[int] = ()) -> None:
    """Refuse the document for good, at once, whatever the quorum. The opinion is required."""
    step = _may_decide(case, task)
    if not step.may_reject:
        raise NotAllowed("At this step nothing can be rejected.")
    opinion = require_opinion(opinion)
    finish(case, task, Verb.REJECT)
    case.set_status(DocumentStatus.REJECTED)
    case.log(Verb.REJECT, task=task, from_step=step, opinion=opinion, attachment_ids=attachment_ids)
    end(case, RunState.REJECTED, case.entry.on_rejected, EventKind.REJECTED, opinion)
    case.session.flush()


def save_opinion(case: Case, task: Task, opinion: str) -> None:
    """Keep what was written so far without moving anything."""
    _ = case.current
    case.require_not_submitter()
    task.saved_opinion = checked_opinion(opinion)
    case.session.flush()


def take_back(case: Case, task: Task) -> None:
    """Undo one's own last approval while nobody has touched what it opened; or call back a delegate or a
    signer asked before, while he has not answered. Raises Conflict otherwise."""
    case.require_not_submitter()
    if task.state is TaskState.WAITING:
        _call_back(case, task)
        return
    if task.state is not TaskState.DONE or task.decision is not Verb.APPROVE or task.round != case.run.round:
        raise Conflict("There is no approval of yours here that could be taken back.")
    step, current = case.step(task.step_id), case.current
    opened = [other for other in case.tasks if other.opened_by_id == task.id]
    live = [other for other in opened if other.state is not TaskState.CANCELLED]
    moved = current.id != task.step_id
    if moved:
        here = [other for other in case.tasks_at(current) if other.state is not TaskState.CANCELLED]
        untouched = bool(here) and all(_untouched(case, other) and other in live for other in here)
    else:
        untouched = all(_untouched(case, other) for other in live) and _parent_undecided(case, task)
    if not untouched:
        raise Conflict("Somebody has acted since, so your approval cannot be taken back any more.")
    case.tell(EventKind.TAKEN_BACK, [o.user_id for o in live if o.state is TaskState.OPEN], step=current)
    for other in live:
        if other.step_id == task.step_id:
            other.state = TaskState.WAITING
            other.arrived_at = other.due_at = other.opened_by_id = None
        else:
            cancel(case, [other])
    _undo(case, task)
    case.run.current_step_id = step.id
    case.log(Verb.TAKE_BACK, task=task, from_step=current, to_step=step)


def _undo(case: Case, task: Task) -> None:
    task.state, task.decision, task.acted_by_id, task.done_at = TaskState.OPEN, None, None, None
    for other in case.tasks:
        if other.closed_by_id == task.id and other.resume_state is not None:
            other.state, other.resume_state = other.resume_state, None
            other.closed_by_id, other.done_at = None, None
    parent = _parent(case, task)
    if parent is not None and task.kind is TaskKind.BEFORE:
        parent.state = TaskState.WAITING


def _call_back(case: Case, task: Task) -> None:
    asked = [
        child
        for child in case.children(task)
        if child.kind in (TaskKind.DELEGATED, TaskKind.BEFORE) and child.state is TaskState.OPEN
    ]
    if not asked or not all(_untouched(case, child) for child in asked):
        raise Conflict("There is nothing here that you could call back.")
    step = case.current
    case.tell(EventKind.TAKEN_BACK, [child.user_id for child in asked], step=step)
    cancel(case, asked)
    task.state = TaskState.OPEN
    case.log(Verb.TAKE_BACK, task=task, from_step=step, to_step=step, to_user_id=asked[0].user_id)


def _untouched(case: Case, task: Task) -> bool:
    return task.decision is None and not case.children(task)


def _parent(case: Case, task: Task) -> Task | None:
    return next((other for other in case.tasks if other.id == task.parent_id), None)


def _parent_undecided(case: Case, task: Task) -> bool:
    parent = _parent(case, task)
    return parent is None or task.kind is not TaskKind.BEFORE or parent.state is TaskState.OPEN


def _resume_parent(case: Case, task: Task, opinion: str) -> None:
    """The one who asked goes on once nobody he waits for is left."""
    parent = _parent(case, task)
    if parent is None or parent.state is not TaskState.WAITING:
        return
    awaited = (TaskKind.BEFORE, TaskKind.DELEGATED)
    if task.kind not in awaited:
        return
    still = [
        child
        for child in case.children(parent)
        if child.kind in awaited and child.state in (TaskState.OPEN, TaskState.WAITING)
    ]
    if not still:
        parent.state = TaskState.OPEN
        case.tell(EventKind.REPLIED, [parent.user_id], task=parent, opinion=opinion)


def _may_decide(case: Case, task: Task) -> FlowStep:
    step = may_review(case, task)
    if task.kind is TaskKind.DELEGATED:
        raise NotAllowed("You were asked for your answer only; the decision stays with who delegated this.")
    return step


def may_review(case: Case, task: Task) -> FlowStep:
    """The task's step, once it is sure that the actor may review there now. Raises NotAllowed for a
    submitter, Conflict for a task that is not open or a person who has acted in this round already."""
    step = case.current
    if task.state is not TaskState.OPEN or task.step_id != step.id or task.round != case.run.round:
        raise Conflict("This task is not open any more. Open the page again to see what happened.")
    case.require_not_submitter()
    actor = case.actor.user_id
    for done in case.standing():
        if done.id != task.id and actor in (done.user_id, done.acted_by_id):
            raise Conflict("You have already reviewed this document in this round.")
    return step
