"""统一社会信用代码 (GB 32100): eighteen characters, the last one checks the others."""

from __future__ import annotations

import re

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Digits and capitals without I, O, Z, S and V."""

_MODULUS = len(ALPHABET)
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_WEIGHTS = [pow(3, position, _MODULUS) for position in range(17)]
# Registering body, kind, six digits of the region, nine characters of the organisation.
_BODY = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{9}}")


def check_digit(body: str) -> str:
    """The eighteenth character for the first seventeen. Raises ValueError when they are not well formed."""
    if not _BODY.fullmatch(body):
        raise ValueError("seventeen characters without I, O, Z, S and V; the third to the eighth are digits")
    total = sum(_VALUES[character] * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[-total % _MODULUS]


def is_valid(code: str) -> bool:
    """Whether `code`, in capitals and without spaces, is a well-formed code whose check character agrees."""
    return len(code) == 18 and _BODY.fullmatch(code[:17]) is not None and check_digit(code[:17]) == code[17]
