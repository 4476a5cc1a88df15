"""Whatever a program sends, it is told what is wrong with it: never 500, and nothing is stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.declaration import Declaration
from tests import samples
from tests.api.conftest import Rest
from tests.conftest import Standing
from tests.factories import make_unit, make_user
from tests.keys import program_of


@pytest.fixture(scope="module")
def program(app: Flask, standing: Standing) -> Rest:
    """A unit's program, logged in once for all these tests."""
    with standing():
        return program_of(app, make_user("unit_handler", make_unit("开平市教育局(测试)")))


@pytest.fixture
def handler(program: Rest, session: Session) -> Rest:
    return program


BODY = "application/json"
BIG = 10 * 1024 * 1024
DEEP = 100_000

WRONG_VALUES: list[tuple[str, Any]] = [
    ("title", 3.5),
    ("title", ["甲"]),
    ("title", {"$ne": ""}),
    ("title", True),
    ("title", "长" * 201),
    ("budget_year", "next"),
    ("budget_year", 2026.5),
    ("budget_year", True),
    ("budget_year", 10**30),
    ("budget_year", -1),
    ("budget_year", [2027]),
    ("nature", "NOPE"),
    ("nature", {"code": "NEW"}),
    ("nature", ["NEW"]),
    ("declaration_type", "' OR 1=1 --"),
    ("service_category", "NOPE"),
    ("service_category", {"a": 1}),
    ("service_category", ["SPECIAL_SOFTWARE"] * 101),
    ("service_category", [["SPECIAL_SOFTWARE"]]),
    ("supervising_unit", 99999999),
    ("supervising_unit", 10**20),
    ("supervising_unit", {"id": 1}),
    ("predecessor", "1; DROP TABLE project"),
    ("is_secret", True),
    ("is_secret", "maybe"),
    ("is_secret", []),
    ("requested_amount", 31900.0),
    ("requested_amount", "31900.001"),
    ("requested_amount", "-1"),
    ("requested_amount", "1e9"),
    ("requested_amount", "NaN"),
    ("requested_amount", "Infinity"),
    ("requested_amount", 10**40),
    ("requested_amount", True),
    ("requested_amount", ["1"]),
    ("requested_amount", "９" * 100),
    ("begin_date", "2027-02-30"),
    ("begin_date", 20270101),
    ("begin_date", "yesterday"),
    ("begin_date", "0000-00-00"),
    ("begin_date", {"year": 2027}),
    ("lead_mobile", "123"),
    ("lead_mobile", "138000022101"),
    ("lead_mobile", 1.5),
    ("necessity", "字" * 20_001),
    ("necessity", {"text": "x"}),
    ("budget_lines", "x"),
    ("budget_lines", {"0": {}}),
    ("budget_lines", None),
    ("budget_lines", ["x"]),
    ("budget_lines", [[]]),
    ("budget_lines", [None]),
    ("budget_lines", [{}] * 201),
    ("budget_lines", [{"quantity": "1", "unit_price": 2000.5}]),
    ("budget_lines", [{"quantity": 1.5, "unit_price": "2"}]),
    ("budget_lines", [{"quantity": "99999999", "unit_price": "99999999999999.99"}]),
    ("budget_lines", [{"quantity": "2", "unit_price": "3.00", "amount": "7.00"}]),
    ("budget_lines", [{"quantity": "2", "unit_price": "3.00", "amount": {"a": 1}}]),
    ("budget_lines", [{"unit_price": "0.001"}]),
    ("budget_lines", [{"surprise": 1}]),
    ("funding_splits", [{"channel": "GENERAL_BUDGET", "amount": 0.1}]),
    ("funding_splits", [{"channel": ["GENERAL_BUDGET"], "amount": "1"}]),
    ("later_years", [{"year": "soon", "amount": "1"}]),
    ("schedule", [{"content": "x", "begin_date": "2027-03-01", "end_date": "2027-02-01"}]),
    ("indicators", [{"weight": "100.01"}]),
    ("indicators", [{"weight": "-5"}]),
]


@pytest.mark.parametrize(("name", "value"), WRONG_VALUES)
def test_a_wrong_value_is_named(session: Session, handler: Rest, name: str, value: Any) -> None:
    raw = samples.maintenance()
    raw["service_category"] = raw.pop("service_categories")
    answer = handler.post("/declaration/", {**raw, name: value})
    assert answer.status_code == 400, answer.json
    assert {path.partition(".")[0] for path in answer.json["errors"]} == {name}, answer.json
    assert all(text for texts in answer.json["errors"].values() for text in texts)
    assert session.scalar(select(func.count(Declaration.id))) == 0


@pytest.mark.parametrize(
    "title",
    ["甲\x00乙", "甲\u202e乙", "\ufeff甲乙", "甲\u200b乙"],
    ids=["NUL", "written backwards", "byte order mark", "zero width"],
)
def test_what_no_database_stores_is_taken_out(handler: Rest, title: str) -> None:
    body = json.dumps({"title": title}).encode()
    answer = handler.post("/declaration/", data=body, content_type=BODY)
    assert (answer.status_code, answer.json["result"]["title"]) == (201, "甲乙")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"31900", 400),
        (b"{", 400),
        (b'{"title": }', 400),
        (b"\xff\xfe\x00", 400),
        (b'{"title": "\xff"}', 400),
        (b"[" * DEEP, 400),
        (b'{"a":' * DEEP, 400),
        (b'{"requested_amount": ' + b"9" * 5000 + b"}", 400),
        (b'{"requested_amount": 1e999999}', 400),
        (b'{"requested_amount": NaN}', 400),
        (b'{"title": "' + b"x" * BIG + b'"}', 413),
        (b'{"' + b"x" * 100_000 + b'": 1}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b'{"\\udfff": 1}', 400),
    ],
    ids=range(18),
)
def test_a_body_that_cannot_be_taken(handler: Rest, body: bytes, status: int) -> None:
    answer = handler.post("/declaration/", data=body, content_type=BODY)
    assert answer.status_code == status
    assert answer.json["message"]
    assert len(answer.data) < 2000, "what was sent does not come back whole"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_kind_is_415(handler: Rest, content_type: str) -> None:
    answer = handler.post("/declaration/", data=b'{"title": "x"}', content_type=content_type)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "version", [None, "x", 1.5, True, 0, -1, 2**31, 10**30, [1], {"v": 1}, "1 OR 1=1", "\x00"]
)
def test_a_version_that_is_none(handler: Rest, version: Any) -> None:
    path = f"/declaration/{handler.draft()['id']}"
    put = handler.put(path, {"version": version, "title": "x"})
    moves = [handler.post(f"{path}/{verb}", {"version": version}) for verb in ("submit", "recycle", "purge")]
    assert [answer.status_code for answer in (put, *moves)] == [400] * 4
    assert all(list(answer.json["errors"]) == ["version"] for answer in (put, *moves))
    assert handler.put(path, {"title": "x"}).json["errors"]["version"]


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"version": "x"},
        {"version": 1, "opinion": {"a": 1}},
        {"version": 1, "opinion": "字" * 20_001},
        {"version": 1, "to_step": ["first_review"]},
        {"version": 1, "to_user": "x"},
        {"version": 1, "to_user": list(range(1, 200))},
        {"version": 1, "to_user": 10**20},
        {"version": 1, "attachments": [{"id": 1}]},
        {"version": 1, "attachments": [99999]},
        {"version": 1, "decision": "approve"},
        {"version": 1, "user_id": 1},
    ],
)
def test_a_wish_that_cannot_be_read(handler: Rest, bureau: list[Rest], wish: dict[str, Any]) -> None:
    handler.submitted()
    (task,) = bureau[0].get("/task/").json["result"]
    if wish.get("version") == 1:
        wish = {**wish, "version": task["version"]}
    answer = bureau[0].post(f"/task/{task['id']}/approve", wish)
    assert answer.status_code == 400, answer.json
    assert answer.json["errors"]
    assert bureau[0].get("/task/").json["count"] == 1, "nothing was decided"


@pytest.mark.parametrize(
    "path",
    [
        "/declaration/99999999999999999999",
        "/declaration/2147483648",
        "/declaration/0",
        "/declaration/-1",
        "/declaration/abc",
        "/declaration/1.5",
        "/project/99999999999999999999",
        "/task/99999999999999999999",
        "/unit/99999999999999999999",
        "/attachment/99999999999999999999",
        "/attachment/99999999999999999999/content",
        "/dictionary/nope",
        "/dictionary/%00",
        "/dictionary/%ED%A0%80",
        "/nothing/",
    ],
)
def test_an_address_of_nothing_is_404(handler: Rest, path: str) -> None:
    answer = handler.get(path)
    assert answer.status_code == 404
    assert answer.json["message"]


def test_a_method_that_is_not_there_is_405(handler: Rest) -> None:
    assert handler.put("/declaration/", {}).status_code == 405
    assert handler.post("/unit/", {"name": "x"}).status_code == 405
    assert handler.put("/project/1", {"approved_amount": "1.00"}).status_code == 405
    assert handler.call("PATCH", "/declaration/1", {}).status_code == 405


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "x" * 999, "' OR ''='", "*)(uid=*"])
@pytest.mark.parametrize("name", ["username", "password"])
def test_a_log_in_of_junk_is_only_wrong(client: FlaskClient, session: Session, name: str, text: str) -> None:
    body = json.dumps({"username": "liang", "password": "x", name: text}).encode()
    answer = client.post("/api/v1/security/login", data=body, content_type=BODY)
    assert answer.status_code in (400, 401)
