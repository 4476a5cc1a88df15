"""Importing in the browser: template, upload, correct the wrong rows, confirm; then the versions compared."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import ReviewDesk, confirm, told
from tests.browser.test_phone import expect_no_sideways_scroll, phone

UNIT = "开平市公安局"


def _filled(template: Path, *rows: dict[str, object]) -> bytes:
    """The template as somebody fills it in with Excel: rows under its own headers."""
    book = openpyxl.load_workbook(template)
    sheet = book.worksheets[0]
    headers = [re.sub(r"\(元\)|\*", "", str(cell.value)) for cell in sheet[1]]
    for row in rows:
        sheet.append([row.get(header) for header in headers])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _project(code: str, **changes: object) -> dict[str, object]:
    return {
        "项目编号": code,
        "项目名称": "电子政务外网线路租赁",
        "申报单位": UNIT,
        "申报年度": 2023,
        "项目现状": "运维",
        "项目类型": "延续项目",
        "阶段": "已验收",
        "本年度申请资金": 1260000,
        "安排预算金额": 1200000.5,
        **changes,
    }


def _send(page: Page, content: bytes, name: str = "历史项目.xlsx") -> None:
    page.goto("/import/list/projects")
    page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.get_by_role("button", name="上传并核对").click()
    expect(page).to_have_url(re.compile(r"/import/run/\d+"))


def test_history_comes_in_from_the_filled_template(log_in: LogIn, tmp_path: Path) -> None:
    page = log_in("reviewer")
    page.goto("/project/list/")
    page.get_by_role("link", name="导入", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="模板（金额以元计）").click()
    template = tmp_path / "template.xlsx"
    download.value.save_as(template)

    _send(page, _filled(template, _project("LS-1"), _project("LS-2", 项目名称="", 申报单位="市不存在局")))
    expect(page.get_by_text("有 1 行有误")).to_be_visible()
    expect(page.locator(".import-rows tbody tr")).to_have_count(1)
    expect(page.locator(".import-wrong")).to_contain_text("没有名为“市不存在局”的机构")
    with page.expect_download() as wrong:
        page.get_by_role("link", name="导出有误的行").click()
    wrong.value.save_as(tmp_path / "wrong.xlsx")
    page.get_by_role("button", name=re.compile(r"^导入 1 行$")).click()
    confirm(page)
    expect(page.get_by_text("有 1 行有误，未导入任何内容")).to_be_visible()

    _send(page, _filled(template, _project("LS-1"), _project("LS-2")))
    expect(page.get_by_text("将新增 2 行、修改 0 行")).to_be_visible()
    page.locator(".import-rows summary").first.click()
    expect(page.locator(".import-rows details[open]")).to_contain_text("1,200,000.50")
    page.get_by_role("button", name="导入 2 行").click()
    confirm(page)
    expect(told(page)).to_contain_text("新增 2 行")
    expect(page.locator(".alert-success")).to_contain_text("新增 2 行，修改 0 行，未变 0 行")

    _send(page, _filled(template, _project("LS-1", 项目名称="电子政务外网线路续租"), _project("LS-2")))
    expect(page.locator(".import-changed")).to_contain_text("电子政务外网线路租赁 → 电子政务外网线路续租")
    page.get_by_role("button", name="导入 1 行").click()
    confirm(page)
    page.locator(".import-changed a").click()
    page.get_by_role("link", name="与上一版对比").click()
    expect(page.locator(".history-fields ins")).to_have_text("续租")

    page.goto("/import/records/list/")
    expect(page.locator("[data-list] tbody tr").first).to_contain_text("历史项目.xlsx")


def test_a_hostile_workbook_is_a_sentence_beside_the_field(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto("/import/list/projects")
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 999
    page.set_input_files("#file", {"name": "旧.xlsx", "mimeType": "application/octet-stream", "buffer": old})
    page.get_by_role("button", name="上传并核对").click()
    expect(page.locator("#file-error")).to_contain_text("密码")


def test_what_the_unit_changed_after_a_return_is_compared(log_in: LogIn, program: Programs) -> None:
    title = "政务短信平台运维服务"
    address = program("handler1").declare(samples.maintenance(title=title), {})
    leader = log_in("leader1")
    ReviewDesk(leader).go(title).give_back("请写明服务范围。")
    handler = log_in("handler1")
    handler.goto(address.replace("/show/", "/drafts/edit/"))
    handler.fill(
        "[name='basis_text']",
        "系统现有维护服务于11月30日到期，为保障系统安全、稳定运行，须续买全年维护服务。",
    )
    handler.locator("button[form=declaration-form][value=submit]").click()
    expect(handler).to_have_url(re.compile(r"/declaration/show/\d+"))

    desk = ReviewDesk(leader).go(title)
    versions = desk.page.locator("#versions")
    expect(versions.locator("tbody tr")).to_have_count(2)
    versions.get_by_role("button", name="对比所选版本").click()
    expect(desk.page.locator(".history-fields tbody tr")).to_have_count(1)
    expect(desk.page.locator(".history-fields ins")).to_have_text("全年")
    desk.page.get_by_label("同时显示未变内容").check()
    desk.page.get_by_role("button", name="对比", exact=True).click()
    expect(desk.page.get_by_text(title).first).to_be_visible()
    expect(desk.page.locator(".history-rows")).not_to_have_count(0)
    compared = re.sub(r"^https?://[^/]+", "", desk.page.url)

    small = phone(log_in, "leader1")
    small.goto(compared)
    expect_no_sideways_scroll(small)
    for path in ("/import/", "/import/list/projects", "/import/records/list/"):
        reviewer = phone(log_in, "reviewer")
        reviewer.goto(path)
        expect_no_sideways_scroll(reviewer)
