"""What a list gives to be imported: one description each; upload, preview, confirm and log are common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import Problem
from app.models.importing import RowState
from app.services.importing.columns import SheetColumn


@dataclass(frozen=True)
class RowProblem:
    """Why a row is wrong: the column (blank: the whole row) and the sentence."""

    column: str
    problem: Problem

    @classmethod
    def of(cls, column: str, message: str, **params: object) -> RowProblem:
        return cls(column, Problem.of(message, **params))


@dataclass(frozen=True)
class Row:
    """A row of the sheet as read: `values` holds what its filled cells say, `problems` what could not be
    read. A blank cell says nothing: it never empties a field."""

    no: int
    values: Mapping[str, Any]
    problems: tuple[RowProblem, ...] = ()


@dataclass(frozen=True)
class Existing:
    """A stored record: its values under the columns' names, and facts that the list's own rules ask for."""

    id: int
    values: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a row comes to. `changed` are the columns it would write, in the order of the sheet."""

    row: Row
    state: RowState
    existing: Existing | None
    changed: tuple[str, ...]
    problems: tuple[RowProblem, ...]
    record_id: int | None = None


class Importable(ABC):
    """One list that can be imported.

    `key` names it in the log and in addresses, `label` (English msgid) for people; whoever holds `noun.verb`
    may import it. `keys` are the columns by any of which a record is recognised.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    noun: ClassVar[str]
    verb: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    endpoint: ClassVar[str] = ""
    """The page of one record, for links in the result."""

    def allowed(self, actor: Actor) -> bool:
        """May the actor import this list?"""
        return actor.holds(self.noun, self.verb)

    @abstractmethod
    def columns(self, session: Session) -> list[SheetColumn]:
        """The columns of the sheet, in order."""

    @abstractmethod
    def load(
        self, session: Session, actor: Actor, keys: Mapping[str, Sequence[Any]], *, lock: bool
    ) -> Mapping[tuple[str, Any], Existing]:
        """The stored records by (column, key), in a fixed number of statements; with `lock` until the end
        of the transaction."""

    @abstractmethod
    def check(self, session: Session, actor: Actor, outcome: Outcome) -> Iterator[RowProblem]:
        """The list's own rules over a row that was read, for what it would make of the record."""

    @abstractmethod
    def apply(self, session: Session, actor: Actor, outcomes: Iterable[Outcome]) -> list[Problem]:
        """Write the new and changed rows, in the caller's unit of work, and put the ids into the outcomes.
        Returns what to tell about it beside the counts."""

    def name(self, values: Mapping[str, Any]) -> str:
        """What people call the record."""
        return str(values.get("title", ""))


_importables: dict[str, type[Importable]] = {}


def register(importable: type[Importable]) -> type[Importable]:
    """Let a list be imported."""
    _importables[importable.key] = importable
    return importable


def importables() -> Mapping[str, type[Importable]]:
    """Every list that can be imported, by key. An instance serves one preview or one confirm."""
    return MappingProxyType(_importables)
