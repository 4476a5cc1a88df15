"""One declaration as it is read: by its unit, by reviewers beside their panel, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import get_locale, gettext

from app.access import policy
from app.access.actor import Actor
from app.core.enums import Labelled, Stage
from app.core.lifecycle import LIFE_STEPS, current_step, steps_done
from app.core.money import format_wan, format_yuan, in_words, round_half_up
from app.models.declaration import Declaration
from app.services import declaration, review, similarity
from app.services.declaration.fields import FIELD_BY_NAME, TABLE_BY_NAME, ChapterKey
from app.services.declaration.queries import Detail
from app.services.dictionary import Catalogue, catalogue
from app.services.reading import Kind, Number, Yuan
from app.services.unit_of_work import current_session
from app.views.declaration.layout import LAYOUT
from app.views.document.detail import (
    Detailed,
    Files,
    changed_since_submission,
    files_by_category,
    state_of,
    value_text,
)
from app.views.document.labels import change_rows
from app.views.flow_log import log_entries
from app.views.similarity import Similar, from_kept


@dataclass(frozen=True)
class Step:
    """One step of the life cycle: `done`, `current` or `ahead`."""

    label: str
    state: str


@dataclass(frozen=True)
class Figure:
    """One of the figure cards; `exact` is the amount in yuan for whoever wants it."""

    label: str
    value: str
    unit: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Item:
    """One value with its label; `wide` values are paragraphs. `name` is the field's path."""

    name: str
    label: str
    value: str
    wide: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of rows as read: headings with their alignment, cells, and a total line. `name` is the
    table's, `columns` are those of its headings: a cell's path is `name.row.column`, rows from 0."""

    name: str
    columns: tuple[str, ...]
    label: str
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[tuple[str, ...], ...]
    total: str = ""


@dataclass(frozen=True)
class Section:
    """One chapter as read; empty ones are left out."""

    title: str
    items: tuple[Item, ...]
    grids: tuple[Grid, ...]


@dataclass(frozen=True)
class DeclarationDetail(Detailed):
    """Everything the page of one declaration shows; `may` are the verbs this reader may do with it."""

    document: Declaration
    unit_name: str
    subtitle: str
    status_label: str
    status_colour: str
    steps: tuple[Step, ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
    lines: Grid
    files: tuple[Files, ...]
    log: tuple[dict[str, Any], ...]
    changes: tuple[dict[str, Any], ...]
    may: frozenset[str]
    similar: Sequence[Similar] = ()

    @property
    def code(self) -> str:
        return self.document.project.code if self.document.project else self.document.code

    @property
    def title(self) -> str:
        return self.document.title or gettext("Untitled declaration")


_VERBS = ("edit", "submit", "withdraw", "urge", "recycle", "restore", "purge", "amend")


def declaration_detail(actor: Actor, declaration_id: int) -> DeclarationDetail:
    """One declaration for whoever may read it, in a fixed number of statements whatever its size.

    Raises `NotFound` for one outside the actor's scope. Mobile numbers are masked outside the unit.
    """
    session = current_session()
    timeline = review.timeline(actor, Declaration.document_kind, declaration_id)
    # After the timeline, which reads the same row without what belongs to it.
    found = declaration.detail(session, actor, declaration_id)
    reader = _Reader(actor, found, catalogue(session), str(get_locale()))
    changed = changed_since_submission(Declaration.document_kind, declaration_id, timeline, own=reader.own)
    label, colour = state_of(found.declaration.status, timeline)
    return DeclarationDetail(
        document=found.declaration,
        unit_name=found.declaration.unit.name,
        subtitle=reader.subtitle(),
        status_label=label,
        status_colour=colour,
        steps=_steps(found.declaration.project.stage if found.declaration.project else None),
        figures=reader.figures(),
        sections=reader.sections(),
        lines=reader.grid("budget_lines"),
        files=files_by_category(found.attachments, reader.known, reader.language),
        log=log_entries(timeline),
        changes=tuple(change_rows(declaration.readable(changed, reader.known, reader.language, gettext))),
        may=frozenset(verb for verb in _VERBS if policy.may(actor, verb, found.declaration)),
        similar=from_kept(session, actor, similarity.kept(session, declaration_id)),
    )


def _steps(stage: Stage | None) -> tuple[Step, ...]:
    done = steps_done(stage) if stage else 0
    current = current_step(stage) if stage else LIFE_STEPS[0]
    return tuple(
        Step(
            gettext(step.label),
            "current" if step is current else "done" if place < done else "ahead",
        )
        for place, step in enumerate(LIFE_STEPS)
    )


class _Reader:
    """Turns stored values into what this reader may see, in his language."""

    def __init__(self, actor: Actor, found: Detail, known: Catalogue, language: str) -> None:
        self.found = found
        self.row = found.declaration
        self.known = known
        self.language = language
        self.own = actor.unit_id == self.row.unit_id

    def subtitle(self) -> str:
        """Number, unit, type and who handles it."""
        row = self.row
        handler = row.submitted_by or row.created_by
        parts = [
            row.project.code if row.project else "",
            row.code,
            row.unit.name,
            self.known.label("declaration_type", row.declaration_type, self.language),
            gettext("Handler: %(name)s", name=handler.full_name) if handler else "",
        ]
        return " · ".join(part for part in parts if part)

    def figures(self) -> tuple[Figure, ...]:
        """Requested, last year's, their comparison, and what was assessed or arranged."""
        requested = self.row.requested_amount
        last = self.row.predecessor.arranged_amount if self.row.predecessor else None
        plan, project = self.found.plan, self.row.project
        arranged = plan.initial_amount if plan else None
        approved = project.approved_amount if project else None
        fourth = (
            _figure(gettext("Assessed amount"), approved, gettext("not assessed yet"))
            if approved is not None or arranged is None
            else _figure(gettext("Arranged budget"), arranged, "")
        )
        return (
            _figure(gettext("Requested amount"), requested, ""),
            _figure(gettext("Arranged last year"), last, ""),
            Figure(gettext("Compared with last year"), _compared(requested, last)),
            fourth,
        )

    def sections(self) -> tuple[Section, ...]:
        """The chapters that have something to say."""
        sections = (
            Section(
                gettext(chapter.key.label),
                tuple(self._items(chapter.key, [name for name, _ in chapter.fields])),
                tuple(self.grid(name) for name in chapter.tables if getattr(self.row, name)),
            )
            for chapter in LAYOUT
        )
        return tuple(section for section in sections if section.items or section.grids)

    def _items(self, key: Labelled, names: Sequence[str]) -> list[Item]:
        items = [
            Item(name, gettext(FIELD_BY_NAME[name].label), text, name in _PARAGRAPHS)
            for name in names
            if (text := self._field(name))
        ]
        if key is ChapterKey.LINES and self.row.requested_amount is not None:
            words = gettext(
                "%(amount)s yuan (%(words)s)",
                amount=format_yuan(self.row.requested_amount),
                words=in_words(self.row.requested_amount),
            )
            items[0] = Item(items[0].name, items[0].label, words)
        return items

    def _field(self, name: str) -> str:
        if name == "supervising_unit_id":
            return self.row.supervising_unit.name if self.row.supervising_unit else ""
        if name == "predecessor_id":
            return str(self.row.predecessor) if self.row.predecessor else ""
        return self._text(FIELD_BY_NAME[name].kind, getattr(self.row, name))

    def grid(self, name: str) -> Grid:
        """A table of rows; amounts are grouped, codes are labels."""
        table = TABLE_BY_NAME[name]
        columns = [(column.name, column.label, column.kind) for column in table.columns]
        if name == "budget_lines":
            columns.append(("amount", "Subtotal", Yuan()))
        rows = getattr(self.row, name)
        used = [
            column for column in columns if any(getattr(row, column[0]) not in (None, "") for row in rows)
        ]
        total = ""
        if any(column[0] == "amount" for column in used):
            total = format_yuan(sum((row.amount for row in rows if row.amount is not None), Decimal(0)))
        return Grid(
            name,
            tuple(column for column, _, _ in used),
            gettext(table.label),
            tuple((gettext(label), isinstance(kind, Yuan | Number)) for _, label, kind in used),
            tuple(
                tuple(self._text(kind, getattr(row, column)) or "—" for column, _, kind in used)
                for row in rows
            ),
            total,
        )

    def _text(self, kind: Kind, value: Any) -> str:
        return value_text(kind, value, self.known, self.language, own=self.own)


_PARAGRAPHS = frozenset(
    {
        "basis_text",
        "necessity",
        "feasibility",
        "reasonableness",
        "current_state",
        "goals",
        "scope_text",
        "cloud_resources",
        "long_term_goal",
        "annual_goal",
    }
)


def _figure(label: str, amount: Decimal | None, unknown: str) -> Figure:
    if amount is None:
        return Figure(label, "—", unknown)
    return Figure(label, format_wan(amount), gettext("10,000 yuan"), format_yuan(amount))


def _compared(requested: Decimal | None, last: Decimal | None) -> str:
    if requested is None or not last:
        return "—"
    return f"{round_half_up((requested - last) / last * 100, 1):+f}%"
