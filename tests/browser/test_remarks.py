"""Remarks and answers, as two people do it: pinned, answered at the field, checked next round, on a sheet."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import openpyxl
from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import DRAFTS, DeclarationForm, ReviewDesk, confirm, open_in_list, row_of

TITLE = "政务服务大厅叫号系统维护"
FILE = "叫号系统维护报价.pdf"
ON_AMOUNT, ON_FILE, ON_ALL = "金额偏高，请核减。", "报价单没有盖章。", "请补充验收办法。"
ANSWER_AMOUNT, ANSWER_FILE = "补丁升级已核减五十元。", "盖章件已重新上传。"


def remark_on(page: Page, pin: Locator, text: str) -> None:
    """Open the dialog with the keyboard, as somebody without a mouse does, and write."""
    pin.focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#remark-dialog")
    expect(dialog.locator("#remark-text")).to_be_focused()
    dialog.locator("#remark-text").fill(text)
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-remark-list]")).to_contain_text(text)
    expect(pin).to_be_focused()


def test_a_remark_round_from_the_pin_to_the_sheet(log_in: LogIn, program: Programs, tmp_path: Path) -> None:
    program("handler1").declare(samples.maintenance(title=TITLE), {"QUOTE": FILE})
    reviewer = log_in("leader1")
    the_reviewer_pins_and_returns(reviewer)
    the_unit_answers_in_its_form(log_in("handler1"))
    the_next_round_begins_with_what_is_open(reviewer)
    the_sheet_says_it_all(reviewer, tmp_path)


def the_reviewer_pins_and_returns(page: Page) -> None:
    ReviewDesk(page).open(TITLE)
    page.fill("#opinion", "写了一半的意见")
    amount = page.locator(".datagrid [data-field=requested_amount]")
    remark_on(page, amount.locator(".remark-pin"), ON_AMOUNT)
    page.locator("#tab-files").click()
    remark_on(page, page.locator("[data-attachment] .remark-pin").first, ON_FILE)
    remark_on(page, page.locator("[data-remark-new]"), ON_ALL)
    expect(page.locator("#opinion")).to_have_value("写了一半的意见")
    page.locator("#tab-info").click()
    expect(amount.locator(".remark-mark")).to_have_text("待答复")
    ReviewDesk(page).give_back("请按意见逐条修改并答复。")


def the_unit_answers_in_its_form(page: Page) -> None:
    page.goto(DRAFTS)
    row_of(page, TITLE).get_by_role("link").first.click()
    form = DeclarationForm(page)
    expect(form.form).to_have_class(re.compile("with-script"))
    expect(page.locator("[data-remarks]")).to_contain_text("还有 3 条意见未答复")
    at_amount = form.form.locator("[data-field=requested_amount] .remark-here")
    expect(at_amount).to_contain_text(ON_AMOUNT)
    with page.expect_response(lambda answer: "/answer" in answer.url):
        at_amount.locator("textarea").fill(ANSWER_AMOUNT)
    at_file = form.form.locator("#chapter-attachments .remark-here")
    expect(at_file).to_contain_text(ON_FILE)
    for name, text in (
        ("budget_lines.2.unit_price", "50.00"),
        ("requested_amount", "31850.00"),
        ("funding_splits.0.amount", "31850.00"),
    ):
        form.put(form.control(name), text)
    # Not kept yet when he submits: nothing typed may be lost on the way.
    at_file.locator("textarea").fill(ANSWER_FILE)
    form.submit()
    expect(page.locator("#confirm-dialog")).to_contain_text("整份单据")
    confirm(page)
    expect(page).to_have_url(re.compile(r"/declaration/show/\d+"))
    expect(page.locator(".app-alerts")).to_contain_text("提交时以下意见未答复：整份单据")
    expect(page.locator("#remarks .remark-answered")).to_have_count(2)


def the_next_round_begins_with_what_is_open(page: Page) -> None:
    ReviewDesk(page).open(TITLE)
    expect(page.get_by_text("有 3 条意见未办结。")).to_be_visible()
    remarks = page.locator(".remark-list > .remark")
    amount = remarks.filter(has_text=ON_AMOUNT)
    expect(amount).to_contain_text(ANSWER_AMOUNT)
    expect(amount.locator(".diff-old")).to_have_text(re.compile(r"31,?900\.00"))
    expect(amount.locator(".diff-new")).to_have_text(re.compile(r"31,?850\.00"))
    expect(remarks.filter(has_text=ON_FILE)).to_contain_text(ANSWER_FILE)
    amount.get_by_role("button", name="意见办结").click()
    expect(remarks.filter(has_text=ON_AMOUNT)).to_have_class(re.compile("remark-settled"))
    expect(remarks.last).to_contain_text(ON_AMOUNT)
    expect(remarks.first).to_contain_text(ON_FILE)
    expect(page.locator("[data-remark-open]")).to_have_text("（未办结：2）")


def the_sheet_says_it_all(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="意见与答复表").click()
    table = page.locator(".remark-sheet table")
    expect(table.locator("tbody tr")).to_have_count(3)
    page.emulate_media(media="print")
    expect(page.locator(".app-menu")).to_be_hidden()
    expect(table).to_contain_text(ANSWER_FILE)
    page.emulate_media(media="screen")
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 Excel").click()
    path = folder / "sheet.xlsx"
    download.value.save_as(path)
    sheet = openpyxl.load_workbook(BytesIO(path.read_bytes())).active
    assert sheet is not None
    rows = [
        dict(zip([cell.value for cell in sheet[1]], row, strict=True))
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]
    assert [row["意见"] for row in rows] == [ON_AMOUNT, ON_FILE, ON_ALL]
    assert [row["答复"] for row in rows] == [ANSWER_AMOUNT, ANSWER_FILE, None]
    assert [row["状态"] for row in rows] == ["已办结", "已答复", "待答复"]
    assert rows[0]["修改情况"].replace(",", "").endswith("31900.00 → 31850.00")


def test_the_task_centre_on_a_phone_and_the_ledger_beside_the_document(
    log_in: LogIn, program: Programs
) -> None:
    title = "应急广播终端维护"
    program("handler1").declare(samples.maintenance(title=title), {})
    page = log_in("leader1", width=390, height=844)
    for address, words in (
        ("/task/todo/list/", "待办"),
        ("/task/done/list/", "已办"),
        ("/task/started/list/", "我发起的"),
        ("/task/copied/list/", "抄送我的"),
    ):
        page.goto(address)
        expect(page.locator(".nav-pills .active")).to_contain_text(words)
        wide = page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
        assert not wide, f"{address} is wider than the phone"
    open_in_list(page, "/task/todo/list/", title)
    expect(page.locator(".ledger tbody tr")).to_have_count(1)
    expect(page.locator(".ledger tbody tr")).to_contain_text("办理中")
    wide = page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
    assert not wide, "the document is wider than the phone"
