"""What is written down, what is shown when something breaks, and what the source itself must not hold."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.services import declaration, log
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.conftest import PASSWORD
from tests.factories import actor_of, make_unit, make_user
from tests.security.conftest import ADDRESS, WRONG, Browser, Program, events
from tests.sql import count_statements

ROOT = Path(__file__).parents[2]


class TestLog:
    def test_who_came_in_and_who_did_not(self, session: Session, browser: Browser) -> None:
        user = make_user()
        browser.log_in(user.username, WRONG)
        browser.log_in(user.username)
        failed, entered = events(session, "LOGIN_FAILED", "LOGIN_OK")
        assert (failed.event, entered.event) == ("LOGIN_FAILED", "LOGIN_OK")
        for line in (failed, entered):
            assert (line.username, line.address) == (user.username, ADDRESS)
            assert line.at.utcoffset() == dt.timedelta(0)
            assert PASSWORD not in line.summary
            assert WRONG not in line.summary

    def test_who_tried_what_he_may_not(self, session: Session, browser: Browser) -> None:
        user = make_user("unit_handler")
        browser.log_in(user.username)
        assert browser.get("/user/list/").status_code == 403
        assert browser.post("/unit/remove/1", form_on="/password/").status_code == 403
        read, removal = events(session, "AUTHZ_DENIED")
        assert (read.user_id, read.username, read.address) == (user.id, user.username, ADDRESS)
        assert read.summary == "GET /user/list/"
        assert removal.summary == "POST /unit/remove/1"

    def test_a_program_too(self, session: Session, program: Program) -> None:
        user = make_user("bureau_reviewer")
        token = program.log_in(user.username).json["access_token"]
        assert program.call("GET", "/api/v1/declaration/export", token).status_code in (200, 403)
        refused = program.client.post(
            "/api/v1/declaration/", json={}, headers={"Authorization": f"Bearer {token}"}
        )
        assert refused.status_code == 403
        line = events(session, "AUTHZ_DENIED")[-1]
        assert (line.user_id, line.summary) == (user.id, "POST /api/v1/declaration/")
        assert token not in line.summary

    def test_who_is_not_logged_in_fills_no_log(self, session: Session, browser: Browser) -> None:
        for path in ("/user/list/", "/api/v1/unit/", "/nothing"):
            browser.get(path)
        assert events(session, "AUTHZ_DENIED") == []

    def test_what_was_taken_along(self, session: Session, browser: Browser) -> None:
        user = make_user("sys_admin")
        browser.log_in(user.username)
        assert browser.get("/unit/export?q=教育").status_code == 200
        (line,) = events(session, "EXPORT")
        assert (line.user_id, line.noun, line.address) == (user.id, "unit", ADDRESS)

    def test_who_gave_whom_which_role(self, session: Session, browser: Browser) -> None:
        user, giver = make_user("unit_handler"), make_user("sec_admin")
        browser.log_in(giver.username)
        leader = session.scalars(select(Role).where(Role.name == "unit_leader")).one()
        page = browser.get(f"/user/roles/{user.id}").text
        value = "unit_leader" if 'value="unit_leader"' in page else str(leader.id)
        browser.post(f"/user/roles/{user.id}", {"roles": value, "role": value})
        (line,) = events(session, "PERMISSION_CHANGED")
        assert (line.user_id, line.noun, line.row_id) == (giver.id, "user", user.id)
        assert line.summary == "unit_handler -> unit_leader"

    def test_one_event_is_one_line(self, session: Session) -> None:
        with unit_of_work(SYSTEM) as work:
            log.record(work, SYSTEM, "EXPORT", summary="一\r\n2026-11-22 LOGIN_OK admin\u2028二" + "长" * 900)
        (line,) = events(session, "EXPORT")
        assert len(line.summary) <= 500
        assert len(line.summary.splitlines()) == 1

    @pytest.mark.parametrize("table", ["system_log", "field_change", "flow_log"])
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET user_id = NULL", "TRUNCATE {}"])
    def test_the_database_itself_lets_nobody_rewrite_it(
        self, session: Session, table: str, statement: str
    ) -> None:
        if statement.startswith("TRUNCATE") and session.get_bind().dialect.name == "sqlite":
            pytest.skip("SQLite has no TRUNCATE")
        unit = make_unit()
        make_user("unit_leader", unit)
        handler = actor_of(make_user("unit_handler", unit))
        draft = declaration.create(handler, samples.maintenance())
        declaration.submit(handler, draft.id, draft.version)
        count = text(f"SELECT count(*) FROM {table}")
        if table == "field_change":
            with unit_of_work(SYSTEM) as work:
                difference = log.Difference("title", "甲", "乙")
                log.record_changes(work, SYSTEM, "declaration", draft.id, 2, [difference])
        before = session.scalar(count)
        assert before
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.execute(text(statement.format(table)))
        assert session.scalar(count) == before


class TestFailures:
    SECRET = "the-password-of-the-database"

    @pytest.fixture
    def broken(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """The profile's page fails; the list tells how many statements had been sent by then."""
        sent_before: list[int] = []
        with count_statements() as sent:

            def fail(*_: object, **__: object) -> str:
                sent_before.append(len(sent))
                raise RuntimeError(f"cannot reach postgresql://office:{self.SECRET}@db/x")

            monkeypatch.setitem(app.view_functions, "ProfileView.index", fail)
            yield sent_before
            sent_before.append(len(sent))

    def test_the_page_tells_a_number_and_nothing_else(
        self, session: Session, browser: Browser, broken: list[int], caplog: pytest.LogCaptureFixture
    ) -> None:
        browser.log_in(make_user().username)
        with count_statements() as sent:
            answer = browser.get("/profile/")
            after = len(sent)
        assert answer.status_code == 500
        number = answer.headers["X-Request-ID"]
        assert number in answer.text
        assert any(number in record.getMessage() for record in caplog.records), "it can be found in the log"
        for word in (self.SECRET, "RuntimeError", "Traceback", ".py"):
            assert word not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert "object-src 'none'" in answer.headers["Content-Security-Policy"]
        with count_statements() as usual:
            browser.get("/nothing-here")
        assert after <= len(usual), "it asks the database for nothing but who is there"

    def test_a_program_is_told_no_more(self, session: Session, browser: Browser, broken: list[int]) -> None:
        browser.log_in(make_user().username)
        answer = browser.get("/profile/", headers={"Accept": "application/json"})
        assert answer.status_code == 500
        assert set(answer.json) == {"message"}
        assert self.SECRET not in answer.text

    def test_nothing_is_open_while_nobody_can_be_recognised(
        self, app: Flask, session: Session, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser.log_in(make_user("sys_admin").username)

        def lost(*_: object) -> None:
            raise ConnectionError(self.SECRET)

        monkeypatch.setattr("app.services.session.resolve", lost)
        for path in ("/", "/user/list/", "/declaration/list/", "/api/v1/unit/"):
            answer = browser.get(path)
            assert answer.status_code == 500, path
            assert self.SECRET not in answer.text


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in names.splitlines() if (path := ROOT / name).is_file()]


class TestSource:
    def test_the_security_rules_are_part_of_the_checks(self) -> None:
        chosen = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
        assert "S" in chosen["select"]
        assert not [rule for rule in chosen["ignore"] if rule.startswith("S")]
        assert "ruff check" in (ROOT / "scripts" / "check").read_text(encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "ruff",
            "check",
            "--quiet",
            "--select",
            "S",
            "app",
            "config.py",
            "run.py",
        ]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout

    def test_what_is_switched_off_says_why(self) -> None:
        for path in (ROOT / "app").rglob("*.py"):
            for line in path.read_text(encoding="utf-8").splitlines():
                if re.search(r"#\s*noqa", line):
                    assert re.search(r"#\s*noqa: [A-Z]+\d+,? \s*\S{3,}", line), f"{path.name}: {line.strip()}"

    def test_what_must_not_be_guessed_is_not_drawn_by_lot(self) -> None:
        drawn = re.compile(r"^\s*(import random|from random import)", re.MULTILINE)
        users = [
            path for path in (ROOT / "app").rglob("*.py") if drawn.search(path.read_text(encoding="utf-8"))
        ]
        assert {path.parent.name for path in users} <= {"demo"}

    def test_nothing_is_run_or_unpacked_that_came_from_outside(self) -> None:
        never = re.compile(
            r"\b(eval|exec)\(|os\.system|shell=True|pickle\.loads?|yaml\.load\(|render_template_string"
        )
        for path in (ROOT / "app").rglob("*.py"):
            assert not never.search(path.read_text(encoding="utf-8")), path

    def test_no_secret_is_kept_in_the_repository(self) -> None:
        secret = re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}"
            r"|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|xox[bap]-[0-9A-Za-z-]{20}"
            r"|(?i:secret_key|client_secret|bind_password)\s*[=:]\s*[\"'][A-Za-z0-9+/_=-]{24,}[\"']"
            r"|eyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\."
            r"|scrypt:\d+:\d+:\d+\$\S{16,}"
        )
        found = []
        for path in tracked():
            if path.name.startswith(".env") or path.suffix in {".pem", ".key", ".p12", ".db", ".sqlite3"}:
                found.append(str(path))
            if path.stat().st_size < 2_000_000:
                content = path.read_bytes().decode("utf-8", errors="ignore")
                found += [f"{path}: {match[0][:30]}" for match in secret.finditer(content)]
        assert [line for line in found if "test_config.py" not in line] == []
