"""Lists: pages, filters, orders and columns by Flask-AppBuilder's argument, and clear refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models.unit import Unit
from tests import samples
from tests.api.conftest import LogIn, Rest
from tests.conftest import Standing
from tests.factories import make_unit, make_user
from tests.keys import program_of
from tests.sql import count_statements

TITLES = ("智慧城管视频分析", "教育城域网运维", "数字档案馆建设", "100%国产_终端")


@dataclass(frozen=True)
class Town:
    """A unit, its program, and the four drafts it has written."""

    office: Unit
    handler: Rest
    drafts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def town(app: Flask, standing: Standing) -> Town:
    with standing():
        office = make_unit("开平市教育局(测试)")
        handler = program_of(app, make_user("unit_handler", office))
        return Town(office, handler, _drafts_of(handler))


def _drafts_of(handler: Rest) -> list[dict[str, Any]]:
    amounts = ("1000000.00", "368000.00", "2160000.00", "999999.99")
    years = (samples.next_year(), samples.next_year(), samples.next_year() + 1, samples.next_year())
    return [
        handler.draft({"title": title, "requested_amount": amount, "budget_year": year, "nature": nature})
        for title, amount, year, nature in zip(
            TITLES, amounts, years, ("NEW", "OPERATION", "NEW", None), strict=True
        )
    ]


@pytest.fixture
def office(town: Town) -> Unit:
    return town.office


@pytest.fixture
def handler(town: Town, session: Session) -> Rest:
    return town.handler


@pytest.fixture
def drafts(town: Town) -> list[dict[str, Any]]:
    return town.drafts


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [row["title"] for row in answer.json["result"]]


def test_pages_hold_every_row_once(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    pages = [
        handler.ask("/declaration/", page=page, page_size=3, order_column="id", order_direction="asc").json
        for page in range(3)
    ]
    assert [page["count"] for page in pages] == [4, 4, 4]
    assert [page["ids"] for page in pages] == [
        [row["id"] for row in drafts[:3]],
        [drafts[3]["id"]],
        [],
    ]
    assert [row["id"] for page in pages for row in page["result"]] == [row["id"] for row in drafts]


def test_a_page_is_never_larger_than_the_limit(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    assert handler.ask("/declaration/", page_size=1_000_000).json["page_size"] == 500
    assert handler.ask("/declaration/", page_size=-1).json["page_size"] == 500
    assert handler.ask("/declaration/").json["page_size"] == 20
    assert handler.get("/declaration/?page_size=1000000").json["page_size"] == 500
    assert handler.get("/declaration/?page=2000000000&page_size=1000000").json["result"] == []


@pytest.mark.parametrize(
    ("col", "opr", "value", "found"),
    [
        ("title", "eq", TITLES[1], [1]),
        ("title", "neq", TITLES[1], [0, 2, 3]),
        ("title", "ct", "网", [1]),
        ("title", "ct", "%", [3]),
        ("title", "ct", "_", [3]),
        ("title", "nct", "网", [0, 2, 3]),
        ("title", "sw", "数字", [2]),
        ("title", "nsw", "数字", [0, 1, 3]),
        ("title", "ew", "运维", [1]),
        ("title", "new", "运维", [0, 2, 3]),
        ("title", "in", [TITLES[0], TITLES[2]], [0, 2]),
        ("title", "not_in", [TITLES[0], TITLES[2]], [1, 3]),
        ("requested_amount", "ge", "1000000.00", [0, 2]),
        ("requested_amount", "gt", "1,000,000.00", [2]),
        ("requested_amount", "lt", "1000000", [1, 3]),
        ("requested_amount", "le", 999999, [1]),
        ("budget_year", "eq", samples.next_year(), [0, 1, 3]),
        ("budget_year", "eq", str(samples.next_year() + 1), [2]),
        ("nature", "eq", "NEW", [0, 2]),
        ("nature", "neq", "NEW", [1, 3]),
        ("nature", "not_in", ["OPERATION"], [0, 2, 3]),
        ("status", "eq", "DRAFT", [0, 1, 2, 3]),
        ("status", "in", ["IN_REVIEW", "APPROVED"], []),
        ("created_at", "ge", "2020-01-01", [0, 1, 2, 3]),
        ("created_at", "lt", "2020-01-01T08:00:00+08:00", []),
        ("unit.name", "ct", "教育局", [0, 1, 2, 3]),
    ],
)
def test_filters(
    handler: Rest, drafts: list[dict[str, Any]], col: str, opr: str, value: Any, found: list[int]
) -> None:
    answer = handler.ask(
        "/declaration/", filters=[{"col": col, "opr": opr, "value": value}], order_column="id"
    )
    assert titles(answer) == [TITLES[place] for place in found]
    assert answer.json["count"] == len(found)


def test_filters_together_and_by_unit(handler: Rest, office: Unit, drafts: list[dict[str, Any]]) -> None:
    many = [
        {"col": "nature", "opr": "eq", "value": "NEW"},
        {"col": "requested_amount", "opr": "gt", "value": "1000000.00"},
    ]
    assert titles(handler.ask("/declaration/", filters=many)) == [TITLES[2]]
    for opr in ("eq", "rel_o_m"):
        mine = [{"col": "unit", "opr": opr, "value": office.id}]
        assert handler.ask("/declaration/", filters=mine).json["count"] == 4
    assert handler.get(f"/declaration/?unit={office.id + 1000}").json["count"] == 0


def test_plain_arguments_filter_too(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    assert titles(handler.get(f"/declaration/?title={quote('档案')}")) == [TITLES[2]]
    assert handler.get("/declaration/?nature=NEW&nature=OPERATION").json["count"] == 3
    assert titles(handler.get("/declaration/?order_column=requested_amount&page_size=1")) == [TITLES[1]]


def test_json_is_understood_where_rison_is_expected(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    question = '{"filters": [{"col": "title", "opr": "ct", "value": "档案"}]}'
    assert titles(handler.get(f"/declaration/?q={quote(question)}")) == [TITLES[2]]


def test_orders(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    falling = handler.ask("/declaration/", order_column="requested_amount", order_direction="desc")
    assert titles(falling) == [TITLES[place] for place in (2, 0, 3, 1)]
    rising = handler.ask("/declaration/", order_column="nature", order_direction="asc")
    assert titles(rising)[0] == TITLES[3], "no value is the smallest, on both databases"
    assert titles(handler.ask("/declaration/", order_column="unit.name"))


def test_columns(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    rows = handler.ask("/declaration/", columns=["id", "unit"]).json["result"]
    assert {tuple(row) for row in rows} == {("id", "unit")}
    assert set(rows[0]["unit"]) == {"id", "name"}
    rows = handler.ask("/declaration/", columns=["unit.name"], keys=["none"]).json["result"]
    assert rows[0] == {"unit": {"name": "开平市教育局(测试)"}}


@pytest.mark.parametrize(
    ("question", "argument"),
    [
        ("q=(page:abc)", "page"),
        ("q=(page:-1)", "page"),
        ("q=(page:1.5)", "page"),
        ("q=(page:!t)", "page"),
        ("q=(page:!(1))", "page"),
        ("q=(page_size:x)", "page_size"),
        ("q=(page_size:-2)", "page_size"),
        ("q=(page_size:(a:1))", "page_size"),
        ("page=abc", "page"),
        ("page_size=1e9", "page_size"),
        ("q=(order_column:nothing)", "order_column"),
        ("q=(order_column:necessity)", "order_column"),
        ("q=(order_column:'id;DROP TABLE declaration')", "order_column"),
        ("q=(order_column:!(id))", "order_column"),
        ("q=(order_column:service_category)", "order_column"),
        ("q=(order_column:id,order_direction:sideways)", "order_direction"),
        ("q=(columns:!(nothing))", "columns"),
        ("q=(columns:!(autosave_page))", "columns"),
        ("q=(columns:!(!(id)))", "columns"),
        ("q=(columns:id)", "columns"),
        ("q=(filters:!((col:nothing,opr:eq,value:1)))", "filters"),
        ("q=(filters:!((col:draft_input,opr:ct,value:x)))", "filters"),
        ("q=(filters:!((col:title,opr:regexp,value:x)))", "filters"),
        ("q=(filters:!((col:title,opr:!(eq),value:x)))", "filters"),
        ("q=(filters:!((col:status,opr:gt,value:DRAFT)))", "filters"),
        ("q=(filters:!((col:status,opr:eq,value:NOPE)))", "filters"),
        ("q=(filters:!((col:status,opr:eq,value:(a:1))))", "filters"),
        ("q=(filters:!((col:title,opr:eq,value:(a:1))))", "filters"),
        ("q=(filters:!((col:title,opr:in,value:x)))", "filters"),
        ("q=(filters:!((col:title,opr:in,value:!())))", "filters"),
        ("q=(filters:!((col:budget_year,opr:eq,value:soon)))", "filters"),
        ("q=(filters:!((col:budget_year,opr:eq,value:'')))", "filters"),
        ("q=(filters:!((col:requested_amount,opr:ge,value:1.5)))", "filters"),
        ("q=(filters:!((col:requested_amount,opr:ge,value:!n)))", "filters"),
        ("q=(filters:!((col:begin_date,opr:ge,value:tomorrow)))", "filters"),
        ("q=(filters:!((col:created_at,opr:ge,value:tomorrow)))", "filters"),
        ("q=(filters:!((col:created_at,opr:ge,value:'0001-01-01')))", "filters"),
        ("q=(filters:!((col:id,opr:eq,value:99999999999999999999)))", "filters"),
        ("q=(filters:!((col:title,opr:eq)))", "filters"),
        ("q=(filters:!(x))", "filters"),
        ("q=(filters:x)", "filters"),
        ("q=(surprise:1)", "q"),
        ("q=(", "q"),
        ("q=!(", "q"),
        ("q=!", "q"),
        ("q='!", "q"),
        ("q=((a:b):c)", "q"),
        ("q=!(1,2)", "q"),
        ("q=abc", "q"),
        ("q={", "q"),
        (f"q={'!(' * 2000}", "q"),
        ('q={"order_column":"\\ud800"}', "q"),
        ("q=(order_column:'%00')", "order_column"),
        (f"q={'x' * 9000}", "q"),
        (f"q=(page:{'9' * 5000})", "q"),
        ("nothing=1", "nothing"),
        ("title=" + "x" * 300, "title"),
    ],
)
def test_a_question_that_cannot_be_understood(handler: Rest, question: str, argument: str) -> None:
    answer = handler.get(f"/declaration/?{question}")
    assert answer.status_code == 400, answer.json
    assert list(answer.json["errors"]) == [argument]
    assert len(answer.data) < 1500


def test_half_characters_and_nul_in_a_question(handler: Rest, drafts: list[dict[str, Any]]) -> None:
    assert handler.get("/declaration/?title=%00").status_code == 200
    assert handler.get("/declaration/?title=%ED%A0%80").status_code == 200
    assert handler.get("/declaration/?q=(filters:!((col:title,opr:eq,value:'%00')))").status_code == 200


@pytest.mark.parametrize(
    "path", ["/unit/", "/dictionary/", "/project/", "/declaration/", "/attachment/", "/task/"]
)
def test_a_list_is_a_handful_of_statements(
    session: Session, handler: Rest, drafts: list[dict[str, Any]], path: str
) -> None:
    for draft in drafts:
        handler.upload(draft["id"])
    handler.get(path)
    with count_statements() as sent:
        assert handler.get(path).status_code == 200
    assert len(sent) <= 5, sent


def test_units_are_read_by_everyone_with_their_names(town: Town, session: Session, log_in: LogIn) -> None:
    expert = log_in("expert")
    bureau = make_unit("开平市大数据局(测试)")
    below = make_unit("信息中心(测试)", parent=bureau)
    shown = expert.get(f"/unit/{below.id}").json["result"]
    assert shown["parent"] == {"id": bureau.id}
    assert shown["names"] == []
    found = expert.ask("/unit/", filters=[{"col": "parent", "opr": "eq", "value": bureau.id}]).json
    assert [row["name"] for row in found["result"]] == ["信息中心(测试)"]


def test_dictionaries_carry_their_entries(handler: Rest) -> None:
    listed = handler.get("/dictionary/").json
    assert listed["count"] == len(listed["result"])
    nature = next(row for row in listed["result"] if row["code"] == "nature")
    assert [item["code"] for item in nature["items"]] == ["NEW", "OPERATION"]
    assert handler.get("/dictionary/nature").json == {"id": "nature", "result": nature}
