"""INSERT … ON CONFLICT, which both databases know under the same words."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models.base import Model


def upsert(session: Session, model: type[Model]) -> postgresql.Insert | sqlite.Insert:
    """An insert into the model's table that can say what to do when a unique key is already there.

    It is a statement on the table, not on the mapped class: rows already loaded do not notice it.
    """
    table: Any = model.__table__
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
