"""Twenty people at once, each with a connection of his own: exactly one effect. On PostgreSQL they wait for
row locks, on SQLite for the one writer's lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, DomainError, StaleVersion
from app.core.flow import TaskState
from app.extensions import db
from app.models.flow import FlowRun, Task
from app.services import review
from app.services.unit_of_work import current_session
from tests.conftest import build_app, fresh_database
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step

CROWD = 20


@pytest.fixture(scope="module")
def server(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An application whose transactions are real and seen by other connections."""
    folder: Path = tmp_path_factory.mktemp("race")
    yield build_app(fresh_database(worker, "race", folder), folder)


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

    def act(self, verb: str = "approve") -> review.Result:
        return review.act(self.person, self.task_id, verb, version=self.version, opinion="意见")


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
