"""日志管理: what happened, read-only, filtered and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select

from app.core.enums import LogLevel
from app.core.xlsx import ColumnKind
from app.models.log import SystemLog
from app.services.unit_of_work import current_session
from app.views.base import ChoiceField, Column, DateRange, OfficeView, ScopedInterface, TextField, enum_choice
from app.views.base.columns import Labels

EVENTS: Mapping[str, Any] = {
    "LOGIN_OK": lazy_gettext("Logged in"),
    "LOGIN_FAILED": lazy_gettext("Log-in failed"),
    "LOGIN_REFUSED": lazy_gettext("Log-in refused"),
    "LOGOUT": lazy_gettext("Logged out"),
    "SESSION_ENDED": lazy_gettext("Session ended by an administrator"),
    "AUTHZ_DENIED": lazy_gettext("Unauthorised access"),
    "SENSITIVE_OP": lazy_gettext("Sensitive operation"),
    "EXPORT": lazy_gettext("Export"),
    "PASSWORD_CHANGED": lazy_gettext("Password changed"),
    "PASSWORD_RESET": lazy_gettext("Password reset"),
    "PROFILE_CHANGED": lazy_gettext("Profile changed"),
    "CONTACT_CHANGED": lazy_gettext("Telephone or e-mail changed"),
    "PERMISSION_CHANGED": lazy_gettext("Permissions changed"),
    "USER_CREATED": lazy_gettext("User added"),
    "USER_CHANGED": lazy_gettext("User changed"),
    "USER_ENABLED": lazy_gettext("User enabled"),
    "USER_DISABLED": lazy_gettext("User disabled"),
    "UNIT_CHANGED": lazy_gettext("Organisation changed"),
    "DICTIONARY_CHANGED": lazy_gettext("Dictionary changed"),
    "PARAMETER_CHANGED": lazy_gettext("Rule parameter changed"),
    "CALENDAR_CHANGED": lazy_gettext("Work calendar changed"),
    "AGENT_NAMED": lazy_gettext("Agent named"),
    "AGENT_REVOKED": lazy_gettext("Agent revoked"),
    "DECLARATION_CREATED": lazy_gettext("Declaration begun"),
    "DECLARATION_SUBMITTED": lazy_gettext("Declaration submitted"),
    "DECLARATION_WITHDRAWN": lazy_gettext("Declaration withdrawn"),
    "DECLARATION_AMENDED": lazy_gettext("Declaration changed by its reviewer"),
    "DECLARATION_APPROVED": lazy_gettext("Declaration approved"),
    "DECLARATION_RETURNED": lazy_gettext("Declaration returned"),
    "DECLARATION_REJECTED": lazy_gettext("Declaration rejected"),
    "DECLARATION_TERMINATED": lazy_gettext("Review terminated"),
    "DECLARATION_RECYCLED": lazy_gettext("Declaration moved to the recycle bin"),
    "DECLARATION_RESTORED": lazy_gettext("Declaration restored"),
    "DECLARATION_PURGED": lazy_gettext("Declaration purged"),
    "ATTACHMENT_ADDED": lazy_gettext("File attached"),
    "ATTACHMENT_REMOVED": lazy_gettext("Attachment removed"),
    "IMPORT_PREVIEWED": lazy_gettext("File uploaded for import"),
    "IMPORTED": lazy_gettext("Data imported"),
    "BUDGET_ARRANGED": lazy_gettext("Budget arranged"),
    "FLOW_DRAFT_CREATED": lazy_gettext("Flow draft begun"),
    "FLOW_DRAFT_SAVED": lazy_gettext("Flow draft saved"),
    "FLOW_DRAFT_REMOVED": lazy_gettext("Flow draft deleted"),
    "SAVED_QUERY_CREATED": lazy_gettext("Query saved"),
    "SAVED_QUERY_CHANGED": lazy_gettext("Saved query changed"),
    "SAVED_QUERY_REMOVED": lazy_gettext("Saved query removed"),
    "SMS_GAVE_UP": lazy_gettext("Text message not delivered"),
}
"""What the events are called; one that is not named here is shown as it is written."""


@dataclass(frozen=True)
class EventColumn(Column):
    """An event by its name."""

    def text(self, value: Any, labels: Labels) -> Any:
        return str(EVENTS.get(value, value))


def _events() -> Sequence[tuple[str, str]]:
    events = current_session().scalars(select(SystemLog.event).distinct().order_by(SystemLog.event))
    return [(event, str(EVENTS.get(event, event))) for event in events]


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
        Column("noun", lazy_gettext("Kind of record"), SystemLog.noun),
        Column("row_id", lazy_gettext("Record no."), SystemLog.row_id, kind=ColumnKind.INTEGER),
        Column("summary", lazy_gettext("Summary"), SystemLog.summary, sortable=False),
    )
    fields = (
        DateRange("at", lazy_gettext("Time"), column=SystemLog.at, moment=True),
        enum_choice("level", lazy_gettext("Level"), SystemLog.level, LogLevel),
        ChoiceField("event", lazy_gettext("Event"), column=SystemLog.event, options=_events),
        TextField("user", lazy_gettext("User"), columns=(SystemLog.username,)),
        TextField("address", lazy_gettext("Address"), columns=(SystemLog.address,)),
        TextField("noun", lazy_gettext("Kind of record"), columns=(SystemLog.noun,), primary=False),
        TextField("q", lazy_gettext("Summary"), columns=(SystemLog.summary,), primary=False),
    )
