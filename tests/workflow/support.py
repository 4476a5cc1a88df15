"""A small office for tests of reviewing: people, a flow made for the test, and somebody to push papers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.access.policy import load
from app.core.enums import DocumentStatus
from app.core.flow import AssigneeKind, FlowState, Operator, Quorum, TaskState
from app.models.declaration import Declaration, FundingSplit
from app.models.flow import FlowCondition, FlowDefinition, FlowLog, FlowRun, FlowStep, FlowStepUser, Task
from app.models.unit import Unit
from app.services import review
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow import registry
from app.workflow.registry import ConditionField, FieldKind, ReviewableDocument
from tests.factories import make_actor, make_unit

_numbers = itertools.count(1)

REVIEWERS = 6
"""So many are there to choose from in an office that was opened for a page of tests."""


@dataclass
class Outcomes:
    """What the engine told the document's service, in order."""

    calls: list[str] = field(default_factory=list)

    def note(self, outcome: str) -> Any:
        def handler(session: Session, actor: Actor, document: Declaration) -> None:
            self.calls.append(outcome)

        return handler


def _channels(session: Session, document: Declaration) -> frozenset[str]:
    chosen = select(FundingSplit.channel).where(FundingSplit.declaration_id == document.id)
    return frozenset(channel for channel in session.scalars(chosen) if channel)


def _unit_path(session: Session, document: Declaration) -> str | None:
    return session.scalar(select(Unit.path).where(Unit.id == document.unit_id))


@contextmanager
def declarations_for_tests() -> Iterator[Outcomes]:
    """Register declarations with outcomes that only take notes, as long as the test lasts."""
    outcomes = Outcomes()
    before = registry.registered().get("declaration")
    registry.register(
        ReviewableDocument(
            kind="declaration",
            model=Declaration,
            label="Declaration",
            title=lambda document: document.title,
            amount=lambda document: document.requested_amount,
            fields=(
                ConditionField(
                    "amount", "Amount", FieldKind.AMOUNT, lambda session, document: document.requested_amount
                ),
                ConditionField("nature", "Nature", FieldKind.CODE, lambda session, document: document.nature),
                ConditionField("channel", "Channel", FieldKind.CODES, _channels),
                ConditionField("unit", "Unit", FieldKind.UNIT, _unit_path),
            ),
            **{name: outcomes.note(name) for name in registry.OUTCOMES},
        )
    )
    try:
        yield outcomes
    finally:
        if before is not None:
            registry.register(before)


def step(
    code: str, *reviewers: Actor, conditions: tuple[tuple[str, str, Any], ...] = (), **fields: Any
) -> FlowStep:
    """A step of named reviewers, or of whoever `fields` say."""
    if "assignee_kind" not in fields:
        fields["assignee_kind"] = AssigneeKind.USERS
    fields["quorum"] = Quorum(fields.get("quorum", Quorum.ANY))
    fields.setdefault("name_zh", code)
    fields.setdefault("name_en", code)
    return FlowStep(
        code=code,
        users=[FlowStepUser(user_id=actor.user_id, seq=seq) for seq, actor in enumerate(reviewers)],
        conditions=[
            FlowCondition(field=name, operator=Operator(how), value=value) for name, how, value in conditions
        ],
        **fields,
    )


def retire_flows() -> None:
    """Leave declarations without a flow."""
    with unit_of_work(SYSTEM) as session:
        session.execute(update(FlowDefinition).values(state=FlowState.RETIRED))


def publish_flow(*steps: FlowStep) -> FlowDefinition:
    """Make these steps the flow of declarations from now on."""
    retire_flows()
    with unit_of_work(SYSTEM) as session:
        for seq, one in enumerate(steps, start=1):
            one.seq = seq
        definition = FlowDefinition(
            document_kind="declaration",
            name="测试流程",
            version=1000 + next(_numbers),
            state=FlowState.PUBLISHED,
            steps=list(steps),
        )
        session.add(definition)
        session.flush()
    return definition


@dataclass
class Office:
    """One unit, its handler, and a way to push one declaration through its review."""

    unit: Unit
    handler: Actor
    outcomes: Outcomes
    reviewers: list[Actor] = field(default_factory=list)

    def person(self, role: str = "bureau_checker", unit: Unit | None = None, **fields: Any) -> Actor:
        return make_actor(role, unit or self.unit, **fields)

    def people(self, number: int) -> list[Actor]:
        """So many reviewers of the bureau, always the same ones."""
        bureau = make_unit() if len(self.reviewers) < number else None
        while len(self.reviewers) < number:
            self.reviewers.append(make_actor("bureau_checker", bureau))
        return self.reviewers[:number]

    def draft(self, amount: str = "31900.00", title: str = "政务信息化服务项目管理系统维护服务") -> int:
        with unit_of_work(self.handler) as session:
            declaration = Declaration(
                code=f"TEST-{next(_numbers):06d}",
                unit_id=self.unit.id,
                budget_year=2027,
                title=title,
                requested_amount=Decimal(amount),
                nature="OPERATION",
            )
            session.add(declaration)
            session.flush()
            return declaration.id

    def submit(self, document_id: int, actor: Actor | None = None) -> None:
        actor = actor or self.handler
        with unit_of_work(actor) as session:
            document = load(session, actor, Declaration, document_id, verb="submit", lock=True)
            review.submit(session, actor, document)

    def submitted(self, **fields: Any) -> int:
        """A declaration in review."""
        document_id = self.draft(**fields)
        self.submit(document_id)
        return document_id

    def task(self, actor: Actor, document_id: int) -> Task:
        """The actor's latest task on a declaration, whatever its state."""
        return (
            current_session()
            .scalars(
                select(Task)
                .join(FlowRun, FlowRun.id == Task.run_id)
                .where(FlowRun.document_id == document_id, Task.user_id == actor.user_id)
                .order_by(Task.id.desc())
                .execution_options(populate_existing=True)
            )
            .all()[0]
        )

    def act(
        self, actor: Actor, document_id: int, verb: str, *, task_of: Actor | None = None, **what: Any
    ) -> review.Result:
        """Do a verb with the actor's (or somebody else's) task, as from a freshly opened page."""
        task = self.task(task_of or actor, document_id)
        return review.act(actor, task.id, verb, version=task.version, **what)

    def approve(self, document_id: int, *actors: Actor) -> None:
        for actor in actors:
            self.act(actor, document_id, "approve")

    def withdraw(self, document_id: int) -> None:
        review.withdraw(self.handler, "declaration", document_id, version=self.document(document_id).version)

    def change(self, document_id: int, **fields: str) -> None:
        """The unit changes what was returned to it."""
        with unit_of_work(self.handler) as session:
            document = load(session, self.handler, Declaration, document_id, verb="edit", lock=True)
            for name, text in fields.items():
                setattr(document, name, Decimal(text) if name == "requested_amount" else text)

    def amend(self, actor: Actor, document_id: int, **fields: str) -> None:
        """A reviewer changes the document himself."""
        with unit_of_work(actor) as session:
            document = load(session, actor, Declaration, document_id, verb="amend", lock=True)
            for name, text in fields.items():
                setattr(document, name, Decimal(text) if name == "requested_amount" else text)
            review.document_edited(session, actor, document)

    def stranger(self) -> Actor:
        """The handler of another unit."""
        return make_actor("unit_handler")

    def run(self, document_id: int) -> FlowRun:
        return (
            current_session()
            .scalars(
                select(FlowRun)
                .where(FlowRun.document_id == document_id)
                .order_by(FlowRun.id.desc())
                .execution_options(populate_existing=True)
            )
            .all()[0]
        )

    def document(self, document_id: int) -> Declaration:
        found = current_session().get(Declaration, document_id, populate_existing=True)
        assert found is not None
        return found

    def status(self, document_id: int) -> DocumentStatus:
        return self.document(document_id).status

    def at(self, document_id: int) -> str | None:
        """The code of the step the declaration is at."""
        run = self.run(document_id)
        return current_session().scalar(select(FlowStep.code).where(FlowStep.id == run.current_step_id))

    def open_users(self, document_id: int) -> set[int]:
        """Who has an open task."""
        return set(
            current_session().scalars(
                select(Task.user_id)
                .join(FlowRun, FlowRun.id == Task.run_id)
                .where(FlowRun.document_id == document_id, Task.state == TaskState.OPEN)
            )
        )

    def log(self, document_id: int) -> list[FlowLog]:
        return list(
            current_session().scalars(
                select(FlowLog).where(FlowLog.document_id == document_id).order_by(FlowLog.id)
            )
        )

    def verbs(self, document_id: int) -> list[str]:
        return [str(entry.verb) for entry in self.log(document_id)]
