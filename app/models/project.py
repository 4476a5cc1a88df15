"""The project: one thread through all its documents, and the chain of what it was given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import ConstructionStatus, Stage
from app.core.funds import FundEntryKind
from app.models.base import Model, Money, Stamped, UTCDateTime, enum_type, utcnow
from app.models.log import append_only
from app.models.unit import Unit
from app.models.user import AppUser


class Project(Stamped, Model):
    """项目. Amounts in yuan; `arranged_amount` is what the annual plan gave, adjustments included.

    It is the balance of the project's last fund entry, number `fund_seq`: the database itself refuses to
    commit anything else (domain.md section 4, invariant 5).
    """

    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("requested_amount >= 0", name="requested_not_negative"),
        CheckConstraint("arranged_amount >= 0", name="arranged_not_negative"),
        CheckConstraint("(arranged_amount IS NULL) = (fund_seq IS NULL)", name="arranged_has_entry"),
        # Checked at the commit, for the entry and the project are written one after the other.
        ForeignKeyConstraint(
            ["id", "fund_seq", "arranged_amount"],
            ["project_fund_entry.project_id", "project_fund_entry.seq", "project_fund_entry.balance"],
            name="fk_project_fund_entry",
            use_alter=True,
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("ix_project_year_id", "budget_year", "id"),
        Index("ix_project_unit_year", "unit_id", "budget_year"),
        Index("ix_project_status_year", "construction_status", "budget_year"),
        Index("ix_project_requested", "requested_amount", "id"),
        Index("ix_project_updated", "updated_at", "id"),
        Index("ix_project_year_updated", "budget_year", "updated_at", "id"),
        # Holds all that the figures add up, so that they read no row.
        Index("ix_project_figures", "budget_year", "stage", "unit_id", "requested_amount", "arranged_amount"),
        Index("ix_project_title", "title"),
    )

    # Said in words, because the key to the last fund entry begins with it.
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
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
    fund_seq: Mapped[int | None]
    approved_amount: Mapped[Decimal | None] = mapped_column(Money())
    # A change lifted the amount to where technical review, cost assessment and appraisal are due (again).
    needs_assessment: Mapped[bool] = mapped_column(default=False, server_default=false())
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


class ProjectFundEntry(Model):
    """资金安排: one step of what a project was given, of one channel; the steps are a chain that only grows.

    `amount` is signed, in yuan. `balance_before` and `balance` are the project's, `channel_balance` is the
    channel's after the step. An entry's `balance_before` is the `balance` of the entry before it: a foreign
    key says so, so that no entry can be left out, put between, or be wrong by a cent.
    """

    __tablename__ = "project_fund_entry"
    __table_args__ = (
        UniqueConstraint("project_id", "seq"),
        UniqueConstraint("project_id", "seq", "balance"),
        ForeignKeyConstraint(
            ["project_id", "previous_seq", "balance_before"],
            ["project_fund_entry.project_id", "project_fund_entry.seq", "project_fund_entry.balance"],
            name="fk_project_fund_entry_previous",
        ),
        CheckConstraint(
            "(seq = 1 AND previous_seq IS NULL AND balance_before = 0)"
            " OR (seq > 1 AND previous_seq IS NOT NULL AND previous_seq = seq - 1)",
            name="one_after_another",
        ),
        CheckConstraint("balance = balance_before + amount", name="balance_adds_up"),
        CheckConstraint("balance >= 0 AND channel_balance >= 0", name="never_below_nothing"),
        CheckConstraint(
            "(kind = 'INITIAL' AND amount >= 0) OR (kind = 'CORRECTION' AND amount <> 0)"
            " OR (kind = 'ADJUST_IN' AND amount > 0) OR (kind = 'ADJUST_OUT' AND amount < 0)",
            name="amount_fits_kind",
        ),
        Index("ix_project_fund_entry_document", "document_kind", "document_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    seq: Mapped[int]
    previous_seq: Mapped[int | None]
    kind: Mapped[FundEntryKind] = mapped_column(enum_type(FundEntryKind))
    channel: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(Money())
    balance_before: Mapped[Decimal] = mapped_column(Money())
    balance: Mapped[Decimal] = mapped_column(Money())
    channel_balance: Mapped[Decimal] = mapped_column(Money())
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    document_no: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))

    by: Mapped[AppUser | None] = relationship(AppUser, lazy="raise_on_sql", viewonly=True)


append_only("project_fund_entry")
