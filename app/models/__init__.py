"""Tables and what a row knows about itself. Importing this package makes every table known."""

from app.models import (
    annual_plan,
    attachment,
    declaration,
    dictionary,
    log,
    project,
    unit,
    user,
)

__all__ = ["annual_plan", "attachment", "declaration", "dictionary", "log", "project", "unit", "user"]
