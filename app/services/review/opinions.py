"""常用审批意见: a reviewer's own, and those shared by all."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.policy import load, scoped
from app.core.errors import InvalidInput, NotAllowed, Problem
from app.core.text import trim
from app.models.flow import SavedOpinion
from app.services.unit_of_work import current_session, unit_of_work

SHARED = (
    "同意。",
    "材料齐全，同意提交下一环节审核。",
    "请补充投资明细依据。",
    "请补充部门会议纪要。",
)
"""What an office starts with; its administrator rewords, adds and removes."""

_LONGEST = 500
_MOST = 50


def saved_opinions(actor: Actor) -> Sequence[SavedOpinion]:
    """The opinions offered to a reviewer: his own first, then the shared ones."""
    return (
        current_session()
        .scalars(
            scoped(actor, SavedOpinion).order_by(
                SavedOpinion.user_id.is_(None), SavedOpinion.sort, SavedOpinion.id
            )
        )
        .all()
    )


def add_opinion(actor: Actor, text: str, *, shared: bool = False) -> SavedOpinion:
    """Keep an opinion for later; a shared one needs the grant `dictionary.manage`. Raises InvalidInput for
    one that is empty, too long, there already, or one too many."""
    if actor.user_id is None or (shared and not actor.holds("dictionary", "manage")):
        raise NotAllowed
    owner = None if shared else actor.user_id
    with unit_of_work(actor) as session:
        text = _checked(text)
        kept = SavedOpinion.user_id.is_not_distinct_from(owner)
        own = session.scalars(select(SavedOpinion.text).where(kept)).all()
        if text in own:
            raise InvalidInput({"text": [Problem.of("This opinion is kept already.")]})
        if len(own) >= _MOST:
            raise InvalidInput({"text": [Problem.of("At most %(limit)s opinions are kept.", limit=_MOST)]})
        last = session.scalar(select(func.max(SavedOpinion.sort)).where(kept)) or 0
        opinion = SavedOpinion(user_id=owner, text=text, sort=last + 1)
        session.add(opinion)
        return opinion


def change_opinion(actor: Actor, opinion_id: int, text: str, sort: int | None = None) -> SavedOpinion:
    """Reword an opinion, or move it to another place in the list."""
    with unit_of_work(actor) as session:
        opinion: SavedOpinion = load(session, actor, SavedOpinion, opinion_id, verb="edit")
        opinion.text = _checked(text)
        if sort is not None:
            opinion.sort = sort
        return opinion


def move_opinion(actor: Actor, opinion_id: int, *, up: bool) -> None:
    """Put an opinion one place further up or down among those of the same owner."""
    with unit_of_work(actor) as session:
        opinion: SavedOpinion = load(session, actor, SavedOpinion, opinion_id, verb="edit")
        row = list(
            session.scalars(
                select(SavedOpinion)
                .where(SavedOpinion.user_id.is_not_distinct_from(opinion.user_id))
                .order_by(SavedOpinion.sort, SavedOpinion.id)
            )
        )
        place = row.index(opinion)
        row.insert(max(0, place + (-1 if up else 1)), row.pop(place))
        for number, each in enumerate(row, start=1):
            each.sort = number


def remove_opinion(actor: Actor, opinion_id: int) -> None:
    """Keep an opinion no longer. What was said with it stays in the history."""
    with unit_of_work(actor) as session:
        session.delete(load(session, actor, SavedOpinion, opinion_id, verb="edit"))


def _checked(text: str) -> str:
    text = trim(text)
    if not text:
        raise InvalidInput({"text": [Problem.of("Please write the opinion.")]})
    if len(text) > _LONGEST:
        raise InvalidInput(
            {"text": [Problem.of("An opinion has at most %(limit)s characters.", limit=_LONGEST)]}
        )
    return text


def seed_opinions(session: Session) -> int:
    """Enter the shared opinions where an installation has none at all. Returns how many."""
    if session.scalar(select(SavedOpinion.id).limit(1)) is not None:
        return 0
    session.add_all(
        SavedOpinion(user_id=None, text=text, sort=place) for place, text in enumerate(SHARED, start=1)
    )
    return len(SHARED)
