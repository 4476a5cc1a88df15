"""An office for each test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.models.dictionary import RuleParameter
from app.services.unit_of_work import unit_of_work
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, declarations_for_tests


@pytest.fixture
def office(session: Session) -> Iterator[Office]:
    """A unit with a handler, and declarations whose outcomes only take notes."""
    with declarations_for_tests() as outcomes:
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)


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
