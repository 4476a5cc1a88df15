"""What a reviewer may do now: for buttons, and for the services that change a document in review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.access.actor import Actor
from app.access.rules_task import held_by
from app.core.flow import RunState, TaskKind, TaskState, Verb
from app.models.base import Document
from app.models.flow import CopyTo, FlowLog, FlowRun, FlowStep, Task
from app.workflow.verbs.reviewer import may_go_back


@dataclass(frozen=True)
class Options:
    """What may be done with an open task: its verbs, and the earlier steps it may go back to."""

    verbs: frozenset[Verb]
    return_to: tuple[FlowStep, ...] = ()
    may_return_to_applicant: bool = False


def open_task(session: Session, actor: Actor, kind: str, document_id: int) -> Task | None:
    """The open task on a document that the actor may do, his own before one he does as an agent; with its
    step, run and owner."""
    return session.scalars(
        select(Task)
        .join(Task.run)
        .where(
            FlowRun.document_kind == kind,
            FlowRun.document_id == document_id,
            FlowRun.state == RunState.RUNNING,
            Task.state == TaskState.OPEN,
            held_by(actor),
        )
        .order_by((Task.user_id == actor.user_id).desc(), Task.id)
        .limit(1)
        .options(joinedload(Task.step), joinedload(Task.run), joinedload(Task.user))
    ).first()


def may_edit_now(session: Session, actor: Actor, document: Document, document_id: int) -> bool:
    """May the actor change this document as its reviewer: has he an open task at a step that allows it?"""
    task = open_task(session, actor, document.document_kind, document_id)
    return task is not None and task.step.may_edit


def passed_steps(session: Session, task: Task) -> Sequence[FlowStep]:
    """The earlier steps of the task's run where somebody's approval stands."""
    return session.scalars(
        select(FlowStep)
        .where(
            FlowStep.seq < task.step.seq,
            FlowStep.id.in_(
                select(Task.step_id).where(
                    Task.run_id == task.run_id, Task.decision == Verb.APPROVE, Task.superseded.is_(False)
                )
            ),
        )
        .order_by(FlowStep.seq)
    ).all()


def options(session: Session, task: Task) -> Options:
    """The verbs an open task offers, by its step's permissions and its own kind. Needs `task.step`."""
    step = task.step
    verbs = {Verb.APPROVE, Verb.SAVE_OPINION}
    if step.may_copy:
        verbs.add(Verb.COPY_TO)
    if task.kind is TaskKind.DELEGATED:
        return Options(frozenset(verbs))
    return_to = (
        tuple(passed for passed in passed_steps(session, task) if may_go_back(step, passed))
        if step.may_return_earlier
        else ()
    )
    allowed = {
        Verb.RETURN: step.may_return_applicant or bool(return_to),
        Verb.REJECT: step.may_reject,
        Verb.TRANSFER: step.may_transfer,
        Verb.DELEGATE: step.may_delegate,
        Verb.ADD_SIGNER: step.may_add_signer,
    }
    verbs |= {verb for verb, may in allowed.items() if may}
    return Options(frozenset(verbs), return_to, step.may_return_applicant)


def unfit_people(session: Session, task: Task, verb: str) -> set[int]:
    """Who is not to be offered for a part in the task's review: who submitted the document, who has reviewed
    or is to review it in this round; for a copy, only the former and those who have one already."""
    run = select(FlowRun.document_kind, FlowRun.document_id, FlowRun.round).where(FlowRun.id == task.run_id)
    kind, document_id, now_round = session.execute(run).one()
    unfit = set(
        session.scalars(
            select(FlowLog.user_id).where(
                FlowLog.document_kind == kind,
                FlowLog.document_id == document_id,
                FlowLog.verb.in_((Verb.SUBMIT, Verb.RESUBMIT)),
            )
        )
    )
    if verb == Verb.COPY_TO:
        unfit |= set(session.scalars(select(CopyTo.user_id).where(CopyTo.run_id == task.run_id)))
        return {user for user in unfit if user is not None}
    for other in session.scalars(select(Task).where(Task.run_id == task.run_id)):
        stands = other.decision is not None and other.decision.is_review and not other.superseded
        waits = other.round == now_round and other.state in (TaskState.OPEN, TaskState.WAITING)
        if stands or waits:
            unfit |= {other.user_id, other.acted_by_id}
    return {user for user in unfit if user is not None}


def has_submitted(session: Session, actor: Actor, run: FlowRun) -> bool:
    """Did the actor ever submit the document of this run?"""
    entry = select(FlowLog.id).where(
        FlowLog.document_kind == run.document_kind,
        FlowLog.document_id == run.document_id,
        FlowLog.verb.in_((Verb.SUBMIT, Verb.RESUBMIT)),
        FlowLog.user_id == actor.user_id,
    )
    return session.scalar(entry.limit(1)) is not None
