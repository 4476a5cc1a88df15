"""Where each field of an adjustment stands on its form."""

from __future__ import annotations

from flask_babel import lazy_gettext

from app.services.adjustment import DESCRIPTION, ChapterKey
from app.views.document.layout import ChapterLayout, FormLayout

FORM = FormLayout(
    DESCRIPTION,
    (
        ChapterLayout(
            ChapterKey.BASIS,
            (("title", 8), ("kind", 4), ("basis_no", 4), ("basis_date", 4), ("year", 4), ("reason", 12)),
        ),
        ChapterLayout(ChapterKey.LINES, (), ("lines",)),
        ChapterLayout(ChapterKey.ATTACHMENTS),
    ),
    hints={"basis_no": lazy_gettext("The document that orders the adjustment, as 开财〔2027〕8号.")},
    tall=frozenset({"reason"}),
    without_blank=frozenset({"kind"}),
    table_templates={"lines": "adjustment/_lines.html"},
)
"""The adjustment's form."""
