"""版本历史: the versions of a document as its own page lists them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from app.services import history
from app.services.history import VersionEvent
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.document_pages import add_to_pages


@dataclass(frozen=True)
class VersionRow:
    """One version; `same` says that it repeats an earlier one, `compare_href` compares it with the one
    before."""

    no: int
    event: str
    colour: str
    at: dt.datetime
    by: str
    same: str
    compare_href: str


@dataclass(frozen=True)
class Versions:
    """The versions of one document, newest first, and where any two are compared."""

    href: str
    rows: Sequence[VersionRow]


def versions_of(kind: str, document_id: int) -> Versions:
    """The versions of a document that the reader may read, in one statement."""
    kept = history.versions_of(current_session(), current_actor(), kind, document_id)
    rows = []
    for version in kept:
        label, colour = event_label(version.event)
        rows.append(
            VersionRow(
                version.no,
                label,
                colour,
                version.at,
                version.user_name,
                gettext("same as version %(no)s", no=version.same_as) if version.same_as else "",
                _address(kind, document_id, old=version.no - 1, new=version.no) if version.no > 1 else "",
            )
        )
    return Versions(_address(kind, document_id), rows)


def event_label(event: str) -> tuple[str, str]:
    """Why a version was kept, and the colour of its badge."""
    known = VersionEvent.__members__.get(event)
    return (gettext(known.label), known.colour) if known else (event, "secondary")


def _address(kind: str, document_id: int, **numbers: Any) -> str:
    return url_for("HistoryView.compare", kind=kind, pk=document_id, **numbers)


add_to_pages("versions", versions_of)
