"""Submitting a fund adjustment and taking it back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.adjustment import FundAdjustment
from app.services import numbering
from app.services.adjustment.check import check
from app.services.adjustment.draft import KIND
from app.services.document import submission


def submit(
    actor: Actor, adjustment_id: int, version: int, *, page: str = "", opinion: str = ""
) -> FundAdjustment:
    """Submit a draft or a returned adjustment as it is stored. A figure before a line that has changed since
    it was drafted is refused like everything else that is wrong; raises as `document.submission.submit`."""
    return submission.submit(
        KIND,
        actor,
        adjustment_id,
        version,
        page=page,
        opinion=opinion,
        errors=lambda session, adjustment: check(session, adjustment, actor).errors(),
        prepare=_number,
    )


def withdraw(actor: Actor, adjustment_id: int, version: int, *, opinion: str = "") -> FundAdjustment:
    """Take an adjustment back to the drafts, as `document.submission.withdraw`."""
    return submission.withdraw(KIND, actor, adjustment_id, version, opinion=opinion)


def _number(session: Session, adjustment: FundAdjustment) -> None:
    """Until its first submission an adjustment may change its year, and with it its number."""
    if adjustment.submitted_at is None and f"{adjustment.year}-" not in adjustment.code:
        adjustment.code = numbering.document_code(session, KIND.prefix, adjustment.year)
