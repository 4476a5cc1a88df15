"""What the declaration form shows of its own: years, departments, earlier projects."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from app.access import policy
from app.core.workdays import SHANGHAI
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.project import Project
from app.services.declaration.draft import KIND
from app.services.declaration.requirements import demands
from app.services.declaration.values import DeclarationValues
from app.services.document.form import FormState
from app.views.declaration.layout import FORM
from app.views.document import form
from app.views.document.layout import Option

_MOST_PROJECTS = 300


class FormBuilder(form.FormBuilder):
    """Gathers the page of a declaration's form."""

    kind = KIND
    layout = FORM

    def demanded(self) -> tuple[frozenset[str], frozenset[str]]:
        wanted = demands(self.session, DeclarationValues())
        return wanted.fields, wanted.attachments

    def prefilled(self, state: FormState) -> None:
        state["budget_year"] = state["budget_year"] or str(_years()[0])

    def references(self, state: FormState, document: Any) -> dict[str, tuple[Option, ...]]:
        years = sorted({*map(str, _years()), *([state["budget_year"]] if state.get("budget_year") else [])})
        return {
            "budget_year": tuple(Option(year, year) for year in reversed(years)),
            "unit": self.units(str(state.get("supervising_unit_id") or "")),
            "project": self._projects(document, str(state.get("predecessor_id") or "")),
        }

    def _projects(self, declaration: Declaration | None, chosen: str) -> tuple[Option, ...]:
        """The unit's own earlier projects, newest first."""
        unit_id = declaration.unit_id if declaration else self.actor.unit_id
        kept = int(chosen) if chosen.isdecimal() else 0
        own = declaration.project_id if declaration else None
        rows = self.session.execute(
            select(Project.id, Project.code, Project.title)
            .where(
                policy.criterion(self.actor, Project),
                or_(Project.unit_id == unit_id, Project.id == kept),
                Project.id != (own or 0),
            )
            .order_by(Project.budget_year.desc(), Project.id.desc())
            .limit(_MOST_PROJECTS)
        )
        return tuple(Option(str(row.id), f"{row.code} {row.title}") for row in rows)


def _years() -> tuple[int, int]:
    this_year = utcnow().astimezone(SHANGHAI).year
    return this_year + 1, this_year
