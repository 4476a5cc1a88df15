"""Budget years, numbers of projects and documents, telephone numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.fiscal import (
    DocumentCode,
    NatureMark,
    ProjectCode,
    default_budget_year,
    is_fiscal_code,
    is_mobile,
    is_national_code,
    mask_mobile,
)


def test_a_declaration_asks_for_next_year_by_the_calendar_on_the_wall() -> None:
    assert default_budget_year(datetime(2026, 11, 22, tzinfo=UTC)) == 2027
    assert default_budget_year(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == 2027
    assert default_budget_year(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == 2028, "midnight in China"


def test_a_project_number_is_written_and_read() -> None:
    code = ProjectCode(2027, NatureMark.NEW, 42)
    assert str(code) == "KP2027XJ0042"
    assert ProjectCode.parse("KP2027XJ0042") == code
    assert str(ProjectCode(2027, NatureMark["OPERATION"], 9999)) == "KP2027YW9999"
    assert str(ProjectCode(2027, NatureMark.OPERATION, 10_000)) == "KP2027YW10000", "grows, never repeats"


def test_a_document_number_is_written_and_read() -> None:
    assert str(DocumentCode("SB", 2027, 17)) == "SB2027-00017"
    assert DocumentCode.parse("HT2027-00017") == DocumentCode("HT", 2027, 17)
    assert str(DocumentCode("SB", 2027, 100_000)) == "SB2027-100000"


@pytest.mark.parametrize(
    "text",
    ["", "KP2027XJ042", "KP2027XX0042", "kp2027XJ0042", "KP2027XJ00042", "KP1999XJ0042", "KP2027XJ0000",
     "KP2027XJ0042\n", "KP２０２７XJ0042"],
)  # fmt: skip
def test_what_is_not_a_project_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        ProjectCode.parse(text)


@pytest.mark.parametrize(
    "text", ["SB2027-0017", "S2027-00017", "SBSBS2027-00017", "SB2027-000017", "SB202700017"]
)
def test_what_is_not_a_document_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        DocumentCode.parse(text)


@pytest.mark.parametrize(("year", "sequence"), [(1999, 1), (2100, 1), (2027, 0), (2027, 10_000_000)])
def test_numbers_outside_their_bounds_are_refused(year: int, sequence: int) -> None:
    with pytest.raises(ValueError, match=r"year|running number"):
        ProjectCode(year, NatureMark.NEW, sequence)


def test_a_prefix_is_capital_letters() -> None:
    with pytest.raises(ValueError, match="prefix"):
        DocumentCode("sb", 2027, 1)


@given(st.integers(2000, 2099), st.sampled_from(NatureMark), st.integers(1, 9_999_999))
def test_every_project_number_is_read_back(year: int, nature: NatureMark, sequence: int) -> None:
    code = ProjectCode(year, nature, sequence)
    assert ProjectCode.parse(str(code)) == code


@given(st.from_regex(r"\A[A-Z]{2,4}\Z"), st.integers(2000, 2099), st.integers(1, 99_999_999))
def test_every_document_number_is_read_back(prefix: str, year: int, sequence: int) -> None:
    code = DocumentCode(prefix.strip(), year, sequence)
    assert DocumentCode.parse(str(code)) == code


def test_the_national_project_code_is_twenty_four_digits_as_printed() -> None:
    assert is_national_code("2612-440783-04-01-123456")
    assert not is_national_code("2612-440783-04-01-12345")
    assert not is_national_code("2612-440783-04-01-1234567")
    assert not is_national_code("261244078304011234562612")
    assert not is_national_code("2612-440783-04-01-123456\n")


def test_the_finance_bureau_number_is_free_within_forty_characters() -> None:
    assert is_fiscal_code("440783-2027-A1")
    assert is_fiscal_code("A" * 40)
    assert not is_fiscal_code("A" * 41)
    assert not is_fiscal_code("")
    assert not is_fiscal_code("编号1")


def test_mobile_numbers() -> None:
    assert is_mobile("13812342210")
    assert is_mobile("19900000000")
    assert not is_mobile("12812342210")
    assert not is_mobile("1381234221")
    assert not is_mobile("138123422100")
    assert not is_mobile("１３８１２３４２２１０")
    assert not is_mobile("13812342210\n")


def test_a_number_is_masked_outside_the_own_unit() -> None:
    assert mask_mobile("13812342210") == "138****2210"
    assert mask_mobile("0750-2212345") == "************", "a landline says too much in any part"
    assert mask_mobile("") == ""
