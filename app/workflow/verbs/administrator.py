"""What an administrator of the flow may do from outside: reassign a stuck task, terminate a run."""

from __future__ import annotations

from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput
from app.core.flow import RunState, TaskState, Verb
from app.models.flow import Task
from app.workflow.case import Case, EventKind, checked_opinion, require_opinion
from app.workflow.moves import end, give, start
from app.workflow.verbs.signers import inherit, unfit


def reassign(case: Case, task: Task, to_user_id: int, opinion: str = "") -> None:
    """Give a task that nobody does to somebody else; its time starts anew. Raises Conflict for a task that
    is closed, InvalidInput for an unfit person."""
    step = case.current
    if task.state not in (TaskState.OPEN, TaskState.WAITING):
        raise Conflict("This task is not open any more. Open the page again to see what happened.")
    problem = unfit(case, to_user_id)
    if problem is not None:
        raise InvalidInput({"to_user": [problem]})
    opinion = checked_opinion(opinion)
    heir = give(case, step, to_user_id, kind=task.kind, seq=task.seq)
    heir.opened_by_id, heir.state, heir.arrived_at = task.opened_by_id, task.state, task.arrived_at
    was_open = task.state is TaskState.OPEN
    inherit(case, task, heir)
    case.tell(EventKind.REASSIGNED, [task.user_id], step=step, opinion=opinion)
    task.state, task.done_at, task.closed_by_id, task.resume_state = TaskState.CANCELLED, case.now, None, None
    if was_open:
        start(case, heir)
    case.log(Verb.REASSIGN, task=task, from_step=step, to_step=step, to_user_id=to_user_id, opinion=opinion)


def terminate(case: Case, opinion: str) -> None:
    """End the review for good, in whatever open state it is. The reason is required."""
    if not case.run.state.is_open:
        raise Conflict("This is not in review any more; its state is “%(state)s”.", state=case.run.state)
    opinion = require_opinion(opinion)
    step = case.step(case.run.current_step_id) if case.run.current_step_id else None
    case.set_status(DocumentStatus.TERMINATED)
    case.log(Verb.TERMINATE, from_step=step, opinion=opinion)
    end(case, RunState.TERMINATED, case.entry.on_terminated, EventKind.TERMINATED, opinion)
    case.session.flush()
