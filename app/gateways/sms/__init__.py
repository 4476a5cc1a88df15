"""Text messages: one protocol, chosen by the setting SMS_GATEWAY.

Only this package talks to a provider. What was handed over is written down by the message service,
whichever adapter did it, so the administrator's record of text messages is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from app.gateways.sms.recording import RecordingGateway

__all__ = ["GATEWAYS", "RecordingGateway", "SmsGateway", "SmsRefused", "SmsUnavailable", "make_gateway"]


class SmsUnavailable(Exception):
    """The provider did not answer or is busy; trying again later may help."""


class SmsRefused(Exception):
    """The provider will never take this message (a number that does not exist, a barred text)."""


class SmsGateway(Protocol):
    """Hands one text message to a provider."""

    @property
    def name(self) -> str:
        """The adapter's name in the record of text messages."""

    def send(self, mobile: str, text: str, key: str) -> str:
        """Hand over `text` for `mobile` and return the provider's receipt.

        A message may be handed over twice when a worker dies between the provider's answer and our
        record of it. `key` is then the same, so an adapter must pass it on as the provider's
        idempotency key where there is one. Must answer within 10 seconds. Raises `SmsUnavailable`
        or `SmsRefused`.
        """


GATEWAYS: Mapping[str, Callable[[], SmsGateway]] = {"recording": RecordingGateway}


def make_gateway(name: str) -> SmsGateway:
    """The adapter of that name. Raises ValueError for an unknown one, so that the program does not start."""
    try:
        return GATEWAYS[name]()
    except KeyError:
        known = ", ".join(sorted(GATEWAYS))
        raise ValueError(f"SMS_GATEWAY is {name!r}; known gateways: {known}") from None
