"""Charts: rows in, a pyecharts object out. No query and no Flask; pages get `dump_options_with_quotes()`."""

from app.charts.builders import bars, funnel, line, stacked_bars
from app.charts.marks import Mark, Series

__all__ = ["Mark", "Series", "bars", "funnel", "line", "stacked_bars"]
