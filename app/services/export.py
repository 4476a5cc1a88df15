"""Workbooks of lists: written in a stream, noted in the log, not more a minute than a person needs."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core import xlsx
from app.core.errors import TooMany
from app.models.base import utcnow
from app.models.log import SystemLog
from app.services import log
from app.services.unit_of_work import current_session, unit_of_work

EVENT = "EXPORT"
MOST_A_MINUTE = 30
"""Of one user: more is a program that takes the data away (ASVS 2.4.1)."""

_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True)
class Workbook:
    """A written workbook, at its beginning, to be closed by whoever sends it: `count` rows, `size` bytes."""

    file: BinaryIO
    count: int
    size: int


def workbook(
    actor: Actor,
    *,
    noun: str,
    title: str,
    columns: Sequence[xlsx.Column],
    rows: Iterable[Sequence[object]],
    total_label: str,
    criteria: str = "",
) -> Workbook:
    """Write the rows under the columns; `title` and `total_label` come in the reader's language, `criteria`
    is what the rows were narrowed to, for the log. Raises `TooMany` beyond `MOST_A_MINUTE`."""
    _refuse_too_many(current_session(), actor)
    with ExitStack() as closing:
        # A temporary file, not memory: the workbook of 100,000 rows must not grow the process.
        file = closing.enter_context(tempfile.TemporaryFile())
        count = xlsx.write_rows(
            columns, rows, sheet_title=title, heading=None, out=file, total_label=total_label
        )
        size = file.tell()
        file.seek(0)
        with unit_of_work(actor) as session:
            log.record(session, actor, EVENT, noun=noun, summary=f"{title}: {count} {criteria}".strip())
        closing.pop_all()
    return Workbook(cast(BinaryIO, file), count, size)


def _refuse_too_many(session: Session, actor: Actor) -> None:
    lately = session.scalar(
        select(func.count(SystemLog.id)).where(
            SystemLog.at > utcnow() - _MINUTE,
            SystemLog.event == EVENT,
            SystemLog.user_id == actor.user_id,
        )
    )
    if (lately or 0) >= MOST_A_MINUTE:
        raise TooMany("You have exported %(count)s lists within a minute. Wait a little.", count=lately or 0)
