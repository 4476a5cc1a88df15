"""统一社会信用代码: the example of GB 32100, and every single slip of the pen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.credit_code import ALPHABET, check_digit, is_valid

EXAMPLE = "91350100M000100Y43"
bodies = st.from_regex(rf"\A[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{9}}\Z").map(lambda body: body[:17])


def test_the_example_of_the_standard() -> None:
    assert check_digit(EXAMPLE[:17]) == "3"
    assert is_valid(EXAMPLE)


@pytest.mark.parametrize(
    "code",
    ["", EXAMPLE[:17], EXAMPLE + "3", EXAMPLE[:17] + "4", EXAMPLE.lower(),
     " " + EXAMPLE[1:], EXAMPLE[:17] + "\n", "9135010OM000100Y43", "91350100I000100Y43", "9A350100M000100Y4",
     "91３50100M000100Y43"],
)  # fmt: skip
def test_what_is_not_a_code_is_refused(code: str) -> None:
    assert not is_valid(code)


@pytest.mark.parametrize("letter", "IOZSV")
def test_letters_easily_misread_are_not_used(letter: str) -> None:
    with pytest.raises(ValueError, match="seventeen"):
        check_digit(EXAMPLE[:9] + letter + EXAMPLE[10:17])


@given(bodies)
def test_a_computed_check_character_agrees(body: str) -> None:
    assert is_valid(body + check_digit(body))


@given(bodies, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(body: str, position: int, other: str) -> None:
    code = body + check_digit(body)
    wrong = code[:position] + other + code[position + 1 :]
    assert is_valid(wrong) is (wrong == code)


@given(bodies, st.integers(0, 16))
def test_two_neighbours_swapped_are_noticed(body: str, position: int) -> None:
    code = body + check_digit(body)
    swapped = code[:position] + code[position + 1] + code[position] + code[position + 2 :]
    assert is_valid(swapped) is (swapped == code)
