"""Flows as files: written for another installation, and read back with suspicion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from app.access.actor import Actor
from app.access.policy import load
from app.core.errors import InvalidInput, Problem, TooLarge
from app.models.flow import FlowDefinition
from app.services import log
from app.services.review.flows.drafts import WITH_STEPS, Brought, bring
from app.services.review.flows.names import Names
from app.services.review.flows.sheet import sheet_of
from app.services.unit_of_work import unit_of_work
from app.workflow.registry import registered

FORMAT = "govproject.flow"
SCHEMA = 1
LARGEST_FILE = 256 * 1024
"""Bytes; thirty steps with everything a step can have take a tenth of it."""

_DEEPEST = 12
_KEYS = ("format", "schema", "document_kind", "version", "name", "steps")


@dataclass(frozen=True)
class FlowFile:
    """A version as a file."""

    name: str
    data: bytes


def export(actor: Actor, definition_id: int) -> FlowFile:
    """A version the actor may read as a file; roles, groups, people and units by name. Noted in the log."""
    with unit_of_work(actor) as session:
        definition: FlowDefinition = load(session, actor, FlowDefinition, definition_id, options=WITH_STEPS)
        content = {
            "format": FORMAT,
            "schema": SCHEMA,
            "document_kind": definition.document_kind,
            "version": definition.version,
            **sheet_of(definition, Names(session)),
        }
        words = f"{definition.document_kind} v{definition.version}"
        log.record(session, actor, "EXPORT", noun="flow", row_id=definition.id, summary=words)
        text = json.dumps(content, ensure_ascii=False, indent=2)
        return FlowFile(f"{definition.document_kind}-v{definition.version}.flow.json", text.encode())


def import_file(actor: Actor, data: bytes, kind: str | None = None, *, partly: bool = False) -> Brought:
    """A new draft from a file, for the file's own document kind unless another is given.

    With `partly` names this office does not know are left out and told. Raises TooLarge, and InvalidInput
    for what is no flow (at `file`) or with every place that cannot be taken.
    """
    content = parse(data)
    own = content["document_kind"]
    if (kind or own) not in registered():
        raise _no_flow("The file is for a kind of document that is not reviewed here.")
    sheet = {"name": content.get("name"), "steps": content.get("steps")}
    return bring(actor, kind or own, sheet, origin="from a file", partly=partly)


def parse(data: bytes) -> Mapping[str, Any]:
    """The content of a flow file. Raises TooLarge and InvalidInput; decimals stay exact."""
    if len(data) > LARGEST_FILE:
        raise TooLarge("A flow's file has at most %(size)s KB.", size=LARGEST_FILE // 1024)
    try:
        content = json.loads(
            data.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError):
        raise _no_flow("The file cannot be read: it is not JSON, or damaged.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _no_flow("This file is not a review flow exported from this product.")
    if content.get("schema") != SCHEMA or isinstance(content.get("schema"), bool):
        raise _no_flow("The file comes from another version of the product and cannot be read here.")
    if _depth(content) > _DEEPEST or content.keys() - set(_KEYS):
        raise _no_flow("This file is not a review flow exported from this product.")
    if not isinstance(content.get("document_kind"), str):
        raise _no_flow("The file does not say which kind of document it reviews.")
    return content


def _depth(value: object) -> int:
    """How deep lists and objects are nested; the parser itself has refused thousands."""
    deepest, layer = 0, [value]
    while layer and deepest <= _DEEPEST:
        deepest += 1
        layer = [
            inner
            for each in layer
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _no_flow(message: str) -> InvalidInput:
    return InvalidInput({"file": [Problem.of(message)]}, message)
