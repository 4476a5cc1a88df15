"""任务中心: four lists over all kinds, their figures everywhere the same, and remarks sent as plain forms."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import func, select, update

from app.access import policy
from app.core.flow import Box, RemarkState, Verb
from app.gateways.sms.recording import RecordingGateway
from app.models.base import utcnow
from app.models.flow import CopyTo, FlowRun, Task
from app.models.message import Message
from app.models.remark import Remark
from app.services import remark, review
from app.services.message import delivery
from tests.conftest import Standing
from tests.factories import actor_of, make_user
from tests.sql import count_statements
from tests.views.bureau import Bureau

LISTS = {box: f"/task/{box.value}/list/" for box in Box}


def counts(page: str) -> list[int]:
    """The figures on the tabs, in their order."""
    return [int(text.replace(",", "")) for text in re.findall(r"data-count>([\d,]+)<", page)]


def copy_to(office: Bureau, document: int, reader: str) -> None:
    """The first reviewer sends somebody a copy."""
    task = office.task("first", document)
    review.act(
        actor_of(office.people["first"]),
        task.id,
        Verb.COPY_TO,
        version=task.version,
        to_user=office.people[reader].id,
    )


def due(office: Bureau, document: int, at: dt.datetime | None) -> None:
    with office.session.begin_nested():
        office.session.connection().execute(
            update(Task).where(Task.id == office.task("first", document).id).values(due_at=at)
        )


class TestBoxes:
    def test_each_tab_counts_what_its_list_shows(self, bureau: Bureau) -> None:
        names = [bureau.declared(title=f"项目{number}") for number in range(4)]
        bureau.approve(names[0], "first", "second", "last")
        bureau.approve(names[1], "first")
        copy_to(bureau, names[2], "second")
        for person in ("first", "second", "handler"):
            desk, actor = bureau.at_work(person), actor_of(bureau.people[person])
            boxes = [box for box in Box if box is not Box.TODO or actor.holds("task", "act")]
            for box in boxes:
                page = desk.get(LISTS[box]).text
                totals = [len(bureau.session.execute(review.tasks(actor, other)).all()) for other in boxes]
                assert counts(page) == totals, (person, box)
                rows = re.search(r"<tbody>(.*?)</tbody>", page, re.S)
                assert (rows[1].count("<tr") if rows else 0) == counts(page)[boxes.index(box)]

    def test_the_header_the_menu_and_the_workbench_say_the_same(self, bureau: Bureau) -> None:
        for number in range(3):
            bureau.declared(title=f"项目{number}")
        page = bureau.at_work("first").get("/").text
        assert review.todo_count(actor_of(bureau.people["first"])) == 3
        three = r'href="(/[a-z/-]*)"[^>]*>(?:(?!</a>).)*?<span class="badge[^>]*>3</span>'
        badges = [path for path in re.findall(three, page, re.S) if path.startswith(("/review", "/task"))]
        # The header, the task centre's entry, and that of the declarations among them.
        assert sorted(badges)[:1] == ["/review/tasks/list/"]
        assert badges.count("/task/todo/list/") >= 2

    def test_what_i_did_is_within_what_i_may_read(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        actor = actor_of(bureau.people["first"])
        done = set(bureau.session.scalars(select(Task.id).where(review.box_criterion(actor, Box.DONE))))
        assert done and done <= set(
            bureau.session.scalars(select(Task.id).where(policy.criterion(actor, Task)))
        )

    def test_an_agent_and_whom_he_stood_in_for_both_have_done_it(self, bureau: Bureau) -> None:
        first, agent = (actor_of(bureau.people[name]) for name in ("first", "last"))
        today = dt.datetime.now(dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=8))).date()
        review.appoint(first, agent.user_id or 0, today, today)
        document = bureau.declared(title="代办的项目")
        task = bureau.task("first", document)
        review.act(agent, task.id, Verb.APPROVE, version=task.version)
        for name in ("first", "last"):
            assert "代办的项目" in bureau.at_work(name).get(LISTS[Box.DONE]).text
        assert "代办的项目" not in bureau.at_work("second").get(LISTS[Box.DONE]).text


@pytest.fixture(scope="class")
def much_waits(open_bureau: Bureau, standing_here: Standing) -> None:
    """Six declarations; every other one was copied to the second reviewer and passed on."""
    with standing_here():
        for number in range(6):
            document = open_bureau.declared(title=f"项目{number}")
            if number % 2:
                copy_to(open_bureau, document, "second")
                open_bureau.approve(document, "first")


class TestCost:
    @pytest.mark.parametrize("path", LISTS.values())
    def test_asks_the_database_little(self, much_waits: None, bureau: Bureau, path: str) -> None:
        for person in ("first", "second", "handler"):
            desk = bureau.at_work(person)
            desk.get(path)
            with count_statements() as sent:
                assert desk.get(path).status_code == 200
            # PostgreSQL keeps nothing between requests while the test's own transaction has written.
            most = 10 if bureau.session.get_bind().dialect.name == "sqlite" else 12
            assert len(sent) <= most, str(sent)


@pytest.fixture(scope="class")
def one_waits(open_bureau: Bureau, standing_here: Standing) -> None:
    """One declaration, of which the second reviewer has a copy."""
    with standing_here():
        copy_to(open_bureau, open_bureau.declared(title="教育城域网运维"), "second")


class TestConditions:
    @pytest.mark.parametrize(
        ("box", "query", "found"),
        [
            (Box.TODO, "kind=declaration", True),
            (Box.TODO, "q=教育城域网&amount_from=31900&amount_to=31900", True),
            (Box.TODO, "amount_from=31900.01", False),
            (Box.STARTED, "state=RUNNING&kind=declaration", True),
            (Box.STARTED, "state=RETURNED", False),
            (Box.STARTED, "light=GREEN", True),
            (Box.STARTED, "light=RED", False),
            (Box.COPIED, "read=unread", True),
            (Box.COPIED, "read=read", False),
        ],
    )
    def test_finds(self, one_waits: None, bureau: Bureau, box: Box, query: str, found: bool) -> None:
        person = {Box.TODO: "first", Box.STARTED: "handler", Box.COPIED: "second"}[box]
        page = bureau.at_work(person).get(f"{LISTS[box]}?{query}")
        assert page.status_code == 200
        assert ("教育城域网运维</" in page.text) is found


class TestSearch:
    def test_lights_find_what_their_lamps_show(self, bureau: Bureau) -> None:
        now = utcnow()
        for title, at in (
            ("逾期的", now - dt.timedelta(days=3)),
            ("快到的", now + dt.timedelta(hours=1)),
            ("还早的", now + dt.timedelta(days=60)),
            ("不限的", None),
        ):
            due(bureau, bureau.declared(title=title), at)
        desk = bureau.at_work("first")
        everything = desk.get(LISTS[Box.TODO]).text
        for light, title, word in (
            ("RED", "逾期的", "lamp red"),
            ("AMBER", "快到的", "lamp amber"),
            ("GREEN", "还早的", "lamp green"),
            ("GREY", "不限的", "lamp grey"),
        ):
            page = desk.get(f"{LISTS[Box.TODO]}?light={light}").text
            rows = re.findall(r"<tbody>(.*?)</tbody>", page, re.S)[0]
            assert title in rows and rows.count("<tr") == 1 and word in rows
            assert re.search(rf'class="{word}"[^>]*></span><span class="ms-2">\w', rows), "never colour alone"
            assert word in everything
        both = desk.get(f"{LISTS[Box.TODO]}?light=RED&light=GREY").text
        assert "逾期的" in both and "不限的" in both and "还早的" not in both

    @pytest.mark.parametrize("query", ["light=PINK", "kind=secret", "sort=light", "page=abc", "nothing=1"])
    def test_bad_conditions_are_refused(self, bureau: Bureau, query: str) -> None:
        assert bureau.at_work("first").get(f"{LISTS[Box.TODO]}?{query}").status_code == 400

    def test_the_workbook_has_the_rows_of_the_list(self, bureau: Bureau) -> None:
        bureau.declared(title="教育城域网运维")
        bureau.declared(title="数字档案馆建设")
        answer = bureau.at_work("first").get("/task/todo/export?q=教育")
        sheet = openpyxl.load_workbook(BytesIO(answer.data)).active
        assert sheet is not None
        head = [cell.value for cell in sheet[1]]
        row = dict(zip(head, [cell.value for cell in sheet[2]], strict=True))
        assert row["项目名称"] == "教育城域网运维"
        assert row["灯色"] in ("正常", "即将超期")
        assert "数字档案馆建设" not in str(list(sheet.values))


class TestCopies:
    def test_a_copy_is_read_by_opening_it_and_by_nothing_else(self, bureau: Bureau) -> None:
        document = bureau.declared(title="教育城域网运维")
        copy_to(bureau, document, "second")
        desk = bureau.at_work("second")
        page = desk.get(LISTS[Box.COPIED])
        copy = bureau.session.scalars(select(CopyTo)).one()
        for _ in range(2):
            desk.get(f"/declaration/show/{document}")
        bureau.session.refresh(copy)
        assert copy.read_at is None, "a GET changes nothing"
        assert "未读" in page.text
        assert desk.get(f"/task/copied/open/{copy.id}").status_code == 405
        opened = desk.post(f"/task/copied/open/{copy.id}", {}, form_on=LISTS[Box.COPIED])
        assert opened.location == f"/declaration/show/{document}"
        bureau.session.refresh(copy)
        assert copy.read_at is not None

    def test_somebody_elses_copy_stays_unread(self, bureau: Bureau) -> None:
        copy_to(bureau, bureau.declared(), "second")
        copy = bureau.session.scalars(select(CopyTo)).one()
        other = bureau.at_work("last")
        assert other.post(f"/task/copied/open/{copy.id}", {}, form_on="/password/").status_code == 404
        other.post("/task/copied/mark-read", {"rowid": str(copy.id)}, form_on="/password/")
        bureau.session.refresh(copy)
        assert copy.read_at is None

    def test_all_at_once_and_from_a_message(self, bureau: Bureau) -> None:
        documents = [bureau.declared(title=f"项目{number}") for number in range(3)]
        for document in documents:
            copy_to(bureau, document, "second")
        actor = actor_of(bureau.people["second"])
        delivery.deliver_due(RecordingGateway())
        told = bureau.session.scalars(
            select(Message).where(Message.recipient_id == actor.user_id, Message.template == "task_copied")
        ).all()
        desk = bureau.at_work("second")
        desk.post(f"/message/open/{told[0].id}", {}, form_on=LISTS[Box.COPIED])
        unread = select(func.count()).where(CopyTo.user_id == actor.user_id, CopyTo.read_at.is_(None))
        assert bureau.session.scalar(unread) == 2
        desk.post("/task/copied/mark-read", {"all": "1"}, form_on=LISTS[Box.COPIED])
        assert bureau.session.scalar(unread) == 0


class TestRemarkPages:
    def test_without_a_script_everything_is_a_plain_form(self, bureau: Bureau) -> None:
        document = bureau.declared()
        task = bureau.task("first", document)
        desk, unit = bureau.at_work("first"), bureau.at_work("handler")
        here = f"/review/{task.id}"
        sent = {"text": "请说明。", "field": "title", "label": "项目名称", "next": here}
        assert desk.post(f"/remark/declaration/{document}/add", sent, form_on=here).location == here
        row = bureau.session.scalars(select(Remark)).one()
        address = f"/declaration/show/{document}"
        assert "请说明。" in unit.get(address).text
        unit.post(f"/remark/declaration/{document}/answer", {f"answer.{row.id}": "已改。"}, form_on=address)
        bureau.session.refresh(row)
        assert row.state is RemarkState.ANSWERED
        desk.post(
            f"/remark/declaration/{document}/settle", {"remark": str(row.id), "next": here}, form_on=here
        )
        bureau.session.refresh(row)
        assert row.state is RemarkState.SETTLED
        sheet = unit.get(f"/remark/declaration/{document}/sheet").text
        assert all(words in sheet for words in ("请说明。", "已改。", "项目名称", "梁志明"))

    def test_what_is_refused_comes_back_filled_in(self, bureau: Bureau) -> None:
        document = bureau.declared()
        here = f"/review/{bureau.task('first', document).id}"
        long = "长" * (remark.LONGEST + 1)
        page = bureau.at_work("first").post(
            f"/remark/declaration/{document}/add", {"text": long, "field": "title"}, form_on=here
        )
        assert page.status_code == 400
        assert long in page.text and 'name="field" value="title"' in page.text

    def test_a_script_gets_the_panel_as_it_is_now(self, bureau: Bureau) -> None:
        document = bureau.declared()
        here = f"/review/{bureau.task('first', document).id}"
        desk = bureau.at_work("first")
        token = re.search(r'name="csrf_token" value="([^"]+)"', desk.get(here).text)
        assert token
        answer = desk.client.post(
            f"/remark/declaration/{document}/add",
            data={"text": "<script>x</script>", "csrf_token": token[1]},
            headers={"Accept": "application/json"},
        )
        assert answer.status_code == 200
        assert "&lt;script&gt;x" in answer.json["panel"]

    @pytest.mark.parametrize(
        "path", ["/remark/declaration/{0}/sheet", "/remark/declaration/{0}/export", "/ledger/declaration/{0}"]
    )
    def test_another_units_papers_are_not_there(self, bureau: Bureau, path: str) -> None:
        document = bureau.declared()
        assert bureau.at_work("handler").get(path.format(document)).status_code == 200
        bureau.people = {**bureau.people, "stranger": make_user("unit_handler")}
        assert bureau.at_work("stranger").get(path.format(document)).status_code == 404

    def test_the_ledger_is_on_the_page_and_in_a_workbook(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        desk = bureau.at_work("handler")
        assert 'id="ledger-heading"' in desk.get(f"/declaration/show/{document}").text
        sheet = openpyxl.load_workbook(BytesIO(desk.get(f"/ledger/declaration/{document}").data)).active
        assert sheet is not None
        assert sheet.max_row == 1 + 3 + 2, "two at the first step, one at the next, and both totals"


def test_one_person_in_hundreds_of_runs_is_found_by_his_own_index(bureau: Bureau) -> None:
    """SQLite read every run because nearly all are of one kind."""
    if bureau.session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by the figures it keeps")
    actor = actor_of(bureau.people["first"])
    statement = (
        select(Task.id)
        .join(FlowRun, FlowRun.id == Task.run_id)
        .where(review.box_criterion(actor, Box.TODO), review.of_kinds(["declaration"]))
    )
    text = statement.compile(bureau.session.get_bind(), compile_kwargs={"literal_binds": True})
    plan = [row[-1] for row in bureau.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert plan[0].startswith("SEARCH task USING"), plan
    assert any("SEARCH flow_run USING INTEGER PRIMARY KEY" in line for line in plan), plan
