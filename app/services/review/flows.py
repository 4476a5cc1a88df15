"""Flow definitions: checking, publishing, drafting the next version, and the flow the office starts with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import Group, Role, assoc_user_group
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.access.actor import Actor
from app.access.policy import load
from app.core.enums import LogLevel
from app.core.errors import Conflict, InvalidInput, Problem
from app.core.flow import AssigneeKind, FlowState, Quorum
from app.models.base import utcnow
from app.models.flow import FlowCondition, FlowDefinition, FlowStep, FlowStepUser
from app.models.user import AppUser, RoleScope
from app.services.log import record
from app.services.unit_of_work import unit_of_work
from app.workflow.candidates import UNIT_HEAD_ROLE
from app.workflow.conditions import problem as condition_problem
from app.workflow.registry import registered


@dataclass(frozen=True)
class Finding:
    """Something wrong with a draft; `step` is the seq it is about, None for the whole flow."""

    step: int | None
    problem: Problem


_WITH_STEPS = (
    selectinload(FlowDefinition.steps).selectinload(FlowStep.conditions),
    selectinload(FlowDefinition.steps).selectinload(FlowStep.users),
)

UNIT_LEADER_SWITCH = "review.unit_leader_step"


def published_kinds(session: Session) -> set[str]:
    """The document kinds that have a published flow; `registry.verify` wants them at the start."""
    return set(
        session.scalars(
            select(FlowDefinition.document_kind).where(FlowDefinition.state == FlowState.PUBLISHED)
        )
    )


def publish(actor: Actor, definition_id: int, *, revision: int) -> FlowDefinition:
    """Make a draft the version that new runs take; the one before retires, running cases keep theirs.

    Raises InvalidInput naming every step that is a dead end, Conflict for what is no draft or was changed.
    """
    with unit_of_work(actor) as session:
        draft: FlowDefinition = load(
            session, actor, FlowDefinition, definition_id, verb="manage", lock=True, options=_WITH_STEPS
        )
        if draft.state is not FlowState.DRAFT:
            raise Conflict("Only a draft can be published.")
        if draft.revision != revision:
            raise Conflict("This flow was changed after you opened it. Open it again before publishing.")
        found = findings(session, draft)
        if found:
            raise InvalidInput(_by_step(found), "This flow cannot be published yet.")
        for before in session.scalars(
            select(FlowDefinition).where(
                FlowDefinition.document_kind == draft.document_kind,
                FlowDefinition.state == FlowState.PUBLISHED,
            )
        ):
            before.state = FlowState.RETIRED
        session.flush()
        draft.state = FlowState.PUBLISHED
        draft.published_at, draft.published_by_id = utcnow(), actor.user_id
        record(
            session,
            actor,
            "SENSITIVE_OP",
            noun="flow",
            row_id=draft.id,
            summary=f"published version {draft.version} of the flow of {draft.document_kind}",
            level=LogLevel.WARNING,
        )
        return draft


def draft_of(actor: Actor, definition_id: int) -> FlowDefinition:
    """A new draft, the next version, as a copy of any version of a flow."""
    with unit_of_work(actor) as session:
        source: FlowDefinition = load(
            session, actor, FlowDefinition, definition_id, verb="manage", lock=True, options=_WITH_STEPS
        )
        last = session.scalar(
            select(func.max(FlowDefinition.version)).where(
                FlowDefinition.document_kind == source.document_kind
            )
        )
        draft = FlowDefinition(
            document_kind=source.document_kind,
            name=source.name,
            version=(last or 0) + 1,
            state=FlowState.DRAFT,
            steps=[_copy(step) for step in source.steps],
        )
        session.add(draft)
        session.flush()
        return draft


def findings(session: Session, definition: FlowDefinition) -> list[Finding]:
    """Everything that forbids publishing: dead ends and steps nobody can act at, each with the reason. The
    steps come with their conditions and users."""
    found: list[Finding] = []
    if not definition.steps:
        found.append(Finding(None, Problem.of("A flow needs at least one step.")))
    elif all(step.optional or step.switch or step.conditions for step in definition.steps):
        problem = Problem.of(
            "Every step may be skipped, so a document could be approved without anybody's review."
        )
        found.append(Finding(None, problem))
    for step in definition.steps:
        found += [Finding(step.seq, problem) for problem in _problems(session, definition, step)]
    found += _lone_reviewers(session, definition.steps)
    return found


def _problems(session: Session, definition: FlowDefinition, step: FlowStep) -> Iterable[Problem]:
    if not step.name_zh.strip() or not step.code.strip():
        yield Problem.of("A step needs a name and a code.")
    if step.quorum is Quorum.SHARE and step.share_percent is None:
        yield Problem.of(
            "The step “%(step)s” needs the share of its reviewers, in percent.", step=step.name_zh
        )
    if not _people(session, step):
        yield Problem.of(
            "Nobody can act at the step “%(step)s”: no active user is named, in the role or group.",
            step=step.name_zh,
        )
    entry = registered().get(definition.document_kind)
    for row in step.conditions:
        field = entry.field(row.field) if entry else None
        if field is None:
            yield Problem.of(
                "The condition of the step “%(step)s” asks for a field that does not exist.",
                step=step.name_zh,
            )
        elif (wrong := condition_problem(field.kind, row.operator, row.value)) is not None:
            yield wrong


def _people(session: Session, step: FlowStep) -> set[int]:
    """Every active user who could act at the step for some document."""
    users = select(AppUser.id).where(AppUser.active)
    match step.assignee_kind:
        case AssigneeKind.ROLE | AssigneeKind.UNIT_HEAD:
            name = step.role_name if step.assignee_kind is AssigneeKind.ROLE else UNIT_HEAD_ROLE
            # Before people are entered a role is empty; what can never work is a role that does not exist.
            usable = select(Role.id).outerjoin(RoleScope, RoleScope.role_id == Role.id)
            role = session.scalar(usable.where(Role.name == name, RoleScope.enabled.is_not(False)))
            if role is None:
                return set()
            held = users.where(
                AppUser.roles.any(Role.id == role) | AppUser.groups.any(Group.roles.any(Role.id == role))
            )
            return set(session.scalars(held)) or {_SOMEBODY}
        case AssigneeKind.GROUP:
            members = select(assoc_user_group.c.user_id).where(assoc_user_group.c.group_id == step.group_id)
            return set(session.scalars(users.where(AppUser.id.in_(members))))
        case AssigneeKind.USERS:
            return set(session.scalars(users.where(AppUser.id.in_([user.user_id for user in step.users]))))


_SOMEBODY = 0
"""Stands for the holder a role will have one day."""


def _lone_reviewers(session: Session, steps: Sequence[FlowStep]) -> Iterable[Finding]:
    """Two steps that must be passed and have one and the same single reviewer: he may act only once."""
    seen: dict[int, FlowStep] = {}
    for step in steps:
        people = _people(session, step)
        if step.optional or step.conditions or step.switch or len(people) != 1 or _SOMEBODY in people:
            continue
        (only,) = people
        if only in seen:
            problem = Problem.of(
                "The steps “%(first)s” and “%(step)s” have the same single reviewer, who may act only once.",
                first=seen[only].name_zh,
                step=step.name_zh,
            )
            yield Finding(step.seq, problem)
        seen[only] = step


def _by_step(found: Iterable[Finding]) -> dict[str, list[Problem]]:
    fields: dict[str, list[Problem]] = {}
    for finding in found:
        key = "steps" if finding.step is None else f"steps.{finding.step}"
        fields.setdefault(key, []).append(finding.problem)
    return fields


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


def seed_default_flows(session: Session) -> None:
    """Enter the default flow of declarations where there is none (domain.md 3.1.5); never changes one."""
    if session.scalar(
        select(FlowDefinition.id).where(FlowDefinition.document_kind == "declaration").limit(1)
    ):
        return
    unit_leader = FlowStep(
        seq=1,
        code="unit_leader",
        name_zh="单位负责人审核",
        name_en="Unit leader",
        assignee_kind=AssigneeKind.UNIT_HEAD,
        limit_days=3,
        optional=True,
        switch=UNIT_LEADER_SWITCH,
    )
    bureau = [
        _bureau_step(2, "first_review", "初审", "First review", "bureau_reviewer", may_edit=True),
        _bureau_step(3, "recheck", "复核", "Re-check", "bureau_checker"),
        _bureau_step(4, "final_review", "终审", "Final review", "bureau_leader"),
    ]
    session.add(
        FlowDefinition(
            document_kind="declaration",
            name="项目申报审核流程",
            version=1,
            state=FlowState.PUBLISHED,
            published_at=utcnow(),
            steps=[unit_leader, *bureau],
        )
    )
    session.flush()


def _bureau_step(
    seq: int, code: str, name_zh: str, name_en: str, role: str, *, may_edit: bool = False
) -> FlowStep:
    return FlowStep(
        seq=seq,
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        assignee_kind=AssigneeKind.ROLE,
        role_name=role,
        limit_days=3,
        may_edit=may_edit,
    )
