"""The workbook: exactly the filtered rows and chosen columns, in order, as values that add up."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import Stage
from app.models.log import SystemLog
from app.models.unit import Unit
from tests.conftest import IsolatedClient
from tests.factories import make_unit, make_user
from tests.figures import day, make_project
from tests.security.conftest import Browser

SUMMARY, OVERVIEW, PLAN = "/declaration-summary", "/project", "/annual-plan"
DANGEROUS = ('=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1")


@pytest.fixture
def finance(app: Flask, session: Session) -> Browser:
    """Finance's browser; exports in Chinese, the office's language."""
    app.test_client_class = IsolatedClient
    browser = Browser(app.test_client())
    browser.log_in(make_user("finance").username)
    return browser


@pytest.fixture
def unit(session: Session) -> Unit:
    return make_unit("开平市水利局(导出)", short_name="水利局")


def sheet_of(answer: Any) -> Worksheet:
    assert answer.status_code == 200, answer.text[:300]
    assert answer.mimetype.endswith("spreadsheetml.sheet")
    book: Workbook = load_workbook(io.BytesIO(answer.data))
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    return sheet


def table(answer: Any) -> list[dict[str, Any]]:
    """The rows by column name; the last is the sum row."""
    header, *rows = sheet_of(answer).iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def columns(answer: Any) -> list[str]:
    return [str(cell.value) for cell in sheet_of(answer)[1]]


class TestValues:
    def test_amounts_are_numbers_and_days_are_days(self, finance: Browser, unit: Unit) -> None:
        make_project(
            unit,
            requested="2160000.05",
            arranged="2000000.00",
            stage=Stage.CONTRACTED,
            submitted=day("2026-03-31", hour=23),
        )
        row, total = table(finance.get(f"{SUMMARY}/export?unit={unit.id}"))
        requested, arranged, submitted = (
            next(value for name, value in row.items() if word in name)
            for word in ("申请资金", "安排预算", "提交时间")
        )
        assert (requested, arranged) == (2160000.05, 2000000)
        assert isinstance(arranged, int | float)
        assert submitted == dt.datetime(2026, 3, 31, 23, 0)
        assert [value for value in total.values() if isinstance(value, int | float)] == [2160000.05, 2000000]

    def test_codes_are_told_by_their_names(self, finance: Browser, unit: Unit) -> None:
        make_project(
            unit,
            kind="CONTINUING",
            stage=Stage.PLANNED,
            channels={"GENERAL_BUDGET": "60000.00", "BOND": "40000.00"},
        )
        row, _ = table(finance.get(f"{SUMMARY}/export?unit={unit.id}"))
        values = set(row.values())
        assert {"延续项目", "新建", "开平市水利局(导出)", 2027} <= values
        assert "地方政府债券、一般公共预算(本级财政)" in values
        assert any(str(value).startswith("已列入计划") for value in values)
        assert not values & {"CONTINUING", "NEW", "GENERAL_BUDGET", "PLANNED", "水利局"}

    @pytest.mark.parametrize("title", DANGEROUS)
    def test_a_title_that_looks_like_a_formula_stays_a_text(
        self, finance: Browser, unit: Unit, title: str
    ) -> None:
        make_project(unit, title=title, stage=Stage.PLANNED)
        sheet = sheet_of(finance.get(f"{SUMMARY}/export?unit={unit.id}"))
        (cell,) = (cell for cell in sheet[2] if title.strip("\t") in str(cell.value))
        assert cell.data_type == "s"
        assert str(cell.value).startswith("'")

    def test_the_sums_are_exact(self, finance: Browser, unit: Unit) -> None:
        for _ in range(3):
            make_project(unit, requested="0.10", stage=Stage.PLANNED)
        *_, total = table(finance.get(f"{SUMMARY}/export?unit={unit.id}"))
        assert next(value for name, value in total.items() if "申请资金" in name) == 0.3
        assert next(iter(total.values())) == "合计"


class TestRowsAndColumns:
    def test_the_rows_are_those_of_the_list_in_its_order(self, finance: Browser, unit: Unit) -> None:
        projects = [
            make_project(unit, requested=f"{amount}.00", stage=Stage.PLANNED, year=2026 + amount % 2)
            for amount in (5, 3, 9, 7, 4)
        ]
        query = f"?unit={unit.id}&year=2027&sort=-requested_amount"
        answer = finance.get(f"{SUMMARY}/export{query}")
        *rows, _ = table(answer)
        assert [row["项目编号"] for row in rows] == [projects[place].code for place in (2, 3, 0, 1)]
        assert answer.headers["X-Rows"] == "4"

    def test_all_pages_are_exported(self, finance: Browser, unit: Unit) -> None:
        for _ in range(60):
            make_project(unit, stage=Stage.PLANNED)
        *rows, _ = table(finance.get(f"{OVERVIEW}/export?unit={unit.id}&page=2&page_size=25"))
        assert len(rows) == 60

    def test_the_columns_are_those_chosen_in_the_order_chosen(self, finance: Browser, unit: Unit) -> None:
        make_project(unit, stage=Stage.PLANNED)
        chosen = ["title", "year", "requested_amount", "code"]
        answer = finance.post(f"{SUMMARY}/columns", {"columns": chosen}, form_on=f"{SUMMARY}/list/")  # type: ignore[dict-item]
        assert answer.status_code == 302
        assert columns(finance.get(f"{SUMMARY}/export?unit={unit.id}")) == [
            "项目名称",
            "年度",
            "申请资金（元）",
            "项目编号",
        ]
        finance.post(f"{SUMMARY}/columns", {"reset": "1"}, form_on=f"{SUMMARY}/list/")
        assert len(columns(finance.get(f"{SUMMARY}/export?unit={unit.id}"))) > 4

    def test_nothing_found_is_a_table_with_its_heading(self, finance: Browser) -> None:
        sheet = sheet_of(finance.get(f"{SUMMARY}/export?title=没有这样的项目"))
        assert sheet.max_row == 2
        assert sheet["A1"].value == "项目编号"

    @pytest.mark.parametrize("query", ["unit=abc", "sort=secret", "colour=red"])
    def test_what_the_list_refuses_the_export_refuses(self, finance: Browser, query: str) -> None:
        assert finance.get(f"{SUMMARY}/export?{query}").status_code == 400

    def test_the_plan_is_exported_with_its_documents(self, finance: Browser, unit: Unit) -> None:
        project = make_project(unit, arranged="90000.00", stage=Stage.PLANNED)
        row, _ = table(finance.get(f"{PLAN}/export?unit={unit.id}"))
        assert row["项目编号"] == project.code
        assert 90000 in row.values()


class TestWho:
    def test_the_workbook_holds_only_what_its_reader_may_export(
        self, app: Flask, session: Session, unit: Unit
    ) -> None:
        own = make_project(unit, stage=Stage.PLANNED)
        make_project(make_unit(), stage=Stage.PLANNED)
        app.test_client_class = IsolatedClient
        browser = Browser(app.test_client())
        browser.log_in(make_user("unit_handler", unit).username)
        *rows, _ = table(browser.get(f"{OVERVIEW}/export"))
        assert [row["项目编号"] for row in rows] == [own.code]

    def test_it_is_written_down_who_exported_what(
        self, session: Session, finance: Browser, unit: Unit
    ) -> None:
        make_project(unit, stage=Stage.PLANNED)
        finance.get(f"{SUMMARY}/export?unit={unit.id}")
        entry = session.scalars(
            select(SystemLog).where(SystemLog.event == "EXPORT").order_by(SystemLog.id.desc())
        ).first()
        assert entry is not None
        assert f"unit={unit.id}" in entry.summary
