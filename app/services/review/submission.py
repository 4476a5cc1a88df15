"""What happens to a whole document: submit, withdraw, urge, terminate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import load, require
from app.core.enums import DocumentStatus, LogLevel
from app.core.errors import Conflict, NotFound
from app.core.flow import RunState
from app.models.base import Document
from app.models.flow import FlowRun
from app.services import history, remark
from app.services.history import VersionEvent
from app.services.log import record
from app.services.review.notices import tell
from app.services.unit_of_work import unit_of_work
from app.workflow import verbs
from app.workflow.case import Case, open_case
from app.workflow.registry import registered


def submit(
    session: Session, actor: Actor, document: Document, opinion: str = "", attachment_ids: Iterable[int] = ()
) -> Case:
    """Put a document into review, or a returned one back into it, within the caller's unit of work. The
    caller has loaded it through the scope for its verb `submit`, locked, and checked that it is complete.

    Raises Conflict when it is in another state, no flow is published, a step has no reviewer, or remarks
    without an answer keep it with its unit.
    """
    remark.check_submission(session, document.document_kind, cast(Any, document).id)
    case = verbs.submit(session, actor, document, opinion, attachment_ids)
    history.keep(session, actor, document, VersionEvent.SUBMITTED)
    if document.status is DocumentStatus.APPROVED:
        history.keep(session, actor, document, VersionEvent.APPROVED)
    tell(case, submitted=True)
    remark.tell_answers(session, actor, case.run.document_kind, case.run.document_id)
    return case


def withdraw(actor: Actor, kind: str, document_id: int, *, version: int, opinion: str = "") -> Any:
    """Take one's unit's document out of review, back to a draft; returns the document. Raises Conflict once
    somebody has reviewed at the present step, StaleVersion for an old page."""
    with unit_of_work(actor) as session:
        document = _locked(session, actor, kind, document_id, "withdraw", version)
        case = _case(session, actor, kind, document_id)
        verbs.withdraw(case, opinion)
        tell(case)
        return document


def urge(actor: Actor, kind: str, document_id: int, opinion: str = "") -> None:
    """Ask the reviewers of one's unit's document to hurry. Raises Conflict the second time on a day."""
    with unit_of_work(actor) as session:
        _locked(session, actor, kind, document_id, "urge", None)
        case = _case(session, actor, kind, document_id)
        verbs.urge(case, opinion)
        tell(case)


def terminate(actor: Actor, kind: str, document_id: int, opinion: str) -> DocumentStatus:
    """End a review for good; the reason is required. Needs the grant `task.terminate` for the unit."""
    entry = registered().get(kind)
    if entry is None:
        raise NotFound
    with unit_of_work(actor) as session:
        run_id = _find_open_run(session, kind, document_id)
        if run_id is None:
            # Whether there is such a document is told only to who may read it.
            load(session, actor, entry.model, document_id)
            raise Conflict("This is not in review.")
        load(session, actor, FlowRun, run_id, verb="terminate")
        case = open_case(session, actor, run_id)
        require(actor, "terminate", case.run)
        verbs.terminate(case, opinion)
        tell(case)
        record(
            session,
            actor,
            "SENSITIVE_OP",
            noun=kind,
            row_id=document_id,
            summary=f"terminated the review of {case.run.code}: {opinion}",
            level=LogLevel.WARNING,
        )
        return case.document.status


def _locked(
    session: Session, actor: Actor, kind: str, document_id: int, verb: str, version: int | None
) -> Document:
    entry = registered().get(kind)
    if entry is None:
        raise NotFound
    document: Document = load(session, actor, entry.model, document_id, verb=verb, version=version, lock=True)
    return document


def _case(session: Session, actor: Actor, kind: str, document_id: int) -> Case:
    return open_case(session, actor, _open_run_id(session, kind, document_id))


def _open_run_id(session: Session, kind: str, document_id: int) -> int:
    run_id = _find_open_run(session, kind, document_id)
    if run_id is None:
        raise Conflict("This is not in review.")
    return run_id


def _find_open_run(session: Session, kind: str, document_id: int) -> int | None:
    return session.scalar(
        select(FlowRun.id).where(
            FlowRun.document_kind == kind,
            FlowRun.document_id == document_id,
            FlowRun.state.in_((RunState.RUNNING, RunState.RETURNED)),
        )
    )
