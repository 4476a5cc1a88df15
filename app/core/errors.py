"""The small family of errors every service raises; views turn them into pages, the API into JSON."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


class Spoken(ABC):
    """A parameter of a message that reads differently in each language."""

    @abstractmethod
    def spoken(self, language: str, translate: Callable[[str], str]) -> str:
        """The words for a reader of `language` (`zh`, `en`); `translate` is the page's gettext."""

    def __str__(self) -> str:
        return self.spoken("en", str)


class DomainError(Exception):
    """Something a person can understand and act on.

    `message` is an English msgid; `params` fill its %(name)s places after translation.
    """

    status = 400

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.params = params


class Term(str, Spoken):
    """A word of ours inside a message, such as a field's label: an English msgid, translated when shown."""

    __slots__ = ()
    __str__ = str.__str__

    def spoken(self, language: str, translate: Callable[[str], str]) -> str:
        return translate(str(self))


@dataclass(frozen=True)
class Problem:
    """One refused value: an English msgid with parameters, said beside its field."""

    message: str
    params: Mapping[str, object]

    @classmethod
    def of(cls, message: str, **params: object) -> Problem:
        return cls(message, params)


class InvalidInput(DomainError):
    """Values refused, field by field: `fields["budget_lines.0.unit_price"] -> [Problem, …]`."""

    status = 400

    def __init__(
        self,
        fields: Mapping[str, Sequence[Problem]],
        message: str = "Some fields need attention.",
        **params: object,
    ) -> None:
        super().__init__(message, **params)
        self.fields = {name: list(problems) for name, problems in fields.items()}


class NotAllowed(DomainError):
    """The actor may see the row but not do this to it (403)."""

    status = 403

    def __init__(self, message: str = "You may not do this.", **params: object) -> None:
        super().__init__(message, **params)


class NotFound(DomainError):
    """No such row within the actor's scope; whether it exists elsewhere is not told (404)."""

    status = 404

    def __init__(self, message: str = "There is no such record, or it is outside your data scope.") -> None:
        super().__init__(message)


@dataclass(frozen=True)
class Change:
    """What somebody else changed meanwhile."""

    field: str
    old: str
    new: str
    by: str
    at: datetime


class StaleVersion(DomainError):
    """The row was changed after this page was opened (409); `changes` say by whom, what and when."""

    status = 409

    def __init__(self, changes: Sequence[Change] = ()) -> None:
        super().__init__("This record was changed after you opened it. Nothing of yours was saved over it.")
        self.changes = list(changes)


class Conflict(DomainError):
    """The move is not possible in the row's present state (409)."""

    status = 409


class TooLarge(DomainError):
    """A file or request over the limit (413)."""

    status = 413


class UnsupportedFile(DomainError):
    """A file of a kind that is not taken, or whose content is not what its name says (415)."""

    status = 415


class TooMany(DomainError):
    """The same thing asked too often in a short time (429)."""

    status = 429
