"""Programs of the product as processes of their own.

They are forked from one process that has imported the product already: each start then takes a fifth of its
time, and what runs, and dies, is the same program.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.preload"])


class Running:
    """A program that runs, leader of a process group of its own."""

    def __init__(self, program: Callable[..., None], *arguments: Any, environment: Mapping[str, str]) -> None:
        heard, told = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=_lead, args=(dict(environment), told, program, *arguments))
        self._process.start()
        told.close()
        heard.recv()
        self.pid: int = self._process.pid or 0

    def ended(self) -> int | None:
        """Its exit code, or None while it runs; the negative number of the signal that killed it."""
        return self._process.exitcode

    def wait(self, seconds: float) -> int:
        """Its exit code at its end. Raises TimeoutError when that takes longer."""
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            raise TimeoutError(f"Still running after {seconds} seconds.")
        return code

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """End it and all its children, as a power cut would."""
        if self.ended() is None:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait(10)


def line() -> tuple[Connection, Connection]:
    """Two ends to talk over; give the far one to a program, and close it here."""
    return _FORKS.Pipe()


def flask(*command: str, environment: Mapping[str, str], output: Path) -> Running:
    """`flask command …`, writing to a file what it has to say."""
    return Running(_flask, command, output, environment=environment)


def _lead(
    environment: dict[str, str], told: Connection, program: Callable[..., None], *arguments: Any
) -> None:
    os.setsid()
    told.send(None)
    told.close()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    gc.enable()
    program(*arguments)


def _flask(command: tuple[str, ...], output: Path) -> None:
    from flask.cli import main

    with output.open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    sys.argv = ["flask", *command]
    main()
