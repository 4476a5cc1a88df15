"""Two declarations on their whole way, each by the people who really do it, in windows of their own."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser.conftest import LogIn
from tests.browser.office import (
    DASHBOARD,
    DECLARED,
    DRAFTS,
    MESSAGES,
    NEW,
    PLAN,
    SUMMARY,
    TASKS,
    DeclarationForm,
    ReviewDesk,
    files_of,
    open_in_list,
    path_of,
    row_of,
)

FIRST_FIELDS = (
    "title",
    "nature",
    "declaration_type",
    "service_categories",
    "basis_codes",
    "begin_date",
    "end_date",
    "budget_lines",
)

MESSAGES_TO_THE_HANDLER = (
    "结果告知（通过）",
    *["审核意见"] * 4,
    "受理意见",
    "审核意见（退回）",
    "审核意见",
    "受理意见",
)
"""What the handler has in the inbox in the end, the latest first."""

LAST_FIELDS = ("funding_splits", "lead_name", "lead_mobile", "contact_name", "contact_mobile")


def test_the_maintenance_renewal_from_the_handlers_desk_to_the_leaders_chart(log_in: LogIn) -> None:
    raw = samples.maintenance()
    title = raw["title"]
    declared_by_hand_over_two_mornings(log_in, raw)
    handler = log_in("handler1", anew=True)
    address = the_form_as_it_was_left(handler, raw)

    leader = log_in("leader1")
    ReviewDesk(leader).open(title).approve("单位同意申报。")

    reviewer = log_in("reviewer")
    ReviewDesk(reviewer).open(title).give_back("请补充维护服务的验收依据。")

    revised(handler, address, title)
    # By the default parameter a returned declaration begins at the first step again.
    ReviewDesk(leader).open(title).approve("已补充，同意。")

    edited_directly(reviewer, title)
    expect_the_unit_reads_the_difference(handler, address)

    ReviewDesk(log_in("checker")).open(title).approve()
    ReviewDesk(log_in("director")).open(title).approve()

    expect_in_summary_and_plan(reviewer, title)
    workbook_holds_what_the_list_shows(reviewer, title)
    the_bar_leads_to_its_projects(log_in("viewer"), "市公安局")
    expect_told(handler, title, MESSAGES_TO_THE_HANDLER)


def declared_by_hand_over_two_mornings(log_in: LogIn, raw: Mapping[str, Any]) -> None:
    """The first part is typed, and the browser closed without saving."""
    page = log_in("handler1")
    page.goto("/")
    page.locator(f"main a[href='{NEW}'], .page-body a[href='{NEW}']").first.click()
    form = DeclarationForm(page)
    form.fill({name: raw[name] for name in FIRST_FIELDS})
    expect(form.total("lines")).to_have_text("31,900.00")
    expect(form.total("lines-words")).to_have_text(samples.MAINTENANCE_IN_WORDS)
    expect(form.control("requested_amount")).to_have_value("31,900.00")
    form.keep("basis_text", raw["basis_text"])
    page.context.close()


def the_form_as_it_was_left(page: Page, raw: Mapping[str, Any]) -> str:
    """The next morning everything is there; it is filled in to the end and submitted."""
    title = raw["title"]
    open_in_list(page, DRAFTS, title)
    form = DeclarationForm(page)
    kept = form.values()
    for name in ("title", "nature", "declaration_type", "basis_text", "begin_date", "end_date"):
        assert kept[name] == [raw[name]], name
    assert kept["service_categories"] == raw["service_categories"]
    assert kept["basis_codes"] == raw["basis_codes"]
    assert kept["requested_amount"] == ["31,900.00"]
    for index, line in enumerate(raw["budget_lines"]):
        assert kept[f"budget_lines.{index}.name"] == [line["name"]]
        assert kept[f"budget_lines.{index}.subject_code"] == [line["subject_code"]]
    expect(form.total("lines-words")).to_have_text(samples.MAINTENANCE_IN_WORDS)

    form.fill(
        {name: value for name, value in raw.items() if name.startswith(("lead_", "contact_", "funding_"))}
    )
    expect(form.total("splits")).to_have_text("31,900.00")
    form.attach("BASIS", "维护服务采购需求.pdf", samples.pdf("采购需求"))
    expect(form.card("BASIS").get_by_role("link", name="维护服务采购需求.pdf")).to_be_visible()
    form.submitted()
    expect(page.locator("#pane-info")).to_contain_text(samples.MAINTENANCE_IN_WORDS)
    return path_of(page)


def revised(page: Page, address: str, title: str) -> None:
    """The unit reads why it came back, corrects it, and submits it again."""
    page.goto(address)
    page.locator(".page-header a[href*='/edit/']").click()
    form = DeclarationForm(page)
    expect(page.locator("[data-notices]")).to_contain_text("请补充维护服务的验收依据。")
    form.put(form.control("basis_text"), "系统现有维护服务于11月30日到期，验收依据见采购需求第三章。")
    form.submitted()
    open_in_list(page, DECLARED, title)


def edited_directly(page: Page, title: str) -> None:
    """The reviewer corrects a word himself, says why, and approves."""
    desk = ReviewDesk(page).open(title)
    page.locator("#review-form a[href$='/edit']").click()
    form = DeclarationForm(page)
    form.put(form.control("budget_lines.2.name"), "补丁升级与漏洞修复服务")
    page.fill("#reason", "与采购需求的用词一致。")
    page.locator(".action-card button[type=submit]").click()
    expect(page.locator("#review-form")).to_be_visible()
    desk.approve("已按采购需求核对。")


def expect_the_unit_reads_the_difference(page: Page, address: str) -> None:
    """What was changed, what it was before, by whom and why."""
    page.goto(address)
    page.locator("#tab-changes").click()
    line = page.locator("#pane-changes tr").filter(has_text="补丁升级与漏洞修复服务")
    expect(line.locator(".diff-old")).to_contain_text("补丁升级服务")
    expect(line).to_contain_text("梁志明")
    expect(page.locator("#pane-changes")).to_contain_text("与采购需求的用词一致。")


def expect_in_summary_and_plan(page: Page, title: str) -> None:
    """Approved by three people of the bureau, it stands in 项目申报汇总 and in the annual plan."""
    for address in (SUMMARY, PLAN):
        page.goto(f"{address}?title={title}&year={samples.next_year()}")
        expect(row_of(page, title)).to_have_count(1)
        expect(row_of(page, title)).to_contain_text("3.19")


CHOSEN = ("requested_amount", "title", "unit", "nature", "submitted_at")


def workbook_holds_what_the_list_shows(page: Page, title: str) -> None:
    """Columns are chosen and put in order; the workbook has exactly these, and figures are figures."""
    page.goto(f"{SUMMARY}?title={title}")
    choose_columns(page, CHOSEN)
    shown = [text.strip() for text in page.locator("[data-list] thead th:not(:has(input))").all_inner_texts()]
    rows = page.locator("[data-list] tbody tr").count()
    with page.expect_download() as downloading:
        page.locator("a[download][href*='export']").click()
    assert downloading.value.suggested_filename.endswith(".xlsx")
    sheet = openpyxl.load_workbook(BytesIO(Path(downloading.value.path()).read_bytes())).active
    assert sheet is not None
    heading, *lines, total = sheet.iter_rows()
    assert len(heading) == len(shown) == len(CHOSEN)
    assert [cell.value for cell in heading][1:] == shown[1:]
    assert len(lines) == rows

    (found,) = (line for line in lines if line[1].value == title)
    amount, _, unit, nature, submitted = (cell.value for cell in found)
    assert (amount, unit, nature) == (31900, "开平市公安局", "运维")
    assert found[0].number_format == "#,##0.00"
    assert isinstance(submitted, dt.datetime)
    assert total[0].value == sum(line[0].value for line in lines)


def choose_columns(page: Page, wanted: Sequence[str]) -> None:
    """Tick these columns in the chooser, and put the amount before all others."""
    page.locator("[data-dialog-open=column-dialog]").click()
    dialog = page.locator("#column-dialog")
    boxes = dialog.locator("input[name=columns]")
    first = dialog.locator("li").filter(has=page.locator(f"input[value='{wanted[0]}']"))
    for key in keys_of(boxes):
        dialog.locator(f"input[name=columns][value='{key}']").set_checked(key in wanted)
    while keys_of(boxes)[0] != wanted[0]:
        first.locator("[data-column-move='-1']").click()
    dialog.locator("button.btn-primary").click()
    expect(dialog).to_be_hidden()


def keys_of(boxes: Locator) -> list[str]:
    """The columns as they stand in the chooser."""
    keys: list[str] = boxes.evaluate_all("boxes => boxes.map(box => box.value)")
    return keys


def the_bar_leads_to_its_projects(page: Page, unit: str) -> None:
    """The leader sees the unit's bar, and a click on it opens the list of exactly its projects."""
    page.goto(f"{DASHBOARD}?year={samples.next_year()}")
    figure = page.locator("[data-chart-figure]").first
    canvas = figure.locator("[data-chart-drawn]")
    figure.locator("summary").click()
    line = figure.locator("tbody tr").filter(has=page.get_by_role("link", name=unit, exact=True))
    projects = int(line.locator("td").first.inner_text())
    assert projects > 0
    middle = canvas.evaluate(_MIDDLE_OF_BAR, unit)
    canvas.hover(position=middle)
    expect(canvas).to_have_css("cursor", "pointer")
    canvas.click(position=middle)
    page.wait_for_url(re.compile(r"/project/list/\?"))
    expect(page.locator("[data-list] tbody tr")).to_have_count(projects)
    expect(page.locator(".list-search .chip").first).to_contain_text(unit)


_MIDDLE_OF_BAR = """(canvas, unit) => {
    const chart = echarts.getInstanceByDom(canvas);
    const bars = chart.getOption().series[0].data;
    const index = bars.findIndex((bar) => bar.name === unit);
    const [x, y] = chart.convertToPixel({ seriesIndex: 0 }, [index, bars[index].value / 2]);
    // two bars stand beside each other on the middle of the category: the first is left of it
    return { x: x - 8, y };
}"""


def expect_told(page: Page, title: str, kinds: Sequence[str]) -> None:
    """The worker has delivered every message once, the latest on top, and it leads to the declaration."""
    inbox = row_of_message(page, title)
    deadline = time.monotonic() + 15
    while True:
        page.goto(MESSAGES)
        if inbox.count() == len(kinds) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    told = [row.split()[0] for row in inbox.all_inner_texts()]
    assert told == list(kinds)
    inbox.first.get_by_role("button").first.click()
    expect(page.locator(".page-title")).to_contain_text(title)


def row_of_message(page: Page, title: str) -> Locator:
    """The messages that speak of this project."""
    return page.locator("[data-list] tbody tr").filter(has_text=f"《{title}》")


def test_a_new_build_with_eight_lines_from_excel_and_two_channels(log_in: LogIn) -> None:
    raw = samples.new_build()
    page = log_in("handler2")
    page.goto(NEW)
    form = DeclarationForm(page)
    form.fill({name: value for name, value in raw.items() if name != "budget_lines"})
    form.put(form.control("requested_amount"), "")
    lines = raw["budget_lines"]
    form.paste("budget_lines", as_copied_in_excel(form, lines))
    expect(form.table("budget_lines").locator("[data-rows-notice]")).to_be_visible()
    expect(form.table("budget_lines").locator("tbody[data-row]")).to_have_count(8)
    expect(form.total("lines")).to_have_text("4,950,000.00")
    expect(form.total("lines-words")).to_have_text("肆佰玖拾伍万元整")
    expect(form.control("requested_amount")).to_have_value("4,950,000.00")
    expect(form.total("splits")).to_have_text("4,950,000.00")
    expect(page.locator("[data-threshold-hint]")).to_be_visible()
    for category, name, content in files_of(samples.NEW_BUILD_FILES):
        form.attach(category, name, content)
    form.submitted()

    page.locator("#tab-lines").click()
    expect(page.locator("#pane-lines tbody tr")).to_have_count(9)
    for line in lines:
        expect(page.locator("#pane-lines").get_by_text(line["name"], exact=True).last).to_be_visible()
    expect(page.locator("#pane-lines tbody tr").last).to_contain_text("4,950,000.00")
    page.locator("#tab-info").click()
    for amount in ("3,950,000.00", "1,000,000.00"):
        expect(page.locator("#pane-info").get_by_text(amount, exact=True)).to_be_visible()
    page.locator("#tab-files").click()
    for name in samples.NEW_BUILD_FILES.values():
        with page.expect_download() as downloading:
            page.locator("#pane-files").get_by_role("link", name=name).click()
        assert downloading.value.suggested_filename == name
        assert Path(downloading.value.path()).read_bytes() == samples.pdf(name)
    row = row_of(log_in("leader2"), raw["title"])
    row.page.goto(TASKS)
    expect(row).to_contain_text("495.00")


def as_copied_in_excel(form: DeclarationForm, lines: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """The lines as an office keeps them: names instead of codes, grouped amounts, the subtotal worked out."""

    def name_of(column: str, code: str) -> str:
        option = form.table("budget_lines").locator(f"select[data-cell='{column}']").first
        label: str = option.locator(f"option[value='{code}']").evaluate(
            "option => option.dataset.label || option.textContent.trim()"
        )
        return label

    return [
        [
            name_of("subject_code", line["subject_code"]),
            line["name"],
            line["spec"],
            line["unit_name"],
            line["quantity"],
            f"{Decimal(line['unit_price']):,.2f}",
            f"{Decimal(line['quantity']) * Decimal(line['unit_price']):,.2f}",
            name_of("cost_method", line["cost_method"]),
        ]
        for line in lines
    ]
