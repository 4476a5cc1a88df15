"""What a document looked like at the moments that count: versions that only ever grow."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime, utcnow
from app.models.log import append_only


class DocumentVersion(Model):
    """版本: the content of one document at one moment, as services/history wrote it; `no` counts from 1.

    `row_version` is the document's own version column then. Where nothing had changed since an earlier
    version, `content` is empty and `same_as` is that version's number.
    """

    __tablename__ = "document_version"
    __table_args__ = (UniqueConstraint("kind", "document_id", "no"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    no: Mapped[int]
    event: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user_name: Mapped[str] = mapped_column(String(128), default="")
    row_version: Mapped[int]
    same_as: Mapped[int | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
    )


append_only("document_version")
