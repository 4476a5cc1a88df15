"""A program of a unit, and those of the three reviewers of the data bureau."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import prison
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models.unit import Unit
from app.models.user import AppUser
from tests import samples
from tests.factories import make_unit, make_user, token_for

API = "/api/v1"


@dataclass
class Rest:
    """Somebody's program, logged in by a token."""

    client: FlaskClient
    user: AppUser
    token: str

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if json is not None:
            options["json"] = json
        return self.client.open(API + path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def ask(self, path: str, **question: Any) -> TestResponse:
        """A list, asked by Flask-AppBuilder's rison argument."""
        return self.get(f"{path}?q={quote(prison.dumps(question))}")

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json, **options)

    def put(self, path: str, json: Any = None) -> TestResponse:
        return self.call("PUT", path, json)

    def draft(self, raw: dict[str, Any] | None = None) -> dict[str, Any]:
        """A new draft of this program's unit."""
        answer = self.post("/declaration/", samples.maintenance() if raw is None else raw)
        assert answer.status_code == 201, answer.json
        return answer.json["result"]

    def upload(
        self,
        owner_id: int | str,
        category: str = "BASIS",
        name: str = "依据.pdf",
        content: bytes | None = None,
    ) -> TestResponse:
        data = {
            "owner_kind": "declaration",
            "owner_id": str(owner_id),
            "category": category,
            "file": (io.BytesIO(samples.pdf(name) if content is None else content), name),
        }
        return self.post("/attachment/", data=data, content_type="multipart/form-data")

    def submitted(self, raw: dict[str, Any] | None = None) -> dict[str, Any]:
        """A declaration that is in review."""
        draft = self.draft(raw)
        for category, name in samples.NEW_BUILD_FILES.items() if raw is not None else [("BASIS", "依据.pdf")]:
            assert self.upload(draft["id"], category, name).status_code == 201
        answer = self.post(f"/declaration/{draft['id']}/submit", {"version": draft["version"]})
        assert answer.status_code == 200, answer.json
        return answer.json["result"]


LogIn = Callable[..., Rest]


@pytest.fixture
def log_in(app: Flask, client: FlaskClient, session: Session) -> LogIn:
    """A program of a new person, with the token that logging in gives it."""

    def as_person(role: str, unit: Unit | None = None, **fields: Any) -> Rest:
        user = make_user(role, unit, **fields)
        return Rest(app.test_client(), user, token_for(app, user.username))

    return as_person


@pytest.fixture
def office(session: Session) -> Unit:
    return make_unit("开平市教育局(测试)")


@pytest.fixture
def handler(log_in: LogIn, office: Unit) -> Rest:
    return log_in("unit_handler", office, last_name="陈", first_name="晓琳")


@pytest.fixture
def stranger(log_in: LogIn) -> Rest:
    """A handler of another unit."""
    return log_in("unit_handler", make_unit("开平市水利局(测试)"))


@pytest.fixture
def bureau(log_in: LogIn, session: Session) -> list[Rest]:
    """First review, re-check, final review."""
    unit = make_unit("市政数局(测试)")
    return [log_in(role, unit) for role in ("bureau_reviewer", "bureau_checker", "bureau_leader")]
