"""项目总览, 项目申报汇总 and 年度需求计划: which projects stand there, and with which sums."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import Stage
from app.core.flow import Verb
from app.models.annual_plan import AnnualPlan
from app.models.flow import FlowRun, Task
from app.models.project import Project
from app.models.unit import Unit
from app.services import annual_plan, declaration, review
from tests import samples
from tests.conftest import Standing
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.figures import day, listed, make_project
from tests.keys import enter, key_of
from tests.pages import words
from tests.security.conftest import Browser
from tests.sql import count_statements

OVERVIEW, SUMMARY, PLAN = "/project/list/", "/declaration-summary/list/", "/annual-plan/list/"


@pytest.fixture(scope="module")
def finance(app: Flask, standing: Standing) -> str:
    """The key of somebody of finance."""
    with standing():
        return key_of(app, make_user("finance"))


@pytest.fixture
def at_work(app: Flask, finance: str, session: Session) -> Any:
    """A browser for somebody with a role, logged in."""

    def begin(role: str, unit: Unit | None = None, **fields: Any) -> Browser:
        usual = role == "finance" and unit is None and not fields
        key = finance if usual else key_of(app, make_user(role, unit, **fields))
        return enter(Browser(app.test_client()), key)

    return begin


@pytest.fixture(scope="class")
def projects(finance: str, standing_here: Standing) -> dict[str, Project]:
    """One in the plan, one contracted, for the conditions of the lists."""
    with standing_here():
        first, second = make_unit("开平市公安局(条件)"), make_unit("开平市档案馆(条件)")
        return {
            "network": make_project(
                first, title="视频专网安全加固", requested="999999.99", stage=Stage.PLANNED, year=2026
            ),
            "archive": make_project(
                second,
                title="数字档案馆建设",
                requested="2160000.00",
                arranged="2000000.00",
                stage=Stage.CONTRACTED,
                channels={"GENERAL_BUDGET": "1160000.00", "BOND": "1000000.00"},
                submitted=day("2026-03-31", hour=23),
                kind="CONTINUING",
            ),
        }


def codes(page: Any) -> list[str]:
    """The project numbers on a list page, in order."""
    return re.findall(r">(KP\d{4}[A-Z]{2}\d+)<", page.text)


class TestWhatHasPassedTheFirstReview:
    def test_a_project_appears_once_the_first_reviewer_has_approved(
        self, session: Session, at_work: Any
    ) -> None:
        unit = make_unit("开平市教育局(汇总)")
        handler = make_actor("unit_handler", unit)
        first = actor_of(make_user("bureau_reviewer"))
        second = actor_of(make_user("bureau_checker"))
        make_user("bureau_leader")
        browser = at_work("finance")

        def shown() -> int:
            return listed(browser.get(f"{SUMMARY}?unit={unit.id}"))

        draft = declaration.create(handler, samples.maintenance())
        assert shown() == 0
        row = declaration.submit(handler, draft.id, draft.version)
        assert shown() == 0, "nobody has reviewed it yet"
        self.act(session, first, row.id, Verb.APPROVE)
        assert shown() == 1
        self.act(session, second, row.id, Verb.RETURN, opinion="请补充报价依据。")
        assert shown() == 0, "it went back to its unit"

    def test_planned_projects_stay_and_refused_ones_never_come(self, session: Session, at_work: Any) -> None:
        unit = make_unit()
        planned = make_project(unit, stage=Stage.PLANNED)
        building = make_project(unit, stage=Stage.CONTRACTED)
        for stage in (Stage.DECLARED, Stage.REJECTED, Stage.TERMINATED):
            make_project(unit, stage=stage)
        page = at_work("finance").get(f"{SUMMARY}?unit={unit.id}")
        assert set(codes(page)) == {planned.code, building.code}

    @staticmethod
    def act(session: Session, actor: Actor, document_id: int, verb: Verb, opinion: str = "") -> None:
        task = session.scalars(
            select(Task)
            .join(FlowRun, FlowRun.id == Task.run_id)
            .where(FlowRun.document_id == document_id, Task.user_id == actor.user_id)
            .order_by(Task.id.desc())
        ).first()
        assert task is not None
        review.act(actor, task.id, verb, version=task.version, opinion=opinion)


@pytest.mark.usefixtures("projects")
class TestConditions:
    @pytest.mark.parametrize("path", [OVERVIEW, SUMMARY])
    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("code={archive.code}", {"archive"}),
            ("title=专网", {"network"}),
            ("title=%25", set()),
            ("unit={archive.unit_id}", {"archive"}),
            ("unit={archive.unit_id}&unit={network.unit_id}", {"archive", "network"}),
            ("construction_status=BUILDING", {"archive"}),
            ("channel=BOND", {"archive"}),
            ("channel=BOND&channel=GENERAL_BUDGET", {"archive", "network"}),
            ("year=2026", {"network"}),
            ("title=档案&year=2026", set()),
        ],
    )
    def test_each_condition_of_the_requirements(
        self, at_work: Any, projects: dict[str, Project], path: str, condition: str, found: set[str]
    ) -> None:
        page = at_work("finance").get(f"{path}?{condition.format(**projects)}")
        assert set(codes(page)) == {projects[name].code for name in found}

    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("q=档案馆(条件)", {"archive"}),
            ("q=专网", {"network"}),
            ("q={network.code}", {"network"}),
            ("type=CONTINUING", {"archive"}),
            ("amount_from=1000000", {"archive"}),
            ("amount_to=999999.99", {"network"}),
            ("submitted_from=2026-03-31&submitted_to=2026-03-31", {"archive"}),
            ("submitted_from=2026-04-01&submitted_to=2026-04-30", set()),
            ("reached=CONTRACTED", {"archive"}),
            ("other_than={archive.unit_id}", {"network"}),
        ],
    )
    def test_the_overview_knows_more(
        self, at_work: Any, projects: dict[str, Project], condition: str, found: set[str]
    ) -> None:
        page = at_work("finance").get(f"{OVERVIEW}?{condition.format(**projects)}")
        assert set(codes(page)) == {projects[name].code for name in found}

    def test_the_sums_are_those_of_the_rows_found(self, at_work: Any, projects: dict[str, Project]) -> None:
        page = at_work("finance").get(f"{SUMMARY}?channel=GENERAL_BUDGET")
        foot = page.text.split("<tfoot>")[1]
        assert "316.00" in foot and "3,159,999.99" in foot
        assert "200.00" in foot and "2,000,000.00" in foot
        assert listed(page) == 2

    @pytest.mark.parametrize("path", [OVERVIEW, SUMMARY, PLAN])
    @pytest.mark.parametrize(
        "query",
        [
            "unit=abc",
            "unit=99999999999999999999",
            "construction_status=NONSENSE",
            "year=20x7",
            "sort=password",
            "page=abc",
            "page_size=-1",
            "unknown=1",
        ],
    )
    def test_what_the_list_does_not_know_is_refused(self, at_work: Any, path: str, query: str) -> None:
        assert at_work("finance").get(f"{path}?{query}").status_code == 400

    def test_a_page_behind_the_last_is_the_last(self, at_work: Any, projects: dict[str, Project]) -> None:
        page = at_work("finance").get(f"{OVERVIEW}?page=999999&page_size=1000000")
        assert len(codes(page)) == 2

    @pytest.mark.parametrize("column", ["code", "title", "unit", "year", "requested_amount", "updated_at"])
    def test_every_column_sorts_both_ways(
        self, at_work: Any, projects: dict[str, Project], column: str
    ) -> None:
        browser = at_work("finance")
        rising = codes(browser.get(f"{OVERVIEW}?sort={column}"))
        assert rising == codes(browser.get(f"{OVERVIEW}?sort=-{column}"))[::-1]
        assert len(rising) == 2


class TestScope:
    def test_a_handler_sees_his_units_projects_and_chooses_among_his_units(self, at_work: Any) -> None:
        mine, other = make_unit("开平市公安局(范围)"), make_unit("开平市水利局(范围)")
        own, foreign = make_project(mine, stage=Stage.PLANNED), make_project(other, stage=Stage.PLANNED)
        browser = at_work("unit_handler", mine)
        for path in (OVERVIEW, SUMMARY, PLAN):
            page = browser.get(path)
            assert codes(page) == [own.code], path
            assert other.name not in page.text, path
            assert codes(browser.get(f"{path}?unit={other.id}")) == [], path
        assert browser.get(f"/project/show/{own.id}").status_code == 200
        assert browser.get(f"/project/show/{foreign.id}").status_code == 404

    def test_a_list_page_is_few_statements_whatever_it_finds(self, at_work: Any) -> None:
        unit = make_unit()
        for _ in range(30):
            make_project(unit, stage=Stage.PLANNED)
        browser = at_work("finance")
        for path in (OVERVIEW, SUMMARY, PLAN):
            browser.get(path)
            with count_statements() as sent:
                browser.get(f"{path}?unit={unit.id}&channel=GENERAL_BUDGET&year=2027")
            assert len(sent) <= 10, sent

    def test_marks_and_words_tell_the_stage(self, at_work: Any) -> None:
        make_project(make_unit(), stage=Stage.CONTRACTED)
        page = at_work("viewer_stats").get(OVERVIEW).text
        assert re.search(r'<span class="stage d4 now" role="img" title="[^"]*4/8[^"]*"></span>', page)


class TestArranging:
    @pytest.fixture
    def planned(self, session: Session) -> AnnualPlan:
        project = make_project(make_unit("开平市水利局(预算)"), requested="1780000.00", stage=Stage.PLANNED)
        plan = session.scalar(select(AnnualPlan).where(AnnualPlan.project_id == project.id))
        assert plan is not None
        return plan

    def send(self, browser: Browser, plan: AnnualPlan, **fields: str) -> Any:
        path = f"/annual-plan/arrange/{plan.id}"
        found = re.search(r'name="version"[^>]*value="(\d+)"', browser.get(path).text)
        assert found
        return browser.post(path, {"version": found[1], **fields})

    def test_finance_enters_the_budget_and_every_list_shows_it(
        self, session: Session, at_work: Any, planned: AnnualPlan
    ) -> None:
        browser = at_work("finance")
        answer = self.send(
            browser, planned, amount="1,691,000.00", doc_no="开财预〔2027〕1号", published_on="2026-11-01"
        )
        assert (answer.status_code, answer.location) == (302, PLAN)
        project = session.get(Project, planned.project_id, populate_existing=True)
        assert project is not None
        assert project.arranged_amount == Decimal("1691000.00")
        for path in (OVERVIEW, SUMMARY, PLAN):
            assert "169.10" in browser.get(path).text, path
        assert "开财预〔2027〕1号" in browser.get(PLAN).text
        assert "开财预〔2027〕1号" in browser.get(f"/project/show/{project.id}").text

    @pytest.mark.parametrize("amount", ["12.345", "-1", "", "一百万"])
    def test_what_is_no_amount_comes_back_with_the_form_filled(
        self, session: Session, at_work: Any, planned: AnnualPlan, amount: str
    ) -> None:
        answer = self.send(at_work("finance"), planned, amount=amount, doc_no="开财预〔2027〕9号")
        assert answer.status_code == 400
        assert f'value="{amount}"' in answer.text
        assert 'value="开财预〔2027〕9号"' in answer.text
        assert 'id="amount-error"' in answer.text
        project = session.get(Project, planned.project_id, populate_existing=True)
        assert project is not None
        assert project.arranged_amount is None

    def test_more_than_requested_asks_first_and_is_saved_with_the_box_ticked(
        self, session: Session, at_work: Any, planned: AnnualPlan
    ) -> None:
        browser = at_work("finance")
        fields = {"amount": "17,800,000,000", "doc_no": "开财预〔2027〕9号"}
        answer = self.send(browser, planned, **fields)
        assert answer.status_code == 400
        assert "安排金额 17,800,000,000.00 元超过申请金额 1,780,000.00 元，请核对计量单位（元）。" in words(
            answer
        )
        assert 'value="17,800,000,000"' in answer.text and 'value="开财预〔2027〕9号"' in answer.text
        box = re.search(r'type="checkbox" id="confirmed" name="confirmed" value="([^"]+)"', answer.text)
        assert box and "checked" not in answer.text
        assert (
            self.send(browser, planned, **{**fields, "amount": "17800001"}, confirmed=box[1]).status_code
            == 400
        )
        assert session.get_one(Project, planned.project_id, populate_existing=True).arranged_amount is None
        assert self.send(browser, planned, **fields, confirmed=box[1]).status_code == 302
        project = session.get_one(Project, planned.project_id, populate_existing=True)
        assert project.arranged_amount == Decimal(17_800_000_000)

    def test_a_stale_page_says_who_changed_what_and_keeps_what_was_typed(
        self, session: Session, at_work: Any, planned: AnnualPlan
    ) -> None:
        browser, path = at_work("finance"), f"/annual-plan/arrange/{planned.id}"
        browser.get(path)
        colleague = actor_of(make_user("finance", last_name="吴", first_name="婉仪"))
        annual_plan.arrange(colleague, planned.project_id, planned.version, "1000000", "开财预〔2027〕2号")
        answer = browser.post(path, {"version": "1", "amount": "1500000", "doc_no": "我的文号"})
        assert answer.status_code == 409
        shown = words(answer)
        assert "吴婉仪" in shown and "1000000.00" in shown
        assert 'value="1500000"' in answer.text and 'value="我的文号"' in answer.text
        project = session.get(Project, planned.project_id, populate_existing=True)
        assert project is not None
        assert project.arranged_amount == Decimal("1000000.00")

    def test_nobody_else_may(self, at_work: Any, planned: AnnualPlan) -> None:
        for role in ("unit_handler", "bureau_leader", "viewer_stats", "sys_admin"):
            assert at_work(role).get(f"/annual-plan/arrange/{planned.id}").status_code == 403, role
        assert at_work("finance").get("/annual-plan/arrange/987654321").status_code == 404

    def test_the_plans_row_leads_to_its_project(self, at_work: Any, planned: AnnualPlan) -> None:
        answer = at_work("finance").get(f"/annual-plan/show/{planned.id}")
        assert answer.location == f"/project/show/{planned.project_id}"
        elsewhere = at_work("unit_handler", make_unit())
        assert elsewhere.get(f"/annual-plan/show/{planned.id}").status_code == 404
