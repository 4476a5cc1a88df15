"""Sign-on by LDAP and by Yuezhengyi, against a directory and a provider of our own (SEC-06, 38, 39)."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.gateways import signon
from app.gateways.signon import Providers, SignOnUnavailable
from app.gateways.signon.ldap import LdapDirectory, escape_filter
from app.gateways.signon.yuezhengyi import Yuezhengyi
from tests.factories import make_user
from tests.security.conftest import WRONG, Browser, Program, events

SECRET = "a-client-secret-" + "x" * 64
CLIENT = "govproject"


# -- Yuezhengyi -------------------------------------------------------------------------------------------


@dataclass
class FakeProvider:
    """An identity provider on this machine. `claims` and the rest say what it does wrong."""

    url: str = ""
    subject: str = "person-1"
    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    algorithm: str = "HS256"
    secret: str | None = SECRET
    nonces: dict[str, str] = field(default_factory=dict)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    answer: bytes | None = None

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            **self.claims,
        }
        kept = {name: value for name, value in claims.items() if name not in self.without}
        return jwt.encode(kept, self.secret, algorithm=self.algorithm)

    def redeem(self, form: dict[str, str]) -> tuple[int, bytes]:
        self.redeemed.append(form)
        nonce = self.nonces.pop(form.get("code", ""), None)
        if nonce is None or form.get("client_secret") != SECRET:
            return 400, b'{"error":"invalid_grant"}'
        return 200, self.answer or json.dumps({"id_token": self.token(nonce)}).encode()


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, answer = fake.redeem(dict(urllib.parse.parse_qsl(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture
def switched_on(app: Flask, provider: FakeProvider) -> Iterator[None]:
    app.extensions["sign_on"] = signon.configured(
        {
            "YUEZHENGYI_ISSUER": provider.url,
            "YUEZHENGYI_AUTHORIZE_URL": f"{provider.url}/authorize",
            "YUEZHENGYI_TOKEN_URL": f"{provider.url}/token",
            "YUEZHENGYI_CLIENT_ID": CLIENT,
            "YUEZHENGYI_CLIENT_SECRET": SECRET,
        }
    )
    yield
    app.extensions.pop("sign_on")


def scan(browser: Browser, provider: FakeProvider, code: str = "code-1", path: str = "") -> dict[str, str]:
    """Press the QR button and approve on the telephone; returns what the provider sends back."""
    away = browser.get(path or "/login/with/yuezhengyi")
    assert away.status_code == 302
    assert away.location.startswith(f"{provider.url}/authorize?")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(away.location).query))
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"].endswith("/login/with/yuezhengyi/back")
    provider.nonces[code] = asked["nonce"]
    return {"code": code, "state": asked["state"]}


def come_back(browser: Browser, answer: dict[str, str]) -> TestResponse:
    return browser.get("/login/with/yuezhengyi/back?" + urllib.parse.urlencode(answer))


def tied_user(provider: FakeProvider, **fields: Any) -> Any:
    return make_user(username="liang", external_id=f"{provider.url}|person-1", **fields)


@pytest.mark.usefixtures("switched_on")
class TestYuezhengyi:
    def test_the_three_ways_stand_side_by_side(self, session: Session, browser: Browser) -> None:
        assert 'href="/login/with/yuezhengyi"' in browser.get("/login/").text

    def test_a_tied_user_comes_in_and_to_the_page_he_asked_for(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        tied_user(provider)
        back = scan(browser, provider, path="/login/with/yuezhengyi?next=/profile/")
        answer = come_back(browser, back)
        assert (answer.status_code, answer.location) == (302, "/profile/")
        assert browser.is_in
        assert [line.summary for line in events(session, "LOGIN_OK")] == ["yuezhengyi"]
        assert provider.redeemed[0]["code_verifier"]

    @pytest.mark.parametrize(
        "wrong",
        [{"state": "x"}, {"state": ""}, {"code": "another"}, {"code": ""}, {"error": "access_denied"}],
    )
    def test_an_answer_that_does_not_fit_is_refused(
        self, session: Session, browser: Browser, provider: FakeProvider, wrong: dict[str, str]
    ) -> None:
        tied_user(provider)
        answer = come_back(browser, {**scan(browser, provider), **wrong})
        assert answer.status_code == 401
        assert not browser.is_in
        assert len(events(session, "LOGIN_FAILED")) == 1

    def test_an_answer_from_nowhere_is_refused(
        self, session: Session, browser: Browser, another_browser: Browser, provider: FakeProvider
    ) -> None:
        """Somebody sends a victim the link of his own log-in: the victim's browser began nothing."""
        tied_user(provider)
        back = scan(another_browser, provider)
        assert come_back(browser, back).status_code == 401
        assert provider.redeemed == []

    def test_an_answer_counts_once(self, session: Session, browser: Browser, provider: FakeProvider) -> None:
        tied_user(provider)
        back = scan(browser, provider)
        cookie = browser.cookie
        assert come_back(browser, back).status_code == 302
        browser.log_out()
        assert come_back(browser, back).status_code == 401
        assert len(provider.redeemed) == 1, "the handshake is gone, the provider is not even asked"
        browser.cookie = cookie
        assert come_back(browser, back).status_code == 401, (
            "even with the cookie as it was: the code is used up"
        )
        assert not browser.is_in

    def test_a_handshake_is_for_one_try(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        tied_user(provider)
        back = scan(browser, provider)
        assert come_back(browser, {**back, "code": "a-guess"}).status_code == 401
        assert come_back(browser, back).status_code == 401
        assert not browser.is_in

    @pytest.mark.parametrize(
        "fault",
        [
            {"claims": {"aud": "another-client"}},
            {"claims": {"iss": "https://another.example"}},
            {"claims": {"exp": 1}},
            {"claims": {"nonce": "x"}},
            {"without": ("nonce",)},
            {"without": ("exp",)},
            {"without": ("aud",)},
            {"without": ("sub",)},
            {"algorithm": "none", "secret": None},
            {"secret": "another-" + SECRET},
            {"algorithm": "HS512"},
            {"answer": b"not json"},
            {"answer": b"[]"},
            {"answer": b'{"id_token": 1}'},
            {"answer": b'{"access_token": "x"}'},
        ],
    )
    def test_a_token_that_is_not_ours_is_refused(
        self, session: Session, browser: Browser, provider: FakeProvider, fault: dict[str, Any]
    ) -> None:
        tied_user(provider)
        make_user(external_id="https://another.example|person-1")
        for name, value in fault.items():
            setattr(provider, name, value)
        assert come_back(browser, scan(browser, provider)).status_code == 401
        assert not browser.is_in
        (line,) = events(session, "LOGIN_FAILED")
        assert SECRET not in line.summary

    def test_an_e_mail_address_ties_nothing(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        """Whoever can put somebody's address into the provider must not become him."""
        user = make_user(username="liang")
        provider.claims = {"email": user.email, "preferred_username": "liang"}
        answer = come_back(browser, scan(browser, provider))
        assert answer.status_code == 401
        assert not browser.is_in

    def test_the_same_subject_of_another_issuer_is_another_person(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        make_user(username="liang", external_id="https://another.example|person-1")
        assert come_back(browser, scan(browser, provider)).status_code == 401

    def test_a_disabled_user_is_refused_here_too(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        tied_user(provider, active=False)
        assert come_back(browser, scan(browser, provider)).status_code == 401
        assert not browser.is_in

    def test_a_lock_holds_here_too(self, session: Session, browser: Browser, provider: FakeProvider) -> None:
        tied_user(provider)
        for _ in range(5):
            browser.log_in("liang", WRONG)
        assert come_back(browser, scan(browser, provider)).status_code == 429
        assert not browser.is_in

    def test_a_provider_that_is_down_is_said_so(
        self, app: Flask, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        tied_user(provider)
        back = scan(browser, provider)
        down = app.extensions["sign_on"].redirects[0]
        settings = {**vars(down), "token_url": "http://127.0.0.1:9/token"}
        app.extensions["sign_on"] = Providers(redirects=(Yuezhengyi(**settings),))
        assert come_back(browser, back).status_code == 401
        assert browser.log_in("liang").status_code == 302, "the local way is open"

    def test_after_it_nobody_is_sent_to_another_host(
        self, session: Session, browser: Browser, provider: FakeProvider
    ) -> None:
        tied_user(provider)
        back = scan(browser, provider, path="/login/with/yuezhengyi?next=//evil.example")
        assert come_back(browser, back).location == "/"


def test_a_provider_that_is_not_there_is_not_found(session: Session, browser: Browser) -> None:
    for path in (
        "/login/with/yuezhengyi",
        "/login/with/yuezhengyi/back",
        "/login/with/ldap",
        "/login/with/x",
    ):
        assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "settings",
    [
        {"YUEZHENGYI_CLIENT_ID": CLIENT},
        {"LDAP_URL": "ldaps://directory"},
        {
            "YUEZHENGYI_ISSUER": "https://idp",
            "YUEZHENGYI_AUTHORIZE_URL": "https://idp/authorize",
            "YUEZHENGYI_TOKEN_URL": "http://idp/token",
            "YUEZHENGYI_CLIENT_ID": CLIENT,
            "YUEZHENGYI_CLIENT_SECRET": SECRET,
        },
    ],
)
def test_half_a_configuration_or_an_open_line_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        signon.configured(settings)


# -- LDAP -------------------------------------------------------------------------------------------------


class LDAPError(Exception):
    """python-ldap's base error."""


class InvalidCredentials(LDAPError):
    """Wrong DN or password."""


PEOPLE = {
    "uid=Liang,ou=people,dc=office": ({"uid": [b"Liang"]}, "Directory-pass-1"),
    "uid=chen,ou=people,dc=office": ({"uid": [b"chen"]}, "Directory-pass-2"),
}


@dataclass
class FakeDirectory:
    """As much of python-ldap as we use. It reads filters as directories do: no case, `*` is anything."""

    encrypted: bool = False
    down: bool = False
    filters: list[str] = field(default_factory=list)
    ldap_error = LDAPError

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(
            initialize=lambda _url: self,
            LDAPError=LDAPError,
            INVALID_CREDENTIALS=InvalidCredentials,
            SCOPE_SUBTREE=2,
            OPT_REFERRALS=8,
            OPT_NETWORK_TIMEOUT=9,
            OPT_TIMEOUT=10,
        )

    def set_option(self, *_: object) -> None:
        """Taken."""

    def start_tls_s(self) -> None:
        if self.down:
            raise LDAPError
        self.encrypted = True

    def simple_bind_s(self, dn: str, password: str) -> None:
        assert self.encrypted, "passwords in the clear"
        if dn in ("", "cn=reader"):
            return
        if password != PEOPLE[dn][1]:
            raise InvalidCredentials

    def search_s(
        self, _base: str, _scope: int, filter_text: str, _attributes: object
    ) -> list[tuple[Any, Any]]:
        self.filters.append(filter_text)
        assert filter_text.startswith("(uid=") and filter_text.endswith(")")
        value = filter_text[5:-1]
        if "(" in value or ")" in value or "*" in value:
            return [(dn, attributes) for dn, (attributes, _) in PEOPLE.items()]
        found = [
            (dn, entry)
            for dn, (entry, _) in PEOPLE.items()
            if entry["uid"][0].decode().lower() == value.lower()
        ]
        return [*found, (None, ["ldap://referral"])]


@pytest.fixture
def directory(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDirectory]:
    fake = FakeDirectory()
    monkeypatch.setattr("app.gateways.signon.ldap._load_module", fake.module)
    app.extensions["sign_on"] = signon.configured(
        {
            "LDAP_URL": "ldap://directory",
            "LDAP_SEARCH_BASE": "ou=people,dc=office",
            "LDAP_BIND_DN": "cn=reader",
        }
    )
    yield fake
    app.extensions.pop("sign_on")


def by_ldap(browser: Browser, username: str, password: str) -> int:
    return browser.log_in(username, password, provider="ldap").status_code


class TestLdap:
    def test_a_tied_user_comes_in_by_form_and_api(
        self, session: Session, browser: Browser, program: Program, directory: FakeDirectory
    ) -> None:
        make_user(username="liang-zm", external_id="ldap|liang")
        assert 'value="ldap"' in browser.get("/login/").text
        assert by_ldap(browser, "LIANG", "Directory-pass-1") == 302
        assert browser.is_in
        assert program.log_in("liang", "Directory-pass-1", provider="ldap").status_code == 200
        assert [line.summary for line in events(session, "LOGIN_OK")] == ["ldap", "api:ldap"]

    @pytest.mark.parametrize("name", ["*)(uid=*", "*", "li*", "liang)(objectClass=*", "liang\x00", "\\2a"])
    def test_a_name_stays_a_name_in_the_filter(
        self, session: Session, browser: Browser, directory: FakeDirectory, name: str
    ) -> None:
        make_user(username="liang", external_id="ldap|liang")
        assert by_ldap(browser, name, "Directory-pass-1") == 401
        assert all(set("()*\x00").isdisjoint(text[5:-1]) for text in directory.filters)

    def test_a_known_person_without_an_account_is_told_so(
        self, session: Session, browser: Browser, directory: FakeDirectory
    ) -> None:
        make_user(username="chen")
        page = browser.log_in("chen", "Directory-pass-2", provider="ldap")
        assert page.status_code == 401
        assert not browser.is_in, "the same username is not yet the same person"
        assert page.text != browser.log_in("chen", WRONG, provider="ldap").text

    def test_wrong_and_empty_passwords_are_refused(
        self, session: Session, browser: Browser, directory: FakeDirectory
    ) -> None:
        make_user(username="liang", external_id="ldap|liang")
        assert by_ldap(browser, "liang", WRONG) == 401
        assert by_ldap(browser, "liang", "\x00") == 401, "an empty bind succeeds in many directories"

    def test_the_lock_is_shared_with_the_local_way(
        self, session: Session, browser: Browser, program: Program, directory: FakeDirectory
    ) -> None:
        make_user(username="liang", external_id="ldap|liang")
        for _ in range(3):
            by_ldap(browser, "liang", WRONG)
        for _ in range(2):
            browser.log_in("liang", WRONG)
        assert program.log_in("liang", "Directory-pass-1", provider="ldap").status_code == 429
        assert program.log_in("liang").status_code == 429

    def test_a_disabled_user_is_refused(
        self, session: Session, browser: Browser, directory: FakeDirectory
    ) -> None:
        make_user(username="liang", external_id="ldap|liang", active=False)
        assert by_ldap(browser, "liang", "Directory-pass-1") == 401

    def test_a_directory_that_is_down_costs_nobody_a_failure(
        self, session: Session, browser: Browser, directory: FakeDirectory
    ) -> None:
        make_user(username="liang", external_id="ldap|liang")
        directory.down = True
        assert [by_ldap(browser, "liang", "Directory-pass-1") for _ in range(6)] == [401] * 6
        directory.down = False
        assert by_ldap(browser, "liang", "Directory-pass-1") == 302


def test_without_python_ldap_the_way_says_that_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("app.gateways.signon.ldap.importlib.import_module", missing)
    with pytest.raises(SignOnUnavailable):
        LdapDirectory("ldaps://directory", "dc=office").verify("liang", "x")


def test_escaping_follows_rfc_4515() -> None:
    assert escape_filter("*)(uid=*\\\x00梁") == r"\2a\29\28uid=\2a\5c\00梁"


def test_a_provider_not_switched_on_is_the_local_way(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    assert browser.log_in("liang", provider="ldap").status_code == 302
