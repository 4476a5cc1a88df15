"""Delivering the outbox, by any number of workers at once.

In-app messages are delivered exactly once: the row a person reads and the outbox row's SENT are written in
one transaction. Text messages leave the house between two transactions, so they are delivered at least
once: a worker that dies after the provider took the message leaves its claim behind, the claim lapses, and
the next worker sends it again under the same key, by which a provider recognises it.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import LogLevel
from app.core.fiscal import is_mobile, mask_mobile
from app.gateways.sms import SmsGateway, SmsRefused
from app.models.base import utcnow
from app.models.message import Channel, Message, OutboxMessage, OutboxState, SmsMessage
from app.models.upsert import upsert
from app.models.user import AppUser
from app.services import log
from app.services.message.templates import sms_text
from app.services.unit_of_work import unit_of_work

_logger = logging.getLogger(__name__)

CLAIM_LASTS = dt.timedelta(minutes=5)
"""Longer than a batch of text messages can take, each at most 10 seconds."""

_SMS_BATCH = 20
_IN_APP_BATCH = 500
_BACK_OFF = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Waiting times after each failure; after one more the message is given up."""

MAX_ATTEMPTS = len(_BACK_OFF) + 1
_LONGEST_ERROR = 500


@dataclass(frozen=True)
class Delivered:
    """What one round of delivering did."""

    in_app: int = 0
    sms: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"in_app={self.in_app} sms={self.sms} failed={self.failed}"


@dataclass(frozen=True)
class _Claimed:
    """A text message this worker alone may send now; `token` proves the claim."""

    id: int
    key: str
    recipient_id: int
    template: str
    params: dict[str, str]
    attempts: int
    mobile: str
    active: bool
    token: str


@dataclass(frozen=True)
class _Outcome:
    """What came of handing one text message over: a receipt, or why not and whether to try again."""

    receipt: str = ""
    error: str = ""
    final: bool = False


def deliver_due(
    gateway: SmsGateway, *, now: dt.datetime | None = None, limit: int = 2_000, worker: str = "worker"
) -> Delivered:
    """Deliver what is due at `now`, about `limit` messages of each channel at most. May run twice at once."""
    in_app = 0
    while in_app < limit and (count := _deliver_in_app(now or utcnow())):
        in_app += count
    sms = failed = 0
    while sms + failed < limit and (claimed := _claim_sms(now or utcnow(), worker)):
        for message in claimed:
            sent = _deliver_sms(gateway, message, now or utcnow())
            sms += sent
            failed += not sent
    return Delivered(in_app, sms, failed)


def _due(channel: Channel, now: dt.datetime) -> ColumnElement[bool]:
    waiting = OutboxMessage.state.in_((OutboxState.PENDING, OutboxState.FAILED))
    abandoned = and_(
        OutboxMessage.state == OutboxState.SENDING, OutboxMessage.claimed_at <= now - CLAIM_LASTS
    )
    return and_(
        OutboxMessage.channel == channel,
        OutboxMessage.next_attempt_at <= now,
        or_(waiting, abandoned),
    )


def _deliver_in_app(now: dt.datetime) -> int:
    with unit_of_work(SYSTEM) as session:
        rows = session.execute(
            select(
                OutboxMessage.id,
                OutboxMessage.key,
                OutboxMessage.recipient_id,
                OutboxMessage.template,
                OutboxMessage.params,
                OutboxMessage.link,
                OutboxMessage.created_at,
            )
            .where(_due(Channel.IN_APP, now))
            .order_by(OutboxMessage.id)
            .limit(_IN_APP_BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return 0
        session.execute(
            upsert(session, Message).on_conflict_do_nothing(index_elements=["outbox_key"]),
            [
                {
                    "outbox_key": row.key,
                    "recipient_id": row.recipient_id,
                    "template": row.template,
                    "params": row.params,
                    "link": row.link,
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )
        _set(
            session,
            OutboxMessage.id.in_([row.id for row in rows]),
            state=OutboxState.SENT,
            attempts=OutboxMessage.attempts + 1,
            sent_at=now,
        )
        return len(rows)


def _claim_sms(now: dt.datetime, worker: str) -> list[_Claimed]:
    token = f"{worker[:40]}:{secrets.token_hex(8)}"
    with unit_of_work(SYSTEM) as session:
        rows = session.execute(
            select(
                OutboxMessage.id,
                OutboxMessage.key,
                OutboxMessage.recipient_id,
                OutboxMessage.template,
                OutboxMessage.params,
                OutboxMessage.attempts,
                AppUser.mobile,
                AppUser.active,
            )
            .join(AppUser, AppUser.id == OutboxMessage.recipient_id)
            .where(_due(Channel.SMS, now))
            .order_by(OutboxMessage.id)
            .limit(_SMS_BATCH)
            .with_for_update(of=OutboxMessage, skip_locked=True)
        ).all()
        if rows:
            _set(
                session,
                OutboxMessage.id.in_([row.id for row in rows]),
                state=OutboxState.SENDING,
                attempts=OutboxMessage.attempts + 1,
                claimed_by=token,
                claimed_at=now,
            )
        return [
            _Claimed(
                row.id,
                row.key,
                row.recipient_id,
                row.template,
                row.params,
                row.attempts + 1,
                row.mobile or "",
                bool(row.active),
                token,
            )
            for row in rows
        ]


def _deliver_sms(gateway: SmsGateway, message: _Claimed, now: dt.datetime) -> bool:
    """Hand one over and write down what came of it; True when the provider took it."""
    text = sms_text(message.template, message.params)
    outcome = _hand_over(gateway, message, text)
    with unit_of_work(SYSTEM) as session:
        if outcome.receipt:
            _keep_record(session, gateway, message, text, outcome.receipt, now)
        _settle(session, message, outcome, now)
    return bool(outcome.receipt)


def _hand_over(gateway: SmsGateway, message: _Claimed, text: str) -> _Outcome:
    if message.attempts > MAX_ATTEMPTS:
        return _Outcome(error="every worker that tried to send it died", final=True)
    if not message.active:
        return _Outcome(error="the account is disabled", final=True)
    if not is_mobile(message.mobile):
        return _Outcome(error="the person has no mobile number", final=True)
    try:
        return _Outcome(receipt=gateway.send(message.mobile, text, message.key) or message.key)
    except SmsRefused as error:
        return _Outcome(error=_words(error), final=True)
    except Exception as error:
        # A provider's adapter may fail in ways of its own; none may stop the messages behind this one.
        _logger.warning(
            "Text message %s to %s failed.", message.key, mask_mobile(message.mobile), exc_info=True
        )
        return _Outcome(error=_words(error), final=message.attempts >= MAX_ATTEMPTS)


def _keep_record(
    session: Session, gateway: SmsGateway, message: _Claimed, text: str, receipt: str, now: dt.datetime
) -> None:
    session.execute(
        upsert(session, SmsMessage)
        .values(
            outbox_key=message.key,
            recipient_id=message.recipient_id,
            mobile=message.mobile,
            template=message.template,
            text=text,
            gateway=gateway.name,
            receipt=receipt[:120],
            sent_at=now,
        )
        .on_conflict_do_nothing(index_elements=["outbox_key"])
    )


def _settle(session: Session, message: _Claimed, outcome: _Outcome, now: dt.datetime) -> None:
    # Only under our own claim: had it lapsed, another worker has the message now.
    mine = and_(OutboxMessage.id == message.id, OutboxMessage.claimed_by == message.token)
    if outcome.receipt:
        _set(session, mine, state=OutboxState.SENT, sent_at=now, error="", claimed_by=None, claimed_at=None)
    elif outcome.final:
        _set(
            session,
            mine,
            state=OutboxState.GAVE_UP,
            error=outcome.error,
            claimed_by=None,
            claimed_at=None,
        )
        log.record(
            session,
            SYSTEM,
            "SMS_GAVE_UP",
            noun="sms",
            row_id=message.id,
            summary=f"{message.key}: {outcome.error}",
            level=LogLevel.ERROR,
        )
    else:
        _set(
            session,
            mine,
            state=OutboxState.FAILED,
            error=outcome.error,
            next_attempt_at=now + _BACK_OFF[message.attempts - 1],
            claimed_by=None,
            claimed_at=None,
        )


def _set(session: Session, condition: ColumnElement[bool], **values: Any) -> None:
    session.execute(
        update(OutboxMessage).where(condition).values(**values).execution_options(synchronize_session=False)
    )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
