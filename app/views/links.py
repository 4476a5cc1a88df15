"""Addresses of pages that may not be built yet: a dead link is never shown."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for


def link(endpoint: str, **values: Any) -> str | None:
    """The address of a page, or None while there is none."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None
