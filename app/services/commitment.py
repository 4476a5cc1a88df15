"""What of a project's funds is bound already, contracted or paid (domain.md 3.3; section 4, invariant 2)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Commitment:
    """What one kind of document binds of one project: the amount in yuan, and the documents' numbers."""

    amount: Decimal
    documents: str


Source = Callable[[Session, Collection[int]], Mapping[int, Commitment]]
"""Answers for all the projects in one statement; a project of which nothing is bound may be missing."""

_sources: dict[str, Source] = {}


def register(kind: str, source: Source) -> None:
    """Let a kind of document (`contract`, `disbursement`) say what it binds; its service calls this once,
    when it is imported."""
    _sources[kind] = source


def unregister(kind: str) -> None:
    """Forget a kind again."""
    _sources.pop(kind, None)


def committed_amount(session: Session, project_ids: Collection[int]) -> dict[int, Commitment]:
    """What is bound of each project, in yuan, with the documents that bind it; a project of which nothing is
    bound is missing. What is paid is contracted too, so the kinds are not added up: the largest counts."""
    bound: dict[int, Commitment] = {}
    if not project_ids:
        return bound
    for source in _sources.values():
        for project_id, found in source(session, project_ids).items():
            if project_id not in bound or found.amount > bound[project_id].amount:
                bound[project_id] = found
    return {project_id: found for project_id, found in bound.items() if found.amount > 0}
