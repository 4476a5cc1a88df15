"""One adjustment as it is read: by its drafter, by reviewers beside their panel, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale, gettext

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Change
from app.core.funds import Direction
from app.core.money import format_yuan
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.attachment import Attachment
from app.services import adjustment, attachment, review
from app.services.dictionary import Catalogue, catalogue
from app.services.document.changes import history, readable
from app.services.unit_of_work import current_session
from app.views.adjustment.compared import ComparisonView, comparison_view, signed
from app.views.base.dictionaries import catalogue as reader_catalogue
from app.views.document.files import file_view
from app.views.document.labels import change_rows
from app.views.errors import problem_text
from app.views.flow_log import log_entries
from app.views.links import link
from app.views.project_list import short_channel
from app.workflow.naming import step_name

_VERBS = ("edit", "submit", "withdraw", "urge", "recycle", "restore", "purge", "export")
_MOST_CHANGES = 500


@dataclass(frozen=True)
class Line:
    """One row as read; amounts as text, `amount` with its sign. `href` is the project's page."""

    code: str
    title: str
    unit: str
    href: str | None
    direction: str
    colour: str
    channel: str
    before: str
    amount: str
    after: str


@dataclass(frozen=True)
class AdjustmentDetail:
    """Everything the page of one adjustment shows; `may` are the verbs this reader may do with it, and
    `obstacles` what would forbid applying it today."""

    document: FundAdjustment
    unit_name: str
    subtitle: str
    status_label: str
    status_colour: str
    kind_label: str
    handler: str
    lines: tuple[Line, ...]
    comparison: ComparisonView
    obstacles: tuple[str, ...]
    files: tuple[tuple[str, tuple[dict[str, Any], ...]], ...]
    log: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, Any], ...]
    may: frozenset[str]

    @property
    def id(self) -> int:
        return self.document.id

    @property
    def version(self) -> int:
        return self.document.version

    @property
    def code(self) -> str:
        return self.document.code

    @property
    def title(self) -> str:
        return self.document.title or gettext("Untitled adjustment")

    @property
    def file_count(self) -> int:
        return sum(len(files) for _, files in self.files)


def adjustment_detail(actor: Actor, adjustment_id: int) -> AdjustmentDetail:
    """One adjustment for whoever may read it, in a fixed number of statements whatever its size. Raises
    `NotFound` for one outside the actor's scope."""
    session, language = current_session(), str(get_locale())
    timeline = review.timeline(actor, FundAdjustment.document_kind, adjustment_id)
    # After the timeline, which reads the same row without what belongs to it.
    found = adjustment.detail(session, actor, adjustment_id)
    row, known = found.adjustment, catalogue(session)
    handler = row.submitted_by or row.created_by
    names = {line.project_id: str(line.project) for line in row.lines if line.project}
    open_review = row.status in (DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED)
    label, colour = _status(row.status, timeline)
    return AdjustmentDetail(
        document=row,
        unit_name=row.unit.name,
        subtitle=" · ".join(
            part
            for part in (
                row.code,
                gettext(row.kind.label),
                row.basis_no,
                row.unit.name,
                gettext("Handler: %(name)s", name=handler.full_name) if handler else "",
            )
            if part
        ),
        status_label=label,
        status_colour=colour,
        kind_label=gettext(row.kind.label),
        handler=handler.full_name if handler else "",
        lines=tuple(_line(line, known, language) for line in row.lines),
        comparison=comparison_view(
            found.comparison,
            row.kind,
            lambda pk: names[pk],
            lambda pk: found.units[pk],
            lambda code: known.label("funding_channel", code, language),
        ),
        obstacles=tuple(map(problem_text, adjustment.obstacles(session, row) if open_review else ())),
        files=_files(found.attachments, known, language),
        log=log_entries(timeline),
        changes=_changes(row, timeline),
        may=frozenset(verb for verb in _VERBS if policy.may(actor, verb, row)),
    )


def shown_changes(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """What has changed since a page was opened, with labels in the reader's language."""
    return change_rows(
        readable(adjustment.DESCRIPTION, changes, reader_catalogue(), str(get_locale()), gettext)
    )


def _status(status: DocumentStatus, timeline: review.Timeline) -> tuple[str, str]:
    """In review, the name of the present step says more than the state."""
    step = timeline.run.current_step if timeline.run else None
    if status is DocumentStatus.IN_REVIEW and step is not None:
        return gettext("In review: %(step)s", step=step_name(step)), status.colour
    if status is DocumentStatus.APPROVED:
        return gettext("Taken effect"), status.colour
    return gettext(status.label), status.colour


def _line(line: AdjustmentLine, known: Catalogue, language: str) -> Line:
    direction, project = line.direction, line.project
    moved = None if direction is None or line.amount is None else direction.sign * line.amount
    return Line(
        project.code if project else "",
        project.title if project else "",
        project.unit.short_name if project else "",
        link("ProjectView.show", pk=project.id) if project else None,
        gettext(direction.label) if direction else "—",
        direction.colour if isinstance(direction, Direction) else "secondary",
        short_channel(known.label("funding_channel", line.channel, language)) if line.channel else "—",
        _amount(line.amount_before),
        "—" if moved is None else signed(moved),
        _amount(line.amount_after),
    )


def _amount(amount: Any) -> str:
    return "—" if amount is None else format_yuan(amount)


def _files(
    rows: Sequence[Attachment], known: Catalogue, language: str
) -> tuple[tuple[str, tuple[dict[str, Any], ...]], ...]:
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
        (known.label(attachment.CATEGORIES, category, language), tuple(entries))
        for category, entries in groups.items()
    )


def _changes(row: FundAdjustment, timeline: review.Timeline) -> tuple[dict[str, Any], ...]:
    """What was changed since the first submission, newest first."""
    if not timeline.entries:
        return ()
    first = timeline.entries[0].at
    entries = [
        entry
        for entry in history(current_session(), FundAdjustment.document_kind, row.id)
        if entry.at > first and entry.field != "status"
    ]
    shown = readable(
        adjustment.DESCRIPTION,
        list(reversed(entries))[:_MOST_CHANGES],
        reader_catalogue(),
        str(get_locale()),
        gettext,
    )
    return tuple(change_rows(shown))
