"""Any two versions of a document side by side: its fields, the rows of its tables, its attachments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.core.errors import NotFound
from app.core.money import format_yuan
from app.core.textdiff import Piece, Segment, segments
from app.models.project import Project
from app.services import attachment, history
from app.services.history import Mark, Pair, RowPair, TablePair
from app.services.reading import Flag, Line, Mobile, Paragraphs, Yuan
from app.views.actor import current_actor
from app.views.document.files import size_text
from app.views.document_pages import PAGES, page_of
from app.views.shell import menu_endpoint
from app.views.shown import Shown, amount_of, is_figure, shown_to_reader
from app.views.trail import add_crumb
from app.views.versions import VersionRow, versions_of

_MARKED = {Mark.ADDED: "added", Mark.REMOVED: "removed", Mark.CHANGED: "changed", Mark.SAME: "same"}


@dataclass(frozen=True)
class Side:
    """A value as one version has it: pieces of text, those that are only in this version marked."""

    pieces: tuple[tuple[str, bool], ...]

    @property
    def empty(self) -> bool:
        """Is there nothing to show?"""
        return not any(text for text, _ in self.pieces)


@dataclass(frozen=True)
class Cell:
    """A value before and after. `difference` is the change of an amount, with its sign."""

    changed: bool
    old: Side
    new: Side
    figure: bool
    difference: str = ""


@dataclass(frozen=True)
class FieldRow:
    """One field of the document."""

    label: str
    cell: Cell


@dataclass(frozen=True)
class TableRow:
    """One row of a table: its place in both versions, what became of it, its cells."""

    mark: str
    label: str
    colour: str
    place: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class TableDiff:
    """One table of rows; columns that are empty in both versions are left out."""

    label: str
    headings: tuple[tuple[str, bool], ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class FileRow:
    """One attachment."""

    label: str
    colour: str
    category: str
    name: str
    size: str


class HistoryView(BaseView):
    """Compares versions. Whoever may read a document may read what it was: its policy says who, not a
    permission of this view."""

    route_base = "/history"
    default_view = "compare"

    @expose("/<kind>/<int:pk>/compare")
    @login_required
    def compare(self, kind: str, pk: int) -> ResponseReturnValue:
        """Two versions; without numbers the newest one and the one before it."""
        described = history.described(kind)
        if described is None:
            raise NotFound
        versions = versions_of(kind, pk).rows
        if not versions:
            history.document_of(current_actor(), kind, pk)
            flash(gettext("No version of this has been kept yet."), "info")
            return redirect(url_for(_show_endpoint(kind), pk=pk))
        old, new = _chosen(versions)
        document, before, after = history.pair(current_actor(), kind, pk, old, new)
        found = history.compare(described, before.content, after.content)
        whole = "all" in request.args
        shown = shown_to_reader(masked=current_actor().unit_id != document.unit_id)
        menu_endpoint(_list_endpoint(kind, own=current_actor().unit_id == document.unit_id))
        page_href = url_for(_show_endpoint(kind), pk=pk)
        add_crumb(document.code, page_href)
        add_crumb(gettext("Versions compared"))
        return self.render_template(
            "history/compare.html",
            title=document.title or document.code,
            code=document.code,
            page_href=page_href,
            versions=versions,
            old=_row(versions, old),
            new=_row(versions, new),
            whole=whole,
            differences=found.differences,
            toggle_href=_address(kind, pk, old, new, whole=not whole),
            swap_href=_address(kind, pk, new, old, whole=whole),
            fields=[
                FieldRow(gettext(pair.part.label), _cell(shown, pair))
                for pair in found.fields
                if pair.mark is not Mark.SAME or (whole and pair.new)
            ],
            tables=[
                _table(shown, table, whole=whole)
                for table in found.tables
                if table.changed or (whole and table.rows)
            ],
            files=_files(shown, found.files, whole=whole),
        )


def _chosen(versions: Sequence[VersionRow]) -> tuple[int, int]:
    """The numbers asked for. Raises `NotFound` for what is no number."""
    newest = versions[0].no
    new = request.args.get("new", type=int, default=newest)
    old = request.args.get("old", type=int, default=max(1, new - 1))
    if not 1 <= old <= newest or not 1 <= new <= newest:
        raise NotFound
    return old, new


def _row(versions: Sequence[VersionRow], no: int) -> VersionRow:
    return next(row for row in versions if row.no == no)


def _address(kind: str, pk: int, old: int, new: int, *, whole: bool) -> str:
    more: dict[str, Any] = {"all": "1"} if whole else {}
    return url_for("HistoryView.compare", kind=kind, pk=pk, old=old, new=new, **more)


def _show_endpoint(kind: str) -> str:
    return "ProjectView.show" if kind == history.kind_of(Project()) else page_of(kind).show_endpoint


def _list_endpoint(kind: str, *, own: bool) -> str:
    """The list one comes from: of the unit's own documents, or of those to be reviewed."""
    if own or kind not in PAGES:
        return _show_endpoint(kind).replace(".show", ".list")
    return page_of(kind).tasks_endpoint


def _cell(shown: Shown, pair: Pair) -> Cell:
    kind = pair.part.kind
    changed = pair.mark is not Mark.SAME
    # Of a flag, nothing means no; of everything else it means that nothing was there.
    old = shown.text(kind, pair.old) if pair.old or isinstance(kind, Flag) else ""
    new = shown.text(kind, pair.new) if pair.new or isinstance(kind, Flag) else ""
    if changed and isinstance(kind, Line | Paragraphs) and not isinstance(kind, Mobile) and old and new:
        pieces = segments(old, new)
        sides = _side(pieces, Piece.REMOVED), _side(pieces, Piece.ADDED)
    else:
        sides = Side(((old, changed),)), Side(((new, changed),))
    return Cell(changed, *sides, is_figure(kind), _difference(pair) if isinstance(kind, Yuan) else "")


def _side(pieces: Sequence[Segment], own: Piece) -> Side:
    return Side(tuple((each.text, each.piece is own) for each in pieces if each.piece in (Piece.SAME, own)))


def _difference(pair: Pair) -> str:
    old, new = amount_of(str(pair.old)), amount_of(str(pair.new))
    if old is None or new is None or old == new:
        return ""
    return ("+" if new > old else "-") + format_yuan(abs(new - old))


def _table(shown: Shown, found: TablePair, *, whole: bool) -> TableDiff:
    rows = [row for row in found.rows if whole or row.mark is not Mark.SAME]
    used = [
        place
        for place in range(len(found.table.columns))
        if any(row.cells[place].old or row.cells[place].new for row in rows)
    ]
    columns = [found.table.columns[place] for place in used]
    return TableDiff(
        gettext(found.table.label),
        tuple((gettext(part.label), is_figure(part.kind)) for part in columns),
        tuple(
            TableRow(
                _MARKED[row.mark],
                gettext(row.mark.label),
                row.mark.colour,
                _place(row),
                tuple(_cell(shown, row.cells[place]) for place in used),
            )
            for row in rows
        ),
    )


def _place(row: RowPair) -> str:
    """The row's number; two where it moved."""
    if row.old_no is None or row.new_no is None or row.old_no == row.new_no:
        return str(row.new_no or row.old_no)
    return f"{row.old_no} → {row.new_no}"


def _files(shown: Shown, files: Sequence[history.FilePair], *, whole: bool) -> list[FileRow]:
    return [
        FileRow(
            gettext(file.mark.label),
            file.mark.colour,
            shown.known.label(attachment.CATEGORIES, file.category, shown.language),
            file.name,
            " → ".join(size_text(size) for size in _sizes(file)),
        )
        for file in files
        if whole or file.mark is not Mark.SAME
    ]


def _sizes(file: Any) -> list[int]:
    both = file.mark is Mark.CHANGED
    return [
        size for size in (file.old_size if both else None, file.new_size or file.old_size) if size is not None
    ]
