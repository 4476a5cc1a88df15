"""One application per test process, one rolled-back transaction per test; SQLite, or PostgreSQL when told."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app import create_app
from app.extensions import db, metadata
from app.services.seed import seed
from app.services.unit_of_work import current_session
from config import Settings

PASSWORD = "Kaiping-2026-office"


def _postgres_database(name: str) -> str:
    """Create an empty database beside the one TEST_POSTGRES_URL names; returns its address."""
    base = os.environ["TEST_POSTGRES_URL"]
    engine = create_engine(base, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return base.rsplit("/", 1)[0] + f"/{name}"


def fresh_database(worker: str, purpose: str, folder: Path) -> str:
    """The address of a new empty database for this process."""
    if os.environ.get("TEST_POSTGRES_URL"):
        return _postgres_database(f"govproject_{purpose}_{worker}")
    return f"sqlite:///{folder / purpose}.db"


def build_app(url: str, folder: Path, **environment: str) -> Flask:
    """The application on a database of its own, with tables and reference data."""
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
    with app.app_context():
        metadata.create_all(db.engine)
        seed()
    return app


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this xdist process."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def app(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application shared by all tests of a process."""
    folder = tmp_path_factory.mktemp("data")
    return build_app(fresh_database(worker, "suite", folder), folder)


@pytest.fixture
def rollback(app: Flask) -> Iterator[None]:
    """Everything a test commits goes into one outer transaction that is rolled back after it."""
    with app.app_context():
        engines: dict[Any, Any] = db.engines
        engine = engines[None]
    connection = engine.connect()
    transaction = connection.begin()
    engines[None] = connection
    db.session.session_factory.kw["join_transaction_mode"] = "create_savepoint"
    try:
        yield
    finally:
        engines[None] = engine
        transaction.rollback()
        connection.close()


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
    app.test_client_class = IsolatedClient
    return app.test_client()
