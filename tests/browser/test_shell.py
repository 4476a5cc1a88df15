"""The shell as people meet it: logging in, finding one's way, changing the language, on a phone too."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.browser.conftest import LogIn
from tests.browser.server import Server

ACCOUNTS = (
    "admin",
    "auditor",
    "handler1",
    "leader1",
    "reviewer",
    "director",
    "finance",
    "viewer",
    "techfirm",
)


def test_everybody_can_open_every_entry_of_his_menu(log_in: LogIn) -> None:
    """A page that somebody has looked at is only asked for by the others: it is the same page."""
    looked_at: set[str] = set()
    for username in ACCOUNTS:
        page = log_in(username)
        page.goto("/")
        addresses = page.eval_on_selector_all(
            "aside a[href^='/']", "links => links.map(link => link.getAttribute('href'))"
        )
        assert addresses
        for address in set(addresses) - {"/"}:
            if address in looked_at:
                assert page.request.get(address).status == 200, address
                continue
            response = page.goto(address)
            assert response is not None and response.status == 200, address
            assert page.locator("h1, h2").first.inner_text().strip()
            looked_at.add(address)
    assert len(looked_at) > len(ACCOUNTS)


def test_the_language_changes_and_the_page_stays(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator("form[action*='/language/en'] button").first.evaluate("button => button.click()")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.rstrip("/").endswith(str(page.url).split("/")[2])


def test_a_phone_shows_no_sideways_scrolling(log_in: LogIn) -> None:
    page = log_in("reviewer", width=390, height=844)
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_wrong_password_says_so_and_keeps_the_name(server: Server, browser: Browser) -> None:
    page = browser.new_page(base_url=server.base)
    page.goto("/login/")
    page.fill("input[name=username]", "nobody-here")
    page.fill("input[name=password]", "wrong")
    page.press("input[name=password]", "Enter")
    expect(page.locator("input[name=username]")).to_have_value("nobody-here")
    expect(page.locator(".alert-danger, .invalid-feedback").first).to_be_visible()
    page.close()
