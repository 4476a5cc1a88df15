"""How long `make run` takes from the command to the first answer, once the demo data is there."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.browser.server import Server
from tests.programs import ROOT

TIMES = 5


def seconds_to_answer() -> float:
    """The middle of several starts on the same data."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), projects=300)
        server.prepare()
        return round(statistics.median(_start(server) for _ in range(TIMES)), 2)


def _start(server: Server) -> float:
    started = time.perf_counter()
    with (server.folder / "web.log").open("ab") as output:
        process = subprocess.Popen(
            ["make", "run"],
            env=server.environment,
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server.wait(process.poll)
    taken = time.perf_counter() - started
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    return taken


if __name__ == "__main__":
    print(seconds_to_answer())
