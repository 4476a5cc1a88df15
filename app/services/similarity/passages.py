"""The passages two texts have in common, in their own words, so that a score explains itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.services.similarity.text import Folded, fold

LONGEST_TEXT = 4_000
"""Of longer texts the beginning is compared passage by passage; the score counts all of it."""

TITLE_LEAST = 2
SCOPE_LEAST = 8
_AROUND = 30
_GAP = "…"

Span = tuple[int, int]


@dataclass(frozen=True)
class Compared:
    """Two texts side by side; the spans are the places of what they share, in the same order as found."""

    part: str
    left: str
    right: str
    left_spans: tuple[Span, ...]
    right_spans: tuple[Span, ...]

    def dump(self) -> dict[str, Any]:
        """What is kept with the declaration: the shared passages with a little around them."""
        left, left_spans = _excerpt(self.left, self.left_spans)
        right, right_spans = _excerpt(self.right, self.right_spans)
        return {
            "part": self.part,
            "left": left,
            "right": right,
            "left_spans": [list(span) for span in left_spans],
            "right_spans": [list(span) for span in right_spans],
        }


def compare(part: str, left: str, right: str) -> Compared | None:
    """What two titles (`title`) or scopes (`scope`) share; None when that is nothing."""
    title = part == "title"
    first, second = fold(left[:LONGEST_TEXT], title=title), fold(right[:LONGEST_TEXT], title=title)
    tiles = _tiles(first.text, second.text, TITLE_LEAST if title else SCOPE_LEAST)
    if not tiles:
        return None
    return Compared(
        part,
        left[:LONGEST_TEXT],
        right[:LONGEST_TEXT],
        _spans(first, [(start, start + length) for start, _, length in tiles]),
        _spans(second, [(start, start + length) for _, start, length in tiles]),
    )


def _tiles(left: str, right: str, least: int) -> list[tuple[int, int, int]]:
    """Greedy tiling: from left to right the longest run that also stands in `right`, each place of `right`
    once; (start in left, start in right, length). Linear but for runs that repeat."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for start in range(len(right) - least + 1):
        places[right[start : start + least]].append(start)
    taken = bytearray(len(right))
    found: list[tuple[int, int, int]] = []
    at = 0
    while at <= len(left) - least:
        length, place = max(
            (
                (_run(left, right, at, start, taken), start)
                for start in places.get(left[at : at + least], ())[:_MOST_TRIED]
            ),
            default=(0, 0),
        )
        if length < least:
            at += 1
            continue
        taken[place : place + length] = b"\x01" * length
        found.append((at, place, length))
        at += length
    return found


_MOST_TRIED = 20


def _run(left: str, right: str, at: int, start: int, taken: bytearray) -> int:
    length = 0
    while (
        at + length < len(left)
        and start + length < len(right)
        and not taken[start + length]
        and left[at + length] == right[start + length]
    ):
        length += 1
    return length


def _spans(folded: Folded, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Places in the text as it was written: joined where only blanks and marks stand between, apart where a
    year or a phase was left out."""
    found: list[Span] = []
    for start, end in sorted(spans):
        for place in folded.places[start:end]:
            if found and not any(each.isalnum() for each in folded.source[found[-1][1] : place]):
                found[-1] = (found[-1][0], place + 1)
            else:
                found.append((place, place + 1))
    return tuple(found)


def _excerpt(text: str, spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """The passages with a little around them; what lies between is left out, so that of another unit's text
    no more is told than the explanation needs."""
    pieces: list[str] = []
    moved: list[Span] = []
    length = end = 0
    for start, stop in spans:
        begin = max(start - _AROUND, end)
        if begin > end:
            pieces.append(_GAP)
            length += len(_GAP)
        following = min([other for other, _ in spans if other >= stop], default=len(text))
        last = min(stop + _AROUND, following, len(text))
        pieces.append(text[begin:last])
        moved.append((length + start - begin, length + stop - begin))
        length += last - begin
        end = last
    if end < len(text):
        pieces.append(_GAP)
    return "".join(pieces), moved


@dataclass(frozen=True)
class Piece:
    """A run of a text as a page draws it."""

    text: str
    shared: bool


def pieces(text: str, spans: Sequence[Sequence[int]]) -> list[Piece]:
    """A text cut at its shared passages."""
    found: list[Piece] = []
    at = 0
    for start, stop in spans:
        if start > at:
            found.append(Piece(text[at:start], False))
        found.append(Piece(text[start:stop], True))
        at = stop
    if at < len(text):
        found.append(Piece(text[at:], False))
    return found
