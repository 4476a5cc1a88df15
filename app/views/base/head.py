"""What stands around the rows of a list and stays the same until something changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from markupsafe import Markup

from app.services.list_preference import Kept, Preference
from app.views.base.address import Address
from app.views.base.columns import Column
from app.views.base.listing import Head, preferred
from app.views.base.query import MOST_SORT_KEYS, SAVED, ListQuery, Order
from app.views.base.saved import SavedQueries
from app.views.base.search import Arguments
from app.views.base.units import ARGUMENT, MOST_INLINE, Forest, chosen_units
from app.views.errors import problem_text

_CSS_KINDS = {"text": "text", "money": "money", "integer": "number", "percent": "number"}


@dataclass
class HeadBuilder:
    """Draws a list's head. `forest` and `saved` are asked for here alone, so that a page whose head is kept
    asks the database for neither; `near_units` says whether the tree comes with the page; `endpoint` is the
    list's view."""

    query: ListQuery
    address: Address
    preference: Preference
    saved: Callable[[], Sequence[Kept]]
    list_key: str
    forest: Callable[[], Forest] | None = None
    near_units: Callable[[], bool] = lambda: True
    endpoint: str = ""

    def draw(self) -> Head:
        """All of it, for the present address."""
        queries = SavedQueries(self.list_key, self.query.spec, self.address, self.saved(), self.preference)
        columns = [
            self._column(column, shown)
            for column, shown in preferred(self.query.spec.columns, self.preference)
        ]
        visible = [column for column in columns if column["visible"]]
        return Head(
            search=self._search(queries),
            cells=_drawn("list/_head.html", columns=visible, several=len(self.query.order) > 1),
            units=self._units(),
            dialogs=_drawn("list/_dialogs.html", columns=columns, dense=self.preference.dense),
            columns=visible,
            reset_href=queries.reset_href,
        )

    def _search(self, queries: SavedQueries) -> Markup:
        args = self.query.args
        errors = {
            name: [problem_text(problem) for problem in problems]
            for name, problems in self.query.problems.items()
        }
        return _drawn(
            "list/_search.html",
            path=self.address.path,
            fields=[
                {
                    **spec_field.view(args),
                    "errors": {name: errors[name] for name in spec_field.names if name in errors},
                }
                for spec_field in self.query.spec.fields
                if spec_field.kind != "tree"
            ],
            unplaced=[text for name in unplaced_names(self.query) for text in errors[name]],
            chips=[
                {"label": chip.label, "href": self.address.without(chip.names, chip.value)}
                for chip in self.query.chips()
            ],
            hidden_query=[(name, args[name]) for name in ("sort", SAVED) if args.get(name)],
            sorting=self._sorting(),
            saved=queries,
            reset_href=queries.reset_href,
        )

    def _sorting(self) -> Mapping[str, Any]:
        """The sort keys in order, each with the way to turn or drop it, and the columns that may be added."""
        labels = {column.key: str(column.label) for column in self.query.spec.columns if column.sortable}
        order = self.query.order
        keys = [
            {
                "label": labels[each.key],
                "descending": each.descending,
                "turn_href": self._sorted([*order[:at], turned(each), *order[at + 1 :]]),
                "drop_href": self._sorted([*order[:at], *order[at + 1 :]]),
            }
            for at, each in enumerate(order)
            if each.key in labels
        ]
        chosen = bool(self.query.args.get("sort"))
        before = order if chosen else []
        used = {each.key for each in before}
        more = len(order) < MOST_SORT_KEYS
        return {
            "keys": keys,
            "chosen": chosen,
            "add": [
                {"label": label, "href": self._sorted([*before, Order(key, descending=False)])}
                for key, label in labels.items()
                if more and key not in used
            ],
            "reset_href": self.address.changed(sort=None),
        }

    def _sorted(self, order: Sequence[Order]) -> str:
        return self.address.changed(sort=",".join(map(str, order)) or None)

    def _column(self, column: Column, shown: bool) -> dict[str, Any]:
        place, order = next(
            ((at, each) for at, each in enumerate(self.query.order, start=1) if each.key == column.key),
            (0, None),
        )
        direction = ("desc" if order.descending else "asc") if order else None
        turn = Order(column.key, descending=direction == "asc")
        return {
            "key": column.key,
            "label": str(column.label),
            "sortable": column.sortable,
            "sort_href": self._sorted([turn]) if column.sortable else None,
            "direction": direction,
            "place": place,
            "align": column.align,
            "kind": column.css or ("code" if column.nowrap else _CSS_KINDS.get(column.kind.value, "date")),
            "visible": shown,
        }

    def _units(self) -> Markup:
        """The tree of units; none where there is nothing to choose between."""
        if self.forest is None:
            return Markup()
        forest = self.forest() if self.near_units() else None
        if forest is not None and len(forest) < 2:
            return Markup()
        apart = forest is None or len(forest) > MOST_INLINE
        return _drawn(
            "list/_units.html",
            items=tree_items(forest, self.query.args) if forest is not None and not apart else Markup(),
            tree_href=self._beside("unit_tree") if apart else "",
            counts_href=self._beside("unit_counts"),
            chosen=bool(chosen_units(self.query.args)),
            clear_href=self.address.without((ARGUMENT,)),
        )

    def _beside(self, name: str) -> str:
        """Where the tree is fetched from for what is ticked, or its figures for all other conditions."""
        for_tree = name == "unit_tree"
        asked = [
            (key, value)
            for key, value in self.address.asked
            if (key == ARGUMENT) is for_tree and key != "sort"
        ]
        return Address(url_for(f"{self.endpoint}.{name}"), ()).link(asked)


def turned(order: Order) -> Order:
    """The same key the other way round."""
    return Order(order.key, not order.descending)


def unplaced_names(query: ListQuery) -> list[str]:
    """Arguments with a problem that no control of the form shows."""
    shown = {name for field in query.spec.fields if field.kind != "tree" for name in field.names}
    return [name for name in query.problems if name not in shown]


def tree_items(forest: Forest, args: Arguments) -> Markup:
    """The items of the tree, with the chosen units ticked and in sight."""
    chosen = chosen_units(args)
    return _drawn("list/_unit_items.html", roots=forest.roots, chosen=chosen, open=forest.open_ids(chosen))


def _drawn(template: str, **context: Any) -> Markup:
    return Markup(render_template(template, **context).strip())  # noqa: S704  from a template
