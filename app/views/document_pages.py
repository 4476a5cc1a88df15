"""How the pages know a reviewed document: one entry for each kind, and nothing else about it.

To give a new kind of document its pages (its engine entry is `workflow.registry`'s affair):

1. A frozen dataclass as `DocumentContext` asks for, made by a function `detail(actor, document_id)` in a
   fixed number of statements. It raises `NotFound` outside the actor's scope. `log` comes from
   `views.flow_log.log_entries(review.timeline(…))`.
2. A Jinja partial that draws it (`detail` is that context, `ui` the macros). Every value carries
   `data-field="<path>"` and every file `data-attachment="<id>"`: remarks are pinned to these. Paths are
   those of stored field changes: `title`, `budget_lines.0.unit_price`.
3. `register(DocumentPage(…))` once, in the module of the kind's own page, and that page drawn by
   `self.render_template("document/show.html", **page_context(KIND, pk))`, or by a template that extends
   it and fills `document_actions`. The page asks for a log-in only (`@login_required`): who may read
   the document the policy of the row says, for signers and readers of a copy hold no grant of its noun.

With that the review page, the task lists, `/go/<kind>/<id>`, withdrawing, urging, terminating and remarks
work for the kind. What follows a document on its own page and beside the review panel alike (remarks) is in
`templates/document/_after.html`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.access import policy
from app.access.actor import Actor
from app.core.errors import Change, NotFound
from app.core.flow import RunState
from app.services import review
from app.views.actor import current_actor


class DocumentContext(Protocol):
    """What every page asks of a document; its own template may use more."""

    @property
    def id(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def code(self) -> str:
        """The number people call it by."""

    @property
    def title(self) -> str: ...
    @property
    def subtitle(self) -> str:
        """Number, unit, type, handler: one line under the title."""

    @property
    def unit_name(self) -> str: ...
    @property
    def status_label(self) -> str:
        """In the reader's language; in review the name of the present step."""

    @property
    def status_colour(self) -> str: ...
    @property
    def log(self) -> Sequence[Mapping[str, Any]]:
        """Entries for `ui.timeline`."""

    @property
    def may(self) -> Collection[str]:
        """The policy's verbs this reader may do: `edit`, `withdraw`, `urge`, …"""


def _plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {"field": change.field, "old": change.old, "new": change.new, "by": change.by, "at": change.at}
        for change in changes
    ]


@dataclass(frozen=True)
class DocumentPage:
    """The pages of one kind of document. Endpoints take the document's id as `pk`."""

    kind: str
    label: Any
    """What it is called, translated when shown (`lazy_gettext`)."""
    show_endpoint: str
    detail: Callable[[Actor, int], DocumentContext]
    template: str
    """The partial that draws `detail` at the left of the review page and on the document's own page."""
    tasks_endpoint: str
    """The list of a reviewer's tasks of this kind; no parameter. The menu entry of its review pages."""
    edit_endpoint: str | None = None
    """直接修改, in a reviewer's hands; `pk` is the task's id. None: reviewers do not edit this kind."""
    draft_endpoint: str | None = None
    """Where its unit goes on filling it in, after a withdrawal. None: its own page."""
    head_template: str | None = None
    """A partial drawn above everything, over the whole width."""
    css: tuple[str, ...] = ("css/declaration.css",)
    """Style sheets of the partials, below `static/`."""
    changes: Callable[[Sequence[Change]], list[dict[str, Any]]] = _plain
    """What has changed since a page was opened, as rows for `ui.changes`."""


PAGES: dict[str, DocumentPage] = {}
"""Filled by `register`; a test asks that every reviewable kind is here."""


def register(page: DocumentPage) -> DocumentPage:
    """Make a kind known to the pages."""
    PAGES[page.kind] = page
    return page


def page_of(kind: str) -> DocumentPage:
    """The pages of a kind. Raises `NotFound` for one that has none."""
    page = PAGES.get(kind)
    if page is None:
        raise NotFound
    return page


_additions: dict[str, Callable[[str, int], Any]] = {}


def add_to_pages(name: str, make: Callable[[str, int], Any]) -> None:
    """Have every document's page know `name`: what `make(kind, document_id)` gives for whoever asks. The
    partials of `document/_after.html` draw it."""
    _additions[name] = make


def addition(name: str, kind: str, document_id: int) -> Any:
    """One of the additions alone, for a page that is not the document's own, as its form."""
    return _additions[name](kind, document_id)


def page_context(kind: str, document_id: int) -> dict[str, Any]:
    """What `document/show.html` needs to draw a document for whoever asks: `detail`, `page`, `kind`,
    `document_id`, `title`, `controls`. Raises `NotFound`."""
    page = page_of(kind)
    # Before the document itself: they read the same row, without what belongs to it.
    additions = {name: make(kind, document_id) for name, make in _additions.items()}
    detail = page.detail(current_actor(), document_id)
    return {
        "page": page,
        "controls": _controls(kind, document_id),
        "detail": detail,
        "kind": kind,
        "document_id": document_id,
        "title": detail.title,
        **additions,
    }


@dataclass(frozen=True)
class Controls:
    """What an administrator of reviews may do with the open run of a document."""

    run_id: int
    terminate: bool
    reassign: bool


def _controls(kind: str, document_id: int) -> Controls | None:
    """None for whoever administers nothing there, and for a document that is not in review."""
    actor = current_actor()
    if not (actor.holds("task", "terminate") or actor.holds("task", "reassign")):
        return None
    run = review.open_run_of(kind, document_id)
    if run is None:
        return None
    terminate = policy.may(actor, "terminate", run)
    reassign = run.state is RunState.RUNNING and policy.may(actor, "reassign", run)
    return Controls(run.id, terminate, reassign) if terminate or reassign else None
