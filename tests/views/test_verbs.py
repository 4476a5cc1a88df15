"""What stands around deciding: administrators, agents, pickers, files, saved opinions, the queue."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from app.core.enums import DocumentStatus
from app.core.flow import TaskState, Verb
from app.core.workdays import today_in_china
from app.gateways.storage import LocalStorage
from app.models.base import utcnow
from app.models.flow import AgentAppointment, FlowRun, SavedOpinion, Task
from app.models.log import SystemLog
from app.models.message import OutboxMessage
from app.services import attachment, declaration, review
from tests import samples
from tests.factories import actor_of, make_user
from tests.views.bureau import Bureau, Desk, words


@pytest.fixture
def files(tmp_path: Path) -> Any:
    before = attachment._desk.storage
    attachment.bind(LocalStorage(tmp_path / "files"))
    yield
    if before is not None:
        attachment.bind(before)


def admin(bureau: Bureau) -> Desk:
    """The system administrator at work: he reads no declarations, but may give tasks away."""
    bureau.people = {**bureau.people, "admin": make_user("sys_admin", last_name="黎", first_name="管理")}
    return bureau.at_work("admin")


class TestTerminating:
    def test_needs_a_reason_and_keeps_what_was_typed(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        path = f"/declaration/show/{document}"
        assert "terminate-dialog" in desk.get(path).text
        refused = desk.post(f"/document/declaration/{document}/terminate", {"opinion": "  "}, form_on=path)
        assert refused.status_code == 400
        assert "data-reopen" in refused.text and 'id="terminate-error"' in refused.text
        assert bureau.status(document) is DocumentStatus.IN_REVIEW
        done = desk.post(
            f"/document/declaration/{document}/terminate", {"opinion": "项目不再建设"}, form_on=path
        )
        assert done.status_code == 302
        assert bureau.status(document) is DocumentStatus.TERMINATED
        told = set(
            bureau.session.execute(
                select(OutboxMessage.recipient_id, OutboxMessage.template).where(
                    OutboxMessage.template.in_(("result_terminated", "task_closed"))
                )
            )
        )
        assert (bureau.handler.user_id, "result_terminated") in told
        assert (bureau.people["twin"].id, "task_closed") in told
        again = desk.post(f"/document/declaration/{document}/terminate", {"opinion": "再来"}, form_on=path)
        assert again.status_code == 409

    def test_is_not_offered_to_who_may_not_and_refused(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        for name in ("second", "handler"):
            desk = bureau.at_work(name)
            assert "terminate-dialog" not in desk.get(f"/declaration/show/{document}").text
            refused = desk.post(
                f"/document/declaration/{document}/terminate", {"opinion": "试试"}, form_on="/password/"
            )
            assert refused.status_code in (403, 404)
        assert bureau.status(document) is DocumentStatus.IN_REVIEW


class TestReassigning:
    def test_one_task_from_the_list_of_open_ones(self, bureau: Bureau) -> None:
        document = bureau.declared(title="教育城域网运维")
        bureau.approve(document, "first")
        desk = admin(bureau)
        task = bureau.task("second", document)
        listed = desk.get("/review/open/list/?holder=周伟杰")
        assert "教育城域网运维" in listed.text
        path = f"/review/open/one/{task.id}"
        form = {"task": f"{task.id}.{task.version}", "to_user": str(bureau.people["twin"].id)}
        done = desk.post("/review/open/give", {**form, "opinion": "周伟杰出差"}, form_on=path)
        assert done.status_code == 200 and "ti-circle-check" in done.text
        assert bureau.task("second", document).state is TaskState.CANCELLED
        assert bureau.task("twin", document).state is TaskState.OPEN
        shown = words(bureau.at_work("first").get(f"/declaration/show/{document}"))
        assert "黎管理" in shown and "周伟杰 → 黄国强" in shown and "周伟杰出差" in shown
        told = dict(
            bureau.session.execute(
                select(OutboxMessage.template, OutboxMessage.recipient_id).where(
                    OutboxMessage.template == "task_reassigned"
                )
            ).all()
        )
        assert told == {"task_reassigned": bureau.people["second"].id}
        assert bureau.session.scalar(
            select(SystemLog.summary).where(SystemLog.event == "SENSITIVE_OP", SystemLog.noun == "task")
        )

    def test_several_at_once_each_with_its_result(self, bureau: Bureau) -> None:
        one, other = bureau.declared(title="甲"), bureau.declared(title="乙")
        for document in (one, other):
            bureau.approve(document, "first")
        desk = admin(bureau)
        tasks = [bureau.task("second", document) for document in (one, other)]
        chosen = desk.post(
            "/review/open/choose",
            {"rowid": [str(task.id) for task in tasks]},  # type: ignore[dict-item]
            form_on="/review/open/list/",
        )
        assert chosen.status_code == 200
        pairs = [f"{task.id}.{task.version}" for task in tasks]
        bureau.approve(other, "second")
        done = desk.post(
            "/review/open/give",
            {"task": pairs, "to_user": str(bureau.people["twin"].id)},  # type: ignore[dict-item]
            form_on="/password/",
        )
        assert done.text.count("ti-circle-check") == 1
        assert done.text.count("ti-alert-circle") >= 1
        assert bureau.task("twin", one).state is TaskState.OPEN
        assert bureau.step(other) == "final_review"

    def test_an_unfit_person_comes_back_beside_the_field(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        desk = admin(bureau)
        task = bureau.task("second", document)
        for person in ("handler", "first", "admin", ""):
            to_user = str(bureau.people[person].id) if person else ""
            refused = desk.post(
                "/review/open/give",
                {"task": f"{task.id}.{task.version}", "to_user": to_user},
                form_on=f"/review/open/one/{task.id}",
            )
            assert refused.status_code == 400, person
            assert 'id="to_user-error"' in refused.text
        assert bureau.task("second", document).state is TaskState.OPEN

    def test_is_not_for_reviewers_without_the_grant(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("second")
        assert desk.get("/review/open/list/").status_code == 403
        assert desk.get(f"/review/open/of/{bureau.task('first', document).run_id}").status_code == 403


class TestPickers:
    def offered(self, bureau: Bureau, desk: Desk, task: Task, verb: str) -> set[int]:
        rows = desk.get(f"/review/{task.id}/people?verb={verb}").json
        return {row["id"] for row in rows}

    def test_offer_only_who_could_do_it(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        viewer = make_user("viewer_stats", last_name="只", first_name="看")
        both = make_user("unit_handler", last_name="何", first_name="经办")
        desk, task = bureau.at_work("second"), bureau.task("second", document)
        for verb in ("transfer", "delegate", "add_signer"):
            found = self.offered(bureau, desk, task, verb)
            assert {bureau.people["twin"].id, bureau.people["last"].id, both.id} <= found, verb
            assert not found & {bureau.people[name].id for name in ("handler", "first", "second")}, verb
            assert viewer.id not in found
        copies = self.offered(bureau, desk, task, "copy_to")
        assert bureau.people["first"].id in copies
        assert not copies & {bureau.people["handler"].id, bureau.people["second"].id, viewer.id}
        review.act(
            actor_of(bureau.people["second"]),
            task.id,
            Verb.COPY_TO,
            version=task.version,
            to_user=bureau.people["first"].id,
        )
        assert bureau.people["first"].id not in self.offered(bureau, desk, task, "copy_to")

    def test_say_unit_position_and_role(self, bureau: Bureau) -> None:
        document = bureau.declared()
        task = bureau.task("first", document)
        (row,) = bureau.at_work("first").get(f"/review/{task.id}/people?verb=transfer&q=谭慧敏").json
        assert row["text"] == "谭慧敏 · 市政数局(审核) · 终审 · 市政数局分管领导"

    def test_who_could_not_open_the_task_is_refused_all_the_same(self, bureau: Bureau) -> None:
        document = bureau.declared()
        viewer = make_user("viewer_stats")
        desk, task = bureau.at_work("first"), bureau.task("first", document)
        for verb in ("transfer", "delegate", "add_signer", "copy_to"):
            assert desk.act(task, verb, to_user=str(viewer.id)).status_code == 400, verb
        assert bureau.told(document, Verb.TRANSFER) == 0


class TestAgents:
    def days(self) -> dict[str, str]:
        today = today_in_china(utcnow()).isoformat()
        return {"date_from": today, "date_to": today}

    def test_named_on_the_page_he_does_the_tasks_marked_everywhere(self, bureau: Bureau) -> None:
        document = bureau.declared(title="教育城域网运维")
        bureau.approve(document, "first")
        absent = bureau.at_work("second")
        done = absent.post(
            "/agent/name", {"agent_id": str(bureau.people["twin"].id), **self.days()}, form_on="/agent/"
        )
        assert done.location == "/agent/"
        assert "黄国强" in absent.get("/agent/").text
        agent = bureau.at_work("twin")
        assert "周伟杰" in agent.get("/agent/").text
        for page in ("/task/todo/list/", "/review/tasks/list/"):
            assert "周伟杰" in words(agent.get(page)), page
        answer = agent.act(bureau.task("second", document), "approve", opinion="同意")
        assert answer.status_code == 302
        shown = words(agent.get(f"/declaration/show/{document}"))
        assert "黄国强（代 周伟杰）" in shown
        assert "黄国强（代 周伟杰）" in words(agent.get("/task/done/list/"))
        assert "黄国强（代 周伟杰）" in words(absent.get("/task/done/list/"))
        book = load_workbook(io.BytesIO(absent.get("/task/done/export").data))
        cells = [str(cell) for line in book.active.values for cell in line]  # type: ignore[union-attr]
        assert any("黄国强（代 周伟杰）" in cell for cell in cells)

    def test_an_agent_who_submitted_it_himself_is_told_so_and_offered_nothing(self, bureau: Bureau) -> None:
        document = bureau.declared()
        today = today_in_china(utcnow())
        review.appoint(actor_of(bureau.people["first"]), bureau.handler.user_id or 0, today, today)
        task = bureau.task("first", document)
        page = bureau.at_work("handler").get(f"/review/{task.id}")
        assert page.status_code == 200
        assert 'value="approve"' not in page.text
        assert "您" in words(page) and 'id="review-form"' not in page.text

    def test_a_ring_is_refused_with_everything_typed_still_there(self, bureau: Bureau) -> None:
        first, second = actor_of(bureau.people["first"]), actor_of(bureau.people["second"])
        today = today_in_china(utcnow())
        review.appoint(first, second.user_id or 0, today, today)
        refused = bureau.at_work("second").post(
            "/agent/name", {"agent_id": str(first.user_id), **self.days()}, form_on="/agent/"
        )
        assert refused.status_code == 409
        assert "梁志明 → 周伟杰" in words(refused)
        assert f'<option value="{first.user_id}" selected>' in refused.text
        assert f'value="{today.isoformat()}"' in refused.text

    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"agent_id": ""}, "agent_id"),
            ({"agent_id": "999999999"}, "agent_id"),
            ({"date_to": "2020-01-01"}, "date_to"),
            ({"date_from": "morgen"}, "date_from"),
        ],
    )
    def test_what_is_wrong_stands_beside_its_field(
        self, bureau: Bureau, changed: dict[str, str], field: str
    ) -> None:
        form = {"agent_id": str(bureau.people["twin"].id), **self.days(), **changed}
        refused = bureau.at_work("second").post("/agent/name", form, form_on="/agent/")
        assert refused.status_code == 400
        assert f'id="{field}-error"' in refused.text
        assert bureau.session.scalar(select(AgentAppointment.id)) is None

    def test_an_administrator_names_and_revokes_for_others_and_nobody_else(self, bureau: Bureau) -> None:
        desk = admin(bureau)
        form = {
            "principal_id": str(bureau.people["second"].id),
            "agent_id": str(bureau.people["twin"].id),
            **self.days(),
        }
        assert (
            bureau.at_work("second").post("/agent/others/name", form, form_on="/password/").status_code == 403
        )
        assert desk.post("/agent/others/name", form, form_on="/agent/others").location == "/agent/others"
        appointment = bureau.session.scalars(select(AgentAppointment)).one()
        page = desk.get("/agent/others")
        assert "周伟杰" in page.text and "黄国强" in page.text
        revoke = f"/agent/others/{appointment.id}/revoke"
        assert bureau.at_work("last").post(revoke, form_on="/password/").status_code == 403
        assert desk.post(revoke, form_on="/agent/others").status_code == 302
        assert review.todo_count(actor_of(bureau.people["twin"])) == 0


class TestFiles:
    def test_are_sent_while_one_writes_and_survive_a_refusal(self, bureau: Bureau, files: None) -> None:
        document = bureau.declared()
        desk, task = bureau.at_work("first"), bureau.task("first", document)
        path = f"/review/{task.id}"
        sent = desk.post(
            "/attachment/upload",
            {
                "owner_kind": "task",
                "owner_id": str(task.id),
                "category": "OPINION",
                "file": (io.BytesIO(samples.pdf()), "核减说明.pdf"),  # type: ignore[dict-item]
            },
            form_on=path,
        )
        assert sent.status_code == 201
        refused = desk.act(task, "return", to_step="applicant", opinion="")
        assert refused.status_code == 400
        assert "核减说明.pdf" in refused.text
        assert desk.act(task, "return", to_step="applicant", opinion="见附件").status_code == 302
        shown = bureau.at_work("handler").get(f"/declaration/show/{document}")
        href = re.search(r'href="(/attachment/\d+/content)"[^>]*>[^<]*<i[^>]*></i> 核减说明.pdf', shown.text)
        assert href is not None
        content = bureau.at_work("handler").get(href[1])
        assert content.status_code == 200 and content.data == samples.pdf()
        assert "attachment" in content.headers["Content-Disposition"]

    def test_come_along_with_the_form_where_no_script_runs(self, bureau: Bureau, files: None) -> None:
        document = bureau.declared()
        desk, task = bureau.at_work("first"), bureau.task("first", document)
        bad: Any = (io.BytesIO(b"<script>"), "x.html")
        assert desk.act(task, "approve", file=bad).status_code == 415
        good: Any = (io.BytesIO(samples.pdf()), "意见.pdf")
        assert desk.act(task, "approve", file=good).status_code == 302
        assert "意见.pdf" in bureau.at_work("handler").get(f"/declaration/show/{document}").text


class TestOpinions:
    def texts(self, desk: Desk) -> list[str]:
        found = re.findall(r'<div class="flex-fill pre">([^<]+)</div>', desk.get("/opinions/").text)
        return [str(text) for text in found]

    def test_are_put_in_order_one_place_at_a_time(self, bureau: Bureau) -> None:
        person = actor_of(bureau.people["first"])
        rows = [review.add_opinion(person, text) for text in ("甲。", "乙。", "丙。")]
        desk = bureau.at_work("first")
        assert self.texts(desk)[:3] == ["甲。", "乙。", "丙。"]
        desk.post(f"/opinions/move/{rows[2].id}", {"to": "up"}, form_on="/opinions/")
        assert self.texts(desk)[:3] == ["甲。", "丙。", "乙。"]
        for _ in range(3):  # the last one stays the last
            desk.post(f"/opinions/move/{rows[0].id}", {"to": "down"}, form_on="/opinions/")
        assert self.texts(desk)[:3] == ["丙。", "乙。", "甲。"]

    def test_shared_ones_are_kept_by_who_keeps_the_dictionaries(self, bureau: Bureau) -> None:
        desk = admin(bureau)
        done = desk.post(
            "/opinions/shared/add", {"text": "请补充等保定级材料。"}, form_on="/opinions/shared/"
        )
        assert done.location == "/opinions/shared/"
        assert "请补充等保定级材料。" in self.texts(bureau.at_work("second"))
        row = bureau.session.scalars(
            select(SavedOpinion).where(SavedOpinion.text == "请补充等保定级材料。")
        ).one()
        reviewer = bureau.at_work("second")
        assert reviewer.get("/opinions/shared/").status_code == 403
        moved = reviewer.post(f"/opinions/move/{row.id}", {"to": "up"}, form_on="/opinions/")
        assert moved.status_code == 403


class TestQueue:
    def test_says_where_one_is_and_goes_on_from_there(self, bureau: Bureau) -> None:
        documents = [bureau.declared(title=title) for title in "甲乙丙"]
        desk = bureau.at_work("first")
        tasks = [bureau.task("first", document) for document in documents]
        page = desk.get(f"/review/{tasks[1].id}").text
        assert re.search(r"data-queue>[^<]*2[^<]*3[^<]*<", page)
        assert re.search(rf'href="/review/{tasks[0].id}" data-previous', page)
        assert re.search(rf'href="/review/{tasks[2].id}" data-next', page)
        assert desk.act(tasks[1], "approve").location == f"/review/{tasks[2].id}"
        assert desk.act(tasks[2], "approve").location == f"/review/{tasks[0].id}"
        assert desk.act(tasks[0], "approve").location == "/review/tasks/list/"

    def test_counts_the_list_one_came_from_and_then_leads_to_other_kinds(self, bureau: Bureau) -> None:
        documents = [bureau.declared(title=title) for title in "甲乙丙"]
        desk = bureau.at_work("first")
        tasks = [bureau.task("first", document) for document in documents]
        # only the queue looks at the kind here: what waits of another kind is not in this list
        bureau.session.execute(
            update(FlowRun).where(FlowRun.id == tasks[1].run_id).values(document_kind="adjustment")
        )
        page = desk.get(f"/review/{tasks[2].id}").text
        assert re.search(r"data-queue>[^<]*2[^<]*2[^<]*<", page)
        assert re.search(rf'href="/review/{tasks[0].id}" data-next', page)
        assert desk.act(tasks[2], "approve").location == f"/review/{tasks[0].id}"
        assert desk.act(tasks[0], "approve").location == f"/review/{tasks[1].id}"

    def test_the_rarer_controls_of_the_page_stand_in_one_menu(self, bureau: Bureau) -> None:
        page = bureau.at_work("first").get(f"/review/{bureau.task('first', bureau.declared()).id}").text
        header = page[page.index('class="page-header"') : page.index('class="page-body"')]
        before, menu = header.split('<div class="pop-menu end">')
        assert before.count('class="btn ') <= 3, "previous, next, and the menu"
        for control in ("data-print", 'data-open-tab="tab-changes"', 'data-dialog-open="shortcuts"'):
            assert control in menu

    def test_the_units_answer_stands_above_the_opinion(self, bureau: Bureau) -> None:
        document = bureau.declared()
        reviewer = bureau.at_work("first")
        reviewer.act(bureau.task("first", document), "return", to_step="applicant", opinion="请补充报价")
        row = declaration.load(bureau.session, bureau.handler, document)
        declaration.submit(bureau.handler, document, row.version, opinion="已补充三家报价")
        page = words(reviewer.get(f"/review/{bureau.task('first', document).id}"))
        assert "请补充报价" in page and "已补充三家报价" in page
