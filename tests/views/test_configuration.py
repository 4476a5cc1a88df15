"""The administrator's tables: kept through forms that refuse politely, lists that ask little of the database."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.factories import make_user
from tests.security.conftest import Browser
from tests.sql import count_statements


@pytest.fixture
def administrator(client: FlaskClient, app) -> Browser:
    with app.app_context():
        make_user("sys_admin,audit_admin,bureau_reviewer", username="boss")
    browser = Browser(client)
    browser.log_in("boss")
    return browser

LISTS = ["/unitview/list/", "/dictionaryview/list/", "/parameterview/list/", "/workcalendarview/list/", "/userview/list/", "/systemlogview/list/", "/smsview/list/", "/alertview/list/", "/messageview/list/"]

@pytest.mark.parametrize("path", LISTS)
def test_list_small(administrator: Browser, path: str) -> None:
    administrator.get(path)
    with count_statements() as sent:
        answer = administrator.get(path)
    print(sent)
    assert answer.status_code == 200, answer.text[:3000]
    assert len(sent) <= 10, sent
