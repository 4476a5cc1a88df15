"""Organisations: a tree with a materialised path, names that change over the years, and groups."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import UnitKind
from app.models.base import Model, Stamped, UTCDateTime, enum_type, utcnow


class Unit(Model):
    """机构. `path` is `/1/7/31/`: every ancestor's id and its own, so "and below" is an indexed prefix."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    short_name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[UnitKind] = mapped_column(enum_type(UnitKind))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    path: Mapped[str] = mapped_column(String(200), index=True, default="")
    sort: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    uscc: Mapped[str | None] = mapped_column(String(18))
    # No author: users belong to units, and the two tables may not need each other to exist.
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    parent: Mapped[Unit | None] = relationship(remote_side=[id], lazy="raise_on_sql")
    names: Mapped[list[UnitName]] = relationship(
        back_populates="unit", order_by="UnitName.valid_from", lazy="raise_on_sql"
    )

    def __str__(self) -> str:
        return self.name


class UnitName(Model):
    """A name a unit bore from one day to another; old documents print the name valid at the time."""

    __tablename__ = "unit_name"

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    valid_from: Mapped[dt.date]
    valid_to: Mapped[dt.date | None]

    unit: Mapped[Unit] = relationship(back_populates="names", lazy="raise_on_sql")


unit_group_member = Table(
    "unit_group_member",
    Model.metadata,
    Column("group_id", ForeignKey("unit_group.id", ondelete="CASCADE"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id", ondelete="CASCADE"), primary_key=True),
)


class UnitGroup(Stamped, Model):
    """机构组: units handled together."""

    __tablename__ = "unit_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    units: Mapped[list[Unit]] = relationship(secondary=unit_group_member, lazy="raise_on_sql")
