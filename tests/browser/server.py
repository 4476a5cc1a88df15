"""The product as `make run` starts it: migrations, demo data, gunicorn, worker, in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.databases import PASSWORD

ROOT = Path(__file__).resolve().parents[2]


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
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **environment,
        }
        self.sessions: dict[str, Any] = {}
        """The cookies of everybody who has logged in, so that not every window costs a password check."""
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Everything at once, as `make run` does."""
        self.web = self._spawn("web", "start", "--serve")
        self.wait(self.web)

    def prepare(self) -> None:
        """Migrate and load the demo data."""
        done = subprocess.run(
            ["flask", "start"], env=self.environment, cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)

    def start_web(self) -> None:
        """Start the site and wait until it answers."""
        self.web = self._spawn("web", "serve", "site")
        self.wait(self.web)

    def start_worker(self) -> None:
        """Start the Huey consumer."""
        self.worker = self._spawn("worker", "serve", "worker")

    def _spawn(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                ["flask", *command],
                env=self.environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait(self, web: subprocess.Popen[bytes]) -> None:
        """Until the site answers; raises RuntimeError when its process ends or two minutes pass."""
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/login/", timeout=5).close()
                return
            except OSError:
                if time.monotonic() > deadline or web.poll() is not None:
                    raise RuntimeError((self.folder / "web.log").read_text()) from None
                time.sleep(0.05)

    def kill_web(self) -> None:
        """End the site at once, children included."""
        _kill(self.web)

    def kill_worker(self) -> None:
        """End the worker at once."""
        _kill(self.worker)

    def stop(self) -> None:
        """End both."""
        self.kill_worker()
        self.kill_web()


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.poll() is None:
        os.killpg(process.pid, 9)
        process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
