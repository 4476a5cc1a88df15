"""Alembic's environment: the application's own engine and metadata."""

from __future__ import annotations

import sqlite3

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.extensions import db, metadata

context.config.set_main_option("sqlalchemy.url", "unused: the application's engine is taken")


def run() -> None:
    """Run the migrations in one transaction on the application's engine."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        _foreign_keys(connection, "OFF")
        context.configure(
            connection=connection,
            target_metadata=metadata,
            user_module_prefix="types.",
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()
            _all_references_hold(connection)
        connection.commit()
        _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, state: str) -> None:
    """SQLite changes a table by making it anew; dropping the old one must not delete what refers to it."""
    if isinstance(raw := connection.connection.driver_connection, sqlite3.Connection):
        raw.execute(f"PRAGMA foreign_keys={state}")


def _all_references_hold(connection: Connection) -> None:
    """Refuse to commit a migration that leaves a row referring to nothing."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise RuntimeError(f"rows would refer to nothing: {broken[:5]}")


run()
