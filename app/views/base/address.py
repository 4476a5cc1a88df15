"""The addresses of a list: its path, and the arguments it has been asked with."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

Pairs = list[tuple[str, str]]

_PLAIN = "!$'()*,/:;?@"
"""Signs that an address may hold as they are: easier to read and to pass on."""
_NOT_ASKED = frozenset({"page", "page_size", "saved"})


@dataclass(frozen=True)
class Address:
    """Where a list is and what it has been asked; every link of its page is made from this."""

    path: str
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, path: str, pairs: Iterable[tuple[str, str]]) -> Address:
        """Empty arguments ask nothing and are left out."""
        return cls(path, tuple((name, value) for name, value in pairs if value != ""))

    def link(self, pairs: Iterable[tuple[str, str]]) -> str:
        """The list with other arguments altogether."""
        query = urlencode(list(pairs), safe=_PLAIN)
        return f"{self.path}?{query}" if query else self.path

    def changed(self, **changes: str | None) -> str:
        """The list with some arguments replaced (None drops one), on its first page."""
        kept = [(name, value) for name, value in self.pairs if name not in changes and name != "page"]
        return self.link(kept + [(name, value) for name, value in changes.items() if value is not None])

    def without(self, names: Container[str], value: str | None = None) -> str:
        """The list without some arguments, or without one of their values, on its first page."""
        return self.link(
            (name, given)
            for name, given in self.pairs
            if name != "page" and not (name in names and value in (None, given))
        )

    @property
    def asked(self) -> Pairs:
        """Conditions and order alone, in order: what a saved query keeps."""
        return [(name, value) for name, value in self.pairs if name not in _NOT_ASKED]


def query_string(pairs: Iterable[tuple[str, str]]) -> str:
    """Arguments as text."""
    return urlencode(list(pairs), safe=_PLAIN)


def arguments_of(text: str) -> Pairs:
    """The arguments of a query string, empty ones left out. Raises ValueError for absurdly many."""
    return parse_qsl(text, max_num_fields=200)
