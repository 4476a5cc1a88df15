"""The worker process: `python -m app.tasks.worker`, or `huey_consumer app.tasks.worker.huey` with options."""

from __future__ import annotations

from app import create_app
from app.tasks.runtime import clock_of

_LONGEST_WAIT = 1.0
"""Seconds between two looks into an empty queue: as long as a wake-up may take to be noticed."""

app = create_app()
huey = clock_of(app).huey


def main() -> None:
    """Serve the queue and the clock until the process is told to stop."""
    huey.create_consumer(workers=1, max_delay=_LONGEST_WAIT).run()


if __name__ == "__main__":
    main()
