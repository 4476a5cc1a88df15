"""What several parts of a page ask for, asked for once per request."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import g

T = TypeVar("T")


def once(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives, asked for once per request."""
    kept: dict[Hashable, Any] = g.setdefault("lists_read", {})
    if key not in kept:
        kept[key] = read()
    return cast(T, kept[key])
