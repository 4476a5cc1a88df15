"""What the form of a document shows: values as typed, chapters with their ticks, messages beside fields, and
the cards of the attachments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from flask_babel import get_locale, gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Problem
from app.core.money import InvalidAmount, format_wan, format_yuan, in_words, yuan
from app.core.workdays import SHANGHAI
from app.models.attachment import Attachment
from app.models.base import utcnow
from app.models.log import FieldChange
from app.models.unit import Unit
from app.services import attachment, parameter, policy_rule
from app.services.dictionary import Catalogue, catalogue
from app.services.document import changes, form
from app.services.document.changes import ShownChange
from app.services.document.findings import AttachmentNeed, ChapterState, Checklist, Severity
from app.services.document.form import FormState
from app.services.document.kind import DocumentKind
from app.services.policy_rule import ShownFinding
from app.services.reading import Code, Codes
from app.views.document.files import Card, file_view
from app.views.document.labels import change_rows
from app.views.document.layout import Control, FormLayout, Option, Options, TableControl
from app.views.document.standing import Returned, returned
from app.views.errors import problem_text
from app.views.policy_finding import findings_shown

EMPTY_ROWS = 3
"""So many empty rows the budget lines offer at first, and every table whose "Add a row" was pressed without
a script; other tables begin with one."""
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
    """One form page. `document` is None before the first save; `tried` says that a submission was refused,
    so that what is missing is said beside its field. `more` is what the form of its kind shows besides.

    After a refused save `changes` are what was changed meanwhile (`own_changes`: by the reader himself);
    `closed` says that its state takes no more text, `moved` who brought it there."""

    layout: FormLayout
    state: FormState
    document: Any
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
    returned: Returned | None = None
    returned_changes: Sequence[Mapping[str, Any]] = ()
    changes: Sequence[ShownChange] | None = None
    own_changes: bool = False
    closed: bool = False
    moved: str = ""
    extra_rows: Mapping[str, int] = field(default_factory=dict)
    more: Any = None
    findings: Sequence[ShownFinding] = ()

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
    def status(self) -> DocumentStatus:
        """The state of the document; a form not saved yet is that of a draft."""
        return self.document.status if self.document else DocumentStatus.DRAFT

    @property
    def saved_text(self) -> str:
        """When what is on the page was kept; empty where that says nothing: of a document that takes no text,
        and of one that nobody has touched since it came back."""
        if self.closed:
            return ""
        if self.document is None or self.changes is not None:
            return saved_text(None)
        at = self.document.autosaved_at
        if self.returned:
            return saved_text(at) if at is not None and at > self.returned.at else ""
        return saved_text(at or self.document.updated_at)

    @property
    def summary(self) -> list[tuple[str, str, list[str]]]:
        """Every error in the order of the form: where to jump, what the field is called, what is wrong."""
        places = {name: place for place, name in enumerate(self.layout.order)}
        paths = sorted(self.errors, key=lambda path: places.get(path.partition(".")[0], len(places)))
        return [(path.replace(".", "-"), self._label(path), self.errors[path]) for path in paths]

    def _label(self, path: str) -> str:
        name, _, category = path.partition(".")
        if name != "attachments":
            return self.layout.label_of(path)
        labels = (card.label for card in self.cards if card.category == category)
        return next(labels, self.layout.label_of(path))


def saved_text(at: dt.datetime | None) -> str:
    """“Saved at 10:42”, with the day unless it is today."""
    if at is None:
        return gettext("not saved yet")
    local = at.astimezone(SHANGHAI)
    today = utcnow().astimezone(SHANGHAI).date()
    shown = local.strftime("%H:%M") if local.date() == today else local.strftime("%Y-%m-%d %H:%M")
    return gettext("saved automatically at %(time)s", time=shown)


def form_findings(checklist: Checklist | None) -> list[ShownFinding]:
    """The findings of policy rules that stand above the form: not those of our own making that refuse it,
    which are no policy, and stand beside their field like everything else the form checks."""
    if checklist is None:
        return []
    return findings_shown(rule for rule in checklist.rules if not policy_rule.is_house_check(rule))


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


def chapter_states(layout: FormLayout, checklist: Checklist | None, *, tried: bool = False) -> dict[str, str]:
    """The tick of each chapter; after a refused submission what was found missing counts as wrong."""
    if checklist is None:
        return {chapter.key.value: ChapterState.MISSING.value for chapter in layout.chapters}
    return {
        chapter.key.value: (
            ChapterState.WRONG
            if tried and chapter.findings and chapter.state is ChapterState.MISSING
            else chapter.state
        ).value
        for chapter in checklist.chapters
    }


class FormBuilder:
    """Gathers one form page for one actor. A kind names itself and its layout, and says in a subclass what is
    its own: the choices of its references, what an empty form demands."""

    kind: ClassVar[DocumentKind[Any, Any]]
    layout: ClassVar[FormLayout]

    def __init__(self, session: Session, actor: Actor) -> None:
        self.session = session
        self.actor = actor
        self.language = str(get_locale())
        self.catalogue: Catalogue = catalogue(session)

    # --- what a kind says itself ----------------------------------------------------------------------

    def demanded(self) -> tuple[frozenset[str], frozenset[str]]:
        """The fields and attachments that a form not saved yet demands."""
        return frozenset(), frozenset()

    def prefilled(self, state: FormState) -> None:
        """Put into an empty form what it begins with."""

    def references(self, state: FormState, document: Any) -> dict[str, tuple[Option, ...]]:
        """The choices of references and years, by target."""
        return {}

    def more(self, document: Any) -> Any:
        """What the form of this kind shows besides."""
        return None

    # --- the page -------------------------------------------------------------------------------------

    def page(
        self,
        document: Any,
        checklist: Checklist | None,
        token: str,
        *,
        state: FormState | None = None,
        tried: bool = False,
        errors: Mapping[str, list[str]] | None = None,
    ) -> FormPage:
        """The page of a draft; `state` is what was typed when that differs from what is stored, `errors` what
        else to say beside fields."""
        shown = {**self._stored(document), **(state or {})}
        if document is None:
            self.prefilled(shown)
        options = self.options(shown, document)
        found = errors_shown(checklist, tried=tried) if checklist else {}
        back = returned(self.session, document)
        return FormPage(
            layout=self.layout,
            state=shown,
            document=document,
            page_token=token,
            options=options,
            required=checklist.required if checklist else self.demanded()[0],
            chapters=self._chapters(chapter_states(self.layout, checklist, tried=tried), options),
            cards=self.cards(document, checklist),
            limits=self.limits,
            version=document.version if document else None,
            errors={**found, **(errors or {})},
            warnings=texts_of(checklist.warnings()) if checklist else {},
            tried=tried,
            returned=back,
            returned_changes=self._shown(back.changes) if back else (),
            findings=form_findings(checklist),
            more=self.more(document),
        )

    def _stored(self, document: Any) -> FormState:
        description = self.layout.description
        if document is None:
            return form.state_of(description, description.values())
        return form.form_state(description, self.kind.values_of(document), document.draft_input)

    def options(self, state: FormState, document: Any) -> Options:
        """The choices of every select; entries that are not active any more stay where they are used."""
        kept: dict[str, set[str]] = {}
        for kind, value in self._coded(state):
            used = kept.setdefault(kind.dictionary, set())
            used.update(value if isinstance(value, list) else [value] if value else [])
        found = {name: self._choices(name, used) for name, used in kept.items()}
        return {**found, **self.references(state, document)}

    def _coded(self, state: FormState) -> Iterator[tuple[Code | Codes, Any]]:
        description = self.layout.description
        for each in description.fields:
            if isinstance(each.kind, Code | Codes):
                yield each.kind, state.get(each.name)
        for table in description.tables:
            for column in table.columns:
                if isinstance(column.kind, Code | Codes):
                    yield column.kind, None
                    for row in state.get(table.name) or []:
                        yield column.kind, row.get(column.name)

    def cards(self, document: Any, checklist: Checklist | None) -> tuple[Card, ...]:
        """The cards of the attachment chapter: required ones first, then what else may be attached."""
        rows: Sequence[Attachment] = ()
        if document is not None:
            rows = attachment.attachments_of(self.session, self.actor, self.kind.name, document.id)
        needs = {need.category: need for need in checklist.attachments} if checklist else {}
        if checklist is None:
            needs = {category: AttachmentNeed(category, True, False, 0) for category in self.demanded()[1]}
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
            if choice.code in used or attachment.offered(self.kind.name, choice.code)
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

    def units(self, chosen: str) -> tuple[Option, ...]:
        kept = int(chosen) if chosen.isdecimal() else 0
        rows = self.session.execute(
            select(Unit.id, Unit.name)
            .where(policy.criterion(self.actor, Unit), or_(Unit.active, Unit.id == kept))
            .order_by(Unit.sort, Unit.id)
        )
        return tuple(Option(str(row.id), row.name) for row in rows)

    def _chapters(self, states: Mapping[str, str], options: Options) -> tuple[ChapterView, ...]:
        chinese = self.language.startswith("zh")
        return tuple(
            ChapterView(
                key=chapter.key.value,
                number=_CHINESE_NUMERALS[index] if chinese else str(index + 1),
                title=gettext(chapter.key.label),
                state=states[chapter.key.value],
                fields=tuple(self.layout.control_of(name, width, options) for name, width in chapter.fields),
                tables=tuple(self.layout.table_of(name, options) for name in chapter.tables),
                tables_first=chapter.tables_first,
            )
            for index, chapter in enumerate(self.layout.chapters)
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

    def untouched(self, raw: FormState) -> bool:
        """Does what was typed into a form not saved yet say no more than the empty form began with?"""
        begun = self._stored(None)
        self.prefilled(begun)
        return all(not value or value == begun.get(name) for name, value in raw.items())

    def _shown(self, found: Iterable[FieldChange]) -> list[dict[str, Any]]:
        description = self.layout.description
        return change_rows(changes.readable(description, found, self.catalogue, self.language, gettext))


def _shown(amount: str) -> str:
    try:
        return format_yuan(yuan(amount))
    except InvalidAmount:
        return ""
