"""How a stored file leaves the house: always to be saved, never shown by a browser (SEC-17, SEC-31)."""

from __future__ import annotations

from urllib.parse import quote

POLICY = "default-src 'none'; sandbox"
"""The content security policy of a stored file: even opened in a browser, it runs and loads nothing."""


def headers(name: str, size: int) -> dict[str, str]:
    """The headers of a download of `size` bytes under the name its sender gave it."""
    return {
        "Content-Disposition": disposition(name),
        "Content-Length": str(size),
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def disposition(name: str) -> str:
    """RFC 6266: an ASCII fallback for old programs, the real name in UTF-8; no control character survives."""
    clean = "".join(character for character in name if character.isprintable())
    plain = "".join(
        character if character.isascii() and character not in '"\\%' else "_" for character in clean
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe='')}"
