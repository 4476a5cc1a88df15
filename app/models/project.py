"""The project: one thread through all its documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import ConstructionStatus, Stage
from app.models.base import Model, Money, Stamped, enum_type
from app.models.unit import Unit


class Project(Stamped, Model):
    """项目. Amounts in yuan; `arranged_amount` is what the annual plan gave, adjustments included."""

    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("requested_amount >= 0", name="requested_not_negative"),
        CheckConstraint("arranged_amount >= 0", name="arranged_not_negative"),
        Index("ix_project_year_id", "budget_year", "id"),
        Index("ix_project_unit_year", "unit_id", "budget_year"),
        Index("ix_project_status_year", "construction_status", "budget_year"),
        Index("ix_project_requested", "requested_amount", "id"),
        Index("ix_project_updated", "updated_at", "id"),
        # Holds all that the figures add up, so that they read no row.
        Index("ix_project_figures", "budget_year", "stage", "unit_id", "requested_amount", "arranged_amount"),
        Index("ix_project_title", "title"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    fiscal_code: Mapped[str | None] = mapped_column(String(40), unique=True)
    national_code: Mapped[str | None] = mapped_column(String(29))
    title: Mapped[str] = mapped_column(String(200))
    budget_year: Mapped[int]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    nature: Mapped[str] = mapped_column(String(40))
    declaration_type: Mapped[str] = mapped_column(String(40))
    stage: Mapped[Stage] = mapped_column(enum_type(Stage), index=True)
    construction_status: Mapped[ConstructionStatus] = mapped_column(enum_type(ConstructionStatus))
    requested_amount: Mapped[Decimal] = mapped_column(Money())
    arranged_amount: Mapped[Decimal | None] = mapped_column(Money())
    approved_amount: Mapped[Decimal | None] = mapped_column(Money())
    version: Mapped[int] = mapped_column(default=1)

    unit: Mapped[Unit] = relationship(Unit, lazy="raise_on_sql")
    funding: Mapped[list[ProjectFunding]] = relationship(
        back_populates="project",
        order_by="ProjectFunding.channel",
        cascade="all, delete-orphan",
        lazy="raise_on_sql",
    )

    __mapper_args__: Any = {"version_id_col": version}

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class ProjectFunding(Model):
    """资金渠道: what a project asks of one channel, in yuan."""

    __tablename__ = "project_funding"
    __table_args__ = (Index("ix_project_funding_channel", "channel", "project_id"),)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Money())

    project: Mapped[Project] = relationship(back_populates="funding", lazy="raise_on_sql")
