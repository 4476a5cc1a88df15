"""The task centre for programs: four boxes, one task, every reviewer's verb."""

from __future__ import annotations

from typing import Any

import pytest

from app.models.unit import Unit
from tests.api.conftest import LogIn, Rest


@pytest.fixture
def task(handler: Rest, bureau: list[Rest]) -> dict[str, Any]:
    """The first reviewer's task on a declaration just submitted."""
    handler.submitted()
    (found,) = bureau[0].get("/task/?box=todo").json["result"]
    return bureau[0].get(f"/task/{found['id']}").json["result"]


def do(who: Rest, task: dict[str, Any], verb: str, **wish: Any) -> Any:
    return who.post(f"/task/{task['id']}/{verb}", {"version": task["version"], **wish})


def test_one_task_says_what_may_be_done(task: dict[str, Any]) -> None:
    assert task["step"]["name_zh"] == "初审"
    assert (task["state"], task["kind"], task["run_state"]) == ("OPEN", "declaration", "RUNNING")
    assert task["amount"] == "31900.00"
    assert {"approve", "return", "reject", "transfer", "copy_to", "save_opinion"} <= set(task["verbs"])
    assert task["may_return_to_applicant"] and task["may_edit"]
    assert task["unit"]["id"] and task["started_by"]["name"] == "陈晓琳"
    assert task["due_at"].endswith("+08:00")


def test_the_four_boxes(handler: Rest, bureau: list[Rest], task: dict[str, Any]) -> None:
    started = handler.get("/task/?box=started").json
    assert [(row["id"], row["document_id"]) for row in started["result"]] == [(None, task["document_id"])]
    assert do(bureau[0], task, "copy_to", to_user=bureau[2].user.id).status_code == 200
    copied = bureau[2].get("/task/?box=copied").json["result"]
    assert [(row["title"], row["read_at"]) for row in copied] == [(task["title"], None)]
    task = bureau[0].get(f"/task/{task['id']}").json["result"]
    assert do(bureau[0], task, "approve", opinion="同意").status_code == 200
    assert bureau[0].get("/task/?box=todo").json["count"] == 0
    (done,) = bureau[0].get("/task/?box=done").json["result"]
    assert (done["id"], done["decision"]) == (task["id"], "approve")
    assert bureau[1].get("/task/").json["count"] == 1, "the first box is what is to be done"


def test_boxes_are_filtered_ordered_and_paged(bureau: list[Rest], task: dict[str, Any]) -> None:
    who = bureau[0]
    for box in ("todo", "done", "started", "copied"):
        assert who.get(f"/task/?box={box}&order_column=code&page_size=1").status_code == 200
        assert who.get(f"/task/?box={box}&order_column=decision").status_code == 200
    assert who.get("/task/?step.code=first_review").json["count"] == 1
    assert who.get("/task/?step.code=final_review").json["count"] == 0
    over = [{"col": "amount", "opr": "gt", "value": "31900.00"}]
    assert who.ask("/task/", filters=over).json["count"] == 0
    assert who.get("/task/?started_by.name=x").status_code == 400


def test_an_unknown_box_is_refused(handler: Rest) -> None:
    answer = handler.get("/task/?box=everything")
    assert (answer.status_code, list(answer.json["errors"])) == (400, ["box"])


def test_an_opinion_is_kept_and_shown_again(bureau: list[Rest], task: dict[str, Any]) -> None:
    assert do(bureau[0], task, "save_opinion", opinion="待核实报价").status_code == 200
    assert bureau[0].get(f"/task/{task['id']}").json["result"]["saved_opinion"] == "待核实报价"


def test_transferred_and_taken_over(log_in: LogIn, bureau: list[Rest], task: dict[str, Any]) -> None:
    colleague = log_in("bureau_reviewer", None)
    assert do(bureau[0], task, "transfer").json["errors"]["to_user"]
    answer = do(bureau[0], task, "transfer", to_user=colleague.user.id, opinion="请代为审核")
    assert answer.status_code == 200, answer.json
    assert bureau[0].get("/task/").json["count"] == 0
    (theirs,) = colleague.get("/task/").json["result"]
    assert do(colleague, theirs, "approve").status_code == 200


def test_returned_to_an_earlier_step(bureau: list[Rest], task: dict[str, Any]) -> None:
    assert do(bureau[0], task, "approve").status_code == 200
    (second,) = bureau[1].get("/task/").json["result"]
    second = bureau[1].get(f"/task/{second['id']}").json["result"]
    assert [step["code"] for step in second["return_to"]] == ["first_review"]
    nowhere = do(bureau[1], second, "return", opinion="请复核", to_step="nowhere")
    assert (nowhere.status_code, list(nowhere.json["errors"])) == (400, ["to_step"])
    answer = do(bureau[1], second, "return", opinion="请复核", to_step="first_review")
    assert answer.json["result"]["step"]["code"] == "first_review"
    assert bureau[0].get("/task/").json["count"] == 1


def test_a_stale_task_is_409(handler: Rest, bureau: list[Rest], task: dict[str, Any]) -> None:
    old = {**task, "version": task["version"] + 7}
    assert do(bureau[0], old, "approve").status_code == 409


def test_taken_back_while_nobody_has_gone_on(bureau: list[Rest], task: dict[str, Any]) -> None:
    assert do(bureau[0], task, "approve").status_code == 200
    (done,) = bureau[0].get("/task/?box=done").json["result"]
    answer = do(bureau[0], done, "take_back")
    assert answer.status_code == 200, answer.json
    assert bureau[0].get("/task/").json["count"] == 1
    assert bureau[1].get("/task/").json["count"] == 0


def test_an_administrator_reassigns_without_having_read(
    log_in: LogIn, bureau: list[Rest], task: dict[str, Any], office: Unit
) -> None:
    administrator = log_in("sys_admin")
    colleague = log_in("bureau_reviewer", None)
    assert administrator.get(f"/task/{task['id']}").status_code == 404
    wish = {"version": task["version"], "to_user": colleague.user.id, "opinion": "原审核人出差"}
    answer = administrator.post(f"/task/{task['id']}/reassign", wish)
    assert answer.status_code == 200, answer.json
    assert colleague.get("/task/").json["count"] == 1
    assert administrator.post(f"/task/{task['id']}/approve", wish).status_code in (403, 404)
