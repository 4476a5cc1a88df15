"""Keeping versions, and reading them through the policy of their document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session, load_only

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import NotFound
from app.models.base import Document
from app.models.history import DocumentVersion
from app.models.project import Project
from app.models.user import AppUser
from app.services.history.content import Content, contents
from app.services.history.description import Described, VersionEvent, all_described, described
from app.services.unit_of_work import current_session


def keep(session: Session, actor: Actor, document: Any, event: VersionEvent) -> None:
    """Keep what a document holds now, inside the caller's unit of work. A second submission is kept as
    RESUBMITTED. A kind of document that has no description keeps nothing."""
    keep_all(session, actor, [document], event)


def keep_all(session: Session, actor: Actor, documents: Sequence[Any], event: VersionEvent) -> None:
    """The same for many documents of one kind, in a fixed number of statements."""
    description = described(kind_of(documents[0])) if documents else None
    if description is None:
        return
    session.flush()
    last = _last(session, description.kind, [document.id for document in documents])
    versions = [
        _version(actor, description, document, content, last.get(document.id), event)
        for document, content in zip(documents, contents(session, description, documents), strict=True)
    ]
    session.execute(insert(DocumentVersion), versions)


def backfill(session: Session) -> int:
    """Keep what open documents hold that were submitted before versions were kept (an older installation,
    the demo data), under their own time and submitter. Returns how many."""
    count = 0
    for description in all_described().values():
        model: Any = description.model
        if not issubclass(model, Document):
            continue
        kept = select(DocumentVersion.document_id).where(DocumentVersion.kind == description.kind)
        waiting = select(model).where(model.status.in_(_OPEN), model.submitted_at.is_not(None))
        statement = waiting.where(model.id.not_in(kept)).order_by(model.id).limit(_AT_ONCE)
        while documents := session.scalars(statement).all():
            _backfill(session, description, documents)
            count += len(documents)
    return count


_OPEN = (DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED)
_AT_ONCE = 200


def _backfill(session: Session, description: Described, documents: Sequence[Any]) -> None:
    wanted = {document.submitted_by_id for document in documents}
    people = session.scalars(select(AppUser).where(AppUser.id.in_(wanted)))
    names = {person.id: person.full_name for person in people}
    session.execute(
        insert(DocumentVersion),
        [
            {
                "kind": description.kind,
                "document_id": document.id,
                "no": 1,
                "event": VersionEvent.SUBMITTED.value,
                "at": document.submitted_at,
                "user_id": document.submitted_by_id,
                "user_name": names.get(document.submitted_by_id, "")[:128],
                "row_version": document.version,
                "content": content,
            }
            for document, content in zip(documents, contents(session, description, documents), strict=True)
        ],
    )


def kind_of(document: Any) -> str:
    """The kind under which a document's versions are kept: its own, `project` for a project."""
    return "project" if isinstance(document, Project) else str(document.document_kind)


@dataclass(frozen=True)
class Kept:
    """One version with its content, its own or that of the version it repeats."""

    version: DocumentVersion
    content: Content


def versions_of(session: Session, actor: Actor, kind: str, document_id: int) -> Sequence[DocumentVersion]:
    """The versions of a document within the actor's scope, newest first, without their contents."""
    heads = (
        DocumentVersion.no,
        DocumentVersion.event,
        DocumentVersion.at,
        DocumentVersion.user_name,
        DocumentVersion.same_as,
        DocumentVersion.kind,
        DocumentVersion.document_id,
        DocumentVersion.row_version,
    )
    statement = (
        policy.scoped(actor, DocumentVersion)
        .where(DocumentVersion.kind == kind, DocumentVersion.document_id == document_id)
        .order_by(DocumentVersion.no.desc())
        .options(load_only(*heads))
    )
    return session.scalars(statement).all()


def document_of(actor: Actor, kind: str, document_id: int) -> Any:
    """A document that keeps versions. Raises `NotFound` for one the actor may not read."""
    description = described(kind)
    if description is None:
        raise NotFound
    return policy.load(current_session(), actor, description.model, document_id)


def pair(actor: Actor, kind: str, document_id: int, old: int, new: int) -> tuple[Any, Kept, Kept]:
    """A document and two of its versions by their numbers. Raises `NotFound` for a document the actor may
    not read, or a version there is not."""
    session = current_session()
    document = document_of(actor, kind, document_id)
    return document, _kept(session, kind, document_id, old), _kept(session, kind, document_id, new)


def _kept(session: Session, kind: str, document_id: int, no: int) -> Kept:
    version = _one(session, kind, document_id, no)
    content = version.content
    if content is None and version.same_as is not None:
        content = _one(session, kind, document_id, version.same_as).content
    return Kept(version, content or {"fields": {}, "tables": {}, "files": []})


def _one(session: Session, kind: str, document_id: int, no: int) -> DocumentVersion:
    version = session.scalars(
        select(DocumentVersion).where(
            DocumentVersion.kind == kind,
            DocumentVersion.document_id == document_id,
            DocumentVersion.no == no,
        )
    ).one_or_none()
    if version is None:
        raise NotFound
    return version


@dataclass(frozen=True)
class _Last:
    no: int
    content_no: int
    content: Content | None


def _last(session: Session, kind: str, ids: Sequence[int]) -> dict[int, _Last]:
    """The number of each document's newest version, and the newest content that was stored."""
    mine = (DocumentVersion.kind == kind, DocumentVersion.document_id.in_(ids))
    newest = select(DocumentVersion.document_id, func.max(DocumentVersion.no).label("no")).where(*mine)
    numbers = newest.group_by(DocumentVersion.document_id).subquery()
    stored = newest.where(DocumentVersion.same_as.is_(None)).group_by(DocumentVersion.document_id).subquery()
    rows = session.execute(
        select(numbers.c.document_id, numbers.c.no, stored.c.no, DocumentVersion.content)
        .join(stored, stored.c.document_id == numbers.c.document_id)
        .join(
            DocumentVersion,
            (DocumentVersion.kind == kind)
            & (DocumentVersion.document_id == stored.c.document_id)
            & (DocumentVersion.no == stored.c.no),
        )
    )
    return {document_id: _Last(no, content_no, content) for document_id, no, content_no, content in rows}


def _version(
    actor: Actor,
    description: Described,
    document: Any,
    content: Content,
    last: _Last | None,
    event: VersionEvent,
) -> dict[str, Any]:
    same = last is not None and last.content == content
    if event is VersionEvent.SUBMITTED and last is not None:
        event = VersionEvent.RESUBMITTED
    return {
        "kind": description.kind,
        "document_id": document.id,
        "no": last.no + 1 if last else 1,
        "event": event.value,
        "user_id": actor.user_id,
        "user_name": actor.name[:128],
        "row_version": document.version,
        "same_as": last.content_no if last and same else None,
        "content": None if same else content,
    }
