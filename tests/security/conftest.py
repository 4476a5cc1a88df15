"""A browser and a program as the tests of the ways in need them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.extensions import db
from app.models.log import SystemLog
from tests.conftest import PASSWORD
from tests.factories import ADDRESS, let_in

WRONG = "Not-the-password-1"


class Browser:
    """Pages and forms, with the CSRF token taken from the page as a browser does."""

    def __init__(self, client: FlaskClient, address: str = ADDRESS) -> None:
        self.client = client
        self.peer = {"REMOTE_ADDR": address}

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, environ_base=self.peer, **options)

    def post(
        self, path: str, data: dict[str, str] | None = None, *, form_on: str = "", **options: Any
    ) -> TestResponse:
        """Send a form that stands on the page `form_on` (the same path when not given)."""
        page = self.get(form_on or path)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert found, f"{form_on or path} answered {page.status} without a form"
        return self.client.post(
            path, data={"csrf_token": found[1], **(data or {})}, environ_base=self.peer, **options
        )

    def log_in(
        self, username: str, password: str = PASSWORD, path: str = "/login/", **fields: str
    ) -> TestResponse:
        return self.post(path, {"username": username, "password": password, **fields})

    def enter(self, username: str) -> None:
        """Be logged in, without the log-in's own pages."""
        let_in(self.client, username)

    def log_out(self) -> TestResponse:
        return self.post("/logout/", form_on="/password/")

    @property
    def cookie(self) -> str:
        cookie = self.client.get_cookie("session")
        assert cookie is not None
        return cookie.value

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.client.set_cookie("session", value)

    @property
    def is_in(self) -> bool:
        return self.get("/password/").status_code == 200


class Program:
    """A client of the API."""

    def __init__(self, client: FlaskClient, address: str = ADDRESS) -> None:
        self.client = client
        self.peer = {"REMOTE_ADDR": address}

    def log_in(self, username: str, password: str = PASSWORD, **values: Any) -> TestResponse:
        return self.client.post(
            "/api/v1/security/login",
            json={"username": username, "password": password, **values},
            environ_base=self.peer,
        )

    def call(self, method: str, path: str, token: str) -> TestResponse:
        return self.client.open(
            path,
            method=method,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            environ_base=self.peer,
        )


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def another_browser(app: Flask, client: FlaskClient) -> Browser:
    return Browser(app.test_client(), address="10.9.9.9")


@pytest.fixture
def program(app: Flask, client: FlaskClient) -> Program:
    return Program(app.test_client())


def events(session: Session, *names: str) -> list[SystemLog]:
    """The log's lines of these kinds, oldest first."""
    session.expire_all()
    return list(session.scalars(select(SystemLog).where(SystemLog.event.in_(names)).order_by(SystemLog.id)))


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements sent meanwhile."""
    seen: list[str] = []
    bind = db.session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(bind, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(bind, "before_cursor_execute", note)
