"""Filling in a change request: begun from a project, whose data it takes over, and taken over again."""

from __future__ import annotations

from sqlalchemy.orm import Session, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.change import ChangeRequest
from app.models.project import Project
from app.services import log, numbering
from app.services.change.check import check, is_major, other_open, reassess
from app.services.change.project_state import CHANGEABLE_STAGES, present
from app.services.change.values import DESCRIPTION, ChangeValues, assign, values_of
from app.services.document import draft
from app.services.document.changes import differences, names_from
from app.services.document.draft import Autosaved, Raw
from app.services.document.kind import DocumentKind, Problems
from app.services.log import Difference
from app.services.unit_of_work import unit_of_work

__all__ = [
    "KIND",
    "Autosaved",
    "autosave",
    "create",
    "purge",
    "recycle",
    "refresh",
    "restore",
    "reviewer_edit",
    "save",
]

with_items = (selectinload(ChangeRequest.items),)
"""Loads what a request changes."""


def _errors(session: Session, change: ChangeRequest) -> Problems:
    return check(session, change).errors()


def _moved(session: Session, change: ChangeRequest, status: DocumentStatus) -> None:
    """Out of the bin only when no other request has taken its place."""
    if status is DocumentStatus.DRAFT:
        _refuse_second(session, change.project_id, change.id)


KIND = DocumentKind[ChangeRequest, ChangeValues](
    model=ChangeRequest,
    prefix="BG",
    description=DESCRIPTION,
    options=with_items,
    values_of=values_of,
    assign=assign,
    title=lambda change: change.title,
    errors=_errors,
    moved=_moved,
)


def create(actor: Actor, project_id: int, raw: Raw | None = None) -> ChangeRequest:
    """A new draft for a project of the actor's units; the project's data are taken over as they are now.

    Raises `NotFound` for a project outside his scope, `NotAllowed` for one that is not his to change,
    `InvalidInput` for one that is not in the plan yet or ended, `Conflict` naming the open request that
    stands in the way.
    """
    with unit_of_work(actor) as session:
        project = _project(session, actor, project_id)
        year = today_in_china(utcnow()).year
        change = ChangeRequest(
            project=project,
            unit_id=project.unit_id,
            unit=project.unit,
            status=DocumentStatus.DRAFT,
            draft_input={},
            kinds=[],
            items=[],
            base_version=project.version,
            base=present(session, project).base,
        )
        with session.no_autoflush:
            policy.require(actor, "create", change)
            if project.stage not in CHANGEABLE_STAGES:
                raise InvalidInput(
                    {
                        "project_id": [
                            Problem.of(
                                "The project %(code)s is in the stage “%(stage)s”. It can be changed from its"
                                " admission to the plan on, until it is closed.",
                                code=project.code,
                                stage=project.stage,
                            )
                        ]
                    }
                )
            _refuse_second(session, project.id)
            change.code = numbering.document_code(session, KIND.prefix, year)
            assign(change, values_of(change))
            if raw:
                draft.store(KIND, session, actor, change, draft.readable(KIND, session, actor, change, raw))
        session.add(change)
        session.flush()
        KIND.record(session, actor, "CREATED", change, project.code)
        return change


def refresh(actor: Actor, change_id: int, version: int) -> ChangeRequest:
    """Take over the project's data again, as they are now. What the unit wants to be different stays; what
    has become so meanwhile is no difference any more."""
    with unit_of_work(actor) as session:
        change = KIND.load(session, actor, change_id, verb="edit", version=version, lock=True)
        before = values_of(change)
        project = session.get_one(
            Project, change.project_id, options=(selectinload(Project.funding),), populate_existing=True
        )
        now = present(session, project)
        wanted = {item.field: item.after for item in change.items}
        change.base, change.base_version = now.base, now.version
        for item in change.items:
            item.before = now.base.get(item.field)
        change.items = [item for item in change.items if wanted[item.field] != now.base.get(item.field)]
        assign(change, values_of(change))
        change.autosave_page = change.autosave_base = None
        change.updated_at = utcnow()
        session.flush()
        found = differences(DESCRIPTION, before, values_of(change), names_from(session))
        log.record_changes(
            session,
            actor,
            KIND.name,
            change.id,
            change.version,
            [*found, Difference("base", "", project.code)],
        )
        KIND.record(session, actor, "REFRESHED", change, project.code)
        return change


def save(actor: Actor, change_id: int, version: int, raw: Raw, *, page: str = "") -> ChangeRequest:
    """Save a draft or a returned request, as `document.draft.save`."""
    return draft.save(KIND, actor, change_id, version, raw, page=page)


def autosave(
    actor: Actor, change_id: int, version: int, raw: Raw, *, page: str = "", turn: int = 0
) -> Autosaved:
    """Keep everything typed so far, as `document.draft.autosave`."""
    return draft.autosave(KIND, actor, change_id, version, raw, page=page, turn=turn)


def recycle(actor: Actor, change_id: int, version: int) -> ChangeRequest:
    """Put a draft into the unit's recycle bin; another request for the project may be begun then."""
    return draft.recycle(KIND, actor, change_id, version)


def restore(actor: Actor, change_id: int, version: int) -> ChangeRequest:
    """Take a draft out of the recycle bin. Raises `Conflict` when the project has another open request."""
    return draft.restore(KIND, actor, change_id, version)


def purge(actor: Actor, change_id: int, version: int) -> None:
    """Remove a draft in the recycle bin for good, with its attachments; the log stays."""
    draft.purge(KIND, actor, change_id, version)


def reviewer_edit(actor: Actor, change_id: int, version: int, raw: Raw, reason: str) -> ChangeRequest:
    """A reviewer corrects the request he has open for review, as `document.draft.reviewer_edit`."""
    return draft.reviewer_edit(KIND, actor, change_id, version, raw, reason, follow=mark)


def mark(session: Session, change: ChangeRequest) -> None:
    """Keep what the request's figures mean by today's parameters."""
    change.is_major = is_major(session, change)
    change.needs_assessment = reassess(session, change)


def _project(session: Session, actor: Actor, project_id: int) -> Project:
    project: Project = policy.load(
        session, actor, Project, project_id, lock=True, options=(selectinload(Project.funding),)
    )
    return project


def _refuse_second(session: Session, project_id: int, but: int | None = None) -> None:
    standing = other_open(session, project_id, but)
    if standing is None:
        return
    raise Conflict(
        "The change request %(code)s of this project is not finished (%(status)s). A project has one open"
        " change request at a time.",
        code=standing.code,
        status=standing.status,
    )
