"""Workbooks through the API: exactly the rows of the list, with labels, amounts as numbers."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
import time_machine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.models.base import utcnow
from app.services import export
from tests import samples
from tests.api.conftest import Rest
from tests.security.conftest import events


def rows_of(answer: TestResponse) -> list[list[Any]]:
    assert answer.status_code == 200, answer.json
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    return [list(row) for row in sheet.iter_rows(values_only=True)]


@pytest.fixture
def declared(handler: Rest, bureau: list[Rest]) -> list[dict[str, Any]]:
    return [
        handler.submitted(),
        handler.submitted(samples.new_build(title="=HYPERLINK(1)平台建设")),
    ]


def test_projects_with_labels_and_numbers(handler: Rest, declared: list[dict[str, Any]]) -> None:
    answer = handler.get("/project/export?order_column=requested_amount")
    header, first, second, total = rows_of(answer)
    assert "filename*=UTF-8''%E9%A1%B9" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["X-Rows"] == "2"
    assert 31900 in first and 4950000 in second and 4981900 in total
    assert "运维" in first and "新建项目" in second, "labels, not codes"
    assert len(header) == len(first)
    assert any(isinstance(value, dt.datetime) for value in first)
    assert "'=HYPERLINK(1)平台建设" in second


def test_the_lists_filters_are_the_workbooks(handler: Rest, declared: list[dict[str, Any]]) -> None:
    only = handler.get("/declaration/export?nature=OPERATION")
    assert only.headers["X-Rows"] == "1"
    asked = "(filters:!((col:funding_channel,opr:eq,value:SUPERIOR_GRANT)),columns:!(code,title))"
    found = rows_of(handler.get(f"/project/export?q={quote(asked)}"))
    assert [len(row) for row in found] == [2, 2]
    assert handler.get("/project/?funding_channel=SUPERIOR_GRANT").json["count"] == 1
    assert handler.get("/project/export?surprise=1").status_code == 400
    assert handler.get("/project/export?q=(page:abc)").status_code == 400


def test_all_pages_are_in_it(handler: Rest, declared: list[dict[str, Any]]) -> None:
    assert handler.get("/project/export?page=3&page_size=1").headers["X-Rows"] == "2"


def test_it_holds_the_rows_in_scope_and_no_drafts(
    handler: Rest, stranger: Rest, declared: list[dict[str, Any]]
) -> None:
    handler.draft()
    assert handler.get("/declaration/export").headers["X-Rows"] == "2"
    assert stranger.get("/declaration/export").headers["X-Rows"] == "0"
    assert stranger.get("/project/export").headers["X-Rows"] == "0"


def test_exports_are_noted_and_not_endless(
    session: Session, handler: Rest, stranger: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_A_MINUTE", 3)
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        statuses = [handler.get("/project/export").status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        assert stranger.get("/project/export").status_code == 200
        page = handler.client.get("/project/export", headers={"Authorization": f"Bearer {handler.token}"})
        assert page.status_code == 429, "one count for the pages and the API"
        clock.shift(dt.timedelta(seconds=61))
        assert handler.get("/project/export").status_code == 200
    noted = [entry for entry in events(session, "EXPORT") if entry.user_id == handler.user.id]
    assert len(noted) == 4 and noted[0].noun == "project"
