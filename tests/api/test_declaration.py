"""A program declares what requirements.txt itself describes, and a new build, until both are in the plan."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.log import FieldChange
from app.models.project import Project
from tests import samples
from tests.api.conftest import LogIn, Rest
from tests.factories import make_unit


def approve(bureau: Sequence[Rest], declaration_id: int) -> None:
    """Each of the three finds his task and approves."""
    for reviewer in bureau:
        waiting = reviewer.get("/task/?box=todo").json
        assert waiting["count"] == 1, waiting
        (task,) = waiting["result"]
        assert (task["kind"], task["document_id"]) == ("declaration", declaration_id)
        answer = reviewer.post(f"/task/{task['id']}/approve", {"version": task["version"], "opinion": "同意"})
        assert answer.status_code == 200, answer.json


def project_of(session: Session, declaration_id: int) -> Project:
    session.expire_all()
    project = session.scalars(
        select(Project)
        .join(Declaration, Declaration.project_id == Project.id)
        .where(Declaration.id == declaration_id)
    ).one()
    return project


def test_the_maintenance_renewal_from_draft_to_plan(
    session: Session, handler: Rest, bureau: list[Rest]
) -> None:
    created = handler.post("/declaration/", samples.maintenance(basis_text="", lead_mobile=""))
    assert created.status_code == 201
    draft = created.json["result"]
    assert created.headers["Location"] == f"/api/v1/declaration/{draft['id']}"
    assert (draft["status"], draft["version"], draft["requested_amount"]) == ("DRAFT", 1, "31900.00")
    assert draft["unit"]["name"] == "开平市教育局(测试)"
    assert [line["amount"] for line in draft["budget_lines"]] == ["24000.00", "7800.00", "100.00"]

    early = handler.post(f"/declaration/{draft['id']}/submit", {"version": 1})
    assert early.status_code == 400
    assert set(early.json["errors"]) == {"basis_text", "lead_mobile"}

    assert handler.upload(draft["id"]).status_code == 201
    # The rows go back as they were read, with one column changed; what is not named stays.
    lines = [{**line, "spec": "含补丁"} for line in draft["budget_lines"]]
    missing = {"basis_text": "系统现有维护服务于11月30日到期。", "lead_mobile": "13800002210"}
    saved = handler.put(f"/declaration/{draft['id']}", {"version": 1, "budget_lines": lines, **missing})
    assert saved.status_code == 200, saved.json
    assert saved.json["result"]["version"] == 2
    assert {line["spec"] for line in saved.json["result"]["budget_lines"]} == {"含补丁"}
    assert saved.json["result"]["lead_name"] == "梁志明"

    submitted = handler.post(f"/declaration/{draft['id']}/submit", {"version": 2, "opinion": "请审核"})
    assert submitted.status_code == 200, submitted.json
    body = submitted.json["result"]
    assert body["status"] == "IN_REVIEW"
    assert body["project"]["code"].startswith(f"KP{samples.next_year()}YW")
    assert body["submitted_at"].endswith("+08:00")
    assert [file["name"] for file in body["attachments"]] == ["依据.pdf"]

    approve(bureau, draft["id"])
    assert handler.get(f"/declaration/{draft['id']}").json["result"]["status"] == "APPROVED"
    project = handler.get(f"/project/{body['project']['id']}").json["result"]
    assert project["construction_status"] == "PLANNED"
    assert project["requested_amount"] == samples.MAINTENANCE_AMOUNT
    plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project["id"])).one()
    assert (plan.year, plan.requested_amount) == (samples.next_year(), Decimal("31900.00"))


def test_a_new_build_with_eight_lines_and_two_channels(
    session: Session, handler: Rest, bureau: list[Rest]
) -> None:
    draft = handler.draft(samples.new_build())
    assert len(draft["budget_lines"]) == 8
    for category, name in samples.NEW_BUILD_FILES.items():
        assert handler.upload(draft["id"], category, name).status_code == 201
    answer = handler.post(f"/declaration/{draft['id']}/submit", {"version": draft["version"]})
    assert answer.status_code == 200, answer.json
    body = answer.json["result"]
    assert body["requested_amount"] == samples.NEW_BUILD_AMOUNT
    assert sum(Decimal(line["amount"]) for line in body["budget_lines"]) == Decimal(samples.NEW_BUILD_AMOUNT)
    assert [(row["channel"], row["amount"]) for row in body["funding_splits"]] == [
        ("GENERAL_BUDGET", "3950000.00"),
        ("SUPERIOR_GRANT", "1000000.00"),
    ]
    assert {len(body[name]) for name in ("schedule", "data_catalogue")} == {2}
    assert [row["weight"] for row in body["indicators"]] == ["30.00", "20.00", "30.00", "20.00"]
    approve(bureau, draft["id"])
    project = project_of(session, draft["id"])
    shown = handler.get(f"/project/{project.id}").json["result"]
    assert shown["funding"] == [
        {"channel": "GENERAL_BUDGET", "amount": "3950000.00"},
        {"channel": "SUPERIOR_GRANT", "amount": "1000000.00"},
    ]
    assert shown["funding_channel"] == ["GENERAL_BUDGET", "SUPERIOR_GRANT"]
    assert session.scalar(select(func.count(AnnualPlan.id)).where(AnnualPlan.project_id == project.id)) == 1


def test_what_is_in_the_plan_is_changed_by_nobody(handler: Rest, bureau: list[Rest]) -> None:
    record = handler.submitted()
    approve(bureau, record["id"])
    version = handler.get(f"/declaration/{record['id']}").json["result"]["version"]
    path = f"/declaration/{record['id']}"
    assert handler.put(path, {"version": version, "title": "改名"}).status_code == 409
    for verb in ("submit", "withdraw", "recycle", "restore", "purge"):
        assert handler.post(f"{path}/{verb}", {"version": version}).status_code == 409, verb
    assert handler.call("DELETE", path).status_code == 409


def test_a_stale_page_is_told_who_changed_what(log_in: LogIn, handler: Rest, office: Any) -> None:
    draft = handler.draft()
    path = f"/declaration/{draft['id']}"
    colleague = log_in("unit_handler", office, last_name="李", first_name="秀英")
    assert colleague.put(path, {"version": 1, "title": "改过的名称"}).status_code == 200
    late = handler.put(path, {"version": 1, "title": "我的名称"})
    assert late.status_code == 409
    (change,) = late.json["changes"]
    assert (change["field"], change["new"], change["by"]) == ("title", "改过的名称", "李秀英")
    assert change["at"].endswith("+08:00")
    assert handler.get(path).json["result"]["title"] == "改过的名称"
    assert handler.post(f"{path}/submit", {"version": 1}).status_code == 409


def test_changes_are_named_as_domain_md_names_them(handler: Rest) -> None:
    path = f"/declaration/{handler.draft()['id']}"
    assert handler.put(path, {"version": 1, "service_category": ["DATA_GOVERNANCE"]}).status_code == 200
    late = handler.put(path, {"version": 1, "service_category": []})
    assert [change["field"] for change in late.json["changes"]] == ["service_category"]


def test_submitting_twice_has_one_effect(session: Session, handler: Rest, bureau: list[Rest]) -> None:
    draft = handler.draft()
    handler.upload(draft["id"])
    path = f"/declaration/{draft['id']}/submit"
    first, second = (handler.post(path, {"version": draft["version"]}) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json == second.json
    assert session.scalar(select(func.count(Project.id))) == 1
    assert bureau[0].get("/task/").json["count"] == 1
    submissions = session.scalars(select(FieldChange.new).where(FieldChange.field == "status")).all()
    assert submissions == ["IN_REVIEW"]


def test_approving_twice_has_one_effect(handler: Rest, bureau: list[Rest]) -> None:
    handler.submitted()
    (task,) = bureau[0].get("/task/").json["result"]
    wish = {"version": task["version"], "opinion": "同意"}
    answers = [bureau[0].post(f"/task/{task['id']}/approve", wish) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert bureau[1].get("/task/").json["count"] == 1


def test_withdrawn_recycled_restored_purged(handler: Rest, bureau: list[Rest]) -> None:
    record = handler.submitted()
    path = f"/declaration/{record['id']}"
    for verb, status in (
        ("withdraw", "DRAFT"),
        ("recycle", "RECYCLED"),
        ("restore", "DRAFT"),
    ):
        answer = handler.post(f"{path}/{verb}", {"version": record["version"]})
        assert answer.status_code == 200, answer.json
        record = answer.json["result"]
        assert record["status"] == status
    assert bureau[0].get("/task/").json["count"] == 0, "a withdrawn declaration waits for nobody"
    assert bureau[0].get(path).status_code == 404, "a draft is the unit's own"

    deleted = handler.call("DELETE", f"{path}?version={record['version']}")
    assert (deleted.status_code, deleted.json["result"]["status"]) == (200, "RECYCLED")
    assert handler.post(f"{path}/purge", {"version": record["version"]}).status_code == 409
    gone = handler.post(f"{path}/purge", {"version": deleted.json["result"]["version"]})
    assert gone.status_code == 200
    assert handler.get(path).status_code == 404


def test_a_delete_needs_no_version_because_it_can_be_undone(handler: Rest) -> None:
    path = f"/declaration/{handler.draft()['id']}"
    assert handler.call("DELETE", path, {"version": 7}).status_code == 409
    assert handler.call("DELETE", f"{path}?version=x").status_code == 400
    assert handler.call("DELETE", path).json["result"]["status"] == "RECYCLED"


def test_returned_with_a_reason_and_submitted_again(handler: Rest, bureau: list[Rest]) -> None:
    record = handler.submitted()
    (task,) = bureau[0].get("/task/").json["result"]
    path = f"/task/{task['id']}/return"
    silent = bureau[0].post(path, {"version": task["version"]})
    assert (silent.status_code, list(silent.json["errors"])) == (400, ["opinion"])
    answer = bureau[0].post(path, {"version": task["version"], "opinion": "请补充报价"})
    assert answer.json["result"]["status"] == "RETURNED"
    record = handler.get(f"/declaration/{record['id']}").json["result"]
    assert record["status"] == "RETURNED"
    saved = handler.put(
        f"/declaration/{record['id']}", {"version": record["version"], "basis_text": "已补充"}
    )
    again = handler.post(f"/declaration/{record['id']}/submit", {"version": saved.json["result"]["version"]})
    assert again.json["result"]["status"] == "IN_REVIEW"
    assert again.json["result"]["project"] == record["project"], "it keeps its number"


def test_domain_names_and_ours_are_both_understood(handler: Rest) -> None:
    department = make_unit("主管部门(测试)")
    body = handler.draft(
        {"title": "甲", "service_category": ["DATA_GOVERNANCE"], "supervising_unit": department.id}
    )
    assert body["service_category"] == ["DATA_GOVERNANCE"]
    assert body["supervising_unit"] == {"id": department.id, "name": "主管部门(测试)"}
    refused = handler.put(
        f"/declaration/{body['id']}", {"version": 1, "service_categories": ["NOPE"], "predecessor": 99999}
    )
    assert refused.status_code == 400
    assert set(refused.json["errors"]) == {"service_categories", "predecessor"}, "as the caller named them"


def test_telephone_numbers_are_whole_inside_the_unit_only(handler: Rest, bureau: list[Rest]) -> None:
    record = handler.submitted()
    assert record["lead_mobile"] == "13800002210"
    seen = bureau[0].get(f"/declaration/{record['id']}").json["result"]
    assert seen["lead_mobile"] == "138****2210"
    assert "13900003320" not in bureau[0].get("/declaration/").text


@pytest.mark.parametrize(
    "extra",
    [
        {"status": "APPROVED"},
        {"unit_id": 1},
        {"unit": {"id": 1}},
        {"approved_amount": "1.00"},
        {"created_by": 1},
        {"created_by_id": 1},
        {"id": 7},
        {"code": "SB2027-99999"},
        {"project_id": 1},
        {"submitted_at": "2027-01-01T00:00:00+08:00"},
        {"autosave_page": "x"},
        {"draft_input": {}},
        {"__class__": "x"},
        {"budget_lines": [{"declaration_id": 1}]},
    ],
)
def test_nothing_is_set_that_is_not_the_units_to_set(
    session: Session, handler: Rest, extra: dict[str, Any]
) -> None:
    refused = handler.post("/declaration/", {**samples.maintenance(), **extra})
    assert refused.status_code == 400
    (name,) = refused.json["errors"]
    assert name.partition(".")[0] == next(iter(extra))
    assert session.scalar(select(func.count(Declaration.id))) == 0
    draft = handler.draft()
    assert handler.put(f"/declaration/{draft['id']}", {"version": 1, **extra}).status_code == 400
    assert handler.get(f"/declaration/{draft['id']}").json["result"] == draft
