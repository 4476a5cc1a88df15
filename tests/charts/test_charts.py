"""Charts are data: exact values, names that are only names, a link on every mark, nothing to execute."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from app.charts import Mark, Series, bars, funnel, line, stacked_bars

EVIL = (
    "</script><script>alert(1)</script>",
    '"},"formatter":"function(){alert(1)}',
    "--x_x--0_0--function(){}--x_x--0_0--",
    "{a}{b|c}",
    "<img src=x onerror=alert(1)>",
)


def marks(*values: Decimal | int) -> list[Mark]:
    return [
        Mark(f"单位{place}", value, f"单位{place}\n{value}", f"/project/list/?unit={place}")
        for place, value in enumerate(values)
    ]


def options(chart: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(chart.dump_options_with_quotes(), parse_float=Decimal)
    return parsed


@pytest.mark.parametrize("build", [bars, stacked_bars, line])
def test_values_are_exact_to_the_fen(build: Any) -> None:
    amounts = [Decimal("3.19"), Decimal("495.000001"), Decimal("9999999999.999999"), Decimal("0.000001")]
    drawn = options(build([Series("申请", marks(*amounts))]))
    assert [item["value"] for item in drawn["series"][0]["data"]] == amounts


@pytest.mark.parametrize("build", [bars, stacked_bars, line])
def test_every_mark_leads_somewhere(build: Any) -> None:
    drawn = options(build([Series("申请", marks(1, 2)), Series("安排", marks(3, 4))]))
    for series in drawn["series"]:
        assert [item["href"] for item in series["data"]] == [
            "/project/list/?unit=0",
            "/project/list/?unit=1",
        ]
    assert drawn["xAxis"][0]["data"] == ["单位0", "单位1"]


def test_stacked_bars_stand_on_each_other_and_others_side_by_side() -> None:
    two = [Series("新建", marks(1)), Series("延续", marks(2))]
    assert len({series["stack"] for series in options(stacked_bars(two))["series"]}) == 1
    assert all("stack" not in series for series in options(bars(two))["series"])


def test_the_funnel_keeps_its_order_and_its_widest_band_is_full() -> None:
    (series,) = options(funnel(marks(128, 96, 0), "项目"))["series"]
    assert [item["value"] for item in series["data"]] == [128, 96, 0]
    assert (series["sort"], series["max"]) == ("none", 128)


@pytest.mark.parametrize("build", [bars, stacked_bars, line])
def test_nothing_to_draw_is_a_chart_without_marks(build: Any) -> None:
    assert options(build([]))["series"] == []
    assert options(funnel([], "项目"))["series"][0]["data"] == []


@pytest.mark.parametrize("name", EVIL)
def test_a_name_is_only_a_name(name: str) -> None:
    mark = Mark(name, 1, f"{name}\n1", "/project/list/")
    for chart in (bars([Series(name, [mark])]), line([Series(name, [mark])]), funnel([mark], name)):
        drawn = options(chart)
        item = drawn["series"][0]["data"][0]
        tip = item["tooltip"]["formatter"]
        assert "<img" not in tip and "<script" not in tip and "{" not in tip
        shown = name.replace("--x_x--0_0--", "")  # the mark by which pyecharts knows its own functions
        assert item["name"] == shown


def test_there_is_nothing_to_execute_and_nothing_to_fetch() -> None:
    two = [Series("申请", marks(1, 2)), Series("安排", marks(3, 4))]
    for chart in (bars(two), stacked_bars(two), line(two), funnel(marks(2, 1), "项目")):
        text = chart.dump_options_with_quotes()
        assert not re.search(r"function|=>|https?:|//", text)


def test_counts_have_no_half_steps_and_long_names_lean() -> None:
    names = [Mark(f"市住房和城乡建设局{place}", place) for place in range(9)]
    drawn = options(bars([Series("申请", names)]))
    assert drawn["yAxis"][0]["minInterval"] == 1
    assert drawn["xAxis"][0]["axisLabel"]["rotate"] == 30
    months = [Mark(f"2026-{place:02d}", place) for place in range(1, 13)]
    assert options(line([Series("申报", months)]))["xAxis"][0]["axisLabel"]["rotate"] == 0
