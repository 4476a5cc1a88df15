"""Workbooks that are damaged or meant to hurt: refused in under two seconds, with a sentence that helps."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import InvalidInput
from app.gateways.storage import LocalStorage
from app.models.importing import ImportRun
from app.services import attachment, importing
from tests.factories import make_actor

NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>项目编号</t></is></c></row>'


def _book(
    sheet: bytes | str = HEADER, *, prolog: str = "", strings: str = "", more: dict[str, bytes] | None = None
) -> io.BytesIO:
    """A workbook made by hand, so that it holds what no program writes."""
    body = sheet if isinstance(sheet, bytes) else sheet.encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Id="r" Type="{RELATIONS}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {NAMESPACE} xmlns:r="{RELATIONS}"><sheets><sheet name="S" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships><Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/s.xml"/>'
            f'<Relationship Id="r2" Type="{RELATIONS}/sharedStrings" Target="strings.xml"/></Relationships>',
        )
        if strings:
            archive.writestr("xl/strings.xml", strings)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
        head = f"{prolog}<worksheet {NAMESPACE}><sheetData>".encode()
        archive.writestr("xl/worksheets/s.xml", head + body + b"</sheetData></worksheet>")
    out.seek(0)
    return out


def _formula() -> io.BytesIO:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["项目编号", "项目名称"])
    book.worksheets[0].append(["A-1", '=HYPERLINK("http://evil.example","x")'])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


LAUGHS = (
    "<!DOCTYPE w [<!ENTITY a 'lol'>"
    + "".join(
        f"<!ENTITY {b} '{('&' + a + ';') * 10}'>" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)

FILES: dict[str, tuple[Callable[[], io.BytesIO], str]] = {
    "external entity": (
        lambda: _book(prolog='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        "no spreadsheet program writes",
    ),
    "billion laughs": (lambda: _book(prolog=LAUGHS), "no spreadsheet program writes"),
    "zip bomb": (lambda: _book(b" " * (importing.MAX_UNPACKED + 1)), "larger than"),
    "ten million empty rows": (lambda: _book(HEADER.encode() + b"<row/>" * 9_900_000), "rows"),
    "ten million empty cells": (
        lambda: _book(HEADER.encode() + b"<row>" + b"<c/>" * 9_900_000 + b"</row>"),
        "far more cells",
    ),
    "millions of shared strings": (
        lambda: _book(strings=f"<sst {NAMESPACE}>" + "<si><t>a</t></si>" * 3_500_000 + "</sst>"),
        "far more cells",
    ),
    "too many rows": (
        lambda: _book(HEADER.encode() + b"<row><c><v>1</v></c></row>" * 400_000),
        "more than",
    ),
    "a formula": (_formula, "B2 is a formula"),
    "macros": (lambda: _book(more={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}), "macros"),
    "a password": (lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 9999), "password"),
    "an old .xls named .xlsx": (
        lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 9999),
        "old or password-protected",
    ),
    "a picture": (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 99), "not an Excel workbook"),
    "half a file": (lambda: io.BytesIO(_book(HEADER * 1).getvalue()[:300]), "damaged"),
    "nothing": (lambda: io.BytesIO(b""), "Choose a file"),
}


@pytest.fixture(autouse=True)
def store(session: Session, tmp_path: Path) -> Iterator[LocalStorage]:
    """Files of this test alone."""
    before = attachment.store()
    kept = LocalStorage(tmp_path / "files")
    attachment.bind(kept)
    yield kept
    attachment.bind(before)


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_workbook_is_refused_quickly_and_leaves_nothing(
    session: Session, store: LocalStorage, name: str
) -> None:
    make, words = FILES[name]
    file, clerk = make(), make_actor("bureau_reviewer")
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        importing.preview(clerk, "projects", file, f"{name}.xlsx")
    assert time.process_time() - began < 2
    (problem,) = refused.value.fields["file"]
    assert words in problem.message % problem.params
    assert session.scalar(select(func.count(ImportRun.id))) == 0
    assert not store.root.exists()


@pytest.mark.parametrize("name", ["rows.csv", "rows.CSV"])
@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\n" * 5_000_000, b'"' * 1_000_000, b"a,b\n1,2\n"])
def test_a_csv_that_is_none_is_refused_quickly(session: Session, name: str, content: bytes) -> None:
    clerk = make_actor("bureau_reviewer")
    began = time.process_time()
    with pytest.raises(InvalidInput):
        importing.preview(clerk, "projects", io.BytesIO(content), name)
    assert time.process_time() - began < 2
