"""Dictionaries, parameters, the work calendar, the menu, number sequences: data an administrator keeps."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Model, Stamped


class DictType(Model):
    """A dictionary of domain.md section 6; its `code` never changes."""

    __tablename__ = "dict_type"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    label_zh: Mapped[str] = mapped_column(String(80))
    label_en: Mapped[str] = mapped_column(String(80))

    items: Mapped[list[DictItem]] = relationship(
        back_populates="type", order_by="DictItem.sort", lazy="raise_on_sql"
    )


class DictItem(Stamped, Model):
    """One entry; in use it is deactivated, never deleted, and still prints in old documents."""

    __tablename__ = "dict_item"
    __table_args__ = (UniqueConstraint("type_code", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    type_code: Mapped[str] = mapped_column(ForeignKey("dict_type.code"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    parent_code: Mapped[str | None] = mapped_column(String(40))
    label_zh: Mapped[str] = mapped_column(String(120))
    label_en: Mapped[str] = mapped_column(String(160))
    sort: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    source: Mapped[str] = mapped_column(String(80), default="")

    type: Mapped[DictType] = relationship(back_populates="items", lazy="raise_on_sql")


class RuleParameter(Stamped, Model):
    """A local rule with a number, in force from a day on; the latest one not in the future holds."""

    __tablename__ = "rule_parameter"
    __table_args__ = (UniqueConstraint("key", "effective_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), index=True)
    value: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20), default="")
    label_zh: Mapped[str] = mapped_column(String(120))
    label_en: Mapped[str] = mapped_column(String(160))
    source: Mapped[str] = mapped_column(String(80), default="")
    article: Mapped[str] = mapped_column(String(80), default="")
    effective_from: Mapped[dt.date]
    unchecked: Mapped[bool] = mapped_column(default=False)


class WorkCalendarDay(Model):
    """A day whose kind was entered; days of a year with no entry count Monday to Friday."""

    __tablename__ = "work_calendar_day"

    date: Mapped[dt.date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    note: Mapped[str] = mapped_column(String(80), default="")
    source: Mapped[str] = mapped_column(String(40), default="")


class NumberSequence(Model):
    """The last number given for a prefix and year; locked in the transaction that takes the next."""

    __tablename__ = "number_sequence"

    prefix: Mapped[str] = mapped_column(String(20), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class MenuItem(Stamped, Model):
    """菜单: an entry of the side menu; `endpoint` names a registered page, else the entry is a group."""

    __tablename__ = "menu_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("menu_item.id"), index=True)
    label_zh: Mapped[str] = mapped_column(String(40))
    label_en: Mapped[str] = mapped_column(String(60))
    icon: Mapped[str] = mapped_column(String(40), default="")
    endpoint: Mapped[str | None] = mapped_column(String(80))
    permission: Mapped[str | None] = mapped_column(String(80))
    badge: Mapped[str | None] = mapped_column(String(40))
    sort: Mapped[int] = mapped_column(default=0)
    visible: Mapped[bool] = mapped_column(default=True)


class ListPreference(Model):
    """What a user keeps for one list: columns (a comma-separated key list), page size, narrow rows, and the
    saved query the list opens with."""

    __tablename__ = "list_preference"

    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True)
    list_key: Mapped[str] = mapped_column(String(60), primary_key=True)
    columns: Mapped[str] = mapped_column(Text, default="")
    page_size: Mapped[int | None]
    dense: Mapped[bool] = mapped_column(default=False, server_default=false())
    saved_query_id: Mapped[int | None] = mapped_column(
        ForeignKey("saved_query.id", ondelete="SET NULL"), index=True
    )
