"""A case: one document, its run, steps and tasks, locked and loaded, with what its verbs have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Problem
from app.core.flow import FlowState, RunState, SkipReason, TaskState, Verb
from app.models.base import Document, utcnow
from app.models.flow import FlowDefinition, FlowLog, FlowRun, FlowStep, Task
from app.workflow.naming import step_name
from app.workflow.registry import Handler, ReviewableDocument, reviewable

OPINION_LENGTH = 2_000


class EventKind(StrEnum):
    """What people have to be told of; the value names the message template."""

    ARRIVED = "task_assigned"
    TRANSFERRED = "task_transferred"
    DELEGATED = "task_delegated"
    REPLIED = "task_replied"
    SIGNER = "task_signer"
    COPIED = "task_copied"
    URGED = "review_urged"
    ACCEPTED = "acceptance_opinion"
    OPINION = "review_opinion"
    RETURNED = "review_returned"
    SENT_BACK = "task_sent_back"
    TAKEN_BACK = "task_taken_back"
    REASSIGNED = "task_reassigned"
    CLOSED = "task_closed"
    WITHDRAWN = "review_withdrawn"
    APPROVED = "result_approved"
    REJECTED = "result_rejected"
    TERMINATED = "result_terminated"


@dataclass(frozen=True)
class Event:
    """Something to tell `recipients` (user ids). `task` is theirs when it is about one task; `step` is
    where it happened, or where the run arrived."""

    kind: EventKind
    recipients: tuple[int, ...]
    task: Task | None = None
    step: FlowStep | None = None
    opinion: str = ""


@dataclass
class Case:
    """One document in review. Made by `open_case` under a lock, so that its verbs happen one at a time."""

    session: Session
    actor: Actor
    entry: ReviewableDocument[Any]
    document: Document
    run: FlowRun
    steps: Sequence[FlowStep]
    tasks: list[Task]
    submitters: frozenset[int]
    now: dt.datetime = field(default_factory=utcnow)
    events: list[Event] = field(default_factory=list)
    entries: list[FlowLog] = field(default_factory=list)
    """What was written into the history so far, in order."""

    def step(self, step_id: int | None) -> FlowStep:
        """A step of this run's version. Raises NotFound for a step of another flow."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise NotFound

    @property
    def current(self) -> FlowStep:
        """The step the run is at. Raises Conflict when it is at none."""
        if self.run.state is not RunState.RUNNING:
            raise Conflict("This is not in review any more; its state is “%(state)s”.", state=self.run.state)
        return self.step(self.run.current_step_id)

    def tasks_at(self, step: FlowStep) -> list[Task]:
        """The tasks of a step in the present round."""
        return [task for task in self.tasks if task.step_id == step.id and task.round == self.run.round]

    def pending(self) -> list[Task]:
        """Tasks that are open or wait for somebody else's turn."""
        return [task for task in self.tasks if task.state in (TaskState.OPEN, TaskState.WAITING)]

    def children(self, task: Task) -> list[Task]:
        """The tasks that hang on this one: added signers and delegates."""
        return [child for child in self.tasks if child.parent_id == task.id]

    def standing(self) -> list[Task]:
        """The reviews that count: done, and the run did not go back behind them."""
        return [
            task
            for task in self.tasks
            if task.state is TaskState.DONE
            and task.decision is not None
            and task.decision.is_review
            and not task.superseded
        ]

    def acted(self) -> set[int]:
        """Who has already reviewed, himself or through an agent, or as one."""
        return _people_of(self.standing())

    def acted_elsewhere(self, step: FlowStep) -> set[int]:
        """Who has already reviewed at another step, himself or through an agent, or as one."""
        return _people_of(task for task in self.standing() if task.step_id != step.id)

    def require_not_submitter(self) -> None:
        """Raise NotAllowed for who submitted this: also as somebody's agent he does nothing with it."""
        if self.actor.user_id is None or self.actor.user_id in self.submitters:
            raise NotAllowed("You submitted this document, so you may not review it.")

    def set_status(self, status: DocumentStatus) -> None:
        """Give the document its status; ended ones also get the moment."""
        self.document.status = status
        ended = (DocumentStatus.APPROVED, DocumentStatus.REJECTED, DocumentStatus.TERMINATED)
        self.document.finished_at = self.now if status in ended else None

    def follow(self, handler: Handler[Any]) -> None:
        """Let the document's own service do what follows an outcome, and copy its head again."""
        self.session.flush()
        handler(self.session, self.actor, self.document)
        self.copy_head()

    def copy_head(self) -> None:
        """Keep number, title, amount and unit on the run, where the lists over all kinds read them."""
        self.run.code = self.document.code
        self.run.title = self.entry.title(self.document)
        self.run.amount = self.entry.amount(self.document)
        self.run.unit_id = self.document.unit_id

    def log(
        self,
        verb: Verb,
        *,
        task: Task | None = None,
        from_step: FlowStep | None = None,
        to_step: FlowStep | None = None,
        to_user_id: int | None = None,
        opinion: str = "",
        attachment_ids: Iterable[int] = (),
        skip_reason: SkipReason | None = None,
    ) -> None:
        """Add one entry to the history, with the document's status as it now is."""
        anothers = task is not None and task.user_id != self.actor.user_id
        entry = FlowLog(
            run_id=self.run.id,
            document_kind=self.run.document_kind,
            document_id=self.run.document_id,
            round=self.run.round,
            verb=verb,
            user_id=self.actor.user_id,
            user_name=self.actor.name,
            on_behalf_of_id=task.user_id if task is not None and anothers else None,
            from_step_id=from_step.id if from_step else None,
            to_step_id=to_step.id if to_step else None,
            to_user_id=to_user_id,
            skip_reason=skip_reason,
            opinion=opinion,
            attachment_ids=list(attachment_ids),
            status=self.document.status,
            at=self.now,
        )
        self.session.add(entry)
        self.entries.append(entry)
        # One statement per entry: their ids must follow the order in which things happened.
        self.session.flush()

    def tell(
        self,
        kind: EventKind,
        recipients: Iterable[int],
        *,
        task: Task | None = None,
        step: FlowStep | None = None,
        opinion: str = "",
    ) -> None:
        """Note that people have to be told; the service does it."""
        people = tuple(sorted(set(recipients)))
        if people:
            where = step or (self.step(task.step_id) if task is not None else None)
            self.events.append(Event(kind, people, task, where, opinion))


def open_case(session: Session, actor: Actor, run_id: int) -> Case:
    """Lock a document and its run and load all of the case. Raises NotFound for an unknown run.

    The document is always locked before the run, also by whoever edits or submits it, so that two
    transactions never wait for each other.
    """
    head = session.execute(
        select(FlowRun.document_kind, FlowRun.document_id).where(FlowRun.id == run_id)
    ).one_or_none()
    if head is None:
        raise NotFound
    entry = reviewable(head.document_kind)
    model: Any = entry.model
    session.execute(select(model.id).where(model.id == head.document_id).with_for_update())
    document = session.get(model, head.document_id, populate_existing=True)
    if document is None:
        raise NotFound
    run = session.scalars(
        select(FlowRun)
        .where(FlowRun.id == run_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    return load_case(session, actor, entry, document, run)


def load_case(
    session: Session, actor: Actor, entry: ReviewableDocument[Any], document: Document, run: FlowRun
) -> Case:
    """The case of a run whose document and run are locked already."""
    tasks = session.scalars(
        select(Task).where(Task.run_id == run.id).order_by(Task.id).execution_options(populate_existing=True)
    )
    # Of all its runs: who submitted it before it was withdrawn does not review it afterwards either.
    submitters = session.scalars(
        select(FlowLog.user_id).where(
            FlowLog.document_kind == run.document_kind,
            FlowLog.document_id == run.document_id,
            FlowLog.verb.in_((Verb.SUBMIT, Verb.RESUBMIT)),
        )
    )
    everyone = {run.started_by_id, document.submitted_by_id, *submitters}
    return Case(
        session=session,
        actor=actor,
        entry=entry,
        document=document,
        run=run,
        steps=steps_of(session, run.definition_id),
        tasks=list(tasks),
        submitters=frozenset(user for user in everyone if user is not None),
    )


def _people_of(tasks: Iterable[Task]) -> set[int]:
    return {user for task in tasks for user in (task.user_id, task.acted_by_id) if user is not None}


def steps_of(session: Session, definition_id: int) -> Sequence[FlowStep]:
    """The steps of one version in order, with conditions and named users."""
    return session.scalars(
        select(FlowStep)
        .where(FlowStep.definition_id == definition_id)
        .order_by(FlowStep.seq)
        .options(selectinload(FlowStep.conditions), selectinload(FlowStep.users))
    ).all()


def published(session: Session, kind: str) -> FlowDefinition:
    """The version that new runs of a kind take. Raises Conflict when none is published."""
    definition = session.scalars(
        select(FlowDefinition).where(
            FlowDefinition.document_kind == kind, FlowDefinition.state == FlowState.PUBLISHED
        )
    ).one_or_none()
    if definition is None:
        raise Conflict(
            "No review flow is published for this kind of document. Ask the administrator for one."
        )
    return definition


def require_opinion(opinion: str) -> str:
    """The opinion without outer blanks. Raises InvalidInput when it is empty or too long."""
    if not opinion.strip():
        raise InvalidInput({"opinion": [Problem.of("Please give your opinion: the unit has to know why.")]})
    return checked_opinion(opinion)


def checked_opinion(opinion: str) -> str:
    """The opinion without outer blanks, which may be empty. Raises InvalidInput when it is too long."""
    opinion = opinion.strip()
    if len(opinion) > OPINION_LENGTH:
        raise InvalidInput(
            {"opinion": [Problem.of("An opinion has at most %(limit)s characters.", limit=OPINION_LENGTH)]}
        )
    return opinion


def nobody_at(step: FlowStep, *, excluded: bool) -> Conflict:
    """The refusal when a step has no reviewer, saying whether candidates exist at all."""
    if excluded:
        return Conflict(
            "Nobody can review at the step “%(step)s”: its only candidates submitted this document or have "
            "already reviewed it in this round. Ask the administrator to assign another reviewer.",
            step=step_name(step),
        )
    return Conflict(
        "The step “%(step)s” has no reviewer. Ask the administrator to assign one.", step=step_name(step)
    )
