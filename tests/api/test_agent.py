"""A program names an agent, who then does the tasks; and moves of a document that the pages have too."""

from __future__ import annotations

from typing import Any

from app.core.workdays import today_in_china
from app.models.base import utcnow
from tests.api.conftest import LogIn, Rest
from tests.api.test_task import do, task

__all__ = ["task"]


def _days() -> dict[str, str]:
    today = today_in_china(utcnow()).isoformat()
    return {"date_from": today, "date_to": today}


def test_an_agent_is_named_acts_and_is_revoked(
    log_in: LogIn,
    bureau: list[Rest],
    task: dict[str, Any],
) -> None:
    absent, agent = bureau[0], log_in("bureau_checker", None)
    named = absent.post("/agent/", {"agent": agent.user.id, **_days()})
    assert named.status_code == 201, named.json
    result = named.json["result"]
    assert result["principal"]["id"] == absent.user.id
    assert result["agent"]["name"] == agent.user.full_name
    assert agent.get("/agent/").json["count"] == 1
    assert log_in("bureau_checker", None).get("/agent/").json["count"] == 0
    assert agent.get("/task/").json["ids"] == [task["id"]]
    ring = agent.post("/agent/", {"agent": absent.user.id, **_days()})
    assert ring.status_code == 409
    assert do(agent, task, "approve").status_code == 200
    one = agent.get(f"/task/{task['id']}").json["result"]
    assert one["acted_by"]["id"] == agent.user.id
    assert agent.post(f"/agent/{result['id']}/revoke", {}).status_code == 403
    assert absent.post(f"/agent/{result['id']}/revoke", {}).status_code == 200
    assert absent.post(f"/agent/{result['id']}/revoke", {}).status_code == 409


def test_what_is_wrong_is_said_by_field(log_in: LogIn, bureau: list[Rest]) -> None:
    viewer = log_in("viewer_stats", None)
    for wish, field in (
        ({"agent": viewer.user.id, **_days()}, "agent"),
        ({"agent": bureau[1].user.id, **_days(), "date_to": "2020-01-01"}, "date_to"),
        ({"agent": bureau[1].user.id, **_days(), "date_from": "gestern"}, "date_from"),
        (_days(), "agent"),
    ):
        refused = bureau[0].post("/agent/", wish)
        assert refused.status_code == 400
        assert field in refused.json["errors"]
    others = {"agent": bureau[1].user.id, "principal": bureau[0].user.id, **_days()}
    assert bureau[1].post("/agent/", {**others, "agent": bureau[2].user.id}).status_code == 404
    assert log_in("sys_admin").post("/agent/", others).status_code == 201


def test_urged_by_its_unit_once_and_terminated_by_who_may(
    handler: Rest,
    bureau: list[Rest],
    task: dict[str, Any],
) -> None:
    path = f"/declaration/{task['document_id']}"
    assert handler.post(f"{path}/urge", {}).status_code == 200
    assert handler.post(f"{path}/urge", {}).status_code == 409
    assert bureau[0].post(f"{path}/urge", {}).status_code == 403
    assert handler.post(f"{path}/terminate", {"opinion": "试试"}).status_code == 403
    missing = bureau[0].post(f"{path}/terminate", {})
    assert missing.status_code == 400 and "opinion" in missing.json["errors"]
    ended = bureau[0].post(f"{path}/terminate", {"opinion": "项目不再建设"})
    assert (ended.status_code, ended.json["result"]["status"]) == (200, "TERMINATED")
