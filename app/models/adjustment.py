"""项目调整: funds moved between projects, added or taken back, and its table of rows (domain.md 3.3)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.funds import AdjustmentKind, Direction
from app.models.base import Fillable, Model, Money, enum_type
from app.models.project import Project


class FundAdjustment(Fillable, Model):
    """项目调整. Amounts in yuan; `out_amount` and `in_amount` are the sums of the lines' amounts.

    A draft may be incomplete; submission checks it.
    """

    document_kind: ClassVar[str] = "adjustment"

    __tablename__ = "fund_adjustment"
    __table_args__ = (
        CheckConstraint("out_amount >= 0 AND in_amount >= 0", name="sums_not_negative"),
        # The last guard of ΣOUT = ΣIN: nothing leaves the drafts that does not add up.
        CheckConstraint(
            "status NOT IN ('IN_REVIEW', 'APPROVED')"
            " OR (kind = 'TRANSFER' AND out_amount = in_amount AND out_amount > 0)"
            " OR (kind = 'ADD' AND out_amount = 0 AND in_amount > 0)"
            " OR (kind = 'WITHDRAW' AND in_amount = 0 AND out_amount > 0)",
            name="adds_up",
        ),
        Index("ix_fund_adjustment_year_status", "year", "status"),
        Index("ix_fund_adjustment_submitted", "submitted_at"),
        # A purged draft's number must not come back: its history is kept under it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AdjustmentKind] = mapped_column(
        enum_type(AdjustmentKind), default=AdjustmentKind.TRANSFER, index=True
    )
    year: Mapped[int]
    title: Mapped[str] = mapped_column(String(200), default="")
    basis_no: Mapped[str] = mapped_column(String(80), default="")
    basis_date: Mapped[dt.date | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    out_amount: Mapped[Decimal] = mapped_column(Money(), default=Decimal("0.00"))
    in_amount: Mapped[Decimal] = mapped_column(Money(), default=Decimal("0.00"))

    lines: Mapped[list[AdjustmentLine]] = relationship(
        order_by="AdjustmentLine.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    @property
    def amount(self) -> Decimal:
        """What the adjustment moves, in yuan: the larger of both sums, for a draft may not add up yet."""
        return max(self.out_amount, self.in_amount)

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class AdjustmentLine(Model):
    """One project's channel and what leaves or reaches it; `seq` counts from 1. `amount_before` is the
    channel's arranged amount as whoever drafted it saw it, `amount_after` what the line makes of it; in
    yuan."""

    __tablename__ = "adjustment_line"
    __table_args__ = (CheckConstraint("amount IS NULL OR amount >= 0", name="amount_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    adjustment_id: Mapped[int] = mapped_column(
        ForeignKey("fund_adjustment.id", ondelete="CASCADE"), index=True
    )
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    direction: Mapped[Direction | None] = mapped_column(enum_type(Direction))
    channel: Mapped[str | None] = mapped_column(String(40))
    amount: Mapped[Decimal | None] = mapped_column(Money())
    amount_before: Mapped[Decimal | None] = mapped_column(Money())
    amount_after: Mapped[Decimal | None] = mapped_column(Money())

    project: Mapped[Project | None] = relationship(Project, lazy="raise_on_sql", viewonly=True)
    adjustment: Mapped[FundAdjustment] = relationship(lazy="raise_on_sql", viewonly=True)
