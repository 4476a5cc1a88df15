"""Files in a folder of this machine; the default."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from app.gateways.storage.keys import FileMissing, check_key, is_key

_COPY_BYTES = 1 << 20


class LocalStorage:
    """One file per key, in 256 folders by its first two digits, readable by the program's own user only."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, key: str, content: BinaryIO) -> None:
        """Write beside, then rename: a process killed meanwhile leaves no half file under the key."""
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix="part-", delete=False) as file:
            try:
                shutil.copyfileobj(content, file, _COPY_BYTES)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(target)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise

    def open(self, key: str) -> BinaryIO:
        """Raises `FileMissing`."""
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise FileMissing(key) from error

    def delete(self, key: str) -> None:
        """Remove the file, if it is there."""
        self._path(key).unlink(missing_ok=True)

    def keys(self, before: dt.datetime) -> Iterator[str]:
        """Every key whose file was last written before a moment; half files of that age are removed."""
        limit = before.timestamp()
        for path in self.root.glob("??/*"):
            try:
                old = path.stat().st_mtime < limit
            except FileNotFoundError:
                continue
            if old and is_key(path.name):
                yield path.name
            elif old and path.name.startswith("part-"):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)[:2] / key
