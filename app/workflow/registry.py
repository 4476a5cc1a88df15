"""The one place where a document kind says how it is reviewed and what follows each outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.models.base import Document

D = TypeVar("D", bound=Document)

Handler = Callable[[Session, Actor, D], None]
"""What follows an outcome; it runs in the engine's own transaction, after the document's status is set.
The document comes without its related rows: a handler loads those it needs."""

Value = Decimal | int | str | bool | frozenset[str] | None


class FieldKind(StrEnum):
    """What a condition's field holds, and so which operators make sense."""

    AMOUNT = "AMOUNT"
    NUMBER = "NUMBER"
    CODE = "CODE"
    CODES = "CODES"
    FLAG = "FLAG"
    UNIT = "UNIT"


@dataclass(frozen=True)
class ConditionField(Generic[D]):
    """One value of a document that a step's condition or a policy rule may ask for.

    `read` gives yuan for AMOUNT, a unit's path `/1/7/` for UNIT, codes as a frozenset for CODES.
    `dictionary` names the dictionary whose codes the editor offers; `always` says that no document is
    submitted without this value. `note` gives what people should know beside the value, such as the two sums
    that a difference is made of.
    """

    name: str
    label: str
    kind: FieldKind
    read: Callable[[Session, D], Value]
    dictionary: str = ""
    always: bool = False
    note: Callable[[Session, D], str] | None = None


@dataclass(frozen=True)
class RequiredRole:
    """A role that has to review every document of a kind, and the rule that says so."""

    role: str
    source: str


@dataclass(frozen=True)
class ReviewableDocument(Generic[D]):
    """How one document kind is reviewed. All six outcomes have to be given; `on_submitted` also runs
    when a returned document is submitted again. A flow that a document could pass without a step of one of
    the `required_roles` cannot be published. `rule_fields` are values that only policy rules ask for
    (services/policy_rule): they may cost a statement each and mean nothing to a review step."""

    kind: str
    model: type[D]
    label: str
    title: Callable[[D], str]
    amount: Callable[[D], Decimal | None]
    fields: tuple[ConditionField[D], ...]
    on_submitted: Handler[D]
    on_approved: Handler[D]
    on_returned: Handler[D]
    on_rejected: Handler[D]
    on_withdrawn: Handler[D]
    on_terminated: Handler[D]
    required_roles: tuple[RequiredRole, ...] = ()
    rule_fields: tuple[ConditionField[D], ...] = ()

    def rule_field(self, name: str) -> ConditionField[D] | None:
        """The field of that name that a policy rule may ask for, or None."""
        return next((field for field in (*self.fields, *self.rule_fields) if field.name == name), None)

    def field(self, name: str) -> ConditionField[D] | None:
        """The condition field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


class IncompleteRegistry(RuntimeError):
    """The program may not start: a document could be submitted and its outcome lead nowhere."""


_documents: dict[str, ReviewableDocument[Any]] = {}


def register(document: ReviewableDocument[Any]) -> None:
    """Make a document kind reviewable; its service calls this once, when it is imported."""
    known = _documents.get(document.kind)
    if known is not None and known.model is not document.model:
        raise IncompleteRegistry(f"two models say they are the document kind “{document.kind}”")
    if document.model.document_kind != document.kind:
        raise IncompleteRegistry(
            f"{document.model.__name__} calls itself “{document.model.document_kind}”, not “{document.kind}”"
        )
    names = [field.name for field in (*document.fields, *document.rule_fields)]
    if len(set(names)) != len(names):
        raise IncompleteRegistry(f"two condition fields of “{document.kind}” bear one name")
    _documents[document.kind] = document


def reviewable(kind: str) -> ReviewableDocument[Any]:
    """The entry of a kind. Raises IncompleteRegistry for one that no service registered."""
    try:
        return _documents[kind]
    except KeyError:
        raise IncompleteRegistry(f"no service registered the document kind “{kind}”") from None


def registered() -> Mapping[str, ReviewableDocument[Any]]:
    """Every reviewable document kind."""
    return dict(_documents)


def verify(kinds_with_flows: Iterable[str]) -> None:
    """Refuse to start when a kind that has a published flow has no entry, or an entry's outcome is no
    function. Raises IncompleteRegistry naming what is missing."""
    missing = sorted(set(kinds_with_flows) - _documents.keys())
    gaps = [f"no service registered “{kind}”, which has a published flow" for kind in missing]
    for document in _documents.values():
        for outcome in OUTCOMES:
            if not callable(getattr(document, outcome)):
                gaps.append(f"“{document.kind}” has no {outcome}")
    if gaps:
        raise IncompleteRegistry("; ".join(gaps))


OUTCOMES = ("on_submitted", "on_approved", "on_returned", "on_rejected", "on_withdrawn", "on_terminated")
