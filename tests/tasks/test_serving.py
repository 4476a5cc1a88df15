"""`make run`: site and worker under one process; they come together and go together."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select

from app.core.enums import Light
from app.models.alert import Alert
from config import Settings
from tests.browser.server import Server
from tests.databases import DEMO
from tests.programs import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all servers of this page keep their data, one after the other."""
    return tmp_path_factory.mktemp("serving")


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder, projects=DEMO)
    running.run()
    yield running
    running.stop()


def processes(server: Server) -> list[int]:
    """The process ids of the group that was started, the first one excepted."""
    assert server.web is not None
    listed = subprocess.run(["ps", "-o", "pid=", "-g", str(server.web.pid)], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split() if int(line) != server.web.pid]


def worker_of(server: Server) -> int:
    """The one child of the first process that has no children itself: the site has workers below it."""
    assert server.web is not None
    parents = [_parent(pid) for pid in processes(server)]
    return next(pid for pid in processes(server) if _parent(pid) == server.web.pid and pid not in parents)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_make_run_is_this_command() -> None:
    done = subprocess.run(["make", "-n", "run"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "flask start --serve" in done.stdout


def test_the_first_start_loads_the_demo_with_its_lights(server: Server) -> None:
    """The clock looks every ten minutes, and a visitor comes before that."""
    engine = create_engine(Settings.from_environment(server.environment).database_url)
    with engine.connect() as connection:
        red = select(func.count()).select_from(Alert).where(Alert.light == Light.RED)
        assert connection.scalar(red), "nothing of the demo is late"
    engine.dispose()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both(server: Server, number: int) -> None:
    assert server.web is not None
    assert len(processes(server)) == 4, "the site with its two workers, and the worker"
    os.kill(server.web.pid, number)
    assert server.web.wait(30) == 0
    assert processes(server) == []


def test_one_does_not_outlive_the_other(server: Server) -> None:
    """Whoever watches the command must learn that half of it is gone."""
    assert server.web is not None
    os.kill(worker_of(server), signal.SIGKILL)
    assert server.web.wait(40) == 1
    assert processes(server) == []
