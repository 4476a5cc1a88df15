"""People who came in once, for all tests of a page: logging in has tests of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flask import Flask

from app.models.user import AppUser
from tests.api.conftest import Rest
from tests.factories import token_for
from tests.security.conftest import Browser

B = TypeVar("B", bound=Browser)


def keys_of(app: Flask, people: Mapping[str, AppUser]) -> dict[str, str]:
    """Everybody's cookie after he logged in."""
    return {name: key_of(app, user) for name, user in people.items()}


def key_of(app: Flask, user: AppUser) -> str:
    """His cookie after he logged in."""
    browser = Browser(app.test_client())
    browser.enter(user.username)
    return browser.cookie


def enter(browser: B, key: str) -> B:
    """The browser of somebody who has logged in."""
    browser.cookie = key
    return browser


def program_of(app: Flask, user: AppUser) -> Rest:
    """Somebody's program, logged in by a token."""
    return Rest(app.test_client(), user, token_for(app, user.username))
