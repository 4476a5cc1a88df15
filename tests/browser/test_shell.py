"""The shell as people meet it: logging in, finding one's way, changing the language, on a phone too."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests import samples
from tests.browser.conftest import LogIn, Programs
from tests.browser.office import ReviewDesk, edit, told
from tests.browser.server import Server
from tests.browser.test_bad_input import BASIS

ACCOUNTS = (
    "admin",
    "auditor",
    "handler1",
    "leader1",
    "reviewer",
    "director",
    "finance",
    "viewer",
    "techfirm",
)


def test_every_page_of_the_menus_is_drawn(log_in: LogIn) -> None:
    """By whoever has it first; that everybody may open his own is asked without a browser, in tests/views."""
    drawn = {"/"}
    for username in ACCOUNTS:
        page = log_in(username)
        page.goto("/")
        addresses: list[str] = page.eval_on_selector_all(
            "aside a[href^='/']", "links => links.map(link => link.getAttribute('href'))"
        )
        assert addresses
        for address in dict.fromkeys(addresses):
            if address in drawn:
                continue
            response = page.goto(address)
            assert response is not None and response.status == 200, address
            assert page.locator("h1, h2").first.inner_text().strip()
            drawn.add(address)
    assert len(drawn) > len(ACCOUNTS) + 1


def test_the_language_changes_and_the_page_stays(log_in: LogIn) -> None:
    page = log_in("reviewer")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.locator("form[action*='/language/en'] button").first.evaluate("button => button.click()")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert page.url.rstrip("/").endswith(str(page.url).split("/")[2])


def test_a_phone_shows_no_sideways_scrolling(log_in: LogIn) -> None:
    page = log_in("reviewer", width=390, height=844)
    page.goto("/")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_wrong_password_says_so_and_keeps_the_name(server: Server, browser: Browser) -> None:
    page = browser.new_page(base_url=server.base)
    page.goto("/login/")
    page.fill("input[name=username]", "nobody-here")
    page.fill("input[name=password]", "wrong")
    page.press("input[name=password]", "Enter")
    expect(page.locator("input[name=username]")).to_have_value("nobody-here")
    expect(page.locator(".alert-danger, .invalid-feedback").first).to_be_visible()
    page.close()


_CONTRAST = """kind => {
  const box = document.createElement("div");
  box.className = `alert alert-${kind}`;
  box.innerHTML = '<h2 class="alert-title h4">1</h2><p>2</p><a href="/">3</a><i class="text-secondary">4</i>';
  document.querySelector("#content").append(box);
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = (over, colour) => {
    context.fillStyle = over;
    context.fillRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = (part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const ground = painted("#fff", getComputedStyle(box).backgroundColor);
  return [...box.children].map((element) => {
    const ink = painted(`rgb(${ground})`, getComputedStyle(element).color);
    const [dark, bright] = [light(ground), light(ink)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  });
}"""


def test_words_in_an_alert_can_be_read(log_in: LogIn) -> None:
    page = log_in("handler1")
    page.goto("/message/list/")
    for kind in ("warning", "info", "danger", "success"):
        assert min(page.evaluate(_CONTRAST, kind)) >= 4.5, kind


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    """Do two boxes cover each other?"""
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def test_a_message_covers_no_button_of_the_page(log_in: LogIn, program: Programs) -> None:
    handler, leader = log_in("handler1"), log_in("leader1")
    program("handler1").declare(samples.maintenance(title="提示不遮挡审核"), BASIS)
    edit(handler, program("handler1").draft(samples.maintenance(title="提示不遮挡按钮")))
    handler.locator(".page-header button[value=save]").click()
    ReviewDesk(leader).go("提示不遮挡审核").approve()
    for page in (handler, leader):
        expect(told(page)).to_be_visible()
        toast = told(page).bounding_box()
        assert toast is not None
        for button in page.locator(".page-header .btn:visible, .review-verbs .btn:visible").all():
            box = button.bounding_box()
            assert box is None or not overlap(dict(toast), dict(box)), button.inner_text()


def test_after_a_question_the_keyboard_is_where_it_was(log_in: LogIn, program: Programs) -> None:
    page = log_in("handler1")
    program("handler1").draft(samples.maintenance(title="焦点归还"))
    page.goto("/declaration/drafts/list/?q=焦点归还")
    page.locator("[data-list] .row-menu > summary").first.click()
    menu = page.locator("[data-list] details.row-menu").first
    menu.locator("button[formaction*='/recycle/']").click()
    expect(page.locator("#confirm-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#confirm-dialog")).to_be_hidden()
    expect(menu.locator(":focus")).to_be_visible()


def test_every_demonstration_account_is_in_sight(server: Server, browser: Browser) -> None:
    page = browser.new_page(base_url=server.base)
    page.goto("/login/")
    assert page.locator(".demo-accounts").evaluate("box => getComputedStyle(box).overflowY") == "visible"
    page.close()
