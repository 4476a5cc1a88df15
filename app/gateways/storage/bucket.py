"""Files in an object store, by fsspec; for S3 the extra `s3` has to be installed."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import fsspec

from app.gateways.storage.keys import FileMissing, check_key, is_key

_COPY_BYTES = 1 << 20
_TIMES = ("LastModified", "created", "mtime")
"""Where the file systems of fsspec say when a file was written."""


class BucketStorage:
    """One object per key below the address's prefix. Credentials come from the environment, as the store's
    own client reads them; they are never part of STORAGE_URL."""

    def __init__(self, url: str) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ValueError(f"STORAGE_URL {url!r} cannot be used: {error}") from error

    def save(self, key: str, content: BinaryIO) -> None:
        """Object stores show an object only once it is written whole."""
        with self._files.open(self._path(key), "wb") as file:
            shutil.copyfileobj(content, file, _COPY_BYTES)

    def open(self, key: str) -> BinaryIO:
        """Raises `FileMissing`."""
        try:
            return cast(BinaryIO, self._files.open(self._path(key), "rb"))
        except FileNotFoundError as error:
            raise FileMissing(key) from error

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        try:
            self._files.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def keys(self, before: dt.datetime) -> Iterator[str]:
        """Every key whose object was written before a moment."""
        try:
            found: dict[str, dict[str, Any]] = self._files.find(self._root, detail=True)
        except FileNotFoundError:
            return
        for path, details in found.items():
            key = path.rpartition("/")[2]
            written = _written(details)
            if is_key(key) and written is not None and written < before:
                yield key

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"


def _written(details: dict[str, Any]) -> dt.datetime | None:
    moment = next((details[name] for name in _TIMES if details.get(name) is not None), None)
    if isinstance(moment, int | float):
        return dt.datetime.fromtimestamp(moment, dt.UTC)
    if isinstance(moment, dt.datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return None
