"""Imports: what people upload, and what nobody should."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.xlsx import CellValue, UnreadableReason, UnreadableWorkbook, read_rows

LIMIT = 256 << 20
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _rows(
    file: io.BytesIO, max_rows: int = 1_000, limit: int = LIMIT
) -> list[tuple[int, tuple[CellValue, ...]]]:
    return list(read_rows(file, max_rows=max_rows, max_bytes_unpacked=limit))


def _refused(file: io.BytesIO, max_rows: int = 1_000, limit: int = LIMIT) -> UnreadableReason:
    started = time.process_time()
    with pytest.raises(UnreadableWorkbook) as refused:
        _rows(file, max_rows, limit)
    assert time.process_time() - started < 2
    assert "%(" not in str(refused.value)
    assert isinstance(refused.value.reason, UnreadableReason)
    return refused.value.reason


def _by_openpyxl(*rows: list[object]) -> io.BytesIO:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out


def _by_hand(
    rows: str | bytes, *, prolog: str = "", strings: str = "", styles: str = "", book: str = ""
) -> io.BytesIO:
    """A workbook of which only the interesting part is given."""
    body = rows.encode() if isinstance(rows, str) else rows
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {NAMESPACE} xmlns:r="{RELATIONS}">{book}<sheets>'
            '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            "<Relationships>"
            f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{RELATIONS}/styles" Target="styles.xml"/>'
            f'<Relationship Id="rId3" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
            "</Relationships>",
        )
        archive.writestr("xl/styles.xml", f"<styleSheet {NAMESPACE}>{styles}</styleSheet>")
        if strings:
            archive.writestr("xl/sharedStrings.xml", strings)
        head = f"{prolog}<worksheet {NAMESPACE}><sheetData>".encode()
        archive.writestr("xl/worksheets/sheet1.xml", head + body + b"</sheetData></worksheet>")
    return out


def test_a_sheet_filled_in_by_a_unit() -> None:
    file = _by_openpyxl(
        ["项目名称", "申请资金", "开始日期", "时间", "是否上云", "数量"],
        ["电子政务外网线路租赁", 1260000.5, date(2027, 1, 1), datetime(2027, 1, 1, 9, 30), True, 3],
    )
    assert _rows(file) == [
        (1, ("项目名称", "申请资金", "开始日期", "时间", "是否上云", "数量")),
        (
            2,
            (
                "电子政务外网线路租赁",
                Decimal("1260000.5"),
                date(2027, 1, 1),
                datetime(2027, 1, 1, 9, 30),
                True,
                3,
            ),
        ),
    ]


def test_row_numbers_are_those_the_user_sees_and_gaps_cost_nothing() -> None:
    file = _by_hand(
        '<row r="3"><c r="B3"><v>7</v></c></row><row r="4"><c r="A4"/></row><row><c><v>8</v></c></row>'
        '<row r="1048576"><c r="C1048576"><v>9</v></c></row>'
    )
    assert _rows(file) == [(3, (None, 7)), (5, (8,)), (1_048_576, (None, None, 9))]


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("31900.099999999999", Decimal("31900.1")),
        ("0.30000000000000004", Decimal("0.3")),
        ("3.19E4", 31900),
        ("31900.0", 31900),
        ("-0.05", Decimal("-0.05")),
        ("999999999999999", 999_999_999_999_999),
        ("1E+300", Decimal("1E+300")),
    ],
)
def test_a_number_is_what_excel_shows_not_what_its_float_stores(stored: str, value: object) -> None:
    ((_, (read,)),) = _rows(_by_hand(f'<row r="1"><c r="A1"><v>{stored}</v></c></row>'))
    assert read == value
    assert type(read) is type(value)


def test_texts_of_every_way_of_storing_them() -> None:
    strings = (
        f"<sst {NAMESPACE}><si><t>整段</t></si>"
        "<si><r><t>分</t></r><r><t>段</t></r><rPh><t>fen duan</t></rPh></si><si><t/></si>"
        "<si><t>a_x000D_b_x005F_x0041_</t></si></sst>"
    )
    file = _by_hand(
        '<row r="1"><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c><c t="s"><v>3</v></c>'
        '<c t="inlineStr"><is><t>内</t><rPh><t>nei</t></rPh></is></c>'
        '<c t="str"><f>A1&amp;"x"</f><v>公式结果</v></c>'
        '<c t="e"><v>#DIV/0!</v></c><c t="d"><v>2027-01-01</v></c><c t="b"><v>0</v></c></row>',
        strings=strings,
    )
    expected = ("整段", "分段", None, "a\rb_x0041_", "内", "公式结果", "#DIV/0!", date(2027, 1, 1), False)
    assert _rows(file) == [(1, expected)]


def test_dates_in_the_formats_of_chinese_excel() -> None:
    """Numbers 27 to 36 and 50 to 58 are dates there without being defined in the file."""
    styles = (
        '<numFmts><numFmt numFmtId="200" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>'
        '<numFmt numFmtId="201" formatCode="#,##0.00&quot;元&quot;"/></numFmts>'
        '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="31"/>'
        '<xf numFmtId="58"/><xf numFmtId="33"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="200"/>'
        '<xf numFmtId="201"/></cellXfs>'
    )
    cells = "".join(f'<c s="{style}"><v>46388</v></c>' for style in range(8))
    ((_, row),) = _rows(
        _by_hand(f'<row r="1">{cells}<c s="33"><v>1</v></c><c s="3"><v>0.5</v></c></row>', styles=styles)
    )
    day, moment = date(2027, 1, 1), datetime(2027, 1, 1)
    assert row == (46388, day, day, moment, day, moment, day, 46388, 1, clock(12, 0))


def test_the_calendar_of_old_macintosh_workbooks() -> None:
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    file = _by_hand(
        '<row r="1"><c s="0"><v>1</v></c></row>', styles=styles, book='<workbookPr date1904="1"/>'
    )
    assert _rows(file) == [(1, (date(1904, 1, 2),))]


def test_a_serial_outside_the_calendar_stays_a_number() -> None:
    styles = '<cellXfs><xf numFmtId="14"/></cellXfs>'
    assert _rows(_by_hand('<row r="1"><c s="0"><v>99999999</v></c></row>', styles=styles)) == [
        (1, (99_999_999,))
    ]


def test_the_first_visible_sheet_is_read() -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["隐藏"])
    book.create_sheet("填报").append(["可见"])
    book.worksheets[0].sheet_state = "hidden"
    book.active = 1
    out = io.BytesIO()
    book.save(out)
    assert _rows(out) == [(1, ("可见",))]


@pytest.mark.parametrize(("filled", "refused"), [(2, False), (3, False), (4, True)])
def test_rows_up_to_the_limit(filled: int, refused: bool) -> None:
    file = _by_hand(
        "".join(f'<row r="{n}"><c><v>1</v></c></row><row r="{n + 1}"/>' for n in range(1, filled * 2, 2))
    )
    if refused:
        assert _refused(file, max_rows=3) is UnreadableReason.TOO_MANY_ROWS
    else:
        assert len(_rows(file, max_rows=3)) == filled


@pytest.mark.parametrize(("column", "refused"), [("SQ", False), ("SR", False), ("SS", True), ("XFD", True)])
def test_columns_up_to_the_limit(column: str, refused: bool) -> None:
    file = _by_hand(f'<row r="1"><c r="{column}1"><v>1</v></c></row>')
    if refused:
        assert _refused(file) is UnreadableReason.TOO_MANY_COLUMNS
    else:
        assert _rows(file)[0][1][-1] == 1


@pytest.mark.parametrize(("spare", "refused"), [(1, False), (0, False), (-1, True)])
def test_bytes_up_to_the_limit(spare: int, refused: bool) -> None:
    file = _by_openpyxl(["一"])
    with ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if refused:
        assert _refused(file, limit=size + spare) is UnreadableReason.TOO_LARGE
    else:
        assert _rows(file, limit=size + spare) == [(1, ("一",))]


BOMBS: dict[str, tuple[Callable[[], io.BytesIO], UnreadableReason]] = {
    "external entity": (
        lambda: _by_hand(
            '<row r="1"><c t="inlineStr"><is><t>&x;</t></is></c></row>',
            prolog='<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        ),
        UnreadableReason.UNSAFE,
    ),
    "billion laughs": (
        lambda: _by_hand(
            '<row r="1"><c t="inlineStr"><is><t>&j;</t></is></c></row>',
            prolog="<!DOCTYPE w [<!ENTITY a 'lol'>"
            + "".join(
                f"<!ENTITY {b} '{('&' + a + ';') * 10}'>"
                for a, b in zip("abcdefghi", "bcdefghij", strict=True)
            )
            + "]>",
        ),
        UnreadableReason.UNSAFE,
    ),
    "entity in the strings": (
        lambda: _by_hand("", strings="<!DOCTYPE s [<!ENTITY x 'y'>]><sst><si><t>&x;</t></si></sst>"),
        UnreadableReason.UNSAFE,
    ),
    "zip bomb": (lambda: _by_hand(b" " * (LIMIT + 1)), UnreadableReason.TOO_LARGE),
    "ten million empty rows": (lambda: _by_hand(b"<row/>" * 10_000_000), UnreadableReason.TOO_MANY_ROWS),
    "a row far below the last one": (
        lambda: _by_hand('<row r="99999999999"/>'),
        UnreadableReason.TOO_MANY_ROWS,
    ),
    "rows in disorder": (lambda: _by_hand('<row r="2"/><row r="2"/>'), UnreadableReason.BROKEN),
    "a string that is not there": (
        lambda: _by_hand('<row><c t="s"><v>7</v></c></row>'),
        UnreadableReason.BROKEN,
    ),
    "a number that is none": (lambda: _by_hand("<row><c><v>inf</v></c></row>"), UnreadableReason.BROKEN),
    "a number of a million digits": (
        lambda: _by_hand(f"<row><c><v>{'9' * 10**6}</v></c></row>"),
        UnreadableReason.BROKEN,
    ),
    "a cell without an address": (
        lambda: _by_hand('<row><c r="§"><v>1</v></c></row>'),
        UnreadableReason.BROKEN,
    ),
    "an unfinished sheet": (lambda: _by_hand("<row><c>"), UnreadableReason.BROKEN),
    "nothing": (lambda: io.BytesIO(b""), UnreadableReason.NOT_XLSX),
    "a picture": (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"0" * 99), UnreadableReason.NOT_XLSX),
    "an old workbook": (
        lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 999),
        UnreadableReason.OLD_FORMAT,
    ),
    "half a file": (lambda: io.BytesIO(_by_openpyxl(["一"]).getvalue()[:2000]), UnreadableReason.BROKEN),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_no_office_program_writes_is_refused_quickly(name: str) -> None:
    make, reason = BOMBS[name]
    assert _refused(make()) is reason


def test_a_zip_that_is_no_workbook() -> None:
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr("说明.txt", "x")
    assert _refused(out) is UnreadableReason.NOT_XLSX


def test_a_directory_of_very_many_files_is_not_even_read() -> None:
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for number in range(2_001):
            archive.writestr(str(number), b"")
    assert _refused(out) is UnreadableReason.UNSAFE


def test_a_million_empty_rows_of_a_formatted_sheet_are_passed_over() -> None:
    file = _by_hand(b"<row><c><v>1</v></c></row>" + b'<row s="1"/>' * 1_048_575)
    assert _rows(file) == [(1, (1,))]


SAMPLE = _by_openpyxl(["项目名称", 1.5, date(2027, 1, 1)], ["=1+1", None, True]).getvalue()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(damage: list[tuple[int, int]]) -> None:
    data = bytearray(SAMPLE)
    for position, value in damage:
        data[position] = value
    try:
        _rows(io.BytesIO(bytes(data)))
    except UnreadableWorkbook as refused:
        assert refused.reason in UnreadableReason


@given(st.text(alphabet='<>/rowcvstf ="0123456789AB&;', max_size=60))
def test_any_sheet_xml_is_read_or_refused_and_nothing_else(xml: str) -> None:
    try:
        _rows(_by_hand(xml))
    except UnreadableWorkbook as refused:
        assert refused.reason in UnreadableReason
