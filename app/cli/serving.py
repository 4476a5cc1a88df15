"""The two programs that serve an installation: the site (gunicorn) and the worker (Huey's consumer).

`flask serve` runs one of them, or both as forks of the process that has imported the product already.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Any

import click
from flask import Flask, current_app
from gunicorn.app.base import BaseApplication

from app.extensions import db
from app.tasks.runtime import clock_of
from config import Settings

PROGRAMS = ("site", "worker", "both")
_PATIENCE = 30
"""Seconds that a program told to end has for what it is doing."""


class _Site(BaseApplication):
    """gunicorn over the application at hand."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        super().__init__()

    def load_config(self) -> None:
        settings: Settings = self.app.config["SETTINGS"]
        for name, value in {
            "bind": f"{settings.host}:{settings.port}",
            "workers": settings.web_workers,
            "threads": 8,
            "timeout": 120,
            "graceful_timeout": _PATIENCE,
            "preload_app": True,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 heartbeats must not wait for a disk
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.app


@click.command("serve")
@click.argument("program", type=click.Choice(PROGRAMS), default="both")
def serve(program: str) -> None:
    """Run the site, the worker, or both, until a signal; when one of both ends, so does the other."""
    {"site": serve_site, "worker": serve_worker, "both": serve_both}[program](this_app())


def this_app() -> Flask:
    """The application of this command; the proxy that Flask gives would not outlive its context."""
    return current_app._get_current_object()  # type: ignore[attr-defined]


def serve_site(app: Flask) -> None:
    """Answer requests; HOST, PORT and WEB_WORKERS say where and how many at once."""
    _let_go(app)
    _Site(app).run()


def serve_worker(app: Flask) -> None:
    """Run what is queued and what the clock says."""
    _let_go(app)
    clock_of(app).huey.create_consumer(
        workers=2, max_delay=1, graceful_signal="TERM", shutdown_timeout=_PATIENCE
    ).run()


def serve_both(app: Flask) -> None:
    """Site and worker, each in a process of its own."""
    _let_go(app)
    programs = [_fork(serve_site, app), _fork(serve_worker, app)]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    try:
        wait([program.sentinel for program in programs])
        sys.exit(1)
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.join(_PATIENCE)
            program.kill()


def _fork(program: Callable[[Flask], None], app: Flask) -> ForkProcess:
    started = multiprocessing.get_context("fork").Process(target=program, args=(app,))
    started.start()
    return started


def _let_go(app: Flask) -> None:
    """Close what must not be shared with a fork: connections to the database and the queue."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    storage: Any = clock_of(app).huey.storage
    storage.close()
