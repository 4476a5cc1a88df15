"""A program changes a project: both sides, what forbids it, review by programs, the project afterwards."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import Stage
from app.models.project import Project
from app.services import review
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.api.conftest import Rest
from tests.change import REASONS, planned_project
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.keys import program_of


@dataclass(frozen=True)
class Town:
    """Two units' programs, those of the bureau's three reviewers, and a planned project of the first unit."""

    handler: Rest
    stranger: Rest
    bureau: list[Rest]
    project: Project


@pytest.fixture(scope="module")
def town(app: Flask, standing: Standing) -> Town:
    with standing():
        handler = make_user(
            "unit_handler", make_unit("开平市教育局(测试)"), last_name="陈", first_name="晓琳"
        )
        stranger = make_user("unit_handler", make_unit("开平市水利局(测试)"))
        unit = make_unit("市政数局(测试)")
        people = {
            "first": make_user("bureau_reviewer", unit),
            "recheck": make_user("bureau_checker", unit),
            "final": make_user("bureau_leader", unit),
        }
        actors = {step: actor_of(user) for step, user in people.items()}
        return Town(
            program_of(app, handler),
            program_of(app, stranger),
            [program_of(app, user) for user in people.values()],
            planned_project(actor_of(handler), actors),
        )


@pytest.fixture
def handler(town: Town, session: Session) -> Rest:
    return town.handler


@pytest.fixture
def stranger(town: Town) -> Rest:
    return town.stranger


@pytest.fixture
def bureau(town: Town) -> list[Rest]:
    return town.bureau


@pytest.fixture
def project(town: Town) -> Project:
    return town.project


BODY = {
    "kinds": ["CONTENT"],
    "change_content": REASONS["content"],
    "change_reason": "DEMAND",
    "reason_text": REASONS["reason_text"],
    "performance_effect": REASONS["performance_effect"],
}


def upload(handler: Rest, change_id: int, category: str) -> None:
    data = {
        "owner_kind": "change",
        "owner_id": str(change_id),
        "category": category,
        "file": (io.BytesIO(samples.pdf(category)), f"{category}.pdf"),
    }
    answer = handler.post("/attachment/", data=data, content_type="multipart/form-data")
    assert answer.status_code == 201, answer.json


def test_from_the_project_to_its_new_state(
    session: Session, handler: Rest, bureau: list[Rest], project: Project
) -> None:
    was = project.title
    created = handler.post("/change/", {"project_id": project.id, "title": "新名称", **BODY})
    assert created.status_code == 201, created.json
    row = created.json["result"]
    assert created.headers["Location"] == f"/api/v1/change/{row['id']}"
    assert row["items"] == [{"field": "title", "before": was, "after": "新名称"}]
    assert (row["before"]["title"], row["after"]["title"]) == (was, "新名称")
    assert (row["amount_delta"], row["change_ratio"]) == ("0.00", "0.00")

    early = handler.post(f"/change/{row['id']}/submit", {"version": row["version"]})
    assert early.status_code == 400
    assert set(early.json["errors"]) == {"attachments.CHANGE_LETTER", "attachments.CHANGE_SCHEME"}
    for category in ("CHANGE_LETTER", "CHANGE_SCHEME"):
        upload(handler, row["id"], category)

    saved = handler.put(f"/change/{row['id']}", {"version": row["version"], "change_content": "改名。"})
    assert saved.status_code == 200, saved.json
    submitted = handler.post(f"/change/{row['id']}/submit", {"version": saved.json["result"]["version"]})
    assert submitted.status_code == 200, submitted.json
    assert submitted.json["result"]["status"] == "IN_REVIEW"

    for person in (bureau[0], bureau[2]):
        (task,) = [each for each in person.get("/task/?box=todo").json["result"] if each["kind"] == "change"]
        answer = person.post(f"/task/{task['id']}/approve", {"version": task["version"], "opinion": "同意"})
        assert answer.status_code == 200, answer.json
    done = handler.get(f"/change/{row['id']}").json["result"]
    assert done["status"] == "APPROVED"
    assert handler.get(f"/project/{project.id}").json["result"]["title"] == "新名称"
    assert done["applied_version"] is not None


def test_a_second_one_is_refused_naming_the_first(handler: Rest, project: Project) -> None:
    first = handler.post("/change/", {"project_id": project.id}).json["result"]
    again = handler.post("/change/", {"project_id": project.id})
    assert again.status_code == 409
    assert first["code"] in again.json["message"]


def test_a_closed_project_and_another_units(handler: Rest, stranger: Rest, project: Project) -> None:
    assert stranger.post("/change/", {"project_id": project.id}).status_code == 404
    with unit_of_work(SYSTEM) as session:
        session.get_one(Project, project.id).stage = Stage.CLOSED
    refused = handler.post("/change/", {"project_id": project.id})
    assert refused.status_code == 400
    assert project.code in refused.json["errors"]["project_id"][0]


def test_what_nobody_may_set_is_refused(handler: Rest, project: Project) -> None:
    for name in ("status", "amount_delta", "base_version", "applied_at", "unit_id", "arranged_amount"):
        answer = handler.post("/change/", {"project_id": project.id, name: "1"})
        assert answer.status_code == 400, name
        assert name in answer.json["errors"]


def test_another_units_request_is_not_there(handler: Rest, stranger: Rest, project: Project) -> None:
    row = handler.post("/change/", {"project_id": project.id, **BODY}).json["result"]
    assert stranger.get(f"/change/{row['id']}").status_code == 404
    assert stranger.put(f"/change/{row['id']}", {"version": 1, "title": "x"}).status_code == 404
    assert stranger.get("/change/").json["count"] == 0
    assert handler.get("/change/").json["count"] == 1


def test_a_reviewer_reads_masked_telephones(handler: Rest, bureau: list[Rest], project: Project) -> None:
    row = handler.post("/change/", {"project_id": project.id, "lead_mobile": "13900001234", **BODY})
    number = row.json["result"]["id"]
    for category in ("CHANGE_LETTER", "CHANGE_SCHEME"):
        upload(handler, number, category)
    version = handler.get(f"/change/{number}").json["result"]["version"]
    assert handler.post(f"/change/{number}/submit", {"version": version}).status_code == 200
    seen = bureau[0].get(f"/change/{number}").text
    assert "13900001234" not in seen
    assert "13900001234" in handler.get(f"/change/{number}").text
    assert review.open_task(actor_of(bureau[0].user), "change", number) is not None
