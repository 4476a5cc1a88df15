"""What is wrong with a version: dead ends, steps nobody can act at, conditions nothing meets, and why.

An error forbids publishing; a warning is shown to whoever publishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_appbuilder.security.sqla.models import Group, Role, assoc_user_group
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import load
from app.core.errors import Problem
from app.core.flow import AssigneeKind, FlowState, Quorum
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.flow import FlowCondition, FlowDefinition, FlowStep
from app.models.user import AppUser
from app.services.people import may_review
from app.services.review.flows import reach, sentences
from app.services.review.flows.compare import is_same
from app.services.review.flows.drafts import WITH_STEPS
from app.services.review.flows.finding import Finding, Severity
from app.services.review.flows.names import Names
from app.services.review.flows.seed import FIRST_REVIEW
from app.services.review.flows.sheet import sheet_of
from app.services.review.flows.staffing import Staffing, Stop
from app.services.review.flows.words import Words
from app.services.review.required_roles import missing_roles
from app.services.unit_of_work import current_session
from app.workflow import conditions
from app.workflow.candidates import UNIT_HEAD_ROLE
from app.workflow.registry import FieldKind, ReviewableDocument, Value, registered
from app.workflow.settings import parameter

_NAMED = 3
"""So many units are named where more than one has the same trouble."""


def check(actor: Actor, definition_id: int) -> list[Finding]:
    """The findings of a version the actor may read, errors first, each group in the order of the steps."""
    session = current_session()
    definition: FlowDefinition = load(session, actor, FlowDefinition, definition_id, options=WITH_STEPS)
    return findings(session, definition)


def findings(session: Session, definition: FlowDefinition) -> list[Finding]:
    """The same of a version whose steps come with their conditions and users."""
    found = list(_Check(session, definition).run())
    return sorted(found, key=lambda one: (one.severity is Severity.WARNING, one.step or 0))


class _Check:
    """One check of one version."""

    def __init__(self, session: Session, definition: FlowDefinition) -> None:
        self.session = session
        self.definition = definition
        self.steps: Sequence[FlowStep] = definition.steps
        self.entry: ReviewableDocument[Any] | None = registered().get(definition.document_kind)
        self.names = Names(session)
        self.names.learn_steps(self.steps)
        self.staffing = Staffing(session, self.entry, self.steps)

    def run(self) -> Iterator[Finding]:
        yield from self._whole()
        empty = set()
        for place, step in enumerate(self.steps):
            yield from self._form(step)
            yield from self._conditions(step)
            reasons = list(self._nobody(place, step))
            if reasons:
                empty.add(place)
            yield from reasons or self._people(step)
        yield from self._units_without(empty)
        yield from self._stops(empty)

    # -- the whole flow ----------------------------------------------------------------------------------

    def _whole(self) -> Iterator[Finding]:
        if not self.steps:
            yield Finding(None, Problem.of("A flow needs at least one step."))
            return
        yield from self._unreviewed()
        yield from (Finding(None, problem) for problem in missing_roles(self.session, self.definition))
        if not any(step.may_return_applicant or step.may_reject for step in self.steps):
            yield _warning(
                None,
                "No step may return or reject a document, so every document would have to be approved.",
            )
        if self.definition.state is FlowState.DRAFT:
            yield from self._against_published()

    def _unreviewed(self) -> Iterator[Finding]:
        """Could a document be approved although nobody reviewed it?"""
        binding = [step for step in self.steps if not step.optional and not step.switch]
        if any(not step.conditions for step in binding):
            return
        document: Mapping[str, Value] | None = {}
        if binding and self.entry is not None:
            try:
                document = reach.unreviewed(self.entry, binding, self.names)
            except reach.TooMany:
                document = {}
        if document is None:
            return
        if not document or self.entry is None:
            yield Finding(
                None,
                Problem.of(
                    "Every step may be skipped, so a document could be approved without anybody's review."
                ),
            )
            return
        yield Finding(
            None,
            Problem.of(
                "No step has to review every document: one with %(values)s would be approved without "
                "anybody's review. Add a step without conditions, or conditions that leave nothing out.",
                values=Words(self.names, self.entry).example(document),
            ),
        )

    def _against_published(self) -> Iterator[Finding]:
        published = self.session.scalars(
            select(FlowDefinition)
            .where(
                FlowDefinition.document_kind == self.definition.document_kind,
                FlowDefinition.state == FlowState.PUBLISHED,
            )
            .options(*WITH_STEPS)
        ).one_or_none()
        if published is None:
            return
        if is_same(sheet_of(published, self.names), sheet_of(self.definition, self.names)):
            yield _warning(
                None, "Nothing differs from the published version %(version)s.", version=published.version
            )
        had = any(step.code == FIRST_REVIEW for step in published.steps)
        has = any(step.code == FIRST_REVIEW for step in self.steps)
        if self.definition.document_kind == "declaration" and had and not has:
            yield _warning(
                None,
                "The step “First review” (code first_review) is gone: the declaration summary would show a "
                "project only once it is approved.",
            )

    # -- one step ----------------------------------------------------------------------------------------

    def _form(self, step: FlowStep) -> Iterator[Finding]:
        if not step.name_zh.strip() or not step.code.strip():
            yield Finding(step.seq, Problem.of("A step needs a name and a code."))
        if step.quorum is Quorum.SHARE and step.share_percent is None:
            yield _error(
                step,
                "The step “%(step)s” needs the share of its reviewers, in percent.",
                "share_percent",
            )
        if step.limit_days is None:
            yield _warning(
                step,
                "The step “%(step)s” has no limit: nobody is warned when it takes too long.",
                "limit_days",
            )
        if step.switch:
            if step.switch not in {one.key for one in self.names.switches}:
                yield _error(
                    step, "The parameter that switches the step “%(step)s” does not exist.", "switch"
                )
            elif parameter(self.session, step.switch, "true", today_in_china(utcnow())) == "false":
                yield _warning(step, "A parameter has switched the step “%(step)s” off at present.", "switch")

    def _conditions(self, step: FlowStep) -> Iterator[Finding]:
        sound = True
        for row in step.conditions:
            asked = self.entry.field(row.field) if self.entry else None
            if asked is None:
                sound = False
                yield _error(
                    step,
                    "The condition of the step “%(step)s” asks for a field that does not exist.",
                    "conditions",
                )
            elif (wrong := conditions.problem(asked.kind, row.operator, row.value)) is not None:
                sound = False
                yield Finding(step.seq, wrong, field="conditions")
            elif self._out_of_use(asked.kind, asked.dictionary, row):
                yield _warning(
                    step,
                    "A condition of the step “%(step)s” names an entry that is no longer in use.",
                    "conditions",
                )
        if sound and self.entry is not None:
            rows = reach.contradiction(self.entry, step, self.names)
            if rows:
                yield _error(
                    step,
                    "The conditions of the step “%(step)s” exclude each other, so no document would ever "
                    "reach it: %(rows)s",
                    "conditions",
                    rows=Words(self.names, self.entry).rows(rows),
                )

    def _out_of_use(self, kind: FieldKind, dictionary: str, row: FlowCondition) -> bool:
        values = row.value if isinstance(row.value, list) else [row.value]
        if kind is FieldKind.UNIT:
            units = (self.names.units_by_id.get(int(value)) for value in values if str(value).isdecimal())
            return any(unit is None or not unit.active for unit in units)
        if kind in (FieldKind.CODE, FieldKind.CODES) and dictionary:
            return any(not self.names.catalogue.allows(dictionary, str(value)) for value in values)
        return False

    # -- people ------------------------------------------------------------------------------------------

    def _nobody(self, place: int, step: FlowStep) -> Iterator[Finding]:
        """Why nobody at all can act at the step; nothing when somebody can."""
        if self.staffing.anybody(place):
            return
        message, field = self._reason(step)
        if step.optional:
            yield _warning(step, "Nobody can act at the step “%(step)s” at present; it is skipped.", field)
        else:
            yield Finding(step.seq, Problem.of(message, step=step.name_zh), field=field)

    def _reason(self, step: FlowStep) -> tuple[str, str]:
        match step.assignee_kind:
            case AssigneeKind.USERS if not step.users:
                return sentences.NO_USERS, "users"
            case AssigneeKind.USERS:
                return self._unfit(step, sentences.GONE), "users"
            case AssigneeKind.GROUP if step.group_id is None:
                return sentences.NO_GROUP, "group"
            case AssigneeKind.GROUP:
                return self._unfit(step, sentences.EMPTY_GROUP), "group"
            case AssigneeKind.ROLE | AssigneeKind.UNIT_HEAD:
                head = step.assignee_kind is AssigneeKind.UNIT_HEAD
                role = self.names.roles.get(UNIT_HEAD_ROLE if head else step.role_name or "")
                if role is None:
                    return (
                        sentences.NO_ROLE if step.role_name is None and not head else sentences.UNKNOWN_ROLE
                    ), "role"
                if not role.enabled:
                    return sentences.DISABLED_ROLE, "role"
                if head:
                    return sentences.NO_HEAD, "assignee_kind"
                return self._unfit(step, sentences.EMPTY_ROLE), "role"

    def _unfit(self, step: FlowStep, nobody: str) -> str:
        """Why people who are named, in the group or role cannot act; `nobody` when there are none."""
        users = select(AppUser.id).where(AppUser.active)
        match step.assignee_kind:
            case AssigneeKind.USERS:
                users = users.where(AppUser.id.in_([user.user_id for user in step.users]))
            case AssigneeKind.GROUP:
                members = select(assoc_user_group.c.user_id)
                users = users.where(
                    AppUser.id.in_(members.where(assoc_user_group.c.group_id == step.group_id))
                )
            case _:
                held = Role.name == step.role_name
                users = users.where(AppUser.roles.any(held) | AppUser.groups.any(Group.roles.any(held)))
        if self.session.scalar(users.limit(1)) is None:
            return nobody
        if self.session.scalar(users.where(may_review()).limit(1)) is None:
            return sentences.NO_RIGHT
        return sentences.WRONG_UNIT

    def _people(self, step: FlowStep) -> Iterator[Finding]:
        """Named people of whom some cannot log in any more."""
        people = (self.names.person(user.user_id) for user in step.users)
        gone = [person.name for person in people if person is not None and not person.active]
        if gone and step.assignee_kind is AssigneeKind.USERS:
            yield _warning(
                step,
                "At the step “%(step)s” these people can no longer log in: %(people)s",
                "users",
                people="、".join(gone),
            )

    def _units_without(self, empty: set[int]) -> Iterator[Finding]:
        """Units whose documents would find nobody at a step that others have people for."""
        for place, step in enumerate(self.steps):
            if place in empty or step.optional:
                continue
            without = [
                unit_id
                for unit_id in self.staffing.submitters
                if not self.staffing.at(place, unit_id) and self._may_meet(step, unit_id)
            ]
            if without:
                yield _warning(
                    step,
                    "At the step “%(step)s” nobody can act on documents of %(count)s units: %(units)s. Give "
                    "them a reviewer, or make the step one that may be skipped when nobody can act.",
                    "assignee_kind",
                    **self._listed(without),
                )

    def _may_meet(self, step: FlowStep, unit_id: int) -> bool:
        """Could a document of this unit go through the step, as far as conditions on the unit say?"""
        unit = self.names.units_by_id.get(unit_id)
        for row in step.conditions:
            asked = self.entry.field(row.field) if self.entry else None
            if asked is None or asked.kind is not FieldKind.UNIT or unit is None:
                continue
            if conditions.problem(asked.kind, row.operator, row.value) is None and not conditions.holds(
                asked.kind, row.operator, row.value, unit.path
            ):
                return False
        return True

    def _stops(self, empty: set[int]) -> Iterator[Finding]:
        """Steps that find nobody left because the same people have acted before or submitted the document."""
        places = [
            place
            for place, step in enumerate(self.steps)
            if place not in empty and not (step.optional or step.switch or step.conditions)
        ]
        grouped: dict[Stop, list[int | None]] = {}
        for unit_id, stop in self.staffing.stops(places).items():
            grouped.setdefault(stop, []).append(unit_id)
        for stop, units in grouped.items():
            step = self.steps[stop.step]
            other = self.steps[stop.other].name_zh if stop.other is not None else ""
            everywhere = None in units or len(units) == len(self.staffing.submitters)
            if everywhere:
                message = sentences.STOPS[stop.obstacle]
                problem = Problem.of(message, step=step.name_zh, first=other)
                yield Finding(step.seq, problem, field="assignee_kind")
            else:
                named = self._listed([unit_id for unit_id in units if unit_id is not None])
                message = sentences.STOPS_SOMEWHERE[stop.obstacle]
                problem = Problem.of(message, step=step.name_zh, first=other, **named)
                yield Finding(step.seq, problem, Severity.WARNING, "assignee_kind")

    def _listed(self, unit_ids: Sequence[int]) -> dict[str, object]:
        known = (self.names.units_by_id.get(unit_id) for unit_id in unit_ids[:_NAMED])
        shown = "、".join(unit.name for unit in known if unit is not None)
        return {"count": len(unit_ids), "units": f"{shown}…" if len(unit_ids) > _NAMED else shown}


def _error(step: FlowStep, message: str, field: str, **params: object) -> Finding:
    return Finding(step.seq, Problem.of(message, step=step.name_zh, **params), field=field)


def _warning(step: FlowStep | None, message: str, field: str = "name_zh", **params: object) -> Finding:
    named = {"step": step.name_zh} if step is not None else {}
    seq = step.seq if step is not None else None
    return Finding(seq, Problem.of(message, **named, **params), Severity.WARNING, field)
