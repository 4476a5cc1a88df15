"""What is pasted into a field, and what leaves for a spreadsheet."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import neutralise_formula, normalise, trim


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("  电子政务外网线路租赁\t\n", "电子政务外网线路租赁"),
        ("第一行  \r\n第二行\r第三行\v第四行\u2028第五行", "第一行\n第二行\n第三行\n第四行\n第五行"),
        ("零\u200b宽\ufeff字\u2060符", "零宽字符"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\x07c\x1bd\x7fe", "abcde"),
        ("half \ud800 a character", "half  a character"),
        ("e\u0301", "é"),
        ("\u3000全角空格\u3000", "全角空格"),
        ("\ufffe\U0001ffff", ""),
        ("缩进\n\t保留", "缩进\n\t保留"),
        ("空\n\n行", "空\n\n行"),
    ],
)
def test_text_of_several_lines(pasted: str, kept: str) -> None:
    assert normalise(pasted) == kept


def test_a_title_is_one_line_with_single_spaces() -> None:
    assert trim(" 智慧城管 \r\n 视频\t\u3000分析  升级 ") == "智慧城管 视频 分析 升级"


@given(st.text())
def test_text_once_cleaned_stays_as_it_is(text: str) -> None:
    cleaned = normalise(text)
    assert normalise(cleaned) == cleaned
    assert trim(trim(text)) == trim(text)
    cleaned.encode()
    kept = set(cleaned) - {"\n", "\t"}
    assert not {character for character in kept if unicodedata.category(character) in ("Cc", "Cf", "Cs")}


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+86", "-5", "@SUM(A1)", "\t=1", "\r=1", "\tA", "\rA", "\n=1", "  =cmd|' /C calc'!A0",
     "\u3000=1", "\u200b=1", "\ufeff@x", "＝1+1", "＠x", " \tA"],
)  # fmt: skip
def test_a_formula_is_made_harmless(text: str) -> None:
    assert neutralise_formula(text) == "'" + text


@pytest.mark.parametrize(
    "text", ["", "1+1=2", "项目-二期", "a@b", "'=1", " 标题", "31,900.00", "(=1)", "a\tb"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert neutralise_formula(text) == text


@given(st.text())
def test_no_text_leaves_as_a_formula(text: str) -> None:
    assert not neutralise_formula(text).strip().startswith(("=", "+", "-", "@"))
