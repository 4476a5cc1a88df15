"""日志管理: what happened, read-only, filtered and exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select

from app.core.enums import LogLevel
from app.core.xlsx import ColumnKind
from app.models.log import SystemLog
from app.services.unit_of_work import current_session
from app.views import names
from app.views.base import ChoiceField, Column, DateRange, OfficeView, ScopedInterface, TextField, enum_choice
from app.views.base.columns import Labels


@dataclass(frozen=True)
class EventColumn(Column):
    """An event by its name."""

    def text(self, value: Any, labels: Labels) -> Any:
        return names.event_name(value)


@dataclass(frozen=True)
class NounColumn(Column):
    """A kind of record by its name."""

    def text(self, value: Any, labels: Labels) -> Any:
        return str(names.NOUNS.get(value, value))


@dataclass(frozen=True)
class SummaryColumn(Column):
    """A summary, which comes with its event: some begin with a code."""

    def text(self, value: Any, labels: Labels) -> Any:
        event, _, summary = value.partition(" ")
        return names.summary_words(event, summary) or None


def _events() -> Sequence[tuple[str, str]]:
    events = current_session().scalars(select(SystemLog.event).distinct().order_by(SystemLog.event))
    return [(event, names.event_name(event)) for event in events]


def _nouns() -> Sequence[tuple[str, str]]:
    return [(noun, str(name)) for noun, name in names.NOUNS.items()]


class SystemLogView(OfficeView):
    """The system log of requirements.txt: by time, source, kind, person and address. Nobody changes it."""

    datamodel = ScopedInterface(SystemLog)
    noun = "log"
    title = lazy_gettext("Logs")
    default_sort = "-id"
    page_size = 50
    columns = (
        Column("at", lazy_gettext("Time"), SystemLog.at, kind=ColumnKind.DATETIME),
        Column("level", lazy_gettext("Level"), SystemLog.level, enum=LogLevel),
        EventColumn("event", lazy_gettext("Event"), SystemLog.event, nowrap=True),
        Column("username", lazy_gettext("User"), SystemLog.username, nowrap=True),
        Column("address", lazy_gettext("Address"), SystemLog.address, nowrap=True),
        NounColumn("noun", lazy_gettext("Kind of record"), SystemLog.noun, nowrap=True),
        Column("row_id", lazy_gettext("Record no."), SystemLog.row_id, kind=ColumnKind.INTEGER),
        SummaryColumn(
            "summary",
            lazy_gettext("Summary"),
            SystemLog.event + " " + SystemLog.summary,
            sortable=False,
        ),
    )
    fields = (
        DateRange("at", lazy_gettext("Time"), column=SystemLog.at, moment=True),
        enum_choice("level", lazy_gettext("Level"), SystemLog.level, LogLevel),
        ChoiceField("event", lazy_gettext("Event"), column=SystemLog.event, options=_events),
        TextField("user", lazy_gettext("User"), columns=(SystemLog.username,)),
        TextField("address", lazy_gettext("Address"), columns=(SystemLog.address,)),
        ChoiceField(
            "noun", lazy_gettext("Kind of record"), column=SystemLog.noun, options=_nouns, primary=False
        ),
        TextField("q", lazy_gettext("Summary"), columns=(SystemLog.summary,), primary=False),
    )
