"""Where each field of a change request stands on its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from app.services.change.fields import ChapterKey
from app.services.change.values import DESCRIPTION
from app.views.document.layout import ChapterLayout, FormLayout

LAYOUT: tuple[ChapterLayout, ...] = (
    ChapterLayout(
        ChapterKey.REQUEST,
        (
            ("kinds", 12),
            ("content", 12),
            ("reason_code", 4),
            ("reason_text", 8),
            ("basis_text", 6),
            ("impact", 6),
            ("performance_effect", 12),
        ),
    ),
    ChapterLayout(
        ChapterKey.BASIC,
        (
            ("title", 12),
            ("owner_unit_id", 12),
            ("supervising_unit_id", 12),
            ("lead_name", 12),
            ("lead_mobile", 12),
            ("contact_name", 12),
            ("contact_mobile", 12),
        ),
    ),
    ChapterLayout(
        ChapterKey.SCOPE,
        (
            ("goals", 12),
            ("scope_text", 12),
            ("begin_date", 12),
            ("end_date", 12),
            ("mlps_level", 12),
            ("crypto_required", 12),
            ("on_cloud", 12),
            ("cloud_resources", 12),
        ),
    ),
    ChapterLayout(ChapterKey.LINES, (("requested_amount", 12), ("total_investment", 12)), ("budget_lines",)),
    ChapterLayout(ChapterKey.FUNDING, (), ("funding_splits", "later_years")),
    ChapterLayout(
        ChapterKey.PERFORMANCE, (("long_term_goal", 12), ("annual_goal", 12)), ("indicators", "schedule")
    ),
    ChapterLayout(ChapterKey.ATTACHMENTS),
)

_HINTS: Mapping[str, Any] = {
    "kinds": lazy_gettext("A termination ends the project as it is and changes nothing else."),
    "owner_unit_id": lazy_gettext("On approval the project and its place in the plan go to this unit."),
    "requested_amount": lazy_gettext(
        "What is requested, and with it the approved amount. The arranged budget is altered by a fund"
        " adjustment only."
    ),
}

FORM = FormLayout(
    DESCRIPTION,
    LAYOUT,
    hints=_HINTS,
    tall=frozenset({"content", "goals", "scope_text"}),
    second_line={"budget_lines": {"cost_method": 4, "basis_text": 8}},
    narrows={"level1": "level2"},
    names={"base": lazy_gettext("The project's data")},
)
"""The change request's form."""
