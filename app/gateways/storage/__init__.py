"""Where files are kept: one protocol, chosen by the setting STORAGE_URL (`file:///…`, `s3://bucket/prefix`).

Keys are made by the program, never taken from a user's file name; nothing here is served by a web server.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from app.gateways.storage.bucket import BucketStorage
from app.gateways.storage.keys import FileMissing, check_key
from app.gateways.storage.local import LocalStorage

__all__ = ["BucketStorage", "FileMissing", "LocalStorage", "Storage", "check_key", "make_storage"]


class Storage(Protocol):
    """Keeps files under keys of 32 hexadecimal digits."""

    def save(self, key: str, content: BinaryIO) -> None:
        """Keep all of `content`; afterwards the file is there whole, or not at all."""

    def open(self, key: str) -> BinaryIO:
        """The file, for reading from its beginning. Raises `FileMissing`."""

    def delete(self, key: str) -> None:
        """Remove the file; one that is gone already is fine."""

    def keys(self, before: dt.datetime) -> Iterator[str]:
        """The keys of every file kept before a moment (aware)."""


def make_storage(url: str) -> Storage:
    """The adapter for STORAGE_URL. Raises ValueError for one that cannot be used, so that the program does
    not start with files going nowhere."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return LocalStorage(Path(unquote(parts.path)))
    if not parts.scheme or not parts.netloc:
        raise ValueError(f"STORAGE_URL is {url!r}; give file:///a/folder or s3://a-bucket/a-prefix")
    return BucketStorage(url)
