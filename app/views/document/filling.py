"""One filled-in form on its way: rows added without a script, kept, submitted, or shown again as typed
with what is wrong beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flask import render_template, request, url_for
from flask_babel import get_locale, gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import (
    Conflict,
    DomainError,
    InvalidInput,
    NotFound,
    Problem,
    StaleVersion,
    TooLarge,
    UnsupportedFile,
)
from app.services import attachment
from app.services.dictionary import catalogue
from app.services.document import changes, draft
from app.services.document.changes import ShownChange
from app.services.document.directory import Directory
from app.services.document.findings import Checklist
from app.services.document.form import raw_from_form
from app.services.document.kind import DocumentKind
from app.services.document.values import parse
from app.services.unit_of_work import current_session
from app.views.actor import current_user_row
from app.views.document.form import EMPTY_ROWS, FormBuilder, FormPage, texts_of
from app.views.document.labels import change_rows
from app.views.document.sentences import script_texts
from app.views.document.standing import moved_on
from app.views.document_pages import addition
from app.views.errors import translate

Answer = tuple[str, int]
_CELL = re.compile(r"(?P<table>[a-z_]+)\.(?P<row>[0-9]{1,4})\.[a-z_0-9]+")
_MOVES = {"up": -1, "down": 1}


@dataclass(frozen=True)
class DocumentForm:
    """How the form of one kind is drawn and where it sends what.

    `drafts` is the name of its view of drafts (a `DraftsView`), `show_endpoint` the document's own page.
    `create` and `autosave_new` make the draft of a form that has none; a kind whose drafts are begun
    elsewhere leaves them out. `submit` is (actor, id, version, page=, opinion=) → document.
    """

    kind: DocumentKind[Any, Any]
    builder: type[FormBuilder]
    check: Callable[[Session, Any], Checklist]
    submit: Callable[..., Any]
    template: str
    drafts: str
    show_endpoint: str
    menu: str = ""
    """The list whose menu entry its pages belong to; that of its drafts unless it says otherwise."""
    create: Callable[..., Any] | None = None
    autosave_new: Callable[..., draft.Autosaved] | None = None
    similar: str | None = None
    """The endpoint that tells of similar projects while the title is typed, where the kind has it."""
    head: Callable[[Any, Mapping[str, list[str]]], str] | None = None
    """Draws what stands above the chapters, anew after each save, from the document and its errors."""

    def urls(self, document_id: int | None) -> dict[str, str]:
        """Where the form of a draft, or of a new one, sends what."""
        upload = url_for("AttachmentView.upload")
        similar = url_for(self.similar) if self.similar else ""
        if document_id is None:
            return {
                "form": url_for(f"{self.drafts}.create"),
                "autosave": url_for(f"{self.drafts}.autosave_new"),
                "state": "",
                "upload": upload,
                "similar": similar,
                "preview": "",
            }
        return {
            "form": url_for(f"{self.drafts}.edit", pk=document_id),
            "autosave": url_for(f"{self.drafts}.autosave", pk=document_id),
            "state": url_for(f"{self.drafts}.state", pk=document_id),
            "upload": upload,
            "similar": similar,
            "preview": url_for(self.show_endpoint, pk=document_id),
        }

    def draw(self, page: FormPage, actor: Actor) -> str:
        """The form page as HTML."""
        user = current_user_row()
        own = user.unit.name if user and user.unit else ""
        urls = self.urls(page.document.id if page.document else None)
        return render_template(
            self.template,
            page=page,
            kind=self.kind.name,
            changes=change_rows(page.changes or ()),
            urls=urls,
            # a refused form answers where it was sent to; the language switch leads to what was kept
            here=urls["form"],
            texts=script_texts(),
            unit_name=page.document.unit.name if page.document else own,
            remarks=addition("remarks", self.kind.name, page.document.id) if page.document else None,
        )

    def shown_changes(self, error: StaleVersion) -> Sequence[ShownChange]:
        """Who changed what since, with labels in the reader's language."""
        return changes.readable(
            self.kind.description, error.changes, catalogue(current_session()), str(get_locale()), gettext
        )

    def still_open(self, actor: Actor, document_id: int) -> tuple[bool, DocumentStatus]:
        """May the actor still fill in this document, and in which state is it?"""
        row = policy.load(current_session(), actor, self.kind.model, document_id)
        return policy.may(actor, "edit", row), row.status


class Intent(StrEnum):
    """What the pressed button asks for."""

    SAVE = "save"
    SUBMIT = "submit"
    UPLOAD = "upload"


def by_oneself(actor: Actor, found: Sequence[ShownChange]) -> bool:
    """Were all these changes made by the reader himself, in another window?"""
    return bool(found) and all(change.by == actor.name for change in found)


@dataclass
class Kept:
    """Where the typed text is kept now."""

    id: int
    version: int
    unreadable: bool


@dataclass
class Filling:
    """One request that fills in a document. `document_id` is None before the first save."""

    of: DocumentForm
    actor: Actor
    document_id: int | None
    form: MultiDict[str, str] = field(default_factory=lambda: request.form)

    @property
    def token(self) -> str:
        """The page's own token: what this page saved by itself is not somebody else's change."""
        return self.form.get("page", "")[:40]

    @property
    def version(self) -> int:
        """The version the page shows; 0, which is nobody's, when it names none."""
        return self._number("version")

    @property
    def turn(self) -> int:
        """Which of the saves that the page makes by itself this is; 0 when it does not count them."""
        return self._number("turn")

    def _number(self, name: str) -> int:
        text = self.form.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    @property
    def raw(self) -> dict[str, Any]:
        """What was typed, for the parser."""
        return raw_from_form(self.of.kind.description, self.form.items(multi=True))

    @property
    def intent(self) -> Intent:
        """What the pressed button asks for; the plain form saves."""
        asked = self.form.get("intent", "")
        return Intent(asked) if asked in set(Intent) else Intent.SAVE

    @property
    def nothing_yet(self) -> bool:
        """Is this a new form in which nothing was filled in? It makes no draft and uses up no number."""
        if self.document_id is not None or any(file.filename for file in request.files.values()):
            return False
        return self.of.builder(current_session(), self.actor).untouched(self.raw)

    # --- writing ---------------------------------------------------------------------------------------

    def keep(self) -> Kept:
        """Save what was typed, also what cannot be read yet. Raises `StaleVersion`, and `InvalidInput` for
        what may not be kept at all (state secrets)."""
        try:
            row = self._saved()
        except InvalidInput:
            saved = self.autosaved()
            self.document_id = saved.id
            return Kept(saved.id, saved.version, unreadable=True)
        self.document_id = row.id
        return Kept(row.id, row.version, unreadable=False)

    def _saved(self) -> Any:
        if self.document_id is not None:
            return draft.save(
                self.of.kind, self.actor, self.document_id, self.version, self.raw, page=self.token
            )
        if self.of.create is None:
            raise NotFound
        return self.of.create(self.actor, self.raw, page=self.token)

    def autosaved(self) -> draft.Autosaved:
        """Keep what was typed, readable or not. Raises as `draft.autosave` does."""
        raw, page, turn = self.raw, self.token, self.turn
        if self.document_id is not None:
            return draft.autosave(
                self.of.kind, self.actor, self.document_id, self.version, raw, page=page, turn=turn
            )
        if self.of.autosave_new is None:
            raise NotFound
        return self.of.autosave_new(self.actor, None, None, raw, page=page, turn=turn)

    def upload(self, kept: Kept) -> dict[str, list[str]]:
        """Attach the files that came with the form (`file.SCHEME`); what was refused, by category."""
        refused: dict[str, list[str]] = {}
        self.refusal_status = 0
        for name, file in request.files.items(multi=True):
            category = name.removeprefix("file.")
            if category == name or not file.filename:
                continue
            try:
                attachment.add(self.actor, self.of.kind.name, kept.id, category, file.filename, file.stream)
            except (TooLarge, UnsupportedFile, InvalidInput) as error:
                self.refusal_status = error.status
                text = gettext(
                    "“%(name)s” was not taken: %(reason)s",
                    name=file.filename,
                    reason=translate(error.message, error.params),
                )
                refused.setdefault(f"attachments.{category}", []).append(text)
        return refused

    refusal_status: int = 0

    def already_submitted(self) -> bool:
        """Has this actor submitted exactly what this page shows? Then a second click changes nothing."""
        if self.document_id is None:
            return False
        session = current_session()
        kind = self.of.kind
        row = kind.load(session, self.actor, self.document_id)
        if row.status is not DocumentStatus.IN_REVIEW or row.submitted_by_id != self.actor.user_id:
            return False
        stored = kind.values_of(row)
        found = parse(kind.description, self.raw, Directory(session, self.actor), stored)
        return bool(found.values == stored)

    # --- showing ---------------------------------------------------------------------------------------

    def again(self, error: DomainError | None = None, *, status: int = 200, **more: Any) -> Answer:
        """The form as it was typed, with what is wrong beside it."""
        page = self.page(tried=self.intent is Intent.SUBMIT, **more)
        page.version = self.version or page.version
        if isinstance(error, InvalidInput):
            page.errors = {**page.errors, **texts_of(error.fields)}
            page.headline = translate(error.message, error.params)
        elif error is not None:
            page.headline = translate(error.message, error.params)
        return self.of.draw(page, self.actor), status

    def page(
        self, *, tried: bool = False, typed: bool = True, errors: Mapping[str, list[str]] | None = None
    ) -> FormPage:
        """The form page; `typed` shows what this request carries, else what is stored."""
        session = current_session()
        row, checklist = None, None
        if self.document_id is not None:
            row = self.of.kind.load(session, self.actor, self.document_id)
            checklist = self.of.check(session, row)
        builder = self.of.builder(session, self.actor)
        return builder.page(
            row, checklist, self.token, state=self.raw if typed else None, tried=tried, errors=errors
        )

    def stale(self, error: StaleVersion) -> Answer:
        """409: who changed what since, and what was typed, which may be kept over it."""
        page = self.page()
        page.errors = {}
        page.changes = self.of.shown_changes(error)
        page.own_changes = by_oneself(self.actor, page.changes)
        return self.of.draw(page, self.actor), StaleVersion.status

    def refused(self, error: Conflict | StaleVersion, status: DocumentStatus) -> Answer:
        """409 in a state that takes no more text: what was typed can still be read and copied."""
        page = self.page()
        page.errors = {}
        page.headline = gettext(
            "This document is in the state “%(status)s” and cannot be changed now."
            " What you typed is below; copy what you need.",
            status=gettext(status.label),
        )
        page.closed = True
        page.moved = moved_on(current_session(), self.actor, page.document)
        return self.of.draw(page, self.actor), error.status

    def with_rows_changed(self, order: str) -> Answer:
        """Add, delete or move a row without any script; nothing is saved, nothing typed is lost."""
        table, _, rest = order.partition(".")
        raw = self.raw
        rows = raw.get(table)
        if not isinstance(rows, list):
            raise InvalidInput({"rows": [Problem.of("“%(value)s” cannot be read.", value=order[:40])]})
        number, _, verb = rest.partition(".")
        extra = {table: EMPTY_ROWS} if rest == "add" else {}
        place = self._place(table, number)
        if place is not None and verb == "drop":
            del rows[place]
        elif place is not None and verb in _MOVES and 0 <= place + _MOVES[verb] < len(rows):
            other = place + _MOVES[verb]
            rows[place], rows[other] = rows[other], rows[place]
        page = self.page()
        page.state = {**page.state, **raw}
        page.version = self.version or page.version
        page.errors = {}
        page.extra_rows = extra
        return self.of.draw(page, self.actor), 200

    def _place(self, table: str, number: str) -> int | None:
        """Where a row of the page stands among those that are filled in; None for a blank one."""
        filled: set[int] = set()
        for name, value in self.form.items(multi=True):
            if (cell := _CELL.fullmatch(name)) and cell["table"] == table and value.strip():
                filled.add(int(cell["row"]))
        if not number.isdecimal() or int(number) not in filled:
            return None
        return sorted(filled).index(int(number))
