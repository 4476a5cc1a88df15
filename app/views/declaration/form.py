"""What the declaration form shows: values as typed, chapters with their ticks, messages beside fields, and
the cards of the attachments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask_babel import get_locale, gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Problem
from app.core.flow import Verb
from app.core.money import InvalidAmount, format_wan, format_yuan, in_words, yuan
from app.core.workdays import SHANGHAI
from app.models.attachment import Attachment
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.flow import FlowLog
from app.models.project import Project
from app.models.unit import Unit
from app.services import attachment, parameter
from app.services.declaration.changes import ShownChange
from app.services.declaration.check import AttachmentNeed, ChapterState, Checklist, Severity
from app.services.declaration.fields import FIELDS, TABLES, ChapterKey
from app.services.declaration.form import FormState, form_state, state_of
from app.services.declaration.requirements import demands
from app.services.declaration.values import DeclarationValues
from app.services.dictionary import Catalogue, catalogue
from app.services.reading import Code, Codes
from app.views.declaration.files import Card, file_view
from app.views.declaration.layout import (
    LAYOUT,
    Control,
    Option,
    Options,
    TableControl,
    control_of,
    label_of,
    table_of,
)
from app.views.errors import problem_text

EMPTY_ROWS = 3
"""So many empty rows the budget lines offer at first, and every table whose "Add a row" was pressed without
a script; other tables begin with one."""
_MOST_PROJECTS = 300
_MB = 1 << 20
_CHINESE_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class ChapterView:
    """A chapter as drawn: its number and title, its tick (`ok`, `missing`, `wrong`), and its contents."""

    key: str
    number: str
    title: str
    state: str
    fields: tuple[Control, ...]
    tables: tuple[TableControl, ...]
    tables_first: bool

    @property
    def heading(self) -> str:
        return gettext("%(number)s. %(title)s", number=self.number, title=self.title)


@dataclass
class FormPage:
    """One form page. `declaration` is None before the first save; `tried` says that a submission was refused,
    so that what is missing is said beside its field."""

    state: FormState
    declaration: Declaration | None
    page_token: str
    options: Options
    required: frozenset[str]
    chapters: tuple[ChapterView, ...]
    cards: tuple[Card, ...]
    limits: Mapping[str, Any]
    version: int | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    tried: bool = False
    headline: str = ""
    returned: str = ""
    changes: Sequence[ShownChange] | None = None
    extra_rows: Mapping[str, int] = field(default_factory=dict)

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows of a table as typed, and a few empty ones where there are none."""
        typed: list[dict[str, str]] = [dict(row) for row in self.state.get(table) or []]
        for row in typed:
            if table == "budget_lines":
                row["amount_shown"] = _shown(row.get("amount", ""))
        offered = 0 if typed else EMPTY_ROWS if table == "budget_lines" else 1
        wanted = max(offered, self.extra_rows.get(table, 0))
        return typed + [{} for _ in range(wanted)]

    @property
    def lines_total(self) -> Decimal | None:
        """The budget lines together in yuan; None while a line has no amount that can be read."""
        try:
            return sum(
                (yuan(row.get("amount", "")) for row in self.state.get("budget_lines") or []), Decimal(0)
            )
        except InvalidAmount:
            return None

    @property
    def words(self) -> str:
        """The requested amount in capitals, as far as it can be read."""
        try:
            return in_words(yuan(self.state.get("requested_amount", "")))
        except InvalidAmount:
            return ""

    @property
    def over_threshold(self) -> bool:
        """Does the requested amount call for the third-party steps?"""
        try:
            return yuan(self.state.get("requested_amount", "")) >= self.limits["threshold"]
        except InvalidAmount:
            return False

    @property
    def saved_text(self) -> str:
        """When the draft was last kept by itself."""
        at = self.declaration.autosaved_at if self.declaration else None
        return saved_text(at or (self.declaration.updated_at if self.declaration else None))

    @property
    def summary(self) -> list[tuple[str, str, list[str]]]:
        """Every error in the order of the form: where to jump, what the field is called, what is wrong."""
        places = {name: place for place, name in enumerate(_ORDER)}
        paths = sorted(self.errors, key=lambda path: places.get(path.partition(".")[0], len(places)))
        return [(path.replace(".", "-"), self._label(path), self.errors[path]) for path in paths]

    def _label(self, path: str) -> str:
        name, _, category = path.partition(".")
        if name != "attachments":
            return label_of(path)
        return next((card.label for card in self.cards if card.category == category), label_of(path))


_ORDER = [
    name for chapter in LAYOUT for name in ("attachments", *(n for n, _ in chapter.fields), *chapter.tables)
]


def saved_text(at: dt.datetime | None) -> str:
    """“Saved at 10:42”, with the day unless it is today."""
    if at is None:
        return gettext("not saved yet")
    local = at.astimezone(SHANGHAI)
    today = utcnow().astimezone(SHANGHAI).date()
    shown = local.strftime("%H:%M") if local.date() == today else local.strftime("%Y-%m-%d %H:%M")
    return gettext("saved automatically at %(time)s", time=shown)


def texts_of(problems: Mapping[str, Iterable[Problem]]) -> dict[str, list[str]]:
    """Problems by field in the reader's language."""
    return {path: [problem_text(problem) for problem in found] for path, found in problems.items()}


def errors_shown(checklist: Checklist, *, tried: bool) -> dict[str, list[str]]:
    """What to say beside fields: what is wrong at once, what is missing only after a refused submission."""
    shown: dict[str, list[str]] = {}
    for finding in checklist.findings:
        if finding.severity is Severity.WRONG or (tried and finding.severity is Severity.MISSING):
            shown.setdefault(finding.field, []).append(problem_text(finding.problem))
    return shown


def chapter_states(checklist: Checklist | None, *, tried: bool = False) -> dict[str, str]:
    """The tick of each chapter; after a refused submission what is missing counts as wrong."""
    if checklist is None:
        return {key.value: ChapterState.MISSING.value for key in ChapterKey}
    return {
        chapter.key.value: (
            ChapterState.WRONG if tried and chapter.state is ChapterState.MISSING else chapter.state
        ).value
        for chapter in checklist.chapters
    }


class FormBuilder:
    """Gathers one form page for one actor."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self.session = session
        self.actor = actor
        self.language = str(get_locale())
        self.catalogue: Catalogue = catalogue(session)

    def page(
        self,
        declaration: Declaration | None,
        checklist: Checklist | None,
        token: str,
        *,
        state: FormState | None = None,
        tried: bool = False,
        errors: Mapping[str, list[str]] | None = None,
    ) -> FormPage:
        """The page of a draft; `state` is what was typed when that differs from what is stored, `errors` what
        else to say beside fields."""
        stored = form_state(declaration) if declaration else state_of(DeclarationValues())
        shown = {**stored, **(state or {})}
        if declaration is None and not shown["budget_year"]:
            shown["budget_year"] = str(self._years()[0])
        options = self.options(shown, declaration)
        found = errors_shown(checklist, tried=tried) if checklist else {}
        wanted = checklist.demands if checklist else demands(self.session, DeclarationValues())
        return FormPage(
            state=shown,
            declaration=declaration,
            page_token=token,
            options=options,
            required=wanted.fields,
            chapters=self._chapters(chapter_states(checklist, tried=tried), options),
            cards=self.cards(declaration, checklist),
            limits=self.limits,
            version=declaration.version if declaration else None,
            errors={**found, **(errors or {})},
            warnings=texts_of(checklist.warnings()) if checklist else {},
            tried=tried,
            returned=self._returned(declaration),
        )

    def options(self, state: FormState, declaration: Declaration | None) -> Options:
        """The choices of every select; entries that are not active any more stay where they are used."""
        kept: dict[str, set[str]] = {}
        kinds: list[tuple[Code | Codes, Any]] = [
            (one.kind, state.get(one.name)) for one in FIELDS if isinstance(one.kind, Code | Codes)
        ]
        for table in TABLES:
            for column in table.columns:
                if isinstance(column.kind, Code):
                    kinds += [(column.kind, row.get(column.name)) for row in state.get(table.name) or []]
        for kind, value in kinds:
            used = kept.setdefault(kind.dictionary, set())
            used.update(value if isinstance(value, list) else [value] if value else [])
        found: dict[str, tuple[Option, ...]] = {
            name: self._choices(name, used) for name, used in kept.items()
        }
        for column_kind in (column.kind for table in TABLES for column in table.columns):
            if isinstance(column_kind, Code) and column_kind.dictionary not in found:
                found[column_kind.dictionary] = self._choices(column_kind.dictionary, set())
        years = sorted(
            {*map(str, self._years()), *([state["budget_year"]] if state.get("budget_year") else [])}
        )
        found["budget_year"] = tuple(Option(year, year) for year in reversed(years))
        found["unit"] = self._units(str(state.get("supervising_unit_id") or ""))
        found["project"] = self._projects(declaration, str(state.get("predecessor_id") or ""))
        return found

    def cards(self, declaration: Declaration | None, checklist: Checklist | None) -> tuple[Card, ...]:
        """The cards of the attachment chapter: required ones first, then what else may be attached."""
        rows: Sequence[Attachment] = ()
        if declaration is not None:
            rows = attachment.attachments_of(
                self.session, self.actor, Declaration.document_kind, declaration.id
            )
        needs = {need.category: need for need in checklist.attachments} if checklist else {}
        if checklist is None:
            needs = {
                category: AttachmentNeed(category, True, False, 0)
                for category in demands(self.session, DeclarationValues()).attachments
            }
        used = {row.category for row in rows}
        cards = [
            Card(
                choice.code,
                choice.label,
                choice.code in needs and needs[choice.code].required,
                choice.code in needs and needs[choice.code].expected,
                tuple(file_view(row) for row in rows if row.category == choice.code),
            )
            for choice in self.catalogue.choices(attachment.CATEGORIES, self.language, used)
        ]
        return tuple(sorted(cards, key=lambda card: (not card.required, not card.expected)))

    def _choices(self, dictionary: str, used: set[str]) -> tuple[Option, ...]:
        numbered = dictionary == "budget_subject"
        return tuple(
            Option(
                choice.code,
                f"{choice.code} {choice.label}" if numbered else choice.label,
                (choice.parent or "") if not numbered else "",
                choice.label if numbered else "",
            )
            for choice in self.catalogue.choices(dictionary, self.language, used)
        )

    def _years(self) -> tuple[int, int]:
        this_year = utcnow().astimezone(SHANGHAI).year
        return this_year + 1, this_year

    def _units(self, chosen: str) -> tuple[Option, ...]:
        kept = int(chosen) if chosen.isdecimal() else 0
        rows = self.session.execute(
            select(Unit.id, Unit.name)
            .where(policy.criterion(self.actor, Unit), or_(Unit.active, Unit.id == kept))
            .order_by(Unit.sort, Unit.id)
        )
        return tuple(Option(str(row.id), row.name) for row in rows)

    def _projects(self, declaration: Declaration | None, chosen: str) -> tuple[Option, ...]:
        """The unit's own earlier projects, newest first."""
        unit_id = declaration.unit_id if declaration else self.actor.unit_id
        kept = int(chosen) if chosen.isdecimal() else 0
        own = declaration.project_id if declaration else None
        rows = self.session.execute(
            select(Project.id, Project.code, Project.title)
            .where(
                policy.criterion(self.actor, Project),
                or_(Project.unit_id == unit_id, Project.id == kept),
                Project.id != (own or 0),
            )
            .order_by(Project.budget_year.desc(), Project.id.desc())
            .limit(_MOST_PROJECTS)
        )
        return tuple(Option(str(row.id), f"{row.code} {row.title}") for row in rows)

    def _chapters(self, states: Mapping[str, str], options: Options) -> tuple[ChapterView, ...]:
        chinese = self.language.startswith("zh")
        return tuple(
            ChapterView(
                key=chapter.key.value,
                number=_CHINESE_NUMERALS[index] if chinese else str(index + 1),
                title=gettext(chapter.key.label),
                state=states[chapter.key.value],
                fields=tuple(control_of(name, width, options) for name, width in chapter.fields),
                tables=tuple(table_of(name, options) for name in chapter.tables),
                tables_first=chapter.tables_first,
            )
            for index, chapter in enumerate(LAYOUT)
        )

    @property
    def limits(self) -> dict[str, Any]:
        """What the page says about amounts and files."""
        threshold = parameter.decimal_of(self.session, "third_party.threshold")
        most = parameter.int_of(self.session, "attachment.max_size_mb")
        types = parameter.list_of(self.session, "attachment.types")
        return {
            "threshold_cents": int(threshold * 100),
            "threshold": threshold,
            "threshold_wan": format_wan(threshold).removesuffix(".00"),
            "most_bytes": most * _MB,
            "most_text": f"{most} MB",
            "accept": ",".join(f".{name}" for name in types),
            "types": "、".join(types) if self.language.startswith("zh") else ", ".join(types),
        }

    def _returned(self, declaration: Declaration | None) -> str:
        """Why the declaration came back, in the reviewer's words."""
        if declaration is None or declaration.status is not DocumentStatus.RETURNED:
            return ""
        opinion = self.session.scalar(
            select(FlowLog.opinion)
            .where(
                FlowLog.document_kind == Declaration.document_kind,
                FlowLog.document_id == declaration.id,
                FlowLog.verb == Verb.RETURN,
            )
            .order_by(FlowLog.id.desc())
            .limit(1)
        )
        return opinion or gettext("No reason was given.")


def _shown(amount: str) -> str:
    try:
        return format_yuan(yuan(amount))
    except InvalidAmount:
        return ""
