"""Who may ask what: nothing without a token, nothing beyond the data scope, nothing by a cookie alone."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.api import APIS
from app.models.unit import Unit
from tests.api.conftest import API, LogIn, Rest
from tests.conftest import PASSWORD
from tests.factories import make_user
from tests.security.conftest import WRONG, Browser

VERBS = ("submit", "withdraw", "recycle", "restore", "purge")
TASK_VERBS = (
    "approve",
    "return",
    "reject",
    "take_back",
    "transfer",
    "delegate",
    "add_signer",
    "copy_to",
    "save_opinion",
    "reassign",
)


def api_rules(app: Flask) -> list[tuple[str, str]]:
    """Every method and path of the API."""
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    )


def filled(path: str) -> str:
    for part, value in (("<int:pk>", "1"), ("<string:verb>", "approve"), ("<string:code>", "nature")):
        path = path.replace(part, value)
    assert "<" not in path, path
    return path


def test_nothing_is_answered_without_a_token(app: Flask, client: FlaskClient, session: Session) -> None:
    rules = [rule for rule in api_rules(app) if rule[1] != f"{API}/security/login"]
    assert len(rules) > 25
    for method, path in rules:
        answer = client.open(filled(path), method=method)
        assert answer.status_code == 401, (method, path)
        assert set(answer.json) == {"message"}


def test_a_cookie_alone_writes_nothing(app: Flask, client: FlaskClient, handler: Rest) -> None:
    """The API asks for no CSRF token, so what a browser sends by itself must not be enough."""
    draft = handler.draft()
    browser = Browser(client)
    browser.log_in(handler.user.username)
    for method, path in api_rules(app):
        if method != "GET" and not path.startswith(f"{API}/security/"):
            answer = client.open(filled(path), method=method, json={"version": 1})
            assert answer.status_code == 401, (method, path)
    assert client.get(f"{API}/declaration/{draft['id']}").status_code == 200, "reading changes nothing"
    assert handler.get(f"/declaration/{draft['id']}").json["result"] == draft


def test_every_open_route_names_its_verb(app: Flask) -> None:
    for api in APIS:
        methods = {name for name in dir(api) if hasattr(getattr(api, name, None), "_urls")}
        assert api.include_route_methods <= methods
        for name in api.include_route_methods:
            assert getattr(api, name)._operation.verb


def test_no_other_site_may_ask(handler: Rest) -> None:
    for method in ("GET", "OPTIONS"):
        answer = handler.call(method, "/declaration/", headers={"Origin": "https://evil.example"})
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control")]


def test_answers_are_not_kept_nor_guessed(handler: Rest) -> None:
    for path in ("/declaration/", "/declaration/99", "/task/?box=nope"):
        headers = handler.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"].startswith("application/json")


def test_another_units_declaration_is_not_there_whatever_is_asked(handler: Rest, stranger: Rest) -> None:
    draft = handler.draft()
    file_id = handler.upload(draft["id"]).json["id"]
    path = f"/declaration/{draft['id']}"
    missing = stranger.get("/declaration/999999").json
    answers = {
        "get": stranger.get(path),
        "put": stranger.put(path, {"version": 1, "title": "x"}),
        "put without version": stranger.put(path, {}),
        "put of nonsense": stranger.put(path, {"status": "APPROVED"}),
        "delete": stranger.call("DELETE", path),
        **{verb: stranger.post(f"{path}/{verb}", {"version": 1}) for verb in VERBS},
        **{f"{verb} without a body": stranger.post(f"{path}/{verb}") for verb in VERBS},
        "upload": stranger.upload(draft["id"]),
        "file": stranger.get(f"/attachment/{file_id}"),
        "content": stranger.get(f"/attachment/{file_id}/content"),
        "remove": stranger.call("DELETE", f"/attachment/{file_id}"),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)
    assert all(answer.json == missing for answer in answers.values()), "its existence is not told"
    for listed in ("/declaration/", "/attachment/", "/project/"):
        assert stranger.get(listed).json["count"] == 0
    by_id = [{"col": "id", "opr": "eq", "value": draft["id"]}]
    assert stranger.ask("/declaration/", filters=by_id).json["ids"] == []
    record = handler.get(path).json["result"]
    assert (record["title"], record["status"]) == (draft["title"], "DRAFT")
    assert len(record["attachments"]) == 1


def test_anothers_task_is_not_there_whatever_is_asked(
    handler: Rest, stranger: Rest, bureau: list[Rest], log_in: LogIn
) -> None:
    record = handler.submitted()
    (task,) = bureau[0].get("/task/").json["result"]
    for who in (stranger, bureau[1], handler):
        assert who.get(f"/task/{task['id']}").status_code == 404
        for verb in TASK_VERBS:
            for body in ({"version": task["version"], "opinion": "x", "to_user": 1}, {}, None):
                assert who.post(f"/task/{task['id']}/{verb}", body).status_code == 404, verb
    assert bureau[0].post(f"/task/{task['id']}/explode", {"version": 1}).status_code == 404
    assert handler.get(f"/declaration/{record['id']}").json["result"]["status"] == "IN_REVIEW"


def test_another_units_project_is_not_there(handler: Rest, stranger: Rest, bureau: list[Rest]) -> None:
    project = handler.submitted()["project"]
    assert handler.get(f"/project/{project['id']}").status_code == 200
    assert stranger.get(f"/project/{project['id']}").status_code == 404
    refused = stranger.post("/declaration/", {"title": "x", "predecessor": project["id"]})
    assert (refused.status_code, list(refused.json["errors"])) == (400, ["predecessor"])


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("sys_admin", "/declaration/", 403),
        ("sys_admin", "/project/", 403),
        ("sys_admin", "/task/", 403),
        ("sys_admin", "/unit/", 200),
        ("sys_admin", "/dictionary/", 200),
        ("audit_admin", "/declaration/export", 403),
        ("viewer_stats", "/project/", 200),
        ("viewer_stats", "/project/export", 403),
        ("viewer_stats", "/declaration/", 403),
        ("expert", "/project/", 403),
        ("expert", "/task/", 200),
        ("finance", "/declaration/", 200),
    ],
)
def test_a_list_is_for_who_holds_its_verb(log_in: LogIn, role: str, path: str, status: int) -> None:
    assert log_in(role).get(path).status_code == status


@pytest.mark.parametrize("role", ["bureau_reviewer", "finance", "sys_admin", "viewer_stats", "unit_leader"])
def test_only_handlers_declare(log_in: LogIn, role: str) -> None:
    assert log_in(role).post("/declaration/", {"title": "x"}).status_code == 403


def test_who_may_only_read_is_told_so(handler: Rest, log_in: LogIn, office: Unit, bureau: list[Rest]) -> None:
    record = handler.submitted()
    leader = log_in("unit_leader", office)
    path = f"/declaration/{record['id']}"
    assert leader.get(path).status_code == 200
    assert leader.put(path, {"version": record["version"], "title": "x"}).status_code == 403
    assert leader.post(f"{path}/withdraw", {"version": record["version"]}).status_code == 403
    assert leader.upload(record["id"]).status_code == 403


def test_the_log_in_locks_like_the_page(app: Flask, client: FlaskClient, session: Session) -> None:
    make_user(username="liang")
    make_user(username="chen")

    def log_in(username: str, password: str, address: str = "10.1.2.3") -> int:
        return client.post(
            f"{API}/security/login",
            json={"username": username, "password": password},
            environ_base={"REMOTE_ADDR": address},
        ).status_code

    tries = [log_in("liang", WRONG) for _ in range(6)]
    assert set(tries[:4]) == {401} and tries[-1] == 429
    assert log_in("liang", PASSWORD) == 429, "the right password waits too"
    assert log_in("liang", PASSWORD, "10.9.9.9") == 429, "from everywhere"
    assert log_in("chen", PASSWORD) == 200, "a colleague at the same address does not"
    page = Browser(client, "10.1.2.4").log_in("liang")
    assert page.status_code == 429, "one lock for every way in"
