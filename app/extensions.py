"""The Flask extensions, made once and bound in `app.create_app`."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask_appbuilder.models.sqla import Model
from flask_appbuilder.models.sqla.base import SQLA
from flask_migrate import Migrate
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine


class OfficeTalisman(Talisman):
    """Talisman that leaves a response the policy it brought along: the page which says that a file is
    missing needs its styles, the file itself must not run anything."""

    def _set_content_security_policy_headers(self, headers: Any, options: Any) -> None:
        own = headers.get("Content-Security-Policy")
        super()._set_content_security_policy_headers(headers, options)
        if own:
            headers["Content-Security-Policy"] = own


db = SQLA(session_options={"expire_on_commit": False})
migrate = Migrate()
csrf = CSRFProtect()
talisman = OfficeTalisman()
metadata = Model.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name on both databases, so that later migrations can change it."""

SQLITE_BEGIN = "sqlite_begin"
"""Connection execution option: `IMMEDIATE` takes SQLite's write lock at the start of a transaction,
so that two writers queue instead of failing half-way with "database is locked"."""

PREPARED_STATEMENTS = 500
"""As many a connection to PostgreSQL keeps prepared."""


@event.listens_for(Engine, "connect")
def _sqlite_pragmas(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "connect")
def _room_for_prepared_statements(connection: Any, _record: object) -> None:
    """PostgreSQL: the system asks some hundreds of different statements, psycopg keeps a hundred prepared.
    Without more room they push each other out, and each costs two journeys more than it need."""
    if hasattr(connection, "prepared_max"):
        connection.prepared_max = PREPARED_STATEMENTS


@event.listens_for(Engine, "begin")
def _sqlite_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        mode = connection.get_execution_options().get(SQLITE_BEGIN, "")
        connection.exec_driver_sql(f"BEGIN {mode}".strip())
