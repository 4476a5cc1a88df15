"""On a phone: what is for reading can be read without scrolling sideways, and a task can be decided."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import (
    DASHBOARD,
    DECLARED,
    MESSAGES,
    PLAN,
    PROJECTS,
    SUMMARY,
    TASKS,
    ReviewDesk,
    open_in_list,
    row_of,
    told,
)

WIDTH, HEIGHT = 390, 844


def phone(log_in: LogIn, username: str) -> Page:
    """Somebody's telephone: narrow, and pointed at with a finger."""
    return log_in(username, width=WIDTH, height=HEIGHT, has_touch=True, is_mobile=True)


def expect_no_sideways_scroll(page: Page) -> None:
    """The page is no wider than the screen, and nothing of it stands outside."""
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, page.url
    assert page.evaluate("window.innerWidth") == WIDTH, page.url


def expect_under_the_finger(control: Locator) -> None:
    """Large enough to be hit, and inside the screen."""
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    assert box is not None
    assert box["height"] >= 30 and box["x"] >= 0 and box["x"] + box["width"] <= WIDTH


@pytest.mark.parametrize(
    ("username", "addresses"),
    [
        ("reviewer", ("/", TASKS, SUMMARY, PLAN, PROJECTS, DASHBOARD, MESSAGES, "/review/reviewed/list/")),
        ("handler1", ("/", DECLARED, PROJECTS, MESSAGES, "/profile/")),
        ("viewer", ("/", DASHBOARD, PROJECTS)),
    ],
)
def test_reading_needs_no_sideways_scroll(log_in: LogIn, username: str, addresses: tuple[str, ...]) -> None:
    page = phone(log_in, username)
    for address in addresses:
        page.goto(address)
        expect(page.locator("h1, h2").first).to_be_visible()
        expect_no_sideways_scroll(page)


@pytest.mark.parametrize("address", [TASKS, "/alert/list/"])
def test_a_row_of_a_list_shows_its_deadline_without_scrolling(log_in: LogIn, address: str) -> None:
    page = phone(log_in, "reviewer")
    page.goto(address)
    expect(page.locator("#list-search input[name=q]")).to_be_hidden()
    row = page.locator("[data-list] tbody tr").first
    badge = row.locator("td > .badge:has(.ti-clock)")
    expect(badge).to_be_in_viewport(ratio=1)
    table = page.locator("[data-list] .table-responsive")
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth")
    label = row.locator("td.num, td.date").first
    assert label.evaluate("each => getComputedStyle(each, '::before').content").strip('"')
    page.locator("label[for=search-unfold]").tap()
    page.locator("#list-search input[name=q]").fill("没有这样的项目")
    page.locator("#list-search button[type=submit]").tap()
    expect(page.locator(".chip").filter(has_text="没有这样的项目")).to_be_visible()
    expect(page.locator("#list-search input[name=q]")).to_be_hidden()


def test_the_menu_opens_and_leads_on(log_in: LogIn) -> None:
    page = phone(log_in, "reviewer")
    page.goto("/")
    expect(page.locator("#app-menu")).not_to_be_in_viewport()
    page.locator("[data-menu-open]").tap()
    expect(page.locator("#app-menu")).to_be_in_viewport()
    page.locator(f"#app-menu details:has(a[href='{SUMMARY}']) > summary").tap()
    page.locator(f"#app-menu a[href='{SUMMARY}']").tap()
    expect(page).to_have_url(re.compile(f"{SUMMARY}$"))
    expect_no_sideways_scroll(page)


def test_a_leader_reads_a_declaration_and_approves_it(log_in: LogIn, program: Programs) -> None:
    title = "手机上审核的维护服务"
    address = program("handler1").declare(samples.maintenance(title=title), {"BASIS": "采购需求.pdf"})
    page = phone(log_in, "leader1")
    open_in_list(page, TASKS, title)
    bar = page.locator(".review-panel")
    box = bar.bounding_box()
    assert box is not None and box["height"] < 70, "one line until one decides"
    assert abs(box["y"] + box["height"] - HEIGHT) < 2, "at the lower edge of the screen"
    page.locator("[data-panel-toggle]").tap()
    expect(page.locator("#opinion")).to_be_visible()
    expect(bar).not_to_contain_text("Ctrl+Enter", use_inner_text=True)
    expect_no_sideways_scroll(page)
    for tab in ("lines", "files", "log", "changes", "info"):
        page.locator(f"#tab-{tab}").tap()
        expect(page.locator(f"#pane-{tab}")).to_be_visible()
        expect_no_sideways_scroll(page)
    approve = page.locator("button[data-approve]")
    expect_under_the_finger(approve)
    page.locator("[data-opinion]").first.tap()
    expect(page.locator("#opinion")).not_to_have_value("")
    approve.tap()
    expect_under_the_finger(page.locator("#confirm-dialog [data-verb]"))
    page.locator("#confirm-dialog [data-verb]").tap()
    expect(told(page)).to_be_visible()
    expect_no_sideways_scroll(page)
    page.goto(TASKS)
    expect(row_of(page, title)).to_have_count(0)
    page.goto(address)
    expect_no_sideways_scroll(page)


def test_a_reviewer_returns_a_declaration(log_in: LogIn, program: Programs) -> None:
    title = "手机上退回的维护服务"
    program("handler1").declare(samples.maintenance(title=title), {"BASIS": "采购需求.pdf"})
    page = phone(log_in, "leader1")
    ReviewDesk(page).open(title).give_back("请补充报价依据。")
    handler = phone(log_in, "handler1")
    open_in_list(handler, DECLARED, title)
    expect_no_sideways_scroll(handler)
    expect(handler.locator("#content")).to_contain_text("请补充报价依据。")
