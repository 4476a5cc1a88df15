"""How one kind of document is filled in and submitted; what `draft` and `submission` are told about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Problem
from app.models.base import Fillable
from app.services import history, log
from app.services.document.description import Description
from app.services.document.values import Parsed
from app.services.log import Difference

D = TypeVar("D", bound=Fillable)
V = TypeVar("V")

Problems = Mapping[str, list[Problem]]


def _nothing(*_: Any) -> None:
    """What most kinds have to do."""


def _none(*_: Any) -> Problems:
    return {}


@dataclass(frozen=True)
class DocumentKind(Generic[D, V]):
    """One kind of document.

    - `options` load its tables of rows; `title` is its name in the log.
    - `values_of` and `assign` move its values out of and into the row.
    - `errors` says what keeps it from being submitted; `never_kept` what must not even be autosaved.
    - `blank` is a new row for a year, to which `draft.begin` gives unit and number; a kind whose drafts are
      begun otherwise has none.
    - `completed` puts in what only the database knows, once the values are in the row.
    - `moved` goes along with a move into the recycle bin and out of it, and may refuse it.

    Making one lets the kind keep versions (services/history).
    """

    model: type[D]
    prefix: str
    description: Description[V]
    options: tuple[ExecutableOption, ...]
    values_of: Callable[[D], V]
    assign: Callable[[D, V], None]
    title: Callable[[D], str]
    errors: Callable[[Session, D], Problems]
    blank: Callable[[int], D] | None = None
    never_kept: Callable[[Parsed[V]], Problems] = _none
    completed: Callable[[Session, D], None] = _nothing
    moved: Callable[[Session, D, DocumentStatus], None] = _nothing

    def __post_init__(self) -> None:
        described = history.of_document(self.model, self.description, self.values_of, self.options)
        history.register(described)

    @property
    def name(self) -> str:
        """The document's noun, `declaration`."""
        return self.model.document_kind

    def load(
        self,
        session: Session,
        actor: Actor,
        document_id: int,
        *,
        verb: str = "read",
        version: int | None = None,
        lock: bool = False,
    ) -> D:
        """One document with its rows, through the actor's scope. Raises as `policy.load` does."""
        row: D = policy.load(
            session,
            actor,
            self.model,
            document_id,
            verb=verb,
            version=version,
            lock=lock,
            options=self.options,
        )
        return row

    def record(self, session: Session, actor: Actor, event: str, document: D, words: str = "") -> None:
        """Add a line about the document to the log; `event` is the end of its name, `SUBMITTED`."""
        log.record(
            session,
            actor,
            f"{self.name.upper()}_{event}",
            noun=self.name,
            row_id=document.id,
            summary=" ".join(filter(None, (document.code, self.title(document), words))),
        )

    def note_status(
        self, session: Session, actor: Actor, document: D, old: DocumentStatus, new: DocumentStatus
    ) -> None:
        """Keep that the state changed, so that whoever has an old page open is told by whom."""
        session.flush()
        log.record_changes(
            session, actor, self.name, document.id, document.version, [Difference("status", old, new)]
        )
