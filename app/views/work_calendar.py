"""工作日历: which days are worked, entered one by one or from a file of two columns."""

from __future__ import annotations

import calendar as months
import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from flask_wtf.file import FileField
from sqlalchemy import select
from wtforms import DateField, RadioField, StringField
from wtforms.validators import InputRequired, Length

from app.core import xlsx
from app.core.errors import InvalidInput, Problem
from app.core.workdays import today_in_china
from app.core.xlsx import UnreadableWorkbook
from app.models.base import utcnow
from app.models.dictionary import WorkCalendarDay
from app.services import work_calendar
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors
from app.views.shell import menu_endpoint

_FIRST, _LAST = work_calendar.FIRST_DAY.year, work_calendar.LAST_DAY.year
_LARGEST_FILE = 2 * 1024 * 1024


class DayForm(DynamicForm):
    """One day."""

    day = DateField(lazy_gettext("Day"), validators=[InputRequired(lazy_gettext("This is required."))])
    kind = RadioField(
        lazy_gettext("Kind of day"),
        choices=[("work", lazy_gettext("Worked")), ("free", lazy_gettext("Free"))],
        validators=[InputRequired(lazy_gettext("Say whether the day is worked."))],
    )
    note = StringField(lazy_gettext("Note"), validators=[Length(max=80)])


class FileForm(DynamicForm):
    """A file of two columns."""

    file = FileField(
        lazy_gettext("Excel or CSV file"),
        description=lazy_gettext("Two columns: the date, and 班 (worked) or 休 (free); a note may follow."),
    )


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

    default_view = "list"
    class_permission_name = "work_calendar"
    method_permission_name = {"list": "manage", "set_day": "manage", "import_file": "manage"}
    base_permissions = ["can_manage"]

    @expose("/list/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """One year's page."""
        return self._page(_year(request.args.get("year")), DayForm(formdata=None), FileForm(formdata=None))

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
        return make_response(self._page(_bounded(year), form, FileForm(formdata=None)), 400)

    @expose("/import", methods=["POST"])
    @has_access
    @permission_name("import_file")
    def import_file(self) -> ResponseReturnValue:
        """Enter a file's days, all or none."""
        form = FileForm()
        try:
            entries = work_calendar.read_rows(_rows(form.file.data))
            moved = work_calendar.import_days(current_actor(), entries)
        except InvalidInput as error:
            form.file.errors = [
                text if name == "file" else f"{name}: {text}"
                for name, texts in field_errors(error).items()
                for text in texts
            ][:20]
            return make_response(self._page(_year(None), DayForm(formdata=None), form), 400)
        self._tell(gettext("%(count)s days were entered.", count=len(entries)), moved)
        year = max((entry.day.year for entry in entries), default=None)
        return redirect(url_for("WorkCalendarView.list", year=year))

    def _tell(self, words: str, moved: int) -> None:
        flash(words, "success")
        if moved:
            flash(gettext("%(count)s open deadlines moved with it.", count=moved), "info")

    def _page(self, year: int, day_form: DayForm, file_form: FileForm) -> str:
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
            file_form=file_form,
            today=today_in_china(utcnow()),
        )


def _year(text: str | None) -> int:
    """The year asked for, this one when it cannot be read."""
    if text is not None and text.isascii() and text.isdigit() and len(text) == 4:
        return _bounded(int(text))
    return today_in_china(utcnow()).year


def _bounded(year: int) -> int:
    return min(max(year, _FIRST), _LAST)


def _rows(upload: Any) -> Iterator[Sequence[object]]:
    """The rows of an uploaded workbook or CSV file. Raises `InvalidInput` beside the field."""
    if upload is None or not upload.filename:
        raise InvalidInput({"file": [Problem.of("Choose a file.")]})
    data = upload.stream.read(_LARGEST_FILE + 1)
    if len(data) > _LARGEST_FILE:
        raise InvalidInput({"file": [Problem.of("The file is too large for a calendar.")]})
    if data.startswith(b"PK"):
        try:
            for _number, row in xlsx.read_rows(
                io.BytesIO(data), max_rows=work_calendar.MOST_ROWS + 1, max_bytes_unpacked=16 * _LARGEST_FILE
            ):
                yield row
        except UnreadableWorkbook as error:
            raise InvalidInput({"file": [error.problem]}) from error
        return
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel in China saves CSV files in GB 18030.
        text = data.decode("gb18030", errors="replace")
    yield from csv.reader(io.StringIO(text))
