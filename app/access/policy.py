"""Who may do what to which rows: one table, model × verb → rule, read top to bottom. Default deny."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, inspect, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.base import ExecutableOption

from app.access.actor import Actor
from app.access.rules import Assigned, Granted, Holds, InState, LoggedIn, Mine, Nobody, Rule, Through
from app.access.rules_task import (
    StillOpen,
    Unowned,
    held_by,
    in_review_with,
    known_to,
    open_to_edit_by,
    taking_part,
)
from app.core.enums import DocumentStatus as Status
from app.core.errors import Change, NotFound, StaleVersion
from app.models import (
    alert,
    annual_plan,
    attachment,
    clock,
    declaration,
    dictionary,
    flow,
    log,
    message,
    project,
    unit,
    user,
)
from app.models.declaration import Declaration


@dataclass(frozen=True)
class Policy:
    """The verbs of one model; a verb without a rule is refused to everyone."""

    noun: str
    verbs: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True)
class PartOf:
    """Rows that are reached only inside another row and follow its policy."""

    whole: type[Any]


def _declaration(verb: str) -> Granted:
    return Granted("declaration", verb, unit=Declaration.unit_id, owner=Declaration.created_by_id)


def _in(*states: Status) -> InState:
    return InState(Declaration.status, frozenset(states))


_UNSUBMITTED = (Status.DRAFT, Status.RECYCLED)
_OPEN_TO_UNIT = (Status.DRAFT, Status.RETURNED)

OWNERS: dict[str, type[Any]] = {Declaration.document_kind: Declaration}
"""The documents that attachments belong to, by their kind."""


def _through_owner(*verbs: str) -> Through:
    return Through(
        attachment.Attachment.owner_kind,
        attachment.Attachment.owner_id,
        lambda: {kind: (model, [rule(model, verb) for verb in verbs]) for kind, model in OWNERS.items()},
    )


POLICY: dict[type[Any], Policy | PartOf] = {
    declaration.Declaration: Policy(
        "declaration",
        {
            # What is not submitted yet is seen only by those who may fill it in.
            # A reviewer, signer or reader of a copy sees what was put before him, whatever his scope.
            "read": ((_declaration("read") | Assigned(in_review_with(Declaration))) & ~_in(*_UNSUBMITTED))
            | _declaration("edit"),
            "create": Holds("declaration", "create"),
            "edit": _declaration("edit") & _in(*_OPEN_TO_UNIT),
            "submit": _declaration("submit") & _in(*_OPEN_TO_UNIT),
            "withdraw": _declaration("submit") & _in(Status.IN_REVIEW),
            "urge": _declaration("submit") & _in(Status.IN_REVIEW),
            "amend": Holds("task", "act") & Assigned(open_to_edit_by(Declaration)) & _in(Status.IN_REVIEW),
            "recycle": _declaration("edit") & _in(Status.DRAFT),
            "restore": _declaration("edit") & _in(Status.RECYCLED),
            "purge": _declaration("edit") & _in(Status.RECYCLED),
            "export": _declaration("export") & ~_in(*_UNSUBMITTED),
        },
    ),
    declaration.BudgetLine: PartOf(Declaration),
    declaration.FundingSplit: PartOf(Declaration),
    declaration.LaterYear: PartOf(Declaration),
    declaration.CatalogueEntry: PartOf(Declaration),
    declaration.ScheduleStep: PartOf(Declaration),
    declaration.PerformanceIndicator: PartOf(Declaration),
    project.Project: Policy(
        "project",
        {
            "read": Granted("project", "read", unit=project.Project.unit_id),
            "export": Granted("project", "export", unit=project.Project.unit_id),
        },
    ),
    project.ProjectFunding: PartOf(project.Project),
    annual_plan.AnnualPlan: Policy(
        "annual_plan",
        {
            "read": Granted("annual_plan", "read", unit=annual_plan.AnnualPlan.unit_id),
            "arrange": Granted("annual_plan", "arrange", unit=annual_plan.AnnualPlan.unit_id),
            "export": Granted("annual_plan", "export", unit=annual_plan.AnnualPlan.unit_id),
        },
    ),
    unit.Unit: Policy(
        "unit",
        {
            "read": LoggedIn(),
            "manage": Holds("unit", "manage"),
        },
    ),
    unit.UnitName: PartOf(unit.Unit),
    unit.UnitGroup: Policy("unit", {"read": LoggedIn(), "manage": Holds("unit", "manage")}),
    user.AppUser: Policy(
        "user",
        {
            "read": Holds("user", "read") | Mine(user.AppUser.id),
            "manage": Holds("user", "manage"),
        },
    ),
    user.RoleScope: Policy("role", {"read": Holds("role", "read"), "manage": Holds("role", "manage")}),
    user.UserSession: Policy(
        "session",
        {
            "read": Holds("session", "read") | Mine(user.UserSession.user_id),
            "end": Holds("session", "end") | Mine(user.UserSession.user_id),
        },
    ),
    user.LoginAttempt: Policy("log", {"read": Holds("log", "read")}),
    user.AccessVersion: Policy("access_version"),
    dictionary.DictType: Policy("dictionary", {"read": LoggedIn(), "manage": Holds("dictionary", "manage")}),
    dictionary.DictItem: Policy("dictionary", {"read": LoggedIn(), "manage": Holds("dictionary", "manage")}),
    dictionary.RuleParameter: Policy(
        "parameter", {"read": Holds("parameter", "read"), "manage": Holds("parameter", "manage")}
    ),
    dictionary.WorkCalendarDay: Policy(
        "work_calendar", {"read": LoggedIn(), "manage": Holds("work_calendar", "manage")}
    ),
    dictionary.NumberSequence: Policy("number_sequence"),
    dictionary.MenuItem: Policy("menu", {"read": Holds("menu", "manage"), "manage": Holds("menu", "manage")}),
    dictionary.ListPreference: Policy("list_preference"),
    flow.FlowDefinition: Policy("flow", {"read": Holds("flow", "read"), "manage": Holds("flow", "manage")}),
    flow.FlowStep: PartOf(flow.FlowDefinition),
    flow.FlowStepUser: PartOf(flow.FlowDefinition),
    flow.FlowCondition: PartOf(flow.FlowDefinition),
    flow.FlowRun: Policy(
        "task",
        {
            "read": Mine(flow.FlowRun.started_by_id)
            | Assigned(taking_part)
            | Granted("task", "reassign", unit=flow.FlowRun.unit_id)
            | Granted("task", "terminate", unit=flow.FlowRun.unit_id),
            "reassign": Granted("task", "reassign", unit=flow.FlowRun.unit_id),
            "terminate": Granted("task", "terminate", unit=flow.FlowRun.unit_id),
        },
    ),
    flow.Task: Policy(
        "task",
        {
            # Separation of duty is the engine's: it knows who submitted and who acted in the round.
            "read": Holds("task", "read") & Assigned(known_to),
            "act": Holds("task", "act") & Assigned(held_by) & StillOpen(),
            "take_back": Holds("task", "act") & Assigned(known_to),
        },
    ),
    flow.CopyTo: Policy("task", {"read": Mine(flow.CopyTo.user_id)}),
    flow.FlowLog: Policy("task"),
    flow.AgentAppointment: Policy(
        "agent",
        {
            "read": Mine(flow.AgentAppointment.principal_id) | Mine(flow.AgentAppointment.agent_id),
            "create": LoggedIn(),
            "revoke": Mine(flow.AgentAppointment.principal_id),
        },
    ),
    flow.SavedOpinion: Policy(
        "saved_opinion",
        {
            "read": Mine(flow.SavedOpinion.user_id) | Unowned(flow.SavedOpinion.user_id),
            "create": LoggedIn(),
            "edit": Mine(flow.SavedOpinion.user_id)
            | (Unowned(flow.SavedOpinion.user_id) & Holds("dictionary", "manage")),
        },
    ),
    log.SystemLog: Policy("log", {"read": Holds("log", "read"), "export": Holds("log", "export")}),
    log.FieldChange: Policy("field_change"),
    attachment.Attachment: Policy(
        "attachment",
        {
            "read": _through_owner("read"),
            "add": _through_owner("edit", "amend"),
            "remove": _through_owner("edit", "amend"),
        },
    ),
    message.Message: Policy("message", {"read": Mine(message.Message.recipient_id)}),
    message.SmsMessage: Policy("sms", {"read": Holds("sms", "read"), "export": Holds("sms", "read")}),
    message.OutboxMessage: Policy("sms", {"read": Holds("sms", "read")}),
    alert.Alert: Policy(
        "alert",
        {
            # Whoever has to act sees his own, whatever his roles reach.
            "read": Granted("alert", "read", unit=alert.Alert.unit_id) | Mine(alert.Alert.user_id),
            "export": Granted("alert", "read", unit=alert.Alert.unit_id),
        },
    ),
    clock.ClockJob: Policy("parameter", {"read": Holds("parameter", "read")}),
}

NOBODY = Nobody()


def rule(model: type[Any], verb: str) -> Rule:
    """The rule for a verb on a model's rows; parts follow their whole. Unknown means nobody."""
    entry = POLICY.get(model)
    if entry is None or isinstance(entry, PartOf):
        return NOBODY
    return entry.verbs.get(verb, NOBODY)


def noun(model: type[Any]) -> str:
    """The noun under which permissions on the model are granted."""
    entry = POLICY[model]
    return noun(entry.whole) if isinstance(entry, PartOf) else entry.noun


def may(actor: Actor, verb: str, row: Any) -> bool:
    """May the actor do this to this row?"""
    return rule(type(row), verb).allows(actor, row)


def require(actor: Actor, verb: str, row: Any) -> None:
    """Raise `NotAllowed`, or `Conflict` when only the row's state forbids it."""
    why = rule(type(row), verb).refusal(actor, row)
    if why is not None:
        raise why


def criterion(actor: Actor, model: type[Any], verb: str = "read") -> ColumnElement[bool]:
    """The rows with which the actor may do the verb, as a condition."""
    return rule(model, verb).criterion(actor)


def scoped(actor: Actor, model: type[Any], verb: str = "read") -> Select[Any]:
    """A statement over exactly the rows with which the actor may do the verb."""
    return select(model).where(criterion(actor, model, verb))


def load(
    session: Session,
    actor: Actor,
    model: type[Any],
    row_id: int,
    *,
    verb: str = "read",
    version: int | None = None,
    lock: bool = False,
    options: Iterable[ExecutableOption] = (),
) -> Any:
    """One row through the actor's scope, checked for the verb.

    Raises `NotFound` for a row the actor may not read, `NotAllowed` or `Conflict` for a verb he may not
    do, `StaleVersion` (with who changed what since) when `version` is not the row's own.
    """
    statement = scoped(actor, model).where(model.id == row_id).options(*options)
    if "unit" in inspect(model).relationships:
        statement = statement.options(joinedload(model.unit))
    if lock:
        statement = statement.with_for_update(of=model)
    # A row read earlier in this session must not hide what has changed since.
    row = session.scalars(statement.execution_options(populate_existing=True)).unique().one_or_none()
    if row is None:
        raise NotFound
    if version is not None and version != row.version:
        raise StaleVersion(changes_since(session, row, version))
    require(actor, verb, row)
    return row


def changes_since(session: Session, row: Any, version: int) -> list[Change]:
    """Who changed what in a row after a version of it, oldest first."""
    entries = session.scalars(
        select(log.FieldChange)
        .where(
            log.FieldChange.noun == noun(type(row)),
            log.FieldChange.row_id == row.id,
            log.FieldChange.row_version > version,
        )
        .order_by(log.FieldChange.id)
    )
    return [Change(entry.field, entry.old, entry.new, entry.user_name, entry.at) for entry in entries]
