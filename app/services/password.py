"""What a password must be, and a random one to begin with."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from functools import cache

from app.core.errors import Problem
from app.services.login_rules import LoginRules

LONGEST = 128
"""More is refused rather than cut off (ASVS 6.2.8)."""

_SHORTEST_WORD = 5
_LOOKALIKES = str.maketrans("", "", "0O1lI")
_KINDS: tuple[Callable[[str], bool], ...] = (
    str.islower,
    str.isupper,
    str.isdigit,
    lambda character: not character.isalnum(),
)


def problem_with(password: str, username: str, rules: LoginRules) -> Problem | None:
    """Why this cannot be the user's password; None when it can (SEC-33, SEC-34).

    Length and kinds of characters follow the parameters: the defaults are those of MLPS level 3; one kind and
    no age make it ASVS 5.0's.
    """
    if len(password) < rules.password_length:
        return Problem.of("Use at least %(least)s characters.", least=rules.password_length)
    if len(password) > LONGEST:
        return Problem.of("Use at most %(most)s characters.", most=LONGEST)
    if not password.isprintable():
        return Problem.of("Some characters here cannot be printed. Type the text again.")
    if kinds(password) < rules.password_classes:
        return Problem.of(
            "Mix at least %(kinds)s of: small letters, capital letters, digits, other characters.",
            kinds=rules.password_classes,
        )
    if username and username.lower() in password.lower():
        return Problem.of("The password must not contain the username.")
    if is_common(password):
        return Problem.of(
            "This password is on the list of those tried first by everybody. Choose another one."
        )
    return None


def kinds(password: str) -> int:
    """How many of small letters, capital letters, digits and others a password has."""
    return sum(any(kind(character) for character in password) for kind in _KINDS)


def is_common(password: str) -> bool:
    """Is it one of the 30,000 passwords seen most often, or one of them with figures and signs around it?"""
    known = _known_passwords()
    whole = password.lower()
    core = whole.strip(string.digits + string.punctuation)
    mostly_core = len(core) >= _SHORTEST_WORD and 2 * len(core) >= len(whole)
    return whole in known or (mostly_core and core in known)


def random_password(rules: LoginRules) -> str:
    """A password for the first day: random, good under the rules, and readable from paper."""
    alphabet = (string.ascii_letters + string.digits).translate(_LOOKALIKES)
    length = max(rules.password_length, 12)
    while True:
        password = "".join(secrets.choice(alphabet) for _ in range(length - 1)) + secrets.choice("-+=")
        if problem_with(password, "", rules) is None and kinds(password) == len(_KINDS):
            return password


@cache
def _known_passwords() -> frozenset[str]:
    # Its lists take a fifth of a second to load, and most days nobody chooses a password.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
