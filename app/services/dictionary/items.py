"""Who uses an entry: one in use is deactivated, never deleted (domain.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, String, cast, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.attachment import Attachment
from app.models.declaration import (
    BudgetLine,
    CatalogueEntry,
    Declaration,
    FundingSplit,
    PerformanceIndicator,
)
from app.models.project import Project, ProjectFunding

ONE_CODE: Mapping[str, tuple[InstrumentedAttribute[str | None] | InstrumentedAttribute[str], ...]] = {
    "nature": (Declaration.nature, Project.nature),
    "declaration_type": (Declaration.declaration_type, Project.declaration_type),
    "plan_channel": (Declaration.plan_channel,),
    "mlps_level": (Declaration.mlps_level,),
    "funding_channel": (FundingSplit.channel, ProjectFunding.channel),
    "budget_subject": (BudgetLine.subject_code,),
    "cost_method": (BudgetLine.cost_method,),
    "sharing_type": (CatalogueEntry.sharing_type,),
    "indicator_level1": (PerformanceIndicator.level1,),
    "indicator_level2": (PerformanceIndicator.level2,),
    "indicator_operator": (PerformanceIndicator.operator,),
    "attachment_category": (Attachment.category,),
}
"""Where each dictionary's codes are stored, one to a column."""

MANY_CODES: Mapping[str, tuple[InstrumentedAttribute[list[str]], ...]] = {
    "service_category": (Declaration.service_categories,),
    "basis_kind": (Declaration.basis_codes,),
    "scope_public": (Declaration.scope_public,),
    "scope_government": (Declaration.scope_government,),
}
"""And where a column holds a JSON list of codes."""


CHILDREN_IN: Mapping[str, str] = {"indicator_level1": "indicator_level2"}
"""Whose entries name one of this dictionary's as their parent; else the dictionary's own."""


def in_use(session: Session, type_code: str, code: str) -> bool:
    """Does any document carry the code?"""
    conditions: list[ColumnElement[bool]] = [column == code for column in ONE_CODE.get(type_code, ())]
    conditions += [
        cast(column, String).contains(f'"{code}"', autoescape=True)
        for column in MANY_CODES.get(type_code, ())
    ]
    return any(session.scalar(select(literal(1)).where(condition).limit(1)) for condition in conditions)
