"""Where each field of a declaration stands on its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from app.services.declaration.fields import ChapterKey
from app.services.declaration.values import DESCRIPTION
from app.views.document.layout import ChapterLayout, FormLayout

LAYOUT: tuple[ChapterLayout, ...] = (
    ChapterLayout(
        ChapterKey.BASIC,
        (
            ("title", 8),
            ("budget_year", 4),
            ("declaration_type", 4),
            ("nature", 4),
            ("plan_channel", 4),
            ("predecessor_id", 8),
            ("supervising_unit_id", 4),
            ("service_categories", 12),
            ("is_secret", 12),
        ),
    ),
    ChapterLayout(
        ChapterKey.BASIS,
        (
            ("basis_codes", 12),
            ("basis_text", 12),
            ("necessity", 12),
            ("current_state", 12),
            ("feasibility", 6),
            ("reasonableness", 6),
        ),
    ),
    ChapterLayout(
        ChapterKey.SCOPE,
        (
            ("goals", 12),
            ("scope_text", 12),
            ("begin_date", 4),
            ("end_date", 4),
            ("mlps_level", 4),
            ("crypto_required", 4),
            ("on_cloud", 8),
            ("cloud_resources", 12),
            ("scope_public", 5),
            ("scope_government", 7),
        ),
        ("data_catalogue",),
    ),
    ChapterLayout(
        ChapterKey.LINES,
        (("requested_amount", 6), ("total_investment", 6)),
        ("budget_lines",),
        tables_first=True,
    ),
    ChapterLayout(ChapterKey.FUNDING, (), ("funding_splits", "later_years")),
    ChapterLayout(
        ChapterKey.PERFORMANCE, (("long_term_goal", 6), ("annual_goal", 6)), ("indicators", "schedule")
    ),
    ChapterLayout(ChapterKey.ATTACHMENTS),
    ChapterLayout(
        ChapterKey.CONTACTS,
        (("lead_name", 3), ("lead_mobile", 3), ("contact_name", 3), ("contact_mobile", 3)),
    ),
)

_HINTS: Mapping[str, Any] = {
    "is_secret": lazy_gettext("State secrets must not be entered here; such projects use their own channel."),
    "predecessor_id": lazy_gettext("For continuing projects and payments due under a contract."),
    "total_investment": lazy_gettext("Already arranged + requested this year + later years."),
}
_TABLE_HINTS: Mapping[str, Any] = {
    "later_years": lazy_gettext(
        "What later years will need; leave blank when everything is asked for this year."
    ),
    "indicators": lazy_gettext("At least one indicator of each class; weights, when used, add up to 100."),
}
_TALL = frozenset({"basis_text", "necessity", "goals", "scope_text"})
_SECOND_LINE: Mapping[str, Mapping[str, int]] = {"budget_lines": {"cost_method": 4, "basis_text": 8}}
_NARROWS: Mapping[str, str] = {"level1": "level2"}
_SHOWN_WITHOUT_BLANK = frozenset({"budget_year"})

FORM = FormLayout(
    DESCRIPTION,
    LAYOUT,
    hints=_HINTS,
    table_hints=_TABLE_HINTS,
    tall=_TALL,
    second_line=_SECOND_LINE,
    narrows=_NARROWS,
    without_blank=_SHOWN_WITHOUT_BLANK,
)
"""The declaration's form."""
