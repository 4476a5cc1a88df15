"""Keeping the index: in the transaction that writes a project or its scope, and anew by a command."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, event, func, insert, inspect, select, update
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.similarity import SimilarityEntry, SimilarityGram, SimilarityPosting
from app.models.unit import Unit
from app.services.similarity.text import Grams, pack, scope_prints, title_grams, unpack
from app.services.unit_of_work import unit_of_work

_R = TypeVar("_R")

TOTAL = 0
"""The gram under which the number of all projects is kept."""

_RARE = 3
_BATCH = 2_000
_ROWS = 10_000

TOLD = (
    DocumentStatus.IN_REVIEW,
    DocumentStatus.APPROVED,
    DocumentStatus.REJECTED,
    DocumentStatus.TERMINATED,
)
"""States in which a declaration's text is what was submitted. What is being revised or was taken back is its
unit's own affair: the index keeps what it had, and nobody else is shown the text."""


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did."""

    projects: int
    postings: int
    grams: int

    def __str__(self) -> str:
        return f"projects={self.projects} postings={self.postings} grams={self.grams}"


def index_projects(session: Session, project_ids: Collection[int]) -> None:
    """Bring the index entries of some projects up to date within the caller's unit of work, after what was
    written about them was flushed. Only what differs is written."""
    session.flush()
    _index(session.connection(), project_ids)


def rebuild(session: Session) -> Rebuilt:
    """Make the whole index anew and count how common each gram is; within a unit of work."""
    connection = session.connection()
    for table in (SimilarityPosting, SimilarityEntry):
        connection.execute(delete(table))
    projects = postings = 0
    for texts in _batches(_all_texts(connection), _BATCH):
        entries = [_Entry.of(text) for text in texts]
        projects += len(entries)
        connection.execute(insert(SimilarityEntry), [entry.row for entry in entries])
        rows = [{"gram": gram, "project_id": entry.project_id} for entry in entries for gram in entry.grams]
        for part in _batches(rows, _ROWS):
            connection.execute(insert(SimilarityPosting), part)
        postings += len(rows)
    return Rebuilt(projects, postings, count_grams(session))


def refresh() -> Rebuilt:
    """For the clock: index projects that some other way of writing left out, and count the grams anew."""
    with unit_of_work(SYSTEM) as session:
        missing = session.scalars(
            select(Project.id).outerjoin(SimilarityEntry).where(SimilarityEntry.project_id.is_(None))
        ).all()
        for part in _batches(missing, _BATCH):
            _index(session.connection(), part)
        return Rebuilt(len(missing), 0, count_grams(session))


def rebuild_all() -> Rebuilt:
    """For the command line: `rebuild` in a unit of work of its own."""
    with unit_of_work(SYSTEM) as session:
        return rebuild(session)


def count_grams(session: Session) -> int:
    """Count in how many projects each gram stands, leaving out the rare ones; returns how many were kept."""
    connection = session.connection()
    total = connection.scalar(select(func.count()).select_from(SimilarityEntry)) or 0
    counted = func.count()
    common = select(SimilarityPosting.gram, counted).group_by(SimilarityPosting.gram).having(counted >= _RARE)
    rows = [{"gram": gram, "projects": number} for gram, number in connection.execute(common)]
    # Generic grams stand in the index only where a title has nothing else; their weight has a lid of its own.
    connection.execute(delete(SimilarityGram))
    connection.execute(insert(SimilarityGram), [*rows, {"gram": TOTAL, "projects": total}])
    return len(rows)


def _batches(rows: Iterable[_R], size: int) -> Iterator[list[_R]]:
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


@dataclass(frozen=True)
class _Text:
    project_id: int
    title: str
    unit_names: tuple[str, ...]
    scope: str | None  # None: what the index has is to be kept


@dataclass(frozen=True)
class _Entry:
    project_id: int
    title: Grams
    scope: frozenset[int]

    @classmethod
    def of(cls, text: _Text) -> _Entry:
        return cls(text.project_id, title_grams(text.title, text.unit_names), scope_prints(text.scope or ""))

    @property
    def grams(self) -> frozenset[int]:
        return self.title.indexed | self.scope

    @property
    def row(self) -> dict[str, Any]:
        return {
            "project_id": self.project_id,
            "title_grams": self.title.pack(),
            "scope_grams": pack(self.scope),
        }


def _index(connection: Connection, project_ids: Collection[int]) -> None:
    known = {
        row.project_id: _Entry(
            row.project_id, Grams.unpack(row.title_grams), frozenset(unpack(row.scope_grams))
        )
        for row in connection.execute(
            select(SimilarityEntry.__table__).where(SimilarityEntry.project_id.in_(project_ids))
        )
    }
    for text in _texts(connection, project_ids):
        new, old = _Entry.of(text), known.get(text.project_id)
        if text.scope is None and old is not None:
            new = _Entry(new.project_id, new.title, old.scope)
        _store(connection, new, old)


def _store(connection: Connection, new: _Entry, old: _Entry | None) -> None:
    if old == new:
        return
    if old is None:
        connection.execute(insert(SimilarityEntry), [new.row])
    else:
        mine = SimilarityEntry.project_id == new.project_id
        connection.execute(update(SimilarityEntry).where(mine).values(new.row))
    gone = sorted(old.grams - new.grams) if old else []
    if gone:
        connection.execute(
            delete(SimilarityPosting).where(
                SimilarityPosting.gram.in_(gone), SimilarityPosting.project_id == new.project_id
            )
        )
    come = sorted(new.grams - (old.grams if old else frozenset()))
    if come:
        connection.execute(
            insert(SimilarityPosting), [{"gram": gram, "project_id": new.project_id} for gram in come]
        )


_COLUMNS = (Project.id, Project.title, Unit.name, Unit.short_name, Declaration.scope_text, Declaration.status)


def _texts(connection: Connection, project_ids: Collection[int]) -> list[_Text]:
    statement = (
        select(*_COLUMNS)
        .join(Unit, Unit.id == Project.unit_id)
        .outerjoin(Declaration, Declaration.project_id == Project.id)
        .where(Project.id.in_(project_ids))
        .order_by(Project.id)
    )
    return _readable(connection.execute(statement))


def _all_texts(connection: Connection) -> Iterator[_Text]:
    last = 0
    while True:
        ids = connection.scalars(
            select(Project.id).where(Project.id > last).order_by(Project.id).limit(_BATCH)
        ).all()
        if not ids:
            return
        yield from _texts(connection, ids)
        last = ids[-1]


def _readable(rows: Iterable[Any]) -> list[_Text]:
    """One text a project, whatever the number of its declarations."""
    found: dict[int, _Text] = {}
    for project_id, title, name, short_name, scope, status in rows:
        told = scope if status in TOLD else ("" if status is None else None)
        known = found.get(project_id)
        if known is None or known.scope is None:
            found[project_id] = _Text(project_id, title, (name, short_name), told)
    return list(found.values())


@event.listens_for(Session, "after_flush")
def _follow_titles(session: Session, _context: object) -> None:
    """Whoever writes a project (a declaration, a change, an import) keeps the index with it."""
    renamed = [row.id for row in _projects(session.new)]
    renamed += [row.id for row in _projects(session.dirty) if inspect(row).attrs.title.history.has_changes()]
    if renamed:
        _index(session.connection(), renamed)


def _projects(rows: Iterable[object]) -> Sequence[Project]:
    return [row for row in rows if isinstance(row, Project)]
