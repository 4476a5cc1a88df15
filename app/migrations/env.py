"""Alembic's environment: the application's own engine and metadata."""

from __future__ import annotations

from alembic import context
from flask import current_app

from app.extensions import db, metadata

context.config.set_main_option("sqlalchemy.url", "unused: the application's engine is taken")


def run() -> None:
    """Run the migrations in one transaction on the application's engine."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            user_module_prefix="types.",
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
