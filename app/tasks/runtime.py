"""An application's clock: its queue, its jobs, and how a job runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import cast

from flask import Flask, current_app
from huey import crontab
from huey.api import Huey

from app.gateways.sms import SmsGateway, make_gateway
from app.models.base import utcnow
from app.services import alert, clock, message, similarity
from app.tasks.queue import make_huey
from config import Settings

_EXTENSION = "clock"
_WAKE_EXPIRES = 60
"""Seconds. A wake-up that no worker took by then is useless: the job of the next minute does its work."""

Job = Callable[[], object]


class Clock:
    """The jobs of one application. Each is safe to run twice at once: the database decides who does what."""

    def __init__(self, app: Flask, huey: Huey, gateway: SmsGateway) -> None:
        self.app = app
        self.huey = huey
        self.gateway = gateway
        self.worker = f"{socket.gethostname()}:{os.getpid()}"
        # huey reckons in UTC: 19:10 is ten past three in the night in China.
        self._every(crontab(), clock.BEATS, self.deliver_outbox)
        self._every(crontab(minute="*/10"), "scan_reviews", self.scan_reviews)
        self._every(crontab(minute="10", hour="19"), "clean_up", self.clean_up)
        self._every(crontab(minute="40", hour="19"), "refresh_similarity", self.refresh_similarity)
        self._wake = huey.task(name="wake", expires=_WAKE_EXPIRES)(self._woken)

    def wake(self) -> None:
        """Have a worker deliver what was just committed; in memory, deliver it here and now."""
        self._wake()

    def deliver_outbox(self) -> message.Delivered:
        """Deliver what is due."""
        return message.deliver_due(self.gateway, worker=self.worker)

    def scan_reviews(self) -> alert.Scanned:
        """Renew the lights of open reviews and tell whom they concern."""
        return alert.scan_reviews()

    def clean_up(self) -> clock.CleanedUp:
        """Remove what has been kept long enough."""
        return clock.clean_up()

    def refresh_similarity(self) -> similarity.Rebuilt:
        """Index projects that were left out, and count anew which words are common."""
        return similarity.refresh()

    def run(self, name: str, job: Job) -> None:
        """Run a job in an application context (and so a session) of its own, and write down how it went."""
        with self.app.app_context():
            started_at = utcnow()
            try:
                outcome = str(job())
            except Exception as error:
                clock.record_run(
                    name, started_at, self.worker, outcome=f"{type(error).__name__}: {error}", failed=True
                )
                raise
            clock.record_run(name, started_at, self.worker, outcome=outcome)

    def _woken(self) -> None:
        with self.app.app_context():
            self.deliver_outbox()

    def _every(self, when: Callable[..., bool], name: str, job: Job) -> None:
        def periodic() -> None:
            self.run(name, job)

        self.huey.periodic_task(when, name=name)(periodic)


def install(app: Flask) -> Clock:
    """Give the application its clock. Raises ValueError for a HUEY_URL or SMS_GATEWAY that is not known."""
    settings = cast(Settings, app.config["SETTINGS"])
    huey = make_huey(settings.huey_url, secret=settings.secret_key)
    installed = Clock(app, huey, make_gateway(settings.sms_gateway))
    app.extensions[_EXTENSION] = installed
    message.wake_up.bind(_wake_current)
    return installed


def clock_of(app: Flask) -> Clock:
    """The clock that `install` gave the application."""
    return cast(Clock, app.extensions[_EXTENSION])


def _wake_current() -> None:
    clock_of(current_app).wake()
