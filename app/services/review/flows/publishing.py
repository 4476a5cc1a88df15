"""Putting a draft into force."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import LogLevel
from app.core.errors import InvalidInput, Problem
from app.core.flow import FlowState, RunState
from app.models.base import utcnow
from app.models.flow import FlowDefinition, FlowRun
from app.services.log import record
from app.services.review.flows.check import findings
from app.services.review.flows.drafts import open_draft
from app.services.review.flows.finding import Finding, Severity
from app.services.unit_of_work import unit_of_work


def published_kinds(session: Session) -> set[str]:
    """The document kinds that have a published flow; `registry.verify` wants them at the start."""
    return set(
        session.scalars(
            select(FlowDefinition.document_kind).where(FlowDefinition.state == FlowState.PUBLISHED)
        )
    )


def publish(actor: Actor, definition_id: int, *, revision: int) -> FlowDefinition:
    """Make a draft the version that new runs take; the one before retires, running cases keep theirs.

    Raises InvalidInput naming every step that is a dead end, Conflict for what is no draft, StaleVersion for
    one that was changed since `revision`.
    """
    with unit_of_work(actor) as session:
        draft = open_draft(session, actor, definition_id, revision)
        wrong = [one for one in findings(session, draft) if one.severity is Severity.ERROR]
        if wrong:
            raise InvalidInput(_by_step(wrong), "This flow cannot be published yet.")
        before = session.scalars(
            select(FlowDefinition).where(
                FlowDefinition.document_kind == draft.document_kind,
                FlowDefinition.state == FlowState.PUBLISHED,
            )
        ).one_or_none()
        running = 0
        if before is not None:
            before.state = FlowState.RETIRED
            running = running_cases(session, [before.id]).get(before.id, 0)
        session.flush()
        draft.state = FlowState.PUBLISHED
        draft.published_at, draft.published_by_id = utcnow(), actor.user_id
        summary = f"published version {draft.version} of the flow of {draft.document_kind}"
        if before is not None:
            summary += f" in place of version {before.version}, which {running} running cases keep"
        record(
            session,
            actor,
            "SENSITIVE_OP",
            noun="flow",
            row_id=draft.id,
            summary=summary,
            level=LogLevel.WARNING,
        )
        return draft


def running_cases(session: Session, definition_ids: Iterable[int]) -> dict[int, int]:
    """How many documents are still going through each of these versions."""
    counted = (
        select(FlowRun.definition_id, func.count())
        .where(
            FlowRun.definition_id.in_(list(definition_ids)),
            FlowRun.state.in_([state for state in RunState if state.is_open]),
        )
        .group_by(FlowRun.definition_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def _by_step(found: Iterable[Finding]) -> dict[str, list[Problem]]:
    fields: dict[str, list[Problem]] = {}
    for finding in found:
        key = "steps" if finding.step is None else f"steps.{finding.step}"
        fields.setdefault(key, []).append(finding.problem)
    return fields
