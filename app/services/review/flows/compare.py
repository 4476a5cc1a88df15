"""Two versions side by side: step by step, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from app.core.enums import Labelled
from app.services.log import Difference
from app.services.review.flows.sheet import STEP_KEYS, Sheet


class Fate(Labelled):
    """What became of a step from one version to the other."""

    SAME = "SAME", "Unchanged"
    CHANGED = "CHANGED", "Changed", "yellow"
    ADDED = "ADDED", "Added", "green"
    REMOVED = "REMOVED", "Removed", "red"


@dataclass(frozen=True)
class FieldDifference:
    """One field of a step in both versions, as the sheets have it."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class StepDifference:
    """One step in both versions; steps are known by their code. `old_place` and `new_place` count from 1;
    `moved` says that it changed places with another step."""

    code: str
    fate: Fate
    old: Sheet | None
    new: Sheet | None
    old_place: int | None
    new_place: int | None
    moved: bool
    fields: tuple[FieldDifference, ...]

    @property
    def sheet(self) -> Sheet:
        """The step as it is now, or as it was before it went."""
        return self.new or self.old or {}


def compare(old: Sheet, new: Sheet) -> list[StepDifference]:
    """Every step of both versions in the order of the new one, removed steps where they were."""
    before = {step["code"]: (place, step) for place, step in enumerate(old["steps"], start=1)}
    after = {step["code"]: (place, step) for place, step in enumerate(new["steps"], start=1)}
    moved = _moved([code for code in before if code in after], [code for code in after if code in before])
    return [_difference(code, before, after, moved) for code in _order(list(before), list(after))]


def is_same(old: Sheet, new: Sheet) -> bool:
    """Do both versions review alike? What the version is called does not matter."""
    return bool(old["steps"] == new["steps"])


def recorded(old: Sheet, new: Sheet) -> list[Difference]:
    """The differences as the change log keeps them: `name`, `<code>.<field>`, `<code>.` for a whole step."""
    found = []
    if old["name"] != new["name"]:
        found.append(Difference("name", old["name"], new["name"]))
    for step in compare(old, new):
        if step.fate is Fate.ADDED or step.fate is Fate.REMOVED:
            names = [sheet["name_zh"] if sheet else "" for sheet in (step.old, step.new)]
            found.append(Difference(f"{step.code}.", *names))
            continue
        for one in step.fields:
            found.append(Difference(f"{step.code}.{one.field}", _text(one.old), _text(one.new)))
        if step.moved:
            found.append(Difference(f"{step.code}.place", str(step.old_place), str(step.new_place)))
    return found


def _difference(
    code: str,
    before: dict[str, tuple[int, Sheet]],
    after: dict[str, tuple[int, Sheet]],
    moved: set[str],
) -> StepDifference:
    old_place, old = before.get(code, (None, None))
    new_place, new = after.get(code, (None, None))
    fields: tuple[FieldDifference, ...] = ()
    if old is not None and new is not None:
        fields = tuple(
            FieldDifference(key, old[key], new[key])
            for key in STEP_KEYS
            if key != "code" and old[key] != new[key]
        )
        fate = Fate.CHANGED if fields or code in moved else Fate.SAME
    else:
        fate = Fate.ADDED if old is None else Fate.REMOVED
    return StepDifference(code, fate, old, new, old_place, new_place, code in moved, fields)


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The steps that do not keep their order: all but the longest runs both versions share."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    kept = {
        code for block in matcher.get_matching_blocks() for code in before[block.a : block.a + block.size]
    }
    return set(after) - kept


def _order(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The new version's steps, each followed by the removed ones that came behind it."""
    removed = [code for code in before if code not in after]
    told: set[str] = set()

    def gone_behind(code: str | None) -> Iterator[str]:
        start = before.index(code) + 1 if code is not None else 0
        for follower in before[start:]:
            if follower not in removed or follower in told:
                break
            told.add(follower)
            yield follower

    yield from gone_behind(None)
    for code in after:
        yield code
        if code in before:
            yield from gone_behind(code)
    yield from (code for code in removed if code not in told)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
