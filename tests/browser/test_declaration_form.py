"""The declaration form in a handler's hands: it counts, keeps, and survives a lost line and a colleague."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import NEW, DeclarationForm, edit

SAVED = re.compile(r"\d\d:\d\d")


def state(page: Page) -> str:
    """What the badge beside the title says."""
    return page.locator("[data-save-state]").inner_text()


def switch(page: Page, language: str) -> None:
    """Change the language from the header."""
    page.locator(".app-header details.pop:has(form[action*='/language/']) > summary").click()
    page.locator(f".app-header form[action*='/language/{language}'] button").click()


def new_draft(page: Page, title: str) -> DeclarationForm:
    """A new form that has become a draft."""
    page.goto(NEW)
    form = DeclarationForm(page)
    page.fill("#title", title)
    expect(page).to_have_url(re.compile(r"/declaration/drafts/edit/\d+"))
    return form


def test_totals_follow_what_is_typed_to_the_fen(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "金额试算")
    form.fill_rows("budget_lines", [{"name": "甲", "quantity": "2.5", "unit_price": "0.33"}])
    expect(form.total("lines")).to_have_text("0.83")
    form.fill_rows(
        "budget_lines",
        [
            {"quantity": "1", "unit_price": "1280000"},
            {"name": "乙", "quantity": "3", "unit_price": "28333.34"},
        ],
    )
    expect(form.total("lines")).to_have_text("1,365,000.02")
    expect(form.total("lines-words")).to_have_text("壹佰叁拾陆万伍仟元零贰分")
    expect(page.locator("#requested_amount")).to_have_value("1,365,000.02")
    expect(page.locator("[data-threshold-hint]")).to_be_visible()
    form.fill_rows("funding_splits", [{"channel": "GENERAL_BUDGET"}])
    expect(form.control("funding_splits.0.amount")).to_have_value("1,365,000.02")
    page.fill("#requested_amount", "1000000")
    expect(page.locator("[data-balance=lines]")).to_contain_text("365,000.02")
    page.locator("[data-take-total]").click()
    expect(page.locator("[data-balance=lines]")).to_be_hidden()


def test_rows_come_from_excel_in_the_order_of_the_page(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "粘贴试验")
    page.locator("[data-rows=budget_lines] [data-rows-tool=paste]").click()
    padding = "element => parseFloat(getComputedStyle(element).paddingLeft)"
    assert page.locator("#paste-dialog .card-body").evaluate(padding) >= 16
    page.fill(
        "#paste-dialog textarea",
        "软件运行维护服务\t系统维护\t7×24\t月\t12\t2,000.00\n"
        '5.2\t"等保\n测评"\t\t次\t1\t85000\n'
        "没有的科目\t培训\t\t次\t2\t500\n",
    )
    page.locator("#paste-dialog button[value=ok]").click()
    expect(form.control("budget_lines.0.subject_code")).to_have_value("2.1")
    expect(form.control("budget_lines.1.name")).to_have_value("等保 测评")
    expect(form.total("lines")).to_have_text("110,000.00")
    expect(page.locator("[data-rows=budget_lines] [data-rows-notice]")).to_contain_text("没有的科目")
    page.locator("[data-rows=budget_lines] tbody[data-row]").nth(2).locator("[data-rows-tool=drop]").click()
    page.locator("[data-rows=budget_lines] tbody[data-row]").nth(1).locator("[data-rows-tool=up]").click()
    expect(form.control("budget_lines.0.subject_code")).to_have_value("5.2")
    expect(form.total("lines")).to_have_text("109,000.00")


def test_a_closed_window_loses_nothing(log_in: LogIn, program: Programs) -> None:
    page = log_in("handler1")
    address = program("handler1").draft({"title": "关窗试验", "goals": "先写的目标"})
    edit(page, address)
    page.fill("#goals", "先写的目标，再补一句")
    page.close(run_before_unload=True)
    again = page.context.new_page()
    # The last request left with the window; the server may still be at it.
    for _ in range(10):
        again.goto(address)
        if again.input_value("#goals") != "先写的目标":
            break
        again.wait_for_timeout(300)
    expect(again.locator("#goals")).to_have_value("先写的目标，再补一句")


def _until(page: Page, happened: Callable[[], bool]) -> None:
    for _ in range(100):
        if happened():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen within five seconds")


def test_a_page_that_is_left_does_not_wait_for_an_answer(log_in: LogIn, program: Programs) -> None:
    page = log_in("handler1")
    edit(page, program("handler1").draft({"title": "关窗时还在保存", "goals": "先写的目标"}))
    held: list[Route] = []
    page.route("**/autosave/*", lambda route: held.append(route))
    page.fill("#goals", "正在保存的目标")
    _until(page, lambda: len(held) == 1)
    page.fill("#goals", "最后一句目标")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    _until(page, lambda: len(held) == 2)
    for route in reversed(held):  # the last one comes first
        with page.expect_response("**/autosave/*"):
            route.continue_()
    page.reload()
    expect(page.locator("#goals")).to_have_value("最后一句目标")


def test_the_language_switch_keeps_what_was_typed(log_in: LogIn) -> None:
    page = log_in("handler1", anew=True)
    edit = re.compile(r"/declaration/drafts/edit/\d+$")
    page.goto(NEW)
    page.fill("#title", "切换语言试验")  # nothing is saved yet when the language is changed
    switch(page, "en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(edit)
    expect(page.locator("#title")).to_have_value("切换语言试验")
    page.fill("#goals", "还没有保存的目标")
    switch(page, "zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#goals")).to_have_value("还没有保存的目标")

    page.goto(NEW)
    page.fill("#title", "退回后切换语言")
    DeclarationForm(page).submit()
    expect(page.locator("#error-summary")).to_be_visible()
    expect(page).to_have_url(edit)
    switch(page, "en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#title")).to_have_value("退回后切换语言")


def test_what_is_typed_before_the_script_has_come_is_kept(log_in: LogIn) -> None:
    page = log_in("handler1")
    held: list[Route] = []
    page.route("**/js/declaration.js*", lambda route: held.append(route), times=1)
    page.goto(NEW, wait_until="commit")
    page.fill("#title", "脚本未到时写的")
    _until(page, lambda: len(held) == 1)
    held[0].continue_()
    expect(page).to_have_url(re.compile(r"/declaration/drafts/edit/\d+"))
    page.goto(page.url)
    expect(page.locator("#title")).to_have_value("脚本未到时写的")


def test_a_form_that_nobody_has_touched_is_not_saved(log_in: LogIn, program: Programs) -> None:
    page = log_in("handler1")
    address = program("handler1").draft(samples.new_build(title="没有动过的表"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for opened in (NEW, address):
        page.goto(opened)
        expect(page.locator("#declaration-form")).to_have_class(re.compile("with-script"))
        # A page that is left sends at once whatever it thinks has been typed.
        page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    page.reload()
    assert sent == []


def test_submitted_by_a_colleague_meanwhile_the_form_closes(log_in: LogIn, program: Programs) -> None:
    mine, theirs = log_in("handler1"), log_in("handler1")
    form = edit(mine, program("handler1").draft(samples.maintenance(title="同事已提交")))
    theirs.goto(mine.url)
    DeclarationForm(theirs).submitted()
    form.put(form.control("goals"), "来不及保存的目标")
    conflict = mine.locator("#conflict")
    expect(conflict).to_contain_text("审核中")
    expect(mine.locator("[data-save-state]")).to_have_text("审核中")
    expect(mine.locator("button[name=intent]:visible")).to_have_count(0)
    expect(mine.locator("[data-save-notice]")).to_have_count(0)
    expect(form.control("goals")).to_have_value("来不及保存的目标")
    conflict.locator("[data-open-current]").click()
    expect(mine).to_have_url(re.compile(r"/declaration/show/\d+$"))


def test_without_a_line_it_says_so_and_tries_again(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "断网试验")
    # Not the browser's own switch: it writes an error to the console that the page cannot help.
    page.evaluate(
        "() => { window.line = window.fetch; window.fetch = () => Promise.reject(new TypeError()); }"
    )
    page.fill("#goals", "断网时写的")
    notice = page.locator("[data-save-notice]")
    expect(notice).to_be_visible()
    page.evaluate("() => { window.fetch = window.line; }")
    expect(notice).to_have_count(0)
    page.reload()
    expect(form.control("goals")).to_have_value("断网时写的")


def test_a_colleagues_change_is_shown_and_ones_own_text_can_be_kept(log_in: LogIn) -> None:
    mine, theirs = log_in("handler1"), log_in("handler1")
    new_draft(mine, "两人同改")
    theirs.goto(mine.url)
    DeclarationForm(theirs).keep("title", "同事改的名称")
    mine.fill("#goals", "我写的目标")
    conflict = mine.locator("#conflict")
    expect(conflict).to_contain_text("同事改的名称")
    expect(mine.locator("#goals")).to_have_value("我写的目标")
    mine.locator("[data-keep-mine]").click()
    expect(conflict).to_have_count(0)
    expect(mine.locator("[data-save-state]")).to_have_text(SAVED)
    theirs.goto(mine.url)
    expect(theirs.locator("#goals")).to_have_value("我写的目标")


def test_what_is_required_follows_the_choices(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "必填试验")
    necessity = page.locator("[data-field=necessity] > .form-label")
    expect(necessity).not_to_have_class(re.compile("required"))
    form.fill({"declaration_type": "NEW", "nature": "NEW"})
    expect(necessity).to_have_class(re.compile("required"))
    expect(form.card("FORM")).to_have_class(re.compile("border-red"))


def test_a_line_of_the_summary_leads_into_its_field(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "引导试验")
    form.submit()
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    summary.locator("a[href='#contact_mobile']").click()
    expect(page.locator("#contact_mobile")).to_be_focused()
    expect(form.error("contact_mobile")).to_be_visible()
    page.fill("#contact_mobile", "13900001111")
    page.locator("#contact_name").focus()
    expect(form.error("contact_mobile")).to_have_count(0)


def test_a_wrong_file_is_refused_beside_its_category(log_in: LogIn) -> None:
    page = log_in("handler1")
    form = new_draft(page, "附件试验")
    form.attach("QUOTE", "报价单.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n")
    expect(form.card("QUOTE").locator(".attachment-files")).to_contain_text("报价单.pdf")
    form.attach("QUOTE", "报价单.docx", b"%PDF-1.4\nnot a document")
    expect(form.card("QUOTE").locator("[data-attachment-problem]")).to_contain_text("报价单.docx")
    form.card("QUOTE").locator("button[name=remove_attachment]").click()
    page.locator("#confirm-dialog [data-verb]").click()
    expect(form.card("QUOTE").locator(".attachment-files")).to_have_count(0)


def test_without_scripts_rows_are_added_and_the_draft_is_saved(log_in: LogIn) -> None:
    page = log_in("handler1", java_script_enabled=False)
    page.goto(NEW)
    page.fill("#title", "无脚本填写")
    page.fill("[name='budget_lines.0.name']", "第一行")
    page.locator("[data-rows=budget_lines] button[value='budget_lines.add']").click()
    expect(page.locator("[name='budget_lines.3.name']")).to_be_visible()
    page.locator(".page-header button[value=save]").click()
    expect(page).to_have_url(re.compile(r"/declaration/drafts/edit/\d+"))
    expect(page.locator("[name='budget_lines.0.name']")).to_have_value("第一行")


def test_a_phone_shows_rows_one_below_the_other(log_in: LogIn) -> None:
    page = log_in("handler1", width=390, height=844)
    new_draft(page, "手机填写")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    row = page.locator("[data-rows=budget_lines] tbody[data-row]").first
    name, price = (
        row.locator("[data-cell=name]").bounding_box(),
        row.locator("[data-cell=unit_price]").bounding_box(),
    )
    assert name and price and price["y"] > name["y"] + 40
