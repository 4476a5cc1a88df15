"""What changed inside a text, as pieces to show: sentence by sentence first, then character by character."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.core.enums import Labelled

_SENTENCE = re.compile(r"[^。；！？!?\n]*[。；！？!?\n]|[^。；！？!?\n]+")
_TOKEN = re.compile(r"[A-Za-z]+|[0-9]+(?:[.,][0-9]+)*|\s+|.", re.DOTALL)
_MOST_COMPARED = 1_000_000
"""Pairs of tokens up to which a passage is compared token by token; a longer one is shown whole."""
_SHORT = 1
"""Equal pieces of this length between two changes are noise for the reader."""


class Piece(Labelled):
    """What a piece of text is in the comparison."""

    SAME = "same", "Unchanged"
    REMOVED = "removed", "Removed"
    ADDED = "added", "Added"


@dataclass(frozen=True)
class Segment:
    """A run of text that is in both, in the old or in the new text only."""

    piece: Piece
    text: str


def segments(old: str, new: str) -> list[Segment]:
    """The two texts as one: what is SAME and ADDED makes the new text, SAME and REMOVED the old one."""
    return _joined(_by_sentence(_SENTENCE.findall(old), _SENTENCE.findall(new)))


def _by_sentence(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    for verb, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        before, after = "".join(old[a:b]), "".join(new[c:d])
        if verb == "equal":
            yield Segment(Piece.SAME, after)
        else:
            yield from _by_token(_TOKEN.findall(before), _TOKEN.findall(after))


def _by_token(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    if len(old) * len(new) > _MOST_COMPARED:
        yield from _replaced(old, new)
        return
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    blocks = [block for block in matcher.get_matching_blocks() if _telling(old, block.a, block.size)]
    ends = [(0, 0), *((block.a + block.size, block.b + block.size) for block in blocks)]
    starts = [*((block.a, block.b) for block in blocks), (len(old), len(new))]
    for place, ((a, b), (next_a, next_b)) in enumerate(zip(ends, starts, strict=True)):
        yield from _replaced(old[a:next_a], new[b:next_b])
        if place < len(blocks):
            yield Segment(Piece.SAME, "".join(new[next_b : next_b + blocks[place].size]))


def _telling(tokens: Sequence[str], start: int, size: int) -> bool:
    """Is an equal run worth showing: long enough, or at an end of the passage?"""
    end = start + size
    return start == 0 or end == len(tokens) or len("".join(tokens[start:end]).strip()) > _SHORT


def _replaced(old: Sequence[str], new: Sequence[str]) -> Iterator[Segment]:
    yield Segment(Piece.REMOVED, "".join(old))
    yield Segment(Piece.ADDED, "".join(new))


def _joined(pieces: Iterator[Segment]) -> list[Segment]:
    found: list[Segment] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1].piece is piece.piece:
            found[-1] = Segment(piece.piece, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
