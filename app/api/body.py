"""The JSON body of a request: read within limits, every key known, every value of its type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from app.api.kinds import Whole, strict_json
from app.api.listing import NOTHING
from app.core.errors import InvalidInput, Problem, TooLarge, UnsupportedFile
from app.services import reading
from app.services.reading import Lookup, Unreadable

MOST_MB = 2
"""A declaration with every table full is a quarter of it."""


@dataclass(frozen=True)
class Key:
    """One key that a body may have."""

    name: str
    kind: reading.Kind
    schema: Mapping[str, Any]
    required: bool = False


@dataclass(frozen=True)
class Wholes(reading.Kind):
    """Several ids, or one."""

    most: int = 100

    @property
    def empty(self) -> tuple[int, ...]:
        return ()

    def read(self, raw: object, lookup: Lookup) -> tuple[int, ...]:
        entries = raw if isinstance(raw, list) else [raw]
        if len(entries) > self.most:
            raise Unreadable("At most %(most)s entries.", most=self.most)
        return tuple(Whole(1).read(entry, lookup) for entry in entries)


VERSION = Key(
    "version",
    Whole(1),
    {"type": "integer", "minimum": 1, "description": "Of the record as it was read"},
    required=True,
)
OPINION = Key("opinion", reading.Paragraphs(), {"type": "string", "maxLength": 20_000})


def json_object() -> dict[str, Any]:
    """The body as an object. Raises `TooLarge`, `UnsupportedFile` for another type, `InvalidInput`."""
    if not request.is_json:
        raise UnsupportedFile("Send the body as JSON (Content-Type: application/json).")
    request.max_content_length = MOST_MB << 20
    try:
        found = strict_json(request.get_data(cache=False))
    except RequestEntityTooLarge as error:
        raise TooLarge("The body may have at most %(most)s MB.", most=MOST_MB) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput({}, "The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise InvalidInput({}, "Send an object: {…}.")
    return found


def read_keys(body: Mapping[str, Any], keys: Iterable[Key]) -> dict[str, Any]:
    """The values of the keys, those absent by their empty value. Raises `InvalidInput` for a key nobody
    may set, one that is missing, and a value that cannot be read."""
    known = {key.name: key for key in keys}
    problems = {
        str(name)[:80]: [Problem.of("There is no such field, or it may not be set.")]
        for name in body
        if name not in known
    }
    values: dict[str, Any] = {}
    for name, key in known.items():
        try:
            values[name] = read_key(body, key)
        except Unreadable as error:
            problems[name] = [error.problem]
    if problems:
        raise InvalidInput(problems)
    return values


def read_key(body: Mapping[str, Any], key: Key) -> Any:
    """One value of a body. Raises `Unreadable`."""
    if body.get(key.name) is None:
        if key.required:
            raise Unreadable("This is required.")
        return key.kind.empty
    return key.kind.read(body[key.name], NOTHING)


def schema_of(keys: Iterable[Key]) -> dict[str, Any]:
    """The JSON schema of a body with these keys."""
    known = tuple(keys)
    required = [key.name for key in known if key.required]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: dict(key.schema) for key in known},
        **({"required": required} if required else {}),
    }
