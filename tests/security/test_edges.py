"""The edges of the site: cookies behind TLS, hosts and proxies, sizes, methods, what is not there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.extensions import db, talisman
from app.models.log import SystemLog
from app.models.unit import Unit
from app.models.user import AppUser
from config import Settings
from tests.conftest import IsolatedClient, build_app
from tests.databases import Templates
from tests.factories import make_unit, make_user
from tests.security.conftest import Browser
from tests.security.town import log_in, token_of

SAFE = {"base_url": "https://projects.example"}


@pytest.fixture(scope="module")
def site(app: Flask, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A site with its own database and one person, to be started with other settings."""
    folder = tmp_path_factory.mktemp("edges")
    site = build_app(templates.copy(app, "edges", folder), folder)
    with site.app_context():
        make_user("unit_handler", username="zhang")
        db.session.remove()
    return site


@contextmanager
def variant(site: Flask, **environment: str) -> Iterator[Flask]:
    """The same site started with other settings. Talisman keeps its settings for all applications."""
    kept = dict(vars(talisman))
    settings: Settings = site.config["SETTINGS"]
    try:
        yield build_app(settings.database_url, settings.data_dir, **environment)
    finally:
        vars(talisman).update(kept)


@pytest.fixture
def behind_tls(site: Flask) -> Iterator[Flask]:
    with variant(site, HTTPS="1") as app:
        yield app


class TestBehindTls:
    def test_cookies_belong_to_this_host_and_travel_encrypted(self, behind_tls: Flask) -> None:
        client = behind_tls.test_client()
        page = client.get("/login/", **SAFE)
        data = {"username": "zhang", "password": "Kaiping-2026-office", "csrf_token": token_of(page.text)}
        entered = client.post("/login/", data=data, headers={"Referer": SAFE["base_url"]}, **SAFE)
        assert entered.status_code == 302
        cookies = []
        for path in (
            "/",
            "/profile/",
            "/password/",
            "/message/list/",
            "/declaration/drafts/new",
            "/none",
        ):
            cookies += client.get(path, **SAFE).headers.getlist("Set-Cookie")
        cookies += page.headers.getlist("Set-Cookie") + entered.headers.getlist("Set-Cookie")
        assert cookies
        for cookie in cookies:
            name, *attributes = re.split(r";\s*", cookie)
            assert name.startswith("__Host-session="), cookie
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(attributes), cookie
            assert not [part for part in attributes if part.lower().startswith("domain")], cookie

    def test_browsers_are_told_to_stay_there(self, behind_tls: Flask) -> None:
        for path in ("/login/", "/static/css/app.css", "/nothing", "/api/v1/unit/"):
            answer = behind_tls.test_client().get(path, **SAFE)
            found = re.search(r"max-age=(\d+)", answer.headers["Strict-Transport-Security"])
            assert found is not None
            assert int(found[1]) >= 31_536_000
            answer.close()

    def test_an_open_line_leads_to_the_closed_one(self, behind_tls: Flask) -> None:
        answer = behind_tls.test_client().get("/login/", base_url="http://projects.example")
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("https://projects.example/")

    def test_a_form_from_another_site_is_refused_even_with_a_token(self, behind_tls: Flask) -> None:
        person = log_in(behind_tls, "zhang", headers={"Referer": SAFE["base_url"]}, **SAFE)
        data = {"csrf_token": person.token, "next": "/"}
        for referrer in ("https://evil.example/", "http://projects.example/", None):
            headers = {"Referer": referrer} if referrer else {}
            answer = person.client.post("/language/en", data=data, headers=headers, **SAFE)
            assert answer.status_code == 400, referrer


class TestProxies:
    FORWARDED = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Host": "evil.example"}

    def _failed_from(self, app: Flask, headers: dict[str, str]) -> str:
        client = app.test_client()
        peer = {"REMOTE_ADDR": "10.0.0.8"}
        page = client.get("/login/", environ_base=peer, headers=headers)
        data = {"username": "nobody-here", "password": "wrong", "csrf_token": token_of(page.text)}
        client.post("/login/", data=data, environ_base=peer, headers=headers)
        with app.app_context():
            statement = select(SystemLog.address).where(SystemLog.event == "LOGIN_FAILED")
            address = db.session.scalars(statement.order_by(SystemLog.id.desc())).first()
            db.session.remove()
        return str(address)

    def test_who_is_not_trusted_is_not_believed(self, site: Flask) -> None:
        site.test_client_class = IsolatedClient
        assert self._failed_from(site, self.FORWARDED) == "10.0.0.8"
        assert (
            self._failed_from(site, {"Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"})
            == "10.0.0.8"
        )
        redirect = site.test_client().get("/profile/", headers=self.FORWARDED)
        assert "evil" not in redirect.headers["Location"]

    def test_one_trusted_proxy_is_believed_about_its_own_peer_only(self, site: Flask) -> None:
        with variant(site, TRUSTED_PROXIES="1") as app:
            assert self._failed_from(app, self.FORWARDED) == "198.51.100.7"

    def test_other_hosts_are_refused(self, site: Flask) -> None:
        with variant(site, TRUSTED_HOSTS="projects.example,.kaiping.example") as app:
            for host, status in (
                ("projects.example", 200),
                ("xm.kaiping.example", 200),
                ("evil.example", 400),
                ("projects.example.evil.example", 400),
                ("projects.example@evil.example", 400),
            ):
                answer = app.test_client().get("/login/", headers={"Host": host})
                assert answer.status_code == status, host
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert f"//{host}" not in answer.text


class TestSizes:
    def test_a_body_over_the_limit_is_refused_unread(
        self, app: Flask, session: Session, browser: Browser
    ) -> None:
        browser.log_in(make_user().username)
        for path in ("/attachment/upload", "/language/en", "/profile/"):
            answer = browser.client.post(
                path,
                input_stream=io.BytesIO(b"x"),
                content_type="multipart/form-data; boundary=x",
                environ_overrides={"CONTENT_LENGTH": str(53 * 1024 * 1024)},
            )
            assert answer.status_code == 413, path

    def test_a_field_larger_than_any_text_is_refused(
        self, app: Flask, session: Session, browser: Browser
    ) -> None:
        browser.log_in(make_user().username)
        page = browser.get("/profile/")
        data = {"csrf_token": token_of(page.text), "position": "x" * 5_000_000}
        answer = browser.client.post("/profile/", data=data, content_type="multipart/form-data")
        assert answer.status_code == 413
        many = {"csrf_token": token_of(page.text), **{f"x{number}": "1" for number in range(9_000)}}
        answer = browser.client.post("/profile/", data=many, content_type="multipart/form-data")
        assert answer.status_code == 413


class TestNotThere:
    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "TRACK", "PROPFIND", "DELETE", "PATCH"])
    def test_no_method_that_is_not_needed(self, client: Any, method: str) -> None:
        for path in ("/login/", "/", "/static/css/app.css"):
            answer = client.open(path, method=method, headers={"X-Secret": "tell-me"})
            assert answer.status_code in (400, 405), (method, path)
            assert "tell-me" not in answer.text

    @pytest.mark.parametrize(
        "path",
        [
            "/.git/config",
            "/.env",
            "/config.py",
            "/console",
            "/var/app.db",
            "/static/",
            "/static/css/",
            "/static/../config.py",
            "/static/..%2f..%2fconfig.py",
            "/static/%2e%2e/%2e%2e/config.py",
            "/static/....//config.py",
            "/swagger/v1",
            "/swaggerview/v1",
            "/api/v1/_info",
            "/users/list/",
            "/userdbmodelview/list/",
            "/roles/list/",
            "/register/form",
            "/resetmypassword/form",
        ],
    )
    def test_nothing_lies_about(self, client: Any, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "SECRET" not in answer.text
        assert "__debugger__" not in answer.text

    def test_the_apis_description_is_for_the_logged_in(self, client: Any) -> None:
        assert client.get("/api/v1/_openapi").status_code == 401

    def test_nobody_is_told_what_runs_here(self, client: Any) -> None:
        for path in ("/login/", "/nothing", "/api/v1/unit/"):
            told = " ".join(f"{name}: {value}" for name, value in client.get(path).headers)
            assert not re.search(r"werkzeug|gunicorn|python|X-Powered-By", told, re.IGNORECASE)


class TestFieldsNobodyAskedFor:
    """Mass assignment on the forms of users and units; the declaration's have tests of their own."""

    def test_of_ones_profile(self, session: Session, browser: Browser) -> None:
        user, other = make_user("unit_handler"), make_unit()
        browser.log_in(user.username)
        before = (user.username, user.unit_id, user.password, user.active)
        page = browser.get("/profile/")
        names = re.findall(r'name="(first_name|last_name|position|email|mobile)"', page.text)
        data = {name: str(getattr(user, name) or "") for name in names}
        extra = {"username": "root", "unit_id": str(other.id), "password": "x", "roles": "1", "id": "1"}
        browser.post("/profile/", {**data, "position": "科员", **extra, "must_change_password": "1"})
        session.expire_all()
        row = session.get_one(AppUser, user.id)
        assert (row.username, row.unit_id, row.password, row.active) == before
        assert not row.must_change_password

    def test_of_a_unit(self, session: Session, browser: Browser) -> None:
        browser.log_in(make_user("sys_admin").username)
        unit, other = make_unit(), make_unit()
        before = (unit.path, unit.code, unit.active)
        data = {"name": unit.name, "short_name": "改名", "kind": unit.kind.value}
        extra = {"path": "/", "code": "X", "active": "", "id": str(other.id), "revision": "99"}
        browser.post(f"/unit/edit/{unit.id}", {**data, **extra})
        session.expire_all()
        row = session.get_one(Unit, unit.id)
        assert (row.path, row.code, row.active) == before
        assert session.get_one(Unit, other.id).short_name != "改名"

    def test_of_a_user(self, session: Session, browser: Browser) -> None:
        browser.log_in(make_user("sys_admin").username)
        user = make_user("unit_handler")
        before = (user.password, user.active, [role.name for role in user.roles])
        data = {
            "last_name": "梁",
            "first_name": "改名",
            "email": user.email,
            "unit_id": str(user.unit_id),
            "unit": str(user.unit_id),
            "roles": "1",
            "groups": "1",
            "password": "x",
            "active": "",
            "login_count": "7",
        }
        browser.post(f"/user/edit/{user.id}", data)
        session.expire_all()
        row = session.get_one(AppUser, user.id)
        session.refresh(row, ["roles"])
        assert (row.password, row.active, [role.name for role in row.roles]) == before


def test_what_is_not_there_is_said_once(session: Session, browser: Browser) -> None:
    browser.log_in(make_user("unit_handler").username)
    answer = browser.get("/no-such-page")
    assert answer.status_code == 404
    assert re.findall(r"<h1[^>]*>([^<]*)</h1>", answer.text) == ["未找到"]
    assert re.sub(r"<title>.*?</title>", "", answer.text).count("未找到") == 1
