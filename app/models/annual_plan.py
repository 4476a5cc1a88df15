"""年度需求计划: approved declarations enter it, and finance arranges a budget (domain.md 3.17)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, Money, Stamped, UTCDateTime, utcnow
from app.models.project import Project
from app.models.unit import Unit


class AnnualPlan(Stamped, Model):
    """One project's place in a year's plan. Amounts in yuan; `initial_amount` is the first arranged
    budget, to which adjustments add."""

    __tablename__ = "annual_plan"
    __table_args__ = (
        CheckConstraint("initial_amount >= 0", name="initial_not_negative"),
        Index("ix_annual_plan_year", "year", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    requested_amount: Mapped[Decimal] = mapped_column(Money())
    initial_amount: Mapped[Decimal | None] = mapped_column(Money())
    doc_no: Mapped[str] = mapped_column(String(80), default="")
    published_on: Mapped[dt.date | None]
    planned_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    version: Mapped[int] = mapped_column(default=1)

    project: Mapped[Project] = relationship(Project, lazy="raise_on_sql")
    unit: Mapped[Unit] = relationship(Unit, lazy="raise_on_sql")

    __mapper_args__: Any = {"version_id_col": version}
