"""Draws one list for one actor: two statements, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import request, url_for
from flask_babel import get_locale, gettext
from markupsafe import Markup
from sqlalchemy import literal

from app.access import policy
from app.access.actor import Actor
from app.services.list_preference import NOTHING_CHOSEN, Preference
from app.services.recall import recalled
from app.services.unit_of_work import current_session
from app.views.base.address import Address
from app.views.base.columns import Column, Labels
from app.views.base.head import HeadBuilder
from app.views.base.listing import Head, Listing, Pagination, RowAction, preferred
from app.views.base.query import ListQuery


@dataclass
class ListingBuilder:
    """One list page from its query. `head` draws what stays the same until something changes."""

    query: ListQuery
    actor: Actor
    labels: Labels
    address: Address
    head: HeadBuilder
    preference: Preference = NOTHING_CHOSEN
    row_actions: Sequence[RowAction] = ()
    bulk_actions: Sequence[RowAction] = ()
    show_endpoint: str | None = None

    def build(
        self, title: str, subtitle: Callable[[int, Mapping[str, Decimal]], str] | None = None
    ) -> Listing:
        """Run the query and shape its rows."""
        session = current_session()
        reach = self.actor.reach
        figures = ("figures", request.path, reach, self.query.narrowed)
        total, sums = recalled(session, figures, lambda: self.query.summary(session))
        drawn = ("head", request.full_path, reach, str(get_locale()))
        head: Head = recalled(session, drawn, self.head.draw)
        visible = [column for column, shown in preferred(self.query.spec.columns, self.preference) if shown]
        pagination = Pagination(1, self.query.page_size, total, self.address.changed)
        pagination.page = min(self.query.requested_page, pagination.pages)
        verbs = sorted({action.verb for action in (*self.row_actions, *self.bulk_actions)})
        model = self.query.spec.model
        allowed = [
            (policy.criterion(self.actor, model, verb) & literal(True)).label(f"may_{verb}") for verb in verbs
        ]
        rows = self.query.page(session, visible, pagination.page, allowed)
        totals = {column.key: column.shown_total(sums[column.key]) for column in visible if column.total}
        return Listing(
            title=title,
            subtitle=subtitle(total, sums) if subtitle else gettext("%(total)s rows", total=f"{total:,}"),
            head=head,
            rows=[self._row(row, visible, verbs) for row in rows],
            filtered=bool(self.query.narrowed),
            pagination=pagination,
            totals=totals or None,
            dense=self.preference.dense,
            sort=self.query.sort,
            unreadable=bool(self.query.problems),
            bulk=[
                {
                    "label": str(action.label),
                    "href": Address(url_for(action.endpoint), ()).link(self.address.asked),
                    "confirm": str(action.confirm),
                    "icon": action.icon,
                    "name": action.name,
                }
                for action in self.bulk_actions
            ],
        )

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
