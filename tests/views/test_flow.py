"""审核流程 as pages: with the buttons that need no script, refusals that keep what was typed, and who may."""

from __future__ import annotations

import io
import json
import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.access.actor import Actor
from app.core.flow import FlowState
from app.models.flow import FlowDefinition, FlowStep
from app.services import review
from app.services.review.flows import transfer
from tests.factories import actor_of, make_unit, make_user
from tests.pages import Form, Pairs, form_of, words
from tests.security.conftest import Browser
from tests.services.flows.support import draft, published, sheet, step, when
from tests.sql import count_statements
from tests.views.test_configuration import log_in

LIST = "/flow/list/"


@pytest.fixture
def administrator(app: Flask, session: Session) -> Browser:
    return log_in(app, make_user("sys_admin", last_name="系", first_name="统"))


@pytest.fixture
def people(session: Session) -> list[str]:
    bureau = make_unit()
    return [make_user("bureau_checker", bureau, first_name=f"审{n}").username for n in range(3)]


def edit_form(browser: Browser, definition: FlowDefinition) -> Form:
    return form_of(browser.get(f"/flow/{definition.id}/edit"), "flow-form")


def send(browser: Browser, form: Form, pairs: Pairs | None = None, **buttons: str) -> TestResponse:
    """Press a button of the form."""
    data: dict[str, list[str]] = {}
    for name, value in [*(pairs if pairs is not None else form.pairs), *buttons.items()]:
        data.setdefault(name, []).append(value)
    return browser.client.post(form.action, data=data, environ_base=browser.peer)


def press(browser: Browser, path: str, form_on: str, **data: str) -> TestResponse:
    return browser.post(path, data, form_on=form_on)


def an_admin() -> Actor:
    return actor_of(make_user("sys_admin"))


def latest(session: Session) -> FlowDefinition:
    session.expire_all()
    return session.scalars(select(FlowDefinition).order_by(FlowDefinition.id.desc())).all()[0]


class TestReading:
    def test_the_list_shows_what_is_in_force_and_in_preparation(
        self, administrator: Browser, people: list[str]
    ) -> None:
        made = draft(an_admin(), step("a", people[0]))
        page = administrator.get(LIST)
        assert page.status_code == 200
        assert f"/flow/{published().id}" in page.text and f"/flow/{made.id}/edit" in page.text
        assert "审核流程" in words(page)

    def test_the_list_asks_little_however_many_versions(
        self, administrator: Browser, people: list[str]
    ) -> None:
        admin = an_admin()
        administrator.get(LIST)
        with count_statements() as few:
            administrator.get(LIST)
        for _ in range(5):
            draft(admin, step("a", people[0]))
        with count_statements() as many:
            administrator.get(LIST)
        assert len(many) == len(few) <= 10

    def test_a_published_version_is_read_only(self, administrator: Browser) -> None:
        first = published()
        page = administrator.get(f"/flow/{first.id}")
        assert page.status_code == 200 and "flow-diagram" in page.text and 'id="flow-form"' not in page.text
        assert administrator.get(f"/flow/{first.id}/edit").status_code == 302
        answer = press(administrator, f"/flow/{first.id}/edit", LIST, revision=str(first.revision), name="x")
        assert answer.status_code == 409

    def test_versions_are_compared(self, administrator: Browser, people: list[str]) -> None:
        admin = an_admin()
        old = draft(admin, step("a", people[0], name_zh="甲步"))
        new = draft(admin, step("a", people[0], name_zh="甲步", limit_days=9), step("b", people[1]))
        page = administrator.get(f"/flow/compare?old={old.id}&new={new.id}")
        text = words(page)
        assert (
            page.status_code == 200
            and "甲步" in text
            and "fate-added" in page.text
            and "fate-changed" in page.text
        )
        assert re.search(r"diff-old\">3<.*diff-new\">9<", page.text)
        assert administrator.get("/flow/compare").status_code == 302
        assert administrator.get("/flow/compare?old=0&new=99999").status_code == 404

    def test_a_version_is_tried(self, administrator: Browser, people: list[str]) -> None:
        unit = make_unit()
        big = [when("requested_amount", "GE", "1000000")]
        made = draft(an_admin(), step("a", people[0]), step("b", people[1], conditions=big))
        address = f"/flow/{made.id}/rehearsal?try=1&unit={unit.code}&requested_amount="
        assert "is-skipped" in administrator.get(address + "999,999.99").text
        assert "is-skipped" not in administrator.get(address + "1,000,000.00").text
        refused = administrator.get(address + "much")
        assert (
            refused.status_code == 400
            and 'value="much"' in refused.text
            and "requested_amount-error" in refused.text
        )

    @pytest.mark.parametrize("role", ["unit_handler", "bureau_leader", "sec_admin", "audit_admin", "finance"])
    def test_nobody_else(self, app: Flask, session: Session, people: list[str], role: str) -> None:
        made = draft(an_admin(), step("a", people[0]))
        browser = log_in(app, make_user(role))
        for path in (
            LIST,
            f"/flow/{made.id}",
            f"/flow/{made.id}/edit",
            f"/flow/{made.id}/export",
            "/flow/people",
        ):
            assert browser.get(path).status_code == 403, path
        for verb in ("publish", "remove", "draft", "copy", "edit"):
            data = {"revision": "1", "kind": "declaration"}
            assert browser.post(f"/flow/{made.id}/{verb}", data, form_on="/password/").status_code == 403, (
                verb
            )
        assert "审核流程" not in words(browser.get("/"))


class TestEditing:
    def test_a_draft_is_begun_changed_and_published(
        self, administrator: Browser, session: Session, people: list[str]
    ) -> None:
        make_user("bureau_reviewer"), make_user("bureau_leader")
        make_user("unit_handler")
        first = published()
        began = press(administrator, f"/flow/{first.id}/draft", LIST)
        assert began.status_code == 302
        made = latest(session)
        form = edit_form(administrator, made)
        assert form.values("steps.1.name_zh") == ["初审"]
        added = form_of(send(administrator, form, tool="add"), "flow-form")
        filled = added.filled(
            steps__4__name_zh="专家论证", steps__4__assignee_kind="USERS", steps__4__user_new=people[0]
        )
        with_condition = form_of(send(administrator, added, filled, tool="4.condition"), "flow-form")
        pairs = with_condition.filled(**{"steps__4__conditions__0__value": "1,000,000"})
        saved = send(administrator, with_condition, pairs, intent="publish")
        assert saved.status_code == 302 and saved.headers["Location"].endswith(f"/flow/{made.id}/confirm")
        last = sheet(an_admin(), made)["steps"][-1]
        assert (last["name_zh"], last["users"]) == ("专家论证", [people[0]])
        assert last["conditions"] == [when("requested_amount", "GE", "1000000.00")]
        confirm = administrator.get(f"/flow/{made.id}/confirm")
        assert "专家论证" in words(confirm)
        revision = re.search(r'name="revision" value="(\d+)"', confirm.text)
        assert revision is not None
        done = press(
            administrator, f"/flow/{made.id}/publish", f"/flow/{made.id}/confirm", revision=revision[1]
        )
        assert done.status_code == 302
        assert published().id == made.id
        assert session.get_one(FlowDefinition, first.id).state is FlowState.RETIRED

    def test_buttons_without_a_script(self, administrator: Browser, people: list[str]) -> None:
        made = draft(
            an_admin(), step("a", *people), step("b", people[1], return_steps=["a"]), step("c", people[2])
        )
        form = edit_form(administrator, made)

        def after(tool: str) -> Form:
            return form_of(send(administrator, form, tool=tool), "flow-form")

        def codes(tool: str) -> list[str]:
            found = after(tool)
            return [found.value(name) for name, _ in found.pairs if name.endswith(".code")]

        assert codes("2.up") == ["a", "c", "b"] and codes("0.down") == ["b", "a", "c"]
        assert codes("0.up") == codes("2.down") == ["a", "b", "c"]
        assert codes("1.drop") == ["a", "c"]
        copied = codes("1.copy")
        assert len(copied) == 4 and copied[:2] == ["a", "b"] and copied[2] not in "abc"
        assert after("0.user.1.up").values("steps.0.users") == [people[1], people[0], people[2]]
        assert after("0.user.1.drop").values("steps.0.users") == [people[0], people[2]]
        assert after("1.up").values("steps.0.return_steps") == [], "a step that is not earlier is forgotten"
        assert after("1.condition").values("steps.1.conditions.0.field") == ["requested_amount"]
        assert codes("99.drop") == codes("x.up.y") == ["a", "b", "c"]
        assert [one["code"] for one in sheet(an_admin(), made)["steps"]] == ["a", "b", "c"], (
            "nothing was saved"
        )

    def test_a_refused_form_comes_back_as_typed(self, administrator: Browser, people: list[str]) -> None:
        rows = [when("requested_amount", "GE", "5")]
        made = draft(an_admin(), step("a", people[0]), step("b", people[1], conditions=rows))
        form = edit_form(administrator, made)
        typed = form.filled(
            name="改名",
            steps__0__limit_days="soon",
            steps__1__name_zh="",
            steps__1__conditions__0__value="一百万",
            steps__1__may_edit="1",
        )
        refused = send(administrator, form, typed)
        assert refused.status_code == 400
        back = form_of(refused, "flow-form")
        assert (back.value("name"), back.value("steps.0.limit_days")) == ("改名", "soon")
        assert (back.value("steps.1.name_zh"), back.value("steps.1.conditions.0.value")) == ("", "一百万")
        assert back.values("steps.1.may_edit") == ["1"] and back.values("steps.0.users") == [people[0]]
        for place in ("steps-0-limit_days", "steps-1-name_zh", "steps-1-conditions-0-value"):
            assert (
                f'aria-describedby="{place}-error"' in refused.text and f'id="{place}-error"' in refused.text
            )

    def test_a_stale_form_says_who_changed_what(
        self, administrator: Browser, session: Session, people: list[str]
    ) -> None:
        admin = an_admin()
        made = draft(admin, step("a", people[0], name_zh="甲步"))
        form = edit_form(administrator, made)
        other = actor_of(make_user("sys_admin", last_name="司徒", first_name="文辉"))
        content = sheet(other, made)
        content["steps"][0]["limit_days"] = 8
        review.save_flow(other, made.id, content, revision=made.revision)
        stale = send(administrator, form, form.filled(name="我的名字"))
        assert stale.status_code == 409
        text = words(stale)
        assert "司徒文辉" in text and "甲步" in text
        again = form_of(stale, "flow-form")
        assert again.value("name") == "我的名字"
        assert send(administrator, again).status_code == 302
        assert sheet(admin, made)["name"] == "我的名字"
        assert sheet(admin, made)["steps"][0]["limit_days"] == 3

    def test_a_flow_that_cannot_end_is_not_published(self, administrator: Browser, people: list[str]) -> None:
        make_user("unit_handler")
        made = draft(an_admin(), step("a", people[0]), step("b", people[0], name_zh="停在这里"))
        edit = administrator.get(f"/flow/{made.id}/edit")
        assert 'href="#step-1"' in edit.text and "停在这里" in words(edit)
        confirm = administrator.get(f"/flow/{made.id}/confirm")
        assert f"/flow/{made.id}/publish" not in confirm.text
        refused = press(administrator, f"/flow/{made.id}/publish", LIST, revision="1")
        assert refused.status_code == 400 and "停在这里" in words(refused)
        stale = press(administrator, f"/flow/{made.id}/publish", LIST, revision="7")
        assert stale.status_code == 409

    def test_people_are_searched_by_user_name_and_told_by_name(
        self, administrator: Browser, people: list[str]
    ) -> None:
        found = administrator.get("/flow/people?q=审1").get_json()
        assert [one["id"] for one in found] == [people[1]] and "审1" in found[0]["text"]

    def test_a_draft_is_deleted(self, administrator: Browser, session: Session, people: list[str]) -> None:
        made = draft(an_admin(), step("a", people[0]))
        edit = f"/flow/{made.id}/edit"
        assert press(administrator, f"/flow/{made.id}/remove", edit, revision="9").status_code == 409
        assert press(administrator, f"/flow/{made.id}/remove", edit, revision="1").status_code == 302
        assert session.scalars(select(FlowStep).where(FlowStep.definition_id == made.id)).all() == []

    def test_an_empty_draft_of_an_unknown_kind(self, administrator: Browser) -> None:
        assert press(administrator, "/flow/new", LIST, kind="spaceship").status_code == 400
        assert press(administrator, "/flow/new", LIST, kind="declaration").status_code == 302

    def test_what_is_typed_is_never_markup(self, administrator: Browser, people: list[str]) -> None:
        nasty = "<script>alert(1)</script>"
        made = draft(an_admin(), step("a", people[0], name_zh=nasty))
        for path in (f"/flow/{made.id}", f"/flow/{made.id}/edit", f"/flow/{made.id}/confirm", LIST):
            assert nasty not in administrator.get(path).text


class TestFiles:
    def upload(self, browser: Browser, data: bytes, **fields: str) -> TestResponse:
        upload = {"file": (io.BytesIO(data), "流程.json"), **fields}
        return browser.post("/flow/import", upload, content_type="multipart/form-data")

    def test_there_and_back_again(self, administrator: Browser, session: Session, people: list[str]) -> None:
        made = draft(an_admin(), step("a", people[0]))
        file = administrator.get(f"/flow/{made.id}/export")
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert json.loads(file.data)["steps"][0]["users"] == [people[0]]
        brought = self.upload(administrator, file.data)
        assert brought.status_code == 302
        assert latest(session).id != made.id

    def test_refusals_stay_on_the_page(self, administrator: Browser, people: list[str]) -> None:
        assert "file-error" in self.upload(administrator, b"").text
        assert "file-error" in self.upload(administrator, b"{}").text
        made = draft(an_admin(), step("a", people[0]))
        content = json.loads(transfer.export(actor_of(make_user("sys_admin")), made.id).data)
        content["steps"][0]["users"] = ["a-stranger"]
        data = json.dumps(content).encode()
        refused = self.upload(administrator, data)
        assert refused.status_code == 400 and "a-stranger" in words(refused)
        partly = self.upload(administrator, data, partly="1")
        assert partly.status_code == 302
        assert "a-stranger" in words(administrator.get(partly.headers["Location"]))
        assert self.upload(administrator, b" " * (transfer.LARGEST_FILE + 1)).status_code == 413
