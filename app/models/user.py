"""Users, what their roles reach, their sessions on the server, and every attempt to log in."""

from __future__ import annotations

import datetime as dt

from flask_appbuilder.security.sqla.models import Group, Role, User
from sqlalchemy import Column, ForeignKey, Index, String, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import DataScope
from app.models.base import Model, UTCDateTime, enum_type, utcnow
from app.models.unit import Unit


class AppUser(User):
    """A person: Flask-AppBuilder's user with a unit, a telephone and a password's age."""

    __tablename__ = "ab_user"

    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    mobile: Mapped[str | None] = mapped_column(String(20))
    position: Mapped[str | None] = mapped_column(String(60))
    must_change_password: Mapped[bool | None] = mapped_column(default=False)
    password_changed_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    external_id: Mapped[str | None] = mapped_column(String(200), unique=True)

    unit: Mapped[Unit | None] = relationship(Unit, foreign_keys=[unit_id], lazy="raise_on_sql")

    @property
    def full_name(self) -> str:
        """Family name first, as Chinese names are written; `first_name` may be empty."""
        return f"{self.last_name}{self.first_name}"

    def __str__(self) -> str:
        return self.full_name


# Flask-AppBuilder allows a user class of one's own in `Role.user` but forgets to in `Group.users`.
Group.users.prop.enable_typechecks = False

role_scope_unit = Table(
    "role_scope_unit",
    Model.metadata,
    Column("role_id", ForeignKey("role_scope.role_id", ondelete="CASCADE"), primary_key=True),
    Column("unit_id", ForeignKey("unit.id", ondelete="CASCADE"), primary_key=True),
)


class RoleScope(Model):
    """What a role is called and which data it reaches; a disabled role grants nothing."""

    __tablename__ = "role_scope"

    role_id: Mapped[int] = mapped_column(ForeignKey("ab_role.id", ondelete="CASCADE"), primary_key=True)
    label_zh: Mapped[str] = mapped_column(String(60))
    label_en: Mapped[str] = mapped_column(String(60))
    scope: Mapped[DataScope] = mapped_column(enum_type(DataScope), default=DataScope.OWN)
    enabled: Mapped[bool] = mapped_column(default=True)

    role: Mapped[Role] = relationship(Role, lazy="raise_on_sql")
    units: Mapped[list[Unit]] = relationship(secondary=role_scope_unit, lazy="raise_on_sql")


class AccessVersion(Model):
    """One row whose number becomes another one whenever users, roles, scopes or parameters change; what is
    kept in memory carries it."""

    __tablename__ = "access_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=1)


class UserSession(Model):
    """A session on the server; the cookie carries only a random key, stored here as its SHA-256."""

    __tablename__ = "user_session"
    __table_args__ = (Index("ix_user_session_user_open", "user_id", "ended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(64), default="")
    agent: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    seen_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(40))

    user: Mapped[AppUser] = relationship(AppUser, lazy="raise_on_sql")


class LoginAttempt(Model):
    """One try to log in, by any way in; failures lock the user name and the address for a while."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("ix_login_attempt_username_at", "username", "at"),
        Index("ix_login_attempt_address_at", "address", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    username: Mapped[str] = mapped_column(String(128))
    address: Mapped[str] = mapped_column(String(64))
    way: Mapped[str] = mapped_column(String(20))
    succeeded: Mapped[bool]
