"""Trying a version without a document, or on one: which steps it would go through, and who gets the tasks.

Nothing is written. What the people would decide is not known, so everybody who could have a task is named;
only who surely has acted before is left out, as the engine would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import load, scoped
from app.core.errors import InvalidInput, Problem
from app.core.flow import Quorum, SkipReason
from app.core.text import trim
from app.core.workdays import today_in_china
from app.models.base import Document, utcnow
from app.models.flow import FlowDefinition, FlowStep
from app.models.user import AppUser
from app.services.reading import Flag, Number, Unreadable, Yuan
from app.services.review.flows import reach
from app.services.review.flows.drafts import WITH_STEPS, entry_of
from app.services.review.flows.names import Names, PersonName
from app.services.unit_of_work import current_session
from app.workflow.candidates import candidates
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument, Value
from app.workflow.settings import parameter

_FULL = (Quorum.ALL, Quorum.SEQUENCE)


@dataclass(frozen=True)
class Station:
    """One step as the document would meet it: skipped and why, or who would get a task. `barred` are people
    who could act here but submitted the document or surely acted before."""

    step: FlowStep
    skipped: SkipReason | None
    reviewers: Sequence[PersonName] = ()
    barred: Sequence[PersonName] = ()

    @property
    def stuck(self) -> bool:
        """Would the document stop here?"""
        return self.skipped is None and not self.reviewers


@dataclass(frozen=True)
class Rehearsal:
    """A document's way: the stations in order, up to the one where it would stop."""

    stations: Sequence[Station]
    document: Document | None = None

    @property
    def ends(self) -> bool:
        """Would it reach the end?"""
        return not any(station.stuck for station in self.stations)

    @property
    def working_days(self) -> int:
        """The limits of all steps it would go through, together."""
        return sum(one.step.limit_days or 0 for one in self.stations if one.skipped is None)


def fields_asked(definition: FlowDefinition, entry: ReviewableDocument[Any]) -> list[ConditionField[Any]]:
    """What has to be known of a document to try this version: the unit, and what its conditions compare."""
    used = {row.field for step in definition.steps for row in step.conditions}
    return [one for one in entry.fields if one.name in used or one.kind is FieldKind.UNIT]


def rehearse_document(actor: Actor, definition_id: int, code: str) -> Rehearsal:
    """Try a version on a document the actor may read, by its number. Raises InvalidInput at `code`."""
    session = current_session()
    definition = _definition(session, actor, definition_id)
    entry = entry_of(definition.document_kind)
    model: Any = entry.model
    document = (
        session.scalars(scoped(actor, model).where(model.code == trim(code)[:40])).unique().one_or_none()
    )
    if document is None:
        raise InvalidInput({"code": [Problem.of("You can see no document with this number.")]})
    values = {one.name: one.read(session, document) for one in entry.fields}
    submitter = frozenset({document.submitted_by_id} - {None})
    stations = _stations(session, definition, entry, values, document.unit_id, submitter)
    return Rehearsal(stations, document)


def rehearse_values(actor: Actor, definition_id: int, raw: Mapping[str, Any]) -> Rehearsal:
    """Try a version on a document with these values: amounts as typed, units and entries by code. Raises
    InvalidInput by field."""
    session = current_session()
    definition = _definition(session, actor, definition_id)
    entry = entry_of(definition.document_kind)
    names = Names(session)
    values: dict[str, Value] = {}
    problems: dict[str, list[Problem]] = {}
    unit_id = 0
    for asked in fields_asked(definition, entry):
        try:
            values[asked.name] = _value(asked, raw.get(asked.name), names)
        except Unreadable as refused:
            problems[asked.name] = [refused.problem]
        if asked.kind is FieldKind.UNIT and asked.name not in problems:
            unit = names.units.get(str(raw.get(asked.name)))
            unit_id = unit.id if unit else 0
    if problems:
        raise InvalidInput(problems)
    return Rehearsal(_stations(session, definition, entry, values, unit_id, frozenset()))


def _definition(session: Session, actor: Actor, definition_id: int) -> FlowDefinition:
    definition: FlowDefinition = load(session, actor, FlowDefinition, definition_id, options=WITH_STEPS)
    return definition


def _stations(
    session: Session,
    definition: FlowDefinition,
    entry: ReviewableDocument[Any],
    values: Mapping[str, Value],
    unit_id: int,
    submitters: frozenset[Any],
) -> list[Station]:
    fields = {one.name: one for one in entry.fields}
    barred: set[int] = set(submitters)
    found: list[tuple[FlowStep, SkipReason | None, list[int], list[int]]] = []
    for step in definition.steps:
        reason = _passed_by(session, fields, step, values)
        people = candidates(session, step, unit_id) if reason is None else []
        free = [user_id for user_id in people if user_id not in barred]
        if reason is None and not free and step.optional:
            reason = SkipReason.NOBODY
        found.append((step, reason, free, [user_id for user_id in people if user_id in barred]))
        if reason is None and not free:
            break
        if step.quorum in _FULL or len(free) == 1:
            barred.update(free)
    known = _people(session, {user_id for _, _, free, kept_out in found for user_id in (*free, *kept_out)})
    return [
        Station(step, reason, [known[one] for one in free], [known[one] for one in kept_out])
        for step, reason, free, kept_out in found
    ]


def _passed_by(
    session: Session, fields: Mapping[str, ConditionField[Any]], step: FlowStep, values: Mapping[str, Value]
) -> SkipReason | None:
    if step.switch and parameter(session, step.switch, "true", today_in_china(utcnow())) == "false":
        return SkipReason.SWITCHED_OFF
    return None if reach.applies(fields, step, values) else SkipReason.CONDITION


def _people(session: Session, user_ids: set[int]) -> Mapping[int, PersonName]:
    names = Names(session)
    names.learn(AppUser.id.in_(user_ids))
    return {user_id: person for user_id in user_ids if (person := names.person(user_id)) is not None}


def _value(asked: ConditionField[Any], raw: Any, names: Names) -> Value:
    """A typed value. Raises Unreadable."""
    match asked.kind:
        case FieldKind.AMOUNT:
            return Yuan().read(raw, names)
        case FieldKind.NUMBER:
            return Number(places=0, most=Decimal(999_999_999)).read(raw, names)
        case FieldKind.FLAG:
            return Flag().read(raw, names)
        case FieldKind.UNIT:
            unit = names.units.get(str(raw))
            if unit is None:
                raise Unreadable("Choose the unit of the document.")
            return unit.path
        case FieldKind.CODE:
            return str(raw) if raw else None
        case FieldKind.CODES:
            texts = raw if isinstance(raw, list | tuple) else [raw]
            return frozenset(str(text) for text in texts if text)
