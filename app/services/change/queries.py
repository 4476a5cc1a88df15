"""Which change requests there are, for whom, and everything one of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.models.attachment import Attachment
from app.models.change import OPEN_STATES, ChangeRequest
from app.models.log import FieldChange
from app.models.project import Project
from app.models.unit import Unit
from app.services import attachment
from app.services.change.draft import with_items
from app.services.change.project_state import CHANGEABLE_STAGES
from app.services.change.values import ratio
from app.services.document.changes import history

MOST_OFFERED = 200


@dataclass(frozen=True)
class Detail:
    """A change request and what belongs to it. `amendments` are the fields reviewers changed; `cumulative`
    is by what all changes applied to the project so far moved its amount, in yuan and percent."""

    change: ChangeRequest
    attachments: Sequence[Attachment]
    amendments: Sequence[FieldChange]
    cumulative: Cumulative


@dataclass(frozen=True)
class Cumulative:
    """All changes applied to a project: how many, the sum of |amount_delta|, its share of the amount before
    the first of them, in percent, and that amount."""

    count: int
    amount: Decimal
    ratio: Decimal | None
    base: Decimal | None = None


def detail(session: Session, actor: Actor, change_id: int) -> Detail:
    """Everything of one request for its page and print-out, in a fixed number of statements."""
    change: ChangeRequest = policy.load(
        session,
        actor,
        ChangeRequest,
        change_id,
        options=(
            *with_items,
            joinedload(ChangeRequest.project),
            joinedload(ChangeRequest.created_by),
            joinedload(ChangeRequest.submitted_by),
        ),
    )
    return Detail(
        change,
        attachment.attachments_of(session, actor, ChangeRequest.document_kind, change_id),
        history(session, ChangeRequest.document_kind, change_id, by_reviewers=True),
        cumulative(session, change.project_id),
    )


def cumulative(session: Session, project_id: int) -> Cumulative:
    """What the changes applied to a project come to together (domain.md 3.2)."""
    applied = ChangeRequest.applied_version.is_not(None) & (ChangeRequest.project_id == project_id)
    rows = session.execute(
        select(ChangeRequest.amount_delta, ChangeRequest.amount_before)
        .where(applied)
        .order_by(ChangeRequest.applied_version)
    ).all()
    total = sum((abs(delta) for delta, _ in rows if delta is not None), Decimal("0.00"))
    first = rows[0].amount_before if rows else None
    return Cumulative(len(rows), total, ratio(total, first) if first else None, first)


def of_project(session: Session, actor: Actor, project_id: int) -> Sequence[ChangeRequest]:
    """The changes of a project that the actor may see, newest first."""
    statement = (
        policy.scoped(actor, ChangeRequest)
        .where(ChangeRequest.project_id == project_id, ChangeRequest.status != DocumentStatus.RECYCLED)
        .order_by(ChangeRequest.id.desc())
    )
    return session.scalars(statement).all()


@dataclass(frozen=True)
class Candidate:
    """A project of the actor's units that may be changed, and the open request that stands in the way."""

    project: Project
    open_id: int | None
    open_code: str | None
    open_status: DocumentStatus | None


def candidates(session: Session, actor: Actor, text: str = "") -> Sequence[Candidate]:
    """The projects the actor may begin a change of, newest first, `MOST_OFFERED` at most; `text` is part of
    a number or title."""
    if not actor.unit_path or not actor.holds("change", "create"):
        return ()
    own = select(Unit.id).where(Unit.path.startswith(actor.unit_path, autoescape=True))
    standing = (ChangeRequest.project_id == Project.id) & ChangeRequest.status.in_(OPEN_STATES)
    statement = (
        select(Project, ChangeRequest.id, ChangeRequest.code, ChangeRequest.status)
        .outerjoin(ChangeRequest, standing)
        .where(
            policy.criterion(actor, Project),
            Project.unit_id.in_(own),
            Project.stage.in_(sorted(CHANGEABLE_STAGES)),
        )
        .order_by(Project.budget_year.desc(), Project.id.desc())
        .limit(MOST_OFFERED)
        .options(joinedload(Project.unit))
    )
    if text:
        like = f"%{text.replace('%', '').replace('_', '')}%"
        statement = statement.where(
            or_(func.lower(Project.title).like(like.lower()), Project.code.like(like.upper()))
        )
    return [Candidate(*row) for row in session.execute(statement)]
