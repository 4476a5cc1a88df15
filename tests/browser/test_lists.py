"""Lists as people keep them open all day: units, order, saved queries, several rows, the way back, keys."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests import samples
from tests.browser import office
from tests.browser.conftest import LogIn, Programs

PROJECTS = office.PROJECTS
UNITS = "/unit/list/"


def asked(page: Page) -> dict[str, list[str]]:
    """The arguments of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def rows(page: Page) -> Locator:
    return page.locator("[data-list] tbody tr")


def total(page: Page) -> int:
    return int(page.locator("[data-list]").get_attribute("data-total") or 0)


def branch(page: Page, name: str) -> Locator:
    """A unit of the tree."""
    return page.locator(".unit-tree li").filter(has=page.locator(f":scope > label > span:text-is('{name}')"))


class TestUnits:
    def test_a_click_asks_for_a_unit_and_all_below(self, log_in: LogIn) -> None:
        page = log_in("reviewer", width=1920, height=1080)
        page.goto(PROJECTS)
        everything = total(page)
        police = branch(page, "市公安局")
        figure = int(police.locator(":scope > label .unit-count").inner_text())
        assert 0 < figure < everything
        police.locator(":scope > label > span").first.click()
        expect(page.locator(".chip").filter(has_text="市公安局")).to_be_visible()
        assert total(page) == figure
        assert branch(page, "市公安局").locator(":scope > label > input").is_checked()
        page.locator(".chip").filter(has_text="市公安局").click()
        expect(page.locator("[data-list]")).to_have_attribute("data-total", str(everything))

    def test_two_units_are_ticked_and_asked_for_together(self, log_in: LogIn) -> None:
        page = log_in("reviewer", width=1920, height=1080)
        page.goto(f"{PROJECTS}?sort=title")
        expect(page.locator("[data-units-apply]")).to_be_hidden()
        for name in ("市教育局", "市档案馆"):
            branch(page, name).locator(":scope > label > input").check()
        page.locator("[data-units-apply]").click()
        page.wait_for_url(re.compile("under="))
        assert len(asked(page)["under"]) == 2 and asked(page)["sort"] == ["title"]

    def test_the_tree_is_walked_and_searched_with_keys(self, log_in: LogIn) -> None:
        page = log_in("reviewer", width=1920, height=1080)
        page.goto(PROJECTS)
        find = page.locator("[data-units-find]")
        find.fill("公安")
        expect(branch(page, "市教育局")).to_be_hidden()
        expect(branch(page, "市公安局")).to_be_visible()
        find.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(branch(page, "市公安局")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(branch(page, "市公安局")).to_have_attribute("aria-expanded", "false")
        page.keyboard.press("ArrowRight")
        expect(branch(page, "市公安局")).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Enter")
        expect(page.locator(".chip").filter(has_text="市公安局")).to_be_visible()

    def test_it_stays_hidden_until_it_is_wanted_again(self, log_in: LogIn) -> None:
        page = log_in("reviewer", anew=True, width=1920, height=1080)
        page.goto(PROJECTS)
        panel = page.locator("#unit-panel")
        expect(panel).to_be_visible()
        panel.locator("[data-units-toggle]").click()
        expect(panel).to_be_hidden()
        page.goto("/annual-plan/list/")
        expect(page.locator("#unit-panel")).to_be_hidden()
        page.locator("[data-units-toggle][aria-controls]").click()
        expect(page.locator("#unit-panel")).to_be_visible()

    def test_it_takes_no_room_from_the_columns_of_a_small_screen_until_it_is_wanted(
        self, log_in: LogIn
    ) -> None:
        page = log_in("reviewer", anew=True)
        page.goto(PROJECTS)
        panel = page.locator("#unit-panel")
        expect(panel).to_be_hidden()
        toggle = page.locator("[data-units-toggle][aria-controls]")
        expect(toggle).to_have_attribute("aria-expanded", "false")
        toggle.click()
        expect(panel).to_be_visible()
        expect(toggle).to_have_attribute("aria-expanded", "true")
        expect(branch(page, "市公安局").locator(":scope > label .unit-count")).to_be_visible()
        page.goto("/annual-plan/list/")
        expect(page.locator("#unit-panel")).to_be_visible()

    def test_on_a_phone_it_comes_over_the_page(self, log_in: LogIn) -> None:
        page = log_in("reviewer", width=390, height=844)
        page.goto(PROJECTS)
        panel = page.locator("#unit-panel")
        expect(panel).to_be_hidden()
        page.locator("[data-units-toggle][aria-controls]").click()
        expect(panel).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()


def test_the_link_of_a_row_looks_like_one_and_is_hit_between_its_lines(log_in: LogIn) -> None:
    page = log_in("reviewer")
    link_colour = "each => getComputedStyle(each).color"
    page.goto("/alert/list/")
    colour = page.locator("[data-list] tbody a[href]").first.evaluate(link_colour)
    for address, cell in (
        (office.TASKS, "td.title"),
        (PROJECTS, "td.code"),
        ("/annual-plan/list/", "td.code"),
    ):
        page.goto(address)
        link = page.locator(f"[data-list] tbody {cell} > a").first
        assert link.evaluate(link_colour) == colour, address
    page.goto(office.TASKS)
    missed = page.locator("[data-list] tbody td.title > a").evaluate_all(
        """links => links.filter((link) => {
             link.scrollIntoView({ block: "center" });
             const { left, top, height } = link.getBoundingClientRect();
             return [...Array(Math.floor(height)).keys()].some(
               (y) => document.elementFromPoint(left + 4, top + y + 0.5) !== link);
           }).length"""
    )
    assert missed == 0


def test_shift_adds_a_column_to_the_order(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto(PROJECTS)
    page.locator("a[data-sort-key=type]").click()
    page.wait_for_url(re.compile("sort=type"))
    page.locator("a[data-sort-key=requested_amount]").click(modifiers=["Shift"])
    page.wait_for_url(re.compile("requested_amount"))
    page.locator("a[data-sort-key=requested_amount]").click(modifiers=["Shift"])
    page.wait_for_url(re.compile("-requested_amount"))
    assert asked(page)["sort"] == ["type,-requested_amount"]
    expect(page.locator(".sort-place")).to_have_text(["1", "2"])
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("申请")
    page.locator(".list-order .chip").first.locator("a").last.click()
    page.wait_for_url(lambda url: "type" not in url)
    assert asked(page)["sort"] == ["-requested_amount"]


def test_a_query_is_saved_and_a_second_person_uses_it_within_his_own_scope(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto(PROJECTS)
    page.locator("label[for=search-more]").click()
    page.locator("select[name=amount_in]").select_option("from_100")
    page.wait_for_url(re.compile("amount_in=from_100"))
    seen = total(page)
    page.locator("a[href*='/saved-query/add']").click()
    page.fill("#query-name", "百万以上项目")
    page.locator("input[name=sharing][value=EVERYONE]").check()
    page.locator("main button[type=submit].btn-primary").click()
    expect(page.locator(".chip-saved.active")).to_have_text("百万以上项目")
    assert total(page) == seen

    other = log_in("handler1")
    other.goto(PROJECTS)
    other.locator(".chip-saved").filter(has_text="百万以上项目").click()
    expect(other.locator(".chip-saved.active")).to_have_text("百万以上项目")
    assert 0 < total(other) < seen, "only his own unit's"
    own = rows(other).filter(has=other.locator("td.unit", has_text=re.compile("公安|交警")))
    expect(own).to_have_count(rows(other).count())

    page.goto("/saved-query/list/")
    office.row_of(page, "百万以上项目").locator(".row-menu > summary").click()
    page.locator(".row-menu[open] button[formaction*='/remove/']").click()
    office.confirm(page)
    expect(office.told(page)).to_be_visible()
    other.goto(PROJECTS)
    expect(other.locator(".chip-saved").filter(has_text="百万以上项目")).to_have_count(0)


def test_each_row_of_a_bulk_action_tells_its_result(log_in: LogIn, program: Programs) -> None:
    page, second = log_in("handler1"), log_in("handler1")
    for number in range(3):
        program("handler1").draft(samples.maintenance(title=f"批量清理{number}"))
    page.goto(f"{office.DRAFTS}?q=批量清理")
    page.locator("[data-select-all]").check()
    expect(page.locator("[data-bulk-count]")).to_have_text("3")
    second.goto(f"{office.DRAFTS}?q=批量清理1")  # a second window is faster with one of them
    second.locator("[data-select-all]").check()
    second.locator("[data-bulk-bar] button[formaction*=recycle]").click()
    office.confirm(second)
    expect(office.told(second)).to_be_visible()
    page.locator("[data-bulk-bar] button[formaction*=recycle]").click()
    office.confirm(page)
    expect(page.locator("[data-done]")).to_have_attribute("data-done", "2")
    expect(page.locator("[data-done] tbody tr").first).to_contain_text("批量清理1")
    page.locator("main a.btn-primary").click()
    expect(page.locator(".empty-state")).to_be_visible()
    assert asked(page)["q"] == ["批量清理"], "back where it was"


def test_the_ticked_rows_are_exported(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto(PROJECTS)
    for at in (0, 2):
        rows(page).nth(at).locator("input[name=rowid]").check()
    for _ in range(2):  # the page stands and may be asked again
        with page.expect_download() as download:
            page.locator("[data-bulk-bar] button[formaction*=export]").click()
        assert download.value.suggested_filename.endswith(".xlsx")


def test_after_an_edit_the_list_is_as_it_was_left(log_in: LogIn) -> None:
    page = log_in("admin")
    page.goto(f"{UNITS}?sort=-code&page=2")
    row = rows(page).nth(15)
    row_id = row.get_attribute("id") or ""
    row.scroll_into_view_if_needed()
    top = page.evaluate("window.scrollY")
    row.locator("a[href*='/edit/']").first.click()
    page.locator("main button[type=submit].btn-primary").click()
    page.wait_for_url(re.compile(UNITS))
    assert asked(page) == {"sort": ["-code"], "page": ["2"]}
    expect(page.locator(f"#{row_id}")).to_have_class(re.compile("returned"))
    page.wait_for_function("top => Math.abs(window.scrollY - top) < 60", arg=top)


def test_two_windows_keep_their_own_places(log_in: LogIn) -> None:
    first = log_in("admin")
    first.goto(f"{UNITS}?sort=-code")
    second = first.context.new_page()
    second.goto(f"{UNITS}?sort=short_name")
    first.bring_to_front()
    first.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    rows(first).nth(2).locator("a[href*='/edit/']").first.click()
    first.locator("main button[type=submit].btn-primary").click()
    first.wait_for_url(re.compile(UNITS))
    assert asked(first)["sort"] == ["-code"]


def test_keys_move_open_and_never_disturb_typing(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto(PROJECTS)
    page.locator("main h1").click()
    page.keyboard.press("j")
    expect(rows(page).nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(rows(page).nth(1).locator("input[name=rowid]")).to_be_checked()
    page.keyboard.press("f")
    code = page.locator("input[name=code]")
    expect(code).to_be_focused()
    page.keyboard.type("jkx?")
    expect(code).to_have_value("jkx?")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    page.locator("main h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/project/show/"))


def test_the_page_size_is_kept(log_in: LogIn) -> None:
    page = log_in("viewer")
    page.goto(f"{PROJECTS}?sort=title")
    page.locator("select[name=page_size]").select_option("50")
    expect(rows(page)).to_have_count(min(50, total(page)))
    assert asked(page) == {"sort": ["title"]}
    page.goto(PROJECTS)
    expect(page.locator("select[name=page_size]")).to_have_value("50")
    page.locator("select[name=page_size]").select_option("25")
    expect(page.locator("select[name=page_size]")).to_have_value("25")
