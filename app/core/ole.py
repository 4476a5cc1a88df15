"""The directory of an OLE2 compound file ([MS-CFB]): what a .doc, .xls or .ppt says it contains."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_DIFAT = 109
_ENTRY_BYTES = 128
_MAX_REGULAR = 0xFFFFFFFA
_MAX_DIRECTORY_SECTORS = 4_096
_MAX_DIFAT_SECTORS = 512
_USED_TYPES = frozenset({1, 2, 5})


def stream_names(file: BinaryIO) -> frozenset[str]:
    """Names of the streams and storages; empty when the file is not a whole compound file."""
    try:
        return frozenset(_Compound(file).names())
    except (struct.error, IndexError, ValueError):
        return frozenset()


class _Compound:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        file.seek(0)
        header = file.read(512)
        if not header.startswith(MARK):
            raise ValueError("not a compound file")
        (shift,) = struct.unpack_from("<H", header, 30)
        if shift not in (9, 12):
            raise ValueError("a sector has 512 or 4096 bytes")
        self._sector_bytes: int = 1 << shift
        self._directory, self._difat_next, self._difat_sectors = (
            struct.unpack_from("<L", header, 48)[0],
            *struct.unpack_from("<2L", header, 68),
        )
        self._fat_sectors: list[int] = list(struct.unpack_from(f"<{_HEADER_DIFAT}L", header, 76))
        self._cached_table = -1
        self._links: tuple[int, ...] = ()
        self._read_difat()

    def names(self) -> Iterator[str]:
        sector = self._directory
        for _ in range(_MAX_DIRECTORY_SECTORS):
            if sector >= _MAX_REGULAR:
                return
            data = self._sector(sector)
            for start in range(0, len(data), _ENTRY_BYTES):
                length, kind = struct.unpack_from("<HB", data, start + 64)
                if kind in _USED_TYPES and 2 <= length <= 64:
                    yield data[start : start + length - 2].decode("utf-16-le", "replace")
            sector = self._next(sector)

    def _read_difat(self) -> None:
        """Files over 7 MB list their allocation tables in further sectors."""
        if self._difat_sectors > _MAX_DIFAT_SECTORS:
            raise ValueError("more allocation tables than a file this small can need")
        sector = self._difat_next
        for _ in range(self._difat_sectors):
            if sector >= _MAX_REGULAR:
                return
            *tables, sector = self._numbers(sector)
            self._fat_sectors += tables

    def _next(self, sector: int) -> int:
        per_table = self._sector_bytes // 4
        table, position = divmod(sector, per_table)
        if self._cached_table != table:
            self._links = self._numbers(self._fat_sectors[table])
            self._cached_table = table
        return self._links[position]

    def _numbers(self, sector: int) -> tuple[int, ...]:
        return struct.unpack(f"<{self._sector_bytes // 4}L", self._sector(sector))

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._sector_bytes
        if start + self._sector_bytes > self._size:
            raise ValueError("a sector beyond the end of the file")
        self._file.seek(start)
        return self._file.read(self._sector_bytes)
