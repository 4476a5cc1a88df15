"""Many tries at once are counted one by one, on a database that really commits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.models.user import LoginAttempt, UserSession
from app.services.unit_of_work import current_session
from tests.conftest import PASSWORD, OwnDatabase
from tests.factories import make_user
from tests.security.conftest import WRONG, Program

AT_ONCE = 8


@pytest.fixture
def busy(own_database: OwnDatabase) -> Iterator[Flask]:
    with own_database("guesses") as app:
        with app.app_context():
            make_user(username="liang")
        yield app


def answers(app: Flask, passwords: list[str]) -> list[int]:
    def once(password: str) -> int:
        return Program(app.test_client()).log_in("liang", password).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(once, passwords))


def test_twenty_guesses_at_once_are_no_more_than_five(busy: Flask) -> None:
    """Counted after the password was looked at, all twenty would have been looked at."""
    assert answers(busy, [WRONG] * 20) == [401] * 5 + [429] * 15
    with busy.app_context():
        failures = current_session().scalar(
            select(func.count()).select_from(LoginAttempt).where(~LoginAttempt.succeeded)
        )
    assert failures == 5


def test_one_person_at_several_machines_at_once_gets_in_everywhere(busy: Flask) -> None:
    assert answers(busy, [PASSWORD] * 4) == [200] * 4
    with busy.app_context():
        assert current_session().scalar(select(func.count()).select_from(UserSession)) == 4
