"""Agents: an absent person names one, from a day to a day; what the agent does is recorded in both names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload

from app.access.actor import Actor
from app.access.policy import load, scoped
from app.core.errors import Conflict, InvalidInput, NotAllowed, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.flow import AgentAppointment
from app.services.log import record
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow.candidates import is_active


def appointments(actor: Actor) -> Sequence[AgentAppointment]:
    """Whom the actor named, and by whom he was named, latest first."""
    return (
        current_session()
        .scalars(
            scoped(actor, AgentAppointment)
            .order_by(AgentAppointment.date_from.desc(), AgentAppointment.id.desc())
            .options(joinedload(AgentAppointment.principal), joinedload(AgentAppointment.agent))
        )
        .all()
    )


def appoint(actor: Actor, agent_id: int, date_from: dt.date, date_to: dt.date) -> AgentAppointment:
    """Name an agent for oneself, both days included. Raises InvalidInput for wrong days or an unfit person,
    Conflict when somebody is named for these days already, or when the agents would name each other."""
    if actor.user_id is None:
        raise NotAllowed
    _check_days(date_from, date_to)
    with unit_of_work(actor) as session:
        if agent_id == actor.user_id:
            raise InvalidInput({"agent_id": [Problem.of("Choose somebody else than yourself.")]})
        if not is_active(session, agent_id):
            raise InvalidInput({"agent_id": [Problem.of("This person is not an active user.")]})
        meanwhile = _overlapping(date_from, date_to)
        own = select(AgentAppointment.id).where(AgentAppointment.principal_id == actor.user_id, meanwhile)
        if session.scalar(own.limit(1)) is not None:
            raise Conflict("You have already named an agent for some of these days. Revoke that first.")
        if actor.user_id in _reached_from(session, agent_id, meanwhile):
            raise Conflict("This person has named you, directly or through others, for some of these days.")
        appointment = AgentAppointment(
            principal_id=actor.user_id, agent_id=agent_id, date_from=date_from, date_to=date_to
        )
        session.add(appointment)
        session.flush()
        record(
            session,
            actor,
            "AGENT_NAMED",
            noun="agent",
            row_id=appointment.id,
            summary=f"user {agent_id} from {date_from} to {date_to}",
        )
        return appointment


def revoke(actor: Actor, appointment_id: int) -> None:
    """End an appointment at once. Raises Conflict when it has ended already."""
    with unit_of_work(actor) as session:
        appointment: AgentAppointment = load(
            session, actor, AgentAppointment, appointment_id, verb="revoke", lock=True
        )
        if appointment.revoked_at is not None or appointment.date_to < today_in_china(utcnow()):
            raise Conflict("This appointment has ended already.")
        appointment.revoked_at = utcnow()
        record(session, actor, "AGENT_REVOKED", noun="agent", row_id=appointment.id)


def _check_days(date_from: dt.date, date_to: dt.date) -> None:
    if date_to < date_from:
        raise InvalidInput({"date_to": [Problem.of("The last day cannot be before the first.")]})
    if date_to < today_in_china(utcnow()):
        raise InvalidInput({"date_to": [Problem.of("The last day is over already.")]})


def _overlapping(date_from: dt.date, date_to: dt.date) -> ColumnElement[bool]:
    return (
        AgentAppointment.revoked_at.is_(None)
        & (AgentAppointment.date_from <= date_to)
        & (AgentAppointment.date_to >= date_from)
    )


def _reached_from(session: Session, user_id: int, meanwhile: ColumnElement[bool]) -> set[int]:
    """Everybody who would act for this person, directly or through others."""
    reached: set[int] = set()
    fresh = {user_id}
    while fresh:
        named = select(AgentAppointment.agent_id).where(AgentAppointment.principal_id.in_(fresh), meanwhile)
        fresh = set(session.scalars(named)) - reached
        reached |= fresh
    return reached
