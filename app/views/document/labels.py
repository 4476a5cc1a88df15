"""Stored changes as the template macro `ui.changes` draws them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext

from app.services.document.changes import ShownChange


def change_rows(changes: Iterable[ShownChange]) -> list[dict[str, Any]]:
    """One row for each change, its field named in full."""
    return [
        {
            "field": change_label(change),
            "old": change.old,
            "new": change.new,
            "by": change.by,
            "at": change.at,
            "by_reviewer": change.by_reviewer,
            "reason": change.reason,
        }
        for change in changes
    ]


def change_label(change: ShownChange) -> str:
    """The field of a change: “Budget lines, row 3: Unit price”."""
    if change.row is None:
        return change.label
    if change.label == change.table:
        return gettext("%(table)s, row %(row)s", table=change.table, row=change.row)
    return gettext(
        "%(table)s, row %(row)s: %(column)s", table=change.table, row=change.row, column=change.label
    )
