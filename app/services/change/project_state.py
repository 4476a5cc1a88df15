"""A project as it is now: what was declared and approved, and every change applied to it since.

Approved documents are never edited. The project's present contents are those of the last applied change,
or of its approved declaration; its row carries what lists and sums need.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.core.enums import DocumentStatus, Stage
from app.core.errors import Term
from app.core.lifecycle import Milestone
from app.models.change import ChangeRequest
from app.models.declaration import Declaration
from app.models.project import Project
from app.services.change.fields import DECLARED
from app.services.change.values import PROJECT, ChangeValues, project_from, state_of_project
from app.services.declaration.queries import with_rows
from app.services.declaration.values import DeclarationValues, FundingSplitValues
from app.services.declaration.values import values_of as declared_values
from app.services.document.changes import differences, names_from
from app.services.document.form import FormState

CHANGEABLE_STAGES = Milestone.PLANNED.stages - {Stage.CLOSED}
"""A project may be changed from its admission to the plan on, until it is closed (domain.md 3.2)."""

FIGURES = {"approved_amount": "Approved amount", "arranged_amount": "Arranged budget"}
"""Figures of the project that a request takes over beside what it may change; labels are msgids."""


@dataclass(frozen=True)
class Present:
    """A project's contents at its `version`: what may be changed, and the whole as declared."""

    version: int
    values: ChangeValues
    declared: DeclarationValues
    figures: dict[str, str]

    @property
    def base(self) -> FormState:
        """What a request takes over."""
        return {**state_of_project(self.values), **self.figures}


def present(session: Session, project: Project) -> Present:
    """The project's contents now."""
    declared = _declared(session, project)
    values = ChangeValues(**{name: getattr(declared, name) for name in DECLARED})
    last = session.scalars(
        select(ChangeRequest)
        .where(ChangeRequest.project_id == project.id, ChangeRequest.applied_version.is_not(None))
        .order_by(ChangeRequest.applied_version.desc())
        .limit(1)
        .options(selectinload(ChangeRequest.items))
    ).one_or_none()
    if last is not None:
        values = project_from({**last.base, **{item.field: item.after for item in last.items}})
    values = replace(
        values,
        owner_unit_id=project.unit_id,
        title=project.title,
        requested_amount=project.requested_amount,
    )
    return Present(project.version, values, declared, _figures(project))


@dataclass(frozen=True)
class Moved:
    """A figure or field of the project that is not what a request took over; `field` is its label."""

    field: Term
    old: str
    new: str


def moved_since(session: Session, change: ChangeRequest, now: Present | None = None) -> list[Moved]:
    """What of the project changed since the request took its data over. A version that only moved the
    project on in its life changed nothing that matters here."""
    if now is None:
        now = present(session, _project(session, change))
    if change.base_version == now.version:
        return []
    found = [
        Moved(Term(_label(each.field)), each.old, each.new)
        for each in differences(PROJECT, project_from(change.base), now.values, names_from(session))
    ]
    for name, label in FIGURES.items():
        if (old := change.base.get(name, "")) != now.figures[name]:
            found.append(Moved(Term(label), old, now.figures[name]))
    return found


def _project(session: Session, change: ChangeRequest) -> Project:
    return session.scalars(
        select(Project).where(Project.id == change.project_id).options(selectinload(Project.funding))
    ).one()


def _label(path: str) -> str:
    name = path.partition(".")[0]
    return (PROJECT.field.get(name) or PROJECT.table[name]).label


def _declared(session: Session, project: Project) -> DeclarationValues:
    """The declaration that was approved; of a project that came without one, what its row tells."""
    declaration = session.scalars(
        select(Declaration)
        .where(Declaration.project_id == project.id, Declaration.status == DocumentStatus.APPROVED)
        .order_by(Declaration.id.desc())
        .limit(1)
        .options(*with_rows)
    ).one_or_none()
    if declaration is not None:
        return declared_values(declaration)
    return DeclarationValues(
        title=project.title,
        budget_year=project.budget_year,
        nature=project.nature,
        declaration_type=project.declaration_type,
        requested_amount=project.requested_amount,
        funding_splits=tuple(FundingSplitValues(row.channel, row.amount) for row in project.funding),
    )


def _figures(project: Project) -> dict[str, str]:
    return {name: _shown(getattr(project, name)) for name in FIGURES}


def _shown(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:.2f}"
