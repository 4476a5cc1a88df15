"""Tables and what a row knows about itself. Importing this package makes every table known."""

from app.models import (
    alert,
    annual_plan,
    attachment,
    clock,
    declaration,
    dictionary,
    flow,
    log,
    message,
    project,
    unit,
    user,
)

__all__ = [
    "alert",
    "annual_plan",
    "attachment",
    "clock",
    "declaration",
    "dictionary",
    "flow",
    "log",
    "message",
    "project",
    "unit",
    "user",
]
