"""One project, several hands in one moment: one open request, one approval, and nothing applied over what
changed meanwhile. On PostgreSQL they wait for row locks, on SQLite for the one writer's lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, DomainError
from app.extensions import db
from app.models.annual_plan import AnnualPlan
from app.models.change import ChangeRequest
from app.models.log import FieldChange
from app.models.project import Project
from app.services import annual_plan, change, review
from app.services.change import draft
from app.services.unit_of_work import current_session, unit_of_work
from tests.change import approve, make_bureau, planned_project, submitted
from tests.conftest import OwnDatabase
from tests.factories import make_actor, make_unit

CROWD = 12


@pytest.fixture(scope="module")
def server(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose transactions are real and seen by other connections."""
    with own_database("changing") as app:
        yield app


@dataclass(frozen=True)
class Scene:
    """A planned project, its handler, and the bureau with a second director."""

    handler: Actor
    bureau: dict[str, Actor]
    project_id: int

    @property
    def project(self) -> Project:
        current_session().rollback()
        return current_session().get_one(Project, self.project_id, populate_existing=True)


@pytest.fixture
def scene(server: Flask) -> Iterator[Scene]:
    with server.app_context():
        bureau = make_bureau()
        handler = make_actor("unit_handler", make_unit())
        project = planned_project(handler, bureau)
        yield Scene(handler, bureau, project.id)
        db.session.remove()


def at_once(server: Flask, deeds: list[Callable[[], object]]) -> list[DomainError | None]:
    """Do all of it at the same moment, each with a connection of its own; what was refused, and how."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], object]) -> DomainError | None:
        with server.app_context():
            start.wait(timeout=30)
            try:
                deed()
            except DomainError as refused:
                return refused
            finally:
                db.session.remove()
            return None

    current_session().rollback()
    with ThreadPoolExecutor(len(deeds)) as crowd:
        return list(crowd.map(do, deeds))


def approval(person: Actor, row: ChangeRequest) -> Callable[[], object]:
    """The approval of whoever has the request before him, as read before the rush."""
    task = review.open_task(person, "change", row.id)
    assert task is not None
    return partial(review.act, person, task.id, "approve", version=task.version, opinion="同意。")


def test_many_begin_a_change_of_one_project_and_one_is_begun(server: Flask, scene: Scene) -> None:
    answers = at_once(server, [partial(change.create, scene.handler, scene.project_id)] * CROWD)

    assert sum(answer is None for answer in answers) == 1
    assert all(isinstance(answer, Conflict) for answer in answers if answer is not None)
    current_session().rollback()
    begun = select(func.count()).where(ChangeRequest.project_id == scene.project_id)
    assert current_session().scalar(begun) == 1


def test_many_clicks_on_the_last_approval_apply_it_once(server: Flask, scene: Scene) -> None:
    was = scene.project.version
    row = submitted(scene.handler, scene.project, title="新名称")
    approve(scene.bureau, row, "first")

    answers = at_once(server, [approval(scene.bureau["final"], row)] * CROWD)

    # The engine takes a repeated click for the same deed; whatever it answers, it is done once.
    assert any(answer is None for answer in answers)
    assert (scene.project.version, scene.project.title) == (was + 1, "新名称")
    kept = select(func.count()).where(
        FieldChange.noun == "project", FieldChange.row_id == scene.project_id, FieldChange.field == "title"
    )
    assert current_session().scalar(kept) == 1


def test_of_two_documents_that_change_one_project_at_once_the_second_is_refused(
    server: Flask, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a change and an adjustment might. Two open requests are not possible otherwise."""
    was = scene.project.version
    with unit_of_work(SYSTEM) as session:
        session.execute(text("DROP INDEX uq_change_request_open"))
    monkeypatch.setattr(draft, "_refuse_second", lambda *_: None)
    rows = [submitted(scene.handler, scene.project, title=title) for title in ("甲名称", "乙名称")]
    for row in rows:
        approve(scene.bureau, row, "first")

    answers = at_once(server, [approval(scene.bureau["final"], row) for row in rows])

    (refused,) = [answer for answer in answers if answer is not None]
    assert isinstance(refused, Conflict)
    assert refused.params["field"] == "Project title"
    assert scene.project.version == was + 1
    current_session().rollback()
    states = current_session().scalars(
        select(ChangeRequest.status).where(ChangeRequest.project_id == scene.project_id)
    )
    assert sorted(states) == [DocumentStatus.APPROVED, DocumentStatus.IN_REVIEW]
    winner = (
        current_session()
        .scalars(
            select(ChangeRequest).where(
                ChangeRequest.project_id == scene.project_id, ChangeRequest.applied_version.is_not(None)
            )
        )
        .one()
    )
    assert (
        scene.project.title
        == {row.id: title for row, title in zip(rows, ("甲名称", "乙名称"), strict=True)}[winner.id]
    )


def test_an_approval_beside_a_new_budget_is_never_applied_over_it(server: Flask, scene: Scene) -> None:
    row = submitted(scene.handler, scene.project, title="新名称")
    approve(scene.bureau, row, "first")
    current_session().rollback()
    plan = (
        current_session().scalars(select(AnnualPlan).where(AnnualPlan.project_id == scene.project_id)).one()
    )
    arrange = partial(annual_plan.arrange, scene.bureau["finance"], scene.project_id, plan.version, "3000000")

    approved, arranged = at_once(server, [approval(scene.bureau["final"], row), arrange])

    assert arranged is None
    assert f"{scene.project.arranged_amount:.2f}" == "3000000.00"
    if approved is None:
        assert scene.project.title == "新名称"
    else:
        assert isinstance(approved, Conflict)
        assert approved.params["field"] == "Arranged budget"
        assert scene.project.title != "新名称"
