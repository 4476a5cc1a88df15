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
from app.models.flow import FlowRun, FlowStep, Task


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
    return_to = tuple(passed_steps(session, task)) if step.may_return_earlier else ()
    allowed = {
        Verb.RETURN: step.may_return_applicant or bool(return_to),
        Verb.REJECT: step.may_reject,
        Verb.TRANSFER: step.may_transfer,
        Verb.DELEGATE: step.may_delegate,
        Verb.ADD_SIGNER: step.may_add_signer,
    }
    verbs |= {verb for verb, may in allowed.items() if may}
    return Options(frozenset(verbs), return_to, step.may_return_applicant)
