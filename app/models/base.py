"""Column types and mixins that every table is made of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, ForeignKey, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.core.enums import DocumentStatus
from app.extensions import Model as _Model

if TYPE_CHECKING:
    from app.models.unit import Unit
    from app.models.user import User


class Model(_Model):
    """The declarative base; Flask-AppBuilder's own, so that its tables and ours share one metadata."""

    __abstract__ = True
    __table_args__: Any = {}


class FixedPoint(TypeDecorator[Decimal]):
    """An exact decimal: NUMERIC on servers, a scaled whole number on SQLite, so that sums and
    comparisons are exact there too."""

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__(precision, scale)
        self.precision = precision
        self.scale = scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # as migrations write it

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(Numeric(self.precision, self.scale))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = Decimal(value)
        if exact != round(exact, self.scale):
            raise ValueError(f"{value} has more than {self.scale} decimals")
        return int(exact.scaleb(self.scale)) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(int(value)).scaleb(-self.scale)
        return Decimal(value)


class Money(FixedPoint):
    """An amount in yuan, two decimals (预算法 art. 19: the unit is the yuan)."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(16, 2)


class Quantity(FixedPoint):
    """A quantity, four decimals."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(12, 4)


class Percent(FixedPoint):
    """A percentage 0–100, two decimals."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(5, 2)


class Ratio(FixedPoint):
    """A percentage that may lie far above 100, two decimals."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(12, 2)


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An aware moment; UTC in the database."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(DateTime(timezone=dialect.name != "sqlite"))

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment must carry its time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


JsonList = JSON().with_variant(JSONB(), "postgresql")


def utcnow() -> dt.datetime:
    """The present moment, aware, UTC."""
    return dt.datetime.now(dt.UTC)


def enum_type(enum: type[StrEnum], length: int = 20, name: str = "") -> Enum:
    """A stored enum: its values as text, guarded by a CHECK on both databases. A second column of the same
    enum in one table needs a `name` for its CHECK: PostgreSQL takes each name once."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=length,
        name=name or enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


class Stamped:
    """Who made and last changed the row, and when; filled by the unit of work from its Actor."""

    __name__: ClassVar[str]

    created_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    updated_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, onupdate=utcnow)

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("ab_user.id"), index=True)

    @declared_attr
    def updated_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("ab_user.id"))

    @declared_attr
    def created_by(cls) -> Mapped[User | None]:
        return relationship(
            "AppUser", foreign_keys=f"{cls.__name__}.created_by_id", lazy="raise_on_sql", viewonly=True
        )


class Document(Stamped):
    """What every business document carries (domain.md section 3): number, unit frozen at creation,
    status, version, who submitted it and when it ended."""

    document_kind: ClassVar[str]
    """The document's noun, `declaration`; the name of its room everywhere."""

    code: Mapped[str] = mapped_column(String(40), unique=True)
    status: Mapped[DocumentStatus] = mapped_column(
        enum_type(DocumentStatus), default=DocumentStatus.DRAFT, index=True
    )
    version: Mapped[int] = mapped_column(default=1)
    submitted_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    @declared_attr
    def unit_id(cls) -> Mapped[int]:
        return mapped_column(ForeignKey("unit.id"), index=True)

    @declared_attr
    def unit(cls) -> Mapped[Unit]:
        return relationship("Unit", foreign_keys=f"{cls.__name__}.unit_id", lazy="raise_on_sql")

    @declared_attr
    def submitted_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("ab_user.id"))

    @declared_attr
    def submitted_by(cls) -> Mapped[User | None]:
        return relationship(
            "AppUser", foreign_keys=f"{cls.__name__}.submitted_by_id", lazy="raise_on_sql", viewonly=True
        )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class Fillable(Document):
    """A document that a unit fills in over days, with a form that saves itself.

    `draft_input` keeps what was typed but could not be read (an amount with three decimals), field by
    field, so that a draft reopens exactly as it was left. `autosave_page` is the token of the page whose
    autosaves are the only writes since version `autosave_base`; any other write clears it. `autosave_turn` is
    the number which that page gave the last of them.
    """

    if TYPE_CHECKING:
        id: Mapped[int]

    draft_input: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    autosaved_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    autosave_page: Mapped[str | None] = mapped_column(String(40), index=True)
    autosave_base: Mapped[int | None]
    autosave_turn: Mapped[int | None]
