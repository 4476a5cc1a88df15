"""The rows of an import in the reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import get_locale, gettext

from app.core.enums import Labelled
from app.core.errors import NotFound
from app.models.importing import ImportRow, ImportRun
from app.services import importing
from app.services.importing import Importable, SheetColumn
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import translate
from app.views.links import link
from app.views.shown import Shown, shown_to_reader

_MOST_REASONS = 20
_MOST_SUMMED = 7


@dataclass(frozen=True)
class ChangeLine:
    """One field of a row: what it was and what the sheet says."""

    field: str
    old: str
    new: str


@dataclass(frozen=True)
class RowView:
    """One row of the sheet, as the preview and the record show it."""

    no: int
    label: str
    colour: str
    state: str
    key: str
    title: str
    href: str | None
    changes: Sequence[ChangeLine]
    problems: Sequence[str]
    summary: str


@dataclass(frozen=True)
class RowReader:
    """Shows the rows of one import in the reader's language."""

    importable: Importable
    columns: dict[str, SheetColumn]
    shown: Shown
    language: str

    @classmethod
    def of(cls, run: ImportRun) -> RowReader:
        kind = importing.importables().get(run.list_key)
        if kind is None:
            raise NotFound
        importable = kind()
        columns = {column.name: column for column in importable.columns(current_session())}
        return cls(importable, columns, shown_to_reader(), reader_language())

    @property
    def label(self) -> str:
        return gettext(self.importable.label)

    def row(self, row: ImportRow) -> RowView:
        """One row with its changes and problems in words."""
        href = None
        readable = current_actor().holds(self.importable.noun, "read")
        if row.record_id is not None and self.importable.endpoint and readable:
            href = link(self.importable.endpoint, pk=row.record_id)
        told = {row.record_key, row.title}
        return RowView(
            row.row_no,
            gettext(row.state.label),
            row.state.colour,
            row.state.value,
            row.record_key,
            row.title,
            href,
            changes := [self._change(change) for change in row.changes],
            self.problems(row),
            " · ".join(change.new for change in changes[:_MOST_SUMMED] if change.new not in told),
        )

    def problems(self, row: ImportRow) -> list[str]:
        """Why the row is wrong, each with its cell and column."""
        return [self._problem(problem) for problem in row.problems[:_MOST_REASONS]]

    def _change(self, change: dict[str, str]) -> ChangeLine:
        column = self.columns.get(change["field"])
        kind = column.kind if column else None
        return ChangeLine(
            self._name(change["field"]),
            self.shown.text(kind, change["old"]) if change["old"] else "",
            self.shown.text(kind, change["new"]),
        )

    def _problem(self, problem: dict[str, Any]) -> str:
        params = {name: self._labelled(value) for name, value in problem["params"].items()}
        said = translate(problem["message"], params)
        where = " ".join(part for part in (problem["cell"], self._name(problem["field"])) if part)
        return gettext("%(where)s: %(problem)s", where=where, problem=said) if where else said

    def _labelled(self, value: Any) -> Any:
        """A parameter that is a member of an enum comes back from the log as its code."""
        for column in self.columns.values():
            enum: type[Labelled] | None = getattr(column.kind, "enum", None)
            if enum is not None and value in enum.__members__:
                return enum[value]
        return value

    def _name(self, field: str) -> str:
        column = self.columns.get(field)
        return column.headers[self.language] if column else field


def reader_language() -> str:
    """The language of headers and hints: `zh` or `en`."""
    return "en" if str(get_locale()).startswith("en") else "zh"
