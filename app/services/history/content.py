"""A document's content as JSON: texts that each reader later sees in his own language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, selectinload

from app.models.attachment import Attachment
from app.models.project import Project
from app.models.unit import Unit
from app.services.history.description import Described, Part
from app.services.reading import Reference

Content = dict[str, Any]
"""`fields`: name → text (codes of a multiple choice: a list); `tables`: name → rows of the same;
`files`: the attachments. What is empty is left out."""

_NAMED: dict[str, type[Any]] = {"unit": Unit, "project": Project}


def contents(session: Session, described: Described, documents: Sequence[Any]) -> list[Content]:
    """What each document holds now, in a fixed number of statements. References are kept by the name they
    bear today: years later it is the name that was read and signed."""
    _load_rows(session, described, documents)
    held = [described.values_of(each) if described.values_of else each for each in documents]
    names = _names(session, described, held)
    files = _files(session, described.kind, [document.id for document in documents])
    return [
        {
            "fields": _texts(described.fields, values, names),
            "tables": {
                table.name: [_texts(table.columns, row, names) for row in rows]
                for table in described.tables
                if (rows := getattr(values, table.name))
            },
            "files": files.get(document.id, []),
        }
        for document, values in zip(documents, held, strict=True)
    ]


def _load_rows(session: Session, described: Described, documents: Sequence[Any]) -> None:
    """Fill the tables of rows that were not loaded; those that were stay as they are."""
    model = described.model
    if described.values_of is not None:
        wanted, eager = [document.id for document in documents], list(described.options)
    else:
        names = {table.name for table in described.tables}
        wanted = [document.id for document in documents if names & inspect(document).unloaded]
        eager = [selectinload(getattr(model, table.name)) for table in described.tables]
    if wanted:
        session.scalars(select(model).where(model.id.in_(wanted)).options(*eager)).unique().all()


Names = dict[tuple[str, int], str]


def _names(session: Session, described: Described, documents: Iterable[Any]) -> Names:
    wanted: dict[str, set[int]] = {}
    for part in described.fields:
        if isinstance(part.kind, Reference):
            ids = {getattr(document, part.name) for document in documents}
            wanted.setdefault(part.kind.target, set()).update(ids - {None})
    return {
        (target, row.id): str(row)
        for target, ids in wanted.items()
        if ids
        for row in session.scalars(select(_NAMED[target]).where(_NAMED[target].id.in_(ids)))
    }


def _texts(parts: Iterable[Part], row: Any, names: Names) -> dict[str, str | list[str]]:
    texts: dict[str, str | list[str]] = {}
    for part in parts:
        value = getattr(row, part.name)
        if isinstance(part.kind, Reference):
            shown: str | list[str] = names.get((part.kind.target, value), "") if value is not None else ""
        else:
            shown = part.kind.show(value)
        if shown:
            texts[part.name] = shown
    return texts


def _files(session: Session, kind: str, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    rows = session.scalars(
        select(Attachment)
        .where(Attachment.owner_kind == kind, Attachment.owner_id.in_(ids))
        .order_by(Attachment.category, Attachment.id)
    )
    files: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        entry = {"category": row.category, "name": row.name, "size": row.size, "sha256": row.sha256}
        files.setdefault(row.owner_id, []).append(entry)
    return files
