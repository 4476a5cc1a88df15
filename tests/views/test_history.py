"""Versions on a document's page, and any two of them compared."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import UnitKind
from app.models.declaration import Declaration
from app.models.flow import Task
from app.models.user import AppUser
from app.services import declaration, review
from app.services.access import actor_for
from app.services.unit_of_work import current_session
from tests import samples
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.keys import enter, key_of
from tests.pages import words
from tests.security.conftest import Browser
from tests.sql import count_statements


class Office:
    """A declaration that was returned, changed and submitted again, and those who look at it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        bureau = make_unit("市政务服务和数据管理局", kind=UnitKind.DATA_BUREAU)
        for role in ("bureau_reviewer", "bureau_checker", "bureau_leader"):
            make_user(role, bureau)
        unit = make_unit("市水利局")
        self.leader = make_user("unit_leader", unit)
        self.handler = make_user("unit_handler", unit)
        self.row = self._submitted_twice()
        self.address = f"/history/declaration/{self.row.id}/compare"
        self.page = f"/declaration/show/{self.row.id}"
        self.key = key_of(app, self.handler)

    @property
    def session(self) -> Session:
        return current_session()

    def _submitted_twice(self) -> Declaration:
        actor = actor_of(self.handler)
        draft = declaration.create(actor, samples.maintenance())
        row = declaration.submit(actor, draft.id, draft.version)
        task = self.session.scalars(select(Task).where(Task.state == "OPEN")).first()
        assert task is not None
        review.act(
            actor_for(self.session, task.user_id), task.id, "return", version=task.version, opinion="补充。"
        )
        sample = samples.maintenance(lead_mobile="13811112222", basis_codes=["DOCUMENT", "PLAN"])
        sample["basis_text"] = (
            sample["basis_text"].replace("11月30日", "12月31日") + "<script>alert(1)</script>"
        )
        lines = sample["budget_lines"]
        sample["budget_lines"] = [{**lines[0], "unit_price": "2008.00"}, lines[1]]
        sample["requested_amount"], sample["funding_splits"] = (
            "31896.00",
            [{"channel": "GENERAL_BUDGET", "amount": "31896"}],
        )
        self.session.refresh(row)
        declaration.save(actor, row.id, row.version, sample)
        return declaration.submit(actor, row.id, row.version)

    def at_work(self) -> Browser:
        """The handler's browser."""
        return enter(Browser(self.app.test_client()), self.key)

    def desk(self, user: AppUser) -> Browser:
        """Somebody else's."""
        return enter(Browser(self.app.test_client()), key_of(self.app, user))


@pytest.fixture(scope="module")
def begun(app: Flask, standing: Standing) -> Office:
    """The office as every test finds it."""
    with standing():
        return Office(app)


@pytest.fixture
def office(begun: Office, session: Session) -> Office:
    return begun


def test_the_documents_page_lists_its_versions_newest_first(office: Office) -> None:
    page = office.at_work().get(office.page)
    said = words(page)
    assert "版本历史（2）" in said
    assert said.index("再次提交") < said.index("第 1 版", said.index("再次提交"))
    assert f'href="{office.address}?old=1&amp;new=2"' in page.text


def test_only_what_differs_is_shown_with_labels_and_amounts(office: Office) -> None:
    page = office.at_work().get(office.address)
    assert page.status_code == 200
    said = words(page)
    assert "项目名称" not in said
    assert re.search(r"<del>11月30</del>日", page.text)
    assert re.search(r"<ins>12月31</ins>日", page.text)
    assert "&lt;script&gt;" in page.text and "<script>alert" not in page.text
    assert "31,900.00" in said and "31,896.00" in said and "-4.00" in said
    assert "2,000.00" in said and "2,008.00" in said and "+96.00" in said
    assert "补丁升级服务" in said
    assert {"修改", "删除"} <= set(re.findall(r'<span class="badge[^>]*>([^<]+)</span>', page.text))
    assert "DOCUMENT" not in said and "规划" in said
    assert "系统日常维护" in said and "技术支持服务" not in said


def test_everything_is_shown_on_request(office: Office) -> None:
    said = words(office.at_work().get(f"{office.address}?old=1&new=2&all=1"))
    assert "项目名称" in said and "技术支持服务" in said


def test_versions_may_be_swapped_and_the_same_differs_in_nothing(office: Office) -> None:
    browser = office.at_work()
    swapped = browser.get(f"{office.address}?old=2&new=1")
    assert re.search(r"<ins>11月30</ins>日", swapped.text)
    assert "两个版本内容相同" in words(browser.get(f"{office.address}?old=2&new=2"))


def test_telephone_numbers_are_masked_outside_the_unit(office: Office) -> None:
    own = words(office.at_work().get(office.address))
    assert "13811112222" in own
    bureau = office.session.scalars(select(Task).where(Task.state == "OPEN")).first()
    assert bureau is not None
    reviewer = make_user("bureau_reviewer")
    other = words(office.desk(reviewer).get(office.address))
    assert "13811112222" not in other and "138****2222" in other


@pytest.mark.parametrize("query", ["old=0&new=1", "old=1&new=9", "new=-1"])
def test_a_version_there_is_not(office: Office, query: str) -> None:
    assert office.at_work().get(f"{office.address}?{query}").status_code == 404


def test_an_unreadable_number_is_the_newest(office: Office) -> None:
    assert office.at_work().get(f"{office.address}?old=abc&new=٢").status_code == 200


def test_whoever_may_not_read_the_document_reads_no_version(office: Office) -> None:
    stranger = office.desk(make_user("unit_handler"))
    assert stranger.get(office.address).status_code == 404
    assert stranger.get(office.address.replace("declaration", "unit")).status_code == 404
    assert "/history/" not in stranger.get("/declaration/list/").text


def test_the_compared_versions_ask_little(office: Office) -> None:
    browser = office.at_work()
    browser.get(office.address)
    with count_statements() as sent:
        browser.get(office.address)
    assert len(sent) <= 10, sent
