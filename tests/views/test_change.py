"""项目变更 on the pages: choosing a project, both sides, review, and the project afterwards."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.access.actor import Actor
from app.core.enums import DocumentStatus, Stage
from app.core.xlsx import read_rows
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.user import AppUser
from app.services import change, review
from app.services.unit_of_work import current_session, unit_of_work
from tests import samples
from tests.change import REASONS, attach, drafted, planned_project
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.keys import enter, keys_of
from tests.pages import form_of
from tests.security.conftest import Browser
from tests.sql import count_statements


@dataclass(frozen=True)
class Town:
    """A unit with a planned project, and the bureau's reviewers, each with a browser."""

    app: Flask
    people: Mapping[str, AppUser]
    keys: Mapping[str, str]
    project: Project

    @property
    def session(self) -> Session:
        return current_session()

    def actor(self, name: str) -> Actor:
        return actor_of(self.people[name])

    def browser(self, name: str) -> Browser:
        return enter(Browser(self.app.test_client()), self.keys[name])

    def only(self) -> ChangeRequest:
        self.session.expire_all()
        return self.session.scalars(select(ChangeRequest).options(selectinload(ChangeRequest.items))).one()


@pytest.fixture(scope="module")
def begun(app: Flask, standing: Standing) -> Town:
    """The town as every test finds it."""
    with standing():
        bureau = make_unit("市政数局(测试)")
        people = {
            "handler": make_user("unit_handler", make_unit("开平市教育局(测试)")),
            "first": make_user("bureau_reviewer", bureau),
            "recheck": make_user("bureau_checker", bureau),
            "final": make_user("bureau_leader", bureau),
            "other": make_user("unit_handler", make_unit("开平市水利局(测试)")),
        }
        actors = {name: actor_of(user) for name, user in people.items()}
        return Town(app, people, keys_of(app, people), planned_project(actors["handler"], actors))


@pytest.fixture
def town(begun: Town, session: Session) -> Town:
    return begun


def opened(town: Town, browser: Browser) -> str:
    """Choose the project on the page; the address of the form."""
    page = browser.get("/change/drafts/new")
    assert town.project.code in page.text
    answer = browser.post("/change/drafts/new", {"project_id": str(town.project.id)})
    assert answer.status_code == 302
    return answer.headers["Location"]


def saved(browser: Browser, path: str, *, intent: str = "save", **changes: Any) -> Any:
    form = form_of(browser.get(path), "declaration-form")
    pairs = [*form.filled(**changes), ("intent", intent)]
    return browser.client.post(path, data=_multi(pairs))


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


class TestFilling:
    def test_both_sides_stand_beside_each_other_and_only_what_differs_is_kept(self, town: Town) -> None:
        browser = town.browser("handler")
        path = opened(town, browser)
        page = browser.get(path).text
        assert page.count(town.project.title) >= 3  # the heading, before, and after
        assert 'data-pair="begin_date"' in page

        year = samples.next_year()
        answer = saved(browser, path, title="“一网统管”平台三期", end_date=f"{year + 1}-08-29", **WORDS)
        assert answer.status_code == 302
        row = town.only()
        assert {item.field for item in row.items} == {"title", "end_date"}
        assert row.days_delta == 60
        page = browser.get(path).text
        assert re.search(r'is-changed" data-pair="title"', page)
        assert not re.search(r'is-changed" data-pair="goals"', page)
        assert "+60" in page

    def test_what_is_missing_is_said_beside_its_field_and_nothing_typed_is_lost(self, town: Town) -> None:
        browser = town.browser("handler")
        path = opened(town, browser)
        answer = saved(browser, path, intent="submit", title="新名称", requested_amount="5000000")
        assert answer.status_code == 400
        form = form_of(answer, "declaration-form")
        assert (form.value("title"), form.value("requested_amount")) == ("新名称", "5000000")
        for anchor in (
            "content-error",
            "reason_code-error",
            "requested_amount-error",
            "attachments-CHANGE_LETTER",
        ):
            assert f'id="{anchor}"' in answer.text

    def test_the_figures_follow_what_is_typed(self, town: Town) -> None:
        browser = town.browser("handler")
        path = opened(town, browser)
        row = town.only()
        values = [["title", "新名称"], ["requested_amount", "5500000.00"]]
        answer = browser.client.post(
            f"/change/drafts/autosave/{row.id}",
            json={"version": str(row.version), "values": [["page", "p"], *values]},
            headers={"X-CSRFToken": form_of(browser.get(path), "declaration-form").value("csrf_token")},
        )
        assert answer.status_code == 200, answer.text
        assert "+550,000.00" in answer.json["head"]
        assert "11.11%" in answer.json["head"]

    def test_a_second_open_request_is_refused_naming_the_first(self, town: Town) -> None:
        browser = town.browser("handler")
        opened(town, browser)
        code = town.only().code
        page = browser.get("/change/drafts/new").text
        assert code in page  # offered instead of the button
        answer = browser.post("/change/drafts/new", {"project_id": str(town.project.id)})
        assert answer.status_code == 409
        assert code in answer.text

    def test_a_closed_project_is_refused_by_its_stage(self, town: Town) -> None:
        with unit_of_work(actor_of(town.people["first"])) as session:
            session.get_one(Project, town.project.id).stage = Stage.CLOSED
        browser = town.browser("handler")
        assert town.project.code not in browser.get("/change/drafts/new").text
        answer = browser.post("/change/drafts/new", {"project_id": str(town.project.id)})
        assert answer.status_code == 400
        assert town.project.code in answer.text
        assert "已完结" in answer.text or "Closed" in answer.text

    def test_another_units_project_and_request_are_not_there(self, town: Town) -> None:
        row = drafted(town.actor("handler"), town.project, title="新名称")
        browser = town.browser("other")
        assert browser.post("/change/drafts/new", {"project_id": str(town.project.id)}).status_code == 404
        for path in (f"/change/drafts/edit/{row.id}", f"/change/show/{row.id}", f"/change/compare/{row.id}"):
            assert browser.get(path).status_code == 404
        assert row.code not in browser.get("/change/drafts/list/").text

    def test_stale_data_are_named_and_taken_over_again_with_what_was_typed(self, town: Town) -> None:
        row = drafted(town.actor("handler"), town.project, title="新名称")
        with unit_of_work(actor_of(town.people["first"])) as session:
            session.get_one(Project, town.project.id).approved_amount = Decimal("4500000")
        browser = town.browser("handler")
        path = f"/change/drafts/edit/{row.id}"
        page = browser.get(path)
        assert "4500000.00" in page.text
        form = form_of(page, "declaration-form")
        answer = browser.client.post(
            f"/change/drafts/refresh/{row.id}", data=_multi(form.filled(content="补充说明。"))
        )
        assert answer.status_code == 302
        row = town.only()
        assert {item.field: item.after for item in row.items} == {"title": "新名称"}
        assert row.content == "补充说明。"
        assert "4500000.00 " not in browser.get(path).text

    def test_the_recycle_bin_holds_it_beside_the_declarations(self, town: Town) -> None:
        row = drafted(town.actor("handler"), town.project, title="新名称")
        browser = town.browser("handler")
        browser.post(f"/change/drafts/recycle/{row.id}", {}, form_on="/change/drafts/list/")
        page = browser.get("/declaration/bin/list/").text
        assert "/change/bin/list/" in page
        assert row.code in browser.get("/change/bin/list/").text
        browser.post(f"/change/bin/restore/{row.id}", {}, form_on="/change/bin/list/")
        assert town.only().status is DocumentStatus.DRAFT


WORDS = {
    "content": REASONS["content"],
    "reason_code": REASONS["reason_code"],
    "reason_text": REASONS["reason_text"],
    "performance_effect": REASONS["performance_effect"],
    "kinds": ["CONTENT", "PERIOD"],
}


class TestReview:
    def test_from_the_form_to_the_project(self, town: Town) -> None:
        """The unit changes title and period of an approved project; it is returned, answered, approved."""
        handler, year = town.browser("handler"), samples.next_year()
        path = opened(town, handler)
        saved(handler, path, title="“一网统管”平台三期", end_date=f"{year + 1}-07-30", **WORDS)
        row = town.only()
        attach(town.actor("handler"), row)
        answer = saved(handler, path, intent="submit")
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"] == f"/change/show/{row.id}"
        shown = handler.get(f"/change/show/{row.id}").text
        assert town.project.title in shown
        assert "“一网统管”平台三期" in shown

        reviewer = town.browser("first")
        task = review.open_task(town.actor("first"), "change", row.id)
        assert task is not None
        assert row.code in reviewer.get("/review/changes/list/").text
        page = reviewer.get(f"/review/{task.id}")
        assert 'data-field="end_date"' in page.text
        decided = {
            "verb": "return",
            "opinion": "请补充工期调整的理由。",
            "version": re.findall(r'name="version" value="(\d+)"', page.text)[-1],
        }
        assert (
            reviewer.post(f"/review/{task.id}/act", decided, form_on=f"/review/{task.id}").status_code == 302
        )

        assert "请补充工期调整的理由。" in handler.get(path).text
        saved(handler, path, intent="submit", reason_text="招标延期，工期顺延三十天。")
        for name in ("first", "final"):
            task = review.open_task(town.actor(name), "change", row.id)
            assert task is not None, name
            review.act(town.actor(name), task.id, "approve", version=task.version, opinion="同意。")

        town.session.expire_all()
        assert town.session.get_one(Project, town.project.id).title == "“一网统管”平台三期"
        assert row.code in reviewer.get("/review/changed/list/").text
        page = handler.get(f"/project/show/{town.project.id}").text
        assert "“一网统管”平台三期" in page
        assert row.code in page
        done = handler.get(f"/change/show/{row.id}").text
        assert samples.new_build()["title"] in done  # what it was called before stays readable

    def test_a_reviewer_corrects_it_directly(self, town: Town) -> None:
        row = change.submit(
            town.actor("handler"),
            (d := drafted(town.actor("handler"), town.project, title="新名称")).id,
            d.version,
        )
        reviewer = town.browser("first")
        task = review.open_task(town.actor("first"), "change", row.id)
        assert task is not None
        path = f"/review/change/{task.id}/edit"
        form = form_of(reviewer.get(path), "declaration-form")
        answer = reviewer.client.post(
            path, data=_multi(form.filled(title="更准确的名称", reason="与会议纪要一致。"))
        )
        assert answer.status_code == 302, answer.text
        assert change.values_of(town.only()).title == "更准确的名称"
        assert "与会议纪要一致。" in town.browser("handler").get(f"/change/show/{row.id}").text

    def test_the_sheet_of_comparison_has_both_sides(self, town: Town) -> None:
        row = drafted(
            town.actor("handler"),
            town.project,
            title="新名称",
            funding_splits=[{"channel": "GENERAL_BUDGET", "amount": "4950000.00"}],
        )
        answer = town.browser("handler").get(f"/change/compare/{row.id}")
        rows = [
            tuple(map(str, each))
            for _, each in read_rows(io.BytesIO(answer.data), max_rows=200, max_bytes_unpacked=1 << 24)
        ]
        text = "\n".join("\t".join(each) for each in rows)
        assert f"{town.project.title}\t新名称" in text
        assert "1,000,000.00" in text

    def test_pages_ask_the_database_little(self, town: Town) -> None:
        drafted(town.actor("handler"), town.project, title="新名称")
        browser = town.browser("handler")
        for path in ("/change/drafts/list/", "/change/list/", "/change/bin/list/"):
            browser.get(path)
            with count_statements() as statements:
                assert browser.get(path).status_code == 200
            assert len(statements) <= 10, statements


def test_the_menu_tells_each_person_what_is_his_turn(town: Town) -> None:
    handler, reviewer = town.browser("handler"), town.browser("first")
    request = drafted(town.actor("handler"), town.project, scope_text="另建移动端。")
    assert _badge(handler, "/change/drafts/list/") == 1
    assert _badge(reviewer, "/review/changes/list/") == 0
    change.submit(town.actor("handler"), request.id, request.version)
    assert _badge(handler, "/change/drafts/list/") == 0
    assert _badge(reviewer, "/review/changes/list/") == 1


def _badge(browser: Browser, entry: str) -> int:
    """The figure beside a menu entry."""
    link = re.search(rf'href="{entry}"[^>]*>(.*?)</a>', browser.get("/").text, re.S)
    assert link is not None
    figure = re.search(r'class="badge[^>]*>(\d+)<', link[1])
    return int(figure[1]) if figure else 0
