"""Databases for tests: made once per run, copied for each test or page of tests that needs one of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import create_engine, text, update
from werkzeug.security import generate_password_hash

from app.extensions import db
from app.gateways.storage import make_storage
from app.models.user import AppUser
from app.services import alert, attachment
from app.services.demo import load_demo
from app.services.seed import seed
from app.services.unit_of_work import current_session
from app.tasks.runtime import clock_of

PASSWORD = "Kaiping-2026-office"
QUICK_HASH = generate_password_hash(PASSWORD, method="scrypt:1024:8:1")
"""One cheap hash for everybody in the tests: hashing is tested on its own, and dear on purpose."""
DEMO = 40
"""Projects of the usual demo; who asks for the same number shares the making of it."""

FILES = "files"
SQLITE = "sqlite:///"


def on_server() -> bool:
    """Does this run use PostgreSQL?"""
    return bool(os.environ.get("TEST_POSTGRES_URL"))


def address_of(name: str, folder: Path) -> str:
    """Where a database of that name is, or will be."""
    if on_server():
        return f"{os.environ['TEST_POSTGRES_URL'].rsplit('/', 1)[0]}/govproject_{name}"
    return f"sqlite:///{folder / name}.db"


def fresh_database(name: str, folder: Path, template: str = "") -> str:
    """A new database, empty or a copy of another one to which nobody is connected; returns its address."""
    address = address_of(name, folder)
    if not on_server():
        if template:
            shutil.copyfile(template.removeprefix(SQLITE), address.removeprefix(SQLITE))
        return address
    database = address.rsplit("/", 1)[-1]
    source = template.rsplit("/", 1)[-1] if template else "template1"
    engine = create_engine(os.environ["TEST_POSTGRES_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{database}" TEMPLATE "{source}"'))
        # Nobody pulls the plug here; what commits mean to each other stays the same.
        connection.execute(text(f'ALTER DATABASE "{database}" SET synchronous_commit = off'))
    engine.dispose()
    return address


_COMPILED: dict[Any, Any] = {}
"""Statements compiled once for all databases of this process; they are all of one kind."""


@contextmanager
def working_on(app: Flask, url: str, files: Path) -> Iterator[Flask]:
    """The application on another database and another store of files for a while."""
    with app.app_context():
        engines: dict[Any, Any] = db.engines
    usual = engines[None]
    engines[None] = create_engine(
        url, execution_options={"compiled_cache": _COMPILED}, **app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    )
    attachment.bind(make_storage(f"file://{files}"))
    try:
        yield app
    finally:
        with app.app_context():
            db.session.remove()
        engines[None].dispose()
        engines[None] = usual
        attachment.bind(make_storage(app.config["SETTINGS"].storage_url))


class Templates:
    """What copies are made of, kept in a folder that all processes of one run share."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder = folder
        self.worker = worker

    def copy(self, app: Flask, purpose: str, folder: Path, projects: int = 0) -> str:
        """A database with tables, reference data and as many demo projects; its files come into `folder`."""
        address = self._address(app, projects)
        if projects:
            shutil.copytree(self._files(projects), folder / FILES, dirs_exist_ok=True)
        return fresh_database(f"{purpose}_{self.worker}", folder, address)

    def _files(self, projects: int) -> Path:
        return self.folder / f"files_{projects}"

    def _address(self, app: Flask, projects: int) -> str:
        """The template's address; whoever asks first makes it, everybody else waits for it."""
        name = f"template_{projects}"
        made = self.folder / f"{name}.made"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                source = self._address(app, 0) if projects else ""
                address = fresh_database(name, self.folder, source)
                self._files(projects).mkdir(exist_ok=True)
                with working_on(app, address, self._files(projects)), app.app_context():
                    self._fill(app, projects)
                _close_log(address)
                made.write_text(address)
        return made.read_text()

    def _fill(self, app: Flask, projects: int) -> None:
        if projects:
            load_demo(PASSWORD, projects=projects)
            current_session().execute(update(AppUser).values(password=QUICK_HASH))
            current_session().commit()
            alert.scan_reviews()
            clock_of(app).deliver_outbox()
        else:
            upgrade()
            seed()


def _close_log(address: str) -> None:
    """SQLite keeps what was written last beside the file; copies are made of the file alone."""
    if address.startswith("sqlite"):
        engine = create_engine(address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
