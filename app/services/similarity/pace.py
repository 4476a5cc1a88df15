"""How often one person may ask while typing. Counted in this process: a GET leaves nothing behind."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from threading import Lock

from app.core.errors import TooMany

MOST_A_MINUTE = 60
_MINUTE = 60.0
_MOST_PEOPLE = 2_000

_asked: OrderedDict[int, deque[float]] = OrderedDict()
_lock = Lock()


def check_pace(user_id: int | None, now: float | None = None) -> None:
    """Note one question. Raises `TooMany` beyond `MOST_A_MINUTE` within a minute."""
    moment = time.monotonic() if now is None else now
    key = user_id or 0
    with _lock:
        times = _asked.setdefault(key, deque())
        _asked.move_to_end(key)
        if len(_asked) > _MOST_PEOPLE:
            _asked.popitem(last=False)
        while times and times[0] <= moment - _MINUTE:
            times.popleft()
        if len(times) >= MOST_A_MINUTE:
            raise TooMany("You have asked too often within a minute. Wait a little.")
        times.append(moment)
