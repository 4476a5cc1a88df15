"""Numbers: unique under concurrency, counted per kind and year, never taken by what was rolled back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.services import numbering
from app.services.unit_of_work import unit_of_work
from tests.conftest import OwnDatabase


def test_declarations_of_a_year_count_from_one(session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        given = [numbering.document_code(work, "SB", 2027) for _ in range(3)]

    assert given == ["SB2027-00001", "SB2027-00002", "SB2027-00003"]


def test_every_year_prefix_and_nature_has_its_own_count(session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        given = [
            numbering.project_code(work, 2027, "NEW"),
            numbering.project_code(work, 2027, "OPERATION"),
            numbering.project_code(work, 2028, "NEW"),
            numbering.project_code(work, 2027, "NEW"),
            numbering.document_code(work, "HT", 2027),
        ]

    assert given == ["KP2027XJ0001", "KP2027YW0001", "KP2028XJ0001", "KP2027XJ0002", "HT2027-00001"]


def test_a_submission_that_fails_gives_its_number_back(session: Session) -> None:
    class PowerCut(Exception):
        pass

    with pytest.raises(PowerCut), unit_of_work(SYSTEM) as work:
        numbering.document_code(work, "SB", 2029)
        raise PowerCut
    with unit_of_work(SYSTEM) as work:
        assert numbering.document_code(work, "SB", 2029) == "SB2029-00001"


def test_a_nature_without_a_mark_gets_no_number(session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        with pytest.raises(ValueError, match="SECRET"):
            numbering.project_code(work, 2027, "SECRET")
        assert numbering.project_code(work, 2027, "NEW") == "KP2027XJ0001"


@pytest.fixture
def busy_app(own_database: OwnDatabase) -> Iterator[Flask]:
    with own_database("numbers") as app:
        yield app


def test_eight_units_declaring_in_the_same_second_get_eight_numbers(busy_app: Flask) -> None:
    def declare(_: int) -> list[str]:
        codes = []
        for _again in range(5):
            with busy_app.app_context(), unit_of_work(SYSTEM) as work:
                codes.append(numbering.document_code(work, "SB", dt.date.today().year))
        return codes

    with ThreadPoolExecutor(8) as offices:
        codes = [code for given in offices.map(declare, range(8)) for code in given]

    assert len(set(codes)) == 40
    assert sorted(int(code[-5:]) for code in codes) == list(range(1, 41))
