"""What the change form shows of its own: the project's side before, the figures, what became stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.models.change import ChangeRequest
from app.models.project import Project
from app.services import change
from app.services.change.draft import KIND
from app.services.document.form import FormState
from app.services.unit_of_work import current_session
from app.views.change.layout import FORM
from app.views.change.shown import Figure, PairedTable, Reader, figures
from app.views.document import form
from app.views.document.layout import Option


@dataclass(frozen=True)
class More:
    """The left side of the form: what each field and table of the project says now."""

    project: Project
    before: dict[str, str]
    tables: dict[str, PairedTable]
    changed: frozenset[str]
    figures: tuple[Figure, ...]
    reassess: bool
    stale: bool


def more_of(row: ChangeRequest, *, own: bool = True) -> More:
    """What the form and its head show beside the fields; the request's items must be loaded."""
    session = current_session()
    project = session.get_one(Project, row.project_id)
    reader = Reader(row, own=own)
    checklist = change.check(session, row)
    total = change.cumulative(session, row.project_id)
    return More(
        project,
        reader.before_texts(),
        {table.path: table for table in reader.tables()},
        frozenset(item.field for item in row.items),
        figures(row, project, total, major=checklist.major, reassess=checklist.reassess),
        checklist.reassess,
        checklist.stale,
    )


class FormBuilder(form.FormBuilder):
    """Gathers the page of a change request's form."""

    kind = KIND
    layout = FORM

    def references(self, state: FormState, document: Any) -> dict[str, tuple[Option, ...]]:
        chosen = (str(state.get(name) or "") for name in ("owner_unit_id", "supervising_unit_id"))
        offered = {option.value: option for each in chosen for option in self.units(each)}
        return {"unit": tuple(offered.values())}

    def more(self, document: Any) -> More | None:
        return more_of(document) if document is not None else None
