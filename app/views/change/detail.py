"""One change request as it is read: by its unit, by reviewers beside their panel, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale, gettext

from app.access import policy
from app.access.actor import Actor
from app.core.errors import Change
from app.models.change import ChangeRequest
from app.models.log import FieldChange
from app.models.project import Project
from app.services import change, review
from app.services.document import changes
from app.services.unit_of_work import current_session
from app.views.base.dictionaries import catalogue
from app.views.change.shown import Figure, Pair, PairedTable, Reader, figures
from app.views.document.detail import Detailed, Files, changed_since_submission, files_by_category, state_of
from app.views.document.labels import change_rows
from app.views.flow_log import log_entries

_VERBS = ("edit", "submit", "withdraw", "urge", "recycle", "restore", "purge", "amend")


@dataclass(frozen=True)
class Item:
    """One thing the unit says about its request; `path` is the field's."""

    path: str
    label: str
    value: str
    wide: bool


@dataclass(frozen=True)
class ChangeDetail(Detailed):
    """Everything the page of one request shows; `may` are the verbs this reader may do with it. `pairs` and
    `tables` are what differs, `unchanged` the rest of the project's data."""

    document: ChangeRequest
    project: Project
    subtitle: str
    status_label: str
    status_colour: str
    figures: tuple[Figure, ...]
    items: tuple[Item, ...]
    pairs: tuple[Pair, ...]
    unchanged: tuple[Pair, ...]
    tables: tuple[PairedTable, ...]
    files: tuple[Files, ...]
    log: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, Any], ...]
    may: frozenset[str]
    major: bool
    reassess: bool
    stale: str

    @property
    def code(self) -> str:
        return self.document.code

    @property
    def title(self) -> str:
        return gettext("Change of “%(title)s”", title=self.document.title)

    @property
    def unit_name(self) -> str:
        return self.document.unit.name

    @property
    def difference_count(self) -> int:
        return len(self.pairs) + len(self.tables)


def change_detail(actor: Actor, change_id: int) -> ChangeDetail:
    """One request for whoever may read it, in a fixed number of statements whatever its size.

    Raises `NotFound` for one outside the actor's scope. Mobile numbers are masked outside the unit.
    """
    session = current_session()
    timeline = review.timeline(actor, ChangeRequest.document_kind, change_id)
    # After the timeline, which reads the same row without what belongs to it.
    found = change.detail(session, actor, change_id)
    row = found.change
    reader = Reader(row, own=actor.unit_id == row.unit_id)
    pairs = reader.pairs()
    open_now = row.finished_at is None
    checklist = change.check(session, row) if open_now else None
    major = checklist.major if checklist else row.is_major
    reassess = checklist.reassess if checklist else row.needs_assessment
    changed = changed_since_submission(ChangeRequest.document_kind, change_id, timeline, own=reader.own)
    label, colour = state_of(row.status, timeline)
    return ChangeDetail(
        document=row,
        project=row.project,
        subtitle=_subtitle(row),
        status_label=label,
        status_colour=colour,
        figures=figures(row, row.project, found.cumulative, major=major, reassess=reassess),
        items=_items(reader, row),
        pairs=tuple(pair for pair in pairs if pair.changed),
        unchanged=tuple(pair for pair in pairs if not pair.changed and pair.before),
        tables=tuple(table for table in reader.tables() if table.changed),
        files=files_by_category(found.attachments, reader.known, reader.language),
        log=log_entries(timeline),
        changes=tuple(change_rows(readable(changed))),
        may=frozenset(verb for verb in _VERBS if policy.may(actor, verb, row)),
        major=major,
        reassess=reassess,
        stale=_stale(row, reader) if open_now else "",
    )


def _subtitle(row: ChangeRequest) -> str:
    handler = row.submitted_by or row.created_by
    parts = [
        row.code,
        row.project.code,
        row.unit.name,
        gettext("Handler: %(name)s", name=handler.full_name) if handler else "",
    ]
    return " · ".join(part for part in parts if part)


def _items(reader: Reader, row: ChangeRequest) -> tuple[Item, ...]:
    found = []
    for field in change.REQUEST_FIELDS:
        if text := reader.text(field.kind, getattr(row, field.name)):
            wide = field.name not in ("kinds", "reason_code")
            found.append(Item(field.name, gettext(field.label), text, wide))
    return tuple(found)


def readable(found: Sequence[FieldChange | Change]) -> list[changes.ShownChange]:
    """Stored changes of requests in the reader's language."""
    return changes.readable(change.DESCRIPTION, found, catalogue(), str(get_locale()), gettext)


def _stale(row: ChangeRequest, reader: Reader) -> str:
    """What of the project is not any more what the request took over; empty while nothing is."""
    moved = change.moved_since(current_session(), row)
    return "; ".join(
        gettext(
            "%(field)s: was %(old)s, is %(new)s",
            field=gettext(each.field),
            old=each.old or "—",
            new=each.new or "—",
        )
        for each in moved
    )
