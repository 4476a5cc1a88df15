"""What the pages of all kinds of document show alike: state, files, what was changed, values as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from sqlalchemy import select

from app.core.enums import DocumentStatus
from app.core.fiscal import mask_mobile
from app.core.money import format_yuan
from app.models.attachment import Attachment
from app.models.base import Fillable
from app.models.log import FieldChange
from app.services import attachment, review
from app.services.dictionary import Catalogue
from app.services.reading import Code, Codes, Flag, Kind, Mobile, Yuan
from app.services.unit_of_work import current_session
from app.views.document.files import file_view
from app.workflow.naming import step_name

_MOST_CHANGES = 500
_OF_THE_SYSTEM = ("status", "base")
"""Kept with the changes of a document, but nothing that anybody filled in."""


@dataclass(frozen=True)
class Files:
    """The attachments of one category."""

    label: str
    files: tuple[dict[str, Any], ...]


class Detailed:
    """What is asked alike of everything a document's page shows."""

    document: Fillable
    files: tuple[Files, ...]

    @property
    def id(self) -> int:
        return self.document.id

    @property
    def version(self) -> int:
        return self.document.version

    @property
    def file_count(self) -> int:
        return sum(len(group.files) for group in self.files)


def files_by_category(rows: Sequence[Attachment], known: Catalogue, language: str) -> tuple[Files, ...]:
    """The attachments by category, with who put them there and when."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        view = file_view(row)
        entry = {
            "id": row.id,
            "name": view.name,
            "href": view.href,
            "size": view.size,
            "by": row.created_by.full_name if row.created_by else "",
            "at": row.created_at,
        }
        groups.setdefault(row.category, []).append(entry)
    return tuple(
        Files(known.label(attachment.CATEGORIES, category, language), tuple(entries))
        for category, entries in groups.items()
    )


def state_of(status: DocumentStatus, timeline: review.Timeline) -> tuple[str, str]:
    """Label and colour; in review, the name of the present step says more than the state."""
    step = timeline.run.current_step if timeline.run else None
    if status is DocumentStatus.IN_REVIEW and step is not None:
        return gettext("In review: %(step)s", step=step_name(step)), status.colour
    return gettext(status.label), status.colour


def changed_since_submission(
    kind: str, document_id: int, timeline: review.Timeline, *, own: bool
) -> list[FieldChange]:
    """What was changed since the first submission, newest first; before it, a draft is its unit's affair.
    Mobile numbers are for the document's `own` unit."""
    if not timeline.entries:
        return []
    entries = current_session().scalars(
        select(FieldChange)
        .where(
            FieldChange.noun == kind,
            FieldChange.row_id == document_id,
            FieldChange.at > timeline.entries[0].at,
            FieldChange.field.not_in(_OF_THE_SYSTEM),
        )
        .order_by(FieldChange.id.desc())
        .limit(_MOST_CHANGES)
    )
    return [entry for entry in entries if own or not entry.field.endswith("_mobile")]


def value_text(kind: Kind, value: Any, known: Catalogue, language: str, *, own: bool) -> str:
    """One value as read; empty stays empty. Mobile numbers are masked outside the document's `own` unit."""
    match kind:
        case Code():
            return known.label(kind.dictionary, value, language)
        case Codes():
            labels = (known.label(kind.dictionary, code, language) for code in value or ())
            return ("、" if language.startswith("zh") else ", ").join(labels)
        case Flag():
            return gettext("Yes") if value else gettext("No")
        case Yuan():
            return format_yuan(value) if value is not None else ""
        case Mobile():
            return value if own else mask_mobile(value)
    shown = kind.show(value)
    return shown if isinstance(shown, str) else ", ".join(shown)
