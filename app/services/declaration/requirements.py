"""What a declaration of this kind and size has to contain; every limit is a parameter (domain.md 1.9)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.services import parameter
from app.services.declaration.values import DeclarationValues

ALWAYS: tuple[str, ...] = (
    "title",
    "budget_year",
    "nature",
    "declaration_type",
    "basis_codes",
    "basis_text",
    "requested_amount",
    "budget_lines",
    "funding_splits",
    "lead_name",
    "lead_mobile",
    "contact_name",
    "contact_mobile",
)
"""What even the smallest declaration says (domain.md, decision 9)."""

LINKED_TYPES = frozenset({"CONTINUING", "CONTRACT_DUE"})
"""延续项目 and 依合同支付项目 continue an earlier project (domain.md 3.1.1)."""


@dataclass(frozen=True)
class Limits:
    """The parameters of one check."""

    necessity_length: int


@dataclass(frozen=True)
class Demands:
    """What this declaration must contain: `fields` and tables by name, `attachments` by category;
    `expected` attachments may follow later."""

    simple: bool
    fields: frozenset[str]
    attachments: frozenset[str]
    expected: frozenset[str]


def limits(session: Session) -> Limits:
    """The limits in force today."""
    return Limits(parameter.int_of(session, "declaration.necessity_length"))


def demands(session: Session, values: DeclarationValues) -> Demands:
    """What to demand of these values. The short form is for operation and maintenance below the limit; a new
    build has every chapter whatever it costs. Until the type is chosen, only the short form is asked."""
    kind = "simple" if _is_simple(session, values) else values.declaration_type or "simple"
    fields = {*ALWAYS, *parameter.list_of(session, f"declaration.required.{kind}")}
    if values.declaration_type in LINKED_TYPES:
        fields.add("predecessor_id")
    if values.on_cloud and kind != "simple":
        fields.add("cloud_resources")
    attachments = frozenset(parameter.list_of(session, f"declaration.attachments.{kind}"))
    # domain.md 3.1.4: the scheme of a new project "may follow at scheme stage".
    expected = frozenset({"SCHEME"} if kind == "NEW" else ()) - attachments
    return Demands(kind == "simple", frozenset(fields), attachments, expected)


def _is_simple(session: Session, values: DeclarationValues) -> bool:
    if values.nature != "OPERATION" or values.declaration_type == "NEW":
        return False
    requested = values.requested_amount
    return requested is None or requested < parameter.decimal_of(session, "declaration.simple_limit")
