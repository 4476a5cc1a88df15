"""One application per test process; what a test does is taken back. SQLite, or PostgreSQL when told."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from app import create_app
from app.extensions import db
from app.services import message
from app.services.unit_of_work import current_session
from app.tasks.runtime import clock_of
from config import Settings
from tests.databases import FILES, PASSWORD, Templates, address_of, working_on

__all__ = ["PASSWORD", "IsolatedClient", "build_app"]

OwnDatabase = Callable[..., AbstractContextManager[Flask]]
"""What the fixture `own_database` gives."""

Standing = Callable[[], AbstractContextManager[Session]]
"""What the fixture `standing` gives."""


BROWSER = "tests/browser"

HEAVY = (
    BROWSER,
    "tests/access/test_routes.py",
    "tests/api/test_policy.py",
    "tests/security/test_surface.py",
    "tests/journeys/test_killed.py",
    "tests/tasks",
)
"""Pages of tests that take longest; a page stays in one process, so they come first and the short ones fill
the gaps at the end."""

WITHOUT_DATABASE = (
    "tests/core",
    "tests/charts",
    "tests/gateways",
    "tests/rules/test_translations.py",
    "tests/tasks/test_serving.py",  # the embedded default, which is SQLite
    "tests/test_config.py",
    "tests/views/test_skin.py",
    "tests/views/test_skin_pages.py",
)
"""What has nothing to ask the run's database: once is enough, whichever databases the suite runs on."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long pages first; mark what needs no second run on another database."""
    here = Path(__file__).parent.parent

    def weight(item: pytest.Item) -> int:
        place = item.path.relative_to(here).as_posix()
        return next((number for number, start in enumerate(HEAVY) if place.startswith(start)), len(HEAVY))

    items.sort(key=weight)
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(WITHOUT_DATABASE):
            item.add_marker(pytest.mark.any_database)


class Desks(LoadFileScheduling):
    """A page of tests stays in one process, and all browser tests in the same one: a browser at work keeps
    more than one core busy and now and then waits, so it runs best beside a process that does neither."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Desks:
    """Who gets which tests when they are spread over processes."""
    return Desks(config, log)


def build_app(url: str, folder: Path, **environment: str) -> Flask:
    """The application with settings of its own, on a database that is ready. What it does wakes no worker."""
    app = create_app(
        Settings.from_environment(
            {
                "APP_PROFILE": "testing",
                "DATABASE_URL": url,
                "DATA_DIR": str(folder),
                "HUEY_URL": "memory://",
                **environment,
            }
        )
    )
    app.config["TESTING"] = True
    app.test_client_class = IsolatedClient
    message.wake_up.bind(None)
    return app


@pytest.fixture(scope="session")
def worker() -> str:
    """The name of this xdist process."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, worker: str, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """Databases to copy, shared by all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return Templates(base.parent if hasattr(request.config, "workerinput") else base, worker)


@pytest.fixture(scope="session")
def app(worker: str, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application shared by all tests of a process."""
    folder = tmp_path_factory.mktemp("data")
    app = build_app(address_of(f"suite_{worker}", folder), folder)
    templates.copy(app, "suite", folder)
    return app


@pytest.fixture
def delivering(app: Flask) -> Iterator[None]:
    """Messages reach people at once, as with an idle worker; otherwise they wait in the outbox."""
    former = message.wake_up.bind(clock_of(app).wake)
    yield
    message.wake_up.bind(former)


@pytest.fixture(scope="session")
def own_database(app: Flask, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> OwnDatabase:
    """`with own_database("race") as app`: the application on a database that is really committed to, with
    `projects=…` of the demo when asked. No test may use `session` or `client` meanwhile."""

    @contextmanager
    def enter(purpose: str, projects: int = 0) -> Iterator[Flask]:
        folder = tmp_path_factory.mktemp(purpose)
        address = templates.copy(app, purpose, folder, projects)
        with working_on(app, address, folder / FILES):
            yield app

    return enter


@contextmanager
def taken_back(app: Flask) -> Iterator[None]:
    """Whatever is committed inside is taken back at the end: by a transaction around it, or by a savepoint
    where one of these is around already. Nothing that was read before or inside may be kept by a session."""
    with app.app_context():
        engines: dict[Any, Any] = db.engines
    usual = engines[None]
    db.session.session_factory.kw["join_transaction_mode"] = "create_savepoint"
    if isinstance(usual, Connection):
        savepoint = usual.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()
        return
    with usual.connect() as connection, connection.begin() as transaction:
        engines[None] = connection
        try:
            yield
        finally:
            engines[None] = usual
            transaction.rollback()


@contextmanager
def anew(app: Flask) -> Iterator[None]:
    """One of many goes at the same in one test: nothing of it is left to the next."""
    db.session.remove()
    with taken_back(app):
        try:
            yield
        finally:
            db.session.remove()


@contextmanager
def _made(app: Flask) -> Iterator[Session]:
    with app.app_context():
        session = current_session()
        yield session
        # What requests committed meanwhile is inside of what this session has only read.
        session.commit()


@pytest.fixture(scope="module")
def standing(app: Flask) -> Iterator[Standing]:
    """What all tests of a page begin with is made once, by fixtures of the page that work
    `with standing() as session`. Each test finds it as it was made, whatever the others did to it.

    What such fixtures give is for reading; a row to be changed is taken from the test's own session. Every
    test of the page that looks at the database asks for them, so that it finds the same in any order."""
    with taken_back(app):
        yield partial(_made, app)


@pytest.fixture(scope="class")
def standing_here(app: Flask, standing: Standing) -> Iterator[Standing]:
    """The same for the tests of one class, besides what their page holds."""
    with taken_back(app):
        yield partial(_made, app)


@pytest.fixture
def rollback(app: Flask) -> Iterator[None]:
    """Everything a test commits is taken back after it."""
    with taken_back(app):
        yield


@pytest.fixture
def session(app: Flask, rollback: None) -> Iterator[Session]:
    """A session for tests of services; units of work join its transaction."""
    with app.app_context():
        yield current_session()
        db.session.remove()


class IsolatedClient(FlaskClient):
    """Each request in a context of its own, as on a server, even while a test holds a session open."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def client(app: Flask, rollback: None) -> FlaskClient:
    """A browser's worth of requests, rolled back afterwards. CSRF stays on: take the token from a page."""
    return app.test_client()
