"""What happened in the system and what changed in its rows; both only ever grow."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import DDL, ForeignKey, Index, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import LogLevel
from app.models.base import Model, UTCDateTime, enum_type, utcnow
from app.models.user import AppUser


class SystemLog(Model):
    """日志: who did what, when, from where, to which record, with what result."""

    __tablename__ = "system_log"
    __table_args__ = (
        Index("ix_system_log_at", "at"),
        Index("ix_system_log_noun_row", "noun", "row_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    level: Mapped[LogLevel] = mapped_column(enum_type(LogLevel), default=LogLevel.INFO)
    event: Mapped[str] = mapped_column(String(40), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    username: Mapped[str] = mapped_column(String(128), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    noun: Mapped[str] = mapped_column(String(40), default="")
    row_id: Mapped[int | None]
    summary: Mapped[str] = mapped_column(String(500), default="")


class FieldChange(Model):
    """One field of one row before and after; `field` may name a row of a table, `budget_lines.2.amount`."""

    __tablename__ = "field_change"
    __table_args__ = (Index("ix_field_change_noun_row", "noun", "row_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user_name: Mapped[str] = mapped_column(String(128), default="")
    noun: Mapped[str] = mapped_column(String(40))
    row_id: Mapped[int]
    row_version: Mapped[int]
    by_reviewer: Mapped[bool] = mapped_column(default=False)
    field: Mapped[str] = mapped_column(String(80))
    old: Mapped[str] = mapped_column(Text, default="")
    new: Mapped[str] = mapped_column(Text, default="")

    user: Mapped[AppUser | None] = relationship(AppUser, lazy="raise_on_sql")


def append_only(table_name: str) -> None:
    """Let the database itself refuse to change or delete rows of a table (SEC-53)."""
    table = Model.metadata.tables[table_name]
    for dialect in ("sqlite", "postgresql"):
        for statement in _statements(table_name, dialect):
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))


def append_only_statements(dialect: str, *tables: str) -> list[str]:
    """The same for a migration, which names the tables it makes."""
    return [statement for table in tables for statement in _statements(table, dialect)]


def _statements(table: str, dialect: str) -> list[str]:
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()",
    ]


append_only("system_log")
append_only("field_change")
