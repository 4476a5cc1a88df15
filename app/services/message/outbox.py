"""Putting messages into the outbox, in the transaction of what they tell of."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.models.base import utcnow
from app.models.message import Channel, OutboxMessage, OutboxState
from app.models.upsert import upsert
from app.services.message.templates import checked_params
from app.services.unit_of_work import after_commit

_logger = logging.getLogger(__name__)
_WAKING = "message.waking"
_LONGEST_KEY = 160
_CHANNELS = {channel.value: channel for channel in Channel}

IN_APP_ONLY = (Channel.IN_APP,)
EVERYWHERE = (Channel.IN_APP, Channel.SMS)


@dataclass(frozen=True)
class Notice:
    """One message for some people. `key` names the event: the same person is never told twice by the
    same channel under the same key. `link` is an address within this site. Text messages wait until
    `sms_not_before`, if given."""

    template: str
    recipients: frozenset[int]
    params: Mapping[str, str]
    link: str
    key: str
    channels: tuple[Channel, ...] = IN_APP_ONLY
    sms_not_before: dt.datetime | None = None


class WakeUp:
    """How a committed outbox wakes the worker. Bound by the tasks; until then, and whenever it fails,
    the worker finds the rows by the clock."""

    def __init__(self) -> None:
        self._hook: Callable[[], object] | None = None

    def bind(self, hook: Callable[[], object] | None) -> Callable[[], object] | None:
        """Call `hook` (None: nothing) after each commit that told somebody something; returns the former."""
        former, self._hook = self._hook, hook
        return former

    def __call__(self) -> None:
        if self._hook is None:
            return
        try:
            self._hook()
        except Exception:
            # What the user did is committed; a queue that is down must not turn it into an error page.
            _logger.warning(
                "The worker could not be woken; it will find the messages by itself.", exc_info=True
            )


wake_up = WakeUp()


def link_to(noun: str, row_id: int) -> str:
    """The address of a record as a service knows it: `/go/task/12`; the page behind it finds the way
    for whoever follows it."""
    return f"/go/{noun}/{row_id}"


def notify(
    session: Session,
    *,
    template: str,
    recipients: Iterable[int],
    params: Mapping[str, str],
    link: str,
    key: str,
    channels: Iterable[str] = IN_APP_ONLY,
) -> None:
    """Tell `recipients` (user ids) something, in this unit of work; delivered after its commit.

    `channels` are values of `Channel`, in any case. Raises ValueError for an unknown template or channel,
    a missing parameter, a link that leaves the site or a key that is too long.
    """
    try:
        chosen = tuple(_CHANNELS[channel.upper()] for channel in channels)
    except KeyError as error:
        raise ValueError(f"unknown channel {error}") from None
    notify_all(session, [Notice(template, frozenset(recipients), params, link, key, chosen)])


def notify_all(session: Session, notices: Iterable[Notice]) -> None:
    """`notify` for many events at once, in one statement."""
    rows = [row for notice in notices for row in _rows(notice)]
    if not rows:
        return
    session.execute(upsert(session, OutboxMessage).on_conflict_do_nothing(index_elements=["key"]), rows)
    transaction = session.get_transaction()
    if session.info.get(_WAKING) is not transaction:
        session.info[_WAKING] = transaction
        after_commit(session, wake_up)


def _rows(notice: Notice) -> list[dict[str, Any]]:
    if not notice.link.startswith("/") or notice.link.startswith(("//", "/\\")):
        raise ValueError(f"a message links within this site, not to {notice.link!r}")
    if not 0 < len(notice.key) <= _LONGEST_KEY:
        raise ValueError(f"a key has 1 to {_LONGEST_KEY} characters")
    params = checked_params(notice.template, notice.params)
    now = utcnow()
    return [
        {
            "key": f"{notice.key}:{channel.lower()}:{recipient}",
            "channel": channel,
            "recipient_id": recipient,
            "template": notice.template,
            "params": params,
            "link": notice.link,
            "state": OutboxState.PENDING,
            "attempts": 0,
            "next_attempt_at": (channel is Channel.SMS and notice.sms_not_before) or now,
            "error": "",
            "created_at": now,
        }
        # One order for all transactions, so that two of them never wait for each other's keys in a ring.
        for recipient in sorted(notice.recipients)
        for channel in sorted(notice.channels)
    ]
