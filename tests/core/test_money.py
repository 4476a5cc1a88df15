"""Amounts as the office writes them: digits, 万元 and capitals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import (
    MAX_AMOUNT,
    AmountProblem,
    InvalidAmount,
    format_wan,
    format_yuan,
    from_spoken,
    from_wan,
    in_words,
    line_amount,
    parse_words,
    round_half_up,
    same_in_words,
    to_wan,
    yuan,
)

amounts = st.decimals(min_value=0, max_value=Decimal("999999999999.99"), places=2)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("31900", "31900.00"),
        ("31,900.00", "31900.00"),
        ("1,234,567.8", "1234567.80"),
        (" 0.05 ", "0.05"),
        ("＋３１，９００．５０", "31900.50"),
        ("0", "0.00"),
        ("-0.00", "0.00"),
        (31900, "31900.00"),
        (Decimal("31900.500"), "31900.50"),
        (Decimal("3.19E+4"), "31900.00"),
        ("99999999999999.99", "99999999999999.99"),
    ],
)
def test_an_amount_is_taken_as_written(written: object, meant: str) -> None:
    amount = yuan(written)
    assert str(amount) == meant


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", AmountProblem.EMPTY),
        ("  ", AmountProblem.EMPTY),
        (None, AmountProblem.EMPTY),
        ("1.234", AmountProblem.TOO_PRECISE),
        ("1.500", AmountProblem.TOO_PRECISE),
        (Decimal("0.005"), AmountProblem.TOO_PRECISE),
        (Decimal("1E-999999"), AmountProblem.TOO_PRECISE),
        ("-0.01", AmountProblem.NEGATIVE),
        (-1, AmountProblem.NEGATIVE),
        (31900.0, AmountProblem.BINARY_FRACTION),
        (float("nan"), AmountProblem.BINARY_FRACTION),
        (Decimal("NaN"), AmountProblem.NOT_A_NUMBER),
        (Decimal("Infinity"), AmountProblem.NOT_A_NUMBER),
        (True, AmountProblem.NOT_A_NUMBER),
        ([], AmountProblem.NOT_A_NUMBER),
        ("1,23", AmountProblem.NOT_A_NUMBER),
        ("1234,567", AmountProblem.NOT_A_NUMBER),
        ("1 000", AmountProblem.NOT_A_NUMBER),
        ("1e3", AmountProblem.NOT_A_NUMBER),
        ("NaN", AmountProblem.NOT_A_NUMBER),
        ("1.", AmountProblem.NOT_A_NUMBER),
        ("٣", AmountProblem.NOT_A_NUMBER),
        ("9" * 61, AmountProblem.NOT_A_NUMBER),
        ("100000000000000.00", AmountProblem.TOO_LARGE),
        (Decimal("1E+999999"), AmountProblem.TOO_LARGE),
        (10**400, AmountProblem.TOO_LARGE),
    ],
)
def test_what_is_not_an_amount_is_refused_with_its_reason(written: object, reason: AmountProblem) -> None:
    with pytest.raises(InvalidAmount) as refused:
        yuan(written)
    assert refused.value.reason is reason
    assert refused.value.problem.message == reason.label
    assert "%(" not in str(refused.value)


def test_a_red_entry_may_be_negative_when_the_document_allows_it() -> None:
    assert yuan("-1,234.50", allow_negative=True) == Decimal("-1234.50")


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("0.004", "0.00"), ("0.005", "0.01"), ("0.006", "0.01"), ("2.675", "2.68"), ("-0.005", "-0.01")],
)
def test_halves_are_rounded_up(value: str, rounded: str) -> None:
    assert str(round_half_up(Decimal(value))) == rounded


def test_a_line_is_rounded_once_at_the_line() -> None:
    assert line_amount(Decimal("3.3333"), Decimal("0.15")) == Decimal("0.50")
    assert line_amount(Decimal("0.5"), Decimal("0.01")) == Decimal("0.01")
    assert line_amount(12, Decimal("2658.33")) == Decimal("31899.96")


def test_the_longest_line_loses_nothing_before_the_rounding() -> None:
    assert line_amount(Decimal("99999999.9999"), MAX_AMOUNT) == Decimal("9999999999989999000000.00")


@pytest.mark.parametrize(
    "use", [lambda: round_half_up(1.5), lambda: line_amount(1, 0.1), lambda: line_amount(0.1, 1)]
)
def test_floats_never_enter_a_calculation(use: object) -> None:
    assert callable(use)
    with pytest.raises(TypeError):
        use()


@pytest.mark.parametrize(
    ("written", "meant"),
    [("3.19", "31900.00"), ("0.000001", "0.01"), ("495", "4950000.00"), ("1,234.5", "12345000.00")],
)
def test_wan_is_read_exactly(written: str, meant: str) -> None:
    assert str(from_wan(written)) == meant


def test_wan_finer_than_a_fen_is_refused_not_rounded() -> None:
    with pytest.raises(InvalidAmount) as refused:
        from_wan("3.1900001")
    assert refused.value.reason is AmountProblem.TOO_PRECISE
    assert refused.value.params == {"places": 6}


def test_wan_beyond_the_column_is_refused() -> None:
    assert from_wan("9999999999.999999") == MAX_AMOUNT
    with pytest.raises(InvalidAmount) as refused:
        from_wan("10000000000")
    assert refused.value.reason is AmountProblem.TOO_LARGE


def test_amounts_are_shown_with_thousands() -> None:
    assert format_yuan(Decimal("1234.5")) == "1,234.50"
    assert format_yuan(-1234567) == "-1,234,567.00"
    assert format_yuan(0) == "0.00"
    assert format_wan(31900) == "3.19"
    assert format_wan(Decimal("999999.99")) == "100.00"
    assert format_wan(Decimal("12345678.90"), places=4) == "1,234.5679"
    assert to_wan(Decimal("50")) == Decimal("0.01")
    assert to_wan(Decimal("49.99")) == Decimal("0.00")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("31900", "叁万壹仟玖佰元整"),
        ("0.05", "伍分"),
        ("1.50", "壹元伍角"),
        ("100.05", "壹佰元零伍分"),
        ("100000", "壹拾万元整"),
        ("1010", "壹仟零壹拾元整"),
        ("1001000", "壹佰万壹仟元整"),
        ("10000000.01", "壹仟万元零壹分"),
        ("99999999.99", "玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        ("106180000", "壹亿零陆佰壹拾捌万元整"),
        ("0", "零元整"),
        ("-31900", "负叁万壹仟玖佰元整"),
        ("-0.05", "负伍分"),
        ("0.50", "伍角"),
    ],
)
def test_capitals_of_the_domain_page(amount: str, words: str) -> None:
    assert in_words(Decimal(amount)) == words
    assert parse_words(words) == Decimal(amount)


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("人民币叁万壹仟玖佰圆正", "31900"),
        ("人民币：叁萬壹仟玖佰圓整", "31900"),
        ("叁万壹仟玖佰元", "31900"),
        (" 叁万 壹仟玖佰元整 ", "31900"),
        ("壹佰万零壹仟元整", "1001000"),
        ("壹仟壹拾元整", "1010"),
        ("壹佰元伍分", "100.05"),
        ("壹元伍角整", "1.50"),
        ("零元零伍分", "0.05"),
        ("壹拾元零伍角", "10.50"),
        ("貳佰參拾陸元整", "236"),
    ],
)
def test_other_spellings_of_the_same_amount(words: str, amount: str) -> None:
    assert parse_words(words) == Decimal(amount)
    assert same_in_words(words, Decimal(amount))


@pytest.mark.parametrize(
    "words",
    [
        "", "元", "整", "零", "万元", "亿万元整", "叁万壹仟玖佰", "31900元整", "三万一千九百元整",
        "叁万壹仟玖佰元整吧", "壹壹元整", "壹拾零元整", "壹零佰元整", "壹仟零贰佰元整", "壹万零壹仟元整",
        "壹佰伍元整", "壹拾佰元整", "壹佰壹仟元整", "壹万壹万元整", "壹亿壹亿元整", "伍分整", "伍分伍角",
        "壹元零伍角", "零零元整", "零壹元整", "壹元零", "壹元零整", "零角", "负", "负元",
        "壹" * 61 + "元", "玖佰玖拾玖万亿元整",
    ],
)  # fmt: skip
def test_nonsense_in_capitals_is_refused(words: str) -> None:
    with pytest.raises(InvalidAmount):
        parse_words(words)
    assert not same_in_words(words, Decimal("31900"))


def test_capitals_that_say_another_amount_are_noticed() -> None:
    assert not same_in_words("叁万壹仟玖佰元整", Decimal("31900.01"))
    assert not same_in_words("叁万壹仟玖佰元整", Decimal("-31900"))


@given(amounts)
def test_capitals_and_digits_say_the_same(amount: Decimal) -> None:
    assert parse_words(in_words(amount)) == amount
    assert parse_words(in_words(-amount)) == -amount


@given(amounts)
def test_shown_amounts_are_read_back(amount: Decimal) -> None:
    assert yuan(format_yuan(amount)) == amount


@given(st.text(alphabet="零壹贰玖拾佰仟万亿元角分整负", max_size=14))
def test_capitals_read_are_capitals_written_or_refused(words: str) -> None:
    """What is accepted means one amount only: written again and read again it is the same."""
    try:
        amount = parse_words(words)
    except InvalidAmount:
        return
    assert parse_words(in_words(amount)) == amount


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = yuan(text)
    except InvalidAmount:
        return
    assert amount.as_tuple().exponent == -2
    assert 0 <= amount <= MAX_AMOUNT


@pytest.mark.parametrize(
    ("text", "yuan_expected"),
    [
        ("1200000", "1200000"),
        ("1,200,000 元", "1200000"),
        ("120万", "1200000"),
        ("１２０万元", "1200000"),
        ("1.2 亿元", "120000000"),
        ("0.000001万", "0.01"),
        ("0.0000000001亿", "0.01"),
    ],
)
def test_an_amount_may_be_typed_with_its_unit(text: str, yuan_expected: str) -> None:
    assert from_spoken(text) == Decimal(yuan_expected)


@pytest.mark.parametrize(
    "text", ["", "万", "一百万", "1万万", "1.234", "0.0000001万", "-5万", "99999999亿", "1万2"]
)
def test_an_amount_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        from_spoken(text)
