"""项目申报 and its tables of rows (domain.md 3.1)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.models.base import Fillable, JsonList, Model, Money, Percent, Quantity
from app.models.project import Project
from app.models.unit import Unit


class Declaration(Fillable, Model):
    """项目申报. A draft may be incomplete, so most columns may be empty; submission checks them."""

    document_kind: ClassVar[str] = "declaration"

    __tablename__ = "declaration"
    __table_args__ = (
        CheckConstraint("requested_amount IS NULL OR requested_amount >= 0", name="requested_not_negative"),
        CheckConstraint(
            "end_date IS NULL OR begin_date IS NULL OR end_date >= begin_date", name="period_order"
        ),
        Index("ix_declaration_unit_status", "unit_id", "status"),
        Index("ix_declaration_year_status", "budget_year", "status"),
        # With what the figures by month ask for, so that they read no long row.
        Index("ix_declaration_project", "project_id", "submitted_at", "status"),
        Index("ix_declaration_predecessor", "predecessor_id"),
        Index("ix_declaration_submitted", "submitted_at"),
        # Secret projects are outside these rules and must never be entered here (domain.md D-03).
        CheckConstraint("NOT is_secret", name="never_secret"),
        # A purged draft's number must not come back: its history is kept under it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    budget_year: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    nature: Mapped[str | None] = mapped_column(String(40))
    declaration_type: Mapped[str | None] = mapped_column(String(40))
    service_categories: Mapped[list[str]] = mapped_column(JsonList, default=list)
    supervising_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    plan_channel: Mapped[str | None] = mapped_column(String(40))
    predecessor_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))

    lead_name: Mapped[str] = mapped_column(String(60), default="")
    lead_mobile: Mapped[str] = mapped_column(String(20), default="")
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_mobile: Mapped[str] = mapped_column(String(20), default="")

    basis_codes: Mapped[list[str]] = mapped_column(JsonList, default=list)
    basis_text: Mapped[str] = mapped_column(Text, default="")
    necessity: Mapped[str] = mapped_column(Text, default="")
    feasibility: Mapped[str] = mapped_column(Text, default="")
    reasonableness: Mapped[str] = mapped_column(Text, default="")
    current_state: Mapped[str] = mapped_column(Text, default="")
    goals: Mapped[str] = mapped_column(Text, default="")
    scope_text: Mapped[str] = mapped_column(Text, default="")
    begin_date: Mapped[dt.date | None]
    end_date: Mapped[dt.date | None]

    total_investment: Mapped[Decimal | None] = mapped_column(Money())
    requested_amount: Mapped[Decimal | None] = mapped_column(Money())

    is_secret: Mapped[bool] = mapped_column(default=False)
    mlps_level: Mapped[str | None] = mapped_column(String(40))
    crypto_required: Mapped[bool] = mapped_column(default=False)
    on_cloud: Mapped[bool] = mapped_column(default=False)
    cloud_resources: Mapped[str] = mapped_column(Text, default="")
    scope_public: Mapped[list[str]] = mapped_column(JsonList, default=list)
    scope_government: Mapped[list[str]] = mapped_column(JsonList, default=list)

    long_term_goal: Mapped[str] = mapped_column(Text, default="")
    annual_goal: Mapped[str] = mapped_column(Text, default="")

    project: Mapped[Project | None] = relationship(Project, foreign_keys=[project_id], lazy="raise_on_sql")
    predecessor: Mapped[Project | None] = relationship(
        Project, foreign_keys=[predecessor_id], lazy="raise_on_sql"
    )
    supervising_unit: Mapped[Unit | None] = relationship(
        Unit, foreign_keys=[supervising_unit_id], lazy="raise_on_sql"
    )
    budget_lines: Mapped[list[BudgetLine]] = relationship(
        order_by="BudgetLine.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    funding_splits: Mapped[list[FundingSplit]] = relationship(
        order_by="FundingSplit.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    later_years: Mapped[list[LaterYear]] = relationship(
        order_by="LaterYear.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    data_catalogue: Mapped[list[CatalogueEntry]] = relationship(
        order_by="CatalogueEntry.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    schedule: Mapped[list[ScheduleStep]] = relationship(
        order_by="ScheduleStep.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    indicators: Mapped[list[PerformanceIndicator]] = relationship(
        order_by="PerformanceIndicator.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class DeclarationRow:
    """A row of one of the declaration's tables; `seq` counts from 1."""

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]

    @declared_attr
    def declaration_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("declaration.id", ondelete="CASCADE"), index=True)


class BudgetLine(DeclarationRow, Model):
    """预算明细: amount = round_half_up(quantity × unit_price, 2)."""

    __tablename__ = "budget_line"

    subject_code: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    spec: Mapped[str] = mapped_column(String(500), default="")
    unit_name: Mapped[str] = mapped_column(String(40), default="")
    quantity: Mapped[Decimal | None] = mapped_column(Quantity())
    unit_price: Mapped[Decimal | None] = mapped_column(Money())
    amount: Mapped[Decimal | None] = mapped_column(Money())
    basis_text: Mapped[str] = mapped_column(Text, default="")
    cost_method: Mapped[str | None] = mapped_column(String(40))


class FundingSplit(DeclarationRow, Model):
    """资金渠道 and what is asked of it this year, in yuan."""

    __tablename__ = "funding_split"

    channel: Mapped[str | None] = mapped_column(String(40), index=True)
    amount: Mapped[Decimal | None] = mapped_column(Money())


class LaterYear(DeclarationRow, Model):
    """以后年度资金: a later year and its amount in yuan."""

    __tablename__ = "later_year"

    year: Mapped[int | None]
    amount: Mapped[Decimal | None] = mapped_column(Money())


class CatalogueEntry(DeclarationRow, Model):
    """信息资源目录: one data resource the project makes or uses, and how it is shared."""

    __tablename__ = "catalogue_entry"

    name: Mapped[str] = mapped_column(String(200), default="")
    provider: Mapped[str] = mapped_column(String(120), default="")
    sharing_type: Mapped[str | None] = mapped_column(String(40))
    update_frequency: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(String(500), default="")


class ScheduleStep(DeclarationRow, Model):
    """进度计划: what is done from one day to another."""

    __tablename__ = "schedule_step"

    content: Mapped[str] = mapped_column(String(500), default="")
    begin_date: Mapped[dt.date | None]
    end_date: Mapped[dt.date | None]


class PerformanceIndicator(DeclarationRow, Model):
    """绩效指标: level 1 and 2 are dictionary codes; weights sum to 100 when used."""

    __tablename__ = "performance_indicator"

    level1: Mapped[str | None] = mapped_column(String(40))
    level2: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200), default="")
    operator: Mapped[str | None] = mapped_column(String(20))
    target_value: Mapped[str] = mapped_column(String(100), default="")
    unit_name: Mapped[str] = mapped_column(String(40), default="")
    weight: Mapped[Decimal | None] = mapped_column(Percent())
