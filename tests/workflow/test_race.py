"""Twenty people at once, each with a connection of his own: exactly one effect. On PostgreSQL they wait for
row locks, on SQLite for the one writer's lock."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, DomainError, StaleVersion
from app.core.flow import TaskState
from app.extensions import db
from app.models.flow import AgentAppointment, FlowRun, FlowStep, Task
from app.models.user import AppUser
from app.services import review
from app.services.unit_of_work import current_session, unit_of_work
from tests.conftest import IsolatedClient, OwnDatabase
from tests.factories import make_actor, make_unit
from tests.security.conftest import Browser
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step

CROWD = 20


@pytest.fixture(scope="module")
def server(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose transactions are real and seen by other connections."""
    with own_database("race") as app:
        yield app


@pytest.fixture
def office(server: Flask) -> Iterator[Office]:
    with server.app_context(), declarations_for_tests() as outcomes:
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)
        db.session.remove()


@dataclass(frozen=True)
class Page:
    """A review page somebody has open: the task and its version, as read before the rush."""

    person: Actor
    task_id: int
    version: int

    def act(self, verb: str = "approve", **what: Any) -> review.Result:
        return review.act(self.person, self.task_id, verb, version=self.version, opinion="意见", **what)


def pages(office: Office, people: list[Actor], declaration: int) -> list[Page]:
    tasks = [office.task(person, declaration) for person in people]
    return [Page(person, task.id, task.version) for person, task in zip(people, tasks, strict=True)]


def at_once(server: Flask, deeds: list[Callable[[], object]]) -> list[DomainError | None]:
    """Do all of it at the same moment, each in a thread and session of its own; what was refused, and how."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> DomainError | None:
        with server.app_context():
            start.wait(timeout=30)
            try:
                deed()
            except DomainError as refused:
                return refused
            finally:
                db.session.remove()
            return None

    # The test itself must not go on looking at the past.
    current_session().rollback()
    with ThreadPoolExecutor(len(deeds)) as crowd:
        return list(crowd.map(do, deeds))


def test_twenty_clicks_on_one_task_have_one_effect(server: Flask, office: Office) -> None:
    first, second = office.people(2)
    publish_flow(step("first", first), step("second", second))
    declaration = office.submitted()
    (page,) = pages(office, [first], declaration)
    refused = at_once(server, [page.act] * CROWD)
    assert refused.count(None) == 1
    assert all(isinstance(error, Conflict | StaleVersion) for error in refused if error)
    assert office.verbs(declaration) == ["submit", "approve"]
    assert office.open_users(declaration) == {second.user_id}


def test_twenty_reviewers_of_a_step_for_any_one_move_it_once(server: Flask, office: Office) -> None:
    *crowd, last = office.people(CROWD + 1)
    publish_flow(step("first", *crowd), step("last", last))
    declaration = office.submitted()
    refused = at_once(server, [page.act for page in pages(office, crowd, declaration)])
    assert refused.count(None) == 1
    winner = crowd[refused.index(None)]
    assert all(error.params["who"] == winner.name for error in refused if error)
    assert office.verbs(declaration) == ["submit", "approve"]
    assert office.open_users(declaration) == {last.user_id}


def test_when_all_twenty_approve_at_once_the_last_one_moves_it(server: Flask, office: Office) -> None:
    crowd = office.people(CROWD)
    publish_flow(step("all", *crowd, quorum="ALL"))
    declaration = office.submitted()
    refused = at_once(server, [page.act for page in pages(office, crowd, declaration)])
    assert refused == [None] * CROWD
    assert office.status(declaration) is DocumentStatus.APPROVED
    assert office.outcomes.calls.count("on_approved") == 1


def test_approving_returning_and_withdrawing_at_once_one_of_them_wins(server: Flask, office: Office) -> None:
    crowd = office.people(6)
    publish_flow(step("first", *crowd))
    declaration = office.submitted()
    version = office.document(declaration).version
    verbs = ("approve", "return", "reject") * 2
    open_pages = pages(office, crowd, declaration)
    deeds: list[Callable[[], object]] = [
        partial(page.act, verb) for page, verb in zip(open_pages, verbs, strict=True)
    ]
    withdraw = partial(review.withdraw, office.handler, "declaration", declaration, version=version)
    refused = at_once(server, deeds + [withdraw] * 4)
    assert refused.count(None) == 1
    assert len(office.log(declaration)) == 2
    assert not office.open_users(declaration)


def test_submitted_twenty_times_at_once_it_has_one_run(server: Flask, office: Office) -> None:
    publish_flow(step("first", *office.people(1)))
    declaration = office.draft()
    refused = at_once(server, [partial(office.submit, declaration)] * CROWD)
    assert refused.count(None) == 1
    session = current_session()
    runs = session.scalars(select(FlowRun).where(FlowRun.document_id == declaration)).all()
    assert len(runs) == 1
    states = Counter(session.scalars(select(Task.state).where(Task.run_id == runs[0].id)))
    assert states == {TaskState.OPEN: 1}


_TASK_VERBS = (
    "approve",
    "return",
    "reject",
    "transfer",
    "delegate",
    "add_signer",
    "copy_to",
    "save_opinion",
    "reassign",
)


def test_twenty_people_do_different_things_with_one_task_and_one_thing_is_done(
    server: Flask, office: Office
) -> None:
    """The holder, nineteen agents of his day, and an administrator, all from pages opened before."""
    holder, *others = office.people(CROWD + 1)
    admin = office.person("sys_admin")
    publish_flow(step("first", holder), step("last", others[-1]))
    declaration = office.submitted()
    _name_agents(holder, others[: CROWD - 1])
    (page,) = pages(office, [holder], declaration)
    crowd = [holder, *others[: CROWD - 1]]
    deeds: list[Callable[[], object]] = []
    for number, person in enumerate(crowd):
        verb = _TASK_VERBS[number % len(_TASK_VERBS)]
        actor = admin if verb == "reassign" else person
        deeds.append(partial(Page(actor, page.task_id, page.version).act, verb, to_user=others[-2].user_id))
    before = office.task(holder, declaration).version
    refused = at_once(server, deeds)
    assert refused.count(None) == 1, [str(error) for error in refused]
    assert all(isinstance(error, Conflict | StaleVersion) for error in refused if error)
    assert office.task(holder, declaration).version > before
    done = _TASK_VERBS[refused.index(None) % len(_TASK_VERBS)]
    assert office.verbs(declaration) == (["submit"] if done == "save_opinion" else ["submit", done])
    assert_whole(office, declaration)


def test_twenty_reviewers_of_one_step_do_different_things_and_the_case_stays_whole(
    server: Flask, office: Office
) -> None:
    """Each with a task of his own at a step that needs all of them, while the unit withdraws and the leader
    terminates: whatever comes first, the history and the tasks agree."""
    crowd = office.people(CROWD)
    outside = office.person()
    leader = office.person("bureau_leader")
    publish_flow(step("all", *crowd, quorum="ALL"), step("last", leader))
    declaration = office.submitted()
    verbs = ("approve", "approve", "approve", "add_signer", "transfer", "copy_to", "return", "approve")
    deeds: list[Callable[[], object]] = [
        partial(page.act, verbs[number % len(verbs)], to_user=outside.user_id)
        for number, page in enumerate(pages(office, crowd, declaration)[: CROWD - 2])
    ]
    version = office.document(declaration).version
    deeds.append(partial(review.withdraw, office.handler, "declaration", declaration, version=version))
    deeds.append(partial(review.terminate, leader, "declaration", declaration, "不再需要"))
    refused = at_once(server, deeds)
    assert None in refused
    assert all(
        isinstance(error, DomainError) and error.status in (400, 403, 404, 409)
        for error in refused
        if error is not None
    )
    log = office.log(declaration)
    assert len(log) == 1 + refused.count(None)
    assert log[-1].status is office.status(declaration)
    assert_whole(office, declaration)


def test_two_who_name_each_other_at_once_make_no_ring(server: Flask, office: Office) -> None:
    people = office.people(3)
    today = dt.date.today() + dt.timedelta(days=30)
    with unit_of_work(SYSTEM) as session:
        for row in session.scalars(select(AgentAppointment)):
            session.delete(row)
    deeds: list[Callable[[], object]] = [
        partial(review.appoint, person, people[(number + 1) % 3].user_id or 0, today, today)
        for number, person in enumerate(people)
    ] * 3
    refused = at_once(server, deeds)
    assert refused.count(None) == 2
    assert all(isinstance(error, Conflict) for error in refused if error)


def test_twenty_identical_requests_have_one_effect(server: Flask, office: Office) -> None:
    first, second = office.people(2)
    publish_flow(step("first", first), step("second", second))
    declaration = office.submitted()
    (page,) = pages(office, [first], declaration)
    server.test_client_class = IsolatedClient
    browser = Browser(server.test_client())
    browser.log_in(current_session().get_one(AppUser, first.user_id).username)
    form = browser.get("/password/").text
    token = form.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    answers: list[int] = []

    def click() -> None:
        client = server.test_client()
        client.set_cookie("session", cookie.value)
        sent = {"csrf_token": token, "verb": "approve", "version": str(page.version), "opinion": "同意"}
        answer = client.post(
            f"/review/{page.task_id}/act",
            data=sent,
            environ_base=browser.peer,
        )
        answers.append(answer.status_code)

    assert at_once(server, [click] * CROWD) == [None] * CROWD
    assert Counter(answers) == {302: 1, 409: CROWD - 1}
    assert office.verbs(declaration) == ["submit", "approve"]
    assert office.open_users(declaration) == {second.user_id}


def _name_agents(principal: Actor, agents: list[Actor]) -> None:
    """Make all of them his agents today: more than the page would let him name."""
    today = dt.date.today()
    with unit_of_work(SYSTEM) as session:
        for agent in agents:
            session.add(
                AgentAppointment(
                    principal_id=principal.user_id,
                    agent_id=agent.user_id,
                    date_from=today - dt.timedelta(days=1),
                    date_to=today + dt.timedelta(days=1),
                )
            )


def assert_whole(office: Office, declaration: int) -> None:
    """Tasks are open at the run's step and nowhere else, and nobody reviewed twice."""
    run, session = office.run(declaration), current_session()
    tasks = session.scalars(select(Task).where(Task.run_id == run.id)).all()
    pending = [task for task in tasks if task.state in (TaskState.OPEN, TaskState.WAITING)]
    assert {task.step_id for task in pending} <= {run.current_step_id}
    assert bool(pending) == (run.current_step_id is not None)
    if run.current_step_id is not None:
        assert session.get(FlowStep, run.current_step_id) is not None
    acted = Counter(
        task.acted_by_id for task in tasks if task.decision is not None and task.decision.is_review
    )
    assert all(times == 1 for times in acted.values())
