"""The duplicate check over 100,000 projects with realistic titles and scopes: how long one search takes while
typing and at submission, what one write costs, and how large the index is."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.orm import Session

from app import create_app
from app.access.actor import SYSTEM
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.similarity import SimilarityEntry, SimilarityGram, SimilarityPosting
from app.services import similarity
from app.services.unit_of_work import current_session, unit_of_work
from tests.bench import titles

SEARCHES = 100
_BATCH = 5_000
_TABLES = (SimilarityPosting, SimilarityEntry, SimilarityGram)


def main() -> None:
    """Give the loaded projects realistic texts, index them, and measure."""
    app = create_app()
    with app.app_context():
        _retitle()
        started = time.perf_counter()
        built = similarity.rebuild_all()
        seconds = time.perf_counter() - started
        session = current_session()
        if session.get_bind().dialect.name == "postgresql":
            session.commit()
            with session.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
                plain.execute(text("VACUUM ANALYZE"))
        chance = random.Random(99)
        fresh = [(titles.title(chance), titles.scope(chance)) for _ in range(SEARCHES)]
        known = _known(session, chance)
        result = {
            "projects": built.projects,
            "postings": built.postings,
            "rebuild_seconds": round(seconds, 1),
            "index_mb": _megabytes(session),
            "typing_ms": _times(lambda pair: _find(session, pair[0], ""), fresh),
            "typing_known_ms": _times(lambda pair: _find(session, pair[0], ""), known),
            "submit_ms": _times(lambda pair: _find(session, *pair), fresh),
            "submit_known_ms": _times(lambda pair: _find(session, *pair), known),
            "write_ms": _writes(chance),
        }
    print(json.dumps(result))


def _retitle() -> None:
    with unit_of_work(SYSTEM) as session:
        rows = session.execute(
            select(Project.id, Declaration.id)
            .join(Declaration, Declaration.project_id == Project.id)
            .order_by(Project.id)
        ).all()
        connection = session.connection()
        named = update(Project.__table__).where(Project.id == bindparam("pk")).values(title=bindparam("t"))
        scoped = (
            update(Declaration.__table__)
            .where(Declaration.id == bindparam("pk"))
            .values(title=bindparam("t"), scope_text=bindparam("s"))
        )
        pairs = list(zip(rows, titles.texts(len(rows)), strict=True))
        for start in range(0, len(pairs), _BATCH):
            part = pairs[start : start + _BATCH]
            connection.execute(named, [{"pk": ids[0], "t": title} for ids, (title, _) in part])
            connection.execute(
                scoped, [{"pk": ids[1], "t": title, "s": scope} for ids, (title, scope) in part]
            )


def _known(session: Session, chance: random.Random) -> list[tuple[str, str]]:
    most = session.scalar(select(func.max(Project.id))) or 1
    ids = [chance.randrange(1, most + 1) for _ in range(SEARCHES)]
    rows = session.execute(
        select(Declaration.title, Declaration.scope_text).where(Declaration.project_id.in_(ids))
    )
    return [(title, scope) for title, scope in rows]


def _find(session: Session, title: str, scope: str) -> None:
    similarity.find(session, SYSTEM, similarity.Sought(title, scope))


def _times(search: Callable[[tuple[str, str]], None], pairs: list[tuple[str, str]]) -> dict[str, float]:
    search(pairs[0])
    times = []
    for pair in pairs:
        started = time.perf_counter()
        search(pair)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return {
        "median": round(statistics.median(times), 1),
        "p95": round(times[int(len(times) * 0.95) - 1], 1),
        "most": round(times[-1], 1),
    }


def _writes(chance: random.Random) -> float:
    """What indexing adds to one submission: title and scope both new."""
    times = []
    with unit_of_work(SYSTEM) as session:
        ids = session.scalars(select(Project.id).order_by(Project.id).limit(SEARCHES)).all()
        for project_id in ids:
            session.execute(
                update(Declaration)
                .where(Declaration.project_id == project_id)
                .values(scope_text=titles.scope(chance))
            )
            session.execute(
                update(Project).where(Project.id == project_id).values(title=titles.title(chance))
            )
            started = time.perf_counter()
            similarity.index_projects(session, [project_id])
            times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 2)


def _megabytes(session: Session) -> dict[str, Any]:
    names = [table.__tablename__ for table in _TABLES]
    if session.get_bind().dialect.name == "postgresql":
        sizes = [session.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0 for name in names]
    else:
        sizes = [
            session.scalar(text("SELECT sum(pgsize) FROM dbstat WHERE name = :name"), {"name": name}) or 0
            for name in names
        ]
    return {name: round(size / 1e6, 1) for name, size in zip(names, sizes, strict=True)}


if __name__ == "__main__":
    main()
