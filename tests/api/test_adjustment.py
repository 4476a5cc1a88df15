"""A program of the data bureau drafts an adjustment, finance's approves it, and the project has the money."""

from __future__ import annotations

import io
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.core.enums import Stage
from app.models.project import Project
from app.services import funds
from tests import samples
from tests.adjustments import GENERAL, arranged, into, out, raw
from tests.api.conftest import Rest
from tests.conftest import Standing
from tests.factories import make_unit, make_user
from tests.figures import make_project
from tests.keys import program_of


@dataclass(frozen=True)
class Town:
    """Programs of a unit, of the bureau's three reviewers, of whom the first drafts, and of finance."""

    handler: Rest
    bureau: list[Rest]
    finance: Rest


@pytest.fixture(scope="module")
def town(app: Flask, standing: Standing) -> Town:
    with standing():
        unit = make_unit("市政数局(测试)")
        roles = ("bureau_reviewer", "bureau_checker", "bureau_leader")
        return Town(
            program_of(app, make_user("unit_handler", make_unit("开平市教育局(测试)"))),
            [program_of(app, make_user(role, unit)) for role in roles],
            program_of(app, make_user("finance", make_unit("市财政局(测试)"))),
        )


@pytest.fixture
def handler(town: Town) -> Rest:
    return town.handler


@pytest.fixture
def bureau(town: Town) -> list[Rest]:
    return town.bureau


@pytest.fixture
def drafter(town: Town, session: Session) -> Rest:
    return town.bureau[0]


@pytest.fixture
def finance(town: Town) -> Rest:
    return town.finance


def planned(amount: str = "1000.00") -> Project:
    return make_project(make_unit(), arranged=amount, requested="1000.00", stage=Stage.PLANNED)


def drafted(program: Rest, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = program.post("/adjustment/", raw(*lines, **fields))
    assert answer.status_code == 201, answer.json
    return answer.json["result"]


def attach(program: Rest, adjustment_id: int) -> None:
    data = {
        "owner_kind": "adjustment",
        "owner_id": str(adjustment_id),
        "category": "ADJUSTMENT",
        "file": (io.BytesIO(samples.pdf()), "调整文件.pdf"),
    }
    assert program.post("/attachment/", data=data, content_type="multipart/form-data").status_code == 201


def test_from_the_draft_to_the_money(
    session: Session, drafter: Rest, bureau: list[Rest], finance: Rest
) -> None:
    giver, taker = planned(), planned()
    row = drafted(drafter, out(giver, "300.00"), {**into(taker, "300.00"), "project_id": taker.code})
    assert [line["project_id"] for line in row["lines"]] == [giver.id, taker.id], "by id or by number"
    assert row["lines"][0]["project"] == {"code": giver.code, "title": giver.title}
    assert [(line["amount_before"], line["amount_after"]) for line in row["lines"]] == [
        ("1000.00", "700.00"),
        ("1000.00", "1300.00"),
    ]
    assert (row["out_amount"], row["in_amount"]) == ("300.00", "300.00")

    early = drafter.post(f"/adjustment/{row['id']}/submit", {"version": row["version"]})
    assert (early.status_code, set(early.json["errors"])) == (400, {"attachments.ADJUSTMENT"})
    attach(drafter, row["id"])
    # What was read may be sent back as it was.
    read = drafter.get(f"/adjustment/{row['id']}").json["result"]
    sent = drafter.put(f"/adjustment/{row['id']}", {"version": read["version"], "lines": read["lines"]})
    assert sent.status_code == 200, sent.json
    answer = drafter.post(f"/adjustment/{row['id']}/submit", {"version": sent.json["result"]["version"]})
    assert (answer.status_code, answer.json["result"]["status"]) == (200, "IN_REVIEW")

    for person in (bureau[2], finance):
        (task,) = [
            each for each in person.get("/task/?box=todo").json["result"] if each["kind"] == "adjustment"
        ]
        done = person.post(f"/task/{task['id']}/approve", {"version": task["version"], "opinion": "同意"})
        assert done.status_code == 200, done.json
    assert drafter.get(f"/adjustment/{row['id']}").json["result"]["status"] == "APPROVED"
    found = finance.get(f"/project/{giver.id}").json["result"]
    assert found["arranged_amount"] == "700.00"
    assert funds.broken_chains(session) == []


def test_a_refusal_names_the_row_and_the_figure(drafter: Rest) -> None:
    project = planned("999.99")
    row = drafted(drafter, out(project, "1000.00"), kind="WITHDRAW")
    attach(drafter, row["id"])
    answer = drafter.post(f"/adjustment/{row['id']}/submit", {"version": row["version"]})
    assert answer.status_code == 400
    ((field, (text,)),) = answer.json["errors"].items()
    assert field == "lines.0.amount"
    assert project.code in text and "999.99" in text and "1,000.00" in text


def test_a_figure_that_was_not_seen_is_refused(session: Session, drafter: Rest) -> None:
    row = drafted(drafter, out(planned(), "1.00", amount_before="2000.00"), kind="WITHDRAW")
    attach(drafter, row["id"])
    answer = drafter.post(f"/adjustment/{row['id']}/submit", {"version": row["version"]})
    assert set(answer.json["errors"]) == {"lines.0.amount_before"}


@pytest.mark.parametrize(
    "name", ["status", "out_amount", "in_amount", "code", "unit_id", "version", "created_by_id"]
)
def test_what_nobody_may_set_is_refused(drafter: Rest, name: str) -> None:
    assert drafter.post("/adjustment/", {name: "1"}).status_code == 400


@pytest.mark.parametrize("amount", [1.5, "1.005", "1e3", "-1", True, [], "９" * 40])
def test_amounts_that_cannot_be_taken(drafter: Rest, amount: object) -> None:
    line = {**out(planned(), "1"), "amount": amount}
    answer = drafter.post("/adjustment/", raw(line))
    assert (answer.status_code, set(answer.json["errors"])) == (400, {"lines.0.amount"})


def test_who_may_not(handler: Rest, finance: Rest, drafter: Rest) -> None:
    row = drafted(drafter, out(planned(), "1.00"))
    assert handler.post("/adjustment/", raw()).status_code == 403
    assert finance.post("/adjustment/", raw()).status_code == 403
    assert handler.get(f"/adjustment/{row['id']}").status_code in (403, 404)
    assert finance.get(f"/adjustment/{row['id']}").status_code == 404, "a draft is its drafters' affair"


def test_the_list_is_filtered_and_exported(drafter: Rest) -> None:
    for kind in ("ADD", "WITHDRAW"):
        line = into(planned(), "5.00") if kind == "ADD" else out(planned(), "5.00")
        row = drafted(drafter, line, kind=kind)
        attach(drafter, row["id"])
        drafter.post(f"/adjustment/{row['id']}/submit", {"version": row["version"]})
    found = drafter.ask(
        "/adjustment/", filters=[{"col": "kind", "opr": "eq", "value": "ADD"}], columns=["id", "in_amount"]
    )
    assert found.json["count"] == 1
    assert found.json["result"][0]["in_amount"] == "5.00"
    assert drafter.get("/adjustment/export").headers["X-Rows"] == "2"


def test_the_books_are_untouched_by_drafts(session: Session, drafter: Rest) -> None:
    project = planned()
    drafted(drafter, out(project, "1.00"))
    assert arranged(session, project) == Decimal("1000.00")
    assert funds.channel_balances(session, [project.id])[project.id] == {GENERAL: Decimal("1000.00")}
