"""我的消息: the inbox. Opening a message marks it read, and so is a POST."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_babel import get_locale, gettext, lazy_gettext
from flask_login import login_required
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, String, cast, select

from app.access import policy
from app.core.errors import NotFound
from app.core.xlsx import ColumnKind
from app.models.message import Message
from app.services import message, review
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import ChoiceField, Column, DateRange, OfficeView, ScopedInterface
from app.views.base.columns import Labels
from app.views.base.listing import Listing
from app.views.redirects import local_address
from app.workflow.case import EventKind

_BETWEEN = "\x1f"


@dataclass(frozen=True)
class TemplateColumn(Column):
    """The name of a message's kind."""

    def text(self, value: Any, labels: Labels) -> Any:
        return message.label_of(value, str(get_locale()))


@dataclass(frozen=True)
class WordsColumn(Column):
    """What a message says, made in the reader's language from its template and parameters."""

    def text(self, value: Any, labels: Labels) -> Any:
        template, _, params = value.partition(_BETWEEN)
        return message.text_of(template, json.loads(params), str(get_locale()))


def _kinds() -> Sequence[tuple[str, str]]:
    return [(template.code, template.label(str(get_locale()))) for template in message.TEMPLATES]


def _states() -> Sequence[tuple[str, str]]:
    return (("unread", gettext("Unread")), ("read", gettext("Read")))


def _state(text: str) -> str:
    if text not in ("unread", "read"):
        raise ValueError(text)
    return text


def _in_states(states: Sequence[str]) -> ColumnElement[bool]:
    unread = Message.read_at.is_(None)
    return Message.id.is_not(None) if len(set(states)) == 2 else unread if "unread" in states else ~unread


class MessageView(OfficeView):
    """One's own messages, for whoever is logged in."""

    datamodel = ScopedInterface(Message)
    noun = "message"
    title = lazy_gettext("My messages")
    export_verb = None
    list_template = "message/list.html"
    include_route_methods = {"list", "save_columns", "open", "mark_read", "mark_all_read"}
    columns = (
        TemplateColumn("template", lazy_gettext("Kind of message"), Message.template, nowrap=True),
        WordsColumn(
            "text",
            lazy_gettext("Message"),
            Message.template + _BETWEEN + cast(Message.params, String),
            sortable=False,
            css="title",
        ),
        Column("created_at", lazy_gettext("Time"), Message.created_at, kind=ColumnKind.DATETIME),
    )
    fields = (
        ChoiceField("state", lazy_gettext("State"), options=_states, where=_in_states, convert=_state),
        ChoiceField("template", lazy_gettext("Kind of message"), column=Message.template, options=_kinds),
        DateRange("created", lazy_gettext("Time"), column=Message.created_at, moment=True),
    )

    @expose("/list/")
    @login_required
    def list(self) -> str:
        """The inbox, newest first."""
        return self.render_template(self.list_template, listing=self.listing(), title=str(self.title))

    @expose("/columns", methods=["POST"])
    @login_required
    def save_columns(self) -> ResponseReturnValue:
        """Keep the reader's columns."""
        return self.keep_preference()

    @expose("/open/<int:pk>", methods=["POST"])
    @login_required
    def open(self, pk: int) -> ResponseReturnValue:
        """Mark one message read and go to what it is about."""
        actor = current_actor()
        statement = policy.scoped(actor, Message).where(
            Message.id == pk, Message.recipient_id == actor.user_id
        )
        row = current_session().scalars(statement).one_or_none()
        if row is None:
            raise NotFound
        link, kind, number = row.link, *_record_of(row)
        message.mark_read(actor, [pk])
        if number:
            review.mark_document_copies_read(actor, kind, number)
        return redirect(local_address(link, url_for("MessageView.list")))

    @expose("/mark-read", methods=["POST"])
    @login_required
    def mark_read(self) -> ResponseReturnValue:
        """Mark the chosen messages read; ids of other people's change nothing."""
        chosen = [int(text) for text in request.form.getlist("rowid") if text.isdigit() and len(text) < 19]
        return self._told(message.mark_read(current_actor(), chosen))

    @expose("/mark-all-read", methods=["POST"])
    @login_required
    def mark_all_read(self) -> ResponseReturnValue:
        """Mark everything read."""
        return self._told(message.mark_read(current_actor()))

    def _told(self, count: int) -> ResponseReturnValue:
        flash(gettext("%(count)s messages marked as read.", count=count), "success")
        return redirect(url_for("MessageView.list"))

    def listing(self) -> Listing:
        """The list; what a message says is a button that opens it, unread ones in bold."""
        listing = super().listing()
        ids = [row["id"] for row in listing.rows]
        unread = set(
            current_session().scalars(
                select(Message.id).where(Message.id.in_(ids), Message.read_at.is_(None))
            )
        )
        place = [column["key"] for column in listing.columns if column["visible"]]
        said = place.index("text") if "text" in place else None
        for row in listing.rows:
            new = row["id"] in unread
            row["classes"] = "unread" if new else ""
            if said is not None:
                row["cells"][said] = _opener(row["id"], row["cells"][said], new)
        listing.bulk = [
            {
                "label": gettext("Mark as read"),
                "href": url_for("MessageView.mark_read"),
                "confirm": "",
                "icon": "ti-checks",
                "name": "",
            }
        ]
        listing.empty_text = gettext("No messages yet. When something waits for you, it is told here.")
        return listing


def _record_of(row: Message) -> tuple[str, int]:
    """The document a copy's message leads to, so that the copy counts as read too; ("", 0) for any other."""
    if row.template != EventKind.COPIED:
        return "", 0
    kind, _, number = row.link.removeprefix("/go/").partition("/")
    return kind, int(number) if number.isdigit() else 0


def _opener(pk: int, words: Any, new: bool) -> Markup:
    mark = Markup(
        '<span class="status-dot status-red flex-shrink-0 me-2" title="{0}">'
        '<span class="visually-hidden">{0}</span></span>'
    )
    return Markup(
        '<button class="btn btn-link p-0 text-start text-wrap text-reset {weight}" form="message-open" '
        'formaction="{href}">{mark}{words}</button>'
    ).format(
        weight="fw-bold" if new else "fw-normal",
        href=url_for("MessageView.open", pk=pk),
        mark=mark.format(gettext("Unread")) if new else "",
        words=escape(words),
    )
