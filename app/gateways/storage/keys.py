"""The shape of storage keys, shared by the adapters."""

from __future__ import annotations

import re

_KEY = re.compile(r"[0-9a-f]{32}")


class FileMissing(Exception):
    """The store has no file under this key."""


def is_key(text: str) -> bool:
    """32 hexadecimal digits, as `uuid4().hex` makes them."""
    return _KEY.fullmatch(text) is not None


def check_key(key: str) -> str:
    """The key itself. Raises ValueError for anything that is not one of ours, such as a path."""
    if not is_key(key):
        raise ValueError(f"not a storage key: {key!r}")
    return key
