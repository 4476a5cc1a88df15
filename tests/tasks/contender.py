"""A worker process of its own, told what to do and when to begin."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

from app import create_app
from app.gateways.sms import RecordingGateway
from app.services import alert, message


class DyingGateway(RecordingGateway):
    """The provider takes the message, and the power goes before anybody here knows."""

    def send(self, mobile: str, text: str, key: str) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().send(mobile, text, key)


def do(action: str, now: dt.datetime) -> None:
    match action:
        case "scan":
            alert.scan_reviews(now)
            message.deliver_due(RecordingGateway())
        case "deliver":
            message.deliver_due(RecordingGateway(), now=now)
        case "die":
            message.deliver_due(DyingGateway(), now=now)


def contend(line: Connection) -> None:
    """Each order is an action, the moment as of which to do it, and a file. Says `ready`, waits until the
    file is there, does the action and says `done`. Actions: `scan`, `deliver`, and `die`, which is killed
    while it sends a text message."""
    app = create_app()
    while True:
        action, now, flag = line.recv()
        line.send("ready")
        while not Path(flag).exists():
            time.sleep(0.001)
        with app.app_context():
            do(action, now)
        line.send("done")
