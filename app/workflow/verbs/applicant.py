"""What the applicant does: submit, submit again, withdraw, urge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict
from app.core.flow import RunState, TaskState, Verb
from app.core.workdays import SHANGHAI, today_in_china
from app.models.base import Document, utcnow
from app.models.flow import FlowLog, FlowRun, FlowStep
from app.workflow.case import Case, EventKind, checked_opinion, load_case, published
from app.workflow.moves import Route, end, follow_route, route, status_after, supersede
from app.workflow.registry import reviewable
from app.workflow.settings import parameter

RESUBMIT_TARGET = "review.resubmit_target"
"""The parameter that says where a resubmitted document goes (domain.md 3.1.5): `FIRST_STEP` (the default: the
unit may have changed anything meanwhile) or `RETURNING_STEP`."""


def submit(
    session: Session, actor: Actor, document: Document, opinion: str = "", attachment_ids: Iterable[int] = ()
) -> Case:
    """Start a run for a draft, or go on with the run of a returned document. `document` comes loaded,
    checked and locked by its own service. Raises Conflict when it is in another state, when no flow is
    published, or when a step has no reviewer."""
    entry = reviewable(document.document_kind)
    if document.status not in (DocumentStatus.DRAFT, DocumentStatus.RETURNED):
        raise Conflict(
            "Only a draft or a returned document can be submitted; this one is in the state “%(status)s”.",
            status=document.status,
        )
    opinion = checked_opinion(opinion)
    _check_never_reviewed(session, actor, document)
    run = open_run(session, document)
    if run is not None:
        return resubmit(load_case(session, actor, entry, document, run), opinion, attachment_ids)
    now = utcnow()
    run = FlowRun(
        definition_id=published(session, entry.kind).id,
        document_kind=entry.kind,
        document_id=_id(document),
        code=document.code,
        title=entry.title(document),
        amount=entry.amount(document),
        unit_id=document.unit_id,
        started_by_id=actor.user_id,
        started_at=now,
    )
    document.submitted_by_id, document.submitted_at = actor.user_id, now
    session.add(run)
    session.flush()
    case = load_case(session, actor, entry, document, run)
    _begin(case, Verb.SUBMIT, None, opinion, attachment_ids)
    return case


def resubmit(case: Case, opinion: str = "", attachment_ids: Iterable[int] = ()) -> Case:
    """Go on with a returned document: a new round, from the step that returned it or from the first."""
    if case.run.state is not RunState.RETURNED:
        raise Conflict("This document was not returned, so it cannot be submitted again.")
    target = parameter(case.session, RESUBMIT_TARGET, "FIRST_STEP", today_in_china(case.now))
    step = case.step(case.run.returned_from_id) if target == "RETURNING_STEP" else case.steps[0]
    supersede(case, step)
    case.run.round += 1
    case.run.returned_from_id = None
    case.run.state = RunState.RUNNING
    case.document.submitted_by_id, case.document.submitted_at = case.actor.user_id, case.now
    if case.actor.user_id is not None:
        case.submitters |= {case.actor.user_id}
    _begin(case, Verb.RESUBMIT, step, opinion, attachment_ids)
    return case


def _check_never_reviewed(session: Session, actor: Actor, document: Document) -> None:
    """Who did a reviewer's part in it, himself or through an agent, does not become its submitter, though he
    only brought in another signer. Raises Conflict."""
    reviewed = select(FlowLog.id).where(
        FlowLog.document_kind == document.document_kind,
        FlowLog.document_id == _id(document),
        FlowLog.verb.in_([verb for verb in Verb if verb.is_by_reviewer]),
        or_(FlowLog.user_id == actor.user_id, FlowLog.on_behalf_of_id == actor.user_id),
    )
    if session.scalar(reviewed.limit(1)) is not None:
        raise Conflict("You have reviewed this document, so somebody else of your unit has to submit it.")


def _begin(case: Case, verb: Verb, at: FlowStep | None, opinion: str, attachment_ids: Iterable[int]) -> None:
    case.set_status(DocumentStatus.IN_REVIEW)
    case.follow(case.entry.on_submitted)
    way: Route = route(case, at)
    case.set_status(status_after(way))
    case.log(verb, to_step=way.step, opinion=opinion, attachment_ids=attachment_ids)
    case.tell(EventKind.ACCEPTED, case.submitters, step=way.step)
    follow_route(case, way)
    case.session.flush()


def withdraw(case: Case, opinion: str = "") -> None:
    """Take the document back to a draft. Raises Conflict once somebody has reviewed at the present step."""
    step = case.current
    if any(task.decision is not None and task.decision.is_review for task in case.tasks_at(step)):
        raise Conflict(
            "A reviewer has already acted at the present step, so this can no longer be withdrawn."
        )
    case.set_status(DocumentStatus.DRAFT)
    case.document.submitted_by_id = case.document.submitted_at = None
    case.log(Verb.WITHDRAW, from_step=step, opinion=checked_opinion(opinion))
    case.tell(
        EventKind.WITHDRAWN,
        [task.user_id for task in case.pending() if task.state is TaskState.OPEN],
        step=step,
    )
    end(case, RunState.WITHDRAWN, case.entry.on_withdrawn, None)
    case.session.flush()


def urge(case: Case, opinion: str = "") -> None:
    """Ask the reviewers to hurry; once a day for each document. Raises Conflict the second time."""
    step = case.current
    today = dt.datetime.combine(today_in_china(case.now), dt.time.min, tzinfo=SHANGHAI)
    urged = select(FlowLog.id).where(
        FlowLog.run_id == case.run.id, FlowLog.verb == Verb.URGE, FlowLog.at >= today
    )
    if case.session.scalar(urged.limit(1)) is not None:
        raise Conflict("The reviewers were already urged today. Try again tomorrow.")
    case.log(Verb.URGE, from_step=step, to_step=step, opinion=checked_opinion(opinion))
    for task in case.tasks_at(step):
        if task.state is TaskState.OPEN:
            case.tell(EventKind.URGED, [task.user_id], task=task)


def open_run(session: Session, document: Document) -> FlowRun | None:
    """The run of a document that has not ended, locked; None when there is none."""
    return session.scalars(
        select(FlowRun)
        .where(
            FlowRun.document_kind == document.document_kind,
            FlowRun.document_id == _id(document),
            FlowRun.state.in_((RunState.RUNNING, RunState.RETURNED)),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _id(document: Document) -> int:
    mapped: Any = document
    return int(mapped.id)
