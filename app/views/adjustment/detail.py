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
from app.models.log import FieldChange
from app.services import adjustment, review
from app.services.dictionary import Catalogue, catalogue
from app.services.document.changes import readable
from app.services.unit_of_work import current_session
from app.views.adjustment.compared import ComparisonView, comparison_view, signed
from app.views.base.dictionaries import catalogue as reader_catalogue
from app.views.document.detail import Detailed, Files, changed_since_submission, files_by_category, state_of
from app.views.document.labels import change_rows
from app.views.errors import problem_text
from app.views.flow_log import log_entries
from app.views.links import link
from app.views.project_list import short_channel

_VERBS = ("edit", "submit", "withdraw", "urge", "recycle", "restore", "purge", "export")


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
class AdjustmentDetail(Detailed):
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
    files: tuple[Files, ...]
    log: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, Any], ...]
    may: frozenset[str]

    @property
    def code(self) -> str:
        return self.document.code

    @property
    def title(self) -> str:
        return self.document.title or gettext("Untitled adjustment")


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
    changed = changed_since_submission(FundAdjustment.document_kind, adjustment_id, timeline, own=True)
    label, colour = _state(row.status, timeline)
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
        files=files_by_category(found.attachments, known, language),
        log=log_entries(timeline),
        changes=tuple(shown_changes(changed)),
        may=frozenset(verb for verb in _VERBS if policy.may(actor, verb, row)),
    )


def shown_changes(changes: Sequence[FieldChange | Change]) -> list[dict[str, Any]]:
    """What was changed, with labels in the reader's language."""
    return change_rows(
        readable(adjustment.DESCRIPTION, changes, reader_catalogue(), str(get_locale()), gettext)
    )


def _state(status: DocumentStatus, timeline: review.Timeline) -> tuple[str, str]:
    """An approved adjustment has taken effect already."""
    if status is DocumentStatus.APPROVED:
        return gettext("Taken effect"), status.colour
    return state_of(status, timeline)


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
