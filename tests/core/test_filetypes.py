"""Attachments: the eleven types of the office, and files that pretend to be one of them."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import filetypes
from app.core.filetypes import (
    HEAD_BYTES,
    MAX_BYTES_UNPACKED,
    MAX_ENTRIES,
    MAX_NAME,
    FileKind,
    FileProblem,
    RefusedFile,
    check_content,
    kind_of_name,
    safe_name,
)

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
JPG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 64 + b"\xff\xd9"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">LLBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + _chunk(b"IEND", b"")
)


def _zip(entries: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


def _office(folder: str, content_type: str, more: dict[str, bytes] | None = None) -> bytes:
    types = f'<Types><Override PartName="/{folder}/x.xml" ContentType="{content_type}"/></Types>'
    return _zip({"[Content_Types].xml": types.encode(), f"{folder}/x.xml": b"<x/>", **(more or {})})


_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_BOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
DOCX = _office("word", _DOCUMENT)
OFD = _zip({"OFD.xml": b"<ofd:OFD/>", "Doc_0/Document.xml": b"<x/>"})
ZIP = _zip({"报价单.txt": "三家报价".encode()})


def _ole(*streams: str, padding_sectors: int = 0) -> bytes:
    """A compound file: header, tables, padding, then the directory, so that the chain has to be followed."""
    directory = b""
    for number, name in enumerate(("Root Entry", *streams)):
        encoded = name.encode("utf-16-le") + b"\x00\x00"
        kind = 2 if number else 5
        directory += encoded.ljust(64, b"\x00") + struct.pack("<HB", len(encoded), kind) + b"\x00" * 61
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\x00")
    own = len(directory) // 512
    tables = -(-(own + padding_sectors + 200) // 128)
    extra = max(0, tables - 109)
    lists = -(-extra // 127)
    first = tables + lists + padding_sectors
    links = [0xFFFFFFFF] * (tables * 128)
    for sector in range(first, first + own):
        links[sector] = sector + 1 if sector + 1 < first + own else 0xFFFFFFFE
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<5H", header, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<L", header, 44, tables)
    struct.pack_into("<L", header, 48, first)
    struct.pack_into("<2L", header, 68, tables if lists else 0xFFFFFFFE, lists)
    numbers = [*range(tables)] + [0xFFFFFFFF] * 200
    struct.pack_into("<109L", header, 76, *numbers[:109])
    body = struct.pack(f"<{len(links)}L", *links)
    for index in range(lists):
        part = [*range(109 + index * 127, min(tables, 109 + (index + 1) * 127))]
        following = tables + index + 1 if index + 1 < lists else 0xFFFFFFFE
        body += struct.pack("<128L", *part, *[0xFFFFFFFF] * (127 - len(part)), following)
    return bytes(header) + body + b"\x00" * 512 * padding_sectors + directory


GOOD: dict[str, tuple[bytes, FileKind]] = {
    "申报表.pdf": (PDF, FileKind.PDF),
    "旧方案.doc": (_ole("1Table", "WordDocument"), FileKind.DOC),
    "建设方案.docx": (DOCX, FileKind.DOCX),
    "旧概算.xls": (_ole("Workbook"), FileKind.XLS),
    "更旧的概算.XLS": (_ole("Book"), FileKind.XLS),
    "概算表.xlsx": (_office("xl", _BOOK), FileKind.XLSX),
    "汇报.ppt": (_ole("PowerPoint Document", "Current User"), FileKind.PPT),
    "汇报.pptx": (_office("ppt", _SLIDES), FileKind.PPTX),
    "签到表.jpg": (JPG, FileKind.JPG),
    "签到表.JPEG": (JPG, FileKind.JPG),
    "截图.png": (PNG, FileKind.PNG),
    "批复.ofd": (OFD, FileKind.OFD),
    "资料.zip": (ZIP, FileKind.ZIP),
    "方案也是zip.zip": (DOCX, FileKind.ZIP),
    "手机照片带短片.jpg": (JPG + b"\x00\x00\x00\x18ftypmp42" + b"\x01" * 500, FileKind.JPG),
    "大文件.doc": (_ole("WordDocument", padding_sectors=20_000), FileKind.DOC),
    "不压缩.zip": (_zip({"a.pdf": PDF}, ZIP_STORED), FileKind.ZIP),
    "套着的.zip": (_zip({"方案.docx": DOCX, "内层.zip": ZIP}), FileKind.ZIP),
}


def _check(name: str, data: bytes) -> FileKind:
    file = io.BytesIO(data)
    kind = check_content(name, data[:HEAD_BYTES], file)
    assert file.tell() == 0, "left ready to be stored"
    return kind


def _refused(name: str, data: bytes) -> FileProblem:
    started = time.process_time()
    with pytest.raises(RefusedFile) as refused:
        _check(name, data)
    assert time.process_time() - started < 2
    assert "%(" not in str(refused.value)
    assert isinstance(refused.value.reason, FileProblem)
    return refused.value.reason


@pytest.mark.parametrize("name", GOOD)
def test_the_types_of_the_office_are_accepted(name: str) -> None:
    data, kind = GOOD[name]
    assert _check(name, data) is kind


def test_every_kind_of_the_list_is_tried_above() -> None:
    assert {kind for _, kind in GOOD.values()} == set(FileKind)
    assert FileKind.OFD.media_type == "application/ofd"


@pytest.mark.parametrize("claimed", GOOD)
@pytest.mark.parametrize("real", GOOD)
def test_no_content_passes_under_the_name_of_another(claimed: str, real: str) -> None:
    data, kind = GOOD[real]
    wanted = kind_of_name(claimed)
    if wanted is kind or (wanted is FileKind.ZIP and data.startswith(b"PK")) or data is GOOD[claimed][0]:
        return  # every document that is a container may also be called one
    assert _refused(claimed, data) is FileProblem.MISMATCH


@pytest.mark.parametrize(
    "name",
    [
        "x.html",
        "x.svg",
        "x.php",
        "x.exe",
        "x.docm",
        "x.xlsb",
        "x.pdf.exe",
        "无后缀",
        "",
        ".pdf",
        "x.pdf ",
        "x.pdf\x00.php",
    ],
)
def test_other_types_are_not_accepted(name: str) -> None:
    if name == "x.pdf ":
        assert _check(name, PDF) is FileKind.PDF, "a blank at the end is a slip, not a type"
        return
    assert _refused(name, PDF) is FileProblem.NOT_ALLOWED


def test_the_refusal_says_which_types_are_accepted() -> None:
    with pytest.raises(RefusedFile, match="pdf, doc, docx, xls, xlsx, ppt, pptx, jpg, png, ofd, zip"):
        kind_of_name("x.exe")


@pytest.mark.parametrize(
    "page", [b"<?php system($_GET[0]); ?>", b"<!DOCTYPE html><script>", b"<svg onload=x>", b"MZ\x90"]
)
@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x.pdf", "x.doc", "x.docx", "x.ofd", "x.zip"])
def test_programs_and_pages_under_an_office_name_are_refused(name: str, page: bytes) -> None:
    assert _refused(name, page * 40) is FileProblem.MISMATCH


HIDDEN: dict[str, tuple[str, bytes]] = {
    "a program after a photograph": ("x.jpg", JPG + b"<?php system($_GET[0]); ?>"),
    "a program far inside a photograph": (
        "x.jpg",
        JPG + b"\x00" * (1 << 20) + b"<?PHP x ?>" + b"\x00" * (1 << 20),
    ),
    "a program across two reads": ("x.jpg", JPG + b"\x00" * ((1 << 20) - len(JPG) - 3) + b"<script>"),
    "a page in a picture's comment": ("x.png", PNG[:33] + _chunk(b"tEXt", b"c\x00<svg onload=x>") + PNG[33:]),
    "something after a picture": ("x.png", PNG + b"more"),
    "a container after a photograph": ("x.jpg", JPG + ZIP),
    "a container after a picture": ("x.png", PNG + ZIP),
    "a container after a document": ("x.pdf", PDF + ZIP),
    "a container after an old document": ("x.doc", _ole("WordDocument") + ZIP),
    "something before the first entry": ("x.zip", b"PK\x03\x04" + b"\x00" * 100 + ZIP),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_file_that_is_two_things_is_refused(name: str) -> None:
    assert _refused(*HIDDEN[name]) is FileProblem.HIDDEN_CONTENT


BROKEN: dict[str, tuple[str, bytes]] = {
    "half a document": ("x.pdf", PDF[:20] + b"x" * 5000),
    "half a picture": ("x.png", PNG[:-12]),
    "half a container": ("x.docx", DOCX[: len(DOCX) // 2]),
    "something after a container": ("x.zip", ZIP + b"more"),
    "a packing nobody can check": ("x.zip", _zip({"a": b"a" * 100}, ZIP_BZIP2)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_incomplete_file_is_refused(name: str) -> None:
    assert _refused(*BROKEN[name]) is FileProblem.INCOMPLETE


def test_an_empty_file_is_refused() -> None:
    assert _refused("x.pdf", b"") is FileProblem.EMPTY


def test_a_password_is_named_as_the_obstacle() -> None:
    assert _refused("x.docx", _ole("EncryptionInfo", "EncryptedPackage")) is FileProblem.PASSWORD
    locked = bytearray(ZIP)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + offset] |= 1
    assert _refused("x.zip", bytes(locked)) is FileProblem.PASSWORD


def test_macros_are_named_as_the_obstacle() -> None:
    assert _refused("x.docx", _office("word", _DOCUMENT, {"word/vbaProject.bin": b"x"})) is FileProblem.MACROS
    macro_type = "application/vnd.ms-word.document.macroEnabled.main+xml"
    assert _refused("x.docx", _office("word", macro_type)) is FileProblem.MACROS


def _lying(data: bytes, real: int, claimed: int) -> bytes:
    """Write another unpacked size into both headers of the only big entry."""
    return data.replace(struct.pack("<L", real), struct.pack("<L", claimed))


def _many(count: int) -> bytes:
    return _zip({str(number): b"" for number in range(count)}, ZIP_STORED)


NOUGHTS = b"\x00" * (24 << 20)
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "more than the limit": (
        "x.zip",
        lambda: _zip({f"{n}": NOUGHTS for n in range(MAX_BYTES_UNPACKED // len(NOUGHTS) + 1)}),
    ),
    "a thousand to one": ("x.zip", lambda: _zip({"a": NOUGHTS})),
    "within a document": ("x.docx", lambda: _office("word", _DOCUMENT, {"word/a.bin": NOUGHTS})),
    "packed twice": ("x.zip", lambda: _zip({"内层.zip": _zip({"a": NOUGHTS})})),
    "packed in a document": (
        "x.docx",
        lambda: _office("word", _DOCUMENT, {"word/e.xlsx": _zip({"a": NOUGHTS})}),
    ),
    "packed many times": (
        "x.zip",
        lambda: _zip({"1.zip": _zip({"2.zip": _zip({"3.zip": _zip({"4.zip": ZIP})})})}),
    ),
    "very many containers": ("x.zip", lambda: _zip({f"{n}.zip": ZIP for n in range(65)})),
    "very many entries": ("x.zip", lambda: _many(MAX_ENTRIES + 1)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly(name: str) -> None:
    file_name, make = BOMBS[name]
    assert _refused(file_name, make()) is FileProblem.TOO_LARGE_INSIDE


def test_a_container_that_understates_what_it_holds_is_refused() -> None:
    data = _lying(_zip({"a": NOUGHTS}), len(NOUGHTS), 1000)
    assert _refused("x.zip", data) is FileProblem.HIDDEN_CONTENT


def test_entries_that_share_bytes_are_refused() -> None:
    """The trick of a bomb whose entries all unpack the same bytes."""
    data = bytearray(_zip({"a": b"x" * 50_000, "b": b"x" * 50_000}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    assert _refused("x.zip", bytes(data)) is FileProblem.HIDDEN_CONTENT


def test_containers_up_to_the_limits_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _check("x.zip", _many(MAX_ENTRIES)) is FileKind.ZIP
    assert _check("x.zip", _zip({f"{n}.zip": ZIP for n in range(64)})) is FileKind.ZIP
    assert _check("x.zip", _zip({"a": b"\x00" * (16 << 20)})) is FileKind.ZIP, "small enough for any ratio"
    monkeypatch.setattr(filetypes, "MAX_BYTES_UNPACKED", 1000)
    for size, accepted in ((999, True), (1000, True), (1001, False)):
        data = _zip({"a": b"a" * size})
        if accepted:
            assert _check("x.zip", data) is FileKind.ZIP
        else:
            assert _refused("x.zip", data) is FileProblem.TOO_LARGE_INSIDE


@pytest.mark.parametrize("beyond", [-1, 0, 1, 22, 242, 258, 259])
def test_an_honest_size_near_the_reading_block_is_believed(beyond: int) -> None:
    assert _check("x.zip", _zip({"a": b"\x00" * ((1 << 18) + beyond)})) is FileKind.ZIP


def test_an_old_document_whose_chain_never_ends_is_refused_quickly() -> None:
    data = bytearray(_ole("WordDocument"))
    (first,) = struct.unpack_from("<L", data, 48)
    struct.pack_into("<L", data, 512 + first * 4, first)
    data[512 * (first + 1) :] = b"\x00" * 512
    assert _refused("x.doc", bytes(data)) is FileProblem.MISMATCH


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("建设方案.docx", "建设方案.docx"),
        ("C:\\我的文档\\建设方案.docx", "建设方案.docx"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf"),
        ("x\u202efdp.exe", "xfdp.exe"),
        ("a\x00b.pdf", "ab.pdf"),
        (" . ", "unnamed"),
        ("", "unnamed"),
        ("folder/", "unnamed"),
        ("x.pdf. ", "x.pdf"),
    ],
)
def test_a_name_is_shown_without_folders_and_tricks(given_name: str, shown: str) -> None:
    assert safe_name(given_name) == shown


@pytest.mark.parametrize("length", [MAX_NAME - 1, MAX_NAME, MAX_NAME + 1, 5_000])
def test_a_long_name_keeps_its_extension(length: int) -> None:
    name = "长" * (length - 4) + ".pdf"
    shown = safe_name(name)
    assert len(shown) == min(length, MAX_NAME)
    assert kind_of_name(shown) is FileKind.PDF


@given(st.text())
def test_any_name_becomes_a_plain_one(name: str) -> None:
    shown = safe_name(name)
    assert 0 < len(shown) <= MAX_NAME
    assert not set(shown) & set("/\\\r\n\t\x00")
    assert safe_name(shown) == shown


@example("套着的.zip", [(30, 0)])  # the name of the first file inside is no text any more
@given(
    st.sampled_from(sorted(GOOD)),
    st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_a_damaged_file_is_accepted_or_refused_and_nothing_else(
    name: str, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(GOOD[name][0][:200_000])
    for position, value in damage:
        data[position % len(data)] = value
    try:
        _check(name, bytes(data))
    except RefusedFile as refused:
        assert refused.reason in FileProblem
