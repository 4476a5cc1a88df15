"""What pages ask for again and again is read once, and again as soon as anybody has committed anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.extensions import db
from app.models.dictionary import DictItem
from app.services.recall import recalled
from app.services.unit_of_work import current_session, unit_of_work
from tests.conftest import OwnDatabase


@pytest.fixture
def office(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose commits are real."""
    with own_database("recall") as app, app.app_context():
        yield app


class Counted:
    """Counts the entries of dictionaries, and how often it was asked to."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        return recalled(current_session(), "entries", self._read)

    def _read(self) -> int:
        self.asked += 1
        return current_session().scalar(select(func.count()).select_from(DictItem)) or 0


def another_label(name: str) -> None:
    with unit_of_work(SYSTEM) as session:
        session.scalars(select(DictItem).order_by(DictItem.id).limit(1)).one().label_en = name


def next_request() -> None:
    db.session.remove()


def test_the_second_request_does_not_read_again(office: Flask) -> None:
    entries = Counted()
    first = entries()
    next_request()
    assert (entries(), entries.asked) == (first, 1)


def test_one_s_own_commit_is_seen_at_once(office: Flask) -> None:
    entries = Counted()
    entries()
    another_label("A")
    entries()
    next_request()
    entries()
    assert entries.asked == 2


def test_what_another_process_commits_is_seen_by_the_next_request(office: Flask) -> None:
    entries = Counted()
    entries()
    next_request()
    with db.engine.connect() as other, other.begin():
        other.execute(DictItem.__table__.update().values(label_en="B"))
    entries()
    assert entries.asked == 2


def test_nothing_is_remembered_of_a_transaction_that_is_undone(office: Flask) -> None:
    entries = Counted()
    before = entries()
    with pytest.raises(RuntimeError), unit_of_work(SYSTEM) as session:
        session.execute(DictItem.__table__.update().values(label_en="C"))
        entries()
        raise RuntimeError
    next_request()
    assert entries() == before


def test_a_unit_of_work_always_reads_for_itself(office: Flask) -> None:
    entries = Counted()
    entries()
    with unit_of_work(SYSTEM):
        entries()
        entries()
    assert entries.asked == 3


def test_a_rolled_back_test_leaves_nothing(session: Session) -> None:
    recalled(session, "kept", lambda: 1)
    with unit_of_work(SYSTEM) as written:
        written.scalars(select(DictItem).order_by(DictItem.id).limit(1)).one().label_en = "D"
    assert recalled(session, "kept", lambda: 2) == 2
