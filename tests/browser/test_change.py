"""A unit changes scope and period of an approved project: both sides, returned, answered, applied."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests import samples
from tests.browser.conftest import LogIn
from tests.browser.office import DeclarationForm, ReviewDesk, confirm

NEW = "/change/drafts/new"
TASKS = "/review/changes/list/"
DONE = "/review/changed/list/"
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def begin(page: Page) -> str:
    """Choose the oldest project that can be changed, which no other test has made; its number."""
    page.goto(NEW)
    row = page.locator("tbody tr").filter(has=page.get_by_role("button")).last
    code = row.locator("td").first.inner_text()
    row.get_by_role("button").click()
    expect(page).to_have_url(re.compile(r"/change/drafts/edit/\d+"))
    return code


def attach(page: Page, *categories: str) -> None:
    page.wait_for_load_state()  # the page that refused may be read before its scripts run
    for category in categories:
        card = page.locator(f"[data-category='{category}']")
        name = f"{category}.pdf"
        card.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "application/pdf", "buffer": samples.pdf(name)}
        )
        expect(card.locator(".attachment-files")).to_contain_text(name)


def opened(page: Page, code: str) -> ReviewDesk | None:
    """The task of a request, from the list of what waits; None when it waits for somebody else."""
    page.goto(TASKS)
    row = page.locator("[data-list] tbody tr").filter(has_text=code)
    if not row.count():
        return None
    row.get_by_role("link").first.click()
    expect(page.locator("#pane-compare")).to_be_visible()
    page.wait_for_load_state()
    return ReviewDesk(page)


def test_scope_and_period_of_an_approved_project_change_by_review(log_in: LogIn) -> None:
    page = log_in("handler1")
    project = begin(page)
    form = DeclarationForm(page)
    request = re.search(r"\d+$", page.url)
    assert request is not None

    # Both sides beside each other: the left is read-only and stays, the right is typed over and marked.
    pair = page.locator("[data-pair=scope_text]")
    before = pair.locator(".change-text").inner_text()
    assert form.control("scope_text").input_value() == before
    form.tick("kinds", ["CONTENT", "PERIOD"])
    form.fill(
        {
            "content": "增加移动端功能，工期顺延。",
            "reason_code": "DEMAND",
            "reason_text": "群众需要移动端办理。",
            "performance_effect": "绩效目标不降低。",
            "scope_text": f"{before}；另建移动端。",
        }
    )
    last = page.locator("[data-pair=end_date] .change-text").inner_text()
    assert DAY.fullmatch(last)
    form.put(form.control("end_date"), f"{int(last[:4]) + 1}{last[4:]}")
    expect(pair).to_have_class(re.compile("is-changed"))
    expect(page.locator("[data-pair=goals]")).not_to_have_class(re.compile("is-changed"))
    expect(page.locator("[data-form-head]")).to_contain_text(re.compile(r"\+36[56]"))
    expect(pair.locator(".change-text")).to_have_text(before)

    # Nothing is submitted without the letter; what was typed is still there.
    page.get_by_role("button", name="提交审核").first.click()
    expect(page.locator("#error-summary")).to_be_visible()
    expect(form.control("content")).to_have_value("增加移动端功能，工期顺延。")
    attach(page, "CHANGE_LETTER", "CHANGE_SCHEME")
    page.get_by_role("button", name="提交审核").first.click()
    expect(page).to_have_url(re.compile(r"/change/show/\d+$"))
    code = page.locator(".page-header").inner_text()
    found = re.search(r"BG\d{4}-\d{5}", code)
    assert found is not None
    code = found[0]

    leader, reviewer, director = (log_in(name) for name in ("leader1", "reviewer", "director"))
    if (desk := opened(leader, code)) is not None:  # a unit without a head goes to the bureau at once
        desk.approve("情况属实。")
    desk = opened(reviewer, code)
    assert desk is not None
    desk.give_back("请补充工期调整的依据。")

    page.goto(f"/change/drafts/edit/{request[0]}")
    expect(page.locator("[data-notices]")).to_contain_text("请补充工期调整的依据。")
    form.put(form.control("basis_text"), "市政府常务会议纪要〔2026〕20号。")
    page.get_by_role("button", name="提交审核").first.click()
    expect(page).to_have_url(re.compile(r"/change/show/\d+$"))

    for person in (leader, reviewer, director):
        if (desk := opened(person, code)) is not None:
            desk.approve("同意变更。")
    director.goto(DONE)
    expect(director.locator("[data-list]")).to_contain_text(code)

    # The project shows what it has become, the request keeps what it was.
    page.goto(f"/project/list/?q={project}")
    page.locator("[data-list] tbody a").first.click()
    expect(page.locator("#changes")).to_contain_text(code)
    expect(page.locator("#changes")).to_contain_text("另建移动端。")
    page.locator("#changes").get_by_role("link", name=code).click()
    compared = page.locator("#pane-compare [data-field=scope_text]")
    expect(compared.locator(".diff-old")).to_have_text(before)
    expect(compared.locator(".diff-new")).to_have_text(f"{before}；另建移动端。")


def test_a_deleted_draft_lies_in_the_recycle_bin_and_gives_way_to_another(log_in: LogIn) -> None:
    page = log_in("handler2")
    project = begin(page)
    page.goto(NEW)
    row = page.locator("tbody tr").filter(has_text=project)
    expect(row.get_by_role("button")).to_have_count(0)
    code = row.locator("a").last.inner_text()
    page.goto("/change/drafts/list/")
    listed = page.locator("[data-list] tbody tr").filter(has_text=code)
    listed.locator(".row-menu summary, .row-menu button").first.click()
    page.get_by_text("移入回收站", exact=True).locator("visible=true").first.click()
    confirm(page)
    page.goto("/declaration/bin/list/")
    page.get_by_role("link", name=re.compile("项目变更申请")).last.click()
    expect(page.locator("[data-list]")).to_contain_text(code)
    page.goto(NEW)
    expect(page.locator("tbody tr").filter(has_text=project).get_by_role("button")).to_have_count(1)
