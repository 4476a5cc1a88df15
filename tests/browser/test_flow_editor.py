"""An administrator changes the flow with the mouse and the keyboard, and the next declarations follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import confirm, told

LIST = "/flow/list/"


def begin(page: Page) -> None:
    """A new draft from the version in force."""
    page.goto(LIST)
    page.locator("form[action$='/draft'] button").first.click()
    page.wait_for_url(re.compile(r"/flow/\d+/edit"))
    expect(page.locator("#flow-form")).to_have_class(re.compile("with-script"))


def card(page: Page, name: str) -> Locator:
    """The card of the step with this name."""
    return page.locator("[data-step]").filter(
        has=page.locator("[data-title]", has_text=re.compile(f"^{name}$"))
    )


def order(page: Page) -> list[str]:
    return page.locator("[data-step] [data-title]").all_inner_texts()


def drag(page: Page, name: str, onto: str) -> None:
    """Take a card by its handle and let it go on another one."""
    handle, target = card(page, name).locator("[data-handle]"), card(page, onto)
    handle.scroll_into_view_if_needed()
    start, end = handle.bounding_box(), target.bounding_box()
    assert start and end
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + 20, steps=3)
    page.mouse.move(start["x"] + start["width"] / 2, end["y"] + 4, steps=8)
    page.mouse.up()


def choose(box: Locator, *labels: str) -> None:
    """Choose entries of a searchable select."""
    for label in labels:
        box.locator(".ts-control").click()
        box.locator(".ts-dropdown [data-selectable]", has_text=label).first.click()


def save(page: Page) -> None:
    page.locator("button[form=flow-form][value=save]").click()
    expect(told(page)).to_be_visible()


@pytest.mark.parametrize("width", [1366, 390])
def test_steps_are_dragged_and_moved_by_keys(log_in: LogIn, width: int) -> None:
    page = log_in("admin", width=width)
    begin(page)
    before = order(page)
    drag(page, before[3], before[1])
    dragged = [before[0], before[3], before[1], before[2]]
    expect(page.locator("[data-step] [data-title]")).to_have_text(dragged)
    expect(page.locator("[data-unsaved]")).to_be_visible()
    card(page, before[3]).locator("[data-handle]").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-step] [data-title]")).to_have_text(
        [before[0], before[1], before[3], before[2]]
    )
    expect(card(page, before[3]).locator("[data-handle]")).to_be_focused()
    card(page, before[2]).locator("[data-tool=up]").click()
    expect(page.locator("[data-step] [data-title]")).to_have_text(before)
    card(page, before[1]).locator("[data-tool=down]").click()
    save(page)
    assert order(page) == [before[0], before[2], before[1], before[3]], "what was saved is what is shown"
    card(page, before[3]).locator("[data-tool=drop]").click()
    assert len(order(page)) == 3
    page.locator(".flow-dropped button").click()
    assert len(order(page)) == 4
    page.locator("[data-step]").first.locator("[data-tool=copy]").click()
    assert order(page)[:2] == [before[0], before[0]]


@pytest.fixture
def flow_kept(log_in: LogIn) -> Iterator[None]:
    """The other tests of this process find the flow as it was."""
    page = log_in("admin")
    page.goto(LIST)
    before = page.locator(".card a[href^='/flow/']").filter(has_text="1").first.get_attribute("href")
    yield
    page.goto(before or "")
    page.locator("form[action$='/draft'] button.btn-primary").click()
    page.wait_for_url(re.compile(r"/flow/\d+/edit"))
    page.goto(page.url.replace("/edit", "/confirm"))
    publish(page)


def publish(page: Page) -> None:
    page.locator("form[action$='/publish'] button").click()
    confirm(page)
    expect(told(page)).to_be_visible()


@pytest.mark.usefixtures("flow_kept")
def test_from_a_million_on_another_step_looks_too(log_in: LogIn, program: Programs) -> None:
    admin = log_in("admin")
    begin(admin)
    steps = order(admin)
    admin.locator("[data-tool=add]").click()
    made = admin.locator("[data-step]").last
    made.locator("[data-field=name_zh] input").fill("大额复审")
    made.locator("label:has(input[value=USERS])").click()
    people = made.locator("[data-for-kind=USERS]")
    with admin.expect_response(re.compile(r"/flow/people\?q=expert1$")):
        people.locator(".ts-control input").fill("expert1")
    expect(people.locator(".ts-dropdown [data-selectable]")).to_have_count(1)
    people.locator(".ts-dropdown [data-selectable]").click()
    expect(made.locator("[data-people] li")).to_have_count(1)
    made.locator("[data-tool=condition-add]").click()
    condition = made.locator("[data-condition]")
    condition.locator("[data-condition-field]").select_option("nature")
    choose(condition.locator(".flow-value"), "新建")
    condition.locator("[data-condition-field]").select_option("requested_amount")
    condition.locator("select[name$=operator]").select_option("GE")
    condition.locator("input[name$=value]").fill("1,000,000")
    expect(condition.locator("[data-amount-words]")).to_contain_text("100")

    # A second row that excludes the first is found, and publishing refused with the step named.
    made.locator("[data-tool=condition-add]").click()
    second = made.locator("[data-condition]").nth(1)
    second.locator("select[name$=operator]").select_option("LT")
    second.locator("input[name$=value]").fill("500000")
    made.locator("[data-toggle]").click()
    drag(admin, "大额复审", steps[2])
    save(admin)
    expect(admin.locator(".flow-findings .error")).to_contain_text("大额复审")
    admin.locator("button[form=flow-form][value=publish]").click()
    admin.wait_for_url(re.compile(r"/confirm$"))
    expect(admin.locator("form[action$='/publish']")).to_have_count(0)
    admin.locator(".card-footer a.btn-primary").click()

    # The finding leads to the card; the row is removed, and the flow is published.
    admin.locator(".flow-findings a[data-open-step]").first.click()
    wrong = card(admin, "大额复审")
    expect(wrong.locator(".flow-step-body")).to_be_visible()
    wrong.locator("[data-condition]").nth(1).locator("[data-tool=condition-drop]").click()
    save(admin)
    expect(admin.locator(".flow-findings .error")).to_have_count(0)
    assert order(admin) == [*steps[:2], "大额复审", *steps[2:]]
    admin.locator("button[form=flow-form][value=publish]").click()
    admin.wait_for_url(re.compile(r"/confirm$"))
    expect(admin.locator(".fate-added")).to_contain_text("大额复审")
    publish(admin)
    expect(admin.locator(".flow-diagram")).to_contain_text("1,000,000.00")

    # 999,999.99 passes it by, 1,000,000.00 meets it.
    titles = {"999999.99": "流程之下限服务", "1000000.00": "流程之百万服务"}
    for amount, title in titles.items():
        line = {**samples.new_build()["budget_lines"][0], "quantity": "1", "unit_price": amount}
        raw = samples.new_build(
            title=title,
            requested_amount=amount,
            total_investment=amount,
            later_years=[],
            budget_lines=[line],
            funding_splits=[{"channel": "GENERAL_BUDGET", "amount": amount}],
        )
        program("handler1").declare(raw, samples.NEW_BUILD_FILES)
        for username in ("leader1", "reviewer"):
            program(username).approve(title)
    expert = log_in("expert1")
    expert.goto("/review/tasks/list/")
    expect(expert.get_by_text(titles["1000000.00"], exact=True).first).to_be_visible()
    expect(expert.get_by_text(titles["999999.99"], exact=True)).to_have_count(0)


def test_nothing_is_lost_by_accident(log_in: LogIn) -> None:
    page = log_in("admin")
    begin(page)
    first = page.locator("[data-step]").first
    first.locator("[data-toggle]").click()
    first.locator("[data-field=limit_days] input").fill("soon")
    first.locator("[data-field=name_en] input").fill("Kept")
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.locator("a[href='/flow/list/']").first.click()
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"] and page.url.endswith("/edit")
    page.locator("button[form=flow-form][value=save]").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[data-step]").first.locator("[data-field=name_en] input")).to_have_value("Kept")
    expect(page.locator("#steps-0-limit_days-error")).to_be_visible()
