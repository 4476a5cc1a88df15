"""Agents: an absent person names one, from a day to a day; what the agent does is recorded in both names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.orm import Session, joinedload

from app.access.actor import Actor
from app.access.policy import load, scoped
from app.core.enums import LogLevel
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.flow import AgentAppointment
from app.models.user import AppUser
from app.services import people
from app.services.log import record
from app.services.message import link_to, notify
from app.services.unit_of_work import current_session, unit_of_work

_MOST_SHOWN = 200


def appointments(actor: Actor) -> Sequence[AgentAppointment]:
    """Whom the actor named, and by whom he was named, latest first."""
    mine = (AgentAppointment.principal_id == actor.user_id) | (AgentAppointment.agent_id == actor.user_id)
    return _listed(actor, mine)


def others_appointments(actor: Actor) -> Sequence[AgentAppointment]:
    """Appointments between other people, in force or to come, where the actor may name agents for them."""
    mine = (AgentAppointment.principal_id == actor.user_id) | (AgentAppointment.agent_id == actor.user_id)
    open_ones = AgentAppointment.revoked_at.is_(None) & (AgentAppointment.date_to >= today_in_china(utcnow()))
    return _listed(actor, open_ones & ~mine)


def _listed(actor: Actor, condition: ColumnElement[bool]) -> Sequence[AgentAppointment]:
    return (
        current_session()
        .scalars(
            scoped(actor, AgentAppointment)
            .where(condition)
            .order_by(AgentAppointment.date_from.desc(), AgentAppointment.id.desc())
            .limit(_MOST_SHOWN)
            .options(
                joinedload(AgentAppointment.principal).joinedload(AppUser.unit),
                joinedload(AgentAppointment.agent).joinedload(AppUser.unit),
                joinedload(AgentAppointment.created_by),
            )
        )
        .all()
    )


def appoint(
    actor: Actor, agent_id: int, date_from: dt.date, date_to: dt.date, *, principal_id: int | None = None
) -> AgentAppointment:
    """Name an agent for oneself, or as an administrator for an absent person; both days are included.

    Raises InvalidInput for wrong days or an unfit person, Conflict when somebody is named for these days
    already or the agents would act for each other in a ring, with the names and days that forbid it;
    NotFound for a person whom the actor may not name an agent for.
    """
    if actor.user_id is None:
        raise NotAllowed
    _check_days(date_from, date_to)
    with unit_of_work(actor) as session:
        principal = _principal(session, actor, principal_id or actor.user_id)
        agent = _fit_agent(session, principal, agent_id)
        _lock(session)
        _check_free(session, actor, principal, date_from, date_to)
        _check_no_ring(session, principal, agent, date_from, date_to)
        appointment = AgentAppointment(
            principal_id=principal.id, agent_id=agent.id, date_from=date_from, date_to=date_to
        )
        session.add(appointment)
        session.flush()
        _note(session, actor, appointment, principal, agent, "agent_named")
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
        principal = session.get_one(AppUser, appointment.principal_id)
        agent = session.get_one(AppUser, appointment.agent_id)
        _note(session, actor, appointment, principal, agent, "agent_revoked")


def _principal(session: Session, actor: Actor, user_id: int) -> AppUser:
    reachable = select(AppUser) if user_id == actor.user_id else scoped(actor, AppUser, "deputise")
    user: AppUser | None = session.scalars(
        reachable.where(AppUser.id == user_id, AppUser.active)
    ).one_or_none()
    if user is None:
        raise NotFound
    return user


def _fit_agent(session: Session, principal: AppUser, agent_id: int) -> AppUser:
    """The person named. Raises InvalidInput for oneself, who has left, or who does not review."""
    agent = session.get(AppUser, agent_id)
    problem: Problem | None = None
    if agent_id == principal.id:
        problem = Problem.of("An agent is somebody else than the absent person.")
    elif agent is None or not agent.active:
        problem = Problem.of("This person is not an active user.")
    elif not people.holders(session, [agent_id], "act"):
        problem = Problem.of("This person has no access to review tasks.")
    if agent is None or problem is not None:
        raise InvalidInput({"agent_id": [problem or Problem.of("Choose one person.")]})
    return agent


def _lock(session: Session) -> None:
    """Two who name each other at the same moment must see each other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE agent_appointment IN SHARE ROW EXCLUSIVE MODE"))


def _check_days(date_from: dt.date, date_to: dt.date) -> None:
    if date_to < date_from:
        raise InvalidInput({"date_to": [Problem.of("The last day cannot be before the first.")]})
    if date_to < today_in_china(utcnow()):
        raise InvalidInput({"date_to": [Problem.of("The last day is over already.")]})


def _check_free(
    session: Session, actor: Actor, principal: AppUser, date_from: dt.date, date_to: dt.date
) -> None:
    other = session.scalars(
        select(AgentAppointment)
        .where(AgentAppointment.principal_id == principal.id, _overlapping(date_from, date_to))
        .order_by(AgentAppointment.date_from)
        .limit(1)
        .options(joinedload(AgentAppointment.agent))
    ).first()
    if other is None:
        return
    raise Conflict(
        "%(principal)s has already named %(agent)s as agent from %(from)s to %(to)s. Revoke that first.",
        principal=principal.full_name,
        agent=other.agent.full_name,
        **_days(other.date_from, other.date_to),
    )


@dataclass(frozen=True)
class _Chain:
    """Who would act for whom, by these appointments, on all of these days."""

    end: int
    date_from: dt.date
    date_to: dt.date
    links: tuple[AgentAppointment, ...] = ()


def _check_no_ring(
    session: Session, principal: AppUser, agent: AppUser, date_from: dt.date, date_to: dt.date
) -> None:
    """Raise Conflict when on some day whoever stands in for the agent, directly or through others, would be
    the absent person himself."""
    fresh = [_Chain(agent.id, date_from, date_to)]
    while fresh:
        following: list[_Chain] = []
        for link in _appointments_by(session, {chain.end for chain in fresh}, date_from, date_to):
            for chain in fresh:
                longer = _longer(chain, link)
                if longer is None:
                    continue
                if longer.end == principal.id:
                    raise _ring(principal, agent, longer)
                following.append(longer)
        fresh = following


def _appointments_by(
    session: Session, principals: set[int], date_from: dt.date, date_to: dt.date
) -> Sequence[AgentAppointment]:
    return session.scalars(
        select(AgentAppointment)
        .where(AgentAppointment.principal_id.in_(principals), _overlapping(date_from, date_to))
        .order_by(AgentAppointment.id)
        .options(joinedload(AgentAppointment.principal), joinedload(AgentAppointment.agent))
    ).all()


def _longer(chain: _Chain, link: AgentAppointment) -> _Chain | None:
    """The chain with one more link, if there is a day on which all of it holds and nobody is in it twice."""
    if link.principal_id != chain.end or link in chain.links:
        return None
    first, last = max(chain.date_from, link.date_from), min(chain.date_to, link.date_to)
    return _Chain(link.agent_id, first, last, (*chain.links, link)) if first <= last else None


def _ring(principal: AppUser, agent: AppUser, chain: _Chain) -> Conflict:
    links = "; ".join(
        f"{link.principal.full_name} → {link.agent.full_name} ({link.date_from} – {link.date_to})"
        for link in chain.links
    )
    return Conflict(
        "%(agent)s cannot act for %(principal)s: from %(from)s to %(to)s the agents would go round in a "
        "ring. Already named: %(links)s.",
        agent=agent.full_name,
        principal=principal.full_name,
        links=links,
        **_days(chain.date_from, chain.date_to),
    )


def _overlapping(date_from: dt.date, date_to: dt.date) -> ColumnElement[bool]:
    return (
        AgentAppointment.revoked_at.is_(None)
        & (AgentAppointment.date_from <= date_to)
        & (AgentAppointment.date_to >= date_from)
    )


def _days(date_from: dt.date, date_to: dt.date) -> dict[str, object]:
    return {"from": date_from.isoformat(), "to": date_to.isoformat()}


def _note(
    session: Session,
    actor: Actor,
    appointment: AgentAppointment,
    principal: AppUser,
    agent: AppUser,
    template: str,
) -> None:
    """Into the log, louder when somebody else than the absent person did it; and tell both of them."""
    own = principal.id == actor.user_id
    days = {"from": appointment.date_from.isoformat(), "to": appointment.date_to.isoformat()}
    record(
        session,
        actor,
        template.upper(),
        noun="agent",
        row_id=appointment.id,
        summary=f"{agent.full_name} ({agent.username}) for {principal.full_name} ({principal.username}) "
        f"from {days['from']} to {days['to']}",
        level=LogLevel.INFO if own else LogLevel.WARNING,
    )
    notify(
        session,
        template=template,
        recipients={principal.id, agent.id} - {actor.user_id or 0},
        params={**days, "sender": actor.name, "principal": principal.full_name},
        link=link_to("agent", appointment.id),
        key=f"{template}:{appointment.id}",
    )
