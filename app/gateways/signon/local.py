"""The local password: kept as scrypt, and compared in the same time when there is none to compare with."""

from __future__ import annotations

import secrets
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

METHOD = "scrypt:32768:8:1"


def hash_password(password: str) -> str:
    """The salted scrypt of the whole password; nothing is cut off."""
    return generate_password_hash(password, method=METHOD, salt_length=16)


def password_matches(stored: str | None, given: str) -> bool:
    """Is this the password? Costs one scrypt either way, so that the time tells nothing about the account."""
    if not stored:
        check_password_hash(_of_nobody(), given)
        return False
    return check_password_hash(stored, given)


@cache
def _of_nobody() -> str:
    return hash_password(secrets.token_urlsafe(24))
