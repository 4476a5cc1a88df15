"""Looking at a review: its history, who has it now, and what the reader may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from app.access.actor import Actor
from app.access.policy import load
from app.core.errors import NotFound
from app.core.flow import RunState, TaskState, Verb
from app.models.attachment import Attachment
from app.models.base import Document
from app.models.flow import FlowLog, FlowRun, FlowStep, SavedOpinion, Task
from app.services.history import VersionEvent
from app.services.history import keep as keep_version
from app.services.review import files
from app.services.review.opinions import saved_opinions
from app.services.unit_of_work import current_session
from app.workflow import reading
from app.workflow.registry import registered, reviewable
from app.workflow.verbs.applicant import open_run


@dataclass(frozen=True)
class Timeline:
    """流转过程: the latest run, everything that happened to the document (oldest first), the tasks that are
    open or wait now, and the files named in the entries, by id."""

    run: FlowRun | None
    entries: Sequence[FlowLog]
    waiting: Sequence[Task]
    files: Mapping[int, Attachment]


@dataclass(frozen=True)
class Answer:
    """Why a document came back last, and what its unit answered when it submitted it again."""

    returned: FlowLog
    answer: FlowLog | None


@dataclass(frozen=True)
class Panel:
    """The review panel of whoever has an open task on a document; `version` is the task's."""

    task: Task
    options: reading.Options
    opinions: Sequence[SavedOpinion]
    may_edit: bool
    files: Sequence[Attachment]
    answer: Answer | None

    @property
    def version(self) -> int:
        return self.task.version


def history(actor: Actor, kind: str, document_id: int) -> Sequence[FlowLog]:
    """流转日志 of a document the actor may read, over all its runs, oldest first, with people and steps."""
    session = current_session()
    _check_readable(session, actor, kind, document_id)
    return _entries(session, kind, document_id)


def timeline(actor: Actor, kind: str, document_id: int) -> Timeline:
    """The history of a document the actor may read, with who has it now."""
    session = current_session()
    _check_readable(session, actor, kind, document_id)
    run = session.scalars(
        select(FlowRun)
        .where(FlowRun.document_kind == kind, FlowRun.document_id == document_id)
        .order_by(FlowRun.id.desc())
        .limit(1)
        .options(joinedload(FlowRun.current_step))
    ).first()
    waiting: Sequence[Task] = ()
    if run is not None:
        waiting = session.scalars(
            select(Task)
            .where(Task.run_id == run.id, Task.state.in_((TaskState.OPEN, TaskState.WAITING)))
            .order_by(Task.seq, Task.id)
            .options(joinedload(Task.user), joinedload(Task.step))
        ).all()
    entries = _entries(session, kind, document_id)
    return Timeline(run, entries, waiting, files.named_in(session, entries))


def has_submitted(actor: Actor, run: FlowRun) -> bool:
    """Did the actor submit this document himself, so that he may not review it as anybody's agent?"""
    return reading.has_submitted(current_session(), actor, run)


def last_return(run: FlowRun) -> Answer | None:
    """The latest return in a run, to its unit or to an earlier step; None when there was none."""
    entries = (
        current_session()
        .scalars(
            select(FlowLog)
            .where(FlowLog.run_id == run.id, FlowLog.verb.in_((Verb.RETURN, Verb.RESUBMIT)))
            .order_by(FlowLog.id.desc())
            .limit(2)
            .options(joinedload(FlowLog.from_step), joinedload(FlowLog.to_step))
        )
        .all()
    )
    returned = next((entry for entry in entries if entry.verb is Verb.RETURN), None)
    if returned is None:
        return None
    return Answer(returned, entries[0] if entries[0].verb is Verb.RESUBMIT else None)


def unfit_people(task: Task, verb: str) -> set[int]:
    """Who is not to be offered when somebody is looked for to be given a part in a task's review."""
    return reading.unfit_people(current_session(), task, verb)


def open_run_of(kind: str, document_id: int) -> FlowRun | None:
    """The run of a document that has not ended, with its unit; whether the reader may know of it is the
    caller's to ask."""
    return current_session().scalar(
        select(FlowRun)
        .where(
            FlowRun.document_kind == kind,
            FlowRun.document_id == document_id,
            FlowRun.state.in_((RunState.RUNNING, RunState.RETURNED)),
        )
        .options(joinedload(FlowRun.unit))
    )


def open_task(actor: Actor, kind: str, document_id: int) -> Task | None:
    """The actor's open task on a document, with its step, run and owner; None when he has none."""
    return reading.open_task(current_session(), actor, kind, document_id)


def panel(actor: Actor, kind: str, document_id: int) -> Panel | None:
    """What the review page shows beside a document; None when the actor has nothing to do there."""
    task = open_task(actor, kind, document_id)
    if task is None:
        return None
    session = current_session()
    if task.user_id != actor.user_id and reading.has_submitted(session, actor, task.run):
        return None
    return Panel(
        task=task,
        options=reading.options(session, task),
        opinions=saved_opinions(actor),
        may_edit=task.step.may_edit,
        files=files.uploaded(session, task.id),
        answer=last_return(task.run),
    )


def may_edit_now(session: Session, actor: Actor, document: Document, document_id: int) -> bool:
    """May the actor change this document as its reviewer now?"""
    return reading.may_edit_now(session, actor, document, document_id)


def document_edited(session: Session, actor: Actor, document: Document) -> None:
    """Call after a document in review was changed: the lists show its new head, and every other reviewer's
    open page is stale, so that nobody approves what he has not read."""
    run = open_run(session, document)
    if run is None:
        return
    keep_version(session, actor, document, VersionEvent.AMENDED)
    entry = reviewable(document.document_kind)
    run.code, run.title = document.code, entry.title(document)
    run.amount, run.unit_id = entry.amount(document), document.unit_id
    session.flush()
    table = Task.__table__
    session.connection().execute(
        update(Task)
        .where(
            table.c.run_id == run.id,
            table.c.state.in_((TaskState.OPEN, TaskState.WAITING)),
            table.c.user_id != actor.user_id,
        )
        .values(version=table.c.version + 1)
    )


def in_review_past(kind: str, step_code: str) -> Select[int]:
    """The ids of the documents of a kind that are still in review and have passed a step: they wait at a
    later one of the same flow. By where they stand, not by who approved: ten times fewer rows to look at."""
    passed = aliased(FlowStep)
    present = aliased(FlowStep)
    return (
        select(FlowRun.document_id)
        .join(present, present.id == FlowRun.current_step_id)
        .join(passed, passed.definition_id == present.definition_id)
        .where(
            FlowRun.document_kind == kind,
            FlowRun.state == RunState.RUNNING,
            passed.code == step_code,
            passed.seq < present.seq,
        )
    )


def passed_step(kind: str, step_code: str) -> Select[int]:
    """The ids of the documents of a kind that have passed a step (项目申报汇总: 已经初审的项目), or were
    approved by a flow that does not have it."""
    approved_there = (
        select(Task.id)
        .join(FlowStep, FlowStep.id == Task.step_id)
        .where(
            Task.run_id == FlowRun.id,
            FlowStep.code == step_code,
            Task.state == TaskState.DONE,
            Task.decision == Verb.APPROVE,
            Task.superseded.is_(False),
        )
        .correlate(FlowRun)
        .exists()
    )
    return select(FlowRun.document_id).where(
        FlowRun.document_kind == kind,
        FlowRun.state.in_((RunState.RUNNING, RunState.APPROVED)),
        or_(FlowRun.state == RunState.APPROVED, approved_there),
    )


def _entries(session: Session, kind: str, document_id: int) -> Sequence[FlowLog]:
    return session.scalars(
        select(FlowLog)
        .where(FlowLog.document_kind == kind, FlowLog.document_id == document_id)
        .order_by(FlowLog.id)
        .options(
            joinedload(FlowLog.user),
            joinedload(FlowLog.on_behalf_of),
            joinedload(FlowLog.to_user),
            joinedload(FlowLog.from_step),
            joinedload(FlowLog.to_step),
        )
    ).all()


def _check_readable(session: Session, actor: Actor, kind: str, document_id: int) -> None:
    entry = registered().get(kind)
    if entry is None:
        raise NotFound
    load(session, actor, entry.model, document_id)
