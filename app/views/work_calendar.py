"""工作日历: which days are worked, entered one by one or imported."""

from __future__ import annotations

import calendar as months
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from wtforms import DateField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from app.core.errors import InvalidInput
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.dictionary import WorkCalendarDay
from app.services import importing, work_calendar
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors
from app.views.shell import menu_endpoint

_FIRST, _LAST = work_calendar.FIRST_DAY.year, work_calendar.LAST_DAY.year


class DayForm(DynamicForm):
    """One day."""

    day = DateField(lazy_gettext("Day"), validators=[InputRequired(lazy_gettext("This is required."))])
    kind = RadioField(
        lazy_gettext("Kind of day"),
        choices=[("work", lazy_gettext("Worked")), ("free", lazy_gettext("Free"))],
        validators=[InputRequired(lazy_gettext("Say whether the day is worked."))],
    )
    note = StringField(lazy_gettext("Note"), validators=[Length(max=80)])


@dataclass(frozen=True)
class Day:
    """One square of the year's page."""

    day: dt.date
    worked: bool
    entered: bool
    note: str


@dataclass(frozen=True)
class Month:
    """One month: its weeks from Monday on, None outside the month."""

    number: int
    weeks: Sequence[Sequence[Day | None]]


class WorkCalendarView(BaseView):
    """A year at a glance; what is not entered counts Monday to Friday and says so."""

    route_base = "/work-calendar"
    default_view = "list"
    class_permission_name = "work_calendar"
    method_permission_name = {"list": "manage", "set_day": "manage"}
    base_permissions = ["can_manage"]

    @expose("/list/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """One year's page."""
        return self._page(_year(request.args.get("year")), DayForm(formdata=None))

    @expose("/day", methods=["POST"])
    @has_access
    @permission_name("set_day")
    def set_day(self) -> ResponseReturnValue:
        """Say of one day whether it is worked."""
        form = DayForm()
        day = form.day.data
        if form.validate() and day is not None:
            try:
                worked = form.kind.data == "work"
                moved = work_calendar.set_day(current_actor(), day, worked, form.note.data or "")
            except InvalidInput as error:
                form.day.errors = [text for texts in field_errors(error).values() for text in texts]
            else:
                self._tell(gettext("%(day)s was entered.", day=day.isoformat()), moved)
                return redirect(url_for("WorkCalendarView.list", year=day.year))
        year = day.year if day is not None else _year(request.args.get("year"))
        return make_response(self._page(_bounded(year), form), 400)

    def _tell(self, words: str, moved: int) -> None:
        flash(words, "success")
        if moved:
            flash(gettext("%(count)s open deadlines moved with it.", count=moved), "info")

    def _page(self, year: int, day_form: DayForm) -> str:
        menu_endpoint("WorkCalendarView.list")
        session = current_session()
        known = work_calendar.load_calendar(session)
        entered = {
            row.date: row
            for row in session.scalars(
                select(WorkCalendarDay)
                .where(WorkCalendarDay.date.between(dt.date(year, 1, 1), dt.date(year, 12, 31)))
                .order_by(WorkCalendarDay.date)
            )
        }

        def square(number: int, month: int) -> Day | None:
            if number == 0:
                return None
            day = dt.date(year, month, number)
            row = entered.get(day)
            return Day(day, known.is_workday(day), row is not None, row.note if row else "")

        def weeks(month: int) -> Sequence[Sequence[Day | None]]:
            return [[square(number, month) for number in week] for week in months.monthcalendar(year, month)]

        return self.render_template(
            "configuration/calendar.html",
            title=gettext("Work calendar"),
            year=year,
            years=[number for number in (year - 1, year + 1) if _FIRST <= number <= _LAST],
            months=[Month(month, weeks(month)) for month in range(1, 13)],
            entered=list(entered.values()),
            estimated=known.is_estimated(dt.date(year, 1, 1)),
            estimate_notice=gettext(work_calendar.ESTIMATE_NOTICE, year=year),
            day_form=day_form,
            import_key=importing.WORK_CALENDAR,
            today=today_in_china(utcnow()),
        )


def _year(text: str | None) -> int:
    """The year asked for, this one when it cannot be read."""
    if text is not None and text.isascii() and text.isdigit() and len(text) == 4:
        return _bounded(int(text))
    return today_in_china(utcnow()).year


def _bounded(year: int) -> int:
    return min(max(year, _FIRST), _LAST)
