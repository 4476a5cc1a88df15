"""Drafting a fund adjustment: `app.services.document.draft` with what is its own."""

from __future__ import annotations

from sqlalchemy.orm import Session, selectinload

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.funds import AdjustmentKind
from app.core.workdays import today_in_china
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.base import utcnow
from app.services import funds
from app.services.adjustment.check import check
from app.services.adjustment.rules import project_ids
from app.services.adjustment.values import DESCRIPTION, AdjustmentValues, after, assign, values_of
from app.services.document import draft
from app.services.document.draft import Autosaved, Raw
from app.services.document.kind import DocumentKind, Problems


def _blank(year: int) -> FundAdjustment:
    return FundAdjustment(
        year=year, kind=AdjustmentKind.TRANSFER, status=DocumentStatus.DRAFT, draft_input={}, lines=[]
    )


def _errors(session: Session, adjustment: FundAdjustment) -> Problems:
    return check(session, adjustment).errors()


def _with_figures(session: Session, adjustment: FundAdjustment) -> None:
    """Lines that came without a figure before them get today's; a figure that came with them is what the
    drafter saw, and stays for the stale check."""
    lacking = [line for line in adjustment.lines if line.amount_before is None and line.channel is not None]
    if not lacking:
        return
    channels = funds.channel_balances(session, project_ids(lacking))
    for line in lacking:
        if line.project_id in channels:
            line.amount_before = channels[line.project_id].get(line.channel or "", funds.NOTHING)
            line.amount_after = after(line.amount_before, line.direction, line.amount)


KIND = DocumentKind[FundAdjustment, AdjustmentValues](
    model=FundAdjustment,
    prefix="TZ",
    description=DESCRIPTION,
    options=(selectinload(FundAdjustment.lines).selectinload(AdjustmentLine.project),),
    values_of=values_of,
    assign=assign,
    title=lambda adjustment: adjustment.title,
    blank=_blank,
    errors=_errors,
    completed=_with_figures,
)


def this_year() -> int:
    """The year whose budget is adjusted unless the draft says otherwise."""
    return today_in_china(utcnow()).year


def create(actor: Actor, raw: Raw, *, page: str = "") -> FundAdjustment:
    """A new draft of this year, as `document.draft.create`."""
    return draft.create(KIND, actor, raw, this_year(), page=page)


def save(actor: Actor, adjustment_id: int, version: int, raw: Raw, *, page: str = "") -> FundAdjustment:
    """Save a draft or a returned adjustment, as `document.draft.save`."""
    return draft.save(KIND, actor, adjustment_id, version, raw, page=page)


def autosave(
    actor: Actor, adjustment_id: int | None, version: int | None, raw: Raw, *, page: str = "", turn: int = 0
) -> Autosaved:
    """Keep everything typed so far, as `document.draft.autosave`."""
    return draft.autosave(KIND, actor, adjustment_id, version, raw, page=page, turn=turn, year=this_year())


def recycle(actor: Actor, adjustment_id: int, version: int) -> FundAdjustment:
    """Put a draft into the recycle bin."""
    return draft.recycle(KIND, actor, adjustment_id, version)


def restore(actor: Actor, adjustment_id: int, version: int) -> FundAdjustment:
    """Take a draft out of the recycle bin again."""
    return draft.restore(KIND, actor, adjustment_id, version)


def purge(actor: Actor, adjustment_id: int, version: int) -> None:
    """Remove a draft in the recycle bin for good, with its attachments; the log stays."""
    draft.purge(KIND, actor, adjustment_id, version)
