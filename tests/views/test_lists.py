"""What every list can do, shown on the project overview and the drafts: conditions, units, order, saved
queries, what a reader keeps, several rows at once, and the way back."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus, Stage
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.log import SystemLog
from app.models.project import Project
from app.models.saved_query import SavedQuery, Sharing
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import declaration
from app.services.access import grant_permission
from app.services.unit_of_work import unit_of_work
from app.views.project import ProjectView
from tests import keys, samples
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.figures import make_project
from tests.keys import key_of
from tests.pages import form_of, words
from tests.security.conftest import Browser
from tests.sql import count_statements

PROJECTS = "/project/list/"
DRAFTS = "/declaration/drafts/list/"
QUERIES = "/saved-query/list/"

Enter = Callable[[AppUser], Browser]


@dataclass(frozen=True)
class Town:
    """A city with a bureau, its brigade, and an archive; and the key of somebody of finance."""

    city: Unit
    bureau: Unit
    brigade: Unit
    archive: Unit
    finance: str


@pytest.fixture(scope="module")
def town(app: Flask, standing: Standing) -> Town:
    with standing():
        city = make_unit("开平市列表")
        bureau = make_unit("市列表局", parent=city)
        brigade = make_unit("市列表大队", parent=bureau)
        archive = make_unit("市列表馆", parent=city)
        return Town(city, bureau, brigade, archive, key_of(app, make_user("finance")))


@pytest.fixture
def enter(app: Flask, town: Town, session: Session) -> Enter:
    """Gives a user a browser, logged in."""
    return lambda user: keys.enter(Browser(app.test_client()), key_of(app, user))


@pytest.fixture
def city(town: Town) -> Unit:
    return town.city


@pytest.fixture
def bureau(town: Town) -> Unit:
    return town.bureau


@pytest.fixture
def brigade(town: Town) -> Unit:
    return town.brigade


@pytest.fixture
def archive(town: Town) -> Unit:
    return town.archive


@pytest.fixture
def finance(app: Flask, town: Town, session: Session) -> Browser:
    return keys.enter(Browser(app.test_client()), town.finance)


def codes(page: Any) -> list[str]:
    """The project numbers on a list page, in order."""
    return re.findall(r">(KP\d{4}[A-Z]{2}\d+)<", page.text)


def chips(page: Any) -> list[str]:
    """The chosen conditions."""
    return [html.unescape(text) for text in re.findall(r'<a class="chip" [^>]*>([^<]+)<i', page.text)]


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(html.unescape(address)).query)


class TestRanges:
    def test_a_named_amount_is_the_offices_line(self, finance: Browser, bureau: Unit) -> None:
        below = make_project(bureau, requested="999999.99")
        at, above = make_project(bureau, requested="1000000.00"), make_project(bureau, requested="9000000.00")
        assert set(codes(finance.get(f"{PROJECTS}?under={bureau.id}&amount_in=from_100"))) == {
            at.code,
            above.code,
        }
        assert codes(finance.get(f"{PROJECTS}?under={bureau.id}&amount_in=under_100")) == [below.code]

    def test_swapped_ends_are_put_right(self, finance: Browser, bureau: Unit) -> None:
        within = make_project(bureau, requested="1500000.00")
        make_project(bureau, requested="500000.00")
        page = finance.get(f"{PROJECTS}?under={bureau.id}&amount_from=２００万&amount_to=1,000,000")
        assert codes(page) == [within.code]
        form = form_of(page, "list-search")
        assert (form.value("amount_from"), form.value("amount_to")) == ("1,000,000", "２００万")

    def test_this_month_is_asked_anew_each_day(self, finance: Browser, bureau: Unit) -> None:
        today = today_in_china(utcnow())
        now = make_project(bureau, submitted=utcnow())
        make_project(bureau, submitted=utcnow() - dt.timedelta(days=today.day + 40))
        page = finance.get(f"{PROJECTS}?under={bureau.id}&submitted_in=this_month")
        assert codes(page) == [now.code]
        assert form_of(page, "list-search").value("submitted_in") == "this_month"

    def test_a_stretch_and_an_end_both_hold(self, finance: Browser, bureau: Unit) -> None:
        fits = make_project(bureau, requested="2000000.00")
        make_project(bureau, requested="7000000.00")
        page = finance.get(f"{PROJECTS}?under={bureau.id}&amount_in=from_100&amount_to=500万")
        assert codes(page) == [fits.code]

    def test_both_ends_are_marked_when_both_are_wrong(self, finance: Browser) -> None:
        page = finance.get(f"{PROJECTS}?amount_from=abc&amount_to=1.234&title=网络")
        assert page.status_code == 400
        assert 'id="error-amount_from"' in page.text and 'id="error-amount_to"' in page.text
        form = form_of(page, "list-search")
        assert (form.value("amount_from"), form.value("title")) == ("abc", "网络")
        assert codes(page) == []

    def test_an_unreadable_condition_exports_nothing(self, finance: Browser) -> None:
        assert finance.get("/project/export?amount_from=abc").status_code == 400


class TestUnits:
    def test_a_unit_asks_for_all_below_it(
        self, finance: Browser, city: Unit, bureau: Unit, brigade: Unit, archive: Unit
    ) -> None:
        own, below, other = (make_project(unit) for unit in (bureau, brigade, archive))
        assert set(codes(finance.get(f"{PROJECTS}?under={bureau.id}"))) == {own.code, below.code}
        assert codes(finance.get(f"{PROJECTS}?under={brigade.id}")) == [below.code]
        both = finance.get(f"{PROJECTS}?under={brigade.id}&under={archive.id}")
        assert set(codes(both)) == {below.code, other.code}
        assert len(chips(both)) == 2
        assert len(codes(finance.get(f"{PROJECTS}?under={city.id}"))) == 3

    def test_the_tree_holds_units_with_rows_and_the_way_to_them(
        self, finance: Browser, city: Unit, bureau: Unit, brigade: Unit, archive: Unit
    ) -> None:
        make_project(brigade)
        page = finance.get(f"{PROJECTS}?under={brigade.id}").text
        offered = {int(unit) for unit in re.findall(r'name="under" value="(\d+)"', page)}
        assert {city.id, bureau.id, brigade.id} <= offered and archive.id not in offered
        assert re.search(rf'name="under" value="{brigade.id}" form="list-search" checked', page)
        counts = finance.get("/project/unit-counts").get_json()
        assert counts[str(brigade.id)] == counts[str(bureau.id)] == counts[str(city.id)] == 1

    def test_figures_follow_the_other_conditions(self, finance: Browser, bureau: Unit, brigade: Unit) -> None:
        make_project(brigade, title="视频网络")
        make_project(bureau, title="数字档案")
        counts = finance.get(f"/project/unit-counts?title=视频&under={bureau.id}").get_json()
        assert (counts[str(bureau.id)], counts[str(brigade.id)]) == (1, 1)

    def test_nothing_outside_the_scope_is_shown(
        self, enter: Enter, bureau: Unit, brigade: Unit, archive: Unit
    ) -> None:
        own, below, other = make_project(bureau), make_project(brigade), make_project(archive)
        handler = enter(make_user("unit_handler", bureau))
        page = handler.get(PROJECTS)
        assert {own.code, below.code} == set(codes(page))
        offered = {int(unit) for unit in re.findall(r'name="under" value="(\d+)"', page.text)}
        assert offered == {bureau.id, brigade.id}
        assert set(handler.get("/project/unit-counts").get_json()) == {str(bureau.id), str(brigade.id)}
        asked = handler.get(f"{PROJECTS}?under={archive.id}")
        assert codes(asked) == [] and other.code not in asked.text
        assert archive.name not in asked.text, "not even its name"

    def test_one_unit_is_no_tree(self, enter: Enter, archive: Unit) -> None:
        make_project(archive)
        handler = enter(make_user("unit_handler", archive))
        for path in (PROJECTS, "/annual-plan/list/", "/review/tasks/list/", "/task/todo/list/"):
            assert "data-units" not in handler.get(path).text, path

    @pytest.mark.parametrize("unit", ["x", "1' OR 1=1", "99999999999"])
    def test_what_is_no_unit_is_refused_on_the_page(self, finance: Browser, unit: str) -> None:
        page = finance.get(PROJECTS, query_string={"under": unit})
        assert page.status_code == 400 and 'role="alert"' in page.text

    def test_a_large_tree_is_fetched_by_itself(
        self, finance: Browser, bureau: Unit, brigade: Unit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_project(bureau), make_project(brigade)
        monkeypatch.setattr("app.views.base.head.MOST_INLINE", 1)
        page = finance.get(f"{PROJECTS}?under={brigade.id}&title=网").text
        (address,) = re.findall(r'data-tree="([^"]+)"', page)
        assert 'name="under"' not in page
        tree = finance.get(html.unescape(address)).text
        assert re.search(rf'value="{brigade.id}" form="list-search" checked', tree)
        assert f'value="{bureau.id}"' in tree


class TestOrder:
    @pytest.fixture
    def projects(self, bureau: Unit) -> list[Project]:
        return [
            make_project(bureau, year=year, requested=amount)
            for year, amount in ((2026, "1.00"), (2025, "2.00"), (2026, "3.00"), (2025, "4.00"))
        ]

    def test_several_columns_in_turn(self, finance: Browser, bureau: Unit, projects: list[Project]) -> None:
        page = finance.get(f"{PROJECTS}?under={bureau.id}&sort=year,-requested_amount")
        assert codes(page) == [projects[at].code for at in (3, 1, 2, 0)]
        assert re.findall(r'aria-sort="(\w+)"', page.text) == ["descending"], "the year is not shown"
        assert re.findall(r'class="sort-place">(\d)<', page.text) == ["2"]

    def test_each_key_can_be_dropped_and_turned_by_a_link(
        self, finance: Browser, bureau: Unit, projects: list[Project]
    ) -> None:
        page = finance.get(f"{PROJECTS}?under={bureau.id}&sort=year,-requested_amount").text
        block = page.split('class="list-order"')[1].split("</div>")[0]
        first_turn, first_drop, second_turn, second_drop = (
            query_of(address).get("sort", [""])[0] for address in re.findall(r'href="([^"]+)"', block)
        )
        assert (first_turn, first_drop) == ("-year,-requested_amount", "-requested_amount")
        assert (second_turn, second_drop) == ("year,requested_amount", "year")

    def test_a_further_key_is_added_by_a_link(self, finance: Browser) -> None:
        page = finance.get(f"{PROJECTS}?sort=-year").text
        menu = page.split("sort-menu")[1].split("</details>")[0]
        added = [query_of(address).get("sort", [""])[0] for address in re.findall(r'href="([^"]+)"', menu)]
        assert "-year,title" in added and not [sort for sort in added if sort.count("year") > 1]

    @pytest.mark.parametrize("sort", ["title,secret", "title,year,code,type,nature,updated_at", ","])
    def test_too_many_or_unknown_keys_are_refused(self, finance: Browser, sort: str) -> None:
        assert finance.get(f"{PROJECTS}?sort={sort}").status_code == 400

    def test_the_same_key_twice_counts_once(
        self, finance: Browser, bureau: Unit, projects: list[Project]
    ) -> None:
        page = finance.get(f"{PROJECTS}?under={bureau.id}&sort=-requested_amount,requested_amount")
        assert codes(page)[0] == projects[3].code


class TestSavedQueries:
    def save(self, browser: Browser, arguments: str, name: str, sharing: str = "MINE", **fields: str) -> Any:
        page = f"/saved-query/add?list=ProjectView&arguments={arguments.replace('&', '%26')}"
        return browser.post(page, {"name": name, "sharing": sharing, **fields})

    def row(self, session: Session, name: str) -> SavedQuery:
        session.expire_all()
        return session.scalars(select(SavedQuery).where(SavedQuery.name == name)).one()

    def test_a_query_is_kept_and_found_again(self, session: Session, finance: Browser, bureau: Unit) -> None:
        wanted = make_project(bureau, requested="2000000.00")
        make_project(bureau, requested="1.00")
        page = finance.get(f"{PROJECTS}?under={bureau.id}&amount_in=from_100&sort=-year&page=1")
        (offered,) = re.findall(r'href="(/saved-query/add[^"]+)"', page.text)
        assert query_of(offered)["arguments"] == [f"under={bureau.id}&amount_in=from_100&sort=-year"]
        form = finance.get(html.unescape(offered))
        assert len(re.findall("chip-plain", form.text)) == 3, "two conditions and the order, in words"
        saved = finance.post(html.unescape(offered), {"name": " 百万  以上 ", "sharing": "MINE"})
        assert saved.status_code == 302
        row = self.row(session, "百万 以上")
        assert query_of(saved.location)["saved"] == [str(row.id)]
        listed = finance.get(saved.location)
        assert codes(listed) == [wanted.code]
        assert re.search(r'class="chip chip-saved active"[^>]*>百万 以上<', listed.text)
        assert "/saved-query/add" not in listed.text, "there is nothing new to save"
        logged = session.scalars(select(SystemLog).where(SystemLog.event == "SAVED_QUERY_CREATED")).one()
        assert logged.row_id == row.id

    def test_the_address_may_name_the_query_alone(
        self, session: Session, finance: Browser, bureau: Unit
    ) -> None:
        self.save(finance, f"under={bureau.id}", "本局")
        number = self.row(session, "本局").id
        there = finance.get(f"{PROJECTS}?saved={number}")
        assert query_of(there.location) == {"under": [str(bureau.id)], "saved": [str(number)]}
        assert finance.get(f"{PROJECTS}?saved=987654").status_code == 200

    def test_changed_conditions_are_taken_over(
        self, session: Session, finance: Browser, bureau: Unit
    ) -> None:
        self.save(finance, "year=2026", "本年")
        number = self.row(session, "本年").id
        page = finance.get(f"{PROJECTS}?year=2027&saved={number}").text
        (address,) = re.findall(rf'href="(/saved-query/edit/{number}[^"]+)"', page)
        form = form_of(finance.get(html.unescape(address)).text.replace("<form ", '<form id="f" ', 3), "f")
        assert form is not None
        done = finance.post(html.unescape(address), {"name": "次年", "sharing": "MINE", "version": "1"})
        assert done.status_code == 302
        assert self.row(session, "次年").arguments == "year=2027"

    def test_a_unit_and_everybody_are_offered_what_is_shared(
        self, session: Session, enter: Enter, bureau: Unit, brigade: Unit, archive: Unit
    ) -> None:
        own, other = make_project(bureau), make_project(archive)
        owner = make_user("bureau_reviewer", bureau)
        colleague, stranger = make_user("unit_handler", bureau), make_user("unit_handler", archive)
        writer = enter(owner)
        self.save(writer, "year=2027", "只给自己")
        self.save(writer, "year=2027", "给本单位", "UNIT")
        self.save(writer, "sort=-title", "给大家", "EVERYONE")
        assert self.row(session, "给大家").sharing is Sharing.EVERYONE
        near, far = enter(colleague).get(PROJECTS), enter(stranger).get(PROJECTS)
        assert "给本单位" in near.text and "给大家" in near.text and "只给自己" not in near.text
        assert "给大家" in far.text and "给本单位" not in far.text
        # Whoever opens it sees what he may see himself.
        number = self.row(session, "给大家").id
        opened = enter(stranger).get(f"{PROJECTS}?sort=-title&saved={number}")
        assert codes(opened) == [other.code] and own.code not in opened.text
        assert enter(stranger).get(f"/saved-query/edit/{number}").status_code in (403, 404)
        refused = enter(stranger).post(f"/saved-query/remove/{number}", form_on="/password/")
        assert refused.status_code == 403
        mine = self.row(session, "只给自己").id
        assert enter(colleague).get(f"/saved-query/open/{mine}").status_code == 404

    def test_sharing_with_everybody_needs_the_permission(self, session: Session, enter: Enter) -> None:
        handler = enter(make_user("unit_handler"))
        assert (
            'value="EVERYONE"'
            not in handler.get("/saved-query/add?list=ProjectView&arguments=year=2026").text
        )
        answer = self.save(handler, "year=2026", "给大家看", "EVERYONE")
        assert answer.status_code == 403 and 'value="给大家看"' in answer.text, (
            "what was typed is still there"
        )
        with unit_of_work(SYSTEM) as work:
            grant_permission(work, "unit_handler", "saved_query.share")
        assert self.save(handler, "year=2026", "给大家看", "EVERYONE").status_code == 302

    def test_a_list_opens_with_the_readers_own_default(
        self, session: Session, finance: Browser, enter: Enter, bureau: Unit
    ) -> None:
        self.save(finance, f"under={bureau.id}", "常看", default="1")
        number = self.row(session, "常看").id
        arrival = finance.get(PROJECTS)
        assert arrival.status_code == 302
        assert query_of(arrival.location) == {"under": [str(bureau.id)], "saved": [str(number)]}
        page = finance.get(arrival.location)
        assert f'href="{PROJECTS}?saved=0"' in page.text, "the way to the list as it is"
        assert finance.get(f"{PROJECTS}?saved=0").status_code == 200
        assert finance.get(f"{PROJECTS}?title=x").status_code == 200, "who asks for something gets that"
        assert enter(make_user("finance")).get(PROJECTS).status_code == 200, "a default is one's own"
        finance.post(f"/saved-query/start/{number}", form_on=QUERIES)
        assert finance.get(PROJECTS).status_code == 200

    def test_a_condition_that_the_list_lost_is_named_and_left_out(
        self, session: Session, finance: Browser, bureau: Unit
    ) -> None:
        project = make_project(bureau)
        self.save(finance, f"under={bureau.id}", "旧查询")
        row = self.row(session, "旧查询")
        with unit_of_work(SYSTEM) as work:
            stored = work.get(SavedQuery, row.id)
            assert stored is not None
            stored.arguments += "&colour=red&sort=-title,weight"
        there = finance.get(f"/saved-query/open/{row.id}")
        page = finance.get(there.location)
        assert page.status_code == 200 and codes(page) == [project.code]
        assert re.search(r'role="alert">[^<]*旧查询[^<]*colour', page.text)
        assert query_of(there.location)["sort"] == ["-title"]

    def test_a_query_may_bring_its_columns(self, session: Session, finance: Browser, bureau: Unit) -> None:
        make_project(bureau, year=2027)
        shown = {"columns": ["title", "code"]}
        finance.post("/project/columns", shown, form_on=PROJECTS)  # type: ignore[arg-type]
        self.save(finance, "year=2027", "两列", with_columns="1")
        finance.post("/project/columns", {"reset": "1"}, form_on=PROJECTS)
        heads = re.compile(r'data-sort-key="(\w+)"')
        number = self.row(session, "两列").id
        assert heads.findall(finance.get(f"{PROJECTS}?year=2027&saved={number}").text) == ["title", "code"]
        assert len(heads.findall(finance.get(f"{PROJECTS}?year=2027").text)) > 2
        # Columns chosen while it is open are one's own: the way back leaves the query.
        back = finance.post(
            "/project/columns",
            {"columns": "code", "next": f"{PROJECTS}?year=2027&saved={number}"},
            form_on=PROJECTS,
        )
        assert heads.findall(finance.get(back.location).text) == ["code"]

    @pytest.mark.parametrize(
        ("arguments", "status"), [("colour=red", 400), ("amount_from=abc", 400), ("sort=secret", 400)]
    )
    def test_what_the_list_refuses_is_not_kept(self, finance: Browser, arguments: str, status: int) -> None:
        assert finance.get(f"/saved-query/add?list=ProjectView&arguments={arguments}").status_code == status

    @pytest.mark.parametrize("key", ["", "NoList", "SystemLogView"])
    def test_only_for_lists_one_may_open(self, finance: Browser, key: str) -> None:
        assert finance.get(f"/saved-query/add?list={key}&arguments=").status_code == 404

    @pytest.mark.parametrize("name", ["", "   ", "长" * 41])
    def test_a_name_has_to_be_one(self, finance: Browser, name: str) -> None:
        answer = self.save(finance, "year=2026", name)
        assert answer.status_code == 400 and 'id="query-name-error"' in answer.text

    def test_a_name_is_taken_once_for_a_list(self, finance: Browser) -> None:
        assert self.save(finance, "year=2026", "一次").status_code == 302
        assert self.save(finance, "year=2027", "一次").status_code == 400

    def test_two_windows_do_not_overwrite_each_other(self, session: Session, finance: Browser) -> None:
        self.save(finance, "year=2026", "窗口")
        page = f"/saved-query/edit/{self.row(session, '窗口').id}"
        assert finance.post(page, {"name": "一", "sharing": "MINE", "version": "1"}).status_code == 302
        assert finance.post(page, {"name": "二", "sharing": "MINE", "version": "1"}).status_code == 409
        assert self.row(session, "一").arguments == "year=2026"


class TestWhatAReaderKeeps:
    def test_the_page_size_is_remembered_for_the_list(
        self, finance: Browser, enter: Enter, bureau: Unit
    ) -> None:
        for _ in range(30):
            make_project(bureau)
        page = finance.get(f"{PROJECTS}?under={bureau.id}&page=2")
        assert len(codes(page)) == 5
        kept = {"page_size": "50", "next": f"{PROJECTS}?under={bureau.id}"}
        there = finance.post("/project/columns", kept, form_on=PROJECTS)
        assert there.location == f"{PROJECTS}?under={bureau.id}"
        assert len(codes(finance.get(there.location))) == 30
        assert len(codes(enter(make_user("finance")).get(f"{PROJECTS}?under={bureau.id}"))) == 25

    def test_an_odd_page_size_is_the_lists_own(self, finance: Browser) -> None:
        finance.post("/project/columns", {"page_size": "1000000"}, form_on=PROJECTS)
        assert finance.get(PROJECTS).status_code == 200

    def test_columns_and_page_size_do_not_disturb_each_other(self, finance: Browser, bureau: Unit) -> None:
        for _ in range(30):
            make_project(bureau)
        finance.post("/project/columns", {"page_size": "50"}, form_on=PROJECTS)
        finance.post("/project/columns", {"columns": "code", "dense": "1"}, form_on=PROJECTS)
        page = finance.get(f"{PROJECTS}?under={bureau.id}")
        assert len(codes(page)) == 30 and re.search('list-table[^"]* dense"', page.text)
        finance.post("/project/columns", {"page_size": "25"}, form_on=PROJECTS)
        assert re.findall(r'data-sort-key="(\w+)"', finance.get(PROJECTS).text) == ["code"]

    def test_the_way_back_stays_on_this_host(self, finance: Browser) -> None:
        answer = finance.post(
            "/project/columns", {"page_size": "50", "next": "//evil.example"}, form_on=PROJECTS
        )
        assert answer.location == PROJECTS


class TestSeveralRows:
    @pytest.fixture
    def handler(self) -> AppUser:
        return make_user("unit_handler")

    def drafts(self, handler: AppUser, count: int) -> list[Declaration]:
        actor = actor_of(handler)
        return [declaration.create(actor, samples.maintenance(title=f"批量{n}")) for n in range(count)]

    def test_what_is_refused_is_named_with_its_reason(
        self, session: Session, enter: Enter, handler: AppUser
    ) -> None:
        browser, (first, second) = enter(handler), self.drafts(handler, 2)
        page = browser.get(DRAFTS)
        token = form_of(page, "list-bulk").value("csrf_token")
        declaration.recycle(actor_of(handler), second.id, second.version)  # somebody was faster
        answer = browser.client.post(
            "/declaration/drafts/recycle",
            data={"csrf_token": token, "rowid": [str(first.id), str(second.id)]},
            environ_base=browser.peer,
        )
        assert answer.status_code == 200
        assert 'data-done="1" data-refused="1"' in answer.text
        rows = re.findall(r"<tr><td>(.*?)</tr>", answer.text, flags=re.S)
        assert second.code in rows[0] and "ti-alert-circle" in rows[0], "what needs attention comes first"
        assert first.code in rows[1] and "ti-circle-check" in rows[1]
        states = dict(session.execute(select(Declaration.id, Declaration.status)).all())
        assert states[first.id] is states[second.id] is DocumentStatus.RECYCLED

    def test_when_all_went_well_the_list_says_so(self, enter: Enter, handler: AppUser) -> None:
        browser, rows = enter(handler), self.drafts(handler, 2)
        chosen = {"rowid": [str(row.id) for row in rows]}
        answer = browser.post("/declaration/drafts/recycle", chosen, form_on=DRAFTS)  # type: ignore[arg-type]
        assert answer.status_code == 302 and answer.location.startswith(DRAFTS)

    def test_all_rows_under_the_conditions(self, session: Session, enter: Enter, handler: AppUser) -> None:
        browser, rows = enter(handler), self.drafts(handler, 28)
        other = declaration.create(actor_of(handler), samples.maintenance(title="留下"))
        page = browser.get(f"{DRAFTS}?q=批量")
        assert 'name="all" value="1"' in page.text
        (address,) = set(re.findall(r'formaction="(/declaration/drafts/recycle\?[^"]*)"', page.text))
        answer = browser.post(html.unescape(address), {"all": "1"}, form_on=DRAFTS)
        assert answer.status_code == 302
        recycled = set(
            session.scalars(select(Declaration.id).where(Declaration.status == DocumentStatus.RECYCLED))
        )
        assert {row.id for row in rows} <= recycled and other.id not in recycled

    def test_more_than_can_be_done_at_once_is_refused(
        self, enter: Enter, handler: AppUser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = enter(handler)
        self.drafts(handler, 3)
        monkeypatch.setattr("app.views.document.drafts.DraftsView.most_at_once", 2)
        answer = browser.post("/declaration/drafts/recycle", {"all": "1"}, form_on=DRAFTS)
        assert answer.status_code == 400

    def test_a_readable_row_that_is_not_ones_own_refuses_them_all(
        self, session: Session, enter: Enter, handler: AppUser
    ) -> None:
        """A reviewer who also fills in for his unit reads others' documents, and may not recycle them."""
        both = make_user("unit_handler,bureau_reviewer")
        foreign = declaration.create(actor_of(handler), samples.maintenance())
        submitted = declaration.submit(actor_of(handler), foreign.id, foreign.version)
        own = declaration.create(actor_of(both), samples.maintenance())
        chosen = {"rowid": [str(own.id), str(submitted.id)]}
        answer = enter(both).post("/declaration/drafts/recycle", chosen, form_on=DRAFTS)  # type: ignore[arg-type]
        assert answer.status_code in (403, 404) or "data-refused" in answer.text
        session.expire_all()
        row = session.get(Declaration, submitted.id)
        assert row is not None and row.status is DocumentStatus.IN_REVIEW

    def test_the_ticked_rows_alone_are_exported(self, finance: Browser, bureau: Unit) -> None:
        chosen, other = make_project(bureau), make_project(bureau)
        answer = finance.post("/project/export", {"rowid": str(chosen.id)}, form_on=PROJECTS)
        sheet = load_workbook(io.BytesIO(answer.data)).active
        assert sheet is not None
        text = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
        assert chosen.code in text and other.code not in text

    @pytest.mark.parametrize("rows", [[], ["x"], ["1"] * 201])
    def test_an_odd_choice_exports_nothing(self, finance: Browser, rows: list[str]) -> None:
        answer = finance.post("/project/export", {"rowid": rows}, form_on=PROJECTS)  # type: ignore[dict-item]
        assert answer.status_code == 400

    def test_a_ticked_row_out_of_scope_exports_nothing(
        self, enter: Enter, bureau: Unit, archive: Unit
    ) -> None:
        own, other = make_project(bureau), make_project(archive)
        handler = enter(make_user("unit_handler", bureau))
        rows = {"rowid": [str(own.id), str(other.id)]}
        assert handler.post("/project/export", rows, form_on=PROJECTS).status_code == 404  # type: ignore[arg-type]


class TestTheWayBack:
    def test_after_an_edit_the_list_is_as_it_was_left(self, enter: Enter) -> None:
        administrator = enter(make_user("sys_admin"))
        unit = make_unit("市返回局")
        administrator.get("/unit/list/?q=返回&sort=-code&page=1")
        page = administrator.get(f"/unit/edit/{unit.id}")
        assert page.text.count("q=%E8%BF%94%E5%9B%9E") == 2, "the crumb and the way back lead there too"
        done = administrator.post(f"/unit/deactivate/{unit.id}", form_on="/password/")
        assert done.location == f"/unit/list/?q=%E8%BF%94%E5%9B%9E&sort=-code&page=1#r{unit.id}"
        assert f'id="r{unit.id}"' in administrator.get(done.location).text

    def test_the_bare_list_forgets(self, enter: Enter) -> None:
        administrator = enter(make_user("sys_admin"))
        unit = make_unit("市忘记局")
        administrator.get("/unit/list/?q=忘记")
        administrator.get("/unit/list/")
        done = administrator.post(f"/unit/deactivate/{unit.id}", form_on="/password/")
        assert done.location == "/unit/list/"

    def test_lists_do_not_mix(self, enter: Enter) -> None:
        administrator = enter(make_user("sys_admin"))
        unit = make_unit("市不混局")
        administrator.get("/dictionary/list/?q=x")
        assert (
            administrator.post(f"/unit/deactivate/{unit.id}", form_on="/password/").location == "/unit/list/"
        )

    @pytest.mark.parametrize(
        "cookie",
        [
            "nonsense",
            "%7B%22/unit/list/%22%3A5%7D",
            "%5B1%5D",
            "%7B%22/unit/list/%22%3A%22x%0d%0aSet-Cookie%22%7D",
        ],
    )
    def test_an_odd_cookie_leads_nowhere_else(self, enter: Enter, cookie: str) -> None:
        administrator = enter(make_user("sys_admin"))
        unit = make_unit()
        administrator.client.set_cookie("places", cookie)
        answer = administrator.post(f"/unit/deactivate/{unit.id}", form_on="/password/")
        assert answer.status_code == 302 and urlsplit(answer.location).path == "/unit/list/"
        assert not urlsplit(answer.location).netloc and "\n" not in answer.location

    def test_the_cookie_stays_small(self, enter: Enter) -> None:
        administrator = enter(make_user("sys_admin"))
        for path in ("unit", "user", "dictionary", "parameter", "sms"):
            administrator.get(f"/{path}/list/?q={'长' * 90}")
        cookie = administrator.client.get_cookie("places")
        assert cookie is not None and 0 < len(cookie.value) <= 2_500


def test_a_page_with_everything_asks_little(finance: Browser, bureau: Unit, brigade: Unit) -> None:
    for unit in (bureau, brigade):
        make_project(unit, stage=Stage.PLANNED)
    TestSavedQueries().save(finance, f"under={bureau.id}", "全部", default="1")
    address = finance.get(PROJECTS).location
    finance.get(address)
    with count_statements() as sent:
        page = finance.get(address)
    assert page.status_code == 200 and len(sent) <= 10, sent
    assert "市列表大队" in words(page)
    assert str(ProjectView.title)
