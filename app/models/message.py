"""What people are told: an outbox filled with the change it tells of, in-app messages, and text messages.

A row enters the outbox in the transaction of the change itself, so nothing is told that did not happen and
nothing that happened goes untold; a worker delivers it afterwards (architecture.md section 3).
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import Labelled
from app.models.base import JsonList, Model, UTCDateTime, enum_type, utcnow
from app.models.user import AppUser


class Channel(Labelled):
    """How a message reaches a person."""

    IN_APP = "IN_APP", "In-app message", "blue"
    SMS = "SMS", "Text message", "cyan"


class OutboxState(Labelled):
    """Where a message is on its way. FAILED is tried again; GAVE_UP is not."""

    PENDING = "PENDING", "Waiting", "secondary"
    SENDING = "SENDING", "Being sent", "orange"
    SENT = "SENT", "Sent", "green"
    FAILED = "FAILED", "Failed, will be tried again", "yellow"
    GAVE_UP = "GAVE_UP", "Not delivered", "red"


class OutboxMessage(Model):
    """One message to one person by one channel. `key` makes telling twice impossible; `claimed_by` and
    `claimed_at` belong to the worker that is sending, and lapse when it dies."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index("ix_outbox_message_due", "channel", "state", "next_attempt_at"),
        Index("ix_outbox_message_sent", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    channel: Mapped[Channel] = mapped_column(enum_type(Channel))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    template: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, str]] = mapped_column(JsonList, default=dict)
    link: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[OutboxState] = mapped_column(enum_type(OutboxState), default=OutboxState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    claimed_by: Mapped[str | None] = mapped_column(String(80))
    claimed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    sent_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)

    recipient: Mapped[AppUser] = relationship(AppUser, lazy="raise_on_sql")


class Message(Model):
    """站内消息. Its words are made when it is read, in the reader's language, of `template` and `params`."""

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_key: Mapped[str] = mapped_column(String(200), unique=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    template: Mapped[str] = mapped_column(String(40))
    params: Mapped[dict[str, str]] = mapped_column(JsonList, default=dict)
    link: Mapped[str] = mapped_column(String(200), default="")
    read_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)

    recipient: Mapped[AppUser] = relationship(AppUser, lazy="raise_on_sql")

    __table_args__ = (
        Index("ix_message_recipient", "recipient_id", "id"),
        Index(
            "ix_message_unread",
            "recipient_id",
            postgresql_where=read_at.is_(None),
            sqlite_where=read_at.is_(None),
        ),
    )


class SmsMessage(Model):
    """短信记录: what was handed to the gateway. `mobile` is shown masked (core.fiscal.mask_mobile);
    `gateway` says by which adapter, `recording` meaning that nothing left the house."""

    __tablename__ = "sms_message"
    __table_args__ = (
        Index("ix_sms_message_sent", "sent_at"),
        Index("ix_sms_message_template", "template", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    outbox_key: Mapped[str] = mapped_column(String(200), unique=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    mobile: Mapped[str] = mapped_column(String(20))
    template: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    gateway: Mapped[str] = mapped_column(String(40))
    receipt: Mapped[str] = mapped_column(String(120), default="")
    sent_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)

    recipient: Mapped[AppUser] = relationship(AppUser, lazy="raise_on_sql")
