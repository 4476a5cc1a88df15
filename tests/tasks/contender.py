"""A worker process of its own that does one job the moment it is told to, beside others doing the same.

`python -m tests.tasks.contender scan|deliver|die STARTING_FLAG NOW`
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


def main(action: str, flag: Path, now: dt.datetime) -> None:
    app = create_app()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not flag.exists():
        time.sleep(0.001)
    with app.app_context():
        match action:
            case "scan":
                alert.scan_reviews(now)
                message.deliver_due(RecordingGateway())
            case "deliver":
                message.deliver_due(RecordingGateway(), now=now)
            case "die":
                message.deliver_due(DyingGateway(), now=now)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), dt.datetime.fromisoformat(sys.argv[3]))
