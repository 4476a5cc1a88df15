"""附件: taken in, checked, kept and handed out, always through the document it belongs to."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus, LogLevel
from app.core.errors import Conflict, InvalidInput, NotFound, Problem, TooLarge, UnsupportedFile
from app.core.filetypes import HEAD_BYTES, FileKind, RefusedFile, check_content, kind_of_name, safe_name
from app.core.flow import TaskState
from app.gateways.malware import Scanner, SignatureScanner
from app.gateways.storage import FileMissing, Storage
from app.models.attachment import OF_TASK, Attachment
from app.models.base import Document, utcnow
from app.models.flow import FlowLog, Task
from app.models.importing import ImportRun
from app.services import log, parameter, review
from app.services.dictionary import catalogue
from app.services.log import Difference
from app.services.unit_of_work import after_commit, current_session, unit_of_work

CATEGORIES = "attachment_category"
OPINION = "OPINION"
"""The category of files given with an opinion; no entry of the dictionary, for no form asks for them."""
_MB = 1 << 20
_CHUNK = 1 << 20
_IN_MEMORY = 1 << 20
OWN_CATEGORIES: dict[str, frozenset[str]] = {
    "adjustment": frozenset({"ADJUSTMENT", "MINUTES", "BASIS", "OTHER"}),
    "change": frozenset({"CHANGE_LETTER", "CHANGE_SCHEME", "MINUTES", "BASIS", "QUOTE", "OTHER"}),
}
"""Kinds of document that take attachments of these categories only. Those named here alone are offered to no
other kind; BASIS, QUOTE and OTHER belong to declarations as well."""

_SHARED_CATEGORIES = frozenset({"BASIS", "QUOTE", "OTHER"})


def offered(kind: str, category: str) -> bool:
    """Is a category of attachments meant for this kind of document?"""
    if kind in OWN_CATEGORIES:
        return category in OWN_CATEGORIES[kind]
    return category in _SHARED_CATEGORIES or not any(category in own for own in OWN_CATEGORIES.values())


ORPHANS_AFTER = dt.timedelta(days=1)
"""A file without a row may belong to an upload that has not committed yet; a day later it does not."""

ABANDONED_AFTER = dt.timedelta(days=30)
"""A closed task may be taken back; a month later it is not."""


@dataclass
class Desk:
    """The store and the scanner in use; bound when the application is made."""

    storage: Storage | None = None
    scanner: Scanner | None = None

    @property
    def files(self) -> Storage:
        """The store. Raises RuntimeError when none was bound."""
        if self.storage is None:
            raise RuntimeError("no storage is bound; call attachment.bind(make_storage(url)) first")
        return self.storage


_desk = Desk()


def bind(storage: Storage, scanner: Scanner | None = None) -> None:
    """Keep files in `storage` and have them looked through by `scanner` (by default the light one)."""
    _desk.storage, _desk.scanner = storage, scanner or SignatureScanner()


def store() -> Storage:
    """The store in use, for the files of other services. Whoever keeps files there names their keys in
    `remove_orphans`."""
    return _desk.files


def add(
    actor: Actor,
    owner_kind: str,
    owner_id: int,
    category: str,
    name: str,
    stream: IO[bytes],
    size: int | None = None,
) -> Attachment:
    """Attach a file to a document the actor may fill in or, as its reviewer, change; or, with the owner kind
    `OF_TASK` and any category, to the opinion he is writing on a task of his.

    `size` is what the sender announced, in bytes. The same file sent twice under one category is kept once.
    Raises `TooLarge`, `UnsupportedFile`, `InvalidInput` for an unknown category, and what loading the
    document raises.
    """
    session = current_session()
    _writable(session, actor, owner_kind, owner_id, lock=False)
    if owner_kind == OF_TASK:
        category = OPINION
    elif not catalogue(session).allows(CATEGORIES, category):
        raise InvalidInput(
            {"category": [Problem.of("“%(value)s” is not one of the choices here.", value=category)]}
        )
    most = parameter.int_of(session, "attachment.max_size_mb")
    if size is not None and size > most * _MB:
        raise _too_large(most)
    kind = _kind(session, name)
    with _received(stream, most) as file:
        _check(name, file)
        digest, length = _digest(file)
        key = uuid4().hex
        _desk.files.save(key, file)
        row = Attachment(
            owner_kind=owner_kind,
            owner_id=owner_id,
            category=category,
            name=safe_name(name),
            media_type=kind.media_type,
            size=length,
            sha256=digest,
            storage_key=key,
        )
        try:
            kept = _keep(actor, row)
        except BaseException:
            _desk.files.delete(key)
            raise
    if kept is not row:
        _desk.files.delete(key)
    return kept


def remove(actor: Actor, attachment_id: int) -> None:
    """Take an attachment away from a document the actor may fill in or change. Its name and digest stay in
    the log. Raises `Conflict` for one that a review record names."""
    with unit_of_work(actor) as session:
        row: Attachment = policy.load(session, actor, Attachment, attachment_id)
        owner = _writable(session, actor, row.owner_kind, row.owner_id, lock=True)
        named = session.scalars(
            select(FlowLog.attachment_ids).where(
                FlowLog.document_kind == row.owner_kind, FlowLog.document_id == row.owner_id
            )
        )
        if any(row.id in ids for ids in named):
            raise Conflict("This file belongs to a review record and stays.")
        _note(session, actor, owner, row, "ATTACHMENT_REMOVED", old=row.name)
        _drop(session, row)


@dataclass(frozen=True)
class Opened:
    """An attachment with its content, to be closed by the caller."""

    row: Attachment
    content: BinaryIO


def open_attachment(actor: Actor, attachment_id: int) -> Opened:
    """The content for whoever may read the document it belongs to. Raises `NotFound`."""
    session = current_session()
    row: Attachment = policy.load(session, actor, Attachment, attachment_id)
    try:
        return Opened(row, _desk.files.open(row.storage_key))
    except FileMissing as error:
        raise NotFound from error


def attachments_of(session: Session, actor: Actor, owner_kind: str, owner_id: int) -> Sequence[Attachment]:
    """The attachments of a document within the actor's scope, by category, oldest first."""
    statement = (
        policy.scoped(actor, Attachment)
        .where(Attachment.owner_kind == owner_kind, Attachment.owner_id == owner_id)
        .order_by(Attachment.category, Attachment.id)
        .options(joinedload(Attachment.created_by))
    )
    return session.scalars(statement).all()


def remove_all(session: Session, owner_kind: str, owner_id: int) -> None:
    """Remove every attachment of a document that is being removed itself; the files go after the commit."""
    rows = session.scalars(
        select(Attachment).where(Attachment.owner_kind == owner_kind, Attachment.owner_id == owner_id)
    )
    for row in rows.all():
        _drop(session, row)


def remove_orphans(session: Session, *, now: dt.datetime | None = None) -> int:
    """Delete files that no row names: of uploads whose process died, of removals whose clean-up was lost.
    For the daily task. Returns how many."""
    old = set(_desk.files.keys((now or utcnow()) - ORPHANS_AFTER))
    if not old:
        return 0
    named = select(Attachment.storage_key).union_all(select(ImportRun.storage_key))
    orphans = old - set(session.scalars(named))
    for key in orphans:
        _desk.files.delete(key)
    return len(orphans)


def remove_abandoned(session: Session, *, now: dt.datetime | None = None) -> int:
    """Remove what was uploaded for opinions that were never given: whose task somebody else closed a month
    ago. For the daily task, in its unit of work. Returns how many."""
    closed = select(Task.id).where(
        Task.state.not_in((TaskState.OPEN, TaskState.WAITING)),
        Task.done_at < (now or utcnow()) - ABANDONED_AFTER,
    )
    rows = session.scalars(
        select(Attachment).where(Attachment.owner_kind == OF_TASK, Attachment.owner_id.in_(closed))
    ).all()
    for row in rows:
        _drop(session, row)
    return len(rows)


def _keep(actor: Actor, row: Attachment) -> Attachment:
    """The row that now stands for the file: the given one, or an earlier one with the same content."""
    with unit_of_work(actor) as session:
        owner = _writable(session, actor, row.owner_kind, row.owner_id, lock=True)
        present = session.scalars(
            select(Attachment).where(
                Attachment.owner_kind == row.owner_kind, Attachment.owner_id == row.owner_id
            )
        ).all()
        for other in present:
            if (other.category, other.name, other.sha256) == (row.category, row.name, row.sha256):
                return other
        most = parameter.int_of(session, "attachment.max_total_mb")
        if sum(other.size for other in present) + row.size > most * _MB:
            raise TooLarge("The attachments of one document may not exceed %(most)s MB together.", most=most)
        session.add(row)
        session.flush()
        _note(session, actor, owner, row, "ATTACHMENT_ADDED", new=row.name)
        return row


def _writable(session: Session, actor: Actor, owner_kind: str, owner_id: int, *, lock: bool) -> Any:
    if owner_kind == OF_TASK:
        return policy.load(session, actor, Task, owner_id, verb="act", lock=lock)
    model = policy.OWNERS.get(owner_kind)
    if model is None:
        raise NotFound
    owner = policy.load(session, actor, model, owner_id, lock=lock)
    if not policy.may(actor, "amend", owner):
        policy.require(actor, "edit", owner)
    return owner


def _kind(session: Session, name: str) -> FileKind:
    allowed = parameter.list_of(session, "attachment.types")
    try:
        kind = kind_of_name(name)
    except RefusedFile as error:
        raise UnsupportedFile(
            error.problem.message, **{**error.problem.params, "allowed": ", ".join(allowed)}
        ) from error
    if kind.extension not in allowed:
        raise UnsupportedFile(
            "Files of this type are not accepted. Allowed: %(allowed)s.", allowed=", ".join(allowed)
        )
    return kind


@contextmanager
def _received(stream: IO[bytes], most: int) -> Iterator[BinaryIO]:
    """All of the stream in a temporary file, as long as it is not larger than `most` MB."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spooled:
        file = cast(BinaryIO, spooled)
        length = 0
        while chunk := stream.read(_CHUNK):
            length += len(chunk)
            if length > most * _MB:
                raise _too_large(most)
            file.write(chunk)
        file.seek(0)
        yield file


def _check(name: str, file: BinaryIO) -> None:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    try:
        check_content(name, head, file)
    except RefusedFile as error:
        raise UnsupportedFile(error.problem.message, **error.problem.params) from error
    found = _desk.scanner.find(file) if _desk.scanner is not None else None
    if found is not None:
        raise UnsupportedFile("The file contains malware (%(found)s) and was not kept.", found=found)


def _digest(file: BinaryIO) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        length += len(chunk)
    file.seek(0)
    return digest.hexdigest(), length


def _too_large(most: int) -> TooLarge:
    return TooLarge("The file is larger than %(most)s MB.", most=most)


def _note(
    session: Session, actor: Actor, owner: Any, row: Attachment, event: str, *, old: str = "", new: str = ""
) -> None:
    """Keep who attached or removed what; in review it also makes the other reviewers' pages stale."""
    in_review = not isinstance(owner, Task) and owner.status is DocumentStatus.IN_REVIEW
    log.record(
        session,
        actor,
        event,
        noun=row.owner_kind,
        row_id=row.owner_id,
        summary=f"{row.category} {row.name} sha256:{row.sha256}",
        level=LogLevel.WARNING if in_review else LogLevel.INFO,
    )
    if isinstance(owner, Task):
        return
    document = cast(Document, owner)
    log.record_changes(
        session,
        actor,
        row.owner_kind,
        row.owner_id,
        document.version,
        [Difference(f"attachments.{row.category}", old, new)],
        by_reviewer=in_review,
    )
    if in_review:
        review.document_edited(session, actor, document)


def _drop(session: Session, row: Attachment) -> None:
    key, files = row.storage_key, _desk.files
    session.delete(row)
    after_commit(session, lambda: files.delete(key))


def total_size(session: Session, owner_kind: str, owner_id: int) -> int:
    """The bytes of a document's attachments together."""
    statement = select(func.coalesce(func.sum(Attachment.size), 0)).where(
        Attachment.owner_kind == owner_kind, Attachment.owner_id == owner_id
    )
    return session.scalar(statement) or 0
