"""常用查询: conditions of a list kept under a name, for oneself, one's unit or everybody."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import Labelled
from app.models.base import Model, Stamped, enum_type
from app.models.user import AppUser


class Sharing(Labelled):
    """Who is offered a saved query besides its owner."""

    MINE = "MINE", "Only me"
    UNIT = "UNIT", "My unit", "azure"
    EVERYONE = "EVERYONE", "Everyone", "green"


class SavedQuery(Stamped, Model):
    """A list's own arguments, never its rows: whoever opens it sees what he may see. `arguments` is the query
    string without page and page size, `columns` a comma-separated key list (empty: the reader's own);
    `unit_id` is the owner's unit when it was shared."""

    __tablename__ = "saved_query"
    __table_args__ = (UniqueConstraint("owner_id", "list_key", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    list_key: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[str] = mapped_column(Text, default="")
    columns: Mapped[str] = mapped_column(Text, default="")
    sharing: Mapped[Sharing] = mapped_column(enum_type(Sharing), default=Sharing.MINE)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[AppUser] = relationship("AppUser", foreign_keys=[owner_id], lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
