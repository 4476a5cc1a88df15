"""What a declaration is made of: every field and table of domain.md 3.1, once, for the form, REST, the
history and the print-out alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.core.enums import Labelled
from app.models.declaration import (
    BudgetLine,
    CatalogueEntry,
    FundingSplit,
    LaterYear,
    PerformanceIndicator,
    ScheduleStep,
)
from app.services.document.description import Column, Field, Table
from app.services.reading import (
    Code,
    Codes,
    Day,
    Flag,
    Line,
    Mobile,
    Number,
    Paragraphs,
    Reference,
    Year,
    Yuan,
)


class ChapterKey(Labelled):
    """The chapters of the form, in order; the label is an English msgid."""

    BASIC = "basic", "Basic information"
    BASIS = "basis", "Basis of the project"
    SCOPE = "scope", "Scope of work"
    LINES = "lines", "Budget lines"
    FUNDING = "funding", "Funding"
    PERFORMANCE = "performance", "Performance targets"
    ATTACHMENTS = "attachments", "Attachments"
    CONTACTS = "contacts", "Contacts"


_QUANTITY = Number(4, Decimal("99999999.9999"))
_PERCENT = Number(2, Decimal(100))

FIELDS: tuple[Field, ...] = (
    Field("title", "Project title", Line(200), ChapterKey.BASIC),
    Field("budget_year", "Budget year", Year(), ChapterKey.BASIC),
    Field("nature", "Project nature", Code("nature"), ChapterKey.BASIC),
    Field("declaration_type", "Declaration type", Code("declaration_type"), ChapterKey.BASIC),
    Field("service_categories", "Service category", Codes("service_category"), ChapterKey.BASIC),
    Field("plan_channel", "Way into the plan", Code("plan_channel"), ChapterKey.BASIC),
    Field("supervising_unit_id", "Supervising department", Reference("unit"), ChapterKey.BASIC),
    Field("predecessor_id", "Earlier project", Reference("project"), ChapterKey.BASIC),
    Field("is_secret", "Involves state secrets", Flag(), ChapterKey.BASIC),
    Field("basis_codes", "Kinds of basis", Codes("basis_kind"), ChapterKey.BASIS),
    Field("basis_text", "Basis for the project", Paragraphs(), ChapterKey.BASIS),
    Field("necessity", "Necessity", Paragraphs(), ChapterKey.BASIS),
    Field("feasibility", "Feasibility", Paragraphs(), ChapterKey.BASIS),
    Field("reasonableness", "Reasonableness", Paragraphs(), ChapterKey.BASIS),
    Field("current_state", "Present state and problems", Paragraphs(), ChapterKey.BASIS),
    Field("goals", "Goals", Paragraphs(), ChapterKey.SCOPE),
    Field("scope_text", "Content and scale", Paragraphs(), ChapterKey.SCOPE),
    Field("begin_date", "Begins on", Day(), ChapterKey.SCOPE),
    Field("end_date", "Ends on", Day(), ChapterKey.SCOPE),
    Field("mlps_level", "MLPS level", Code("mlps_level"), ChapterKey.SCOPE),
    Field("crypto_required", "Uses cryptography", Flag(), ChapterKey.SCOPE),
    Field("on_cloud", "Runs in the government cloud", Flag(), ChapterKey.SCOPE),
    Field("cloud_resources", "Cloud resources", Paragraphs(), ChapterKey.SCOPE),
    Field("scope_public", "Serves the public", Codes("scope_public"), ChapterKey.SCOPE),
    Field("scope_government", "Serves the government", Codes("scope_government"), ChapterKey.SCOPE),
    Field("requested_amount", "Requested amount", Yuan(), ChapterKey.LINES),
    Field("total_investment", "Total investment", Yuan(), ChapterKey.LINES),
    Field("long_term_goal", "Long-term goal", Paragraphs(), ChapterKey.PERFORMANCE),
    Field("annual_goal", "Goal of the year", Paragraphs(), ChapterKey.PERFORMANCE),
    Field("lead_name", "Project lead", Line(60), ChapterKey.CONTACTS),
    Field("lead_mobile", "Mobile of the lead", Mobile(), ChapterKey.CONTACTS),
    Field("contact_name", "Contact", Line(60), ChapterKey.CONTACTS),
    Field("contact_mobile", "Mobile of the contact", Mobile(), ChapterKey.CONTACTS),
)

TABLES: tuple[Table, ...] = (
    Table(
        "budget_lines",
        "Budget lines",
        ChapterKey.LINES,
        BudgetLine,
        200,
        (
            Column("subject_code", "Subject", Code("budget_subject"), demanded=True),
            Column("name", "Name", Line(200), demanded=True),
            Column("spec", "Specification", Line(500)),
            Column("unit_name", "Unit of measure", Line(40), demanded=True),
            Column("quantity", "Quantity", _QUANTITY, demanded=True),
            Column("unit_price", "Unit price", Yuan(), demanded=True),
            Column("basis_text", "Basis of the price", Paragraphs(2000)),
            Column("cost_method", "Costing method", Code("cost_method")),
        ),
        frozenset({"id", "seq", "amount"}),
        computed=(Column("amount", "Subtotal", Yuan()),),
    ),
    Table(
        "funding_splits",
        "Funding",
        ChapterKey.FUNDING,
        FundingSplit,
        20,
        (
            Column("channel", "Funding channel", Code("funding_channel"), demanded=True),
            Column("amount", "Amount", Yuan(), demanded=True),
        ),
    ),
    Table(
        "later_years",
        "Later years",
        ChapterKey.FUNDING,
        LaterYear,
        10,
        (Column("year", "Year", Year(), demanded=True), Column("amount", "Amount", Yuan(), demanded=True)),
    ),
    Table(
        "data_catalogue",
        "Data resource catalogue",
        ChapterKey.SCOPE,
        CatalogueEntry,
        200,
        (
            Column("name", "Data resource", Line(200), demanded=True),
            Column("provider", "Provider", Line(120), demanded=True),
            Column("sharing_type", "Sharing type", Code("sharing_type"), demanded=True),
            Column("update_frequency", "Update frequency", Line(60)),
            Column("note", "Note", Line(500)),
        ),
    ),
    Table(
        "schedule",
        "Schedule",
        ChapterKey.PERFORMANCE,
        ScheduleStep,
        50,
        (
            Column("content", "Work", Line(500), demanded=True),
            Column("begin_date", "Begins on", Day(), demanded=True),
            Column("end_date", "Ends on", Day(), demanded=True),
        ),
    ),
    Table(
        "indicators",
        "Performance indicators",
        ChapterKey.PERFORMANCE,
        PerformanceIndicator,
        50,
        (
            Column("level1", "Indicator class", Code("indicator_level1"), demanded=True),
            Column("level2", "Indicator", Code("indicator_level2"), demanded=True),
            Column("name", "Name", Line(200), demanded=True),
            Column("operator", "Operator", Code("indicator_operator"), demanded=True),
            Column("target_value", "Target value", Line(100), demanded=True),
            Column("unit_name", "Unit of measure", Line(40)),
            Column("weight", "Weight (%)", _PERCENT),
        ),
    ),
)

FIELD_BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}
TABLE_BY_NAME: Mapping[str, Table] = {table.name: table for table in TABLES}

ALIASES: Mapping[str, str] = {
    "service_category": "service_categories",
    "supervising_unit": "supervising_unit_id",
    "predecessor": "predecessor_id",
}
"""Names of domain.md that programs may use for ours."""


def chapter_of(path: str) -> Labelled:
    """The chapter in which a field, a table or a cell (`budget_lines.2.unit_price`) stands."""
    name = path.partition(".")[0]
    if name in TABLE_BY_NAME:
        return TABLE_BY_NAME[name].chapter
    if name in FIELD_BY_NAME:
        return FIELD_BY_NAME[name].chapter
    return ChapterKey.ATTACHMENTS
