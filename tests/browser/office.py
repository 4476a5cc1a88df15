"""What people do on the pages, in their words: fill in, attach, submit, review, read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import Request, urlopen

from playwright.sync_api import Locator, Page, Response, expect

from tests import samples
from tests.browser.server import PASSWORD

NEW = "/declaration/drafts/new"
DRAFTS = "/declaration/drafts/list/"
DECLARED = "/declaration/list/"
TASKS = "/review/tasks/list/"
SUMMARY = "/declaration-summary/list/"
PLAN = "/annual-plan/list/"
PROJECTS = "/project/list/"
DASHBOARD = "/dashboard/"
MESSAGES = "/message/list/"

Raw = Mapping[str, Any]


def row_of(page: Page, title: str) -> Locator:
    """The row of a list that names exactly this project."""
    return page.locator("[data-list] tbody tr").filter(has=page.get_by_text(title, exact=True))


def open_in_list(page: Page, address: str, title: str) -> None:
    """Find a project in a list and open it, as one does with the mouse."""
    page.goto(address)
    row_of(page, title).get_by_role("link").first.click()
    expect(page.locator(".page-title, h1, h2").filter(has_text=title).first).to_be_visible()
    page.wait_for_load_state()  # its scripts have run


def confirm(page: Page) -> None:
    """Answer the question before an action."""
    page.locator("#confirm-dialog [data-verb]").click()


def told(page: Page) -> Locator:
    """What the page says about the last action."""
    return page.locator(".app-toasts .app-toast").first


def files_of(names: Mapping[str, str]) -> list[tuple[str, str, bytes]]:
    """Category, name and content of the attachments a declaration brings."""
    return [(category, name, samples.pdf(name)) for category, name in names.items()]


class DeclarationForm:
    """The form of a declaration in somebody's browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.form = page.locator("#declaration-form")

    def fill(self, raw: Raw) -> None:
        """Type everything in, field by field, in the order given."""
        for name, value in raw.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                self.fill_rows(name, value)
            elif isinstance(value, list):
                self.tick(name, value)
            else:
                self.put(self.control(name), str(value))

    def fill_rows(self, table: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Type the rows of a table, adding rows and opening their second lines as needed."""
        box = self.table(table)
        for index, row in enumerate(rows):
            if box.locator("tbody[data-row]").count() <= index:
                box.locator("button[data-rows-tool=add]").click()
            for column, text in row.items():
                cell = box.locator("tbody[data-row]").nth(index).locator(f"[data-cell='{column}']")
                if text and not cell.is_visible():
                    box.locator("tbody[data-row]").nth(index).locator("button[data-rows-tool=more]").click()
                if text:
                    self.put(cell, text)

    def paste(self, table: str, rows: Sequence[Sequence[str]]) -> None:
        """Paste a block of cells copied in Excel into the first cell of a table."""
        text = "".join("\t".join(cells) + "\r\n" for cells in rows)
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.table(table).locator("tbody[data-row] [data-cell]").first.focus()
        self.page.keyboard.press("Control+V")

    def tick(self, name: str, codes: Sequence[str]) -> None:
        """Choose these of a group of boxes."""
        for code in codes:
            self.form.locator(f"label:has(input[name='{name}'][value='{code}'])").click()

    def put(self, control: Locator, text: str) -> None:
        """Put a value into one control, whatever its kind."""
        kind = control.first.evaluate("element => element.type")
        if kind == "radio":
            self.form.locator(
                f"label:has(input[name='{control.first.get_attribute('name')}'][value='{text}'])"
            ).click()
        elif kind == "select-one":
            control.select_option(text)
        else:
            control.fill(text)

    def control(self, name: str) -> Locator:
        """The control of a field, or of a cell such as budget_lines.0.name."""
        return self.form.locator(f"[name='{name}']")

    def table(self, name: str) -> Locator:
        """The box of a table of rows."""
        return self.form.locator(f"[data-rows='{name}']")

    def total(self, name: str) -> Locator:
        """A live figure: lines, lines-words, splits, weights, requested-words."""
        return self.form.locator(f"[data-total='{name}']").first

    def error(self, name: str) -> Locator:
        """The message beside a field."""
        return self.form.locator(f"[id='{name.replace('.', '-')}-error']")

    def values(self) -> dict[str, list[str]]:
        """Everything that stands in the form once its script is ready, without its technical fields."""
        expect(self.form).to_have_class(re.compile("with-script"))
        pairs: list[tuple[str, str]] = self.form.evaluate(
            "form => [...new FormData(form)].filter(([, value]) => typeof value === 'string')"
        )
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            if value and name not in ("csrf_token", "version", "page", "_present"):
                found.setdefault(name, []).append(value)
        return found

    def attach(self, category: str, name: str, content: bytes) -> None:
        """Choose a file for a category; it goes up at once."""
        card = self.card(category)
        with self.page.expect_response(lambda answer: "/attachment/upload" in answer.url):
            card.locator("input[type=file]").set_input_files(
                {"name": name, "mimeType": "application/pdf", "buffer": content}
            )
        expect(card.locator("progress")).to_have_count(0)

    def card(self, category: str) -> Locator:
        """The card of an attachment category."""
        return self.form.locator(f".attachment-card[data-category='{category}']")

    def keep(self, name: str, text: str) -> None:
        """Type a last value and wait until the page has kept it by itself."""

        def keeps(answer: Response) -> bool:
            return "/autosave" in answer.url and text in json.dumps(
                answer.request.post_data_json, ensure_ascii=False
            )

        with self.page.expect_response(keeps) as kept:
            self.put(self.control(name), text)
        assert kept.value.ok, kept.value.text()
        expect(self.page).to_have_url(re.compile(r"/declaration/drafts/edit/\d+"))

    def submit(self) -> None:
        """Press the button on top of the page."""
        self.page.locator("button[form=declaration-form][value=submit]").click()

    def submitted(self) -> None:
        """Submit, and see that it was taken."""
        self.submit()
        expect(self.page).to_have_url(re.compile(r"/declaration/show/\d+"))


def edit(page: Page, address: str) -> DeclarationForm:
    """Open the form of a draft and wait until its script is ready."""
    page.goto(address)
    form = DeclarationForm(page)
    expect(form.form).to_have_class(re.compile("with-script"))
    return form


def path_of(page: Page) -> str:
    """Where the page is, without its host."""
    return unquote(re.sub(r"^https?://[^/]+", "", page.url))


class Program:
    """Somebody's program at the REST API: it makes what a test only needs to be there before it begins."""

    def __init__(self, base: str, username: str) -> None:
        self.api = f"{base}/api/v1"
        self.headers: dict[str, str] = {}
        token = self.ask("security/login", username=username, password=PASSWORD)["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def ask(self, path: str, **sent: Any) -> Any:
        """The answer to a question, or to what is sent."""
        return self._call(path, json.dumps(sent).encode() if sent else None, "application/json")

    def draft(self, raw: Raw, files: Mapping[str, str] | None = None) -> str:
        """A draft with its attachments; where its form is."""
        return f"/declaration/drafts/edit/{self._made(raw, files or {})['id']}"

    def declare(self, raw: Raw, files: Mapping[str, str]) -> str:
        """A declaration that is in review; where its page is."""
        made = self._made(raw, files)
        self.ask(f"declaration/{made['id']}/submit", version=made["version"])
        return f"/declaration/show/{made['id']}"

    def approve(self, title: str) -> None:
        """Approve the declaration of this title."""
        waiting = self.ask(f"task/?title={quote(title)}")["result"]
        (found,) = (row["id"] for row in waiting if row["title"] == title)
        task = self.ask(f"task/{found}")["result"]
        self.ask(f"task/{found}/approve", version=task["version"], opinion="同意。")

    def _made(self, raw: Raw, files: Mapping[str, str]) -> Mapping[str, Any]:
        made: Mapping[str, Any] = self.ask("declaration/", **raw)["result"]
        for category, name, content in files_of(files):
            fields = {"owner_kind": "declaration", "owner_id": str(made["id"]), "category": category}
            self._upload(fields, name, content)
        return made

    def _upload(self, fields: Mapping[str, str], name: str, content: bytes) -> None:
        """Send a form with a file; its boundary is one that no file of these tests contains."""
        heads = [f'name="{field}"\r\n\r\n{value}' for field, value in fields.items()]
        heads.append(f'name="file"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n')
        parts = "\r\n".join(f"--next\r\nContent-Disposition: form-data; {head}" for head in heads)
        body = parts.encode() + content + b"\r\n--next--\r\n"
        self._call("attachment/", body, "multipart/form-data; boundary=next")

    def _call(self, path: str, body: bytes | None, kind: str) -> Any:
        request = Request(f"{self.api}/{path}", body, {**self.headers, "Content-Type": kind})
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


def task_of(page: Page, title: str) -> str | None:
    """Where the reviewer's list leads with this title, read from the answer undrawn; None without a row."""
    answer = page.request.get(TASKS, params={"q": title})
    listed = answer.text()
    assert answer.ok and "data-list" in listed
    link = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{re.escape(title)}</a>', listed.partition("<tbody")[2])
    return link and link[1]


class ReviewDesk:
    """One task on a reviewer's screen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, title: str) -> ReviewDesk:
        """From the list of what waits to the task's page."""
        open_in_list(self.page, TASKS, title)
        expect(self.page.locator("#review-form")).to_be_visible()
        on_a_phone = self.page.locator("[data-panel-toggle]")
        if on_a_phone.is_visible():
            on_a_phone.click()
        return self

    def go(self, title: str) -> ReviewDesk:
        """Straight to the task's page, where the list's link leads; for tests of what is done there."""
        address = task_of(self.page, title)
        assert address is not None, f"{title} waits for somebody else"
        self.page.goto(address)
        expect(self.page.locator("#review-form")).to_be_visible()
        return self

    def approve(self, opinion: str = "同意。") -> None:
        """Write the opinion and approve."""
        self.page.fill("#opinion", opinion)
        self.page.locator("button[data-approve]").click()
        confirm(self.page)
        expect(told(self.page)).to_be_visible()

    def give_back(self, opinion: str) -> None:
        """Return it to the unit with an opinion."""
        self.page.fill("#opinion", opinion)
        self.page.locator("button[data-opens=return-dialog]").click()
        dialog = self.page.locator("#return-dialog")
        expect(dialog.locator("[data-opinion-echo]")).to_have_text(opinion)
        dialog.locator("button[type=submit]").click()
        expect(told(self.page)).to_be_visible()

    def send_back(self, step: str, opinion: str) -> None:
        """Return it to an earlier step."""
        self.page.fill("#opinion", opinion)
        self.page.locator("button[data-opens=return-dialog]").click()
        self.page.locator("#to_step").select_option(label=step)
        self.page.locator("#return-dialog button[type=submit]").click()
        expect(told(self.page)).to_be_visible()

    def reject(self, opinion: str) -> None:
        """Refuse it for good."""
        self.page.fill("#opinion", opinion)
        self.page.locator("button[name=verb][value=reject]").click()
        confirm(self.page)
        expect(told(self.page)).to_be_visible()

    def bring_in(self, verb: str, *names: str, opinion: str = "", position: str = "") -> None:
        """Transfer, ask, add a signer or send a copy, by the names of the people."""
        if opinion:
            self.page.fill("#opinion", opinion)
        opener = self.page.locator(f"[data-chooses={verb}]")
        if not opener.is_visible():
            self.page.locator(".review-verbs details.pop summary").click()
        opener.click()
        if position:
            self.page.locator(f"#person-dialog input[name=position][value={position}]").check()
        for name in names:
            pick(self.page, "#to_user", name)
        self.page.locator("#person-dialog button[type=submit]").click()
        expect(told(self.page)).to_be_visible()

    def attach(self, name: str) -> None:
        """Attach a file to the opinion; it goes up at once."""
        with self.page.expect_response(lambda answer: "/attachment/upload" in answer.url):
            self.page.locator("[data-files] input[type=file]").set_input_files(
                {"name": name, "mimeType": "application/pdf", "buffer": samples.pdf(name)}
            )
        expect(self.page.locator("[data-file-list]").get_by_role("link", name=name)).to_be_visible()


def pick(page: Page, select: str, name: str) -> None:
    """Choose a colleague by typing the name."""
    box = page.locator(f"{select} + .ts-wrapper")
    box.locator("input").fill(name)
    box.locator(".ts-dropdown .option").filter(has_text=name).first.click()
    expect(box.locator(".item").filter(has_text=name)).to_be_visible()
