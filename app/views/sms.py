"""短信记录: what was handed to the SMS gateway; with the recording adapter nothing left the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale, lazy_gettext

from app.core.xlsx import ColumnKind
from app.models.message import SmsMessage
from app.models.user import AppUser
from app.services import message
from app.views import names
from app.views.base import ChoiceField, Column, DateRange, OfficeView, ScopedInterface, TextField
from app.views.base.cells import MobileColumn
from app.views.base.columns import Labels
from app.views.message import TemplateColumn


def _kinds() -> Sequence[tuple[str, str]]:
    return [(template.code, template.label(str(get_locale()))) for template in message.TEMPLATES]


@dataclass(frozen=True)
class GatewayColumn(Column):
    """The way a text message went."""

    def text(self, value: Any, labels: Labels) -> Any:
        return str(names.GATEWAYS.get(value, value))


class SmsView(OfficeView):
    """The text messages, numbers masked."""

    datamodel = ScopedInterface(SmsMessage)
    noun = "sms"
    title = lazy_gettext("SMS records")
    # Whoever may read the records may take them along: there is no grant of its own.
    export_verb = "read"
    joins = (SmsMessage.recipient,)
    columns = (
        Column("sent_at", lazy_gettext("Sent at"), SmsMessage.sent_at, kind=ColumnKind.DATETIME),
        TemplateColumn("template", lazy_gettext("Kind of message"), SmsMessage.template),
        Column("recipient", lazy_gettext("Recipient"), AppUser.last_name + AppUser.first_name, nowrap=True),
        MobileColumn("mobile", lazy_gettext("Mobile"), SmsMessage.mobile, nowrap=True),
        Column("text", lazy_gettext("Text"), SmsMessage.text, sortable=False),
        GatewayColumn("gateway", lazy_gettext("Gateway"), SmsMessage.gateway),
        Column("receipt", lazy_gettext("Receipt"), SmsMessage.receipt, visible=False),
    )
    fields = (
        DateRange("sent", lazy_gettext("Sent at"), column=SmsMessage.sent_at, moment=True),
        ChoiceField("template", lazy_gettext("Kind of message"), column=SmsMessage.template, options=_kinds),
        TextField("recipient", lazy_gettext("Recipient"), columns=(AppUser.last_name + AppUser.first_name,)),
        TextField("q", lazy_gettext("Text"), columns=(SmsMessage.text,)),
    )
