"""年度需求计划: what finance arranges for the projects that reviews have let in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.access import policy
from app.access.actor import Actor
from app.core.errors import Conflict, InvalidInput, Problem
from app.core.money import format_yuan
from app.core.workdays import today_in_china
from app.models.annual_plan import AnnualPlan
from app.models.base import utcnow
from app.models.project import Project
from app.services import commitment, funds, log
from app.services.log import Difference
from app.services.reading import Day, Kind, Line, Lookup, Unreadable, Yuan
from app.services.unit_of_work import unit_of_work


class _Nothing:
    """A lookup for fields that look nothing up."""

    def allows(self, type_code: str, code: str) -> bool:
        return False

    def knows(self, target: str, row_id: int) -> bool:
        return False


_NOTHING: Lookup = _Nothing()
_FIELDS: Mapping[str, Kind] = {"amount": Yuan(), "doc_no": Line(80), "published_on": Day()}
CONFIRMED = "confirmed"
"""The field in which an amount above the requested one is confirmed."""


def arrange(
    actor: Actor,
    project_id: int,
    version: int,
    amount: object,
    doc_no: object = "",
    published_on: object = None,
    confirmed: object = "",
) -> AnnualPlan:
    """Finance enters what the budget gives to a planned project, in yuan, and the document that says so.

    `version` is the plan entry's. The first arranged amount begins the project's chain (services/funds.py);
    a later one corrects it, and adjustments stay in the sum. An amount above the requested one is mostly one
    typed in 万元 for yuan or the other way round: it has to be given again in `confirmed`. Raises
    `InvalidInput` by field, `NotFound`, `NotAllowed`, `StaleVersion`.
    """
    values = _read({"amount": amount, "doc_no": doc_no, "published_on": published_on})
    with unit_of_work(actor) as session:
        plan_id = session.scalar(
            select(AnnualPlan.id).where(
                AnnualPlan.project_id == project_id, policy.criterion(actor, AnnualPlan)
            )
        )
        plan: AnnualPlan = policy.load(
            session, actor, AnnualPlan, plan_id or 0, verb="arrange", version=version, lock=True
        )
        project = funds.locked_projects(session, [plan.project_id])[plan.project_id]
        above = _is_confirmed_above(plan, values["amount"], confirmed)
        before = {"amount": plan.initial_amount, "doc_no": plan.doc_no, "published_on": plan.published_on}
        _give(session, actor, project, plan, values)
        plan.initial_amount = values["amount"]
        plan.doc_no, plan.published_on = values["doc_no"], values["published_on"]
        session.flush()
        changes = [
            Difference(name, str(_FIELDS[name].show(old)), str(_FIELDS[name].show(values[name])))
            for name, old in before.items()
            if old != values[name]
        ]
        log.record_changes(session, actor, "annual_plan", plan.id, plan.version, changes)
        log.record(
            session,
            actor,
            "BUDGET_ARRANGED",
            noun="annual_plan",
            row_id=plan.id,
            summary=f"{project.code} {values['amount']} {values['doc_no']}"
            + (f" (confirmed above the requested {plan.requested_amount})" if above else ""),
        )
        return plan


def enter(session: Session, project: Project) -> AnnualPlan:
    """A new project's place in the plan of its year."""
    plan = AnnualPlan(
        year=project.budget_year,
        project=project,
        unit_id=project.unit_id,
        requested_amount=project.requested_amount,
    )
    session.add(plan)
    return plan


def begin(session: Session, actor: Actor, given: Mapping[AnnualPlan, Decimal]) -> None:
    """What new projects, just entered and stored, were given before they came here, in yuan: the beginning of
    their chains, many at once."""
    for plan, amount in given.items():
        plan.initial_amount = amount
    funds.begin(
        session,
        actor,
        [(plan.project, amount, funds.Source("annual_plan", plan.id, "")) for plan, amount in given.items()],
    )


def entry(session: Session, actor: Actor, project_id: int) -> AnnualPlan | None:
    """A project's place in the plan, within the actor's scope; None when it has none."""
    statement = policy.scoped(actor, AnnualPlan).where(AnnualPlan.project_id == project_id)
    return session.scalars(statement.options(joinedload(AnnualPlan.project))).one_or_none()


def _read(raw: Mapping[str, object]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    problems: dict[str, list[Problem]] = {}
    for name, kind in _FIELDS.items():
        try:
            values[name] = kind.read(raw[name], _NOTHING)
        except Unreadable as error:
            problems[name] = [error.problem]
    if values.get("amount", ...) is None:
        problems["amount"] = [Problem.of("Enter an amount.")]
    published = values.get("published_on")
    if published is not None and published > today_in_china(utcnow()):
        problems["published_on"] = [Problem.of("The document cannot have been published after today.")]
    if problems:
        raise InvalidInput(problems)
    return values


def _is_confirmed_above(plan: AnnualPlan, amount: Decimal, confirmed: object) -> bool:
    """Is more arranged than was requested, and meant so? Raises `InvalidInput` where nobody confirmed this
    very amount: a tick given to another says nothing of it. One that stands already is not asked about."""
    if amount <= plan.requested_amount or amount == plan.initial_amount:
        return False
    try:
        meant = _FIELDS["amount"].read(confirmed, _NOTHING) == amount
    except Unreadable:
        meant = False
    if meant:
        return True
    problem = Problem.of(
        "The arranged %(arranged)s yuan is more than the requested %(requested)s yuan: "
        "check the unit, it is yuan.",
        arranged=format_yuan(amount),
        requested=format_yuan(plan.requested_amount),
    )
    raise InvalidInput({"amount": [problem], CONFIRMED: [Problem.of("Confirm the amount or correct it.")]})


def _give(
    session: Session, actor: Actor, project: Project, plan: AnnualPlan, values: Mapping[str, Any]
) -> None:
    """Begin or correct the project's chain. Raises `InvalidInput` naming what is gone or bound already."""
    source = funds.Source("annual_plan", plan.id, values["doc_no"])
    try:
        funds.arrange(session, actor, project, values["amount"], source)
    except Conflict as error:
        problem = Problem.of("Adjustments have taken more than this amount already.")
        raise InvalidInput({"amount": [problem, Problem.of(error.message, **error.params)]}) from error
    bound = commitment.committed_amount(session, [project.id]).get(project.id)
    if bound is not None and (project.arranged_amount or 0) < bound.amount:
        problem = Problem.of(
            "%(amount)s yuan are bound already by %(documents)s; less cannot be arranged.",
            amount=format_yuan(bound.amount),
            documents=bound.documents,
        )
        raise InvalidInput({"amount": [problem]})
