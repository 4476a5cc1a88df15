"""A page as a browser without scripts has it: its forms with what they would send, and its words."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from werkzeug.test import TestResponse

Pairs = list[tuple[str, str]]


@dataclass
class Form:
    """One form of a page: where it goes, and what it sends when a button is pressed."""

    action: str = ""
    pairs: Pairs = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """Everything sent under a name."""
        return [value for each, value in self.pairs if each == name]

    def value(self, name: str) -> str:
        """The one value sent under a name."""
        (value,) = self.values(name)
        return value

    def filled(self, **changes: str | list[str]) -> Pairs:
        """What is sent after these fields were filled in ("__" stands for "." in a name)."""
        changed = {name.replace("__", "."): value for name, value in changes.items()}
        kept = [(name, value) for name, value in self.pairs if name not in changed]
        new = [
            (name, each)
            for name, value in changed.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        return kept + new


class _Reader(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__(convert_charrefs=True)
        self.form_id = form_id
        self.form: Form | None = None
        self.inside = False
        self.hidden = 0
        self.select: str | None = None
        self.chosen: list[str] = []
        self.offered: list[str] = []
        self.area: str | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag == "template":
            self.hidden += 1
        if tag == "form" and given.get("id") == self.form_id:
            self.form, self.inside = Form(given.get("action", "")), True
        if not self.inside or self.hidden or self.form is None or "disabled" in given:
            return
        name = given.get("name", "")
        if tag == "input" and name and given.get("type") != "file":
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.form.pairs.append((name, given.get("value", "")))
        elif tag == "select":
            self.select, self.chosen, self.offered = name, [], []
        elif tag == "option" and self.select:
            self.offered.append(given.get("value", ""))
            if "selected" in given:
                self.chosen.append(given.get("value", ""))
        elif tag == "textarea":
            self.area, self.text = name, ""

    def handle_data(self, data: str) -> None:
        if self.area is not None:
            self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.hidden -= 1
        elif tag == "form":
            self.inside = False
        elif tag == "select" and self.select and self.form is not None:
            chosen = self.chosen or self.offered[:1]
            self.form.pairs += [(self.select, value) for value in chosen]
            self.select = None
        elif tag == "textarea" and self.area is not None and self.form is not None:
            self.form.pairs.append((self.area, self.text.removeprefix("\n")))
            self.area = None


def form_of(page: TestResponse | str, form_id: str) -> Form:
    """The form of that id; fails when the page has none."""
    text = page if isinstance(page, str) else page.text
    reader = _Reader(form_id)
    reader.feed(text)
    assert reader.form is not None, f"no form “{form_id}” on the page: {words(text)[:400]}"
    return reader.form


def words(page: TestResponse | str) -> str:
    """What stands on the page, without its marks."""
    text = page if isinstance(page, str) else page.text
    shown = re.sub(r"<(script|style|template)\b.*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())
