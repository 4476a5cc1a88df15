"""The administrator's tables: forms that refuse politely, histories, lists that ask little."""

from __future__ import annotations

import datetime as dt
import html
import io
import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.access.actor import SYSTEM
from app.core import xlsx
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.models.dictionary import DictItem, RuleParameter, WorkCalendarDay
from app.models.log import FieldChange, SystemLog
from app.models.message import Message, SmsMessage
from app.models.unit import Unit, UnitName
from app.models.user import AppUser
from app.services import configuration, log, unit
from app.services.dictionary.table import ITEMS
from app.services.unit_of_work import unit_of_work
from tests.conftest import PASSWORD, IsolatedClient
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.security.conftest import Browser
from tests.sql import count_statements


def log_in(app: Flask, user: AppUser) -> Browser:
    app.test_client_class = IsolatedClient
    browser = Browser(app.test_client())
    browser.log_in(user.username)
    return browser


@pytest.fixture
def administrator(app: Flask, session: Session) -> Browser:
    return log_in(app, make_user("sys_admin", last_name="系", first_name="统"))


def fresh(session: Session, row: Unit) -> Unit:
    found = session.get(Unit, row.id, populate_existing=True)
    assert found is not None
    return found


def field_of(page: TestResponse, name: str) -> str:
    """The block of one field with its control and messages."""
    found = re.search(rf'data-field="{name}">(.*?)(?=data-field=|card-footer)', page.text, flags=re.S)
    assert found, f"no field {name}"
    return html.unescape(found[1])


def edit(browser: Browser, path: str, form: dict[str, str]) -> TestResponse:
    """Open a row's form, fill it in and send it."""
    seen = re.search(r'name="seen" value="([^"]+)"', browser.get(path).text)
    assert seen
    return browser.post(path, {"seen": seen[1], **form})


class TestUnits:
    def form(self, **values: str) -> dict[str, str]:
        given = {
            "code": "T-440783",
            "name": "市测试局",
            "short_name": "测试局",
            "kind": "GOVERNMENT",
            "parent_id": "",
            "uscc": "",
            "sort": "5",
            "active": "y",
        }
        return given | values

    def test_one_is_added_below_another(self, administrator: Browser, session: Session) -> None:
        above = make_unit()
        form = self.form(parent_id=str(above.id), path="/9/", is_demo="y", id="77777")
        assert administrator.post("/unit/add", form).status_code == 302
        row = session.scalars(select(Unit).where(Unit.code == "T-440783")).one()
        assert row.path == f"{above.path}{row.id}/"
        # What the form does not hold is not written, whatever is sent along.
        assert (row.is_demo, row.id == 77777) == (False, False)
        entry = session.scalars(select(SystemLog).where(SystemLog.noun == "unit")).all()[-1]
        assert (entry.event, entry.row_id) == ("UNIT_CHANGED", row.id)

    def test_a_refusal_comes_back_filled_in_with_each_message_beside_its_field(
        self, administrator: Browser, session: Session
    ) -> None:
        taken = make_unit("市已有局")
        page = administrator.post(
            "/unit/add", self.form(name="市已有局", uscc="91440783MA4UHRD00Y", sort="many", code="T 1")
        )
        assert page.status_code == 400
        assert 'value="市已有局"' in field_of(page, "name")
        assert 'aria-invalid="true"' in field_of(page, "sort")
        # Its own rules answer once the form can be read at all.
        page = administrator.post("/unit/add", self.form(name=taken.name, uscc="91440783MA4UHRD00Y"))
        assert page.status_code == 400
        for name in ("name", "uscc"):
            assert 'class="field-error"' in field_of(page, name), name
        assert 'class="field-error"' not in field_of(page, "short_name")
        assert "91440783MA4UHRD00Y" in field_of(page, "uscc")

    def test_moving_one_takes_everything_below_along(self, administrator: Browser, session: Session) -> None:
        old, new = make_unit(), make_unit()
        child = make_unit(parent=old)
        below = make_unit(parent=child)
        path = f"/unit/edit/{child.id}"
        form = self.form(name=child.name, short_name=child.short_name, parent_id=str(new.id))
        assert edit(administrator, path, form).status_code == 302
        assert fresh(session, child).path == f"{new.path}{child.id}/"
        assert fresh(session, below).path == f"{new.path}{child.id}/{below.id}/"

    def test_never_below_itself(self, administrator: Browser, session: Session) -> None:
        top = make_unit()
        below = make_unit(parent=make_unit(parent=top))
        page = administrator.get(f"/unit/edit/{top.id}")
        offered = re.findall(r'<option[^>]* value="(\d+)"', page.text)
        assert str(top.id) not in offered
        assert str(below.id) not in offered
        form = self.form(name=top.name, short_name=top.short_name, parent_id=str(below.id))
        assert edit(administrator, f"/unit/edit/{top.id}", form).status_code == 400
        # And not by any other way into the service either.
        with pytest.raises(InvalidInput) as refusal:
            configuration.update(SYSTEM, unit.TABLE, top.id, {"parent_id": below.id})
        assert set(refusal.value.fields) == {"parent_id"}
        assert fresh(session, top).parent_id is None

    def test_a_renamed_one_keeps_its_names(self, administrator: Browser, session: Session) -> None:
        bureau = make_unit("市行政服务中心")
        founded = dt.date(2019, 3, 1)
        form = self.form(name="市政务服务和数据管理局", short_name="市政数局")
        assert edit(administrator, f"/unit/edit/{bureau.id}", form).status_code == 302
        assert unit.name_on(session, bureau.id, founded) == "市行政服务中心"
        today = dt.datetime.now(dt.UTC).astimezone().date() + dt.timedelta(days=1)
        assert unit.name_on(session, bureau.id, today) == "市政务服务和数据管理局"
        # A slip corrected on the same day is no name of its own.
        form["name"] = "市政务服务数据管理局"
        edit(administrator, f"/unit/edit/{bureau.id}", form)
        names = session.scalars(select(UnitName.name).where(UnitName.unit_id == bureau.id)).all()
        assert sorted(names) == ["市政务服务数据管理局", "市行政服务中心"]
        page = administrator.get(f"/unit/edit/{bureau.id}").text
        assert "市行政服务中心" in page

    def test_the_code_never_changes(self, administrator: Browser, session: Session) -> None:
        row = make_unit()
        code = row.code
        form = self.form(name=row.name, short_name="简称", code="OTHER")
        assert edit(administrator, f"/unit/edit/{row.id}", form).status_code == 302
        assert (fresh(session, row).code, fresh(session, row).short_name) == (code, "简称")

    def test_somebody_was_faster(self, administrator: Browser, session: Session) -> None:
        row = make_unit("市老局")
        path = f"/unit/edit/{row.id}"
        seen = re.search(r'name="seen" value="([^"]+)"', administrator.get(path).text)
        assert seen
        configuration.update(make_actor("sys_admin", last_name="张"), unit.TABLE, row.id, {"sort": 77})
        form = self.form(name="市新局", short_name="新局", seen=seen[1])
        page = administrator.post(path, form)
        assert page.status_code == 409
        assert 'value="市新局"' in field_of(page, "name"), "what was typed is still there"
        assert ">77<" in page.text, "what changed since is shown"
        assert fresh(session, row).name == "市老局"
        again = re.search(r'name="seen" value="([^"]+)"', page.text)
        assert again
        assert administrator.post(path, form | {"seen": again[1]}).status_code == 302
        assert fresh(session, row).name == "市新局"

    def test_one_with_people_is_not_switched_off(self, administrator: Browser, session: Session) -> None:
        row = make_unit()
        make_user(unit=row)
        for path in (f"/unit/deactivate/{row.id}", f"/unit/remove/{row.id}"):
            assert administrator.post(path, form_on="/unit/add").status_code == 409
        assert fresh(session, row).active

    def test_one_nobody_uses_is_removed_with_its_names(
        self, administrator: Browser, session: Session
    ) -> None:
        row = make_unit("市误建局")
        configuration.update(SYSTEM, unit.TABLE, row.id, {"name": "市误建二局"})
        assert administrator.get(f"/unit/remove/{row.id}").status_code == 405
        assert administrator.post(f"/unit/remove/{row.id}", form_on="/unit/add").status_code == 302
        assert session.get(Unit, row.id, populate_existing=True) is None
        assert not session.scalars(select(UnitName).where(UnitName.unit_id == row.id)).all()

    def test_switched_off_it_can_be_put_back(self, administrator: Browser, session: Session) -> None:
        row = make_unit("市停用局")
        administrator.post(f"/unit/deactivate/{row.id}", form_on="/unit/add")
        assert not fresh(session, row).active
        page = administrator.get("/unit/list/?q=市停用局").text
        assert "/unit/activate/{id}" in page and f'<tr id="r{row.id}"' in page
        assert "/unit/deactivate/" not in page
        administrator.post(f"/unit/activate/{row.id}", form_on="/unit/add")
        assert fresh(session, row).active

    def test_only_the_administrator(self, app: Flask, session: Session) -> None:
        row = make_unit()
        handler = log_in(app, make_user("unit_handler"))
        for path in ("/unit/list/", "/unit/add", f"/unit/edit/{row.id}"):
            assert handler.get(path).status_code in (302, 403), path
        with pytest.raises(NotAllowed):
            configuration.update(make_actor("unit_handler"), unit.TABLE, row.id, {"sort": 1})
        assert handler.post(f"/unit/remove/{row.id}", form_on="/password/").status_code in (302, 403)
        assert fresh(session, row) is not None

    def test_every_change_is_kept_old_and_new(self, session: Session) -> None:
        row, actor = make_unit(), make_actor("sys_admin")
        configuration.update(actor, unit.TABLE, row.id, {"sort": 3, "short_name": row.short_name})
        changes = session.scalars(
            select(FieldChange).where(FieldChange.noun == "unit", FieldChange.row_id == row.id)
        ).all()
        assert [(change.field, change.old, change.new, change.user_id) for change in changes] == [
            ("sort", "0", "3", actor.user_id)
        ]


class TestDictionaries:
    def item(self, session: Session, type_code: str, code: str) -> DictItem:
        return session.scalars(
            select(DictItem)
            .where(DictItem.type_code == type_code, DictItem.code == code)
            .execution_options(populate_existing=True)
        ).one()

    def test_an_entry_is_added_once(self, administrator: Browser, session: Session) -> None:
        form = {
            "type_code": "nature",
            "code": "TRIAL",
            "label_zh": "试点",
            "label_en": "Pilot",
            "parent_code": "",
            "sort": "30",
            "active": "y",
            "source": "本系统约定",
        }
        assert administrator.post("/dictionary/add", form).status_code == 302
        twice = administrator.post("/dictionary/add", form)
        assert twice.status_code == 400
        assert 'class="field-error"' in field_of(twice, "code")
        elsewhere = administrator.post("/dictionary/add", form | {"type_code": "planets", "code": "X"})
        assert elsewhere.status_code == 400
        assert self.item(session, "nature", "TRIAL").label_zh == "试点"

    def test_its_code_and_dictionary_never_change(self, administrator: Browser, session: Session) -> None:
        row = self.item(session, "nature", "NEW")
        form = {
            "label_zh": "新建(改)",
            "label_en": "New",
            "code": "OLD",
            "type_code": "mlps_level",
            "active": "y",
        }
        assert edit(administrator, f"/dictionary/edit/{row.id}", form).status_code == 302
        assert self.item(session, "nature", "NEW").label_zh == "新建(改)"

    def test_one_in_use_is_deactivated_never_removed(self, session: Session) -> None:
        from app.services import declaration
        from tests import samples

        declaration.create(make_actor("unit_handler"), samples.maintenance())
        row = self.item(session, "nature", "OPERATION")
        actor = make_actor("sys_admin")
        with pytest.raises(Conflict):
            configuration.remove(actor, ITEMS, row.id)
        configuration.deactivate(actor, ITEMS, row.id)
        assert not self.item(session, "nature", "OPERATION").active

    def test_a_parent_has_to_exist(self, session: Session) -> None:
        with pytest.raises(InvalidInput) as refusal:
            configuration.create(
                make_actor("sys_admin"),
                ITEMS,
                {"type_code": "nature", "code": "A.1", "parent_code": "Z", "label_zh": "甲", "label_en": "A"},
            )
        assert set(refusal.value.fields) == {"parent_code"}


class TestParameters:
    def row(self, session: Session, key: str) -> RuleParameter:
        return session.scalars(select(RuleParameter).where(RuleParameter.key == key)).first()  # type: ignore[return-value]

    def test_a_change_is_an_entry_from_a_day_on(self, administrator: Browser, session: Session) -> None:
        row = self.row(session, "third_party.threshold")
        path = f"/parameter/change/{row.id}"
        form = {"value": "1200000.00", "effective_from": "2027-01-01"}
        assert administrator.post(path, form).status_code == 302
        entries = session.execute(
            select(RuleParameter.value, RuleParameter.effective_from)
            .where(RuleParameter.key == row.key)
            .order_by(RuleParameter.effective_from)
        ).all()
        assert [tuple(entry) for entry in entries][-1] == ("1200000.00", dt.date(2027, 1, 1))
        assert len(entries) == 2

    @pytest.mark.parametrize("value", ["lots", "-1", "1.234", ""])
    def test_nonsense_is_said_beside_the_value(
        self, administrator: Browser, session: Session, value: str
    ) -> None:
        row = self.row(session, "third_party.threshold")
        page = administrator.post(
            f"/parameter/change/{row.id}", {"value": value, "effective_from": "2027-01-01"}
        )
        assert page.status_code == 400
        assert 'class="field-error"' in field_of(page, "value")

    def test_whoever_only_reads_them_changes_nothing(self, app: Flask, session: Session) -> None:
        row = self.row(session, "third_party.threshold")
        reader = log_in(app, make_user("bureau_reviewer"))
        assert reader.get(f"/parameter/change/{row.id}").status_code in (302, 403)


class TestCalendar:
    def test_a_day_is_entered(self, administrator: Browser, session: Session) -> None:
        form = {"day": "2027-02-06", "kind": "free", "note": "除夕"}
        done = administrator.post("/work-calendar/day", form, form_on="/work-calendar/list/")
        assert done.location == "/work-calendar/list/?year=2027"
        row = session.get(WorkCalendarDay, dt.date(2027, 2, 6))
        assert row is not None
        assert (row.is_workday, row.note) == (False, "除夕")

    def test_a_year_not_entered_says_so(self, administrator: Browser) -> None:
        assert 'class="alert alert-warning"' in administrator.get("/work-calendar/list/?year=2031").text
        assert 'class="alert alert-warning"' not in administrator.get("/work-calendar/list/?year=2026").text

    @pytest.mark.parametrize("year", ["abc", "99999", "1", "", "٢٠٢٦"])
    def test_an_unreadable_year_is_this_year(self, administrator: Browser, year: str) -> None:
        assert administrator.get(f"/work-calendar/list/?year={year}").status_code == 200

    def test_a_year_comes_in_through_the_import(self, administrator: Browser) -> None:
        page = administrator.get("/work-calendar/list/")
        assert 'href="/import/list/work-calendar"' in page.text
        assert administrator.get("/import/list/work-calendar").status_code == 200


class TestUsers:
    def form(self, **values: str) -> dict[str, str]:
        given = {
            "username": "guan_weijie",
            "last_name": "关伟杰",
            "first_name": "",
            "unit_id": "",
            "position": "科员",
            "mobile": "13700000923",
            "email": "guan@example.gov.cn",
        }
        return given | values

    def test_the_first_password_is_shown_once_and_works(
        self, app: Flask, administrator: Browser, session: Session
    ) -> None:
        unit_id = str(make_unit().id)
        answer = administrator.post("/user/add", self.form(unit_id=unit_id))
        assert answer.status_code == 200
        shown = re.search(r'user-select-all mb-0">([^<]+)<', answer.text)
        assert shown
        secret = html.unescape(shown[1])
        newcomer = Browser(app.test_client())
        newcomer.log_in("guan_weijie", secret)
        assert newcomer.get("/message/list/").location == "/password/"
        assert secret not in str(administrator.client.get_cookie("session"))

    def test_a_refusal_comes_back_filled_in(self, administrator: Browser, session: Session) -> None:
        taken = make_user(username="guan_weijie")
        page = administrator.post("/user/add", self.form(mobile="12", username=taken.username))
        assert page.status_code == 400
        for name in ("username", "mobile"):
            assert 'class="field-error"' in field_of(page, name)
        assert 'value="关伟杰"' in field_of(page, "last_name")

    def test_administrator_keeps_them_but_grants_nothing(
        self, administrator: Browser, session: Session
    ) -> None:
        person = make_user("unit_handler")
        path = f"/user/edit/{person.id}"
        form = self.form(last_name="关", first_name="伟", roles="sys_admin", active="")
        assert edit(administrator, path, form).status_code == 302
        session.expire_all()
        row = session.get_one(AppUser, person.id)
        assert (row.full_name, row.username, row.active) == ("关伟", person.username, True)
        assert administrator.get(f"/user/roles/{person.id}").status_code == 403
        assert f"/user/roles/{person.id}" not in administrator.get("/user/list/").text

    def test_security_administrator_grants_but_does_not_keep_them(self, app: Flask, session: Session) -> None:
        guard = log_in(app, make_user("sec_admin"))
        person = make_user("unit_handler")
        path = f"/user/roles/{person.id}"
        assert guard.post(path, {"roles": ["unit_leader"]}, form_on=path).status_code == 302
        assert actor_of(person).roles == {"unit_leader"}
        assert guard.post(path, {"roles": ["emperor"]}, form_on=path).status_code == 400
        assert guard.get(f"/user/edit/{person.id}").status_code in (302, 403)

    def test_disabled_at_once_and_let_in_again(
        self, app: Flask, administrator: Browser, session: Session
    ) -> None:
        person = make_user("unit_handler")
        inside = log_in(app, person)
        assert inside.is_in
        administrator.post(f"/user/deactivate/{person.id}", form_on="/user/add")
        assert not inside.is_in
        administrator.post(f"/user/activate/{person.id}", form_on="/user/add")
        assert log_in(app, person).is_in

    def test_a_reset_password_is_handed_over_once(
        self, app: Flask, administrator: Browser, session: Session
    ) -> None:
        person = make_user("unit_handler")
        answer = administrator.post(f"/user/reset-password/{person.id}", form_on="/user/add")
        shown = re.search(r'user-select-all mb-0">([^<]+)<', answer.text)
        assert shown
        old = Browser(app.test_client())
        old.log_in(person.username, PASSWORD)
        assert not old.is_in

    def test_mobiles_are_masked_in_lists_and_workbooks(
        self, administrator: Browser, session: Session
    ) -> None:
        make_user(mobile="13912345678", username="masked")
        page = administrator.get("/user/list/?q=masked")
        assert "139****5678" in page.text
        workbook = administrator.get("/user/export?q=masked").data
        cells = [
            str(cell)
            for _, row in xlsx.read_rows(io.BytesIO(workbook), max_rows=50, max_bytes_unpacked=10**7)
            for cell in row
        ]
        assert "139****5678" in cells
        assert "13912345678" not in cells


class TestMessages:
    def message(self, person: AppUser, number: int = 1, link: str = "/review/tasks/list/") -> int:
        params = {"title": "《<b>教育</b>城域网》", "code": "SB2027-00001", "step": "初审"}
        with unit_of_work(SYSTEM) as work:
            row = Message(
                outbox_key=f"test:{person.id}:{number}",
                recipient_id=person.id,
                template="task_assigned",
                params=params,
                link=link,
            )
            work.add(row)
            work.flush()
            return row.id

    def test_opening_one_marks_it_read_and_goes_there(self, app: Flask, session: Session) -> None:
        person = make_user("bureau_reviewer")
        pk = self.message(person)
        browser = log_in(app, person)
        page = browser.get("/message/list/").text
        assert "&lt;b&gt;教育" in page
        assert browser.get("/message/list/?state=unread").text.count("/message/open/") == 1
        assert browser.get(f"/message/open/{pk}").status_code == 405, "a GET never changes anything"
        opened = browser.post(f"/message/open/{pk}", form_on="/message/list/")
        assert opened.location == "/review/tasks/list/"
        assert browser.get("/message/list/?state=unread").text.count("/message/open/") == 0

    def test_those_of_others_are_not_there(self, app: Flask, session: Session) -> None:
        pk = self.message(make_user())
        browser = log_in(app, make_user())
        assert browser.post(f"/message/open/{pk}", form_on="/password/").status_code == 404
        browser.post("/message/mark-read", {"rowid": str(pk)}, form_on="/message/list/")
        assert session.get_one(Message, pk, populate_existing=True).read_at is None

    def test_a_link_leads_nowhere_else(self, app: Flask, session: Session) -> None:
        person = make_user()
        pk = self.message(person, link="https://evil.example/")
        opened = log_in(app, person).post(f"/message/open/{pk}", form_on="/message/list/")
        assert opened.location == "/message/list/"

    def test_all_at_once(self, app: Flask, session: Session) -> None:
        person = make_user()
        ids = [self.message(person, number) for number in range(3)]
        log_in(app, person).post("/message/mark-all-read", form_on="/message/list/")
        assert all(session.get_one(Message, pk, populate_existing=True).read_at for pk in ids)


class TestLogsAndSms:
    def test_the_log_is_filtered_and_never_changed(self, app: Flask, session: Session) -> None:
        with unit_of_work(SYSTEM) as work:
            log.record(work, SYSTEM, "TEST_EVENT", noun="planet", summary="=HYPERLINK(1)")
        auditor = log_in(app, make_user("audit_admin"))
        page = auditor.get("/system-log/list/?event=TEST_EVENT")
        assert "planet" in page.text
        assert auditor.get("/system-log/list/?event=TEST_EVENT&level=ERROR").text.count("planet") == 0
        assert auditor.get("/system-log/list/?at_from=yesterday").status_code == 400
        workbook = auditor.get("/system-log/export?event=TEST_EVENT").data
        cells = [
            str(cell)
            for _, row in xlsx.read_rows(io.BytesIO(workbook), max_rows=50, max_bytes_unpacked=10**7)
            for cell in row
        ]
        assert "'=HYPERLINK(1)" in cells
        rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("SystemLogView.")}
        assert rules == {"/system-log/list/", "/system-log/export", "/system-log/columns"}

    def test_text_messages_are_shown_with_masked_numbers(
        self, administrator: Browser, session: Session
    ) -> None:
        person = make_user()
        with unit_of_work(SYSTEM) as work:
            work.add(
                SmsMessage(
                    outbox_key="sms:1",
                    recipient_id=person.id,
                    mobile="13912345678",
                    template="task_assigned",
                    text="请审核。",
                    gateway="recording",
                )
            )
        page = administrator.get("/sms/list/").text
        assert "139****5678" in page
        assert "13912345678" not in page


LISTS = (
    "/unit/list/",
    "/dictionary/list/",
    "/parameter/list/",
    "/work-calendar/list/",
    "/user/list/",
    "/system-log/list/",
    "/sms/list/",
    "/alert/list/",
    "/message/list/",
    "/opinions/",
)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_the_database_little(app: Flask, session: Session, path: str) -> None:
    browser = log_in(app, make_user("sys_admin,sec_admin,audit_admin,bureau_reviewer"))
    for _ in range(3):
        make_user(unit=make_unit())
    browser.get(path)
    with count_statements() as sent:
        answer = browser.get(path)
    assert answer.status_code == 200
    assert len(sent) <= 10, sent


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_small(app: Flask, session: Session, path: str) -> None:
    browser = log_in(app, make_user("sys_admin,sec_admin,audit_admin,bureau_reviewer"))
    assert len(browser.get(path).data) < 150_000
