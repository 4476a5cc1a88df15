"""What the form of an adjustment shows of its own: the projects with what they have, and the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from app.core.funds import AdjustmentKind
from app.core.money import format_yuan
from app.services import adjustment
from app.services.adjustment import ATTACHMENT, KIND, ProjectFunds
from app.services.adjustment.check import REQUIRED
from app.services.document.form import FormState
from app.views.adjustment.compared import ComparisonView, comparison_view
from app.views.adjustment.layout import FORM
from app.views.document import form
from app.views.document.layout import Option


@dataclass(frozen=True)
class Adjusted:
    """What stands beside the rows: their projects by id, as the script and the template read them."""

    projects: dict[str, dict[str, Any]]
    comparison: ComparisonView

    def project(self, typed: str) -> dict[str, Any] | None:
        """The project of a row, by its id or number."""
        return self.projects.get(typed) or next(
            (found for found in self.projects.values() if found["code"] == typed), None
        )


class FormBuilder(form.FormBuilder):
    """Gathers the page of an adjustment's form."""

    kind = KIND
    layout = FORM

    def demanded(self) -> tuple[frozenset[str], frozenset[str]]:
        return REQUIRED, frozenset({ATTACHMENT})

    def prefilled(self, state: FormState) -> None:
        state["year"] = state["year"] or str(adjustment.this_year())

    def references(self, state: FormState, document: Any) -> dict[str, tuple[Option, ...]]:
        # Projects are searched for on the server; the rows' template draws them itself.
        return {"project": ()}

    def more(self, document: Any) -> Adjusted:
        lines = document.lines if document else []
        found = adjustment.projects_of(self.session, adjustment.project_ids(lines))
        units = {each.unit_id: each.unit for each in found.values()}
        return Adjusted(
            {str(each.id): project_json(each) for each in found.values()},
            comparison_view(
                adjustment.compare(lines),
                document.kind if document else AdjustmentKind.TRANSFER,
                lambda pk: f"{found[pk].code} {found[pk].title}",
                lambda pk: units[pk],
                lambda code: self.catalogue.label("funding_channel", code, self.language),
            ),
        )


def project_json(found: ProjectFunds) -> dict[str, Any]:
    """A project for the form's script; amounts are decimal strings in yuan."""
    return {
        "id": found.id,
        "code": found.code,
        "title": found.title,
        "unit": found.unit,
        "stage": gettext(found.stage.label),
        "arranged": None if found.arranged is None else f"{found.arranged:.2f}",
        "channels": {channel: f"{amount:.2f}" for channel, amount in found.channels.items()},
        "note": gettext(
            "%(title)s · %(unit)s · arranged %(amount)s yuan",
            title=found.title,
            unit=found.unit,
            amount="—" if found.arranged is None else format_yuan(found.arranged),
        ),
    }
