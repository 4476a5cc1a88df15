"""A worker process of its own, told by lines on its standard input what to do and when to begin.

Each line is `ACTION NOW FLAG`: it says `ready`, waits for the file FLAG, does the action as of the moment NOW
and says `done`. Actions: `scan`, `deliver`, and `die`, which is killed while it sends a text message.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
import time
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


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    app = create_app()
    for line in sys.stdin:
        action, now, flag = line.rstrip("\n").split(" ", 2)
        say("ready")
        while not Path(flag).exists():
            time.sleep(0.001)
        with app.app_context():
            do(action, dt.datetime.fromisoformat(now))
        say("done")


if __name__ == "__main__":
    main()
