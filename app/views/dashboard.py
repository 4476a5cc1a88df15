"""统计看板: three charts of one budget year, each mark a link to the list behind it."""

from __future__ import annotations

from flask import request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import lazy_gettext

from app.core.errors import InvalidInput, Problem
from app.services import statistics
from app.services.statistics import StageFigure
from app.views import figures
from app.views.actor import current_actor
from app.views.project_list import whole_number

_TOP_UNITS = 12


class DashboardView(BaseView):
    """统计看板."""

    route_base = "/dashboard"
    default_view = "index"
    class_permission_name = "statistics"
    method_permission_name = {"index": "read"}

    @expose("/")
    @has_access
    @permission_name("index")
    def index(self) -> str:
        """The figures of one year, under the reader's scope."""
        actor = current_actor()
        stages = statistics.by_stage(actor)
        year = chosen_year(stages)
        known = {figure.year: figure for figure in statistics.years(stages)}
        return self.render_template(
            "dashboard.html",
            title=lazy_gettext("Dashboard"),
            year=year,
            years=sorted({*known, year}, reverse=True),
            figure=known.get(year, statistics.YearFigure(year)),
            before=known.get(year - 1, statistics.YearFigure(year - 1)),
            project_list=figures.project_list,
            by_unit=figures.amounts_by_unit(statistics.by_unit(actor, year, _TOP_UNITS), year),
            by_month=figures.declarations_by_month(statistics.by_month(actor, year), year),
            funnel=figures.stage_funnel(statistics.funnel(stages, year), year),
        )


def chosen_year(stages: list[StageFigure]) -> int:
    """The budget year in the address, or the one to begin with. Raises `InvalidInput` for what is no year."""
    text = request.args.get("year", "")
    if not text:
        return statistics.year_of(statistics.years(stages))
    try:
        year = whole_number(text)
        if not 2000 <= year <= 2099:
            raise ValueError(text)
    except ValueError:
        raise InvalidInput({"year": [Problem.of("“%(value)s” is not a year.", value=text[:20])]}) from None
    return year
