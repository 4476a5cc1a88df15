"""The end of the way to a page: crumbs that the menu does not know."""

from __future__ import annotations

from flask import g

from app.views.shell import Crumb, Shell


def add_crumb(label: str, href: str | None = None) -> None:
    """Add a step behind the menu's own; say `menu_endpoint` before, where the page is not in the menu."""
    if "shell" not in g:
        g.shell = Shell()
    g.shell.crumbs.append(Crumb(label, href))
