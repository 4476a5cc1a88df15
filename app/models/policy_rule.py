"""政策规则: rules of laws and measures as data, and what they found in each document that was submitted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import RuleLevel
from app.models.base import JsonList, Model, Stamped, UTCDateTime, enum_type, utcnow


class PolicyRule(Stamped, Model):
    """One rule on one document kind: it applies when all condition rows of any one group hold.

    `conditions` is a list of rows {group, field, operator, value | parameter}, never evaluated text: `field`
    names a ConditionField of the kind, `parameter` a RuleParameter whose number is compared with. `place` is
    the form's field beside which a refusal is said. An unverified rule is shown as 待核对. A `locked` one is
    law or arithmetic that no office may bend: only its wording and source can be corrected.
    """

    __tablename__ = "policy_rule"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="policy_rule_dates_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(160))
    document_kind: Mapped[str] = mapped_column(String(40), index=True)
    level: Mapped[RuleLevel] = mapped_column(enum_type(RuleLevel))
    place: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(80))
    article: Mapped[str] = mapped_column(String(80), default="")
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]
    conditions: Mapped[list[dict[str, Any]]] = mapped_column(JsonList, default=list)
    message_zh: Mapped[str] = mapped_column(String(500))
    message_en: Mapped[str] = mapped_column(String(500))
    verified: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    locked: Mapped[bool] = mapped_column(default=False)

    def __str__(self) -> str:
        return f"{self.code} {self.name_zh}"


class RuleFinding(Model):
    """What one rule found in one submission of one document, with the rule as it was worded then.

    `submission` counts the document's submissions from 1; `rule_revision` how often the rule had been edited.
    `figures` are the compared values, {label, kind, operator, actual {zh, en}, expected …, note}.
    """

    __tablename__ = "rule_finding"
    __table_args__ = (Index("ix_rule_finding_document", "document_kind", "document_id", "submission"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    submission: Mapped[int]
    rule_id: Mapped[int] = mapped_column(ForeignKey("policy_rule.id"), index=True)
    rule_revision: Mapped[int] = mapped_column(default=0)
    code: Mapped[str] = mapped_column(String(20))
    name_zh: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(160))
    level: Mapped[RuleLevel] = mapped_column(enum_type(RuleLevel))
    place: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(80))
    article: Mapped[str] = mapped_column(String(80), default="")
    message_zh: Mapped[str] = mapped_column(String(500))
    message_en: Mapped[str] = mapped_column(String(500))
    verified: Mapped[bool] = mapped_column(default=False)
    figures: Mapped[list[dict[str, Any]]] = mapped_column(JsonList, default=list)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)

    rule: Mapped[PolicyRule] = relationship(PolicyRule, lazy="raise_on_sql")
