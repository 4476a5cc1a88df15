"""Counting what the database is asked: the guard against a query per row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "PRAGMA", "SELECT PG_CURRENT_SNAPSHOT")


class Statements(list[str]):
    """What was sent, in order; transactions' own words are not counted."""

    def __str__(self) -> str:
        lines = (" ".join(text.split())[:300] for text in self)
        return "\n".join(f"{number:>3}. {line}" for number, line in enumerate(lines, start=1))


@contextmanager
def count_statements() -> Iterator[Statements]:
    """Every statement sent while the block runs, by any engine of this process.

    with count_statements() as sent:
        client.get("/…")
    assert len(sent) <= 10, sent
    """
    sent = Statements()

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip().upper().startswith(_BOOKKEEPING):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)
