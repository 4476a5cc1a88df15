"""How a reviewer brings in others: transfer, delegate, add a signer, copy to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from app.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from app.core.flow import TaskKind, TaskState, Verb
from app.models.flow import CopyTo, FlowStep, Task
from app.workflow.candidates import is_active
from app.workflow.case import Case, EventKind, checked_opinion
from app.workflow.moves import finish, give, start

SignerPosition = TaskKind
"""Where an added signer signs: `BEFORE`, `PARALLEL` or `AFTER`."""

_POSITIONS = (TaskKind.BEFORE, TaskKind.PARALLEL, TaskKind.AFTER)


def transfer(
    case: Case, task: Task, to_user_id: int, opinion: str = "", attachment_ids: Iterable[int] = ()
) -> None:
    """Hand the task over for good; its time goes on running. Raises InvalidInput for an unfit person."""
    step = _open_step(case, task)
    if not step.may_transfer or task.kind is TaskKind.DELEGATED:
        raise NotAllowed("At this step a task cannot be transferred.")
    _check_fit(case, to_user_id)
    opinion = checked_opinion(opinion)
    heir = give(case, step, to_user_id, kind=task.kind, seq=task.seq)
    finish(case, task, Verb.TRANSFER)
    inherit(case, task, heir)
    heir.arrived_at, heir.due_at = case.now, task.due_at
    case.session.flush()
    case.tell(EventKind.TRANSFERRED, [to_user_id], task=heir)
    _note(case, Verb.TRANSFER, task, to_user_id, opinion, attachment_ids)


def delegate(
    case: Case, task: Task, to_user_id: int, opinion: str = "", attachment_ids: Iterable[int] = ()
) -> None:
    """Ask somebody for an answer; the task waits and comes back with it."""
    step = _open_step(case, task)
    if not step.may_delegate or task.kind is TaskKind.DELEGATED:
        raise NotAllowed("At this step a task cannot be delegated.")
    _check_fit(case, to_user_id)
    opinion = checked_opinion(opinion)
    child = give(case, step, to_user_id, kind=TaskKind.DELEGATED)
    child.parent_id, child.delegated_by_id = task.id, task.user_id
    task.state = TaskState.WAITING
    start(case, child, EventKind.DELEGATED)
    child.due_at = task.due_at
    _note(case, Verb.DELEGATE, task, to_user_id, opinion, attachment_ids)


def add_signer(
    case: Case,
    task: Task,
    to_user_id: int,
    position: TaskKind = TaskKind.AFTER,
    opinion: str = "",
    attachment_ids: Iterable[int] = (),
) -> None:
    """Have somebody sign as well, whatever the quorum: before the actor, beside him or after him."""
    step = _open_step(case, task)
    if position not in _POSITIONS:
        raise InvalidInput(
            {"position": [Problem.of("Choose whether the signer signs before, beside or after you.")]}
        )
    if not step.may_add_signer or task.kind is TaskKind.DELEGATED:
        raise NotAllowed("At this step no signer can be added.")
    _check_fit(case, to_user_id)
    opinion = checked_opinion(opinion)
    signer = give(case, step, to_user_id, kind=position)
    signer.parent_id, signer.added_by_id = task.id, case.actor.user_id
    if position is TaskKind.AFTER:
        signer.state = TaskState.WAITING
    else:
        start(case, signer, EventKind.SIGNER)
    if position is TaskKind.BEFORE:
        task.state = TaskState.WAITING
    _note(case, Verb.ADD_SIGNER, task, to_user_id, opinion, attachment_ids)


def copy_to(case: Case, task: Task, user_ids: Collection[int], opinion: str = "") -> None:
    """Show the document to people who have nothing to do in it; whoever has it already is passed over.
    Raises InvalidInput when nobody new is left."""
    step = _open_step(case, task)
    if not step.may_copy:
        raise NotAllowed("At this step no copy can be sent.")
    have = set(case.session.scalars(select(CopyTo.user_id).where(CopyTo.run_id == case.run.id)))
    fresh = sorted(set(user_ids) - have)
    if not fresh:
        raise InvalidInput({"to_user": [Problem.of("Choose somebody who has not got a copy yet.")]})
    for user in fresh:
        if not is_active(case.session, user):
            raise InvalidInput({"to_user": [Problem.of("This person is not an active user.")]})
    opinion = checked_opinion(opinion)
    for user in fresh:
        case.session.add(
            CopyTo(run_id=case.run.id, step_id=step.id, user_id=user, by_id=case.actor.user_id, at=case.now)
        )
        case.log(Verb.COPY_TO, task=task, from_step=step, to_step=step, to_user_id=user, opinion=opinion)
    case.tell(EventKind.COPIED, fresh, step=step)


def _note(
    case: Case, verb: Verb, task: Task, to_user_id: int, opinion: str, attachment_ids: Iterable[int]
) -> None:
    step = case.step(task.step_id)
    case.log(
        verb,
        task=task,
        from_step=step,
        to_step=step,
        to_user_id=to_user_id,
        opinion=opinion,
        attachment_ids=attachment_ids,
    )


def _open_step(case: Case, task: Task) -> FlowStep:
    step = case.current
    case.require_not_submitter()
    if task.state is not TaskState.OPEN or task.step_id != step.id or task.round != case.run.round:
        raise Conflict("This task is not open any more. Open the page again to see what happened.")
    return step


def _check_fit(case: Case, user_id: int) -> None:
    """May this person review here? Raises InvalidInput saying why not."""
    problem = unfit(case, user_id)
    if problem is not None:
        raise InvalidInput({"to_user": [problem]})


def unfit(case: Case, user_id: int) -> Problem | None:
    """Why a person may not be given a part in the review now; None when he may."""
    if user_id == case.actor.user_id:
        return Problem.of("Choose somebody else than yourself.")
    if user_id in case.submitters:
        return Problem.of("This person submitted the document and may not review it.")
    if user_id in case.acted():
        return Problem.of("This person has already reviewed this document in this round.")
    if not is_active(case.session, user_id):
        return Problem.of("This person is not an active user.")
    return None


def inherit(case: Case, old: Task, new: Task) -> None:
    """The new holder takes the old one's place: what he hung on, and what hung on him."""
    new.parent_id, new.delegated_by_id, new.added_by_id = old.parent_id, old.delegated_by_id, old.added_by_id
    case.session.flush()
    for child in case.children(old):
        child.parent_id = new.id
