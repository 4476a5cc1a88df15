"""Reading what people type: Chinese ways of writing are understood, nothing is rounded or guessed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.reading import (
    Code,
    Codes,
    Day,
    Flag,
    Kind,
    Line,
    Mobile,
    Number,
    Paragraphs,
    Reference,
    Unreadable,
    Year,
    Yuan,
)


class Lookup:
    """One dictionary of two codes, and unit 7."""

    def allows(self, type_code: str, code: str) -> bool:
        return type_code == "nature" and code in ("NEW", "OPERATION")

    def knows(self, target: str, row_id: int) -> bool:
        return (target, row_id) == ("unit", 7)


QUANTITY = Number(4, Decimal("99999999.9999"))
KINDS: list[Kind] = [
    Line(200),
    Paragraphs(),
    Mobile(),
    Code("nature"),
    Codes("nature"),
    Yuan(),
    QUANTITY,
    Day(),
    Year(),
    Flag(),
    Reference("unit"),
]


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (Line(10), "  数字\u200b档案馆\r\n 二期 ", "数字档案馆 二期"),
        (Paragraphs(), "第一行\r\n第二行  \r\n", "第一行\n第二行"),
        (Mobile(), "138 0000 2210", "13800002210"),
        (Mobile(), "１３８００００２２１０", "13800002210"),
        (Codes("nature"), ["NEW", "", "NEW", "OPERATION"], ("NEW", "OPERATION")),
        (Codes("nature"), "NEW", ("NEW",)),
        (Yuan(), "３１，９００．００", Decimal("31900.00")),
        (Yuan(), 31900, Decimal("31900.00")),
        (QUANTITY, "1,234.5", Decimal("1234.5000")),
        (QUANTITY, "1.50000", Decimal("1.5000")),
        (QUANTITY, "99999999.9999", Decimal("99999999.9999")),
        (Day(), "2027年1月5日", dt.date(2027, 1, 5)),
        (Day(), "2027/01/05", dt.date(2027, 1, 5)),
        (Year(), "２０２７", 2027),
        (Flag(), True, True),
        (Flag(), "on", True),
        (Flag(), None, False),
        (Reference("unit"), "7", 7),
    ],
)
def test_what_is_understood(kind: Kind, raw: object, value: object) -> None:
    assert kind.read(raw, Lookup()) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Line(3), "四个汉字"),
        (Line(3), ["a"]),
        (Line(3), True),
        (Mobile(), "12800002210"),
        (Mobile(), "1380000221"),
        (Mobile(), "138000022100"),
        (Code("nature"), "new"),
        (Codes("nature"), ["NEW"] * 101),
        (Yuan(), "1.001"),
        (Yuan(), 1.5),
        (Yuan(), "1e3"),
        (Yuan(), float("nan")),
        (QUANTITY, "1.23456"),
        (QUANTITY, "100000000"),
        (QUANTITY, "-1"),
        (QUANTITY, "1,23"),
        (QUANTITY, True),
        (QUANTITY, "NaN"),
        (Day(), "2027-02-29"),
        (Day(), "1999-12-31"),
        (Day(), "明年"),
        (Year(), "1999"),
        (Year(), "2100"),
        (Year(), True),
        (Flag(), "maybe"),
        (Reference("unit"), "8"),
        (Reference("unit"), "7 or 1=1"),
        (Reference("unit"), -7),
        (Reference("project"), 7),
    ],
)
def test_what_is_refused(kind: Kind, raw: object) -> None:
    with pytest.raises(Unreadable) as excinfo:
        kind.read(raw, Lookup())
    problem = excinfo.value.problem
    assert problem.message % problem.params


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
)
def test_whatever_comes_is_read_or_refused_and_what_is_shown_reads_the_same(raw: Any) -> None:
    for kind in KINDS:
        try:
            value = kind.read(raw, Lookup())
        except Unreadable:
            continue
        assert kind.read(kind.show(value), Lookup()) == value
