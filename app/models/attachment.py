"""附件: a stored file that belongs to one document or opinion; reached only through its owner's policy."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, Stamped

OF_TASK = "task"
"""The owner of a file that a reviewer has uploaded for the opinion he is still writing: his task."""
OF_OPINION = "opinion"
"""The owner of a file once it was given with an opinion: the entry of the flow log."""


class Attachment(Stamped, Model):
    """`storage_key` is generated, never the user's file name; `size` is in bytes."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("ix_attachment_owner", "owner_kind", "owner_id", "category"),
        # Review records name attachments; a removed one's id must not come back as another file.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_kind: Mapped[str] = mapped_column(String(40))
    owner_id: Mapped[int]
    category: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(80), unique=True)
