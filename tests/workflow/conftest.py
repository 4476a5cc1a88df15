"""An office that every test finds as it was opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.models.dictionary import RuleParameter
from app.services.unit_of_work import unit_of_work
from tests.conftest import Standing
from tests.factories import make_actor, make_unit
from tests.workflow.support import REVIEWERS, Office, Outcomes, declarations_for_tests


@pytest.fixture(scope="module")
def open_office(standing: Standing) -> Office:
    """A unit with a handler, and six reviewers to choose from."""
    with standing():
        unit = make_unit()
        office = Office(unit, make_actor("unit_handler", unit), Outcomes())
        office.people(REVIEWERS)
        return office


@pytest.fixture
def office(open_office: Office, session: Session) -> Iterator[Office]:
    """A test's own, with declarations whose outcomes only take notes."""
    with declarations_for_tests() as outcomes:
        yield replace(open_office, outcomes=outcomes, reviewers=[*open_office.reviewers])


@pytest.fixture(scope="module")
def everybody(open_office: Office, standing: Standing) -> list[Actor]:
    """The reviewers, the handler, somebody with both parts, the administrator, and who may end a review."""
    with standing():
        others = ("unit_handler,bureau_checker", "sys_admin", "bureau_leader")
        return [*open_office.reviewers, open_office.handler, *map(open_office.person, others)]


@pytest.fixture
def returning_step(session: Session) -> None:
    """A resubmitted document goes to the step that returned it."""
    with unit_of_work(SYSTEM) as work:
        work.add(
            RuleParameter(
                key="review.resubmit_target",
                value="RETURNING_STEP",
                label_zh="退回后重新提交到",
                label_en="A resubmitted document goes to",
                effective_from=dt.date(2025, 1, 1),
            )
        )
