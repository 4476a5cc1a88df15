"""The same with real declarations: whatever people try, the project is at exactly one stage, the one its
declaration stands for, and enters the annual plan once, when it is approved."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import DomainError
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.project import Project
from app.services.unit_of_work import current_session
from tests.conftest import anew
from tests.workflow.support import Office, publish_flow
from tests.workflow.test_invariants import SUBMIT, Move, flows, moves, resubmitted_to, steps_of, try_move

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
def office(open_office: Office, session: Session) -> Office:
    """A unit with a handler, and declarations as they are."""
    return open_office


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(flow=flows(), tried=st.lists(moves, min_size=5, max_size=20))
def test_a_project_is_at_the_stage_its_declaration_stands_for(
    app: Flask, office: Office, everybody: list[Actor], flow: list[dict[str, Any]], tried: list[Move]
) -> None:
    with anew(app):
        resubmitted_to("FIRST_STEP")
        publish_flow(*steps_of(flow, everybody))
        declaration = office.draft(amount="2000000.00")
        for move in [SUBMIT, *tried]:
            try:
                try_move(office, everybody, declaration, move)
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
