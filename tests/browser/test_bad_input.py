"""Bad input gets a clear answer and nothing is lost: what issue 2 names, done by hand in the browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import (
    DECLARED,
    DRAFTS,
    NEW,
    PROJECTS,
    DeclarationForm,
    ReviewDesk,
    confirm,
    edit,
    row_of,
    told,
)

BASIS = {"BASIS": "采购需求.pdf"}
MB = 1 << 20


def flow_log(page: Page) -> list[str]:
    """What has happened to the declaration on the page, the latest first, without what is to come."""
    page.locator("#tab-log").click()
    happened = page.locator("#pane-log li").filter(has=page.locator("time"))
    return [text.strip() for text in happened.locator(".fw-medium").all_inner_texts()]


class TestFields:
    def test_what_is_missing_or_wrong_is_said_beside_its_field_and_the_form_stays_filled(
        self, log_in: LogIn, program: Programs
    ) -> None:
        page = log_in("handler1")
        form = edit(page, program("handler1").draft(samples.maintenance(title="填错的申报")))
        form.put(form.control("basis_text"), "")
        form.put(form.control("lead_mobile"), "1380000")
        form.put(form.control("end_date"), f"{samples.next_year()}-01-01")
        before = form.values()
        form.submit()
        expect(page.locator("#error-summary")).to_be_focused()
        for name in ("basis_text", "lead_mobile", "end_date"):
            expect(form.error(name)).to_be_visible()
            expect(form.control(name)).to_have_attribute("aria-invalid", "true")
            expect(page.locator(f"#error-summary a[href='#{name}']")).to_be_visible()
        assert page.locator("#error-summary li").count() == 3
        assert form.values() == before

        form.put(form.control("basis_text"), "系统现有维护服务到期。")
        form.put(form.control("lead_mobile"), "13800002210")
        form.put(form.control("end_date"), f"{samples.next_year() + 1}-11-30")
        form.submitted()

    def test_an_amount_with_three_decimals_is_not_rounded(self, log_in: LogIn, program: Programs) -> None:
        page = log_in("handler1")
        form = edit(page, program("handler1").draft(samples.maintenance(title="三位小数")))
        form.put(form.control("budget_lines.2.unit_price"), "100.005")
        expect(form.table("budget_lines").locator("[data-line-amount]").nth(2)).to_have_text("—")
        form.submit()
        expect(form.error("budget_lines.2.unit_price")).to_contain_text("2")
        expect(form.control("budget_lines.2.unit_price")).to_have_value("100.005")
        page.goto(DRAFTS)
        row_of(page, "三位小数").get_by_role("link").first.click()
        expect(form.control("budget_lines.2.unit_price")).to_have_value("100.005")

    def test_totals_that_do_not_match_are_said_at_once_and_again_at_the_submission(
        self, log_in: LogIn, program: Programs
    ) -> None:
        page = log_in("handler1")
        form = edit(page, program("handler1").draft(samples.maintenance(title="合计不符")))
        form.put(form.control("requested_amount"), "32,000.00")
        expect(page.locator("[data-balance=lines]")).to_contain_text("100.00")
        form.put(form.control("funding_splits.0.amount"), "31,950.00")
        expect(page.locator("[data-balance=splits]")).to_contain_text("50.00")
        form.submit()
        expect(form.error("requested_amount")).to_contain_text("100.00")
        expect(form.error("funding_splits")).to_contain_text("50.00")
        expect(form.control("requested_amount")).to_have_value("32,000.00")
        expect(form.control("funding_splits.0.amount")).to_have_value("31,950.00")

    def test_a_state_secret_is_not_kept_anywhere(self, log_in: LogIn) -> None:
        page = log_in("handler1")
        page.goto(NEW)
        form = DeclarationForm(page)
        form.fill({"is_secret": "1"})
        form.put(form.control("title"), "涉密项目不得录入")
        expect(page.locator("[data-save-notice]")).to_be_visible()
        form.submit()
        expect(page.locator("#error-summary a[href='#is_secret']")).to_be_visible()
        expect(form.control("title")).to_have_value("涉密项目不得录入")
        page.goto(f"{DRAFTS}?q=涉密项目不得录入")
        expect(page.locator("[data-list]")).to_be_visible()
        expect(row_of(page, "涉密项目不得录入")).to_have_count(0)


class TestStalePages:
    def test_a_form_saved_over_a_colleagues_change_shows_who_changed_what(
        self, log_in: LogIn, program: Programs
    ) -> None:
        mine, theirs = log_in("handler1"), log_in("handler1", anew=True)
        form = edit(mine, program("handler1").draft(samples.maintenance(title="两个窗口")))
        theirs.goto(mine.url)
        other = DeclarationForm(theirs)
        other.put(other.control("contact_name"), "李秀英")
        theirs.locator(".page-header button[value=save]").click()
        expect(told(theirs)).to_be_visible()

        form.put(form.control("lead_name"), "梁志强")
        with mine.expect_response(lambda answer: answer.request.method == "POST") as answer:
            mine.locator(".page-header button[value=save]").click()
        assert answer.value.status == 409
        conflict = mine.locator("#conflict")
        expect(conflict.locator(".diff-new")).to_contain_text(["李秀英"])
        expect(conflict.locator(".diff-old")).to_contain_text(["陈晓琳"])
        expect(form.control("lead_name")).to_have_value("梁志强")
        conflict.locator("[data-open-current]").click()
        expect(form.control("contact_name")).to_have_value("李秀英")
        expect(form.control("lead_name")).to_have_value("梁志明")

    def test_a_task_decided_in_another_window_is_not_decided_again(
        self, log_in: LogIn, program: Programs
    ) -> None:
        address = program("handler1").declare(samples.maintenance(title="两处同审"), BASIS)
        one, two = log_in("leader1"), log_in("leader1")
        ReviewDesk(one).go("两处同审")
        ReviewDesk(two).go("两处同审").approve("同意申报。")
        one.fill("#opinion", "我也同意。")
        with one.expect_response(lambda answer: answer.url.endswith("/act")) as answer:
            one.locator("button[data-approve]").click()
            confirm(one)
        assert answer.value.status == 409
        expect(one.locator("#opinion")).to_have_value("我也同意。")
        expect(one.locator("button[data-approve]")).to_have_count(0)
        one.goto(address)
        assert len(flow_log(one)) == 2


class TestDoubleClicks:
    def test_on_submit_has_one_effect(self, log_in: LogIn, program: Programs) -> None:
        page = log_in("handler1")
        edit(page, program("handler1").draft(samples.maintenance(title="连点提交")))
        page.locator("button[form=declaration-form][value=submit]").dblclick(no_wait_after=True)
        expect(page).to_have_url(re.compile(r"/declaration/show/\d+"))
        assert len(flow_log(page)) == 1
        page.goto(f"{DECLARED}?q=连点提交")
        expect(row_of(page, "连点提交")).to_have_count(1)
        page.goto(f"{PROJECTS}?title=连点提交")
        expect(row_of(page, "连点提交")).to_have_count(1)

    def test_on_approve_has_one_effect(self, log_in: LogIn, program: Programs) -> None:
        address = program("handler1").declare(samples.maintenance(title="连点通过"), BASIS)
        leader = log_in("leader1")
        ReviewDesk(leader).go("连点通过")
        leader.fill("#opinion", "同意。")
        leader.locator("button[data-approve]").click()
        leader.locator("#confirm-dialog [data-verb]").dblclick(no_wait_after=True)
        expect(told(leader)).to_be_visible()
        leader.goto(address)
        assert len(flow_log(leader)) == 2


class TestOtherPeoplesThings:
    def test_another_units_declaration_is_not_there(self, log_in: LogIn, program: Programs) -> None:
        address = program("handler1").declare(samples.maintenance(title="别的单位看不到"), BASIS)
        own = log_in("handler1")
        own.goto(address)
        own.locator("#tab-files").click()
        file = own.locator("#pane-files a[download]").get_attribute("href")
        assert file
        stranger = log_in("handler2")
        for path in (address, address.replace("show", "drafts/edit"), file):
            answer = stranger.goto(path)
            assert answer is not None and answer.status == 404, path
            expect(stranger.locator(".error-code")).to_have_text("404")
            expect(stranger.locator("#app-menu")).to_be_visible()
        stranger.goto(f"{PROJECTS}?title=别的单位看不到")
        expect(stranger.locator("[data-list]")).to_be_visible()
        expect(row_of(stranger, "别的单位看不到")).to_have_count(0)

    def test_what_ones_role_may_not_do_is_said_plainly(self, log_in: LogIn) -> None:
        page = log_in("viewer")
        answer = page.goto(NEW)
        assert answer is not None and answer.status == 403
        expect(page.locator(".error-code")).to_have_text("403")
        page.locator(".error-page a.btn-primary").click()
        expect(page).to_have_url(re.compile(r"/$"))


class TestFiles:
    def test_a_file_over_the_limit_or_of_another_kind_is_refused_beside_its_category(
        self, log_in: LogIn, program: Programs, tmp_path: Path
    ) -> None:
        page = log_in("handler1")
        form = edit(page, program("handler1").draft(samples.maintenance(title="附件不合要求")))
        large = tmp_path / "过大的附件.pdf"
        with large.open("wb") as file:
            file.write(samples.pdf())
            file.truncate(50 * MB + 1)
        card = form.card("BASIS")
        card.locator("input[type=file]").set_input_files(large)
        expect(card.locator("[data-attachment-problem]")).to_contain_text("50 MB")
        form.attach("BASIS", "其实是图片.pdf", b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
        expect(card.locator("[data-attachment-problem]")).to_contain_text("其实是图片.pdf")
        expect(card.locator(".attachment-files")).to_have_count(0)
        expect(form.control("title")).to_have_value("附件不合要求")

    @pytest.mark.parametrize(
        ("name", "size", "status"), [("过大.pdf", 50 * MB + 1, 413), ("其实是图片.pdf", 0, 415)]
    )
    def test_without_scripts_the_answer_has_its_status_and_the_form_is_still_filled(
        self, log_in: LogIn, tmp_path: Path, name: str, size: int, status: int
    ) -> None:
        page = log_in("handler1", java_script_enabled=False)
        page.goto(NEW)
        page.fill("#title", f"无脚本附件{status}")
        file = tmp_path / name
        with file.open("wb") as opened:
            opened.write(samples.pdf() if size else b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
            opened.truncate(size or None)
        page.locator("[data-category=BASIS] input[type=file]").set_input_files(file)
        with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            page.locator(".page-header button[value=save]").click()
        assert answer.value.status == status
        expect(page.locator("[data-category=BASIS] [data-attachment-problem]")).to_contain_text(name)
        expect(page.locator("#title")).to_have_value(f"无脚本附件{status}")

    def test_a_file_chosen_while_the_page_saves_itself_is_not_lost(self, log_in: LogIn) -> None:
        page = log_in("handler1")
        page.goto(NEW)
        form = DeclarationForm(page)
        with page.expect_file_chooser() as chooser:
            form.card("BASIS").locator("input[type=file]").click(force=True)
        # While the window with the files is open, the page keeps the draft and draws its cards anew.
        form.keep("title", "保存时选附件")
        form.fill({"declaration_type": "NEW", "nature": "NEW"})
        expect(form.card("FORM")).to_have_class(re.compile("border-red"))
        chooser.value.set_files({"name": "依据.pdf", "mimeType": "application/pdf", "buffer": samples.pdf()})
        expect(form.card("BASIS").locator(".attachment-files")).to_contain_text("依据.pdf")


def test_what_a_list_does_not_know_is_named(log_in: LogIn) -> None:
    page = log_in("reviewer")
    wrong = {"sort=nonsense": "nonsense", "colour=red": "colour", "page=abc": "abc", "page=0": "0"}
    for query, said in wrong.items():
        answer = page.goto(f"{PROJECTS}?{query}")
        assert answer is not None and answer.status == 400, query
        expect(page.locator(".error-page")).to_contain_text(said)


def test_a_condition_that_cannot_be_read_is_marked_in_its_list(log_in: LogIn) -> None:
    page = log_in("reviewer")
    for query, said in (("year=abc", "年度 = abc"), ("unit=999999999999", "申请单位 = 999999999999")):
        answer = page.goto(f"{PROJECTS}?{query}&title=公安")
        assert answer is not None and answer.status == 400, query
        expect(page.locator("main")).to_contain_text(said)
        expect(page.locator("main")).to_contain_text("有条件无法识别")
        expect(page.locator("input[name=title]")).to_have_value("公安")


def test_a_page_beyond_the_last_is_the_last(log_in: LogIn) -> None:
    page = log_in("reviewer")
    for query in ("page=99999", "page_size=1000000"):
        answer = page.goto(f"{PROJECTS}?{query}")
        assert answer is not None and answer.status == 200, query
        rows = page.locator("[data-list] tbody tr").count()
        assert 0 < rows <= 200, query
