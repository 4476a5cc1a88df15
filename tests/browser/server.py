"""The product as `make run` starts it: migrations, demo data, gunicorn, worker, in a folder of its own."""

from __future__ import annotations

import os
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import programs
from tests.databases import PASSWORD
from tests.programs import Running


class Server:
    """Site and worker as child processes; `kill_web` and `kill_worker` end them as a power cut would."""

    def __init__(self, folder: Path, projects: int = 1, **environment: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TEST_")},
            "APP_PROFILE": "demo",
            "DATA_DIR": str(folder),
            "DEMO_PASSWORD": PASSWORD,
            "DEMO_PROJECTS": str(projects),
            "PORT": str(self.port),
            "FLASK_APP": "run.py",
            **environment,
        }
        self.sessions: dict[str, Any] = {}
        """The cookies of everybody who has logged in, so that not every window costs a password check."""
        self.web: Running | None = None
        self.worker: Running | None = None

    def run(self) -> None:
        """Everything at once, as `make run` does."""
        self.web = self._start("web", "start", "--serve")
        self.wait(self.web.ended)

    def prepare(self) -> None:
        """Migrate and load the demo data."""
        if self._start("start", "start").wait(120):
            raise RuntimeError((self.folder / "start.log").read_text())

    def start_web(self) -> None:
        """Start the site and wait until it answers."""
        self.web = self._start("web", "serve", "site")
        self.wait(self.web.ended)

    def start_worker(self) -> None:
        """Start the Huey consumer."""
        self.worker = self._start("worker", "serve", "worker")

    def _start(self, name: str, *command: str) -> Running:
        return programs.flask(*command, environment=self.environment, output=self.folder / f"{name}.log")

    def wait(self, ended: Callable[[], int | None]) -> None:
        """Until the site answers; raises RuntimeError when its process has ended or two minutes pass."""
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/login/", timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline or ended() is not None:
                    raise RuntimeError((self.folder / "web.log").read_text()) from None
                time.sleep(0.05)

    def kill_web(self) -> None:
        """End the site at once, children included."""
        if self.web is not None:
            self.web.kill()

    def kill_worker(self) -> None:
        """End the worker at once."""
        if self.worker is not None:
            self.worker.kill()

    def stop(self) -> None:
        """End both."""
        self.kill_worker()
        self.kill_web()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
