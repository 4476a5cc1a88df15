"""The similar projects of a declaration as they were found at its submission, for its unit and reviewers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.similarity import SimilarProject
from app.models.unit import Unit
from app.services.similarity.search import Sought, find


def keep(session: Session, actor: Actor, declaration: Declaration) -> None:
    """Find and store the similar projects of a declaration that is being submitted; those of an earlier
    submission go. Never refuses anything."""
    session.execute(delete(SimilarProject).where(SimilarProject.declaration_id == declaration.id))
    sought = sought_by(session, declaration)
    for seq, hit in enumerate(find(session, actor, sought), start=1):
        session.add(
            SimilarProject(
                declaration_id=declaration.id,
                project_id=hit.project_id,
                seq=seq,
                score=hit.score,
                title_score=hit.title_score,
                scope_score=hit.scope_score,
                code=hit.code,
                title=hit.title,
                unit_name=hit.unit_name,
                budget_year=hit.budget_year,
                amount_band=hit.amount_band,
                passages=[compared.dump() for compared in hit.compared],
            )
        )


def sought_by(session: Session, declaration: Declaration, title: str | None = None) -> Sought:
    """What a declaration asks the index: its title (or the one being typed), its scope, and not itself."""
    names = session.execute(select(Unit.name, Unit.short_name).where(Unit.id == declaration.unit_id)).one()
    return Sought(
        declaration.title if title is None else title,
        declaration.scope_text,
        declaration.project_id,
        tuple(names),
    )


def kept(session: Session, declaration_id: int) -> Sequence[SimilarProject]:
    """What was found at the last submission, the most similar first; the page that shows it has already
    checked that the reader may see the declaration."""
    return session.scalars(
        select(SimilarProject)
        .where(SimilarProject.declaration_id == declaration_id)
        .order_by(SimilarProject.seq)
    ).all()


def readable(session: Session, actor: Actor, project_ids: Sequence[int]) -> set[int]:
    """Which of these projects lie within the reader's own scope, so that he may open them."""
    return set(
        session.scalars(
            select(Project.id).where(Project.id.in_(project_ids), policy.criterion(actor, Project))
        )
    )
