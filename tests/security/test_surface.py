"""Every address, asked by people of every kind, with hostile text in every column (domain.md section 12).

One crawl answers most of it: what comes back is looked at from all sides, and the tables are the same as
before.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
from flask import Flask

from app.extensions import csrf
from app.views import VIEWS
from app.views.base import OfficeView
from app.views.base.search import TextField
from tests.conftest import OwnDatabase
from tests.databases import DEMO
from tests.security.town import (
    HOSTILE,
    PEER,
    WRITTEN_ALONG,
    Answer,
    Person,
    addresses,
    contents,
    log_in,
    poison,
)

CRAWLERS = ("admin", "security", "auditor", "handler1", "reviewer", "director", "finance", "viewer")
DISGUISED = {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}
"""What some frameworks take a GET for."""

OPEN_ADDRESSES = {"static", "appbuilder.static"}


@dataclass
class Crawl:
    answers: list[Answer]
    before: dict[str, int]
    after: dict[str, int]

    def pages(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.is_page]


@pytest.fixture(scope="module")
def town(own_database: OwnDatabase) -> Iterator[Flask]:
    """Demo data with hostile text in every column."""
    with own_database("surface", projects=DEMO) as app:
        poison(app)
        yield app


@pytest.fixture(scope="module")
def people(town: Flask) -> dict[str, Person]:
    return {name: log_in(town, name) for name in CRAWLERS}


@pytest.fixture(scope="module")
def crawl(town: Flask, people: dict[str, Person]) -> Crawl:
    """Every GET there is, by everybody, and by nobody."""
    answers = []
    asked = list(addresses(town, each=1))
    before = contents(town, WRITTEN_ALONG)
    for person in (*people.values(), Person("nobody", town.test_client())):
        for rule, path in asked:
            response = person.get(f"{path}?_method=DELETE" if "static" in path else path, headers=DISGUISED)
            answers.append(
                Answer(
                    person.username,
                    path,
                    rule.endpoint,
                    response.status_code,
                    response.headers,
                    response.get_data(),
                )
            )
            response.close()
    return Crawl(answers, before, contents(town, WRITTEN_ALONG))


class _Dangers(HTMLParser):
    """What a page would run or load that it did not mean to."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.bare_script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.found += [f"<{tag} {name}=…>" for name in given if name.startswith("on")]
        if tag == "img" and given.get("src") == "x":
            self.found.append("the hostile image")
        if tag == "script" and "nonce" not in given and given.get("type") != "application/json":
            self.found.append("a script without a nonce")
        for name in ("href", "src", "action", "formaction"):
            address = given.get(name, "").strip().lower()
            if address.startswith(("javascript:", "data:text", "vbscript:", "//", "http:", "https:")):
                self.found.append(f"{name}={address}")


def dangers(page: str) -> list[str]:
    reader = _Dangers()
    reader.feed(page)
    found = reader.found
    if "<img src=x" in page:
        found.append("the hostile text as it was typed")
    if str(7**13) in page:
        found.append("a template made of the hostile text")
    return found


def test_it_looks_where_people_look(crawl: Crawl) -> None:
    """The crawl below proves something only where hostile text is shown."""
    shown = {answer.endpoint for answer in crawl.pages() if "img src=x" in answer.text}
    assert shown >= {
        "AlertView.list",
        "AnnualPlanView.list",
        "DashboardView.index",
        "DeclarationBinView.list",
        "DeclarationDraftView.edit",
        "DeclarationDraftView.list",
        "DeclarationSummaryView.list",
        "DeclarationView.list",
        "DeclarationView.show",
        "DictionaryView.edit",
        "DictionaryView.list",
        "HomeView.index",
        "MessageView.list",
        "ParameterView.list",
        "ProfileView.index",
        "ProjectView.list",
        "ProjectView.show",
        "ReviewTaskView.list",
        "SystemLogView.list",
        "UnitView.edit",
        "UnitView.list",
        "UserView.edit",
        "UserView.list",
        "UserView.roles",
    }


def test_what_people_typed_runs_nowhere(crawl: Crawl) -> None:
    wrong = [f"{answer}: {found}" for answer in crawl.pages() if (found := dangers(answer.text))]
    assert not wrong, "\n".join(wrong)


def test_nothing_fails(crawl: Crawl) -> None:
    assert not [str(answer) for answer in crawl.answers if answer.status >= 500]


def test_hostile_text_in_a_workbook_is_text(crawl: Crawl) -> None:
    exported = [
        answer for answer in crawl.answers if answer.path.endswith("/export") and answer.status == 200
    ]
    books = [answer for answer in exported if "spreadsheetml" in answer.headers["Content-Type"]]
    assert len(books) > 10
    held = 0
    for book in books:
        disposition = book.headers["Content-Disposition"]
        assert disposition.startswith("attachment;"), book
        assert "filename*=UTF-8''" in disposition, book
        with zipfile.ZipFile(io.BytesIO(book.body)) as parts:
            for name in parts.namelist():
                content = parts.read(name)
                assert b"<f>" not in content, f"{book}: a formula in {name}"
                assert b"<img" not in content, f"{book}: {name}"
                held += b"&lt;img src=x" in content
    assert held > 5


@pytest.mark.parametrize("person", ["admin", "handler1"])
@pytest.mark.parametrize("mark", ["<img src=x onerror=a()>", HOSTILE])
def test_what_stands_in_an_address_runs_nowhere(people: dict[str, Person], person: str, mark: str) -> None:
    for path in ("/unit/list/", "/declaration/list/", "/project/list/", "/message/list/"):
        for name in ("q", "title", "sort", "page", mark, "amount_from", "status"):
            page = people[person].get(path, query_string={name: mark})
            assert page.status_code in (200, 400, 403), (path, name)
            assert not dangers(page.text), (path, name)
    for path in (f"/{mark}", f"/go/{mark}/1", f"/static/{mark}"):
        assert not dangers(people[person].get(path).text)
    assert not dangers(people[person].client.get("/login/", query_string={"next": mark}).text)


class TestAnswers:
    def test_a_look_changes_nothing(self, crawl: Crawl) -> None:
        changed = [name for name, was in crawl.before.items() if crawl.after[name] != was]
        assert changed == []
        assert len(crawl.answers) > 500

    def test_headers_stand_on_every_answer(self, crawl: Crawl) -> None:
        wrong = []
        for answer in crawl.answers:
            policy = answer.headers.get("Content-Security-Policy", "")
            wanted = ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'self'", "form-action 'self'")
            if "attachment;" in answer.headers.get("Content-Disposition", ""):
                wanted = ("default-src 'none'; sandbox",)
            missing = [part for part in wanted if part not in policy]
            script = re.search(r"script-src([^;]*)", policy)
            if script and "unsafe" in script[1]:
                missing.append("a safe script-src")
            if answer.headers.get("X-Content-Type-Options") != "nosniff":
                missing.append("nosniff")
            if answer.headers.get("Referrer-Policy") != "same-origin":
                missing.append("Referrer-Policy")
            if answer.headers.get("X-Frame-Options") != "SAMEORIGIN":
                missing.append("X-Frame-Options")
            if missing:
                wrong.append(f"{answer}: {missing}")
        assert not wrong, "\n".join(wrong)

    def test_every_answer_says_what_it_is(self, crawl: Crawl) -> None:
        for answer in crawl.answers:
            kind = answer.headers.get("Content-Type", "")
            assert kind, answer
            if kind.startswith("text/"):
                assert "charset=utf-8" in kind, answer
            if answer.path.startswith("/api/") and not answer.path.endswith(("/export", "/content")):
                assert kind.startswith("application/json"), answer

    def test_nothing_of_it_is_kept_on_the_way(self, crawl: Crawl) -> None:
        kept = [
            str(answer)
            for answer in crawl.answers
            if answer.endpoint not in OPEN_ADDRESSES
            and "no-store" not in answer.headers.get("Cache-Control", "")
        ]
        assert kept == []

    def test_no_secret_travels_in_an_address(self, crawl: Crawl, people: dict[str, Person]) -> None:
        secret = re.compile(r"[?&](csrf_token|token|session|sid|password|access_token|key)=", re.IGNORECASE)
        cookies = {cookie.value for one in people.values() if (cookie := one.client.get_cookie("session"))}
        for answer in crawl.answers:
            assert not secret.search(answer.headers.get("Location", "")), answer
            if answer.is_page:
                addresses_in_it = re.findall(r'(?:href|src|action)="([^"]*)"', answer.text)
                assert not [one for one in addresses_in_it if secret.search(one)], answer
                assert not [one for one in cookies if one in answer.text], answer

    def test_no_other_site_may_ask(self, town: Flask, people: dict[str, Person]) -> None:
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        for method in ("GET", "OPTIONS"):
            for path in ("/", "/project/list/", "/login/", "/static/css/app.css", "/nothing-here"):
                answer = people["admin"].client.open(path, method=method, headers=headers)
                assert not [name for name, _ in answer.headers if name.startswith("Access-Control")], path
                answer.close()


class TestForgedRequests:
    @pytest.mark.parametrize("person", ["admin", "handler1", "reviewer"])
    @pytest.mark.parametrize("token", [None, "", "ImZvcmdlZCI.aaaa.bbbb"])
    def test_every_change_needs_the_pages_token(
        self, town: Flask, people: dict[str, Person], person: str, token: str | None
    ) -> None:
        before = contents(town, WRITTEN_ALONG)
        # Only the status is looked at: the pages of the refusals need not be drawn.
        headers = {"Accept": "application/json"}
        tried = 0
        for rule in town.url_map.iter_rules():
            for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
                if rule.rule.startswith("/api/"):
                    continue  # no cookie changes anything there: tests/api/test_access.py
                path = re.sub(r"<[^>]+>", "1", rule.rule)
                data = {"version": "1"} if token is None else {"version": "1", "csrf_token": token}
                answer = people[person].client.open(
                    path, method=method, data=data, headers=headers, environ_base=PEER
                )
                assert answer.status_code == 400, f"{method} {rule}: {answer.status}"
                tried += 1
        assert tried > 50
        assert contents(town, WRITTEN_ALONG) == before

    def test_nothing_but_the_api_is_exempt(self) -> None:
        assert not csrf._exempt_views
        names = {blueprint.name for blueprint in csrf._exempt_blueprints}
        assert {name for name in names if not name.endswith("Api")} == set()

    def test_a_token_of_one_session_does_not_serve_another(self, people: dict[str, Person]) -> None:
        data = {"csrf_token": people["handler1"].token, "next": "/"}
        assert people["admin"].client.post("/language/en", data=data).status_code == 400


LISTS = [view for view in VIEWS if issubclass(view, OfficeView)]
SEVERAL = ("admin", "auditor", "handler1", "reviewer", "finance", "director")


class TestQuestions:
    @pytest.mark.parametrize("view", LISTS, ids=lambda view: view.__name__)
    def test_a_list_takes_only_what_it_knows(
        self, town: Flask, people: dict[str, Person], view: type[OfficeView]
    ) -> None:
        with town.test_request_context():
            path = town.url_for(f"{view.__name__}.list")
        person = next(people[name] for name in SEVERAL if people[name].get(path).status_code == 200)
        for question in (
            {"sort": "id; DROP TABLE unit"},
            {"sort": "password"},
            {"sort": "unit_id"},
            {"sort": "(select 1)"},
            {"_flt_0_created_by": "1"},
            {"password": "x"},
            {"1=1": "1"},
        ):
            assert person.get(path, query_string=question).status_code == 400, question
        texts = [part for part in view.fields if isinstance(part, TextField)]
        for part in texts:
            for literal in ("%%_%%", "' OR '1'='1", "\\%", "x') UNION SELECT password FROM ab_user--"):
                page = person.get(path, query_string={part.name: literal})
                assert page.status_code == 200, (part.name, literal)
                assert "empty-state" in page.text, f"{part.name}={literal} finds rows"
                assert "scrypt:" not in page.text

    def test_marks_of_a_pattern_are_only_marks(self, people: dict[str, Person]) -> None:
        """What the test above finds empty is full when asked for what is there."""
        for text, rows in (("img src=x", True), ("img%src=x", False), ("img_src=x", False)):
            page = people["admin"].get("/unit/list/", query_string={"q": text})
            assert page.status_code == 200
            assert ("empty-state" not in page.text) is rows, text
