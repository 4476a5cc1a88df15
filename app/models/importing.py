"""导入: every workbook that was taken in, and what became of each of its rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import Labelled
from app.models.base import Model, Stamped, UTCDateTime, enum_type


class ImportState(Labelled):
    """Where an import stands. A finished one never changes again."""

    PREVIEWED = "PREVIEWED", "Waiting for confirmation", "orange"
    DONE = "DONE", "Imported", "green"
    DISCARDED = "DISCARDED", "Given up"


class RowState(Labelled):
    """What a row of the workbook is compared with what is stored."""

    NEW = "NEW", "New", "green"
    CHANGED = "CHANGED", "Changed", "blue"
    UNCHANGED = "UNCHANGED", "Unchanged"
    WRONG = "WRONG", "Wrong", "red"


class ImportRun(Stamped, Model):
    """One uploaded file: who, when, its digest, the counts of its rows, and whether it was imported.

    `list_key` names what was imported; `fingerprint` is the digest of all outcomes as previewed: a confirm
    whose own look gives another one is refused. `only_good` says that wrong rows were left out knowingly.
    `notices` are sentences about the whole file.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_created", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    list_key: Mapped[str] = mapped_column(String(40), index=True)
    state: Mapped[ImportState] = mapped_column(enum_type(ImportState), default=ImportState.PREVIEWED)
    user_name: Mapped[str] = mapped_column(String(128), default="")
    file_name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(80), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    only_good: Mapped[bool] = mapped_column(default=False)
    new_count: Mapped[int] = mapped_column(default=0)
    changed_count: Mapped[int] = mapped_column(default=0)
    unchanged_count: Mapped[int] = mapped_column(default=0)
    wrong_count: Mapped[int] = mapped_column(default=0)
    notices: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)

    rows: Mapped[list[ImportRow]] = relationship(
        order_by="ImportRow.row_no", cascade="all, delete-orphan", lazy="raise_on_sql", passive_deletes=True
    )

    @property
    def to_do(self) -> int:
        """How many rows the import would write."""
        return self.new_count + self.changed_count


class ImportRow(Model):
    """One row: its number in the sheet, what it is about, and old → new of each field.

    `changes`: [{"field", "old", "new"}], texts as in the field-by-field history. `problems`: [{"field",
    "cell", "message", "params"}]. `record_id` is the record it is about, once there is one.
    """

    __tablename__ = "import_row"
    __table_args__ = (
        UniqueConstraint("run_id", "row_no"),
        Index("ix_import_row_state", "run_id", "state", "row_no"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    row_no: Mapped[int]
    state: Mapped[RowState] = mapped_column(enum_type(RowState))
    record_key: Mapped[str] = mapped_column(String(80), default="")
    title: Mapped[str] = mapped_column(String(200), default="")
    record_id: Mapped[int | None]
    changes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
