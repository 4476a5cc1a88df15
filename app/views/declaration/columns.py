"""Columns and search fields of the three lists of declarations."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import get_locale, lazy_gettext

from app.core.enums import DocumentStatus
from app.core.xlsx import ColumnKind
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.unit import Unit
from app.services import dictionary
from app.services.unit_of_work import current_session
from app.views.base import AmountRange, ChoiceField, Column, DateRange, TextField, enum_choice
from app.views.document.columns import open_status, present_step


def _choices(dictionary_code: str) -> Sequence[tuple[str, str]]:
    found = dictionary.choices(current_session(), dictionary_code, str(get_locale()))
    return [(choice.code, choice.label) for choice in found]


CODE = Column("code", lazy_gettext("Declaration no."), Declaration.code, nowrap=True, link=True)
TITLE = Column("title", lazy_gettext("Project title"), Declaration.title, link=True, width=40)
YEAR = Column("budget_year", lazy_gettext("Budget year"), Declaration.budget_year, kind=ColumnKind.TEXT)
TYPE = Column(
    "declaration_type",
    lazy_gettext("Declaration type"),
    Declaration.declaration_type,
    dictionary="declaration_type",
)
NATURE = Column("nature", lazy_gettext("Project nature"), Declaration.nature, dictionary="nature")
UNIT = Column("unit", lazy_gettext("Declaring unit"), Unit.name)
AMOUNT = Column(
    "requested_amount",
    lazy_gettext("Requested amount (yuan)"),
    Declaration.requested_amount,
    kind=ColumnKind.MONEY,
    total=True,
)
STATUS = Column("status", lazy_gettext("Status"), Declaration.status, enum=DocumentStatus)
UPDATED = Column(
    "updated_at", lazy_gettext("Last changed"), Declaration.updated_at, kind=ColumnKind.DATETIME, nowrap=True
)
SUBMITTED = Column(
    "submitted_at",
    lazy_gettext("Submitted at"),
    Declaration.submitted_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
)
PROJECT = Column("project", lazy_gettext("Project no."), Project.code, nowrap=True)
STEP = present_step(Declaration)

DRAFT_COLUMNS = (CODE, TITLE, YEAR, TYPE, NATURE, UNIT, AMOUNT, STATUS, UPDATED)
DECLARED_COLUMNS = (CODE, PROJECT, TITLE, YEAR, TYPE, NATURE, UNIT, AMOUNT, STATUS, STEP, SUBMITTED)
BIN_COLUMNS = (CODE, TITLE, YEAR, TYPE, UNIT, AMOUNT, UPDATED)

FIELDS = (
    TextField("q", lazy_gettext("Number or title"), columns=(Declaration.code, Declaration.title)),
    ChoiceField(
        "declaration_type",
        lazy_gettext("Declaration type"),
        column=Declaration.declaration_type,
        options=lambda: _choices("declaration_type"),
    ),
    ChoiceField(
        "nature",
        lazy_gettext("Project nature"),
        column=Declaration.nature,
        options=lambda: _choices("nature"),
    ),
    AmountRange(
        "amount", lazy_gettext("Requested amount (yuan)"), primary=False, column=Declaration.requested_amount
    ),
)
DRAFT_FIELDS = (*FIELDS, open_status(Declaration))
DECLARED_FIELDS = (
    *FIELDS,
    enum_choice("status", lazy_gettext("Status"), Declaration.status, DocumentStatus),
    DateRange(
        "submitted", lazy_gettext("Submitted at"), primary=False, column=Declaration.submitted_at, moment=True
    ),
)
