"""The duplicate check and the policy rules in people's hands: a hint while typing, passages side by side,
a finding that leads to its field, and a rule made with the mouse."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import NEW, DeclarationForm, ReviewDesk, edit

EARLIER = "潭江流域生态补水调度平台"
RENAMED = "潭江流域生态补水调度平台二期"


def test_a_hint_while_typing_leads_to_the_passages_and_on_to_the_reviewer(
    log_in: LogIn, program: Programs
) -> None:
    scope = samples.new_build()["scope_text"]
    program("handler2").declare(samples.maintenance(title=EARLIER, scope_text=scope), {})

    page = log_in("handler1")
    page.goto(NEW)
    line = page.locator("[data-similar]")
    page.fill("#title", "与谁都不像的碉楼测绘")
    page.wait_for_timeout(900)
    expect(line).to_be_empty()

    page.locator("#title").press_sequentially("")
    page.fill("#title", RENAMED)
    expect(line).to_contain_text(EARLIER)
    expect(line).to_contain_text("相似")
    expect(line).to_have_attribute("role", "status")

    line.get_by_role("button").click()
    dialog = page.locator("#similar-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator("mark").first).to_have_text("潭江流域生态补水调度平台")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    program("handler1").declare(samples.maintenance(title=RENAMED, scope_text=f"续建：{scope}"), {})
    leader = log_in("leader1")
    ReviewDesk(leader).go(RENAMED)
    leader.locator("[data-shows-tab]").click()
    pane = leader.locator("#pane-similar")
    expect(pane).to_be_visible()
    left, right = pane.locator(".similar-side").nth(0), pane.locator(".similar-side").nth(1)
    expect(left.locator("mark").first).to_be_visible()
    a, b = left.bounding_box(), right.bounding_box()
    assert a and b and abs(a["y"] - b["y"]) < 2 and b["x"] > a["x"], "side by side"
    hit = pane.locator(".similar-hit").filter(has_text=EARLIER).first
    expect(hit.locator("mark").filter(has_text="事件协同处置")).to_have_count(2)


def test_a_hint_goes_when_the_title_no_longer_resembles(log_in: LogIn, program: Programs) -> None:
    program("handler1").declare(samples.maintenance(title="苍江水文遥测终端更新"), {})
    other = log_in("handler2")
    other.goto(NEW)
    line = other.locator("[data-similar]")
    other.fill("#title", "苍江水文遥测终端更新改造")
    expect(line).to_contain_text("苍江水文遥测终端更新")
    other.fill("#title", "完全不同的名字叫做钢琴")
    expect(line).to_be_empty()


def test_on_a_phone_the_texts_stand_one_below_the_other(log_in: LogIn, program: Programs) -> None:
    program("handler2").declare(samples.maintenance(title="锦江驿站便民服务点位改造"), {})
    address = program("handler1").declare(samples.maintenance(title="锦江驿站便民服务点位改造二期"), {})
    phone = log_in("handler1", width=390, height=844)
    phone.goto(address)
    phone.locator("[data-shows-tab]").click()
    sides = phone.locator("#pane-similar .similar-side")
    a, b = sides.nth(0).bounding_box(), sides.nth(1).bounding_box()
    assert a and b and b["y"] > a["y"] + 10
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_finding_comes_while_typing_and_leads_to_its_field(log_in: LogIn, program: Programs) -> None:
    page = log_in("handler1")
    form = edit(page, program("handler1").draft(samples.maintenance(title="规则提示试验")))
    findings = page.locator("[data-rule-findings]")
    expect(findings).to_be_empty()
    form.keep("requested_amount", "1031900.00")
    finding = findings.locator(".rule-finding").filter(has_text="S-01 ")
    expect(finding).to_contain_text("1,031,900.00")
    expect(findings.locator(".rule-finding")).to_have_count(1)
    page.locator("#requested_amount").blur()
    expect(form.error("requested_amount")).to_contain_text("1,000,000.00")
    finding.get_by_role("link").click()
    expect(page).to_have_url(re.compile("#requested_amount$"))
    expect(page.locator("#requested_amount")).to_be_in_viewport()
    form.keep("requested_amount", "31900.00")
    expect(findings.locator(".rule-finding")).to_have_count(0)
    page.locator("#requested_amount").blur()
    expect(form.error("requested_amount")).to_have_count(0)


def test_an_administrator_makes_a_rule_by_ticking_and_tries_it(log_in: LogIn, program: Programs) -> None:
    unit = log_in("handler1")
    unit.goto(program("handler1").declare(samples.maintenance(title="试运行规则的项目"), {}))
    code = unit.locator(".page-header").inner_text()
    number = re.search(r"SB\d{4}-\d+", code)
    assert number

    page = log_in("admin")
    page.goto("/policy-rule/add")
    for name, text in {
        "code": "X-1",
        "name_zh": "运维项目须附报价",
        "name_en": "Quotes for maintenance",
        "source": "试验办法",
        "article": "第三条",
        "valid_from": "2026-01-01",
        "message_zh": "运维项目请附报价。",
        "message_en": "Attach quotes.",
    }.items():
        page.fill(f"#{name}", text)
    page.select_option("#document_kind", "declaration")
    page.select_option("#level", "WARNS")
    row = page.locator("[data-rule-row]").first
    row.locator("[data-rule-field]").select_option("nature")
    row.locator("[data-rule-operator]").select_option("IN")
    row.locator("label").filter(has_text="运维").click()
    page.locator("[data-rule-add]").click()
    added = page.locator("[data-rule-row]").last
    added.locator("[data-rule-field]").select_option("requested_amount")
    expect(added.locator("[data-rule-operator] option[value=IN]")).to_be_disabled()
    added.locator("[data-rule-operator]").select_option("GE")
    added.locator("[data-rule-value]").fill("10,000")
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(re.compile(r"/policy-rule/list/"))

    page.locator("tbody tr").filter(has_text="X-1").get_by_role("link").first.click()
    page.locator(".page-header").get_by_role("link", name="试运行").click()
    page.fill("#code", number[0])
    page.keyboard.press("Enter")
    expect(page.locator("#trial-result")).to_contain_text("规则成立")
    expect(page.locator("table")).to_contain_text("31,900.00 元")

    form = edit(unit, program("handler1").draft(samples.maintenance(title="受新规则提示的项目")))
    assert isinstance(form, DeclarationForm)
    expect(unit.locator("[data-rule-findings]")).to_contain_text("X-1 运维项目须附报价")
    page.goto("/policy-rule/list/?q=X-1")
    page.locator("tbody tr").filter(has_text="X-1").get_by_role("link").first.click()
    page.locator("#active").uncheck()
    page.get_by_role("button", name="保存").click()
    expect(page).to_have_url(re.compile(r"/policy-rule/list/"))
