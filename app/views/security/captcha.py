"""The picture that a person reads and a program does not; drawn on this machine.

The cookie carries only a seal over the answer, the username and the number of that name's last try. A use
makes a new try, so an answer opens nothing a second time, even when the cookie is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from captcha.image import ImageCaptcha
from flask import current_app, session

_KEY = "captcha"
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ23456789"
_LENGTH = 4
_INK = (38, 56, 102)


class _Picture(ImageCaptcha):
    """Characters that lean but do not lie on each other: people have to read them at the first look."""

    character_rotate = (-20, 20)
    character_warp_dx = (0.05, 0.15)
    character_warp_dy = (0.05, 0.15)
    word_space_probability = 1.0
    word_offset_dx = 0.0


def demand(username: str, last_try: int) -> None:
    """From now on this browser shows a picture for that username."""
    session[_KEY] = {"username": username, "after": last_try}


def is_demanded() -> bool:
    """Does the log-in page show a picture?"""
    return _KEY in session


def draw() -> bytes:
    """A new picture (PNG); its answer replaces the one before."""
    answer = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    wanted = session[_KEY]
    session[_KEY] = {**wanted, "seal": _seal(answer, wanted["username"], wanted["after"])}
    picture: bytes = (
        _Picture(width=150, height=60, font_sizes=(42, 46, 50)).generate(answer, fg_color=_INK).getvalue()
    )
    return picture


def is_answered(answer: str, username: str, last_try: int | None) -> bool:
    """Is this what the picture for that username and that try said?"""
    seal = str(session.get(_KEY, {}).get("seal", ""))
    return hmac.compare_digest(seal, _seal(answer.strip().upper(), username, last_try))


def _seal(answer: str, username: str, last_try: int | None) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    text = "\n".join(("captcha", answer, username, str(last_try)))
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
