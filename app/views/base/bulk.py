"""The same move with several rows of a list: which rows, and what became of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import DomainError, InvalidInput, NotFound, Problem
from app.views.base.query import ListQuery
from app.views.errors import field_errors, translate

T = TypeVar("T")
MOST_AT_ONCE = 200
ALL = "all"
"""The form's field that stands for every row under the list's conditions, on whatever page."""


@dataclass(frozen=True)
class RowResult:
    """What became of one row: `words` say how it went, or why it did not."""

    code: str
    title: str
    ok: bool
    words: str = ""
    href: str | None = None


def chosen_ids(query: Callable[[], ListQuery], session: Session, most: int = MOST_AT_ONCE) -> list[int]:
    """The rows ticked on the list, or all under its conditions. Raises `InvalidInput` for none, for too many
    and for what is no row's id."""
    if ALL in request.form:
        asked = query()
        asked.require()
        ids = asked.ids(session, most + 1)
    else:
        texts = request.form.getlist("rowid")
        if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
            raise InvalidInput({"rowid": [Problem.of("Choose the rows on the list.")]})
        ids = [*dict.fromkeys(int(text) for text in texts)]
    if not 0 < len(ids) <= most or len(request.form.getlist("rowid")) > most:
        raise InvalidInput({"rowid": [Problem.of("Choose 1 to %(most)s rows.", most=most)]})
    return ids


def ticked(query: ListQuery, session: Session) -> Collection[int]:
    """The ticked rows of a list, to be taken along. One that the list does not show refuses them all
    (`NotFound`)."""
    ids = chosen_ids(lambda: query, session)
    model: Any = query.spec.model
    within = query.joined(select(func.count())).where(model.id.in_(ids), query.condition)
    if session.scalar(within) != len(ids):
        raise NotFound
    return ids


def do_each(
    rows: Iterable[T], move: Callable[[T], str | None], head: Callable[[T], RowResult]
) -> list[RowResult]:
    """Make the move with each row, which may say how it went; one that is refused does not hold back the
    others. `head` names a row, before anything is done with it."""
    results = []
    for row, named in [(row, head(row)) for row in rows]:
        try:
            words = move(row) or ""
            results.append(RowResult(named.code, named.title, ok=True, words=words, href=named.href))
        except DomainError as error:
            results.append(
                RowResult(named.code, named.title, ok=False, words=why_not(error), href=named.href)
            )
    return results


def by_code(row: Any) -> RowResult:
    """A document by its number and title."""
    return RowResult(row.code, row.title, ok=False)


def why_not(error: DomainError) -> str:
    """A refusal in one sentence."""
    if isinstance(error, InvalidInput) and error.fields:
        return " ".join(text for texts in field_errors(error).values() for text in texts)
    return translate(error.message, error.params)
