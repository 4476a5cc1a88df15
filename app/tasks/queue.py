"""The queue between the web processes and the workers, chosen by HUEY_URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from huey import MemoryHuey, RedisHuey, SqliteHuey
from huey.api import Huey
from huey.serializer import SignedSerializer

NAME = "govproject"
_SQLITE = "sqlite:///"


def make_huey(url: str, *, secret: str) -> Huey:
    """The queue at `url`: `sqlite:///path`, `redis://host:port/db` (or `rediss://`), or `memory://`, which
    runs each task at once in the caller's process (tests).

    Entries are signed with `secret`: whoever can write to the queue without knowing it makes no worker do
    anything. Raises ValueError for any other address, so that the program does not start.
    """
    serializer = SignedSerializer(secret=secret, salt=NAME)
    match urlsplit(url).scheme:
        case "memory":
            return MemoryHuey(NAME, immediate=True, serializer=serializer, results=False)
        case "sqlite" if url.startswith(_SQLITE):
            path = Path(url.removeprefix(_SQLITE))
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteHuey(NAME, filename=str(path), serializer=serializer, results=False, timeout=15)
        case "redis" | "rediss":
            return RedisHuey(NAME, url=url, serializer=serializer, results=False)
    raise ValueError(f"HUEY_URL is {url!r}; use sqlite:///path, redis://host:port/db or memory://")
