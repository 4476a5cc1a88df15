"""A leader looks at the figures and follows each mark to the projects behind it."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus, LogLevel, Stage
from app.core.funds import AdjustmentKind
from app.core.money import format_wan
from app.core.workdays import SHANGHAI
from app.models.adjustment import FundAdjustment
from app.models.base import utcnow
from app.models.change import ChangeRequest
from app.models.message import Channel, OutboxMessage
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import clock, log
from app.services.unit_of_work import unit_of_work
from tests.conftest import Standing
from tests.factories import make_unit, make_user
from tests.figures import day, listed, make_declaration, make_project
from tests.keys import enter, key_of, keys_of
from tests.pages import words
from tests.security.conftest import Browser
from tests.sql import count_statements

EVIL = "</script><b>{a}单位"
PHONES = ("13900003320", "13800002210")
ROLES = (
    "unit_handler",
    "unit_leader",
    "bureau_reviewer",
    "bureau_leader",
    "finance",
    "review_firm",
    "expert",
    "viewer_stats",
    "sys_admin",
    "sec_admin",
    "audit_admin",
)


@dataclass(frozen=True)
class Town:
    """Units with projects of every stage, and somebody of the first one in every role, by his key."""

    units: list[Unit]
    keys: dict[str, str]


@pytest.fixture(scope="module")
def town(app: Flask, standing: Standing) -> Town:
    with standing():
        units = _units()
        people = {role: make_user(role, units[0]) for role in ROLES}
        return Town(units, keys_of(app, people))


def _units() -> list[Unit]:
    """Four units with projects of every stage, in several months and of several types, of 2026 and 2027."""
    units = [make_unit(f"开平市第{place}局", short_name=f"第{place}局") for place in range(1, 4)]
    units.append(make_unit(EVIL))
    stages = (Stage.DECLARED, Stage.PLANNED, Stage.CONTRACTED, Stage.REJECTED, Stage.CLOSED)
    for number in range(24):
        stage = stages[number % len(stages)]
        make_project(
            units[number % len(units)],
            title=f"项目{number}",
            year=2027 if number % 6 else 2026,
            requested=f"{(number + 1) * 31900}.{number:02d}",
            arranged=f"{(number + 1) * 30000}.00" if stage in (Stage.PLANNED, Stage.CONTRACTED) else None,
            stage=stage,
            kind=("NEW", "CONTINUING", "OTHER")[number % 3],
            submitted=day(f"2026-{number % 9 + 1:02d}-{1 if number % 2 else 28:02d}", hour=0),
        )
    return units


@pytest.fixture
def office(town: Town, session: Session) -> list[Unit]:
    return town.units


@pytest.fixture
def at_work(app: Flask, town: Town, session: Session) -> Any:
    """A browser for somebody with a role, logged in; somebody new where his unit is told."""

    def begin(role: str, unit: Unit | None = None) -> Browser:
        key = town.keys[role] if unit is None else key_of(app, make_user(role, unit))
        return enter(Browser(app.test_client()), key)

    return begin


def charts_of(page: str) -> list[dict[str, Any]]:
    """The options of every chart of a page, as the browser reads them."""
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    return [json.loads(text, parse_float=Decimal) for text in found]


def items_of(chart: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for series in chart["series"]:
        yield from series["data"]


class TestMarksAndLists:
    @pytest.mark.parametrize("role", ["viewer_stats", "bureau_reviewer"])
    def test_the_list_behind_a_mark_counts_what_the_mark_counts(
        self, at_work: Any, office: list[Unit], role: str
    ) -> None:
        browser = at_work(role)
        _, by_month, funnel = charts_of(browser.get("/dashboard/?year=2027").text)
        marks = [*items_of(by_month), *items_of(funnel)]
        assert sum(item["value"] for item in items_of(by_month)) == 20
        for item in marks:
            assert listed(browser.get(item["href"])) == item["value"], item

    def test_the_list_behind_a_bar_sums_to_the_bar(self, at_work: Any, office: list[Unit]) -> None:
        browser = at_work("viewer_stats")
        by_unit = charts_of(browser.get("/dashboard/?year=2027").text)[0]
        for place, series in enumerate(by_unit["series"]):
            for item in series["data"]:
                page = browser.get(item["href"])
                total = re.findall(
                    r'<span title="[\d,.]+[^"]*">([\d,.]+)</span>', page.text.split("<tfoot>")[1]
                )
                assert total[place] == format_wan(item["value"] * 10_000), (series["name"], item)

    def test_the_others_lead_to_all_other_units(self, at_work: Any, session: Session) -> None:
        for number in range(14):
            make_project(make_unit(), year=2028, requested=f"{1000 - number}.00")
        browser = at_work("viewer_stats")
        by_unit = charts_of(browser.get("/dashboard/?year=2028").text)[0]
        others = by_unit["series"][0]["data"][-1]
        assert others["value"] == Decimal("0.1975")
        assert listed(browser.get(others["href"])) == 2

    def test_a_month_ends_at_midnight_in_china_on_both_sides(self, at_work: Any, session: Session) -> None:
        unit = make_unit()
        make_project(unit, year=2028, submitted=day("2026-09-30", hour=23))
        make_project(unit, year=2028, submitted=day("2026-10-01", hour=0))
        browser = at_work("viewer_stats")
        by_month = charts_of(browser.get("/dashboard/?year=2028").text)[1]
        found = {item["name"]: item for item in items_of(by_month)}
        assert {name: item["value"] for name, item in found.items()} == {"2026-09": 1, "2026-10": 1}
        assert all(listed(browser.get(item["href"])) == 1 for item in found.values())

    def test_a_handler_sees_only_his_units_bars(self, at_work: Any, office: list[Unit]) -> None:
        page = at_work("unit_handler", office[0]).get("/dashboard/?year=2027")
        names = {item["name"] for item in items_of(charts_of(page.text)[0])}
        assert names == {"第1局"}
        assert "第2局" not in page.text


class TestThePage:
    def test_the_figures_stand_beside_each_chart_as_a_table(self, at_work: Any, office: list[Unit]) -> None:
        page = at_work("viewer_stats").get("/dashboard/?year=2027")
        assert page.text.count('<details class="chart-data">') == 3
        assert "第1局" in words(page)

    def test_a_units_name_cannot_leave_the_chart(self, at_work: Any, office: list[Unit]) -> None:
        page = at_work("viewer_stats").get("/dashboard/?year=2027").text
        assert EVIL not in page
        assert html.escape(EVIL) in page
        names = {item["name"] for item in items_of(charts_of(page)[0])}
        assert EVIL in names

    def test_it_begins_with_the_year_that_is_declared_for(self, at_work: Any, office: list[Unit]) -> None:
        chosen = re.search(r'<option value="(\d+)" selected', at_work("viewer_stats").get("/dashboard/").text)
        assert chosen
        assert chosen[1] == "2027"

    def test_a_year_without_projects_says_so(self, at_work: Any, office: list[Unit]) -> None:
        page = at_work("viewer_stats").get("/dashboard/?year=2031")
        assert page.status_code == 200
        assert charts_of(page.text)[-1]["series"][0]["data"][0]["value"] == 0

    @pytest.mark.parametrize("year", ["abc", "99999999999999999999", "-1", "1'", "２０２７"])
    def test_what_is_no_year_is_refused(self, at_work: Any, session: Session, year: str) -> None:
        assert at_work("viewer_stats").get(f"/dashboard/?year={year}").status_code == 400

    def test_those_without_the_right_are_refused(self, at_work: Any, session: Session) -> None:
        assert at_work("sys_admin").get("/dashboard/").status_code == 403
        assert at_work("review_firm").get("/dashboard/").status_code == 403

    def test_a_visitor_is_sent_to_the_log_in(self, app: Flask, session: Session) -> None:
        answer = app.test_client().get("/dashboard/")
        assert answer.status_code == 302
        assert "/login/" in answer.location

    def test_a_leader_for_figures_sees_no_telephone_anywhere(self, at_work: Any, office: list[Unit]) -> None:
        browser = at_work("viewer_stats")
        project = make_project(office[0])
        pages = (
            "/",
            "/dashboard/",
            "/project/list/",
            f"/project/show/{project.id}",
            "/declaration-summary/list/",
        )
        for path in pages:
            page = browser.get(path)
            assert page.status_code == 200, path
            assert not any(phone in page.text for phone in PHONES), path
        assert browser.get("/project/export").status_code == 403


class TestTheWorkbench:
    @pytest.mark.parametrize("role", ROLES)
    def test_everybody_has_one_in_few_statements(self, at_work: Any, office: list[Unit], role: str) -> None:
        browser = at_work(role)
        browser.get("/")
        with count_statements() as sent:
            page = browser.get("/")
        assert page.status_code == 200
        assert len(sent) <= 10, sent

    def test_a_handler_finds_what_was_sent_back(self, at_work: Any, session: Session) -> None:
        unit = make_unit()
        make_declaration(unit, title="教育城域网运维")
        page = words(at_work("unit_handler", unit).get("/"))
        assert "教育城域网运维" in page

    def test_the_cards_of_what_is_to_be_submitted_add_up_to_the_line_and_lead_to_just_that(
        self, at_work: Any, session: Session, office: list[Unit]
    ) -> None:
        unit = make_unit()
        make_declaration(unit)
        with unit_of_work(SYSTEM) as work:
            for number, status in enumerate((DocumentStatus.RETURNED, DocumentStatus.DRAFT)):
                project = make_project(unit, stage=Stage.PLANNED)
                fields = {"status": status, "unit_id": unit.id, "project_id": project.id, "base_version": 1}
                work.add(ChangeRequest(code=f"BG2027-9{number}", **fields))
        browser = at_work("unit_handler", unit)
        page = browser.get("/")
        assert "有 1 件单据被退回待补正，2 件草稿" in words(page)
        cards = re.findall(
            r'href="(/[a-z]+/drafts/list/)".*?待提交：.*?退回待补正 (\d) 件.*?m-0 text-nowrap">(\d)<',
            page.text,
            re.S,
        )
        assert cards == [("/declaration/drafts/list/", "0", "1"), ("/change/drafts/list/", "1", "2")]
        for path, _, figure in cards:
            assert f'data-total="{figure}"' in browser.get(path).text, path
            assert page.text.count(f'href="{path}"') >= 2, "the panel below leads there too"

    def test_a_reviewer_is_led_only_to_drafts_that_he_may_open(self, at_work: Any, session: Session) -> None:
        browser, unit = at_work("bureau_reviewer", own := make_unit()), make_unit()
        make_declaration(unit)
        with unit_of_work(SYSTEM) as work:
            user = work.scalars(select(AppUser).where(AppUser.unit_id == own.id)).one()
            work.add(
                FundAdjustment(
                    code="TZ2027-90",
                    status=DocumentStatus.DRAFT,
                    unit_id=own.id,
                    created_by_id=user.id,
                    kind=AdjustmentKind.ADD,
                    year=2027,
                )
            )
        page = browser.get("/").text
        assert "/declaration/drafts/" not in page
        assert page.count('href="/adjustment/drafts/list/"') >= 2
        assert 'data-total="1"' in browser.get("/adjustment/drafts/list/").text

    def test_an_administrator_sees_whether_the_clock_runs(self, at_work: Any, session: Session) -> None:
        browser = at_work("sys_admin")
        clock.record_run("scan_reviews", utcnow(), "worker-7", outcome="raised=3", failed=True)
        page = words(browser.get("/"))
        assert "worker-7" in page and "新增预警 3" in page and "raised" not in page

    def test_an_administrator_is_told_that_text_messages_wait_for_the_offices_hours(
        self, at_work: Any, session: Session
    ) -> None:
        browser, person = at_work("sys_admin"), make_user()
        later = utcnow() + dt.timedelta(hours=3)
        with unit_of_work(SYSTEM) as work:
            for number, (channel, at) in enumerate(
                ((Channel.SMS, later), (Channel.SMS, later), (Channel.IN_APP, utcnow()))
            ):
                fields = {"channel": channel, "next_attempt_at": at, "recipient_id": person.id}
                work.add(OutboxMessage(key=f"held-{number}", template="DUE_SOON", **fields))
        page = words(browser.get("/"))
        assert f"2 条短信将于 {later.astimezone(SHANGHAI):%H:%M} 起发送" in page

    def test_an_auditor_sees_the_last_warnings(self, at_work: Any, session: Session) -> None:
        with unit_of_work(SYSTEM) as work:
            log.record(work, SYSTEM, "AUTHZ_DENIED", summary="非授权访问 /user/1", level=LogLevel.WARNING)
        page = words(at_work("audit_admin").get("/"))
        assert "非授权访问 /user/1" in page
        assert "非授权访问" not in words(at_work("sys_admin").get("/"))

    def test_its_marks_lead_to_lists_that_count_the_same(self, at_work: Any, office: list[Unit]) -> None:
        browser = at_work("bureau_reviewer")
        for chart in charts_of(browser.get("/").text):
            if chart["series"][0]["type"] == "bar":
                continue
            for item in items_of(chart):
                assert listed(browser.get(item["href"])) == item["value"], item
