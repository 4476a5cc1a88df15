"""The same with real declarations: whatever people try, the project is at exactly one stage, the one its
declaration stands for, and enters the annual plan once, when it is approved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import DomainError
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.project import Project
from app.services.unit_of_work import current_session
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, Outcomes, publish_flow, step
from tests.workflow.test_invariants import (
    _REVIEWERS,
    Move,
    _begin_anew,
    _fields,
    _officials,
    _try,
    flows,
    moves,
)

_STAGE = {
    DocumentStatus.DRAFT: Stage.DECLARED,
    DocumentStatus.IN_REVIEW: Stage.DECLARED,
    DocumentStatus.RETURNED: Stage.DECLARED,
    DocumentStatus.APPROVED: Stage.PLANNED,
    DocumentStatus.REJECTED: Stage.REJECTED,
    DocumentStatus.TERMINATED: Stage.TERMINATED,
}
_SHOWN = {
    Stage.DECLARED: ConstructionStatus.DECLARING,
    Stage.PLANNED: ConstructionStatus.PLANNED,
    Stage.REJECTED: ConstructionStatus.NOT_APPROVED,
    Stage.TERMINATED: ConstructionStatus.TERMINATED,
}


@pytest.fixture
def office(session: Session) -> Office:
    """A unit with a handler, and declarations as they are."""
    unit = make_unit()
    return Office(unit, make_actor("unit_handler", unit), Outcomes())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(flow=flows(), tried=st.lists(moves, min_size=5, max_size=20))
def test_a_project_is_at_the_stage_its_declaration_stands_for(
    office: Office, flow: list[dict[str, Any]], tried: list[Move]
) -> None:
    people = [*office.people(_REVIEWERS), office.handler, *_officials(office)]
    _begin_anew(office, people, "FIRST_STEP")
    publish_flow(
        *(
            step(f"s{number}", *(people[person] for person in one["reviewers"]), **_fields(one))
            for number, one in enumerate(flow, start=1)
        )
    )
    declaration = office.draft(amount="2000000.00")
    for move in [Move("submit", _REVIEWERS, 0, 0, "AFTER", "anybody"), *tried]:
        try:
            _try(office, people, declaration, move)
        except DomainError as refused:
            note(f"{move.verb} by {move.actor}: refused, {refused.message}")
        else:
            note(f"{move.verb} by {move.actor}: done")
        _check(office.document(declaration))


def _check(declaration: Declaration) -> None:
    session = current_session()
    if declaration.project_id is None:
        assert declaration.status is DocumentStatus.DRAFT, "whatever was submitted has a project"
        return
    own = select(func.count()).where(Declaration.project_id == declaration.project_id)
    assert session.scalar(own) == 1
    project = session.get(Project, declaration.project_id, populate_existing=True)
    assert project is not None
    assert project.stage is _STAGE[declaration.status]
    assert project.construction_status is _SHOWN[project.stage]
    plans = select(func.count()).select_from(AnnualPlan).where(AnnualPlan.project_id == project.id)
    assert session.scalar(plans) == (declaration.status is DocumentStatus.APPROVED)
