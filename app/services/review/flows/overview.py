"""Flows as lists: every document kind with what is in force and in preparation, every version of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.access.actor import Actor
from app.access.policy import criterion, load
from app.core.flow import FlowState
from app.models.flow import FlowDefinition, FlowStep
from app.models.user import AppUser
from app.services.review.flows.drafts import WITH_STEPS, entry_of
from app.services.review.flows.publishing import running_cases
from app.services.unit_of_work import current_session
from app.workflow.registry import ReviewableDocument, registered


@dataclass(frozen=True)
class Version:
    """One version: its steps, the documents still going through it, who changed it last and published it."""

    definition: FlowDefinition
    steps: int
    running: int
    changed_by: str
    published_by: str


@dataclass(frozen=True)
class KindFlows:
    """All versions of one document kind, newest first."""

    entry: ReviewableDocument[Any]
    versions: Sequence[Version]

    @property
    def published(self) -> Version | None:
        """The version that new documents take."""
        return next((one for one in self.versions if one.definition.state is FlowState.PUBLISHED), None)

    @property
    def drafts(self) -> list[Version]:
        """What is in preparation."""
        return [one for one in self.versions if one.definition.state is FlowState.DRAFT]

    @property
    def running_elsewhere(self) -> int:
        """Documents that still go through an older version."""
        return sum(one.running for one in self.versions if one.definition.state is FlowState.RETIRED)


def kinds(actor: Actor) -> list[KindFlows]:
    """Every reviewed document kind, in the order in which they were registered."""
    versions = _versions(actor)
    return [
        KindFlows(entry, [one for one in versions if one.definition.document_kind == kind])
        for kind, entry in registered().items()
    ]


def versions_of(actor: Actor, kind: str) -> KindFlows:
    """Every version of one kind. Raises NotFound for a kind nobody registered."""
    return KindFlows(entry_of(kind), _versions(actor, kind))


def version(actor: Actor, definition_id: int) -> FlowDefinition:
    """One version with its steps, conditions and people. Raises NotFound."""
    found: FlowDefinition = load(current_session(), actor, FlowDefinition, definition_id, options=WITH_STEPS)
    return found


def about(actor: Actor, definition: FlowDefinition) -> Version:
    """What the lists say of one version."""
    found = _versions(actor, definition.document_kind, definition.id)
    return found[0]


def in_force(actor: Actor, kind: str) -> FlowDefinition | None:
    """The published version of a kind with its steps, conditions and people."""
    statement = select(FlowDefinition).where(
        criterion(actor, FlowDefinition),
        FlowDefinition.document_kind == kind,
        FlowDefinition.state == FlowState.PUBLISHED,
    )
    return current_session().scalars(statement.options(*WITH_STEPS)).one_or_none()


def _versions(actor: Actor, kind: str | None = None, definition_id: int | None = None) -> list[Version]:
    session = current_session()
    editor, publisher = aliased(AppUser), aliased(AppUser)
    counted = (
        select(func.count())
        .where(FlowStep.definition_id == FlowDefinition.id)
        .correlate(FlowDefinition)
        .scalar_subquery()
    )
    statement = (
        select(
            FlowDefinition,
            counted.label("steps"),
            editor.last_name + editor.first_name,
            publisher.last_name + publisher.first_name,
        )
        .outerjoin(editor, editor.id == FlowDefinition.updated_by_id)
        .outerjoin(publisher, publisher.id == FlowDefinition.published_by_id)
        .where(criterion(actor, FlowDefinition))
        .order_by(FlowDefinition.version.desc())
    )
    if kind is not None:
        statement = statement.where(FlowDefinition.document_kind == kind)
    if definition_id is not None:
        statement = statement.where(FlowDefinition.id == definition_id)
    rows = session.execute(statement).all()
    running = running_cases(session, [row[0].id for row in rows])
    return [
        Version(definition, steps, running.get(definition.id, 0), edited or "", published or "")
        for definition, steps, edited, published in rows
    ]
