"""监控预警: what is late or soon will be, with its light."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import Labelled, Light
from app.models.base import Model, UTCDateTime, enum_type, utcnow
from app.models.unit import Unit
from app.models.user import AppUser


class AlertKind(Labelled):
    """What is watched; `target_id` of an alert is a row of that kind (for a review, its task)."""

    REVIEW_DUE = "REVIEW_DUE", "Review time limit"


class Alert(Model):
    """One light on one watched thing. A closed alert stays as history; the same light raised again
    reopens its row. `next_notice_at` is when an overdue one is told again; None means it is not."""

    __tablename__ = "alert"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AlertKind] = mapped_column(enum_type(AlertKind))
    light: Mapped[Light] = mapped_column(enum_type(Light))
    target_id: Mapped[int]
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    task_id: Mapped[int | None]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    code: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    due_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    raised_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    next_notice_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    notices: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    unit: Mapped[Unit] = relationship(Unit, lazy="raise_on_sql")
    user: Mapped[AppUser | None] = relationship(AppUser, lazy="raise_on_sql")

    __table_args__ = (
        UniqueConstraint("kind", "target_id", "light"),
        Index("ix_alert_unit_open", "unit_id", "closed_at", "light"),
        Index("ix_alert_user_open", "user_id", "closed_at"),
        Index(
            "ix_alert_notice",
            "next_notice_at",
            postgresql_where=closed_at.is_(None),
            sqlite_where=closed_at.is_(None),
        ),
    )
