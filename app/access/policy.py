"""Who may do what to which rows: one table, model × verb → rule, read top to bottom. Default deny."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, exists, inspect, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.base import ExecutableOption

from app.access.actor import Actor, Reach
from app.access.rules import (
    Assigned,
    Granted,
    Holds,
    InState,
    LoggedIn,
    Mine,
    Nobody,
    Rule,
    Through,
    Where,
    WithWhole,
)
from app.access.rules_shared import Shared, SharedWithEveryone
from app.access.rules_task import (
    StillOpen,
    Unowned,
    held_by,
    in_review_with,
    known_to,
    open_to_edit_by,
    reviewed_by,
    taking_part,
    today,
)
from app.core.enums import DocumentStatus as Status
from app.core.errors import Change, NotFound, StaleVersion
from app.models import (
    adjustment,
    alert,
    annual_plan,
    attachment,
    change,
    clock,
    declaration,
    dictionary,
    flow,
    history,
    importing,
    log,
    message,
    policy_rule,
    project,
    remark,
    saved_query,
    similarity,
    unit,
    user,
)
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.change import ChangeRequest
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


def _adjustment(verb: str) -> Granted:
    return Granted("adjustment", verb, unit=FundAdjustment.unit_id, owner=FundAdjustment.created_by_id)


def _line_of_adjustment(verb: str) -> WithWhole:
    return WithWhole(AdjustmentLine.adjustment_id, FundAdjustment, lambda: rule(FundAdjustment, verb))


def _adjusting(*states: Status) -> InState:
    return InState(FundAdjustment.status, frozenset(states))


def _change(verb: str) -> Granted:
    return Granted("change", verb, unit=ChangeRequest.unit_id, owner=ChangeRequest.created_by_id)


def _change_in(*states: Status) -> InState:
    return InState(ChangeRequest.status, frozenset(states))


_UNSUBMITTED = (Status.DRAFT, Status.RECYCLED)
_OPEN_TO_UNIT = (Status.DRAFT, Status.RETURNED)


def _taken_back() -> ColumnElement[bool]:
    """Projects whose declaration is a draft again, or in its unit's recycle bin."""
    return exists().where(
        Declaration.project_id == project.Project.id, Declaration.status.in_(sorted(_UNSUBMITTED))
    )


OWNERS: dict[str, type[Any]] = {
    Declaration.document_kind: Declaration,
    ChangeRequest.document_kind: ChangeRequest,
    FundAdjustment.document_kind: FundAdjustment,
}
"""The documents that attachments belong to, by their kind."""


def versioned() -> dict[str, type[Any]]:
    """What keeps versions, by kind: every document, and the project."""
    return {**OWNERS, "project": project.Project}


def _owners(*verbs: str) -> dict[str, tuple[type[Any], list[Rule]]]:
    return {kind: (model, [rule(model, verb) for verb in verbs]) for kind, model in OWNERS.items()}


def _through_owner(*verbs: str, others: Mapping[str, tuple[type[Any], str]]) -> Through:
    """Through the document, by these verbs; `others` are owners that are no documents, each with its verb."""
    return Through(
        attachment.Attachment.owner_kind,
        attachment.Attachment.owner_id,
        lambda: {
            **_owners(*verbs),
            **{kind: (model, [rule(model, verb)]) for kind, (model, verb) in others.items()},
        },
    )


_BEING_WRITTEN: dict[str, tuple[type[Any], str]] = {attachment.OF_TASK: (flow.Task, "act")}
"""A file for an opinion that is not given yet is the reviewer's alone."""


def _principals(actor: Actor) -> ColumnElement[bool]:
    """Appointments made for people of units whose tasks the actor administers."""
    people = select(user.AppUser.id).where(criterion(actor, user.AppUser, "deputise"))
    return flow.AgentAppointment.principal_id.in_(people)


def _administered(actor: Actor) -> ColumnElement[bool]:
    """Tasks of runs in which the actor may give a task to somebody else."""
    runs = select(flow.FlowRun.id).where(criterion(actor, flow.FlowRun, "reassign"))
    return flow.Task.run_id.in_(runs)


def _remarks_of(*verbs: str) -> Through:
    """Remarks on the documents with which the actor may do one of the verbs."""
    return Through(remark.Remark.document_kind, remark.Remark.document_id, lambda: _owners(*verbs))


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
            # 意见与答复: whoever reviews it now remarks, its unit answers until the review has ended.
            "remark": Holds("task", "act") & Assigned(reviewed_by(Declaration)),
            "answer": _declaration("submit") & _in(Status.DRAFT, Status.RETURNED, Status.IN_REVIEW),
            "recycle": _declaration("edit") & _in(Status.DRAFT),
            "restore": _declaration("edit") & _in(Status.RECYCLED),
            "purge": _declaration("edit") & _in(Status.RECYCLED),
            "export": _declaration("export") & ~_in(*_UNSUBMITTED),
            # Whoever keeps the policy rules tries them on what was submitted: he is shown the compared
            # figures of the chosen number, never the document.
            "try_rule": Holds("policy_rule", "manage") & ~_in(*_UNSUBMITTED),
        },
    ),
    declaration.BudgetLine: PartOf(Declaration),
    declaration.FundingSplit: PartOf(Declaration),
    declaration.LaterYear: PartOf(Declaration),
    declaration.CatalogueEntry: PartOf(Declaration),
    declaration.ScheduleStep: PartOf(Declaration),
    declaration.PerformanceIndicator: PartOf(Declaration),
    change.ChangeRequest: Policy(
        "change",
        {
            "read": ((_change("read") | Assigned(in_review_with(ChangeRequest))) & ~_change_in(*_UNSUBMITTED))
            | _change("edit"),
            # Of which project, its unit's scope says: the draft lies in the project's unit.
            "create": _change("create"),
            "edit": _change("edit") & _change_in(*_OPEN_TO_UNIT),
            "submit": _change("submit") & _change_in(*_OPEN_TO_UNIT),
            "withdraw": _change("submit") & _change_in(Status.IN_REVIEW),
            "urge": _change("submit") & _change_in(Status.IN_REVIEW),
            "amend": Holds("task", "act")
            & Assigned(open_to_edit_by(ChangeRequest))
            & _change_in(Status.IN_REVIEW),
            "remark": Holds("task", "act") & Assigned(reviewed_by(ChangeRequest)),
            "answer": _change("submit") & _change_in(Status.DRAFT, Status.RETURNED, Status.IN_REVIEW),
            "recycle": _change("edit") & _change_in(Status.DRAFT),
            "restore": _change("edit") & _change_in(Status.RECYCLED),
            "purge": _change("edit") & _change_in(Status.RECYCLED),
            "export": _change("export") & ~_change_in(*_UNSUBMITTED),
            "try_rule": Holds("policy_rule", "manage") & ~_change_in(*_UNSUBMITTED),
        },
    ),
    change.ChangeItem: PartOf(ChangeRequest),
    project.Project: Policy(
        "project",
        {
            "read": Granted("project", "read", unit=project.Project.unit_id),
            "export": Granted("project", "export", unit=project.Project.unit_id),
            # Whoever declares or reviews is told of similar projects of ANY unit, whatever his scope, so that
            # nothing is built twice: of a project outside his scope only title, unit, year, number, the band
            # of its amount and the passages that overlap (services/similarity). Never of what its unit has
            # not submitted or has taken back; state secrets are never stored at all.
            "similar": Holds("project", "similar") & ~Where(_taken_back),
            "import": Granted("project", "import", unit=project.Project.unit_id),
        },
    ),
    similarity.SimilarityEntry: PartOf(project.Project),
    similarity.SimilarityPosting: PartOf(project.Project),
    similarity.SimilarityGram: Policy("similarity"),
    similarity.SimilarProject: PartOf(Declaration),
    project.ProjectFunding: PartOf(project.Project),
    project.ProjectFundEntry: PartOf(project.Project),
    adjustment.FundAdjustment: Policy(
        "adjustment",
        {
            "read": (
                (_adjustment("read") | Assigned(in_review_with(FundAdjustment))) & ~_adjusting(*_UNSUBMITTED)
            )
            | _adjustment("edit"),
            "create": Holds("adjustment", "create"),
            "edit": _adjustment("edit") & _adjusting(*_OPEN_TO_UNIT),
            "submit": _adjustment("submit") & _adjusting(*_OPEN_TO_UNIT),
            "withdraw": _adjustment("submit") & _adjusting(Status.IN_REVIEW),
            "urge": _adjustment("submit") & _adjusting(Status.IN_REVIEW),
            "remark": Holds("task", "act") & Assigned(reviewed_by(FundAdjustment)),
            "answer": _adjustment("submit") & _adjusting(Status.DRAFT, Status.RETURNED, Status.IN_REVIEW),
            "recycle": _adjustment("edit") & _adjusting(Status.DRAFT),
            "restore": _adjustment("edit") & _adjusting(Status.RECYCLED),
            "purge": _adjustment("edit") & _adjusting(Status.RECYCLED),
            "export": _adjustment("export") & ~_adjusting(*_UNSUBMITTED),
            "try_rule": Holds("policy_rule", "manage") & ~_adjusting(*_UNSUBMITTED),
        },
    ),
    adjustment.AdjustmentLine: Policy(
        "adjustment", {"read": _line_of_adjustment("read"), "export": _line_of_adjustment("export")}
    ),
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
            # Who may give an absent person's tasks to others may also name his agent.
            "deputise": Granted("task", "reassign", unit=user.AppUser.unit_id),
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
    policy_rule.PolicyRule: Policy(
        "policy_rule", {"read": Holds("policy_rule", "read"), "manage": Holds("policy_rule", "manage")}
    ),
    policy_rule.RuleFinding: Policy(
        "rule_finding",
        {
            "read": Through(
                policy_rule.RuleFinding.document_kind,
                policy_rule.RuleFinding.document_id,
                lambda: {kind: (model, [rule(model, "read")]) for kind, model in OWNERS.items()},
            )
        },
    ),
    dictionary.WorkCalendarDay: Policy(
        "work_calendar", {"read": LoggedIn(), "manage": Holds("work_calendar", "manage")}
    ),
    dictionary.NumberSequence: Policy("number_sequence"),
    dictionary.MenuItem: Policy("menu", {"read": Holds("menu", "manage"), "manage": Holds("menu", "manage")}),
    dictionary.ListPreference: Policy("list_preference"),
    saved_query.SavedQuery: Policy(
        "saved_query",
        {
            # Whose query it is says nothing about rows: it runs under the scope of whoever opens it.
            "read": Mine(saved_query.SavedQuery.owner_id) | Shared(),
            "create": LoggedIn(),
            "edit": Mine(saved_query.SavedQuery.owner_id),
            "share": Holds("saved_query", "share"),
            "remove": Mine(saved_query.SavedQuery.owner_id)
            | (SharedWithEveryone() & Holds("saved_query", "share")),
        },
    ),
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
            "reassign": Assigned(_administered),
        },
    ),
    flow.CopyTo: Policy("task", {"read": Mine(flow.CopyTo.user_id)}),
    flow.FlowLog: Policy(
        "task",
        {"read": Through(flow.FlowLog.document_kind, flow.FlowLog.document_id, lambda: _owners("read"))},
    ),
    flow.AgentAppointment: Policy(
        "agent",
        {
            "read": Mine(flow.AgentAppointment.principal_id)
            | Mine(flow.AgentAppointment.agent_id)
            | Assigned(_principals),
            "create": LoggedIn(),
            "revoke": Mine(flow.AgentAppointment.principal_id) | Assigned(_principals),
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
    # Whoever may read a document may read what it was before.
    history.DocumentVersion: Policy(
        "document_version",
        {
            "read": Through(
                history.DocumentVersion.kind,
                history.DocumentVersion.document_id,
                lambda: {kind: (model, [rule(model, "read")]) for kind, model in versioned().items()},
            )
        },
    ),
    attachment.Attachment: Policy(
        "attachment",
        {
            "read": _through_owner(
                "read", others={**_BEING_WRITTEN, attachment.OF_OPINION: (flow.FlowLog, "read")}
            ),
            "add": _through_owner("edit", "amend", others=_BEING_WRITTEN),
            "remove": _through_owner("edit", "amend", others=_BEING_WRITTEN),
        },
    ),
    remark.Remark: Policy(
        "remark",
        {
            "read": _remarks_of("read"),
            "answer": _remarks_of("answer"),
            "settle": _remarks_of("remark"),
        },
    ),
    remark.RemarkAnswer: PartOf(remark.Remark),
    message.Message: Policy("message", {"read": Mine(message.Message.recipient_id)}),
    message.SmsMessage: Policy("sms", {"read": Holds("sms", "read"), "export": Holds("sms", "read")}),
    message.OutboxMessage: Policy("sms", {"read": Holds("sms", "read")}),
    importing.ImportRun: Policy(
        "import",
        {
            "read": (Holds("import", "read") & Mine(importing.ImportRun.created_by_id))
            | Holds("import", "read_all"),
            "export": (Holds("import", "read") & Mine(importing.ImportRun.created_by_id))
            | Holds("import", "read_all"),
            "read_all": Holds("import", "read_all"),
            # Whether he may import the list itself is asked of its own noun by the service.
            "confirm": Holds("import", "read") & Mine(importing.ImportRun.created_by_id),
        },
    ),
    importing.ImportRow: PartOf(importing.ImportRun),
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

_CRITERIA_KEPT = 2_000


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
    return _criterion(actor.reach, cast(Hashable, model), verb, today())


@lru_cache(maxsize=_CRITERIA_KEPT)
def _criterion(reach: Reach, model: type[Any], verb: str, _day: dt.date) -> ColumnElement[bool]:
    """Built once for all who ask alike: an expression never changes and is shared by statements and threads.

    What the key does not name cannot get into it: the rule is asked by an actor made from the reach alone.
    The day is in the key because agents stand in by days.
    """
    return rule(model, verb).criterion(reach.actor())


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
