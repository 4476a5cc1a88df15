"""The saved queries above a list: which are offered, which one is open, and whether it has been changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for

from app.services.list_preference import Kept, Preference
from app.views.base.address import Address, Pairs, arguments_of, query_string
from app.views.base.query import SAVED, ListSpec, unknown_arguments
from app.views.base.search import Arguments

NONE = "0"
"""`saved=0` asks for the list as it is, where it would open with a query."""


def address_of(path: str, spec: ListSpec, kept: Kept) -> str:
    """The list with a query's own arguments, without those that the list no longer has."""
    pairs, _ = known_and_stale(spec, kept.arguments)
    return Address(path, ()).link([*pairs, (SAVED, str(kept.id))])


def known_and_stale(spec: ListSpec, arguments: str) -> tuple[Pairs, list[str]]:
    """The arguments of a query that its list still has, and the names of those it has no longer."""
    pairs = arguments_of(arguments)
    stale = unknown_arguments(spec, Arguments(pairs))
    sortable = {column.key for column in spec.columns if column.sortable} | {"id"}
    kept = []
    for name, value in pairs:
        if name == "sort":
            keys = [key for key in value.split(",") if key.removeprefix("-") in sortable]
            if keys != value.split(","):
                stale.append(name)
            value = ",".join(keys)
        if name not in stale or (name == "sort" and value):
            kept.append((name, value))
    return kept, stale


@dataclass
class SavedQueries:
    """What the template draws of the saved queries of a list."""

    list_key: str
    spec: ListSpec
    address: Address
    kept: Sequence[Kept]
    preference: Preference

    @property
    def offered(self) -> list[dict[str, object]]:
        """Every query with its address; the open one is marked."""
        return [
            {
                "name": each.name,
                "href": address_of(self.address.path, self.spec, each),
                "owner": each.owner,
                "sharing": each.sharing,
                "active": each is self.open,
                "default": each.id == self.preference.saved_query_id,
            }
            for each in self.kept
        ]

    @property
    def open(self) -> Kept | None:
        """The query that the present address came from."""
        number = next((value for name, value in self.address.pairs if name == SAVED), "")
        return next((each for each in self.kept if str(each.id) == number), None)

    @property
    def changed(self) -> bool:
        """Were its conditions or order changed since?"""
        if self.open is None:
            return False
        kept, _ = known_and_stale(self.spec, self.open.arguments)
        return sorted(kept) != sorted(self.address.asked)

    @property
    def stale(self) -> list[str]:
        """Arguments of the open query that the list no longer has."""
        return known_and_stale(self.spec, self.open.arguments)[1] if self.open else []

    @property
    def save_href(self) -> str:
        """Where the present conditions are kept under a name."""
        asked = query_string(self.address.asked)
        return url_for("SavedQueryView.add", list=self.list_key, arguments=asked)

    @property
    def update_href(self) -> str | None:
        """Where the open query of one's own takes over the present conditions."""
        if self.open is None or self.open.owner or not self.changed:
            return None
        asked = query_string(self.address.asked)
        return url_for("SavedQueryView.edit", pk=self.open.id, arguments=asked)

    @property
    def reset_href(self) -> str:
        """The list as it is, also where it opens with a query."""
        default = self.preference.saved_query_id
        return self.address.path if default is None else Address(self.address.path, ()).link([(SAVED, NONE)])
