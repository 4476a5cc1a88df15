"""What the list template draws: the view model of one list page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from app.services.list_preference import Preference
from app.views.base.columns import Column
from app.views.base.query import PAGE_SIZES


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

    @property
    def resized_href(self) -> str:
        """The list's first page, however many rows a page was asked to have."""
        return self.address(page_size=None)

    def href(self, page: int) -> str:
        """The address of another page under the same conditions."""
        return self.address(page=str(page))


@dataclass(frozen=True)
class Head:
    """What is the same on a page of a list until something changes: the search form with saved queries and
    chips, the cells of the table's head, the tree of units, the dialogs; `columns` are those shown."""

    search: Markup
    cells: Markup
    units: Markup
    dialogs: Markup
    columns: Sequence[dict[str, Any]]
    reset_href: str


@dataclass
class Listing:
    """One list page, ready to be drawn."""

    title: str
    subtitle: str
    head: Head
    rows: list[dict[str, Any]]
    filtered: bool
    pagination: Pagination
    totals: dict[str, str] | None
    dense: bool = False
    sort: str = ""
    unreadable: bool = False
    actions: list[dict[str, Any]] = field(default_factory=list)
    bulk: list[dict[str, Any]] = field(default_factory=list)
    bulk_all: int = 0
    export_href: str | None = None
    column_action_href: str | None = None
    empty_text: str = ""

    @property
    def columns(self) -> Sequence[dict[str, Any]]:
        """The columns shown."""
        return self.head.columns

    @property
    def selectable(self) -> bool:
        """Can rows be ticked?"""
        return bool(self.bulk or self.export_href)


def preferred(columns: Sequence[Column], preference: Preference) -> list[tuple[Column, bool]]:
    """The columns in the reader's order, each with whether he wants it shown."""
    if not preference.columns:
        return [(column, column.visible) for column in columns]
    by_key = {column.key: column for column in columns}
    chosen = [by_key.pop(key) for key in preference.columns if key in by_key]
    return [(column, True) for column in chosen] + [(column, False) for column in by_key.values()]
