"""项目调整 on the pages: drafting with what the projects have, both sides compared, review, and the chain."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.core.enums import DocumentStatus, Stage
from app.core.xlsx import read_rows
from app.models.adjustment import FundAdjustment
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services.unit_of_work import current_session
from tests.adjustments import GENERAL, GRANT, Bureau, arranged, fresh, into, out, task_of
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.keys import enter, keys_of
from tests.pages import form_of, words
from tests.samples import pdf
from tests.security.conftest import Browser
from tests.sql import count_statements


@dataclass
class Town:
    """The bureau and finance, each with a browser, and projects with money."""

    app: Flask
    people: Mapping[str, AppUser]
    keys: Mapping[str, str]
    bureau: Bureau

    @property
    def session(self) -> Session:
        return current_session()

    def browser(self, name: str) -> Browser:
        return enter(Browser(self.app.test_client()), self.keys[name])


@pytest.fixture(scope="module")
def begun(app: Flask, standing: Standing) -> Town:
    """The town as every test finds it."""
    with standing():
        unit = make_unit("市政数局(测试)")
        people = {
            "drafter": make_user("bureau_reviewer", unit),
            "leader": make_user("bureau_leader", unit),
            "finance": make_user("finance", make_unit("市财政局(测试)")),
            "handler": make_user("unit_handler", make_unit("市教育局(测试)")),
        }
        drafter, leader, finance, _ = map(actor_of, people.values())
        return Town(app, people, keys_of(app, people), Bureau(unit, drafter, leader, finance))


@pytest.fixture
def town(begun: Town, session: Session) -> Town:
    return begun


NEW = "/adjustment/drafts/new"
BASIS = {
    "title": "调剂信息化项目资金",
    "kind": "TRANSFER",
    "year": "2026",
    "basis_no": "开财〔2026〕8号",
    "basis_date": "2026-01-15",
    "reason": "招标节余。",
}


def sent(browser: Browser, path: str, *, intent: str, **changes: Any) -> Any:
    """The form as it stands on the page, with these fields filled in, and a button pressed."""
    pairs = [*form_of(browser.get(path), "declaration-form").filled(**changes), ("intent", intent)]
    data: dict[str, Any] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    if intent == "submit":
        data["file.ADJUSTMENT"] = (io.BytesIO(pdf()), "调整文件.pdf")
    return browser.client.post(path, data=data, content_type="multipart/form-data")


def rows(*lines: tuple[str, str, str, str]) -> dict[str, str]:
    """Rows as typed: number, direction, channel, amount."""
    names = ("project_id", "direction", "channel", "amount")
    return {
        f"lines__{index}__{name}": value
        for index, line in enumerate(lines)
        for name, value in zip(names, line, strict=True)
    }


def the_only(session: Session) -> FundAdjustment:
    session.expire_all()
    return session.query(FundAdjustment).one()


class TestDrafting:
    def test_without_any_script_projects_are_named_by_their_numbers(self, town: Town) -> None:
        giver, taker = town.bureau.project("1000.00"), town.bureau.project("500.00")
        browser = town.browser("drafter")
        saved = sent(
            browser,
            NEW,
            intent="save",
            **BASIS,
            **rows((f"{giver.code} {giver.title}", "OUT", GENERAL, "300"), ("", "", "", "")),
        )
        assert saved.status_code == 302
        path = saved.headers["Location"]
        page = browser.get(path)
        form = form_of(page, "declaration-form")
        assert form.value("lines.0.project_id") == giver.code
        assert form.value("lines.0.amount_before") == "1000.00"
        assert "1,000.00" in words(page) and "700.00" in words(page)

        done = sent(
            browser,
            path,
            intent="submit",
            **rows((giver.code, "OUT", GENERAL, "300"), (taker.code, "IN", GENERAL, "300.00")),
        )
        assert done.status_code == 302, words(done)
        row = the_only(town.session)
        assert (row.status, row.out_amount, row.in_amount) == (
            DocumentStatus.IN_REVIEW,
            Decimal("300.00"),
            Decimal("300.00"),
        )

    def test_a_refused_form_comes_back_as_typed_with_each_message_beside_its_field(self, town: Town) -> None:
        giver, closed = town.bureau.project("1000.00"), town.bureau.project(stage=Stage.CLOSED)
        answer = sent(
            town.browser("drafter"),
            NEW,
            intent="submit",
            **BASIS,
            **rows((giver.code, "OUT", GENERAL, "1000.01"), (closed.code, "IN", GENERAL, "5")),
        )
        assert answer.status_code == 400
        form = form_of(answer, "declaration-form")
        assert form.value("lines.0.amount") == "1000.01"
        for place in ("lines-0-amount-error", "lines-1-project_id-error", "lines-error"):
            assert f'id="{place}"' in answer.text
        assert town.session.query(FundAdjustment).one().status is DocumentStatus.DRAFT

    def test_a_project_that_does_not_exist_stays_typed(self, town: Town) -> None:
        answer = sent(
            town.browser("drafter"),
            NEW,
            intent="save",
            **BASIS,
            **rows(("KP2099XJ9999", "OUT", GENERAL, "1")),
        )
        assert answer.status_code == 400
        assert form_of(answer, "declaration-form").value("lines.0.project_id") == "KP2099XJ9999"

    def test_a_stale_draft_shows_todays_figure_and_says_so(self, town: Town) -> None:
        project = town.bureau.project("1000.00")
        row = town.bureau.draft(out(project, "300.00"), kind="WITHDRAW")
        town.bureau.approve(town.bureau.submitted(out(project, "100.00"), kind="WITHDRAW"))
        browser = town.browser("drafter")
        path = f"/adjustment/drafts/edit/{row.id}"
        page = browser.get(path)
        assert "1,000.00" in words(page) and "900.00" in words(page)
        assert form_of(page, "declaration-form").value("lines.0.amount_before") == "900.00"
        assert sent(browser, path, intent="submit").status_code == 302, "he has seen the new figure now"

    def test_the_picker_finds_by_number_and_title_what_can_be_adjusted(self, town: Town) -> None:
        wanted = town.bureau.project("1000.00", title="政务云资源租用", channels={GENERAL: "6", GRANT: "4"})
        town.bureau.project(None, title="政务云没有预算")
        town.bureau.project("5.00", title="政务云已完结", stage=Stage.CLOSED)
        browser = town.browser("drafter")
        for asked in ("政务云", wanted.code[:9], wanted.code.lower()):
            (found,) = [
                each
                for each in browser.client.get("/adjustment/drafts/projects", query_string={"q": asked}).json
                if each["id"] == wanted.id
            ]
        assert found["channels"] == {GENERAL: "600.00", GRANT: "400.00"}
        titles = [
            each["title"]
            for each in browser.client.get("/adjustment/drafts/projects", query_string={"q": "政务云"}).json
        ]
        assert titles == ["政务云资源租用"]
        assert browser.client.get("/adjustment/drafts/projects?q=%25").json == [], "no wildcard"

    def test_the_picker_is_not_for_units(self, town: Town) -> None:
        assert town.browser("handler").get("/adjustment/drafts/projects?q=KP").status_code in (302, 403)


class TestReading:
    def test_reviewers_are_warned_when_figures_have_moved(self, town: Town) -> None:
        project = town.bureau.project("1000.00")
        row = town.bureau.submitted(out(project, "300.00"), kind="WITHDRAW")
        town.bureau.approve(row, town.bureau.leader)
        browser = town.browser("finance")
        assert "alert-warning" not in browser.get(f"/adjustment/show/{row.id}").text
        town.bureau.approve(town.bureau.submitted(out(project, "100.00"), kind="WITHDRAW"))
        page = browser.get(f"/adjustment/show/{row.id}")
        assert "alert-warning" in page.text and "900.00" in words(page)

    def test_the_page_compares_by_project_unit_and_channel(self, town: Town) -> None:
        unit = make_unit("市水利局(测试)", short_name="市水利局")
        one, two = town.bureau.project("1000.00", unit=unit), town.bureau.project("500.00", unit=unit)
        three = town.bureau.project("200.00")
        row = town.bureau.submitted(out(one, "300.00"), into(two, "250.00"), into(three, "50.00"))
        page = words(town.browser("finance").get(f"/adjustment/show/{row.id}"))
        assert f"{one.code} {one.title} 1,000.00 300.00 0.00 -300.00 700.00" in page
        assert "市水利局 1,500.00 300.00 250.00 -50.00 1,450.00" in page
        assert "1,700.00 300.00 300.00 0.00 1,700.00" in page, "the channel keeps what it had"
        assert "叁佰元整" in page

    def test_the_rows_as_a_workbook(self, town: Town) -> None:
        giver, taker = town.bureau.project("1000.00"), town.bureau.project("500.00")
        row = town.bureau.submitted(out(giver, "300.00"), into(taker, "300.00"))
        answer = town.browser("finance").get(f"/adjustment/{row.id}/workbook")
        found = [
            cells for _, cells in read_rows(io.BytesIO(answer.data), max_rows=10, max_bytes_unpacked=1 << 24)
        ]
        assert len(found) == 4, "heading, two rows, total"
        assert [Decimal(str(cell)) if cell else None for cell in found[1][5:9]] == [1000, 300, None, 700]
        assert [Decimal(str(cell)) for cell in found[3][5:9]] == [1500, 300, 300, 1500]

    def test_what_a_unit_reads_of_it_is_its_own_projects_chain(self, town: Town) -> None:
        unit = town.session.get(Unit, town.people["handler"].unit_id)
        project = town.bureau.project("1000.00", unit=unit)
        row = town.bureau.submitted(out(project, "300.00"), kind="WITHDRAW")
        town.bureau.approve(row)
        browser = town.browser("handler")
        page = browser.get(f"/project/show/{project.id}")
        shown = words(page)
        assert row.code in shown and "-300.00 700.00" in shown
        assert f"/adjustment/show/{row.id}" not in page.text, "the document names other units' projects"
        assert browser.get(f"/adjustment/show/{row.id}").status_code in (302, 403, 404)
        finance = town.browser("finance").get(f"/project/show/{project.id}")
        assert f"/adjustment/show/{row.id}" in finance.text

    @pytest.mark.parametrize("path", ["/adjustment/list/", "/adjustment/lines/list/"])
    def test_a_list_costs_no_statement_a_row(self, town: Town, path: str) -> None:
        browser = town.browser("finance")

        def cost() -> int:
            browser.get(path)
            with count_statements() as seen:
                assert browser.get(path).status_code == 200
            return len(seen)

        town.bureau.submitted(into(town.bureau.project(), "1.00"), kind="ADD")
        before = cost()
        for _ in range(4):
            town.bureau.submitted(into(town.bureau.project(), "1.00"), kind="ADD")
        assert cost() == before
        assert before <= 14, "the list's own, the menu and the header together"

    def test_the_lists_find_an_adjustment_by_its_project(self, town: Town) -> None:
        project = town.bureau.project(title="水库大坝安全监测平台")
        wanted = town.bureau.submitted(into(project, "1.00"), kind="ADD")
        other = town.bureau.submitted(into(town.bureau.project(), "1.00"), kind="ADD")
        browser = town.browser("finance")
        page = words(browser.client.get("/adjustment/list/", query_string={"project": "大坝"}))
        assert wanted.code in page and other.code not in page
        rows_found = words(browser.client.get("/adjustment/lines/list/", query_string={"project": "大坝"}))
        assert wanted.code in rows_found and other.code not in rows_found


class TestReview:
    def test_finance_approves_on_the_page_and_the_chain_shows(self, town: Town) -> None:
        giver, taker = town.bureau.project("1000.00"), town.bureau.project("500.00")
        row = town.bureau.submitted(out(giver, "300.00"), into(taker, "300.00"))
        for name in ("leader", "finance"):
            browser = town.browser(name)
            assert row.code in words(browser.get("/review/adjustment/tasks/list/"))
            answer = _approve(town, browser, name, row)
            assert answer.status_code in (200, 302), words(answer)
        assert fresh(row).status is DocumentStatus.APPROVED
        assert arranged(town.session, giver) == Decimal("700.00")
        finance = town.browser("finance")
        assert row.code in words(finance.get("/review/adjustment/reviewed/list/"))
        assert "-300.00 700.00" in words(finance.get(f"/project/show/{giver.id}"))


def _approve(town: Town, browser: Browser, name: str, row: FundAdjustment) -> Any:
    task = task_of(actor_of(town.people[name]), row)
    page = browser.get(f"/review/{task.id}")
    pairs = form_of(page, "review-form").filled(opinion="同意。")
    data = {key: value for key, value in pairs if key != "verb"} | {"verb": "approve"}
    return browser.client.post(form_of(page, "review-form").action, data=data)


def test_a_project_of_which_nothing_was_arranged_says_so(town: Town) -> None:
    project: Project = town.bureau.project(None)
    page = town.browser("finance").get(f"/project/show/{project.id}")
    assert 'id="funds"' in page.text
