"""Where a form may send its user back to: this host only."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_address(target: str | None, default: str) -> str:
    """`target` when it is a plain path of this host, else `default` (SEC-03)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    if any(ord(character) < 0x20 or character == "\\" for character in target):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default
