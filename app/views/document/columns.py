"""Columns that the lists of every document share."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import select

from app.core.enums import DocumentStatus
from app.core.flow import RunState
from app.models.flow import FlowRun, FlowStep
from app.views.base import ChoiceField
from app.views.base.cells import BilingualColumn, bilingual

_OPEN = (DocumentStatus.DRAFT, DocumentStatus.RETURNED)


def open_status(model: Any) -> ChoiceField:
    """The state of what its unit still has to fill in: a draft, or sent back."""
    return ChoiceField(
        "status",
        lazy_gettext("Status"),
        column=model.status,
        options=lambda: [(status.value, gettext(status.label)) for status in _OPEN],
        convert=DocumentStatus,
    )


def present_step(model: Any) -> BilingualColumn:
    """The name of the step a document waits at."""
    name = (
        select(bilingual("", "", FlowStep.name_zh, FlowStep.name_en).expression)
        .join(FlowRun, FlowRun.current_step_id == FlowStep.id)
        .where(
            FlowRun.document_kind == model.document_kind,
            FlowRun.document_id == model.id,
            FlowRun.state == RunState.RUNNING,
        )
        .correlate(model)
        .scalar_subquery()
    )
    return BilingualColumn("step", lazy_gettext("Present step"), name, sortable=False)
