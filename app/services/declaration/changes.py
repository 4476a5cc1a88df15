"""What was changed in a declaration, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy.orm import Session

from app.core.errors import Change
from app.models.declaration import Declaration
from app.models.log import FieldChange
from app.services.declaration.values import DESCRIPTION
from app.services.dictionary import Catalogue
from app.services.document import changes
from app.services.document.changes import ShownChange


def readable(
    found: Iterable[Change | FieldChange],
    catalogue: Catalogue,
    language: str,
    translate: Callable[[str], str],
) -> list[ShownChange]:
    """Stored changes in the reader's language (`document.changes.readable`)."""
    return changes.readable(DESCRIPTION, found, catalogue, language, translate)


def history(session: Session, declaration_id: int, *, by_reviewers: bool = False) -> Sequence[FieldChange]:
    """Every stored change of a declaration, oldest first; with `by_reviewers` only those made in review."""
    return changes.history(session, Declaration.document_kind, declaration_id, by_reviewers=by_reviewers)
