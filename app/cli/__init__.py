"""Commands for operators: `flask seed`, `flask demo load`."""

from __future__ import annotations

from flask import Flask

from app.services.seed import seed


def install(app: Flask) -> None:
    """Register the commands."""

    @app.cli.command("seed")
    def seed_command() -> None:
        """Bring roles, dictionaries, parameters, calendar, flows and menu up to date."""
        seed()
