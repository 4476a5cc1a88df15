"""The language is changed by a POST and the page stays."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_user
from tests.security.conftest import Browser


def lang(page: str) -> str:
    return page[page.index('<html lang="') + 12 :].split('"')[0]


def test_chinese_is_the_default_and_english_is_one_click(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    assert lang(browser.get("/profile/").text) == "zh-CN"
    answer = browser.post("/language/en", {"next": "/profile/?a=1"}, form_on="/profile/")
    assert (answer.status_code, answer.location) == (302, "/profile/?a=1")
    assert lang(browser.get("/profile/").text) == "en"
    browser.log_out()
    assert lang(browser.get("/login/").text) == "en", "logging out keeps the language"


def test_a_get_changes_nothing(session: Session, browser: Browser) -> None:
    """Plain Flask-AppBuilder changes the language on `GET /lang/en`."""
    assert browser.get("/lang/en").status_code == 404
    assert browser.get("/language/en").status_code == 405
    assert browser.client.post("/language/en").status_code == 400, "without the CSRF token"
    assert lang(browser.get("/login/").text) == "zh-CN"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", r"/\evil.example", ""])
def test_it_leads_nowhere_else(session: Session, browser: Browser, elsewhere: str) -> None:
    assert browser.post("/language/en", {"next": elsewhere}, form_on="/login/").location == "/"


def test_an_unknown_language_is_not_found(session: Session, browser: Browser) -> None:
    assert browser.post("/language/xx", form_on="/login/").status_code == 404
