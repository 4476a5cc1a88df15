"""The form's script counts exactly as the program does: the same amounts go through both."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.core.money import InvalidAmount, format_yuan, in_words, line_amount, yuan

SCRIPT = Path(__file__).resolve().parents[2] / "app/static/js/declaration/amounts.js"
NODE = shutil.which("node")


def in_script(function: str, calls: list[list[str]]) -> list[Any]:
    """What the script answers; whole numbers travel as text."""
    if NODE is None:
        pytest.skip("node is not installed; `make setup` installs it with npm")
    program = f"""
        import fs from "node:fs";
        import * as amounts from {json.dumps(SCRIPT.as_uri())};
        const number = (text) => (/^n:/.test(text) ? BigInt(text.slice(2)) : text);
        const calls = JSON.parse(fs.readFileSync(0));
        const answers = calls.map((args) => amounts.{function}(...args.map(number)));
        const text = (answer) => (typeof answer === "bigint" ? `${{answer}}` : answer);
        console.log(JSON.stringify(answers.map(text)));
    """
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", program],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        check=True,
    )
    answers: list[Any] = json.loads(done.stdout)
    return answers


def amounts(how_many: int) -> list[int]:
    """Whole cents of every length, many of them with gaps of noughts, and the office's own vectors."""
    dice = random.Random(2027)
    found = [0, 5, 150, 10005, 3190000, 10000000, 100100000, 1000000001, 9999999999, 10618000000]
    for _ in range(how_many):
        length = dice.randint(1, 16)
        digits = (
            dice.choice("0001") if dice.random() < 0.6 else str(dice.randint(0, 9)) for _ in range(length)
        )
        found.append(int("".join(digits)))
    return found


def test_amounts_are_said_and_grouped_as_in_the_program() -> None:
    cents = amounts(3000)
    calls = [[f"n:{each}"] for each in cents]
    expected = [Decimal(each).scaleb(-2) for each in cents]
    assert in_script("inWords", calls) == [in_words(each) for each in expected]
    assert in_script("formatYuan", calls) == [format_yuan(each) for each in expected]


@pytest.mark.parametrize(
    "typed",
    [
        "31900",
        "31,900.00",
        "３１，９００．５",
        " 0.05 ",
        "1.234",
        "1.500",
        "",
        "abc",
        "1,23",
        "1e5",
        "99999999999999.99",
        "100000000000000",
        "-5",
        "+5",
        "１，２３４，５６７．８９",
    ],
)
def test_an_amount_is_read_or_refused_as_in_the_program(typed: str) -> None:
    try:
        expected: str | None = str(int(yuan(typed) * 100))
    except InvalidAmount:
        expected = None
    assert in_script("parseYuan", [[typed]]) == [expected]


def test_lines_are_rounded_half_up_as_in_the_program() -> None:
    dice = random.Random(82)
    pairs = [(5000, 1), (1, 1), (25000, 33), (12345678, 99999999)]  # 0.5 × 0.01 is the half
    pairs += [(dice.randrange(10**10), dice.randrange(10**9)) for _ in range(500)]
    answers = in_script("lineAmount", [[f"n:{quantity}", f"n:{price}"] for quantity, price in pairs])
    assert answers == [
        str(int(line_amount(Decimal(quantity).scaleb(-4), Decimal(price).scaleb(-2)) * 100))
        for quantity, price in pairs
    ]


def test_a_line_that_is_not_complete_has_no_amount() -> None:
    assert in_script("parseQuantity", [[""], ["2.50000"], ["2.00001"]]) == [None, "25000", None]
