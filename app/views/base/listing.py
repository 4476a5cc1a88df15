"""What the list template draws: the view model of one list page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy import literal

from app.access import policy
from app.access.actor import Actor
from app.models.dictionary import ListPreference
from app.services.unit_of_work import current_session
from app.views.base.columns import Column, Labels
from app.views.base.query import PAGE_SIZES, ListQuery


@dataclass(frozen=True)
class RowAction:
    """An entry of the row menu or the bulk bar: offered where the policy allows `verb` with the row.

    `endpoint` takes the row's id as `pk`; `post` sends a form, after `confirm` was answered.
    """

    name: str
    label: Any
    verb: str
    endpoint: str
    icon: str = ""
    post: bool = False
    confirm: Any = ""


@dataclass(frozen=True)
class PageAction:
    """A button above the list, offered where the actor holds `noun.verb`."""

    label: Any
    endpoint: str
    noun: str
    verb: str
    icon: str = "ti-plus"
    primary: bool = True


@dataclass
class Pagination:
    """Where in the list this page stands."""

    page: int
    page_size: int
    total: int
    address: Callable[..., str]
    sizes: tuple[int, ...] = PAGE_SIZES

    @property
    def pages(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.page_size))

    @property
    def first(self) -> int:
        """The number of the page's first row, from 1."""
        return (self.page - 1) * self.page_size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """The number of the page's last row."""
        return min(self.page * self.page_size, self.total)

    def href(self, page: int) -> str:
        """The address of another page under the same conditions."""
        return self.address(page=str(page))


@dataclass
class Listing:
    """One list page, ready to be drawn."""

    title: str
    subtitle: str
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    chips: list[dict[str, str]]
    pagination: Pagination
    totals: dict[str, str] | None
    actions: list[dict[str, Any]] = field(default_factory=list)
    bulk: list[dict[str, Any]] = field(default_factory=list)
    hidden_query: list[tuple[str, str]] = field(default_factory=list)
    export_href: str | None = None
    column_action_href: str | None = None
    reset_href: str = ""
    empty_text: str = ""


_CSS_KINDS = {"text": "text", "money": "money", "integer": "number", "percent": "number"}


def preferred(columns: Sequence[Column], preference: ListPreference | None) -> list[tuple[Column, bool]]:
    """The columns in the reader's order, each with whether he wants it shown."""
    if preference is None or not preference.columns:
        return [(column, column.visible) for column in columns]
    by_key = {column.key: column for column in columns}
    chosen = [by_key.pop(key) for key in preference.columns.split(",") if key in by_key]
    return [(column, True) for column in chosen] + [(column, False) for column in by_key.values()]


@dataclass
class ListingBuilder:
    """Draws one list for one actor: two statements, whatever the number of rows."""

    query: ListQuery
    actor: Actor
    labels: Labels
    endpoint: str
    preference: ListPreference | None = None
    row_actions: Sequence[RowAction] = ()
    bulk_actions: Sequence[RowAction] = ()
    show_endpoint: str | None = None

    def address(self, **changes: str | None) -> str:
        """This list's address with some arguments replaced (None drops one), on its first page."""
        args = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
        args = [(name, value) for name, value in args if name != "page" and value != ""]
        args += [(name, value) for name, value in changes.items() if value is not None]
        return self._link(args)

    def _link(self, args: list[tuple[str, str]]) -> str:
        grouped: dict[str, Any] = {}
        for name, value in args:
            grouped.setdefault(name, []).append(value)
        return url_for(self.endpoint, **grouped)

    def build(
        self, title: str, subtitle: Callable[[int, Mapping[str, Decimal]], str] | None = None
    ) -> Listing:
        """Run the query and shape its rows."""
        session = current_session()
        total, sums = self.query.summary(session)
        chosen = preferred(self.query.spec.columns, self.preference)
        visible = [column for column, shown in chosen if shown]
        pagination = Pagination(1, self.query.page_size, total, self.address)
        pagination.page = min(self.query.requested_page, pagination.pages)
        actions = [*self.row_actions, *self.bulk_actions]
        verbs = sorted({action.verb for action in actions})
        model = self.query.spec.model
        allowed = [
            (policy.criterion(self.actor, model, verb) & literal(True)).label(f"may_{verb}") for verb in verbs
        ]
        rows = self.query.page(session, visible, pagination.page, allowed)
        totals = {column.key: column.shown_total(sums[column.key]) for column in visible if column.total}
        return Listing(
            title=title,
            subtitle=subtitle(total, sums) if subtitle else gettext("%(total)s rows", total=f"{total:,}"),
            columns=[self._column(column, shown) for column, shown in chosen],
            rows=[self._row(row, visible, verbs) for row in rows],
            fields=[spec_field.view(self.query.args) for spec_field in self.query.spec.fields],
            chips=[self._chip(chip) for chip in self.query.chips()],
            pagination=pagination,
            totals=totals or None,
            bulk=[
                {
                    "label": str(action.label),
                    "href": url_for(action.endpoint),
                    "confirm": str(action.confirm),
                    "icon": action.icon,
                    "name": action.name,
                }
                for action in self.bulk_actions
            ],
            hidden_query=[("sort", sort)] if (sort := self.query.args.get("sort")) else [],
            reset_href=url_for(self.endpoint),
        )

    def _column(self, column: Column, shown: bool) -> dict[str, Any]:
        order = next((order for order in self.query.order if order.key == column.key), None)
        direction = ("desc" if order.descending else "asc") if order else None
        turned = f"-{column.key}" if direction == "asc" else column.key
        return {
            "key": column.key,
            "label": str(column.label),
            "sortable": column.sortable,
            "sort_href": self.address(sort=turned) if column.sortable else None,
            "direction": direction,
            "align": column.align,
            "kind": column.css or ("code" if column.nowrap else _CSS_KINDS.get(column.kind.value, "date")),
            "visible": shown,
        }

    def _chip(self, chip: Any) -> dict[str, str]:
        kept = [
            (name, value)
            for name, value in request.args.items(multi=True)
            if name != "page"
            and value != ""
            and not (name in chip.names and (chip.value is None or value == chip.value))
        ]
        return {"label": chip.label, "href": self._link(kept)}

    def _row(self, row: Any, visible: Sequence[Column], verbs: Sequence[str]) -> dict[str, Any]:
        values = row[1 : 1 + len(visible)]
        allowed = {verb for verb, yes in zip(verbs, row[1 + len(visible) :], strict=True) if yes}
        href = self._row_address(self.show_endpoint, row[0]) if self.show_endpoint else None
        cells = []
        for column, value in zip(visible, values, strict=True):
            # Units, states and days repeat down a column: each is drawn once per page.
            cell = self._cells.get((column.key, value))
            if cell is None:
                cell = self._cells[column.key, value] = column.cell(value, self.labels)
            if column.link and href:
                cell = Markup('<a href="%s">%s</a>') % (href, cell)
            cells.append(cell)
        return {
            "id": row[0],
            "href": href,
            "cells": cells,
            "menu": [self._menu(action, row[0]) for action in self.row_actions if action.verb in allowed],
            "classes": "",
        }

    def _menu(self, action: RowAction, pk: int) -> dict[str, Any]:
        return {
            "label": self._text(action.label),
            "href": self._row_address(action.endpoint, pk),
            "post": action.post,
            "confirm": self._text(action.confirm),
            "icon": action.icon,
        }

    def _row_address(self, endpoint: str, pk: int) -> str:
        # url_for once per endpoint, not once per row: it is the dearest call of a plain list page.
        template = self._addresses.get(endpoint)
        if template is None:
            template = self._addresses[endpoint] = url_for(endpoint, pk=_PLACE)
        return template.replace(str(_PLACE), str(pk))

    def _text(self, lazy: Any) -> str:
        text = self._texts.get(id(lazy))
        if text is None:
            text = self._texts[id(lazy)] = str(lazy)
        return text

    _addresses: dict[str, str] = field(default_factory=dict)
    _texts: dict[int, str] = field(default_factory=dict)
    _cells: dict[tuple[str, Any], str | Markup] = field(default_factory=dict)


_PLACE = 987654321012345


def stage_bar(done: int, total: int) -> Markup:
    """The short row of marks that shows how far a project has come."""
    marks = Markup().join(
        Markup('<i class="%s"></i>') % ("d" if place < done else "c" if place == done else "")
        for place in range(1, total + 1)
    )
    return Markup('<span class="stage" role="img" aria-label="{0}/{1}" title="{0}/{1}">{2}</span>').format(
        done, total, marks
    )
