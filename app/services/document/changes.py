"""What differs between two states of a document, field by field and row by row, and how people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import DocumentStatus
from app.core.errors import Change
from app.core.money import InvalidAmount, format_yuan, yuan
from app.models.log import FieldChange
from app.models.project import Project
from app.models.unit import Unit
from app.services.dictionary import Catalogue
from app.services.document.description import Description, Table
from app.services.log import Difference
from app.services.reading import Choice, Code, Codes, Flag, Kind, Reference, Yuan

V = TypeVar("V")

EDIT_REASON = "reason"
"""Under this name the reason of a reviewer's direct edit is kept beside the fields it changed."""

_NAMED = {"unit": Unit, "project": Project}

NameOf = Callable[[str, int], str]
"""The name of a row a field refers to: of a unit, of a project."""


def differences(description: Description[V], old: V, new: V, name_of: NameOf) -> list[Difference]:
    """Every field and cell that differs, in the order of the form. Texts are codes, ISO dates and plain
    amounts, so that each reader sees them in his own language (`readable`); references are names."""
    found = [
        Difference(field.name, _text(field.kind, before, name_of), _text(field.kind, after, name_of))
        for field in description.fields
        if (before := getattr(old, field.name)) != (after := getattr(new, field.name))
    ]
    for table in description.tables:
        found += _row_differences(table, getattr(old, table.name), getattr(new, table.name), name_of)
    return found


def names_from(session: Session) -> NameOf:
    """Names as they are in the database now."""

    def name_of(target: str, row_id: int) -> str:
        row = session.get(_NAMED[target], row_id)
        return str(row) if row is not None else str(row_id)

    return name_of


@dataclass(frozen=True)
class ShownChange:
    """One difference as a page shows it, in the reader's language; `row` counts from 1. A `reason` is no
    field: it says why a reviewer made the changes that stand beside it."""

    label: str
    table: str
    row: int | None
    old: str
    new: str
    by: str
    at: Any
    by_reviewer: bool = False
    reason: bool = False


def readable(
    description: Description[Any],
    changes: Iterable[Change | FieldChange],
    catalogue: Catalogue,
    language: str,
    translate: Callable[[str], str],
) -> list[ShownChange]:
    """Stored changes with the labels of fields, codes and states in the reader's language; `translate` is
    the page's gettext."""
    reader = _Reader(description, catalogue, language, translate)
    return [reader.shown(change) for change in changes]


def history(
    session: Session, kind: str, document_id: int, *, by_reviewers: bool = False
) -> Sequence[FieldChange]:
    """Every stored change of a document, oldest first; with `by_reviewers` only those made in review."""
    statement = (
        select(FieldChange)
        .where(FieldChange.noun == kind, FieldChange.row_id == document_id)
        .order_by(FieldChange.id)
    )
    if by_reviewers:
        statement = statement.where(FieldChange.by_reviewer)
    return session.scalars(statement).all()


def _row_differences(
    table: Table, old: Sequence[Any], new: Sequence[Any], name_of: NameOf
) -> Iterator[Difference]:
    """Rows are matched by content first, so that one taken out of the middle is one difference, not many."""
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    for verb, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if verb == "equal":
            continue
        common = min(old_to - old_from, new_to - new_from)
        for offset in range(common):
            yield from _cell_differences(
                table, new_from + offset, old[old_from + offset], new[new_from + offset], name_of
            )
        for index in range(old_from + common, old_to):
            yield Difference(f"{table.name}.{index}", _summary(table, old[index], name_of), "")
        for index in range(new_from + common, new_to):
            yield Difference(f"{table.name}.{index}", "", _summary(table, new[index], name_of))


def _cell_differences(table: Table, index: int, old: Any, new: Any, name_of: NameOf) -> Iterator[Difference]:
    for column in table.columns:
        before, after = getattr(old, column.name), getattr(new, column.name)
        if before != after:
            yield Difference(
                f"{table.name}.{index}.{column.name}",
                _text(column.kind, before, name_of),
                _text(column.kind, after, name_of),
            )


def _summary(table: Table, row: Any, name_of: NameOf) -> str:
    texts = (_text(column.kind, getattr(row, column.name), name_of) for column in table.columns)
    return " | ".join(text for text in texts if text)


def _text(kind: Kind, value: Any, name_of: NameOf) -> str:
    if isinstance(kind, Reference):
        return name_of(kind.target, value) if value is not None else ""
    if isinstance(kind, Flag):
        return "true" if value else "false"
    shown = kind.show(value)
    return ",".join(shown) if isinstance(shown, list) else shown


@dataclass(frozen=True)
class _Reader:
    description: Description[Any]
    catalogue: Catalogue
    language: str
    translate: Callable[[str], str]

    def shown(self, change: Change | FieldChange) -> ShownChange:
        by = change.by if isinstance(change, Change) else change.user_name
        reviewer = isinstance(change, FieldChange) and change.by_reviewer
        label, table, row, kind = self._place(change.field)
        old, new = self._text(kind, change.old), self._text(kind, change.new)
        return ShownChange(label, table, row, old, new, by, change.at, reviewer, kind == EDIT_REASON)

    def _place(self, path: str) -> tuple[str, str, int | None, Kind | str | None]:
        """What a path is called: label, table, row number, and how its text is read."""
        name, _, rest = path.partition(".")
        if table := self.description.table.get(name):
            index, _, column_name = rest.partition(".")
            row = int(index) + 1 if index.isdecimal() else None
            column = next((each for each in table.columns if each.name == column_name), None)
            label = self.translate(column.label if column else table.label)
            return label, self.translate(table.label), row, column.kind if column else None
        if field := self.description.field.get(name):
            return self.translate(field.label), "", None, field.kind
        if name == "attachments":
            category = self.catalogue.label("attachment_category", rest, self.language)
            return category, self.translate("Attachments"), None, None
        if name == "status":
            return self.translate("Status"), "", None, name
        if name == EDIT_REASON:
            return self.translate("Reason for the edit"), "", None, name
        return path, "", None, None

    def _text(self, kind: Kind | str | None, text: str) -> str:
        if isinstance(kind, Code | Codes):
            codes = (code for code in text.split(",") if code)
            return ", ".join(self.catalogue.label(kind.dictionary, code, self.language) for code in codes)
        if isinstance(kind, Flag):
            return self.translate("Yes") if text == "true" else self.translate("No")
        if isinstance(kind, Choice) and text in kind.options.__members__.values():
            return self.translate(kind.options(text).label)
        if isinstance(kind, Yuan):
            return _amount(text)
        if kind == "status" and text in DocumentStatus.__members__:
            return self.translate(DocumentStatus(text).label)
        return text


def _amount(text: str) -> str:
    """A kept amount as amounts are shown everywhere; what is no amount stays as it was kept."""
    try:
        return format_yuan(yuan(text))
    except InvalidAmount:
        return text
