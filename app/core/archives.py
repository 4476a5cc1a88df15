"""Opening a zip file from a stranger without paying for what it claims to hold."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from app.core.enums import Labelled
from app.core.refusal import Refusal

_END = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_MARK = b"PK\x06\x06"
_LOCATOR_LENGTH = 20
_LOCATOR_MARK = b"PK\x06\x07"
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_MARK = b"PK\x03\x04"
_MAX_COMMENT = 0xFFFF
_DIRECTORY_BYTES_PER_ENTRY = 1024
_CHUNK = 1 << 18
_ENCRYPTED = 0x1


DAMAGE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises over a container that is damaged, or made to look so."""


class ArchiveProblem(Labelled):
    """Why a zip container was refused."""

    BROKEN = "BROKEN", "The file is damaged or incomplete. Save it again and try once more."
    TOO_MANY_ENTRIES = "TOO_MANY_ENTRIES", "The file contains more than %(limit)s files."
    TOO_LARGE = "TOO_LARGE", "Unpacked, the file would be larger than %(limit)s MB."
    ENCRYPTED = "ENCRYPTED", "The file is protected by a password. Remove the password and try again."
    UNSUPPORTED = (
        "UNSUPPORTED",
        "The file is packed in a way that cannot be checked. Save it as a normal zip.",
    )
    SUSPICIOUS = "SUSPICIOUS", "The file is not what it says it contains."


class UnsafeArchive(Refusal):
    """A zip container that is not opened any further."""


@dataclass(frozen=True)
class ArchiveLimits:
    """How much a container may hold before anything of it is unpacked."""

    max_entries: int
    max_bytes_unpacked: int


def open_archive(file: BinaryIO, limits: ArchiveLimits) -> ZipFile:
    """The zip file, its directory read and its claims within the limits.

    The directory is measured before zipfile reads it (a million entries would take seconds). Nothing may
    stand before or after the container, and no two entries may share bytes. Raises UnsafeArchive.
    """
    _check_directory_size(file, limits)
    file.seek(0)
    try:
        archive = ZipFile(file)
    except DAMAGE as error:
        raise UnsafeArchive(ArchiveProblem.BROKEN) from error
    _check_entries(archive.infolist(), limits)
    return archive


def ends_as_zip(file: BinaryIO) -> bool:
    """Whether the last bytes are the end of a zip container, whatever the first ones are."""
    return _end_record(file) is not None


def check_real_sizes(file: BinaryIO, archive: ZipFile) -> None:
    """Unpack every entry to nowhere and compare with its claim: a directory can lie. Raises UnsafeArchive.

    Costs at most the claimed size of all entries, which `open_archive` has limited.
    """
    for entry in archive.infolist():
        file.seek(entry.header_offset)
        header = file.read(_LOCAL.size)
        if len(header) != _LOCAL.size or not header.startswith(_LOCAL_MARK):
            raise UnsafeArchive(ArchiveProblem.BROKEN)
        *_, name_length, extra_length = _LOCAL.unpack(header)
        file.seek(name_length + extra_length, io.SEEK_CUR)
        if entry.compress_type == ZIP_STORED:
            if entry.compress_size != entry.file_size:
                raise UnsafeArchive(ArchiveProblem.SUSPICIOUS)
        elif _inflated_size(file, entry) != entry.file_size:
            raise UnsafeArchive(ArchiveProblem.SUSPICIOUS)


def _end_record(file: BinaryIO) -> tuple[int, int, int] | None:
    """Offset of the end record, number of entries and bytes of the directory; None when there is none."""
    size = file.seek(0, io.SEEK_END)
    start = max(0, size - _END.size - _MAX_COMMENT)
    file.seek(start)
    tail = file.read()
    position = len(tail)
    while (position := tail.rfind(_END_MARK, 0, position)) >= 0:
        if len(tail) - position >= _END.size:
            record = _END.unpack_from(tail, position)
            if position + _END.size + record[7] == len(tail):
                return start + position, record[4], record[5]
    return None


def _check_directory_size(file: BinaryIO, limits: ArchiveLimits) -> None:
    end = _end_record(file)
    if end is None:
        raise UnsafeArchive(ArchiveProblem.BROKEN)
    offset, entries, directory_bytes = end
    # zipfile prefers a zip64 record whenever one stands in front, so its numbers are the ones to check.
    file.seek(max(0, offset - _LOCATOR_LENGTH - _END64.size))
    before = file.read(min(offset, _LOCATOR_LENGTH + _END64.size))
    if before[-_LOCATOR_LENGTH:].startswith(_LOCATOR_MARK):
        if not before.startswith(_END64_MARK) or len(before) != _LOCATOR_LENGTH + _END64.size:
            raise UnsafeArchive(ArchiveProblem.BROKEN)
        record = _END64.unpack_from(before)
        entries, directory_bytes = record[7], record[8]
    if entries > limits.max_entries or directory_bytes > limits.max_entries * _DIRECTORY_BYTES_PER_ENTRY:
        raise UnsafeArchive(ArchiveProblem.TOO_MANY_ENTRIES, limit=limits.max_entries)


def _check_entries(entries: list[ZipInfo], limits: ArchiveLimits) -> None:
    if len(entries) > limits.max_entries:
        raise UnsafeArchive(ArchiveProblem.TOO_MANY_ENTRIES, limit=limits.max_entries)
    if sum(entry.file_size for entry in entries) > limits.max_bytes_unpacked:
        raise UnsafeArchive(ArchiveProblem.TOO_LARGE, limit=max(1, limits.max_bytes_unpacked >> 20))
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnsafeArchive(ArchiveProblem.ENCRYPTED)
    if any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries):
        raise UnsafeArchive(ArchiveProblem.UNSUPPORTED)
    free_from = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < free_from or (free_from == 0 and entry.header_offset > 0):
            raise UnsafeArchive(ArchiveProblem.SUSPICIOUS)
        free_from = entry.header_offset + _LOCAL.size + entry.compress_size


def _inflated_size(file: BinaryIO, entry: ZipInfo) -> int:
    """Bytes the entry really unpacks to, counted no further than one past its claim; -1 if it is cut off."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    remaining, size = entry.compress_size, 0
    try:
        while not inflater.eof and size <= entry.file_size:
            pending = inflater.unconsumed_tail
            if not pending:
                pending = file.read(min(_CHUNK, remaining))
                remaining -= len(pending)
            produced = inflater.decompress(pending, _CHUNK)  # b"" in: what zlib still holds comes out
            if not pending and not produced and not inflater.eof:
                return -1
            size += len(produced)
    except zlib.error as error:
        raise UnsafeArchive(ArchiveProblem.BROKEN) from error
    return size
