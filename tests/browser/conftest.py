"""Headless Chromium against the running product; every page is watched for errors and foreign requests."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.office import Program
from tests.browser.server import Server
from tests.databases import DEMO, PASSWORD, Templates

_BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome", "chromium-browser")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test itself failed, for the pictures."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def server(app: Flask, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One running product per test process, with demo data; its one web process warms up once."""
    folder = tmp_path_factory.mktemp("live")
    address = templates.copy(app, "live", folder, projects=DEMO)
    running = Server(folder, DATABASE_URL=address, WEB_WORKERS="1")
    running.run()
    yield running
    running.stop()


Programs = Callable[[str], Program]


@pytest.fixture(scope="session")
def program(server: Server) -> Programs:
    """Anybody's program; it logs in when first needed, for a password check costs more than what it does."""
    return cache(partial(Program, server.base))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium: the shell without windows, which starts a page in half the time, or the whole."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield chromium
        chromium.close()


class Watch:
    """What a page must never do: write errors, break the content policy, ask another host."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.problems: list[str] = []

    def follow(self, page: Page) -> None:
        """Listen to one page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        expected = "the server responded with a status of 4"  # a refusal that the test itself provokes
        if message.type == "error" and expected not in message.text:
            self.problems.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.problems.append(f"request to another host: {request.url}")


LogIn = Callable[..., Page]


def _log_in_on_the_page(page: Page, username: str) -> None:
    page.goto("/login/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def _log_in_without_a_page(context: BrowserContext, username: str) -> None:
    """The same request, without drawing the page it comes from and the one it leads to."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', context.request.get("/login/").text())
    assert token is not None
    sent = {"csrf_token": token[1], "username": username, "password": PASSWORD}
    answer = context.request.post("/login/", form=sent, max_redirects=0)
    assert answer.status == 302, answer.text()


@pytest.fixture
def log_in(
    server: Server, browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[LogIn]:
    """A browser of one's own, logged in; several people may work at once. Whoever comes `anew` logs in on the
    page; all others have done so before. When the test fails, pictures of all windows are kept."""
    contexts: list[BrowserContext] = []
    watch = Watch(server.base)

    def enter(
        username: str, width: int = 1366, height: int = 768, *, anew: bool = False, **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            reduced_motion="reduce",
            base_url=server.base,
            storage_state=None if anew else server.sessions.get(username),
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        watch.follow(page)
        if not anew and username in server.sessions:
            return page
        if anew:
            _log_in_on_the_page(page, username)
        else:
            _log_in_without_a_page(context, username)
        server.sessions[username] = context.storage_state()
        return page

    yield enter
    failed = request.node.stash.get(_FAILED, False)
    for number, context in enumerate(contexts):
        for page in context.pages if failed else ():
            page.screenshot(path=tmp_path / f"window-{number}.png", full_page=True)
            request.node.add_report_section("call", page.url, str(tmp_path / f"window-{number}.png"))
        context.close()
    assert watch.problems == []
