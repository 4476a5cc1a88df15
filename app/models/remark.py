"""意见与答复: a reviewer's remark pinned to a field or an attachment of a document, and its answers."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.flow import RemarkState
from app.models.base import Model, Stamped, UTCDateTime, enum_type, utcnow
from app.models.flow import FlowStep


class Remark(Stamped, Model):
    """One remark. `field` is the path of what it is pinned to (`budget_lines.0.unit_price`), or
    `attachment_id` its file, or neither: then it is about the whole document. `label` is how that was called
    on the page then; `told_at` when the unit was told of it."""

    __tablename__ = "remark"
    __table_args__ = (Index("ix_remark_document", "document_kind", "document_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id", ondelete="CASCADE"), index=True)
    round: Mapped[int]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    field: Mapped[str] = mapped_column(String(80), default="")
    attachment_id: Mapped[int | None]
    label: Mapped[str] = mapped_column(String(200), default="")
    text: Mapped[str] = mapped_column(Text)
    author_name: Mapped[str] = mapped_column(String(128))
    told_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    state: Mapped[RemarkState] = mapped_column(enum_type(RemarkState), default=RemarkState.OPEN)
    settled_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    settled_name: Mapped[str] = mapped_column(String(128), default="")

    step: Mapped[FlowStep | None] = relationship(lazy="raise_on_sql")
    answers: Mapped[list[RemarkAnswer]] = relationship(
        order_by="RemarkAnswer.id", cascade="all, delete-orphan", lazy="raise_on_sql"
    )


class RemarkAnswer(Model):
    """One answer; until the reviewers were told of it (`told_at`) its author may still word it anew."""

    __tablename__ = "remark_answer"

    id: Mapped[int] = mapped_column(primary_key=True)
    remark_id: Mapped[int] = mapped_column(ForeignKey("remark.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    author_name: Mapped[str] = mapped_column(String(128))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    told_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
