"""Filling in a document of any kind: create, save, autosave, the recycle bin, a reviewer's direct edit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput, NotAllowed, NotFound, Problem, StaleVersion
from app.core.text import normalise
from app.models.base import Fillable, utcnow
from app.services import attachment, log, numbering, policy_rule, review
from app.services.document.changes import EDIT_REASON, differences, names_from
from app.services.document.directory import Directory
from app.services.document.form import merged_input
from app.services.document.kind import DocumentKind
from app.services.document.values import Parsed, parse
from app.services.log import Difference
from app.services.unit_of_work import unit_of_work

D = TypeVar("D", bound=Fillable)
V = TypeVar("V")

_LONGEST_PAGE = 40
_LONGEST_REASON = 500
_EXCERPT = 200
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Autosaved:
    """What the page needs after an autosave: where it is kept, under which version, and what could not be
    read (kept as typed, said beside its field). A `turn` beyond the one asked for: a later save was first."""

    id: int
    version: int
    saved_at: dt.datetime
    problems: Mapping[str, list[Problem]]
    turn: int


def begin(kind: DocumentKind[D, V], session: Session, actor: Actor, year: int) -> D:
    """A new row of the actor's unit with its number, not stored yet. Raises `NotAllowed`."""
    if kind.blank is None:
        raise NotFound
    document = kind.blank(year)
    policy.require(actor, "create", document)
    if actor.unit_id is None:
        raise NotAllowed("Your account belongs to no unit, so it cannot declare. Ask the administrator.")
    document.unit_id = actor.unit_id
    document.code = numbering.document_code(session, kind.prefix, year)
    return document


def create(kind: DocumentKind[D, V], actor: Actor, raw: Raw, year: int, *, page: str = "") -> D:
    """A new draft of the actor's unit. `page` is the token of the form: a draft that this page has autosaved
    already is saved instead of a second one being made.

    Raises `InvalidInput` for values that cannot be read; a draft may be incomplete.
    """
    with unit_of_work(actor) as session:
        known = _autosaved_by(kind, session, actor, page)
        document = known or begin(kind, session, actor, year)
        document.autosave_page = document.autosave_base = None
        store(kind, session, actor, document, readable(kind, session, actor, document, raw))
        if known is None:
            kind.record(session, actor, "CREATED", document)
        return document


def save(
    kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int, raw: Raw, *, page: str = ""
) -> D:
    """Save a draft or a returned document. Fields that `raw` does not name keep their values.

    Raises `InvalidInput` for values that cannot be read, `StaleVersion` when somebody else saved meanwhile;
    what the same page autosaved does not count as somebody else.
    """
    with unit_of_work(actor) as session:
        document = open_to_edit(kind, session, actor, document_id, version, page)
        document.autosave_page = document.autosave_base = None
        store(kind, session, actor, document, readable(kind, session, actor, document, raw))
        return document


def autosave(
    kind: DocumentKind[D, V],
    actor: Actor,
    document_id: int | None,
    version: int | None,
    raw: Raw,
    *,
    page: str = "",
    turn: int = 0,
    year: int | None = None,
) -> Autosaved:
    """Keep everything typed so far, also what cannot be read yet, so that a closed browser loses nothing.

    Without an id the page's own draft is found or made, under a number of `year` (needed then). A page that
    is closed does not wait for the answer to its last save but one: `turn` counts its saves, and one that
    comes later than its successor changes nothing. Never refuses incomplete or unreadable input; raises
    `InvalidInput` only for what the kind never keeps.
    """
    page = page[:_LONGEST_PAGE]
    with unit_of_work(actor) as session:
        if document_id is None:
            document = _draft_of(kind, session, actor, page, year or 0)
        else:
            document = open_to_edit(kind, session, actor, document_id, version, page)
        later = (document.autosave_turn or 0) if page and document.autosave_page == page else 0
        if document.autosaved_at and 0 < turn < later:
            return Autosaved(document.id, document.version, document.autosaved_at, {}, later)
        parsed = parse(kind.description, raw, Directory(session, actor), kind.values_of(document))
        if refused := kind.never_kept(parsed):
            raise InvalidInput(dict(refused))
        if document.autosave_page != (page or None):
            # A draft that is not stored yet has no version; its first one is 1.
            document.autosave_page, document.autosave_base = page or None, document.version or 1
        document.autosave_turn = turn
        document.autosaved_at = utcnow()
        store(kind, session, actor, document, parsed, excerpts=True)
        return Autosaved(document.id, document.version, document.autosaved_at, parsed.problems, turn)


def recycle(kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int) -> D:
    """Put a draft into the unit's recycle bin."""
    return _move(kind, actor, document_id, version, "recycle", DocumentStatus.RECYCLED)


def restore(kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int) -> D:
    """Take a draft out of the recycle bin again."""
    return _move(kind, actor, document_id, version, "restore", DocumentStatus.DRAFT)


def purge(kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int) -> None:
    """Remove a draft in the recycle bin for good, with its attachments. The log stays, and so does the number
    of a project that was opened by an earlier submission."""
    with unit_of_work(actor) as session:
        document = kind.load(session, actor, document_id, verb="purge", version=version, lock=True)
        attachment.remove_all(session, kind.name, document.id)
        policy_rule.forget(session, kind.name, document.id)
        kind.record(session, actor, "PURGED", document)
        session.delete(document)


def reviewer_edit(
    kind: DocumentKind[D, V],
    actor: Actor,
    document_id: int,
    version: int,
    raw: Raw,
    reason: str,
    *,
    follow: Callable[[Session, D], None] | None = None,
) -> D:
    """A reviewer corrects the document he has open for review (requirements.txt, 申报项目审核); `follow`
    brings up to date what was copied from it.

    Every field changed is kept, old and new, and shown to the unit. Raises `NotAllowed` when his step does
    not allow it, `InvalidInput` for values that cannot be read, for a missing reason, or when the edit would
    leave the document worse than a submission may be.
    """
    why = normalise(reason)[:_LONGEST_REASON]
    with unit_of_work(actor) as session:
        document = kind.load(session, actor, document_id, verb="amend", version=version, lock=True)
        if not why:
            raise InvalidInput({EDIT_REASON: [Problem.of("Say why you change this; the unit will read it.")]})
        faults = kind.errors(session, document)
        parsed = readable(kind, session, actor, document, raw)
        if not store(kind, session, actor, document, parsed, by_reviewer=True, reason=why):
            return document
        fresh = {path: found for path, found in kind.errors(session, document).items() if path not in faults}
        if fresh:
            raise InvalidInput(fresh)
        if follow is not None:
            follow(session, document)
        review.document_edited(session, actor, document)
        kind.record(session, actor, "AMENDED", document, why)
        return document


def still_current(document: Fillable, version: int | None, page: str) -> bool:
    """May a page that shows `version` save? Yes when only that page itself, by autosaving, wrote since."""
    if version == document.version:
        return True
    own = bool(page) and page == document.autosave_page and document.autosave_base is not None
    return own and version is not None and (document.autosave_base or 0) <= version <= document.version


def open_to_edit(
    kind: DocumentKind[D, V], session: Session, actor: Actor, document_id: int, version: int | None, page: str
) -> D:
    """The locked document, for the page that shows `version` of it. Raises `StaleVersion`, `Conflict`."""
    document = kind.load(session, actor, document_id, lock=True)
    if not still_current(document, version, page):
        raise StaleVersion(policy.changes_since(session, document, version or 0))
    policy.require(actor, "edit", document)
    return document


def readable(kind: DocumentKind[D, V], session: Session, actor: Actor, document: D, raw: Raw) -> Parsed[V]:
    """The input over the document's values. Raises `InvalidInput` for what cannot be read."""
    parsed = parse(kind.description, raw, Directory(session, actor), kind.values_of(document))
    refusals = parsed.refusals()
    if refusals:
        raise InvalidInput(refusals)
    return parsed


def store(
    kind: DocumentKind[D, V],
    session: Session,
    actor: Actor,
    document: D,
    parsed: Parsed[V],
    *,
    excerpts: bool = False,
    by_reviewer: bool = False,
    reason: str = "",
) -> bool:
    """Put the values in and keep what changed. False when nothing did: then the version stays."""
    before = kind.values_of(document)
    kind.assign(document, parsed.values)
    with session.no_autoflush:
        kind.completed(session, document)
    document.draft_input = merged_input(document.draft_input, parsed.given, parsed.unread)
    if document.id is None:
        session.add(document)
        session.flush()
        return True
    found = differences(kind.description, before, kind.values_of(document), names_from(session))
    if not found and not session.is_modified(document):
        return False
    # Rows are tables of their own: without this, a change in them alone would not raise the version.
    document.updated_at = utcnow()
    session.flush()
    if excerpts:
        found = [Difference(each.field, _excerpt(each.old), _excerpt(each.new)) for each in found]
    if reason:
        found.append(Difference(EDIT_REASON, "", reason))
    log.record_changes(
        session, actor, kind.name, document.id, document.version, found, by_reviewer=by_reviewer
    )
    return True


def _draft_of(kind: DocumentKind[D, V], session: Session, actor: Actor, page: str, year: int) -> D:
    """The draft that the page has begun, or a new one."""
    known = _autosaved_by(kind, session, actor, page)
    if known is not None:
        return known
    new = begin(kind, session, actor, year)
    # Numbers are given to one at a time: another save of this page may have been first.
    return _autosaved_by(kind, session, actor, page) or new


def _autosaved_by(kind: DocumentKind[D, V], session: Session, actor: Actor, page: str) -> D | None:
    if not page:
        return None
    model = kind.model
    found = session.scalar(
        select(model.id).where(
            model.autosave_page == page,
            model.created_by_id == actor.user_id,
            model.status == DocumentStatus.DRAFT,
        )
    )
    return kind.load(session, actor, found, verb="edit", lock=True) if found is not None else None


def _move(
    kind: DocumentKind[D, V], actor: Actor, document_id: int, version: int, verb: str, status: DocumentStatus
) -> D:
    with unit_of_work(actor) as session:
        document = kind.load(session, actor, document_id, verb=verb, version=version, lock=True)
        kind.moved(session, document, status)
        was, document.status = document.status, status
        kind.note_status(session, actor, document, was, status)
        kind.record(session, actor, f"{verb.upper()}D", document)
        return document


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
