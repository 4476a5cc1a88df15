"""Whatever people try, in whatever flow: the promises of domain.md sections 4 and 5 hold after every move."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, DomainError, StaleVersion
from app.core.flow import Quorum, RunState, TaskState, Verb
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.dictionary import RuleParameter
from app.models.flow import AgentAppointment, FlowLog, FlowRun, FlowStep, Task
from app.models.user import AppUser
from app.services import review
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow.verbs.applicant import RESUBMIT_TARGET
from tests.conftest import anew
from tests.workflow.support import REVIEWERS, Office, publish_flow, step

_STATUS = {
    RunState.RUNNING: DocumentStatus.IN_REVIEW,
    RunState.RETURNED: DocumentStatus.RETURNED,
    RunState.APPROVED: DocumentStatus.APPROVED,
    RunState.REJECTED: DocumentStatus.REJECTED,
    RunState.WITHDRAWN: DocumentStatus.DRAFT,
    RunState.TERMINATED: DocumentStatus.TERMINATED,
}
_REVIEWS = ("approve", "approve", "approve", "return", "return_to", "take_back")
_OTHERS = ("transfer", "delegate", "add_signer", "copy_to", "save_opinion", "reassign")
_WHOLE = ("submit", "submit", "withdraw", "urge", "terminate", "amend", "amend", "reject")
_AROUND = ("appoint", "appoint", "revoke", "leave", "come_back", "stale")
_BOTH = REVIEWERS + 1
"""Somebody of the applicant's own unit who may submit and also be a reviewer."""


@dataclass(frozen=True)
class Move:
    """One thing somebody tries: `actor` and `other` count people, `task` counts the tasks there are. `who`
    says whether it is tried by who is likely to be allowed (`own`), by an agent of his, or by anybody."""

    verb: str
    actor: int
    other: int
    task: int
    position: str
    who: str


moves = st.builds(
    Move,
    verb=st.sampled_from(_REVIEWS * 3 + _OTHERS * 2 + _WHOLE + _AROUND),
    actor=st.integers(0, REVIEWERS + 3),
    other=st.integers(0, _BOTH),
    task=st.integers(0, 30),
    position=st.sampled_from(["BEFORE", "PARALLEL", "AFTER"]),
    who=st.sampled_from(["own", "own", "own", "agent", "anybody"]),
)


SUBMIT = Move("submit", REVIEWERS, 0, 0, "AFTER", "anybody")
"""What every example begins with."""


@st.composite
def flows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to four steps with any reviewers, quorum, condition and permissions."""
    return [
        {
            "reviewers": draw(st.lists(st.integers(0, _BOTH), min_size=1, max_size=3, unique=True)),
            "quorum": draw(st.sampled_from(list(Quorum))),
            "share_percent": draw(st.sampled_from([1, 34, 50, 67, 100])),
            "optional": draw(st.booleans()),
            "may_edit": draw(st.booleans()),
            "may_return_earlier": draw(st.sampled_from([True, True, False])),
            "may_transfer": draw(st.sampled_from([True, True, False])),
            "conditions": draw(st.sampled_from([(), (), (("amount", "GE", "1000000.00"),)])),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    flow=flows(),
    tried=st.lists(moves, min_size=5, max_size=30),
    amount=st.sampled_from(["31900.00", "2e6"]),
    target=st.sampled_from(["FIRST_STEP", "RETURNING_STEP"]),
)
def test_whatever_people_try(
    app: Flask,
    office: Office,
    everybody: list[Actor],
    flow: list[dict[str, Any]],
    tried: list[Move],
    amount: str,
    target: str,
) -> None:
    with anew(app):
        office.outcomes.calls.clear()
        resubmitted_to(target)
        publish_flow(*steps_of(flow, everybody))
        declaration = office.draft(amount=amount)
        _try_all(office, everybody, declaration, tried)


def resubmitted_to(target: str) -> None:
    """Where a resubmitted document goes from now on."""
    with unit_of_work(SYSTEM) as session:
        session.execute(
            update(RuleParameter).where(RuleParameter.key == RESUBMIT_TARGET).values(value=target)
        )


def steps_of(flow: list[dict[str, Any]], people: list[Actor]) -> list[FlowStep]:
    """The steps of a drawn flow, with these people in it."""
    return [
        step(
            f"s{number}",
            *(people[person] for person in one["reviewers"]),
            **{name: value for name, value in one.items() if name != "reviewers"},
        )
        for number, one in enumerate(flow, start=1)
    ]


@dataclass(frozen=True)
class State:
    """What may change only by what is done, and only in certain ways."""

    status: DocumentStatus
    entries: list[tuple[Any, ...]]
    """Of the log."""
    versions: dict[int, int]
    """Of the tasks."""

    @classmethod
    def of(cls, office: Office, declaration: int) -> State:
        versions = {task.id: task.version for task in _tasks(declaration)}
        return cls(office.status(declaration), _entries(declaration), versions)


def _try_all(office: Office, people: list[Actor], declaration: int, tried: list[Move]) -> None:
    state = State.of(office, declaration)
    for move in [SUBMIT, *tried]:
        before = state
        try:
            try_move(office, people, declaration, move)
        except DomainError as refused:
            note(f"{move.verb} by {move.actor}: refused, {refused.message} {refused.params}")
            state = _check(office, declaration, before)
            assert state == before, "what is refused changes nothing"
        else:
            state = _check(office, declaration, before)
            note(f"{move.verb} by {move.actor}: done, {state.status}")
    _it_can_end(office, people, declaration, state)


def try_move(office: Office, people: list[Actor], declaration: int, move: Move) -> None:
    actor, other = people[move.actor], people[move.other]
    if move.who == "own":
        actor = _who_may(office, people, declaration, move.verb) or actor
    match move.verb:
        case "submit":
            office.submit(declaration, actor)
        case "withdraw":
            version = office.document(declaration).version
            review.withdraw(actor, "declaration", declaration, version=version)
        case "urge":
            review.urge(actor, "declaration", declaration)
        case "terminate":
            review.terminate(actor, "declaration", declaration, "不再需要")
        case "amend":
            office.amend(actor, declaration, requested_amount=("31900.00", "2000000.00")[move.other % 2])
        case "appoint":
            review.appoint(people[move.actor % REVIEWERS], other.user_id or 0, *_days(move.task))
        case "revoke":
            _revoke(people)
        case "leave" | "come_back":
            with unit_of_work(SYSTEM) as session:
                session.get_one(AppUser, other.user_id).active = move.verb == "come_back"
        case _:
            _act(office, people, declaration, move, actor, other)


def _days(number: int) -> tuple[dt.date, dt.date]:
    """Mostly from today on, now and then only from tomorrow."""
    today = today_in_china(utcnow())
    return today + dt.timedelta(days=number % 5 == 0), today + dt.timedelta(days=1 + number % 3)


def _revoke(people: list[Actor]) -> None:
    found = current_session().scalars(select(AgentAppointment).order_by(AgentAppointment.id)).first()
    if found is not None:
        review.revoke(next(one for one in people if one.user_id == found.principal_id), found.id)


def _who_may(office: Office, people: list[Actor], declaration: int, verb: str) -> Actor | None:
    """Somebody who is likely to be allowed: else nearly every move would be refused."""
    if verb in ("submit", "withdraw", "urge"):
        return office.handler
    if verb in ("terminate", "reassign"):
        return people[-1 if verb == "terminate" else -2]
    if verb == "amend":
        open_users = office.open_users(declaration)
        return next((person for person in people if person.user_id in open_users), None)
    return None


def _agent_of(people: list[Actor], user_id: int) -> Actor | None:
    agent = current_session().scalar(
        select(AgentAppointment.agent_id).where(
            AgentAppointment.principal_id == user_id, AgentAppointment.revoked_at.is_(None)
        )
    )
    return next((person for person in people if person.user_id == agent), None)


def _act(
    office: Office, people: list[Actor], declaration: int, move: Move, actor: Actor, other: Actor
) -> None:
    tasks = _tasks(declaration)
    if not tasks:
        return
    open_tasks = [task for task in tasks if task.state is TaskState.OPEN]
    task = tasks[move.task % len(tasks)]
    if move.who != "anybody":
        task = (open_tasks or tasks)[move.task % len(open_tasks or tasks)]
    if move.verb != "reassign":
        if move.who == "own":
            actor = next((person for person in people if person.user_id == task.user_id), actor)
        if move.who == "agent":
            actor = _agent_of(people, task.user_id) or actor
    verb, to_step = (move.verb, None) if move.verb != "return_to" else ("return", f"s{1 + move.other % 4}")
    stale = move.verb == "stale"
    if stale:
        verb = "approve"
    try:
        _do(actor, task, verb, task.version - stale, to_step, other, move.position)
    except StaleVersion:
        assert stale
        raise
    assert not stale, "an old page does nothing"


def _do(
    actor: Actor, task: Task, verb: str, version: int, to_step: str | None, other: Actor, position: str
) -> None:
    review.act(
        actor,
        task.id,
        verb,
        version=version,
        opinion="意见",
        to_step=to_step,
        to_user=other.user_id,
        position=position,
    )


def _tasks(declaration: int) -> list[Task]:
    return list(
        current_session().scalars(
            select(Task)
            .join(FlowRun, FlowRun.id == Task.run_id)
            .where(FlowRun.document_id == declaration)
            .order_by(Task.id)
            .execution_options(populate_existing=True)
        )
    )


def _entries(declaration: int) -> list[tuple[Any, ...]]:
    columns = FlowLog.__table__.c
    rows = current_session().execute(
        select(*columns).where(columns.document_id == declaration).order_by(columns.id)
    )
    return [tuple(row) for row in rows]


def _check(office: Office, declaration: int, before: State) -> State:
    """The promises hold; the state now."""
    state = State.of(office, declaration)
    assert state.entries[: len(before.entries)] == before.entries, "the log only ever grows"
    assert all(state.versions[task] >= version for task, version in before.versions.items()), (
        "versions only grow"
    )
    log = office.log(declaration)
    if not log:
        assert state.status is DocumentStatus.DRAFT
        return state
    assert log[-1].status is state.status, "the last entry tells the document's state"
    run = office.run(declaration)
    assert _STATUS[run.state] is state.status
    assert (run.current_step_id is not None) == (run.state is RunState.RUNNING)
    assert run.amount == office.document(declaration).requested_amount, "the lists show the document as it is"
    tasks = _tasks(declaration)
    _check_pending(run, tasks)
    _check_separation_of_duty(log, tasks)
    _check_quorums(run, tasks)
    counted = Counter(office.outcomes.calls)
    assert all(counted[final] <= 1 for final in ("on_approved", "on_rejected", "on_terminated"))
    assert (counted["on_approved"] == 1) == (state.status is DocumentStatus.APPROVED)
    return state


def _check_pending(run: FlowRun, tasks: list[Task]) -> None:
    pending = [task for task in tasks if task.state in (TaskState.OPEN, TaskState.WAITING)]
    for task in pending:
        assert (task.run_id, task.step_id, task.round) == (run.id, run.current_step_id, run.round)
    if run.state is RunState.RUNNING:
        assert any(task.state is TaskState.OPEN for task in pending), "somebody can always go on"
    else:
        assert not pending, "a run that is not in review has nothing left to do"


def _check_separation_of_duty(log: list[FlowLog], tasks: list[Task]) -> None:
    submitters = {entry.user_id for entry in log if entry.verb in (Verb.SUBMIT, Verb.RESUBMIT)}
    reviews = [task for task in tasks if task.decision is not None and task.decision.is_review]
    assert not any(task.acted_by_id in submitters for task in reviews), "nobody reviews what he submitted"
    reviewers = {(entry.run_id, entry.user_id) for entry in log if entry.verb.is_by_reviewer}
    assert not any(user in submitters for _, user in reviewers), "nor has anything done with it as an agent"
    in_round = Counter((task.run_id, task.round, task.acted_by_id) for task in reviews)
    assert all(times == 1 for times in in_round.values()), "nobody acts twice in one round"
    standing = {(task.run_id, task.acted_by_id, task.step_id) for task in reviews if not task.superseded}
    people = Counter((run_id, person) for run_id, person, _ in standing)
    assert all(steps == 1 for steps in people.values()), "nobody's approvals stand at two steps"


def _check_quorums(run: FlowRun, tasks: list[Task]) -> None:
    """A step that was left has its approvals: where one was not enough, nobody's turn was passed over."""
    steps = {step.id: step for step in current_session().scalars(select(FlowStep))}
    left: dict[tuple[int, int], list[Task]] = {}
    for task in tasks:
        if task.run_id == run.id and not task.superseded and task.step_id != run.current_step_id:
            left.setdefault((task.step_id, task.round), []).append(task)
    for (step_id, _), there in left.items():
        approved = [task for task in there if task.decision is Verb.APPROVE]
        if not approved or run.state not in (RunState.RUNNING, RunState.APPROVED):
            continue
        own = [task for task in there if task.kind == "STEP" and task.decision is not Verb.TRANSFER]
        if steps[step_id].quorum in (Quorum.ALL, Quorum.SEQUENCE):
            kept = [task for task in own if task.state is not TaskState.CANCELLED]
            assert all(task.decision is Verb.APPROVE for task in kept)
        assert not any(task.state in (TaskState.OPEN, TaskState.WAITING) for task in there)


def _it_can_end(office: Office, people: list[Actor], declaration: int, state: State) -> None:
    """However tangled it is: the people who have it, and an administrator for those who cannot, bring it to
    an end; where the next step has nobody, that is said and it can still be terminated."""
    with unit_of_work(SYSTEM) as session:
        for person in people:
            session.get_one(AppUser, person.user_id).active = True
    newcomers: dict[int, Actor] = {}
    for _ in range(60):
        status = state.status
        if status in (DocumentStatus.APPROVED, DocumentStatus.REJECTED, DocumentStatus.TERMINATED):
            return
        try:
            if status is not DocumentStatus.IN_REVIEW:
                office.submit(declaration)
            else:
                _one_step_on(office, people, newcomers, declaration)
        except Conflict as refused:
            note(f"on the way to the end: {refused.message} {refused.params}")
            assert "step" in refused.params, "only a step without reviewers can be in the way"
            if status is DocumentStatus.DRAFT:
                return
            review.terminate(people[-1], "declaration", declaration, "无人可审")
        state = _check(office, declaration, state)
    raise AssertionError("it never ends")


def _one_step_on(office: Office, people: list[Actor], newcomers: dict[int, Actor], declaration: int) -> None:
    """Approve the first open task; where its holder may not, the administrator gives it to somebody new."""
    task = next(task for task in _tasks(declaration) if task.state is TaskState.OPEN)
    holder = next((person for person in people if person.user_id == task.user_id), None)
    try:
        review.act(holder or newcomers[task.user_id], task.id, "approve", version=task.version)
    except DomainError as refused:
        if "step" in refused.params:
            raise
        note(f"stuck with {task.user_id}: {refused.message}")
        fresh = office.person()
        assert fresh.user_id is not None
        newcomers[fresh.user_id] = fresh
        review.act(people[-2], task.id, "reassign", version=task.version, to_user=fresh.user_id)
