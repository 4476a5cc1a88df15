"""Exports: what Excel shows, read back by openpyxl as an independent witness."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import cast
from zipfile import ZipFile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from app.core.xlsx import Column, ColumnKind, read_rows, write_rows

COLUMNS = [
    Column("no", "序号", ColumnKind.INTEGER, width=6),
    Column("code", "项目编号"),
    Column("title", "项目名称", width=40),
    Column("requested", "申请资金（元）", ColumnKind.MONEY, total=True),
    Column("share", "比例", ColumnKind.PERCENT),
    Column("begin", "开始日期", ColumnKind.DATE),
    Column("submitted", "提交时间", ColumnKind.DATETIME),
]
ROW = (
    1,
    "KP2027YW0001",
    "政务信息化服务项目管理系统维护服务",
    Decimal("31900.00"),
    Decimal("45.5"),
    date(2026, 12, 1),
    datetime(2026, 11, 22, 16, 30, tzinfo=UTC),
)


def _written(
    rows: Sequence[Sequence[object]],
    columns: Sequence[Column] = COLUMNS,
    heading: str | None = None,
    limit: int = 1_048_576,
) -> io.BytesIO:
    out = io.BytesIO()
    count = write_rows(
        columns,
        rows,
        sheet_title="项目申报汇总",
        heading=heading,
        out=out,
        total_label="合计",
        max_sheet_rows=limit,
    )
    assert count == len(rows)
    return out


def _sheet(out: io.BytesIO, name: str | None = None) -> Worksheet:
    out.seek(0)
    book = openpyxl.load_workbook(out)
    return cast(Worksheet, book[name] if name else book.worksheets[0])


def _one_text(text: object) -> object:
    out = io.BytesIO()
    write_rows([Column("t", "标题")], [(text,)], sheet_title="x", heading=None, out=out)
    return _sheet(out)["A2"].value


def test_cells_are_what_they_say_and_look_as_the_office_expects() -> None:
    sheet = _sheet(_written([ROW]))
    assert [cell.value for cell in sheet[1]] == [column.label for column in COLUMNS]
    assert [cell.value for cell in sheet[2]] == [
        1,
        "KP2027YW0001",
        "政务信息化服务项目管理系统维护服务",
        31900,
        0.455,
        datetime(2026, 12, 1),
        datetime(2026, 11, 23, 0, 30),
    ]
    assert [cell.number_format for cell in sheet[2]] == [
        "#,##0",
        "@",
        "@",
        "#,##0.00",
        "0.00%",
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm",
    ]


def test_the_header_is_bold_frozen_and_filterable_and_columns_have_widths() -> None:
    sheet = _sheet(_written([ROW, ROW]))
    assert all(cell.font.b for cell in sheet[1])
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:G3", "the total row is not filtered away"
    assert sheet.column_dimensions["C"].width == 40
    assert sheet.column_dimensions["A"].width == 6


def test_a_heading_stands_above_the_table_across_it() -> None:
    sheet = _sheet(_written([ROW], heading="2027年度项目申报汇总表"))
    assert sheet["A1"].value == "2027年度项目申报汇总表"
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A1:G1"]
    assert sheet.freeze_panes == "A3"
    assert sheet.auto_filter.ref == "A2:G3"
    assert sheet["B3"].value == "KP2027YW0001"


def test_the_last_row_adds_up_exactly() -> None:
    cents = [(1, "", "", Decimal("0.10"), None, None, None)] * 3
    sheet = _sheet(_written(cents))
    assert sheet.max_row == 5
    assert sheet["A5"].value == "合计"
    assert sheet["D5"].value == 0.3
    assert sheet["D5"].number_format == "#,##0.00"
    assert sheet["D5"].font.b
    assert b"<v>0.30</v>" in _raw(_written(cents)), "0.30000000000000004 would be a float's sum"


def test_without_totals_there_is_no_last_row() -> None:
    sheet = _sheet(_written([("a",)], columns=[Column("t", "标题")]))
    assert sheet.max_row == 2


def test_an_empty_list_gives_a_table_without_rows() -> None:
    sheet = _sheet(_written([]))
    assert sheet["A1"].value == "序号"
    assert sheet["D2"].value == 0


def test_empty_values_leave_empty_cells() -> None:
    sheet = _sheet(_written([(None, None, "", None, None, None, None)]))
    assert [cell.value for cell in sheet[2]] == [None] * 7


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "  =HYPERLINK(0)"])
def test_a_title_cannot_act_as_a_formula(text: str) -> None:
    out = io.BytesIO()
    write_rows([Column("t", text)], [(text,)], sheet_title=text, heading=text, out=out)
    for row in (1, 2, 3):
        cell = _sheet(out).cell(row, 1)
        assert cell.data_type == "s"
        assert str(cell.value).startswith("'")


def test_markup_and_control_characters_in_a_title_do_no_harm() -> None:
    assert _one_text("</t><script>&amp;\"'") == "</t><script>&amp;\"'"
    assert _one_text("a\x00b\x0bc\ud800d\uffffe") == "abcde"
    assert _one_text("第一行\r\n第二行") == "第一行\n第二行"
    assert _one_text(12) == "12"


def test_a_text_that_looks_like_an_escape_is_kept_literally() -> None:
    out = io.BytesIO()
    write_rows([Column("t", "标题")], [("_x000D_",)], sheet_title="x", heading=None, out=out)
    assert b"_x005F_x000D_" in _raw(out)
    assert [row for _, row in read_rows(out, max_rows=9, max_bytes_unpacked=1 << 20)][1] == ("_x000D_",)


@pytest.mark.parametrize(("length", "kept"), [(32_766, 32_766), (32_767, 32_767), (32_768, 32_767)])
def test_a_text_longer_than_a_cell_is_cut_visibly(length: int, kept: int) -> None:
    value = str(_one_text("长" * length))
    assert len(value) == kept
    assert value.endswith("…") is (length > 32_767)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.MONEY, 0.1),
        (ColumnKind.MONEY, "1.00"),
        (ColumnKind.MONEY, Decimal("NaN")),
        (ColumnKind.INTEGER, True),
        (ColumnKind.PERCENT, 45.5),
        (ColumnKind.DATE, "2026-01-01"),
        (ColumnKind.DATETIME, date(2026, 1, 1)),
    ],
)
def test_a_value_its_column_cannot_hold_is_refused(kind: ColumnKind, value: object) -> None:
    with pytest.raises(TypeError):
        write_rows([Column("x", "x", kind)], [(value,)], sheet_title="x", heading=None, out=io.BytesIO())


def test_a_naive_time_is_refused() -> None:
    columns = [Column("x", "x", ColumnKind.DATETIME)]
    with pytest.raises(ValueError, match="aware"):
        write_rows(columns, [(datetime(2026, 1, 1),)], sheet_title="x", heading=None, out=io.BytesIO())


def test_days_before_excel_s_calendar_are_written_as_text() -> None:
    columns = [Column("x", "x", ColumnKind.DATE)]
    sheet = _sheet(_written([(date(1900, 2, 28),), (date(1900, 3, 1),)], columns=columns))
    assert sheet["A2"].value == "1900-02-28"
    assert sheet["A3"].value == datetime(1900, 3, 1)


def test_a_row_of_another_length_is_refused_not_shifted() -> None:
    with pytest.raises(ValueError, match="row 2 has 6 values for 7 columns"):
        _written([ROW, ROW[:-1]])


def test_a_table_needs_columns_and_only_numbers_add_up() -> None:
    with pytest.raises(ValueError, match="columns"):
        _written([], columns=[])
    with pytest.raises(ValueError, match="add up"):
        Column("t", "标题", total=True)


@pytest.mark.parametrize(("rows", "sheets"), [(7, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_what_a_sheet_cannot_hold_goes_on_in_a_further_one(rows: int, sheets: int) -> None:
    """Ten rows a sheet: the header, eight rows, and room for the totals."""
    out = _written([(number, *ROW[1:]) for number in range(rows)], limit=10)
    out.seek(0)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["项目申报汇总", "项目申报汇总 (2)", "项目申报汇总 (3)"][:sheets]
    numbers = [
        value
        for sheet in book.worksheets
        for (value,) in sheet.iter_rows(min_row=2, max_col=1, values_only=True)
        if value != "合计"
    ]
    assert numbers == list(range(rows))
    totals = [
        row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) if row[0] == "合计"
    ]
    assert [total[3] for total in totals] == [31900 * rows], "once, at the end, over all sheets"
    assert all(sheet.max_row <= 10 for sheet in book.worksheets)


def test_sheet_titles_are_made_acceptable_to_excel() -> None:
    out = io.BytesIO()
    write_rows([Column("t", "t")], [], sheet_title="'2027/项目:[申报]*?" + "长" * 40, heading=None, out=out)
    (title,) = openpyxl.load_workbook(out).sheetnames
    assert len(title) == 31
    assert title.startswith("2027 项目  申报")
    out = io.BytesIO()
    write_rows([Column("t", "t")], [], sheet_title="/", heading=None, out=out)
    assert openpyxl.load_workbook(out).sheetnames == ["Sheet"]


def test_a_stream_that_cannot_seek_is_enough() -> None:
    class Wire(io.RawIOBase):
        def __init__(self) -> None:
            self.sent = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.sent += cast(bytes, data)
            return len(cast(bytes, data))

    wire = Wire()
    write_rows(COLUMNS, [ROW], sheet_title="x", heading=None, out=cast(io.BytesIO, wire))
    assert _sheet(io.BytesIO(bytes(wire.sent)))["B2"].value == "KP2027YW0001"


@given(st.lists(st.tuples(st.text(), st.decimals(-(10**12), 10**12, places=2)), max_size=5))
def test_what_is_exported_is_what_is_read(rows: list[tuple[str, Decimal]]) -> None:
    columns = [Column("t", "文本"), Column("m", "金额", ColumnKind.MONEY, total=True)]
    out = _written(rows, columns=columns)
    read = [row for _, row in read_rows(out, max_rows=99, max_bytes_unpacked=1 << 24)]
    assert [row[1] for row in read[1:-1]] == [amount for _, amount in rows]
    assert read[-1] == ("合计", sum(amount for _, amount in rows))


def test_memory_does_not_grow_with_rows() -> None:
    class Nowhere(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            return len(cast(bytes, data))

    def peak(rows: int) -> int:
        endless: Iterator[Sequence[object]] = (ROW for _ in range(rows))
        tracemalloc.start()
        write_rows(COLUMNS, endless, sheet_title="x", heading=None, out=cast(io.BytesIO, Nowhere()))
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    assert peak(20_000) < peak(2_000) * 1.2 + 100_000


def test_an_export_is_far_from_slow() -> None:
    """A guard against an accidental slow road, not a measure: the promise is 8,000 rows of 15 columns."""
    columns = [Column(f"c{number}", "列", ColumnKind.TEXT) for number in range(15)]
    row = ["一般公共预算(本级财政)"] * 15
    started = time.process_time()
    write_rows(columns, (row for _ in range(4_000)), sheet_title="x", heading=None, out=io.BytesIO())
    assert time.process_time() - started < 4


def _raw(out: io.BytesIO) -> bytes:
    with ZipFile(out) as archive:
        return archive.read("xl/worksheets/sheet1.xml")
