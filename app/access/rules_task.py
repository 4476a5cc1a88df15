"""Whose task it is, which documents a review opens to whom, and why a task can no longer be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, false, literal, or_, select, union, union_all
from sqlalchemy.orm import InstrumentedAttribute, object_session

from app.access.actor import Actor
from app.access.rules import AssignedTo, Rule
from app.core.errors import Conflict, DomainError
from app.core.flow import RunState, TaskState
from app.core.workdays import today_in_china
from app.models.base import Document, utcnow
from app.models.flow import AgentAppointment, CopyTo, FlowRun, FlowStep, Task
from app.models.user import AppUser


def today() -> dt.date:
    """The day on which whoever is an agent stands in for others."""
    return today_in_china(utcnow())


def in_force(on: dt.date) -> ColumnElement[bool]:
    """The agent appointments that hold on a day."""
    return (
        AgentAppointment.revoked_at.is_(None)
        & (AgentAppointment.date_from <= on)
        & (AgentAppointment.date_to >= on)
    )


def held_by(actor: Actor) -> ColumnElement[bool]:
    """Tasks the actor may do: his own, and those of people whose agent he is today."""
    if actor.user_id is None:
        return false()
    principals = select(AgentAppointment.principal_id).where(
        AgentAppointment.agent_id == actor.user_id, in_force(today())
    )
    # One list of people, not "he, or one of them": so both databases find the tasks by their index.
    return Task.user_id.in_(union_all(select(literal(actor.user_id)), principals))


def known_to(actor: Actor) -> ColumnElement[bool]:
    """Tasks the actor may see: those he may do, and those he did as an agent."""
    if actor.user_id is None:
        return false()
    return or_(held_by(actor), Task.acted_by_id == actor.user_id)


def taking_part(actor: Actor) -> ColumnElement[bool]:
    """Runs in which the actor has or had something to do, or of which he got a copy."""
    if actor.user_id is None:
        return false()
    # Short lists, each found by its index; one condition with "or" would read every task there is.
    runs = union(
        select(Task.run_id).where(Task.user_id == actor.user_id, Task.state != TaskState.CANCELLED),
        select(Task.run_id)
        .join(AgentAppointment, AgentAppointment.principal_id == Task.user_id)
        .where(
            AgentAppointment.agent_id == actor.user_id, in_force(today()), Task.state != TaskState.CANCELLED
        ),
        select(Task.run_id).where(Task.acted_by_id == actor.user_id),
        select(CopyTo.run_id).where(CopyTo.user_id == actor.user_id),
    )
    return FlowRun.id.in_(runs)


def in_review_with(model: type[Document]) -> AssignedTo:
    """Documents of a kind that were put before the actor for review or for information."""
    return _documents(model, taking_part)


def open_to_edit_by(model: type[Document]) -> AssignedTo:
    """Documents the actor may change while he reviews them: his open task's step allows it (requirements.txt,
    申报项目审核: 也可直接修改项目申报信息)."""

    def editing(actor: Actor) -> ColumnElement[bool]:
        tasks = (
            select(Task.run_id)
            .join(FlowStep, FlowStep.id == Task.step_id)
            .where(held_by(actor), Task.state == TaskState.OPEN, FlowStep.may_edit)
        )
        # An agent may stand in for a reviewer of what he submitted himself; he may not touch that.
        theirs = FlowRun.started_by_id.is_distinct_from(actor.user_id)
        return FlowRun.id.in_(tasks) & (FlowRun.state == RunState.RUNNING) & theirs

    return _documents(model, editing)


def reviewed_by(model: type[Document]) -> AssignedTo:
    """Documents on which the actor has an open task."""

    def reviewing(actor: Actor) -> ColumnElement[bool]:
        tasks = select(Task.run_id).where(held_by(actor), Task.state == TaskState.OPEN)
        return FlowRun.id.in_(tasks) & (FlowRun.state == RunState.RUNNING)

    return _documents(model, reviewing)


def _documents(model: Any, runs: Callable[[Actor], ColumnElement[bool]]) -> AssignedTo:

    def condition(actor: Actor) -> ColumnElement[bool]:
        # A list made once, not a question asked for each document.
        documents = select(FlowRun.document_id).where(
            FlowRun.document_kind == model.document_kind, runs(actor)
        )
        return cast(ColumnElement[bool], model.id.in_(documents))

    return condition


@dataclass(frozen=True)
class Unowned(Rule):
    """The row belongs to nobody in particular: it is shared by all."""

    column: InstrumentedAttribute[Any]

    def allows(self, actor: Actor, row: Any) -> bool:
        return getattr(row, self.column.key) is None

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return self.column.is_(None)


@dataclass(frozen=True)
class StillOpen(Rule):
    """The task waits to be done; the refusal says who was quicker."""

    def allows(self, actor: Actor, row: Any) -> bool:
        return bool(row.state is TaskState.OPEN)

    def criterion(self, actor: Actor) -> ColumnElement[bool]:
        return Task.state == TaskState.OPEN

    def refusal(self, actor: Actor, row: Any) -> DomainError | None:
        return None if self.allows(actor, row) else why_closed(row)


def why_closed(task: Task) -> Conflict:
    """The error that says why a task can no longer be done, and by whom it was decided."""
    if task.state is TaskState.WAITING:
        return Conflict("Somebody else has to act on this task first.")
    session = object_session(task)
    decider = task
    if task.closed_by_id is not None and session is not None:
        decider = session.get(Task, task.closed_by_id) or task
    person = (
        session.get(AppUser, decider.acted_by_id) if session is not None and decider.acted_by_id else None
    )
    if person is None or decider.decision is None:
        return Conflict("This task is not open any more. Open the page again to see what happened.")
    return Conflict(
        "%(who)s has already dealt with this (%(verb)s). Open the page again to see the result.",
        who=person.full_name,
        verb=decider.decision,
    )
