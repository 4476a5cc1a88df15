"""Filling in: create, save, autosave, the recycle bin, and a reviewer's direct edit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus, Stage
from app.core.errors import InvalidInput, NotAllowed, Problem, StaleVersion
from app.core.fiscal import default_budget_year
from app.core.text import normalise
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.services import attachment, log, numbering, review
from app.services.declaration import thread
from app.services.declaration.changes import differences, names_from
from app.services.declaration.check import check
from app.services.declaration.directory import Directory
from app.services.declaration.form import merged_input
from app.services.declaration.queries import load
from app.services.declaration.values import Parsed, assign, parse, values_of
from app.services.log import Difference
from app.services.unit_of_work import unit_of_work

CODE_PREFIX = "SB"
_LONGEST_PAGE = 40
_LONGEST_REASON = 500
_EXCERPT = 200
Raw = Mapping[str, Any]


@dataclass(frozen=True)
class Autosaved:
    """What the page needs after an autosave: where it is kept, under which version, and what could not be
    read (kept as typed, said beside its field)."""

    id: int
    version: int
    saved_at: dt.datetime
    problems: Mapping[str, list[Problem]]


def create(actor: Actor, raw: Raw, *, page: str = "") -> Declaration:
    """A new draft of the actor's unit. `page` is the token of the form: a draft that this page has autosaved
    already is saved instead of a second one being made.

    Raises `InvalidInput` for values that cannot be read; a draft may be incomplete.
    """
    with unit_of_work(actor) as session:
        known = _autosaved_by(session, actor, page)
        declaration = known or _new(session, actor)
        declaration.autosave_page = declaration.autosave_base = None
        _store(session, actor, declaration, _readable(session, actor, declaration, raw))
        if known is None:
            _record(session, actor, "DECLARATION_CREATED", declaration)
        return declaration


def save(actor: Actor, declaration_id: int, version: int, raw: Raw, *, page: str = "") -> Declaration:
    """Save a draft or a returned declaration. Fields that `raw` does not name keep their values.

    Raises `InvalidInput` for values that cannot be read, `StaleVersion` when somebody else saved meanwhile;
    what the same page autosaved does not count as somebody else.
    """
    with unit_of_work(actor) as session:
        declaration = _open(session, actor, declaration_id, version, page)
        declaration.autosave_page = declaration.autosave_base = None
        _store(session, actor, declaration, _readable(session, actor, declaration, raw))
        return declaration


def autosave(
    actor: Actor, declaration_id: int | None, version: int | None, raw: Raw, *, page: str = ""
) -> Autosaved:
    """Keep everything typed so far, also what cannot be read yet, so that a closed browser loses nothing.

    Without an id the page's own draft is found or made. Never refuses incomplete or unreadable input;
    raises `InvalidInput` only for state secrets, which are not stored at all.
    """
    page = page[:_LONGEST_PAGE]
    with unit_of_work(actor) as session:
        if declaration_id is None:
            declaration = _autosaved_by(session, actor, page) or _new(session, actor)
        else:
            declaration = _open(session, actor, declaration_id, version, page)
        parsed = parse(raw, Directory(session, actor), values_of(declaration))
        if parsed.values.is_secret:
            raise InvalidInput({"is_secret": list(parsed.problems["is_secret"])})
        if declaration.autosave_page != (page or None):
            # A draft that is not stored yet has no version; its first one is 1.
            declaration.autosave_page, declaration.autosave_base = page or None, declaration.version or 1
        declaration.autosaved_at = utcnow()
        _store(session, actor, declaration, parsed, excerpts=True)
        return Autosaved(declaration.id, declaration.version, declaration.autosaved_at, parsed.problems)


def recycle(actor: Actor, declaration_id: int, version: int) -> Declaration:
    """Put a draft into the unit's recycle bin."""
    return _move(actor, declaration_id, version, "recycle", DocumentStatus.RECYCLED, Stage.TERMINATED)


def restore(actor: Actor, declaration_id: int, version: int) -> Declaration:
    """Take a draft out of the recycle bin again."""
    return _move(actor, declaration_id, version, "restore", DocumentStatus.DRAFT, Stage.DECLARED)


def purge(actor: Actor, declaration_id: int, version: int) -> None:
    """Remove a draft in the recycle bin for good, with its attachments. The log stays, and so does the number
    of a project that was opened by an earlier submission."""
    with unit_of_work(actor) as session:
        declaration = load(session, actor, declaration_id, verb="purge", version=version, lock=True)
        attachment.remove_all(session, Declaration.document_kind, declaration.id)
        _record(session, actor, "DECLARATION_PURGED", declaration)
        session.delete(declaration)


def reviewer_edit(actor: Actor, declaration_id: int, version: int, raw: Raw, reason: str) -> Declaration:
    """A reviewer corrects the declaration he has open for review (requirements.txt, 申报项目审核).

    Every field changed is kept, old and new, and shown to the unit. Raises `NotAllowed` when his step does
    not allow it, `InvalidInput` for values that cannot be read, for a missing reason, or when the edit would
    leave the declaration worse than a submission may be.
    """
    why = normalise(reason)[:_LONGEST_REASON]
    with unit_of_work(actor) as session:
        declaration = load(session, actor, declaration_id, verb="amend", version=version, lock=True)
        if not why:
            raise InvalidInput({"reason": [Problem.of("Say why you change this; the unit will read it.")]})
        faults = check(session, declaration).errors()
        parsed = _readable(session, actor, declaration, raw)
        if not _store(session, actor, declaration, parsed, by_reviewer=True, reason=why):
            return declaration
        fresh = {
            path: found for path, found in check(session, declaration).errors().items() if path not in faults
        }
        if fresh:
            raise InvalidInput(fresh)
        thread.follow_edit(session, declaration)
        review.document_edited(session, actor, declaration)
        _record(session, actor, "DECLARATION_AMENDED", declaration, why)
        return declaration


def still_current(declaration: Declaration, version: int | None, page: str) -> bool:
    """May a page that shows `version` save? Yes when only that page itself, by autosaving, wrote since."""
    if version == declaration.version:
        return True
    own = bool(page) and page == declaration.autosave_page and declaration.autosave_base is not None
    return own and version is not None and (declaration.autosave_base or 0) <= version <= declaration.version


def _open(session: Session, actor: Actor, declaration_id: int, version: int | None, page: str) -> Declaration:
    declaration = load(session, actor, declaration_id, lock=True)
    if not still_current(declaration, version, page):
        raise StaleVersion(policy.changes_since(session, declaration, version or 0))
    policy.require(actor, "edit", declaration)
    return declaration


def _new(session: Session, actor: Actor) -> Declaration:
    year = default_budget_year(utcnow())
    declaration = Declaration(
        budget_year=year,
        status=DocumentStatus.DRAFT,
        draft_input={},
        service_categories=[],
        basis_codes=[],
        scope_public=[],
        scope_government=[],
        budget_lines=[],
        funding_splits=[],
        later_years=[],
        data_catalogue=[],
        schedule=[],
        indicators=[],
    )
    policy.require(actor, "create", declaration)
    if actor.unit_id is None:
        raise NotAllowed("Your account belongs to no unit, so it cannot declare. Ask the administrator.")
    declaration.unit_id = actor.unit_id
    declaration.code = numbering.document_code(session, CODE_PREFIX, year)
    return declaration


def _autosaved_by(session: Session, actor: Actor, page: str) -> Declaration | None:
    if not page:
        return None
    found = session.scalar(
        select(Declaration.id).where(
            Declaration.autosave_page == page,
            Declaration.created_by_id == actor.user_id,
            Declaration.status == DocumentStatus.DRAFT,
        )
    )
    return load(session, actor, found, verb="edit", lock=True) if found is not None else None


def _readable(session: Session, actor: Actor, declaration: Declaration, raw: Raw) -> Parsed:
    parsed = parse(raw, Directory(session, actor), values_of(declaration))
    refusals = parsed.refusals()
    if refusals:
        raise InvalidInput(refusals)
    return parsed


def _store(
    session: Session,
    actor: Actor,
    declaration: Declaration,
    parsed: Parsed,
    *,
    excerpts: bool = False,
    by_reviewer: bool = False,
    reason: str = "",
) -> bool:
    """Put the values in and keep what changed. False when nothing did: then the version stays."""
    before = values_of(declaration)
    assign(declaration, parsed.values)
    declaration.draft_input = merged_input(declaration.draft_input, parsed.given, parsed.unread)
    if declaration.id is None:
        session.add(declaration)
        session.flush()
        return True
    found = differences(before, values_of(declaration), names_from(session))
    if not found and not session.is_modified(declaration):
        return False
    # Rows are tables of their own: without this, a change in them alone would not raise the version.
    declaration.updated_at = utcnow()
    session.flush()
    if excerpts:
        found = [Difference(each.field, _excerpt(each.old), _excerpt(each.new)) for each in found]
    if reason:
        found.append(Difference("reason", "", reason))
    log.record_changes(
        session,
        actor,
        Declaration.document_kind,
        declaration.id,
        declaration.version,
        found,
        by_reviewer=by_reviewer,
    )
    return True


def _move(
    actor: Actor, declaration_id: int, version: int, verb: str, status: DocumentStatus, stage: Stage
) -> Declaration:
    with unit_of_work(actor) as session:
        declaration = load(session, actor, declaration_id, verb=verb, version=version, lock=True)
        was, declaration.status = declaration.status, status
        thread.set_stage(session, declaration, stage)
        thread.note_status(session, actor, declaration, was, status)
        _record(session, actor, f"DECLARATION_{verb.upper()}D", declaration)
        return declaration


def _record(session: Session, actor: Actor, event: str, declaration: Declaration, words: str = "") -> None:
    log.record(
        session,
        actor,
        event,
        noun=Declaration.document_kind,
        row_id=declaration.id,
        summary=" ".join(filter(None, (declaration.code, declaration.title, words))),
    )


def _excerpt(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
