"""What of a project its versions keep; importing this module registers it."""

from __future__ import annotations

from app.core.enums import ConstructionStatus, Stage
from app.models.project import Project
from app.services import history
from app.services.history import Described, Part, Rows
from app.services.reading import Choice, Code, Line, Reference, Year, Yuan

DESCRIBED = Described(
    "project",
    Project,
    (
        Part("code", "Project no.", Line(20)),
        Part("fiscal_code", "Fiscal performance no.", Line(40)),
        Part("national_code", "National project code", Line(29)),
        Part("title", "Project title", Line(200)),
        Part("unit_id", "Declaring unit", Reference("unit")),
        Part("budget_year", "Budget year", Year()),
        Part("nature", "Project nature", Code("nature")),
        Part("declaration_type", "Declaration type", Code("declaration_type")),
        Part("stage", "Stage", Choice(Stage)),
        Part("construction_status", "Construction status", Choice(ConstructionStatus)),
        Part("requested_amount", "Requested amount", Yuan()),
        Part("arranged_amount", "Arranged budget", Yuan()),
        Part("approved_amount", "Approved amount", Yuan()),
    ),
    (
        Rows(
            "funding",
            "Funding channels",
            (Part("channel", "Funding channel", Code("funding_channel")), Part("amount", "Amount", Yuan())),
            "channel",
        ),
    ),
)

history.register(DESCRIBED)
