"""Tokens for programs: the page's rules, without its cookies."""

from __future__ import annotations

import datetime as dt
import json

import jwt
import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from app.models.base import utcnow
from tests.factories import make_user
from tests.security.conftest import Browser, Program

PROBE = "/api/v1/security/logout"


def test_a_program_logs_in_and_out(session: Session, program: Program) -> None:
    make_user(username="liang")
    answer = program.log_in("liang", provider="db")
    assert answer.status_code == 200
    assert set(answer.json) == {"access_token"}
    assert "Set-Cookie" not in answer.headers or "_user_id" not in str(answer.headers["Set-Cookie"])
    token = answer.json["access_token"]
    assert program.call("POST", PROBE, token).status_code == 200
    assert program.call("POST", PROBE, token).status_code == 401, "log-out ends it on the server"


@pytest.mark.parametrize(
    "values",
    [
        {"username": "liang"},
        {"username": "", "password": "x"},
        {"username": ["liang"], "password": "x"},
        {"username": "liang", "password": {"$ne": ""}},
        {"username": "liang", "password": "x", "provider": "saml"},
        {"username": "liang", "password": "x", "provider": "ldap"},
        {"username": "liang", "password": "x", "provider": ["db"]},
        {"username": "liang\ud800", "password": "x"},
        {"username": "liang", "password": "\ud800"},
        {"username": "liang", "password": "x" * 1001},
    ],
)
def test_a_log_in_that_cannot_be_read_says_which_field(
    program: Program, session: Session, values: dict
) -> None:
    answer = program.client.post(
        "/api/v1/security/login", data=json.dumps(values), content_type="application/json"
    )
    assert answer.status_code == 400
    assert len(answer.json["errors"]) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"'])
def test_a_body_that_is_no_object_is_refused(program: Program, session: Session, body: bytes) -> None:
    answer = program.client.post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_a_refresh_token_only_refreshes(session: Session, program: Program) -> None:
    make_user(username="liang")
    tokens = program.log_in("liang", refresh=True).json
    refresh = tokens["refresh_token"]
    assert program.call("POST", PROBE, refresh).status_code == 401
    assert program.call("GET", "/profile/", refresh).status_code == 401
    fresh = program.call("POST", "/api/v1/security/refresh", refresh).json["access_token"]
    assert program.call("POST", "/api/v1/security/refresh", tokens["access_token"]).status_code == 401
    assert program.call("POST", PROBE, fresh).status_code == 200
    assert program.call("POST", "/api/v1/security/refresh", refresh).status_code == 401, "the session is over"


def test_a_forged_token_opens_nothing(app: Flask, session: Session, program: Program) -> None:
    make_user(username="liang")
    good = program.log_in("liang").json["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = [
        jwt.encode(claims, "another-secret-of-thirty-two-bytes!!", algorithm="HS256"),
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode({**claims, "sid": "x" * 43}, app.config["SECRET_KEY"], algorithm="HS256"),
        jwt.encode({**claims, "sid": None}, app.config["SECRET_KEY"], algorithm="HS256"),
        good[:-4] + "AAAA",
        "",
        "x",
    ]
    assert [program.call("POST", PROBE, token).status_code for token in forged] == [401] * len(forged)
    assert program.call("POST", PROBE, good).status_code == 200


def test_a_token_is_the_user_whatever_the_cookie_says(
    session: Session, browser: Browser, program: Program
) -> None:
    """Plain Flask-AppBuilder checks the token and then asks what the *cookie's* user may do."""
    make_user(username="liang")
    make_user(username="chen")
    token = program.log_in("chen").json["access_token"]
    browser.log_in("liang")
    page = browser.get("/profile/", headers={"Authorization": f"Bearer {token}"})
    assert "chen" in page.text and "liang" not in page.text
    broken = browser.get("/profile/", headers={"Authorization": "Bearer x"})
    assert broken.status_code == 302, "a broken token does not fall back to the cookie"


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("GET", "/api/v1/project/", True),
        ("POST", "/api/v1/project/", False),
        ("PUT", "/api/v1/project/1", False),
        ("DELETE", "/api/v1/project/1", False),
        ("POST", "/profile/", True),
    ],
)
def test_a_cookie_changes_nothing_through_the_api(
    app: Flask, session: Session, browser: Browser, method: str, path: str, known: bool
) -> None:
    """The API asks for no CSRF token, so it must not act on what a browser sends by itself."""
    make_user(username="liang")
    browser.log_in("liang")
    assert browser.client.post(PROBE).status_code == 401
    assert browser.is_in
    with browser.client.session_transaction() as cookie:
        key = cookie["_user_id"]
    with app.test_request_context(path, method=method):
        assert (app.appbuilder.sm.load_user(key) is not None) == known


def test_tokens_follow_the_limits_of_sessions(session: Session, program: Program) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        token = program.log_in("liang").json["access_token"]
        clock.move_to(start + dt.timedelta(minutes=31))
        assert program.call("POST", PROBE, token).status_code == 401
