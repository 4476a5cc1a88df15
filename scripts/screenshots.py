"""The pictures of the README, taken from a demo site of its own: `python -m scripts.screenshots`."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.server import PASSWORD, Server

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
PICTURES = (
    ("home", "reviewer", "/"),
    ("list", "reviewer", "/project/list/"),
    ("dashboard", "viewer", "/dashboard/"),
    ("form", "handler1", "/declaration/drafts/list/"),
    ("review", "reviewer", "/review/tasks/list/"),
    ("login", "", "/login/"),
)
"""Name, account (none: not logged in) and page; `form` and `review` go on to the first row of their list."""


def main() -> None:
    """Start a demo site, log in as each person, take the pictures, stop."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder), projects=300)
        server.prepare()
        server.start_web()
        server.start_worker()
        path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            for name, account, address in PICTURES:
                window = {"width": 1366, "height": 768}
                page = browser.new_page(base_url=server.base, viewport=window, locale="zh-CN")
                _take(page, name, account, address)
                page.close()
        finally:
            browser.close()
            server.stop()


def _take(page: Page, name: str, account: str, address: str) -> None:
    if account:
        page.goto("/login/")
        page.fill("input[name=username]", account)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/login" not in url)
    page.goto(address)
    if name in ("form", "review"):
        page.goto(page.locator("tbody a[href]").first.get_attribute("href") or address)
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot()))
    # 256 colours are enough for a page and a third of the size
    picture.convert("RGB").quantize(256).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
