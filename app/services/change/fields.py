"""What a change request is made of: what the unit says about it, and what of a project it may change."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.enums import Labelled
from app.models.declaration import Declaration
from app.services.declaration.fields import FIELD_BY_NAME, TABLE_BY_NAME
from app.services.document.description import Field, Table
from app.services.reading import Code, Codes, Paragraphs, Reference


class ChapterKey(Labelled):
    """The chapters of the form, in order; the label is an English msgid."""

    REQUEST = "request", "What is changed and why"
    BASIC = "basic", "Project and people"
    SCOPE = "scope", "Scope of work and period"
    LINES = "lines", "Amounts and budget lines"
    FUNDING = "funding", "Funding"
    PERFORMANCE = "performance", "Performance targets"
    ATTACHMENTS = "attachments", "Attachments"


REQUEST_FIELDS: tuple[Field, ...] = (
    Field("kinds", "Kinds of change", Codes("change_kind"), ChapterKey.REQUEST),
    Field("content", "Content of the change", Paragraphs(), ChapterKey.REQUEST),
    Field("reason_code", "Reason of the change", Code("change_reason"), ChapterKey.REQUEST),
    Field("reason_text", "Explanation of the reason", Paragraphs(), ChapterKey.REQUEST),
    Field("basis_text", "Basis of the change", Paragraphs(), ChapterKey.REQUEST),
    Field("performance_effect", "Effect on performance targets", Paragraphs(), ChapterKey.REQUEST),
    Field("impact", "Effect on the project's progress", Paragraphs(), ChapterKey.REQUEST),
)

_CHANGEABLE: Mapping[ChapterKey, tuple[str, ...]] = {
    ChapterKey.BASIC: (
        "title",
        "supervising_unit_id",
        "lead_name",
        "lead_mobile",
        "contact_name",
        "contact_mobile",
    ),
    ChapterKey.SCOPE: (
        "goals",
        "scope_text",
        "begin_date",
        "end_date",
        "mlps_level",
        "crypto_required",
        "on_cloud",
        "cloud_resources",
    ),
    ChapterKey.LINES: ("requested_amount", "total_investment"),
    ChapterKey.PERFORMANCE: ("long_term_goal", "annual_goal"),
}
"""Of what was declared: everything that says what is built, for how much, when and by whom. What the
project was admitted by (year, nature, type, basis, necessity) stays as it was approved."""

_CHANGEABLE_TABLES: Mapping[ChapterKey, tuple[str, ...]] = {
    ChapterKey.LINES: ("budget_lines",),
    ChapterKey.FUNDING: ("funding_splits", "later_years"),
    ChapterKey.PERFORMANCE: ("schedule", "indicators"),
}


def _of_declaration(name: str, chapter: ChapterKey) -> Field:
    declared = FIELD_BY_NAME[name]
    return Field(name, declared.label, declared.kind, chapter)


def _table_of_declaration(name: str, chapter: ChapterKey) -> Table:
    declared = TABLE_BY_NAME[name]
    return Table(
        name,
        declared.label,
        chapter,
        declared.row,
        declared.most,
        declared.columns,
        declared.given,
        declared.computed,
    )


OWNER = Field("owner_unit_id", "Project owner (unit)", Reference("unit"), ChapterKey.BASIC)

PROJECT_FIELDS: tuple[Field, ...] = (
    OWNER,
    *(_of_declaration(name, chapter) for chapter, names in _CHANGEABLE.items() for name in names),
)
PROJECT_TABLES: tuple[Table, ...] = tuple(
    _table_of_declaration(name, chapter) for chapter, names in _CHANGEABLE_TABLES.items() for name in names
)

DECLARED: frozenset[str] = frozenset(
    {field.name for field in PROJECT_FIELDS if hasattr(Declaration, field.name)}
    | {table.name for table in PROJECT_TABLES}
)
"""The fields and tables that a declaration has too."""

KIND_OF: Mapping[str, str] = {
    "title": "CONTENT",
    "goals": "CONTENT",
    "scope_text": "CONTENT",
    "requested_amount": "FUNDS",
    "total_investment": "FUNDS",
    "budget_lines": "FUNDS",
    "later_years": "FUNDS",
    "begin_date": "PERIOD",
    "end_date": "PERIOD",
    "schedule": "PERIOD",
    "funding_splits": "CHANNEL",
    "owner_unit_id": "PARTIES",
    "supervising_unit_id": "PARTIES",
    "lead_name": "PARTIES",
    "contact_name": "PARTIES",
    "mlps_level": "TECHNICAL",
    "crypto_required": "TECHNICAL",
    "on_cloud": "TECHNICAL",
    "cloud_resources": "TECHNICAL",
    "long_term_goal": "PERFORMANCE",
    "annual_goal": "PERFORMANCE",
    "indicators": "PERFORMANCE",
}
"""The kind of change (dictionary `change_kind`) that a field or table belongs to."""

TERMINATION = "TERMINATION"
"""The kind of change that ends a project; it changes nothing else."""
