"""The charts of the product, each from marks alone. Options are data: no function, no remote address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyecharts import options as opts
from pyecharts.charts import Bar, Funnel, Line

from app.charts.marks import Mark, MarkItem, Series

_PLAIN = opts.LabelOpts(is_show=False)
_NO_TITLE = opts.TitleOpts(is_show=False)
_MANY_CATEGORIES = 7
_SHORT_LABEL = 8
_LATIN = 0x2E7F
_INK = "#1d273b"
_TINTS = ["#9dc1ea", "#a9dcb3", "#fbd68f", "#b5d7f4", "#d9b3e8", "#efb1b1", "#a3d9e1", "#c7e2a2"]
"""Light bands: a label in dark ink is read on them, and beside a band narrower than its label."""


def bars(series: Sequence[Series]) -> Bar:
    """Bars side by side for every category."""
    return _bar_chart(series, stack=None)


def stacked_bars(series: Sequence[Series]) -> Bar:
    """Bars upon each other for every category."""
    return _bar_chart(series, stack="all")


def line(series: Sequence[Series]) -> Line:
    """Lines over the categories, each point a mark, the area below faintly filled."""
    chart = Line()
    chart.add_xaxis(_categories(series))
    for one in series:
        chart.add_yaxis(
            one.name,
            [_PointItem(mark) for mark in one.marks],
            is_smooth=True,
            symbol="circle",
            symbol_size=8,
            label_opts=_PLAIN,
            areastyle_opts=opts.AreaStyleOpts(opacity=0.1),
        )
    for drawn in chart.options["series"]:
        # A smooth curve would dip below nought between two months of nought.
        drawn["smoothMonotone"] = "x"
    return _on_axes(chart, series)


def funnel(marks: Sequence[Mark], name: str) -> Funnel:
    """Bands in the given order, each as wide as its value."""
    chart = Funnel()
    largest = max((int(mark.value) for mark in marks), default=0)
    chart.add(
        name,
        [_BandItem(mark) for mark in marks],
        min_=0,
        max_=max(largest, 1),
        sort_="none",
        gap=2,
        pos_left="4%",
        pos_right="4%",
        pos_top=4,
        pos_bottom=4,
        label_opts=opts.LabelOpts(position="inside", formatter="{b} {c}", color=_INK),
    )
    chart.set_global_opts(
        title_opts=_NO_TITLE,
        legend_opts=opts.LegendOpts(is_show=False),
        tooltip_opts=_tooltip(),
    )
    return chart.set_colors(_TINTS)


def _bar_chart(series: Sequence[Series], stack: str | None) -> Bar:
    chart = Bar()
    chart.add_xaxis(_categories(series))
    for one in series:
        chart.add_yaxis(
            one.name,
            [MarkItem(mark) for mark in one.marks],
            stack=stack,
            bar_max_width=36,
            category_gap="35%",
            gap="8%",
            label_opts=_PLAIN,
        )
    return _on_axes(chart, series)


def _on_axes(chart: Any, series: Sequence[Series]) -> Any:
    crowded = _crowded(_categories(series))
    chart.set_global_opts(
        title_opts=_NO_TITLE,
        legend_opts=opts.LegendOpts(is_show=len(series) > 1, pos_top=0),
        tooltip_opts=_tooltip(),
        xaxis_opts=opts.AxisOpts(
            type_="category",
            axislabel_opts=_axis_label(crowded),
            axistick_opts=opts.AxisTickOpts(is_align_with_label=True),
            splitline_opts=opts.SplitLineOpts(is_show=False),
        ),
        yaxis_opts=opts.AxisOpts(min_interval=1 if _counts(series) else None),
    )
    # Labels, however long, stay inside the figure.
    chart.options["grid"] = {
        "left": 44 if crowded else 8,
        "right": 8,
        "top": 36 if len(series) > 1 else 12,
        "bottom": 4,
        "containLabel": True,
    }
    return chart


def _crowded(categories: Sequence[str]) -> bool:
    """Are there more names than fit side by side? Short ones, as months are, make room for each other."""
    widest = max((sum(2 if ord(letter) > _LATIN else 1 for letter in name) for name in categories), default=0)
    return len(categories) > _MANY_CATEGORIES and widest > _SHORT_LABEL


def _axis_label(crowded: bool) -> opts.LabelOpts:
    label = opts.LabelOpts(rotate=30 if crowded else 0, interval=0 if crowded else None)
    label.opts.update(width=112, overflow="truncate", hideOverlap=True)
    return label


def _tooltip() -> opts.TooltipOpts:
    return opts.TooltipOpts(trigger="item", is_confine=True)


def _categories(series: Sequence[Series]) -> list[str]:
    return [mark.label for mark in series[0].marks] if series else []


def _counts(series: Sequence[Series]) -> bool:
    return all(isinstance(mark.value, int) for one in series for mark in one.marks)


class _PointItem(MarkItem, opts.LineItem):
    """pyecharts takes whole points of a line only as its own kind."""


class _BandItem(MarkItem, opts.FunnelItem):
    """pyecharts takes whole bands of a funnel only as its own kind."""
