"""Every verb of a review, done with the mouse by the people who do it; what each leaves in the flow log."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import (
    TASKS,
    DeclarationForm,
    ReviewDesk,
    confirm,
    pick,
    row_of,
    task_of,
    told,
)
from tests.browser.test_bad_input import BASIS, flow_log

OPEN_TASKS = "/review/open/list/"
STEPS = ("leader1", "reviewer", "checker", "director")


def in_review(program: Programs, title: str, past: int = 0) -> str:
    """A declaration that so many of the four steps have approved; its page's path."""
    address = program("handler1").declare(samples.maintenance(title=title), BASIS)
    for username in STEPS[:past]:
        program(username).approve(title)
    return address


def history(page: Page, address: str) -> list[str]:
    """The flow log, the oldest first."""
    page.goto(address)
    return flow_log(page)[::-1]


def waits(page: Page, title: str) -> bool:
    """Is it in the reviewer's list?"""
    return task_of(page, title) is not None


class TestDeciding:
    def test_approve_goes_on_to_the_next_task_by_keys_alone(self, log_in: LogIn, program: Programs) -> None:
        for title in ("键盘甲", "键盘乙", "键盘丙"):
            in_review(program, title)
        page = log_in("leader1")
        ReviewDesk(page).open("键盘甲")
        page.keyboard.press("Alt+O")
        expect(page.locator("#opinion")).to_be_focused()
        page.keyboard.press("Alt+1")
        expect(page.locator("#opinion")).to_have_value("同意。")
        first = page.url
        page.keyboard.press("Control+Enter")
        confirm(page)
        expect(told(page)).to_be_visible()
        page.wait_for_url(lambda url: url != first)
        expect(page.locator("#review-form")).to_be_visible()
        second = page.url
        page.keyboard.press("Alt+N")
        page.wait_for_url(lambda url: url != second)  # loaded: its scripts hear the keys
        page.keyboard.press("Alt+P")
        page.wait_for_url(second)

    def test_return_to_the_unit_whose_answer_the_reviewer_reads(
        self, log_in: LogIn, program: Programs
    ) -> None:
        address = in_review(program, "退回申报单位", past=1)
        ReviewDesk(log_in("reviewer")).go("退回申报单位").give_back("请补充报价依据。")
        handler = log_in("handler1")
        handler.goto(address.replace("show", "drafts/edit"))
        expect(handler.locator(".alert-warning")).to_contain_text("请补充报价依据。")
        handler.fill("#answer", "已补充三家报价。")
        DeclarationForm(handler).submitted()
        leader = log_in("leader1")
        ReviewDesk(leader).go("退回申报单位")
        expect(leader.locator(".review-answer")).to_contain_text("请补充报价依据。")
        expect(leader.locator(".review-answer")).to_contain_text("已补充三家报价。")
        assert "退回修改" in history(handler, address)[2]

    def test_return_to_an_earlier_step_whose_reviewer_reads_why(
        self, log_in: LogIn, program: Programs
    ) -> None:
        in_review(program, "退回上一步", past=2)
        ReviewDesk(log_in("checker")).go("退回上一步").send_back("初审", "请再核单价。")
        page = log_in("reviewer")
        ReviewDesk(page).go("退回上一步")
        expect(page.locator(".review-answer")).to_contain_text("请再核单价。")
        assert not waits(log_in("checker"), "退回上一步")

    def test_reject_ends_it_and_the_unit_reads_the_reason(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "不予通过", past=1)
        ReviewDesk(log_in("reviewer")).go("不予通过").reject("与在建系统重复。")
        handler = log_in("handler1")
        assert "不予通过" in history(handler, address)[-1]
        expect(handler.locator("#pane-log")).to_contain_text("与在建系统重复。")
        expect(handler.locator(".page-header form[action*=withdraw]")).to_have_count(0)

    def test_take_back_while_nobody_has_acted_since(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "收回审核")
        leader = log_in("leader1")
        ReviewDesk(leader).go("收回审核")
        task = leader.url
        ReviewDesk(leader).approve()
        assert waits(log_in("reviewer"), "收回审核")
        leader.goto(task)
        leader.locator("form[action$=take-back] button").click()
        confirm(leader)
        expect(leader.locator("#review-form")).to_be_visible()
        assert not waits(log_in("reviewer"), "收回审核")
        assert "收回" in history(leader, address)[-1]


class TestBringingIn:
    def test_transfer_hands_it_over_for_good(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "转办项目", past=2)
        page = log_in("checker")
        ReviewDesk(page).go("转办项目").bring_in("transfer", "吴婉仪", opinion="请预算股办理。")
        assert not waits(page, "转办项目")
        finance = log_in("finance")
        ReviewDesk(finance).go("转办项目").approve()
        told_last = history(finance, address)
        assert re.search("周伟杰.*转.*吴婉仪", told_last[3]), told_last
        assert "吴婉仪 通过" in told_last[4]

    def test_delegate_comes_back_with_the_answer(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "征求意见", past=2)
        page = log_in("checker")
        ReviewDesk(page).go("征求意见")
        task = page.url
        ReviewDesk(page).bring_in("delegate", "吴婉仪", opinion="请核单价。")
        page.goto(task)
        expect(page.locator("#review-form")).to_have_count(0)
        finance = log_in("finance")
        ReviewDesk(finance).go("征求意见")
        for verb in ("transfer", "delegate", "add_signer"):
            expect(finance.locator(f"[data-chooses={verb}]")).to_have_count(0)
        ReviewDesk(finance).approve("单价合理。")
        page.goto(task)
        expect(page.locator("#pane-log")).to_contain_text("单价合理。")
        ReviewDesk(page).approve()
        assert "吴婉仪 回复委托 → 周伟杰" in history(page, address)[4]

    def test_add_a_signer_before_and_one_after(self, log_in: LogIn, program: Programs) -> None:
        in_review(program, "加签项目", past=2)
        page = log_in("checker")
        ReviewDesk(page).go("加签项目").bring_in("add_signer", "吴婉仪", position="BEFORE")
        assert not waits(page, "加签项目")
        ReviewDesk(log_in("finance")).go("加签项目").approve()
        ReviewDesk(page).go("加签项目").bring_in("add_signer", "方示例", position="AFTER")
        ReviewDesk(page).go("加签项目").approve()
        assert not waits(log_in("director"), "加签项目")
        ReviewDesk(log_in("expert1")).go("加签项目").approve()
        assert waits(log_in("director"), "加签项目")

    def test_a_copy_is_read_and_gives_nothing_to_do(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "抄送项目", past=2)
        page = log_in("checker")
        ReviewDesk(page).go("抄送项目").bring_in("copy_to", "吴婉仪", "方示例")
        expect(page.locator("#review-form")).to_be_visible()
        expert = log_in("expert1")
        assert not waits(expert, "抄送项目")
        expert.goto(address)
        expect(expert.locator(".page-title")).to_contain_text("抄送项目")

    def test_only_people_who_could_do_it_are_offered(self, log_in: LogIn, program: Programs) -> None:
        in_review(program, "谁能办理", past=2)
        page = log_in("checker")
        ReviewDesk(page).go("谁能办理")
        page.locator("[data-chooses=transfer]").click()
        box = page.locator("#to_user + .ts-wrapper")
        for name, offered in (("关伟雄", True), ("陈晓琳", False), ("梁志明", False), ("许敬之", False)):
            with page.expect_response(re.compile(r"/people\?")):
                box.locator("input").fill(name)
            option = box.locator(".ts-dropdown .option").filter(has_text=name)
            expect(option).to_have_count(1 if offered else 0)
        box.locator("input").fill("关伟雄")
        expect(box.locator(".ts-dropdown .option")).to_contain_text("市政数局分管领导")


class TestOpinion:
    def test_is_kept_without_moving_anything_and_carries_files(
        self, log_in: LogIn, program: Programs
    ) -> None:
        address = in_review(program, "附件意见", past=1)
        page = log_in("reviewer")
        desk = ReviewDesk(page).go("附件意见")
        with page.expect_response(lambda answer: answer.url.endswith("/opinion")):
            page.fill("#opinion", "核减说明见附件。")
        desk.attach("核减说明.pdf")
        desk.attach("单价比对.pdf")
        page.reload()
        expect(page.locator("#opinion")).to_have_value("核减说明见附件。")
        expect(page.locator("[data-file-list] li")).to_have_count(2)
        page.locator("[data-file-list] li").nth(1).locator("[data-remove-file]").click()
        expect(page.locator("[data-file-list] li")).to_have_count(1)
        page.locator("[data-files] input[type=file]").set_input_files(
            {"name": "x.html", "mimeType": "text/html", "buffer": b"<script>"}
        )
        expect(page.locator("[data-file-problem]")).to_contain_text("x.html")
        ReviewDesk(page).approve("核减说明见附件。")
        handler = log_in("handler1")
        handler.goto(address)
        handler.locator("#tab-log").click()
        with handler.expect_download() as download:
            handler.locator("#pane-log").get_by_role("link", name="核减说明.pdf").click()
        assert download.value.suggested_filename == "核减说明.pdf"
        expect(handler.locator("#pane-log")).not_to_contain_text("单价比对.pdf")


class TestApplicant:
    def test_urges_once_a_day(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "催办项目")
        page = log_in("handler1")
        for said in ("alert-success", "error-code"):
            page.goto(address)
            page.locator("form[action$='/urge'] button").click()
            confirm(page)
            if said == "error-code":
                expect(page.locator(".error-code")).to_have_text("409")
            else:
                expect(told(page)).to_be_visible()
        assert sum("催办" in entry for entry in history(page, address)) == 1

    def test_withdraws_while_nobody_has_acted_and_not_afterwards(
        self, log_in: LogIn, program: Programs
    ) -> None:
        address = in_review(program, "撤回项目")
        page = log_in("handler1")
        page.goto(address)
        page.locator("form[action$='/withdraw'] button").click()
        confirm(page)
        expect(page.locator("#declaration-form")).to_be_visible()
        assert not waits(log_in("leader1"), "撤回项目")
        assert "撤回" in history(page, address)[-1]


class TestAdministrator:
    def test_terminates_from_the_document_with_a_reason(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "终止项目", past=1)
        page = log_in("reviewer")
        page.goto(address)
        page.locator("[data-dialog-open=terminate-dialog]").click()
        dialog = page.locator("#terminate-dialog")
        dialog.locator("button[type=submit]").click()
        expect(page.locator("#terminate-dialog")).to_be_visible()
        expect(page.locator("#terminate-error")).to_be_visible()
        page.fill("#terminate-reason", "项目不再建设。")
        page.locator("#terminate-dialog button[type=submit]").click()
        expect(told(page)).to_be_visible()
        assert "终止" in history(log_in("handler1"), address)[-1]

    def test_reassigns_what_an_absent_colleague_has(self, log_in: LogIn, program: Programs) -> None:
        address = in_review(program, "改派项目", past=2)
        page = log_in("admin")
        page.goto(f"{OPEN_TASKS}?q=改派项目")
        row = row_of(page, "改派项目")
        expect(row).to_contain_text("周伟杰")
        row.locator("input[type=checkbox]").check()
        page.locator("button[formaction*='/review/open/choose']").click()
        expect(page.locator("#to_user")).to_be_attached()
        page.locator("form[action$=give] button[type=submit]").click()
        expect(page.locator("#to_user-error")).to_be_visible()
        pick(page, "#to_user", "吴婉仪")
        page.fill("#opinion", "周伟杰出差。")
        page.locator("form[action$=give] button[type=submit]").click()
        expect(page.locator(".ti-circle-check")).to_be_visible()
        assert waits(log_in("finance"), "改派项目")
        assert not waits(log_in("checker"), "改派项目")
        assert "司徒文辉 改派 周伟杰 → 吴婉仪" in history(log_in("reviewer"), address)[-1]


class TestAgents:
    def test_the_agent_acts_marked_everywhere_until_he_is_revoked(
        self, log_in: LogIn, program: Programs
    ) -> None:
        address = in_review(program, "代理项目", past=3)
        absent, agent = log_in("director"), log_in("finance")
        absent.goto("/agent/")
        pick(absent, "#agent_id", "吴婉仪")
        absent.fill("#date_to", absent.input_value("#date_from"))
        absent.locator("form[action='/agent/name'] button[type=submit]").click()
        expect(told(absent)).to_be_visible()
        try:
            agent.goto("/agent/")
            pick(agent, "#agent_id", "关伟雄")
            agent.fill("#date_to", agent.input_value("#date_from"))
            agent.locator("form[action='/agent/name'] button[type=submit]").click()
            expect(agent.locator(".alert-danger")).to_contain_text("关伟雄 → 吴婉仪")
            agent.goto(f"{TASKS}?q=代理项目")
            expect(row_of(agent, "代理项目")).to_contain_text("关伟雄")
            ReviewDesk(agent).go("代理项目").approve("同意（代）。")
            assert "吴婉仪（代 关伟雄） 通过" in history(absent, address)[-1]
            agent.goto("/task/done/list/?q=代理项目")
            expect(row_of(agent, "代理项目")).to_contain_text("代 关伟雄")
        finally:
            absent.goto("/agent/")
            absent.locator("form[action$='/revoke'] button").first.click()
            confirm(absent)
            expect(told(absent)).to_be_visible()
        in_review(program, "代理之后", past=3)
        assert not waits(agent, "代理之后")
        assert waits(absent, "代理之后")
