"""Columns and search fields of the lists of change requests."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import get_locale, lazy_gettext

from app.core.enums import DocumentStatus
from app.core.xlsx import ColumnKind
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.unit import Unit
from app.services import dictionary
from app.services.unit_of_work import current_session
from app.views.base import AmountRange, ChoiceField, Column, DateRange, TextField, enum_choice
from app.views.base.cells import yes_no_field
from app.views.document.columns import present_step


def _choices(dictionary_code: str) -> Sequence[tuple[str, str]]:
    found = dictionary.choices(current_session(), dictionary_code, str(get_locale()))
    return [(choice.code, choice.label) for choice in found]


CODE = Column("code", lazy_gettext("Change no."), ChangeRequest.code, nowrap=True, link=True)
TITLE = Column("title", lazy_gettext("Project title"), Project.title, link=True, width=40, css="title")
PROJECT = Column("project", lazy_gettext("Project no."), Project.code, nowrap=True, visible=False)
REASON = Column(
    "reason", lazy_gettext("Reason of the change"), ChangeRequest.reason_code, dictionary="change_reason"
)
UNIT = Column("unit", lazy_gettext("Declaring unit"), Unit.short_name, css="unit")
BEFORE = Column(
    "amount_before",
    lazy_gettext("Amount before (yuan)"),
    ChangeRequest.amount_before,
    kind=ColumnKind.MONEY,
    visible=False,
)
AFTER = Column(
    "amount_after",
    lazy_gettext("Amount after (yuan)"),
    ChangeRequest.amount_after,
    kind=ColumnKind.MONEY,
)
DELTA = Column(
    "amount_delta",
    lazy_gettext("Changed by (yuan)"),
    ChangeRequest.amount_delta,
    kind=ColumnKind.MONEY,
    total=True,
)
RATIO = Column("change_ratio", lazy_gettext("Ratio (%)"), ChangeRequest.change_ratio, kind=ColumnKind.MONEY)
DAYS = Column("days_delta", lazy_gettext("Days"), ChangeRequest.days_delta, kind=ColumnKind.INTEGER)
STATUS = Column("status", lazy_gettext("Status"), ChangeRequest.status, enum=DocumentStatus)
STEP = present_step(ChangeRequest)
SUBMITTED = Column(
    "submitted_at",
    lazy_gettext("Submitted at"),
    ChangeRequest.submitted_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
)
APPLIED = Column(
    "applied_at",
    lazy_gettext("Applied at"),
    ChangeRequest.applied_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
    visible=False,
)
UPDATED = Column(
    "updated_at",
    lazy_gettext("Last changed"),
    ChangeRequest.updated_at,
    kind=ColumnKind.DATETIME,
    nowrap=True,
)

DRAFT_COLUMNS = (CODE, TITLE, PROJECT, REASON, UNIT, DELTA, RATIO, STATUS, UPDATED)
DECLARED_COLUMNS = (
    CODE,
    TITLE,
    PROJECT,
    REASON,
    UNIT,
    BEFORE,
    AFTER,
    DELTA,
    RATIO,
    DAYS,
    STATUS,
    STEP,
    SUBMITTED,
    APPLIED,
)
BIN_COLUMNS = (CODE, TITLE, PROJECT, UNIT, DELTA, UPDATED)

FIELDS = (
    TextField(
        "q", lazy_gettext("Number or title"), columns=(ChangeRequest.code, Project.code, Project.title)
    ),
    ChoiceField(
        "reason",
        lazy_gettext("Reason of the change"),
        column=ChangeRequest.reason_code,
        options=lambda: _choices("change_reason"),
    ),
)
DECLARED_FIELDS = (
    *FIELDS,
    enum_choice("status", lazy_gettext("Status"), ChangeRequest.status, DocumentStatus),
    yes_no_field("major", lazy_gettext("Major change"), ChangeRequest.is_major),
    AmountRange(
        "amount", lazy_gettext("Amount after (yuan)"), primary=False, column=ChangeRequest.amount_after
    ),
    DateRange(
        "submitted",
        lazy_gettext("Submitted at"),
        primary=False,
        column=ChangeRequest.submitted_at,
        moment=True,
    ),
)
