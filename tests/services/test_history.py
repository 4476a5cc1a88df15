"""Versions of a declaration through its review, and any two of them compared."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import UnitKind
from app.core.errors import NotFound
from app.models.declaration import Declaration
from app.models.flow import Task
from app.models.history import DocumentVersion
from app.models.project import Project
from app.services import declaration, history, review
from app.services.access import actor_for
from app.services.history import Mark, VersionEvent, compare
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import make_actor, make_unit

KIND = Declaration.document_kind
_DESCRIBED = history.described(KIND)
assert _DESCRIBED is not None
DESCRIBED = _DESCRIBED


@pytest.fixture
def handler(session: Session) -> Actor:
    """A handler whose declarations somebody reviews."""
    bureau = make_unit("市政务服务和数据管理局", kind=UnitKind.DATA_BUREAU)
    for role in ("bureau_reviewer", "bureau_checker", "bureau_leader"):
        make_actor(role, bureau)
    unit = make_unit("市水利局")
    make_actor("unit_leader", unit)
    return make_actor("unit_handler", unit)


def _submit(handler: Actor, **changes: Any) -> Declaration:
    draft = declaration.create(handler, samples.maintenance(**changes))
    return declaration.submit(handler, draft.id, draft.version)


def _reviewer(session: Session, row: Declaration) -> tuple[Actor, Task]:
    task = session.scalars(select(Task).where(Task.run.has(document_id=row.id), Task.state == "OPEN")).first()
    assert task is not None
    return actor_for(session, task.user_id), task


def _events(session: Session, actor: Actor, row: Declaration) -> list[str]:
    return [version.event for version in reversed(history.versions_of(session, actor, KIND, row.id))]


def _return(session: Session, row: Declaration) -> None:
    reviewer, task = _reviewer(session, row)
    review.act(reviewer, task.id, "return", version=task.version, opinion="请补充。")
    session.refresh(row)


def test_a_version_is_kept_at_every_submission_and_at_the_approval(handler: Actor, session: Session) -> None:
    row = _submit(handler)
    _return(session, row)
    declaration.save(handler, row.id, row.version, samples.maintenance(title="改过的题目"))
    declaration.submit(handler, row.id, row.version)
    while row.status == "IN_REVIEW":
        reviewer, task = _reviewer(session, row)
        review.act(reviewer, task.id, "approve", version=task.version, opinion="同意。")
        session.refresh(row)
    assert _events(session, handler, row) == ["SUBMITTED", "RESUBMITTED", "APPROVED"]
    approved = session.scalars(select(DocumentVersion).where(DocumentVersion.event == "APPROVED")).one()
    assert (approved.content, approved.same_as) == (None, 2)
    assert approved.user_name
    _, second, third = history.pair(handler, KIND, row.id, 2, 3)
    assert second.content == third.content


def test_two_versions_differ_in_fields_cells_rows_and_files(handler: Actor, session: Session) -> None:
    row = _submit(handler)
    _return(session, row)
    sample = samples.maintenance(title="政务信息化服务项目管理系统运行维护服务", requested_amount="32900.00")
    first, second, _ = sample["budget_lines"]
    sample["budget_lines"] = [
        {**first, "quantity": "11"},
        {**second, "spec": "5×8小时"},
        {**second, "name": "安全加固", "quantity": "1", "unit_price": "3100.00"},
    ]
    sample["funding_splits"] = [{"channel": "GENERAL_BUDGET", "amount": "32900.00"}]
    declaration.save(handler, row.id, row.version, sample)
    declaration.submit(handler, row.id, row.version)
    _, old, new = history.pair(handler, KIND, row.id, 1, 2)
    found = compare(DESCRIBED, old.content, new.content)
    changed = {pair.part.name: (pair.old, pair.new) for pair in found.fields if pair.mark is not Mark.SAME}
    assert changed == {
        "title": (row_title(old), "政务信息化服务项目管理系统运行维护服务"),
        "requested_amount": ("31900.00", "32900.00"),
    }
    lines = next(table for table in found.tables if table.table.name == "budget_lines")
    assert [(line.mark, line.old_no, line.new_no) for line in lines.rows] == [
        (Mark.CHANGED, 1, 1),
        (Mark.CHANGED, 2, 2),
        (Mark.REMOVED, 3, None),
        (Mark.ADDED, None, 3),
    ]
    cells = {cell.part.name: (cell.old, cell.new) for cell in lines.rows[0].cells if cell.old != cell.new}
    assert cells == {"quantity": ("12", "11"), "amount": ("24000.00", "22000.00")}
    splits = next(table for table in found.tables if table.table.name == "funding_splits")
    assert [line.mark for line in splits.rows] == [Mark.CHANGED]
    assert found.differences == 2 + 4 + 1


def row_title(kept: history.Kept) -> str:
    """The title in a version."""
    return str(kept.content["fields"]["title"])


def test_rows_that_only_moved_are_the_same_and_a_row_taken_out_is_one_difference() -> None:
    lines = [{"name": f"第{number}项", "amount": f"{number}.00"} for number in range(1, 5)]
    content = {"fields": {}, "tables": {"budget_lines": lines}, "files": []}
    moved = {**content, "tables": {"budget_lines": [lines[3], lines[0], lines[2]]}}
    table = next(
        each for each in compare(DESCRIBED, content, moved).tables if each.table.name == "budget_lines"
    )
    marks = [(row.mark, row.old_no, row.new_no) for row in table.rows]
    assert sorted(marks, key=lambda mark: str(mark)) == sorted(
        [
            (Mark.SAME, 4, 1),
            (Mark.SAME, 1, 2),
            (Mark.REMOVED, 2, None),
            (Mark.SAME, 3, 3),
        ],
        key=lambda mark: str(mark),
    )


def test_files_added_replaced_and_removed() -> None:
    def file(name: str, digest: str) -> dict[str, Any]:
        return {"category": "BASIS", "name": name, "size": 9, "sha256": digest}

    old = {"files": [file("a.pdf", "1"), file("b.pdf", "2"), file("c.pdf", "3")]}
    new = {"files": [file("a.pdf", "1"), file("b.pdf", "9"), file("d.pdf", "4")]}
    found = compare(DESCRIBED, old, new).files
    assert {(each.name, each.mark) for each in found} == {
        ("a.pdf", Mark.SAME),
        ("b.pdf", Mark.CHANGED),
        ("c.pdf", Mark.REMOVED),
        ("d.pdf", Mark.ADDED),
    }


def test_a_reviewers_edit_is_a_version_of_its_own(handler: Actor, session: Session) -> None:
    row = _submit(handler)
    reviewer, task = _reviewer(session, row)
    while not review.may_edit_now(session, reviewer, row, row.id):
        review.act(reviewer, task.id, "approve", version=task.version, opinion="同意。")
        reviewer, task = _reviewer(session, row)
    session.refresh(row)
    declaration.reviewer_edit(reviewer, row.id, row.version, {"title": "审核人改过的题目"}, "按目录规范")
    assert _events(session, handler, row) == ["SUBMITTED", "AMENDED"]
    _, _, amended = history.pair(handler, KIND, row.id, 1, 2)
    assert amended.version.user_name == reviewer.name


def test_versions_are_read_through_their_document(handler: Actor, session: Session) -> None:
    row = _submit(handler)
    stranger = make_actor("unit_handler", make_unit("市教育局"))
    assert history.versions_of(session, stranger, KIND, row.id) == []
    with pytest.raises(NotFound):
        history.pair(stranger, KIND, row.id, 1, 1)
    with pytest.raises(NotFound):
        history.pair(handler, KIND, row.id, 1, 7)
    with pytest.raises(NotFound):
        history.pair(handler, "unit", row.id, 1, 1)


@pytest.mark.parametrize("verb", ["UPDATE document_version SET no = 9", "DELETE FROM document_version"])
def test_the_database_itself_keeps_versions_from_being_changed(
    handler: Actor, session: Session, verb: str
) -> None:
    _submit(handler)
    with pytest.raises(DBAPIError, match="append-only"):
        session.execute(text(verb))
    session.rollback()


def test_a_projects_versions_name_its_unit_and_stage(handler: Actor, session: Session) -> None:
    project = _submit(handler).project_id
    with unit_of_work(handler) as work:
        row = work.get_one(Project, project)
        history.keep(work, handler, row, VersionEvent.SUBMITTED)
        row.title = "改名"
        history.keep(work, handler, row, VersionEvent.CHANGED)
    _, first, second = history.pair(handler, "project", project, 1, 2)
    assert first.content["fields"]["unit_id"] == "市水利局"
    assert first.content["fields"]["stage"] == "DECLARED"
    assert first.content["tables"]["funding"] == [{"channel": "GENERAL_BUDGET", "amount": "31900.00"}]
    assert second.content["fields"]["title"] == "改名"


def test_open_documents_from_before_are_given_their_first_version(handler: Actor, session: Session) -> None:
    row = _submit(handler)
    table = "DROP TRIGGER document_version_no_delete"
    if session.get_bind().dialect.name == "postgresql":
        table = "DROP TRIGGER document_version_no_change ON document_version"
    session.execute(text(table))
    session.execute(text("DELETE FROM document_version"))
    session.expire_all()
    with unit_of_work(handler) as work:
        assert history.backfill(work) == 1
        assert history.backfill(work) == 0
    (first,) = history.versions_of(session, handler, KIND, row.id)
    assert (first.event, first.at, first.user_name) == ("SUBMITTED", row.submitted_at, handler.name)
    _return(session, row)
    declaration.submit(handler, row.id, row.version)
    assert _events(session, handler, row) == ["SUBMITTED", "RESUBMITTED"]
