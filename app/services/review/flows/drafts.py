"""Drafts: begun empty or as a copy, saved as a whole under an optimistic lock, deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.errors import Conflict, InvalidInput, NotFound, StaleVersion
from app.core.flow import FlowState
from app.models.base import utcnow
from app.models.flow import FlowCondition, FlowDefinition, FlowStep, FlowStepUser
from app.services import log
from app.services.review.flows.compare import recorded
from app.services.review.flows.names import Names
from app.services.review.flows.sheet import Problems, Reading, read_sheet, sheet_from, sheet_of
from app.services.unit_of_work import unit_of_work
from app.workflow.registry import ReviewableDocument, registered

WITH_STEPS = (
    selectinload(FlowDefinition.steps).selectinload(FlowStep.conditions),
    selectinload(FlowDefinition.steps).selectinload(FlowStep.users),
)


@dataclass(frozen=True)
class Brought:
    """A draft made from a sheet, and what of the sheet was left out because it is not known here."""

    draft: FlowDefinition
    left_out: Problems


def entry_of(kind: str) -> ReviewableDocument[Any]:
    """How a document kind is reviewed. Raises NotFound for one that nobody registered."""
    entry = registered().get(kind)
    if entry is None:
        raise NotFound
    return entry


def create(actor: Actor, kind: str, name: str) -> FlowDefinition:
    """An empty draft, the next version of a kind's flow. Raises InvalidInput for a name that is no good."""
    return bring(actor, kind, {"name": name, "steps": []}).draft


def draft_of(actor: Actor, definition_id: int) -> FlowDefinition:
    """A new draft, the next version, as a copy of any version of a flow."""
    with unit_of_work(actor) as session:
        source: FlowDefinition = policy.load(
            session, actor, FlowDefinition, definition_id, verb="manage", lock=True, options=WITH_STEPS
        )
        steps = [_copy(step) for step in source.steps]
        return _add(
            session, actor, source.document_kind, source.name, steps, f"from version {source.version}"
        )


def copy_to(actor: Actor, definition_id: int, kind: str) -> Brought:
    """A new draft for another document kind; conditions on fields which that kind lacks are left out."""
    with unit_of_work(actor) as session:
        source: FlowDefinition = policy.load(
            session, actor, FlowDefinition, definition_id, verb="manage", options=WITH_STEPS
        )
        sheet = sheet_of(source, Names(session))
        origin = f"from version {source.version} of {source.document_kind}"
        return bring(actor, kind, sheet, origin=origin, partly=True)


def bring(actor: Actor, kind: str, sheet: object, *, origin: str = "", partly: bool = False) -> Brought:
    """A new draft with a sheet's content. With `partly`, names this office does not know are left out and
    told; without it they refuse the whole. Raises InvalidInput with every place that cannot be taken."""
    entry = entry_of(kind)
    with unit_of_work(actor) as session:
        policy.require(actor, "manage", FlowDefinition(document_kind=kind))
        reading = read_sheet(sheet, entry, Names(session))
        refused = reading.problems if partly else reading.refusals
        if refused:
            raise InvalidInput(refused)
        draft = _add(session, actor, kind, reading.name, reading.steps, origin)
        return Brought(draft, reading.unknown)


def save(actor: Actor, definition_id: int, sheet: object, *, revision: int) -> FlowDefinition:
    """Replace a draft's content by a sheet; every difference is kept, so that whoever comes second can be
    told. Unfinished is allowed, the check says what is missing.

    Raises InvalidInput by path, StaleVersion with what was changed since `revision`, Conflict for what is no
    draft any more.
    """
    with unit_of_work(actor) as session:
        draft = open_draft(session, actor, definition_id, revision)
        names = Names(session)
        before = sheet_of(draft, names)
        reading = _read(draft, sheet, names)
        after = sheet_from(draft.document_kind, reading.name, reading.steps, names)
        differences = recorded(before, after)
        if not differences:
            return draft
        # The old rows go first: codes and places are unique within a version.
        draft.steps.clear()
        session.flush()
        draft.name, draft.updated_at, draft.steps = reading.name, utcnow(), reading.steps
        session.flush()
        log.record_changes(session, actor, "flow", draft.id, draft.revision, differences)
        _note(session, actor, "FLOW_DRAFT_SAVED", draft, f"{len(differences)} changes")
        return draft


def remove(actor: Actor, definition_id: int, *, revision: int) -> None:
    """Delete a draft. Raises Conflict for a version that is or was in force, StaleVersion as `save`."""
    with unit_of_work(actor) as session:
        draft = open_draft(session, actor, definition_id, revision)
        _note(session, actor, "FLOW_DRAFT_REMOVED", draft, draft.name)
        session.delete(draft)
        session.flush()


def open_draft(session: Session, actor: Actor, definition_id: int, revision: int) -> FlowDefinition:
    """A draft with its steps, locked, as it was when the actor read it. Raises Conflict and StaleVersion."""
    draft: FlowDefinition = policy.load(
        session, actor, FlowDefinition, definition_id, verb="manage", lock=True, options=WITH_STEPS
    )
    if draft.state is not FlowState.DRAFT:
        raise Conflict("Only a draft can be changed. Begin a new draft from this version.")
    if draft.revision != revision:
        raise StaleVersion(policy.changes_since(session, draft, revision))
    return draft


def _read(draft: FlowDefinition, sheet: object, names: Names) -> Reading:
    reading = read_sheet(sheet, entry_of(draft.document_kind), names)
    if reading.refusals:
        raise InvalidInput(reading.refusals)
    return reading


def _add(
    session: Session, actor: Actor, kind: str, name: str, steps: list[FlowStep], origin: str
) -> FlowDefinition:
    last = session.scalar(
        select(func.max(FlowDefinition.version)).where(FlowDefinition.document_kind == kind)
    )
    draft = FlowDefinition(
        document_kind=kind, name=name, version=(last or 0) + 1, state=FlowState.DRAFT, steps=steps
    )
    session.add(draft)
    session.flush()
    _note(session, actor, "FLOW_DRAFT_CREATED", draft, origin)
    return draft


def _note(session: Session, actor: Actor, event: str, draft: FlowDefinition, words: str) -> None:
    summary = " ".join(filter(None, (f"{draft.document_kind} v{draft.version}", words)))
    log.record(session, actor, event, noun="flow", row_id=draft.id, summary=summary)


def _copy(step: FlowStep) -> FlowStep:
    kept = {
        column.key: getattr(step, column.key)
        for column in FlowStep.__mapper__.column_attrs
        if column.key not in ("id", "definition_id")
    }
    return FlowStep(
        **kept,
        conditions=[
            FlowCondition(field=row.field, operator=row.operator, value=row.value) for row in step.conditions
        ],
        users=[FlowStepUser(user_id=user.user_id, seq=user.seq) for user in step.users],
    )
