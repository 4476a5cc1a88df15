"""项目变更申请 and what it changes (domain.md 3.2)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import DocumentStatus
from app.models.base import Fillable, JsonList, Model, Money, Ratio, UTCDateTime
from app.models.project import Project

OPEN_STATES = (DocumentStatus.DRAFT, DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED)
"""A project has one change request at most that is in one of these."""

_OPEN = text("status IN ('DRAFT', 'IN_REVIEW', 'RETURNED')")


class ChangeRequest(Fillable, Model):
    """项目变更申请. `base` is the project as it was at version `base_version`, when the request took its data
    over: the texts a form shows, by field. `items` are what is to become different.

    Amounts in yuan: of the project before and after, and the difference, signed. `change_ratio` is
    |difference| ÷ before in percent, None while before is nothing. `applied_version` is the version the
    project got when the approved request was applied to it.
    """

    document_kind: ClassVar[str] = "change"

    __tablename__ = "change_request"
    __table_args__ = (
        Index("ix_change_request_unit_status", "unit_id", "status"),
        Index("ix_change_request_project", "project_id", "applied_version"),
        Index("ix_change_request_submitted", "submitted_at"),
        Index(
            "uq_change_request_open", "project_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
        # A purged draft's number must not come back: its history is kept under it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    base_version: Mapped[int]
    base: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    kinds: Mapped[list[str]] = mapped_column(JsonList, default=list)
    content: Mapped[str] = mapped_column(Text, default="")
    reason_code: Mapped[str | None] = mapped_column(String(40))
    reason_text: Mapped[str] = mapped_column(Text, default="")
    basis_text: Mapped[str] = mapped_column(Text, default="")
    performance_effect: Mapped[str] = mapped_column(Text, default="")
    impact: Mapped[str] = mapped_column(Text, default="")

    amount_before: Mapped[Decimal | None] = mapped_column(Money())
    amount_after: Mapped[Decimal | None] = mapped_column(Money())
    amount_delta: Mapped[Decimal | None] = mapped_column(Money())
    days_delta: Mapped[int | None]
    change_ratio: Mapped[Decimal | None] = mapped_column(Ratio())
    is_major: Mapped[bool] = mapped_column(default=False)
    needs_assessment: Mapped[bool] = mapped_column(default=False)
    applied_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    applied_version: Mapped[int | None]

    project: Mapped[Project] = relationship(Project, lazy="raise_on_sql")
    items: Mapped[list[ChangeItem]] = relationship(
        order_by="ChangeItem.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    def __str__(self) -> str:
        return f"{self.code} {self.title}"

    @property
    def title(self) -> str:
        """The project's title when its data were taken over."""
        return str(self.base.get("title", ""))


class ChangeItem(Model):
    """One field or table of the project before and after: the text a form shows, a list of codes, or the
    rows of a table, each as such texts. `seq` counts from 1."""

    __tablename__ = "change_item"
    __table_args__ = (UniqueConstraint("change_id", "field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    change_id: Mapped[int] = mapped_column(ForeignKey("change_request.id", ondelete="CASCADE"))
    seq: Mapped[int]
    field: Mapped[str] = mapped_column(String(60))
    before: Mapped[Any] = mapped_column(JSON)
    after: Mapped[Any] = mapped_column(JSON)
