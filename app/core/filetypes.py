"""Which files may be attached (domain.md section 3), and whether a file is what its name says."""

from __future__ import annotations

import io
from enum import Enum
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import ZipFile

import filetype

from app.core import ole
from app.core.archives import (
    DAMAGE,
    ArchiveLimits,
    UnsafeArchive,
    check_real_sizes,
    ends_as_zip,
    open_archive,
)
from app.core.enums import Labelled
from app.core.refusal import Refusal
from app.core.text import trim

MAX_NAME = 200
HEAD_BYTES = 8192
"""How much of a file `check_content` wants as its head."""

MAX_ENTRIES = 10_000
MAX_BYTES_UNPACKED = 512 << 20
"""The limit for one document's attachments together: a container may not unpack to more."""
MAX_RATIO = 200
_RATIO_MATTERS_FROM = 16 << 20
_MAX_DEPTH = 3
_MAX_NESTED = 64
_MAX_NESTED_BYTES = 64 << 20
_TAIL = 2048
_CHUNK = 1 << 20

_OOXML = "application/vnd.openxmlformats-officedocument"


class FileKind(Enum):
    """The attachment types: extension, media type to serve it with."""

    PDF = "pdf", "application/pdf"
    DOC = "doc", "application/msword"
    DOCX = "docx", f"{_OOXML}.wordprocessingml.document"
    XLS = "xls", "application/vnd.ms-excel"
    XLSX = "xlsx", f"{_OOXML}.spreadsheetml.sheet"
    PPT = "ppt", "application/vnd.ms-powerpoint"
    PPTX = "pptx", f"{_OOXML}.presentationml.presentation"
    JPG = "jpg", "image/jpeg"
    PNG = "png", "image/png"
    OFD = "ofd", "application/ofd"
    ZIP = "zip", "application/zip"

    def __init__(self, extension: str, media_type: str) -> None:
        self.extension = extension
        self.media_type = media_type


class FileProblem(Labelled):
    """Why a file was refused; the label is the sentence for the user."""

    NOT_ALLOWED = "NOT_ALLOWED", "Files of this type are not accepted. Allowed: %(allowed)s."
    EMPTY = "EMPTY", "The file is empty."
    MISMATCH = (
        "MISMATCH",
        "The content of this file is not %(kind)s, as its name says. Save it again as %(kind)s.",
    )
    INCOMPLETE = "INCOMPLETE", "The file is damaged or incomplete. Save it again and try once more."
    HIDDEN_CONTENT = "HIDDEN_CONTENT", "The file carries something else inside it and is not accepted."
    PASSWORD = "PASSWORD", "The file is protected by a password. Remove the password and try again."
    MACROS = "MACROS", "The file contains macros. Save it without macros and try again."
    TOO_LARGE_INSIDE = "TOO_LARGE_INSIDE", "Unpacked, the file would be larger than is accepted."


class RefusedFile(Refusal):
    """A file that is not taken."""


_BY_EXTENSION = {kind.extension: kind for kind in FileKind} | {"jpeg": FileKind.JPG}
_MAIN_PARTS = {
    FileKind.DOCX: ("word/", b"wordprocessingml.document.main+xml"),
    FileKind.XLSX: ("xl/", b"spreadsheetml.sheet.main+xml"),
    FileKind.PPTX: ("ppt/", b"presentationml.presentation.main+xml"),
}
_OLE_STREAMS = {
    FileKind.DOC: {"WordDocument"},
    FileKind.XLS: {"Workbook", "Book"},
    FileKind.PPT: {"PowerPoint Document"},
}
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_ACTIVE_AT_HEAD = (b"<!doctype", b"<html", b"<svg")
_ACTIVE_ANYWHERE = (b"<?php", b"<script")
_NESTED = (".zip", ".docx", ".xlsx", ".pptx", ".ofd", ".jar")


def kind_of_name(name: str) -> FileKind:
    """The type a name claims, by its last extension. Raises RefusedFile when it is not on the list."""
    extension = PurePosixPath(safe_name(name)).suffix.lower().lstrip(".")
    kind = _BY_EXTENSION.get(extension)
    if kind is None:
        raise RefusedFile(FileProblem.NOT_ALLOWED, allowed=", ".join(kind.extension for kind in FileKind))
    return kind


def check_content(name: str, head: bytes, file: BinaryIO) -> FileKind:
    """That the content is what the name says, and safe to keep; `head` is the first HEAD_BYTES of `file`.

    Reads all of an image and unpacks a container to nowhere, within MAX_BYTES_UNPACKED. Leaves `file` at
    its beginning. Raises RefusedFile.
    """
    kind = kind_of_name(name)
    if not head:
        raise RefusedFile(FileProblem.EMPTY)
    try:
        _check(kind, head, file)
    except UnsafeArchive as error:
        raise _refused_archive(error) from error
    finally:
        file.seek(0)
    return kind


def safe_name(name: str) -> str:
    """A name to show and to offer for saving: no folders, nothing invisible, at most MAX_NAME characters.

    Never a path to store under: storage names are generated.
    """
    base = trim(name.replace("\\", "/").replace("\x00", "")).rpartition("/")[2].strip(" .")
    if not base:
        return "unnamed"
    if len(base) > MAX_NAME:
        suffix = PurePosixPath(base).suffix[:20]
        base = base[: MAX_NAME - len(suffix)].rstrip(" .") + suffix
    return base


def _check(kind: FileKind, head: bytes, file: BinaryIO) -> None:
    match kind:
        case FileKind.PDF:
            _check_pdf(head, file)
        case FileKind.JPG | FileKind.PNG:
            _check_image(kind, head, file)
        case FileKind.DOC | FileKind.XLS | FileKind.PPT:
            _check_ole(kind, file)
        case _:
            _check_container(kind, head, file)


def _mismatch(kind: FileKind) -> RefusedFile:
    return RefusedFile(FileProblem.MISMATCH, kind=kind.extension)


def _check_pdf(head: bytes, file: BinaryIO) -> None:
    if _guessed(head) != "pdf" or not head.startswith(b"%PDF-"):
        raise _mismatch(FileKind.PDF)
    if ends_as_zip(file):
        raise RefusedFile(FileProblem.HIDDEN_CONTENT)
    if b"%%EOF" not in _tail(file):
        raise RefusedFile(FileProblem.INCOMPLETE)


def _check_image(kind: FileKind, head: bytes, file: BinaryIO) -> None:
    if _guessed(head) != kind.extension:
        raise _mismatch(kind)
    start = head[:HEAD_BYTES].lower()
    if ends_as_zip(file) or any(mark in start for mark in _ACTIVE_AT_HEAD) or _has_active_text(file):
        raise RefusedFile(FileProblem.HIDDEN_CONTENT)
    # A PNG ends with its last chunk. A JPEG need not: telephones append a short film.
    if kind is FileKind.PNG and _PNG_END not in _tail(file):
        raise RefusedFile(FileProblem.INCOMPLETE)
    if kind is FileKind.PNG and not _tail(file).endswith(_PNG_END):
        raise RefusedFile(FileProblem.HIDDEN_CONTENT)


def _guessed(head: bytes) -> str | None:
    found = filetype.guess(head[:HEAD_BYTES])
    return None if found is None else str(found.extension)


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _TAIL))
    return file.read(_TAIL)


def _has_active_text(file: BinaryIO) -> bool:
    """Whether program text a web server or browser might run stands anywhere in the file."""
    file.seek(0)
    overlap = b""
    while chunk := file.read(_CHUNK):
        window = (overlap + chunk).lower()
        if any(mark in window for mark in _ACTIVE_ANYWHERE):
            return True
        overlap = chunk[-8:]
    return False


def _check_ole(kind: FileKind, file: BinaryIO) -> None:
    streams = ole.stream_names(file)
    if not streams & _OLE_STREAMS[kind]:
        raise _mismatch(kind)
    if ends_as_zip(file):
        raise RefusedFile(FileProblem.HIDDEN_CONTENT)


def _check_container(kind: FileKind, head: bytes, file: BinaryIO) -> None:
    if head.startswith(ole.MARK) and "EncryptedPackage" in ole.stream_names(file):
        raise RefusedFile(FileProblem.PASSWORD)
    if not head.startswith(b"PK\x03\x04"):
        raise _mismatch(kind)
    budget = _Budget(MAX_BYTES_UNPACKED)
    archive = _open_container(file, budget)
    names = set(archive.namelist())
    if kind in _MAIN_PARTS:
        _check_ooxml(kind, archive, names)
    elif kind is FileKind.OFD and "OFD.xml" not in names:
        raise _mismatch(kind)
    _check_nested(archive, budget, depth=1)


def _check_ooxml(kind: FileKind, archive: ZipFile, names: set[str]) -> None:
    folder, content_type = _MAIN_PARTS[kind]
    if "[Content_Types].xml" not in names or not any(name.startswith(folder) for name in names):
        raise _mismatch(kind)
    try:
        declared = archive.read("[Content_Types].xml")
    except DAMAGE as error:
        raise RefusedFile(FileProblem.INCOMPLETE) from error
    if any(name.lower().endswith("vbaproject.bin") for name in names) or b"macroEnabled" in declared:
        raise RefusedFile(FileProblem.MACROS)
    if content_type not in declared:
        raise _mismatch(kind)


class _Budget:
    """Bytes and nested containers that may still be unpacked for one upload."""

    def __init__(self, unpacked: int) -> None:
        self.bytes_left = unpacked
        self.nested_left = _MAX_NESTED

    def spend(self, amount: int) -> None:
        self.bytes_left -= amount
        if self.bytes_left < 0:
            raise RefusedFile(FileProblem.TOO_LARGE_INSIDE)

    def enter(self) -> None:
        self.nested_left -= 1
        if self.nested_left < 0:
            raise RefusedFile(FileProblem.TOO_LARGE_INSIDE)


def _open_container(file: BinaryIO, budget: _Budget) -> ZipFile:
    """The container, its claims within the budget and true."""
    archive = open_archive(file, ArchiveLimits(MAX_ENTRIES, budget.bytes_left))
    unpacked = sum(entry.file_size for entry in archive.infolist())
    packed = sum(entry.compress_size for entry in archive.infolist())
    if unpacked > _RATIO_MATTERS_FROM and unpacked > packed * MAX_RATIO:
        raise RefusedFile(FileProblem.TOO_LARGE_INSIDE)
    budget.spend(unpacked)
    check_real_sizes(file, archive)
    return archive


def _check_nested(archive: ZipFile, budget: _Budget, *, depth: int) -> None:
    """The same for containers inside: a bomb may be packed twice."""
    for entry in archive.infolist():
        if not entry.filename.lower().endswith(_NESTED):
            continue
        budget.enter()
        if depth == _MAX_DEPTH or entry.file_size > _MAX_NESTED_BYTES:
            raise RefusedFile(FileProblem.TOO_LARGE_INSIDE)
        try:
            inner = io.BytesIO(archive.read(entry))
        except DAMAGE as error:
            raise RefusedFile(FileProblem.INCOMPLETE) from error
        if inner.getvalue().startswith(b"PK\x03\x04"):
            _check_nested(_open_container(inner, budget), budget, depth=depth + 1)


def _refused_archive(error: UnsafeArchive) -> RefusedFile:
    problems = {
        "ENCRYPTED": FileProblem.PASSWORD,
        "TOO_LARGE": FileProblem.TOO_LARGE_INSIDE,
        "TOO_MANY_ENTRIES": FileProblem.TOO_LARGE_INSIDE,
        "SUSPICIOUS": FileProblem.HIDDEN_CONTENT,
        "UNSUPPORTED": FileProblem.INCOMPLETE,
        "BROKEN": FileProblem.INCOMPLETE,
    }
    return RefusedFile(problems[error.reason.value])
