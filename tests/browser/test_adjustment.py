"""An adjustment in the windows of those who make it: the drafter's live figures, two approvals, the chain."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser.conftest import LogIn
from tests.browser.office import DeclarationForm, ReviewDesk, confirm, told

NEW = "/adjustment/drafts/new"
TASKS = "/review/adjustment/tasks/list/"
LISTED = "/adjustment/list/"


def cell(form: DeclarationForm, row: int, name: str) -> Locator:
    return form.table("lines").locator("tbody[data-row]").nth(row).locator(f"[data-cell='{name}']")


def shown(form: DeclarationForm, row: int, name: str) -> Locator:
    return form.table("lines").locator("tbody[data-row]").nth(row).locator(f"[data-{name}]")


def figure(form: DeclarationForm, name: str) -> Locator:
    return form.form.locator(f"[data-sum='{name}']")


def two_projects(page: Page) -> list[dict[str, str]]:
    """Two projects that can be adjusted, with the number, the title and one channel with its amount."""
    page.goto(LISTED)
    found = page.evaluate("async () => (await fetch('/adjustment/drafts/projects')).json()")
    chosen = []
    for each in found:
        channel, amount = max(each["channels"].items(), key=lambda pair: float(pair[1]))
        if float(amount) > 2000:
            chosen.append({**each, "channel": channel, "before": amount})
    assert len(chosen) >= 2, found
    return chosen[:2]


def grouped(cents: int) -> str:
    return f"{cents / 100:,.2f}"


def pick(form: DeclarationForm, row: int, project: dict[str, str]) -> None:
    """Type part of the title and take what is offered, as one does with the arrow keys."""
    with form.page.expect_response(lambda answer: "/adjustment/drafts/projects?" in answer.url):
        cell(form, row, "project_id").press_sequentially(project["code"][:-1], delay=10)
    offered = form.page.locator(f"#adjustment-project-choices option[value='{project['code']}']")
    expect(offered).to_have_count(1)
    cell(form, row, "project_id").fill(project["code"])
    expect(shown(form, row, "project-note")).to_contain_text(project["title"])


def test_from_the_draft_to_the_chain(log_in: LogIn) -> None:
    page = log_in("reviewer")
    giver, taker = two_projects(page)
    page.goto(NEW)
    form = DeclarationForm(page)
    title = "浏览器测试：调剂资金"
    form.fill(
        {
            "title": title,
            "basis_no": "示例财调〔2026〕88号",
            "basis_date": "2026-01-15",
            "reason": "招标节余（示例）。",
        }
    )

    pick(form, 0, giver)
    form.put(cell(form, 0, "channel"), giver["channel"])
    form.put(cell(form, 0, "direction"), "OUT")
    form.put(cell(form, 0, "amount"), "1234.5")
    before = round(float(giver["before"]) * 100)
    expect(shown(form, 0, "before")).to_have_text(grouped(before))
    expect(shown(form, 0, "after")).to_have_text(grouped(before - 123450))
    expect(figure(form, "out")).to_have_text("1,234.50")
    expect(figure(form, "difference")).to_have_text("1,234.50")
    expect(form.form.locator("[data-sum-words='out']")).to_have_text("壹仟贰佰叁拾肆元伍角")
    expect(figure(form, "difference")).to_have_class(re.compile("text-orange"))

    form.table("lines").locator("button[data-rows-tool=add]").click()
    pick(form, 1, taker)
    form.put(cell(form, 1, "channel"), giver["channel"])
    form.put(cell(form, 1, "direction"), "IN")
    form.put(cell(form, 1, "amount"), "1,234.50")
    expect(figure(form, "difference")).to_have_text("0.00")
    expect(figure(form, "difference")).to_have_class(re.compile("text-green"))
    channels = form.form.locator("[data-compare=channels] tbody tr")
    expect(channels).to_have_count(1)
    expect(channels.locator("td").nth(3)).to_have_text("0.00")
    projects = form.form.locator("[data-compare=projects] tbody tr")
    expect(projects.nth(0)).to_contain_text("-1,234.50")
    expect(projects.nth(1)).to_contain_text("+1,234.50")

    form.attach("ADJUSTMENT", "调整文件.pdf", samples.pdf("调整文件"))
    form.submit()
    expect(page).to_have_url(re.compile(r"/adjustment/show/\d+"))
    document = page.url

    for person, opinion in (("director", "情况属实。"), ("finance", "同意调整。")):
        desk = log_in(person)
        desk.goto(TASKS)
        desk.locator("[data-list] tbody tr").filter(has_text=title).get_by_role("link").first.click()
        expect(desk.locator("#review-form")).to_be_visible()
        expect(desk.locator(".adjustment-lines")).to_contain_text("-1,234.50")
        ReviewDesk(desk).approve(opinion)

    page.goto(document)
    expect(page.locator(".page-title")).to_contain_text("已生效")
    page.get_by_role("link", name=giver["code"]).click()
    chain = page.locator(".fund-chain tbody tr").last
    expect(chain).to_contain_text("-1,234.50")
    expect(chain).to_contain_text("示例财调〔2026〕88号")


def test_rows_pasted_from_excel_and_an_amount_beyond_the_channel(log_in: LogIn) -> None:
    page = log_in("reviewer")
    giver, taker = two_projects(page)
    page.goto(NEW)
    form = DeclarationForm(page)
    too_much = grouped(round(float(giver["before"]) * 100) + 1)
    form.paste(
        "lines",
        [
            [f"{giver['code']} {giver['title']}", "调出", giver["channel"], too_much],
            [taker["code"], "调入", giver["channel"], too_much],
        ],
    )
    expect(shown(form, 1, "project-note")).to_contain_text(taker["title"])
    expect(shown(form, 0, "after")).to_have_text("-0.01")
    expect(shown(form, 0, "after")).to_have_class(re.compile("text-red"))
    with page.expect_response(lambda answer: "/autosave" in answer.url):
        form.put(form.control("title"), "贴自Excel的调整")
    form.submit()
    expect(form.error("lines.0.amount")).to_contain_text(giver["code"])
    expect(cell(form, 0, "amount")).to_have_value(too_much)
    expect(cell(form, 1, "project_id")).to_have_value(taker["code"])

    page.goto("/adjustment/drafts/list/")
    row = page.locator("[data-list] tbody tr").filter(has_text="贴自Excel的调整")
    row.locator("[data-bs-toggle=dropdown], summary, .row-menu button").first.click()
    row.get_by_text("移入回收站").click()
    confirm(page)
    expect(told(page)).to_be_visible()
    page.goto("/adjustment/bin/list/")
    expect(page.locator("[data-list]")).to_contain_text("贴自Excel的调整")
