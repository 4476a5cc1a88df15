"""Milliseconds, SQL statements and size of a page. The fastest of several rounds counts: what the page
needs when nothing else runs on the machine, for ours and for plain Flask-AppBuilder alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

ROUNDS = 9


class Statements:
    """Counts what reaches the database."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        event.listen(Engine, "before_cursor_execute", self._note)

    def _note(self, _conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "PRAGMA")):
            self.texts.append(statement)


def page(
    client: FlaskClient, counted: Statements, address: str, before: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """One page, fetched several times after one to warm up; `before` runs before each."""
    client.get(address)
    times = []
    for _ in range(ROUNDS):
        before()
        counted.texts.clear()
        started = time.perf_counter()
        response = client.get(address)
        times.append((time.perf_counter() - started) * 1000)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}")
    return {
        "statements": len(counted.texts),
        "ms": round(min(times), 2),
        "kb": len(response.data) // 1024,
    }


def token(html: str) -> str:
    """The CSRF token of a page's first form."""
    return html.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
