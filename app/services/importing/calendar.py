"""The work calendar: the holiday arrangement of a year, day by day (domain.md 9.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import Labelled
from app.core.errors import Problem
from app.models.dictionary import WorkCalendarDay
from app.services import work_calendar
from app.services.importing.columns import SheetColumn, column
from app.services.importing.importable import Existing, Importable, Outcome, RowProblem, register
from app.services.reading import Choice, Day, Line
from app.services.work_calendar import DayEntry


class DayKind(Labelled):
    """Is a day worked?"""

    WORK = "WORK", "Worked"
    FREE = "FREE", "Free"


_WORK, _FREE = DayKind.WORK, DayKind.FREE
_SYNONYMS = {
    **dict.fromkeys(
        ("1", "true", "yes", "y", "班", "上班", "工作", "工作日", "调休上班", "是"), DayKind.WORK
    ),
    **dict.fromkeys(
        ("0", "false", "no", "n", "off", "holiday", "休", "休息", "放假", "节假日", "休息日", "否"),
        DayKind.FREE,
    ),
}


@register
class WorkCalendarImport(Importable):
    """工作日历. Recognised by the date; the record's id is the day's ordinal, for days have no number."""

    key = "work-calendar"
    label = "Work calendar"
    noun = "work_calendar"
    verb = "manage"
    keys = ("date",)

    def columns(self, session: Session) -> list[SheetColumn]:
        return [
            column("date", "Day", Day(), required=True, aliases=("日期", "date")),
            column(
                "kind",
                "Kind of day",
                Choice(DayKind),
                required=True,
                hint="班 or 休 is understood too.",
                aliases=("类型", "班休", "是否工作日"),
                synonyms=_SYNONYMS,
            ),
            column("note", "Note", Line(80), aliases=("说明", "备注", "节日")),
        ]

    def load(
        self, session: Session, actor: Actor, keys: Mapping[str, Sequence[Any]], *, lock: bool
    ) -> Mapping[tuple[str, Any], Existing]:
        days: Sequence[dt.date] = keys["date"]
        if not days:
            return {}
        statement = select(WorkCalendarDay).where(WorkCalendarDay.date.between(min(days), max(days)))
        rows = session.scalars(statement.with_for_update() if lock else statement)
        return {
            ("date", row.date): Existing(
                row.date.toordinal(),
                {
                    "date": row.date,
                    "kind": DayKind.WORK if row.is_workday else DayKind.FREE,
                    "note": row.note,
                },
            )
            for row in rows
        }

    def check(self, session: Session, actor: Actor, outcome: Outcome) -> Iterator[RowProblem]:
        day = outcome.row.values.get("date")
        if day is not None and not work_calendar.FIRST_DAY <= day <= work_calendar.LAST_DAY:
            yield RowProblem.of(
                "date",
                "Enter a day from %(first)s to %(last)s.",
                first=work_calendar.FIRST_DAY,
                last=work_calendar.LAST_DAY,
            )

    def apply(self, session: Session, actor: Actor, outcomes: Iterable[Outcome]) -> list[Problem]:
        entries = []
        for outcome in outcomes:
            held: Mapping[str, Any] = outcome.existing.values if outcome.existing else {}
            values = {**held, **outcome.row.values}
            entries.append(DayEntry(values["date"], values["kind"] is DayKind.WORK, values.get("note", "")))
            outcome.record_id = values["date"].toordinal()
        moved = work_calendar.import_days(actor, entries)
        return [Problem.of("%(count)s open deadlines moved with it.", count=moved)] if moved else []

    def name(self, values: Mapping[str, Any]) -> str:
        return str(values.get("note", ""))
