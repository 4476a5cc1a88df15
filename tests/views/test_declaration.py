"""Filling in a declaration: nothing typed is lost, nothing is done twice, nobody reaches too far."""

from __future__ import annotations

import datetime as dt
import io
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.access.actor import SYSTEM, Actor
from app.core.download import disposition
from app.core.enums import DocumentStatus
from app.core.flow import Verb
from app.gateways.storage import LocalStorage
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.dictionary import RuleParameter
from app.models.flow import FlowLog, FlowRun, Task
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import attachment, declaration, review
from app.services.unit_of_work import current_session, unit_of_work
from tests import samples
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user
from tests.keys import enter, keys_of
from tests.pages import Form, form_of, words
from tests.security.conftest import Browser
from tests.sql import count_statements

NEW = "/declaration/drafts/new"
DRAFTS = "/declaration/drafts/list/"
BIN = "/declaration/bin/list/"
FORM = "declaration-form"


@dataclass
class Office:
    """Two units that declare, with two handlers in one of them, and the bureau that reviews."""

    app: Flask
    unit: Unit
    people: dict[str, AppUser]
    keys: dict[str, str]

    @property
    def session(self) -> Session:
        return current_session()

    def actor(self, name: str) -> Actor:
        return actor_of(self.people[name])

    def at_work(self, name: str) -> Desk:
        """A browser of his own, logged in."""
        return enter(Desk(self.app.test_client()), self.keys[name])

    def draft(self, by: str = "chen", **changes: Any) -> Declaration:
        return declaration.create(self.actor(by), samples.maintenance(**changes))

    def submitted(self, **changes: Any) -> Declaration:
        draft = self.draft(**changes)
        return declaration.submit(self.actor("chen"), draft.id, draft.version)

    def returned(self, **changes: Any) -> Declaration:
        row = self.submitted(**changes)
        task = self.session.scalars(
            select(Task).join(FlowRun).where(FlowRun.document_id == row.id).order_by(Task.id)
        ).first()
        assert task is not None
        holder = self.session.get(AppUser, task.user_id)
        assert holder is not None
        opinion = "请补充报价依据。"
        review.act(actor_of(holder), task.id, Verb.RETURN, version=task.version, opinion=opinion)
        return row

    def row(self, number: int) -> Declaration:
        """The declaration as it is stored now."""
        self.session.expire_all()
        found = self.session.get(Declaration, number)
        assert found is not None
        return found

    def count(self, model: type[Any] = Declaration) -> int:
        return self.session.scalar(select(func.count()).select_from(model)) or 0


class Desk(Browser):
    """A handler's browser."""

    def form(self, path: str = NEW) -> Form:
        page = self.get(path)
        assert page.status_code == 200, words(page)[:400]
        return form_of(page, FORM)

    def press(self, form: Form, intent: str = "save", /, **changes: Any) -> TestResponse:
        """Press a button of the form after filling in these fields."""
        return self.send(form.action, [*form.filled(**changes), ("intent", intent)])

    def send(self, path: str, pairs: list[tuple[str, Any]], **options: Any) -> TestResponse:
        """Post pairs, several under one name where there are several."""
        data: dict[str, list[Any]] = {}
        for name, value in pairs:
            data.setdefault(name, []).append(value)
        return self.client.post(path, data=data, environ_base=self.peer, **options)

    def move(self, path: str, form_on: str = DRAFTS, **fields: Any) -> TestResponse:
        """Press a button of a list or page that posts by itself."""
        return self.post(path, fields, form_on=form_on)

    def autosave(
        self, form: Form, path: str = "/declaration/drafts/autosave", **changes: Any
    ) -> TestResponse:
        """What the form's script sends."""
        pairs = [pair for pair in form.filled(**changes) if pair[0] not in ("csrf_token", "version")]
        return self.client.post(
            path,
            json={"version": form.value("version"), "values": pairs},
            headers={"X-CSRFToken": form.value("csrf_token"), "Accept": "application/json"},
            environ_base=self.peer,
        )

    def upload(
        self, form: Form, number: int, name: str, content: bytes, category: str = "QUOTE"
    ) -> TestResponse:
        """What the form's script sends for one file."""
        return self.client.post(
            "/attachment/upload",
            data={
                "owner_kind": "declaration",
                "owner_id": str(number),
                "category": category,
                "file": (io.BytesIO(content), name),
            },
            headers={"X-CSRFToken": form.value("csrf_token"), "Accept": "application/json"},
            environ_base=self.peer,
        )


@pytest.fixture(scope="module")
def begun(app: Flask, standing: Standing) -> Office:
    """The office as every test finds it."""
    with standing():
        root = make_unit("开平市(申报)")
        water = make_unit("开平市水利局(申报)", root)
        school = make_unit("开平市教育局(申报)", root)
        bureau = make_unit("市政数局(申报)", root)
        people = {
            "chen": make_user("unit_handler", water, last_name="陈", first_name="晓琳"),
            "wu": make_user("unit_handler", water, last_name="吴", first_name="建华"),
            "other": make_user("unit_handler", school, last_name="关", first_name="秀英"),
            "leader": make_user("unit_leader", water, last_name="李", first_name="国强"),
            "first": make_user("bureau_reviewer", bureau, last_name="梁", first_name="志明"),
            "second": make_user("bureau_checker", bureau, last_name="周", first_name="敏"),
            "last": make_user("bureau_leader", bureau, last_name="谭", first_name="慧敏"),
        }
        return Office(app, water, people, keys_of(app, people))


@pytest.fixture
def office(begun: Office, session: Session, tmp_path: Path) -> Iterator[Office]:
    before = attachment._desk.storage
    attachment.bind(LocalStorage(tmp_path / "files"))
    yield begun
    if before is not None:
        attachment.bind(before)


def raw_pairs(form: Form, raw: dict[str, Any]) -> Form:
    """The form with a whole declaration typed into it."""
    typed = samples.as_form(raw)
    names = {name for name, _ in typed}
    tables = {name.partition(".")[0] for name in names if "." in name}
    kept = [
        (name, value)
        for name, value in form.pairs
        if name not in names and not ("." in name and name.partition(".")[0] in tables)
    ]
    return Form(form.action, kept + typed)


class TestFillingIn:
    def test_opening_the_form_makes_no_draft(self, office: Office) -> None:
        desk, before = office.at_work("chen"), office.count()
        assert desk.get(NEW).status_code == 200
        assert office.count() == before

    @pytest.mark.parametrize("intent", ["save", "submit"])
    def test_an_empty_form_makes_no_draft_and_uses_up_no_number(self, office: Office, intent: str) -> None:
        desk, before = office.at_work("chen"), office.count()
        answer = desk.press(desk.form(), intent)
        assert answer.status_code == 400
        assert 'href="#title"' in answer.text
        assert re.search(r'id="title-error".*?请至少填写名称。', answer.text, re.S)
        assert office.count() == before
        assert desk.press(desk.form(), "save", goals="只写了目标").status_code == 302
        assert office.count() == before + 1, "whatever was typed is kept"

    def test_a_refused_new_form_leads_back_to_its_draft(self, office: Office) -> None:
        """The language switch of a page that answers under /new must not show an empty form."""
        desk = office.at_work("chen")
        answer = desk.press(desk.form(), "submit", title="尚不完整")
        assert answer.status_code == 400
        draft = office.session.scalars(select(Declaration).where(Declaration.title == "尚不完整")).one()
        path = f"/declaration/drafts/edit/{draft.id}"
        assert form_of(answer, FORM).action == path
        assert f'name="next" value="{path}" data-here' in answer.text
        assert desk.form(path).value("title") == "尚不完整"

    def test_no_chapter_is_ticked_before_the_type_says_what_it_must_contain(self, office: Office) -> None:
        desk = office.at_work("chen")
        untyped = desk.autosave(desk.form(), title="未选类型").get_json()
        states = {chapter["key"]: chapter["state"] for chapter in untyped["chapters"]}
        assert {states[key] for key in ("scope", "performance", "attachments")} == {"missing"}
        path = f"/declaration/drafts/edit/{untyped['id']}"
        refused = desk.press(desk.form(path), "submit")
        assert re.search(r'data-chapter="scope"(?:(?!</a>).)*?ti-circle ', refused.text, re.S)
        typed = desk.press(desk.form(path), "save", declaration_type="OTHER", nature="OPERATION")
        assert typed.status_code == 302
        state = desk.get(path.replace("edit", "state"), headers={"Accept": "application/json"}).get_json()
        states = {chapter["key"]: chapter["state"] for chapter in state["chapters"]}
        assert states["scope"] == "ok"

    def test_columns_that_every_row_must_fill_are_marked(self, office: Office) -> None:
        page = office.at_work("chen").get(NEW).text
        assert re.search(r'data-column="unit_name" class="required-mark"', page)
        assert re.search(r'data-column="spec">', page)

    def test_what_was_saved_is_there_when_one_comes_back(self, office: Office) -> None:
        desk = office.at_work("chen")
        typed = raw_pairs(desk.form(), samples.maintenance())
        answer = desk.press(typed)
        assert answer.status_code == 302
        again = desk.form(answer.location)
        assert again.value("title") == "政务信息化服务项目管理系统维护服务"
        assert again.value("budget_lines.1.unit_price") == "650.00"
        assert again.values("basis_codes") == ["DOCUMENT"]
        assert again.value("contact_mobile") == samples.maintenance()["contact_mobile"]
        assert "叁万壹仟玖佰元整" in desk.get(answer.location).text

    def test_a_new_build_with_every_chapter_goes_through_the_form_unchanged(self, office: Office) -> None:
        desk = office.at_work("chen")
        answer = desk.press(raw_pairs(desk.form(), samples.new_build()))
        number = int(answer.location.rsplit("/", 1)[1])
        stored = declaration.values_of(declaration.load(office.session, office.actor("chen"), number))
        again = desk.form(answer.location)
        assert desk.press(again).status_code == 302
        office.session.expire_all()
        later = declaration.load(office.session, office.actor("chen"), number)
        assert declaration.values_of(later) == stored
        assert len(stored.budget_lines) == 8
        assert stored.crypto_required

    def test_an_amount_with_three_decimals_is_kept_as_typed_and_named(self, office: Office) -> None:
        desk = office.at_work("chen")
        form = raw_pairs(desk.form(), samples.maintenance(title="待补金额"))
        answer = desk.press(form, "save", requested_amount="31900.005")
        assert answer.status_code == 400
        assert form_of(answer, FORM).value("requested_amount") == "31900.005"
        assert 'href="#requested_amount"' in answer.text
        row = office.session.scalars(select(Declaration).where(Declaration.title == "待补金额")).one()
        assert desk.form(f"/declaration/drafts/edit/{row.id}").value("requested_amount") == "31900.005"

    def test_a_state_secret_is_refused_and_nothing_is_stored(self, office: Office) -> None:
        desk, before = office.at_work("chen"), office.count()
        form = raw_pairs(desk.form(), samples.maintenance())
        answer = desk.press(form, "save", is_secret="1")
        assert answer.status_code == 400
        assert form_of(answer, FORM).value("title") == samples.maintenance()["title"]
        assert office.count() == before

    def test_what_is_required_follows_type_and_nature(self, office: Office) -> None:
        desk = office.at_work("chen")
        small = desk.autosave(raw_pairs(desk.form(), samples.maintenance())).get_json()
        large = desk.autosave(raw_pairs(desk.form(), samples.new_build())).get_json()
        assert "necessity" not in small["required"]
        assert {"necessity", "indicators", "data_catalogue"} <= set(large["required"])
        assert large["attachments"].count("border-red") == 4

    def test_text_with_marks_stays_text(self, office: Office) -> None:
        hostile = '"><img src=x onerror=alert(1)></textarea><script>alert(2)</script>'
        desk = office.at_work("chen")
        draft = office.draft(title=hostile, basis_text=hostile)
        for path in (f"/declaration/drafts/edit/{draft.id}", f"/declaration/show/{draft.id}", DRAFTS):
            page = desk.get(path)
            assert page.status_code == 200
            assert "<img src=x" not in page.text
            assert "<script>alert" not in page.text
        assert desk.form(f"/declaration/drafts/edit/{draft.id}").value("basis_text") == hostile


class TestWithoutScript:
    def test_rows_are_added_moved_and_taken_away_without_saving(self, office: Office) -> None:
        desk, before = office.at_work("chen"), office.count()
        form = desk.form()
        typed = form.filled(budget_lines__0__name="第一行", budget_lines__2__name="第二行")
        added = form_of(desk.send(NEW, [*typed, ("rows", "budget_lines.add")]), FORM)
        assert added.values("budget_lines.1.name") == ["第二行"]
        assert added.values("budget_lines.4.name") == [""]
        moved = form_of(desk.send(NEW, [*added.pairs, ("rows", "budget_lines.1.up")]), FORM)
        assert moved.value("budget_lines.0.name") == "第二行"
        left = form_of(desk.send(NEW, [*moved.pairs, ("rows", "budget_lines.0.drop")]), FORM)
        assert left.value("budget_lines.0.name") == "第一行"
        assert office.count() == before

    @pytest.mark.parametrize(
        "order", ["nothing.0.up", "budget_lines", "budget_lines.x.drop", "budget_lines.99.up"]
    )
    def test_an_order_that_makes_no_sense_does_no_harm(self, office: Office, order: str) -> None:
        desk = office.at_work("chen")
        form = desk.form()
        answer = desk.send(NEW, [*form.filled(title="仍在"), ("rows", order)])
        assert answer.status_code in (200, 400)

    def test_a_file_goes_up_with_the_form_and_nothing_typed_is_lost(self, office: Office) -> None:
        desk = office.at_work("chen")
        form = raw_pairs(desk.form(), samples.maintenance())
        file = (io.BytesIO(samples.pdf()), "报价单.pdf")
        answer = desk.send(NEW, [*form.pairs, ("intent", "upload"), ("file.QUOTE", file)])
        assert answer.status_code == 302
        assert "报价单.pdf" in desk.get(answer.location).text
        assert desk.form(answer.location).value("title") == samples.maintenance()["title"]

    def test_a_file_that_is_not_what_its_name_says_is_refused_beside_its_category(
        self, office: Office
    ) -> None:
        desk = office.at_work("chen")
        form = raw_pairs(desk.form(), samples.maintenance())
        file = (io.BytesIO(samples.pdf()), "报价单.docx")
        answer = desk.send(NEW, [*form.pairs, ("intent", "upload"), ("file.QUOTE", file)])
        assert answer.status_code == 415
        card = re.search(r'data-category="QUOTE".*?</div></div></div>', answer.text, re.S)
        assert card is not None
        assert "报价单.docx" in words(card[0])
        assert form_of(answer, FORM).value("title") == samples.maintenance()["title"]

    def test_an_attachment_is_taken_away_by_the_form(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        number = desk.upload(desk.form(path), draft.id, "报价单.pdf", samples.pdf()).get_json()["id"]
        answer = desk.send(path, [*desk.form(path).pairs, ("remove_attachment", str(number))])
        assert answer.status_code == 302
        assert office.count(Attachment) == 0


class TestAutosave:
    def test_the_first_one_makes_the_draft_and_the_next_ones_find_it(self, office: Office) -> None:
        desk, before = office.at_work("chen"), office.count()
        form = desk.form()
        first = desk.autosave(form, title="关闭前填").get_json()
        second = desk.autosave(form, title="关闭前填写的").get_json()
        assert first["id"] == second["id"]
        assert office.count() == before + 1
        assert office.row(first["id"]).title == "关闭前填写的"
        assert first["urls"]["form"] == f"/declaration/drafts/edit/{first['id']}"

    def test_keeps_what_cannot_be_read_yet_and_says_so(self, office: Office) -> None:
        desk = office.at_work("chen")
        answer = desk.autosave(desk.form(), title="x", budget_lines__0__unit_price="1.234").get_json()
        assert "budget_lines.0.unit_price" in answer["errors"]
        form = desk.form(answer["urls"]["form"])
        assert form.value("budget_lines.0.unit_price") == "1.234"

    def test_tells_the_state_of_every_chapter(self, office: Office) -> None:
        desk = office.at_work("chen")
        raw = samples.maintenance(requested_amount="31901.00")
        answer = desk.autosave(raw_pairs(desk.form(), raw)).get_json()
        states = {chapter["key"]: chapter["state"] for chapter in answer["chapters"]}
        assert states["lines"] == "wrong"
        assert states["contacts"] == "ok"
        assert "requested_amount" in answer["errors"]

    def test_says_what_is_missing_only_after_a_refused_submission(self, office: Office) -> None:
        desk = office.at_work("chen")
        form = desk.form()
        assert desk.autosave(form, title="x").get_json()["errors"] == {}
        tried = desk.autosave(form, title="x", tried="1").get_json()
        assert "contact_name" in tried["errors"]

    def test_somebody_elses_change_stops_it_and_is_shown(self, office: Office) -> None:
        draft = office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        mine, theirs = office.at_work("chen"), office.at_work("wu")
        open_page = mine.form(path)
        theirs.press(theirs.form(path), "save", title="吴建华改的名称")
        answer = mine.autosave(open_page, f"/declaration/drafts/autosave/{draft.id}", goals="我写的目标")
        assert answer.status_code == 409
        told = answer.get_json()
        assert "吴建华改的名称" in told["conflict"]
        assert "吴建华" in words(told["conflict"])
        kept = Form(open_page.action, open_page.filled(version=str(told["version"])))
        again = mine.autosave(kept, f"/declaration/drafts/autosave/{draft.id}", goals="我写的目标")
        assert again.status_code == 200
        assert office.row(draft.id).goals == "我写的目标"

    @pytest.mark.parametrize("body", [None, [], {"values": "x"}, {"values": [["a"]]}, {"values": [["a", 1]]}])
    def test_refuses_a_body_it_cannot_read(self, office: Office, body: Any) -> None:
        desk = office.at_work("chen")
        answer = desk.client.post(
            "/declaration/drafts/autosave",
            json=body,
            headers={"X-CSRFToken": desk.form().value("csrf_token"), "Accept": "application/json"},
            environ_base=desk.peer,
        )
        assert answer.status_code == 400

    def test_needs_the_token_of_the_page(self, office: Office) -> None:
        desk, before = office.at_work("chen"), office.count()
        body = {"version": "", "values": [["title", "x"]]}
        answer = desk.client.post("/declaration/drafts/autosave", json=body, environ_base=desk.peer)
        assert answer.status_code == 400
        assert office.count() == before


class TestSubmitting:
    def test_a_complete_one_goes_into_review(self, office: Office) -> None:
        desk = office.at_work("chen")
        answer = desk.press(raw_pairs(desk.form(), samples.maintenance()), "submit")
        assert answer.status_code == 302
        page = desk.get(answer.location)
        row = office.row(int(answer.location.rsplit("/", 1)[1]))
        assert row.status is DocumentStatus.IN_REVIEW
        assert f"KP{row.budget_year}YW" in page.text
        assert "31,900.00" in page.text
        assert samples.MAINTENANCE_IN_WORDS in page.text

    def test_an_incomplete_one_comes_back_filled_in_with_a_way_to_each_field(self, office: Office) -> None:
        desk = office.at_work("chen")
        raw = samples.maintenance(contact_name="", lead_mobile="12345")
        answer = desk.press(raw_pairs(desk.form(), raw), "submit")
        assert answer.status_code == 400
        form = form_of(answer, FORM)
        assert form.value("lead_mobile") == "12345"
        assert form.value("title") == raw["title"]
        summary = re.search(r'id="error-summary".*?</ul>', answer.text, re.S)
        assert summary is not None
        targets = re.findall(r'href="#([^"]+)"', summary[0])
        assert {"contact_name", "lead_mobile"} <= set(targets)
        for target in targets:
            assert f'id="{target}"' in answer.text
        assert 'id="contact_name-error"' in answer.text
        assert 'aria-describedby="lead_mobile-error"' in answer.text

    def test_totals_that_differ_are_said_once_beside_the_table_and_once_on_top(self, office: Office) -> None:
        desk = office.at_work("chen")
        splits = [{"channel": "GENERAL_BUDGET", "amount": "31000.00"}]
        draft = office.draft(funding_splits=splits)
        answer = desk.press(desk.form(f"/declaration/drafts/edit/{draft.id}"), "submit")
        page = words(answer)
        assert answer.status_code == 400
        assert page.count("各资金渠道合计须等于申请资金") == 2
        assert page.count("-900.00 元") == 2
        for jargon in ("D-02", "本系统约定", "政策规则"):
            assert jargon not in page

    def test_what_was_typed_is_kept_even_when_the_check_refuses_it(self, office: Office) -> None:
        desk = office.at_work("chen")
        answer = desk.press(desk.form(), "submit", title="未完成的申报")
        assert answer.status_code == 400
        action = form_of(answer, FORM).action
        assert desk.form(action).value("title") == "未完成的申报"

    def test_a_double_click_has_one_effect(self, office: Office) -> None:
        desk = office.at_work("chen")
        draft = office.draft()
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        first, second = desk.press(form, "submit"), desk.press(form, "submit")
        assert (first.status_code, second.status_code) == (302, 302)
        assert first.location == second.location
        runs = select(func.count()).select_from(FlowRun).where(FlowRun.document_id == draft.id)
        assert office.session.scalar(runs) == 1

    def test_from_the_list_what_is_missing_is_shown_on_the_form(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft(contact_name="")
        answer = desk.move(f"/declaration/drafts/submit/{draft.id}")
        assert answer.status_code == 400
        assert 'href="#contact_name"' in answer.text
        assert form_of(answer, FORM).action == f"/declaration/drafts/edit/{draft.id}"

    def test_from_the_list_a_complete_one_goes_into_review(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        assert desk.move(f"/declaration/drafts/submit/{draft.id}").status_code == 302
        assert office.row(draft.id).status is DocumentStatus.IN_REVIEW

    def test_a_returned_one_shows_why_and_can_be_submitted_again(self, office: Office) -> None:
        desk, row = office.at_work("chen"), office.returned()
        path = f"/declaration/drafts/edit/{row.id}"
        assert "请补充报价依据。" in words(desk.get(path))
        answer = desk.press(desk.form(path), "submit", basis_text="已补充报价依据，详见附件。")
        assert answer.status_code == 302
        verbs = office.session.scalars(
            select(FlowLog.verb).where(FlowLog.document_id == row.id).order_by(FlowLog.id)
        ).all()
        assert Verb.RESUBMIT in verbs

    def test_a_returned_one_says_who_returned_it_where_and_when_and_what_was_changed(
        self, office: Office
    ) -> None:
        row = office.submitted()
        for name in ("leader", "first"):
            task = office.session.scalars(
                select(Task).join(FlowRun).where(FlowRun.document_id == row.id).order_by(Task.id.desc())
            ).first()
            assert task is not None
            holder = office.session.get(AppUser, task.user_id)
            assert holder is not None
            if name == "leader" and holder.id == office.people["leader"].id:
                review.act(actor_of(holder), task.id, Verb.APPROVE, version=task.version)
                continue
            version = office.row(row.id).version
            declaration.reviewer_edit(
                actor_of(holder), row.id, version, {"title": "更正后的名称"}, "名称不规范。"
            )
            office.session.expire_all()
            review.act(actor_of(holder), task.id, Verb.RETURN, version=task.version, opinion="请补充。")
            break
        answer = office.at_work("chen").get(f"/declaration/drafts/edit/{row.id}")
        banner = re.search(r'<div class="alert alert-warning".*?<textarea', answer.text, re.S)
        chip = re.search(r"data-save-state[^>]*>([^<]*)<", answer.text)
        assert banner and chip
        assert chip[1] == "退回修改"
        said = words(banner[0])
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d，梁志明在“初审”环节退回。", said), said
        for text in ("请补充。", "项目名称", "更正后的名称", "修改原因 : 名称不规范。"):
            assert text in said
        assert f'href="/declaration/show/{row.id}#pane-changes"' in banner[0]

    def test_withdrawn_it_is_a_draft_again(self, office: Office) -> None:
        desk, row = office.at_work("chen"), office.submitted()
        page = f"/declaration/show/{row.id}"
        stale = desk.move(f"/document/declaration/{row.id}/withdraw", page, version="1")
        assert stale.status_code == 409
        version = str(office.row(row.id).version)
        assert desk.move(f"/document/declaration/{row.id}/withdraw", page, version=version).status_code == 302
        assert office.row(row.id).status is DocumentStatus.DRAFT


class TestStalePages:
    def test_says_who_changed_what_and_keeps_what_was_typed(self, office: Office) -> None:
        draft = office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        mine, theirs = office.at_work("chen"), office.at_work("wu")
        open_page = mine.form(path)
        theirs.press(theirs.form(path), "save", title="吴建华改的名称")
        answer = mine.press(open_page, "save", goals="我写的目标")
        assert answer.status_code == 409
        assert "吴建华" in words(answer)
        assert "吴建华改的名称" in words(answer)
        kept = form_of(answer, FORM)
        assert kept.value("goals") == "我写的目标"
        assert office.row(draft.id).goals == ""
        assert mine.press(kept).status_code == 302
        assert office.row(draft.id).goals == "我写的目标"

    def test_submitted_meanwhile_it_takes_nothing_more_but_shows_what_was_typed(self, office: Office) -> None:
        draft = office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        mine = office.at_work("chen")
        open_page = mine.form(path)
        declaration.submit(office.actor("wu"), draft.id, draft.version)
        answer = mine.press(open_page, "save", goals="来不及保存的目标")
        assert answer.status_code == 409
        assert "来不及保存的目标" in answer.text
        assert office.row(draft.id).goals == ""
        said = words(answer)
        assert re.search(r"\d\d:\d\d，吴建华办理后，单据转为“审核中”。", said), said
        assert f'href="/declaration/show/{draft.id}"' in answer.text
        chip = re.search(r"data-save-state[^>]*>([^<]*)<", answer.text)
        assert chip and chip[1] == "审核中"
        assert not re.search('name="intent" value="(save|submit)"', answer.text), (
            "nothing can be saved or submitted here any more"
        )

    def test_submitted_meanwhile_the_script_is_told_by_whom(self, office: Office) -> None:
        draft = office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        mine = office.at_work("chen")
        open_page = mine.form(path)
        declaration.submit(office.actor("chen"), draft.id, draft.version)
        late = mine.autosave(open_page, f"/declaration/drafts/autosave/{draft.id}", goals="迟到")
        assert late.status_code == 409
        body = late.get_json()
        assert body["closed"] == {"state": "审核中", "colour": "orange"}
        assert "您本人在另一窗口中办理后，单据转为“审核中”" in words(body["conflict"])
        assert f'href="/declaration/show/{draft.id}"' in body["conflict"]
        assert "data-keep-mine" not in body["conflict"]

    def test_ones_own_other_window_is_not_called_somebody_else(self, office: Office) -> None:
        draft = office.draft()
        path = f"/declaration/drafts/edit/{draft.id}"
        mine = office.at_work("chen")
        open_page = mine.form(path)
        mine.press(mine.form(path), "save", title="另一窗口改的名称")
        said = words(mine.press(open_page, "save", goals="我写的目标"))
        assert "您本人在另一窗口中" in said
        assert "他人" not in said
        assert "草稿 · 尚未保存" in said
        assert "已自动保存" not in said

    def test_the_form_of_a_submitted_one_leads_to_its_page(self, office: Office) -> None:
        row = office.submitted()
        answer = office.at_work("chen").get(f"/declaration/drafts/edit/{row.id}")
        assert answer.status_code == 302
        assert answer.location == f"/declaration/show/{row.id}"


class TestAttachments:
    def test_is_handed_out_to_be_saved_under_its_own_name(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        sent = desk.upload(form, draft.id, "报价单（三家）.pdf", samples.pdf())
        assert sent.status_code == 201
        got = desk.get(sent.get_json()["href"])
        assert got.data == samples.pdf()
        header = got.headers["Content-Disposition"]
        assert header.startswith("attachment; ")
        assert "filename*=UTF-8''%E6%8A%A5%E4%BB%B7%E5%8D%95" in header
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in got.headers["Content-Security-Policy"]

    def test_a_name_cannot_break_out_of_the_header(self) -> None:
        header = disposition('a"\r\nSet-Cookie: x=1\\%.pdf')
        assert "\r" not in header
        assert "\n" not in header
        assert header.count('"') == 2

    def test_too_large_or_wrong_content_is_told_to_the_script(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        with unit_of_work(SYSTEM) as session:
            limit = session.scalars(
                select(RuleParameter).where(RuleParameter.key == "attachment.max_size_mb")
            ).one()
            limit.value = "1"
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        large = desk.upload(form, draft.id, "大文件.pdf", samples.pdf() + b"0" * (1 << 20))
        assert large.status_code == 413
        assert "1 MB" in large.get_json()["message"]
        wrong = desk.upload(form, draft.id, "图片.png", samples.pdf())
        assert wrong.status_code == 415
        assert office.count(Attachment) == 0

    @pytest.mark.parametrize("owner", ["", "x", "-1", "99999999999999999999"])
    def test_an_owner_that_is_none_is_refused(self, office: Office, owner: str) -> None:
        desk = office.at_work("chen")
        answer = desk.upload(desk.form(), owner, "报价单.pdf", samples.pdf())  # type: ignore[arg-type]
        assert answer.status_code in (400, 404)

    def test_is_reached_only_by_whoever_may_read_the_declaration(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        href = desk.upload(form, draft.id, "报价单.pdf", samples.pdf()).get_json()["href"]
        assert office.at_work("first").get(href).status_code == 404
        declaration.submit(office.actor("chen"), draft.id, office.row(draft.id).version)
        assert office.at_work("first").get(href).status_code == 200
        assert office.at_work("other").get(href).status_code == 404
        assert office.app.test_client().get(href).status_code in (302, 401)

    def test_stays_once_the_declaration_is_in_review(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        number = desk.upload(form, draft.id, "报价单.pdf", samples.pdf()).get_json()["id"]
        declaration.submit(office.actor("chen"), draft.id, office.row(draft.id).version)
        assert desk.move(f"/attachment/{number}/remove", NEW).status_code == 409
        assert office.count(Attachment) == 1


class TestRecycleBin:
    def test_a_draft_goes_there_and_comes_back(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft(title="放错的草稿")
        assert desk.move(f"/declaration/drafts/recycle/{draft.id}").status_code == 302
        assert "放错的草稿" not in desk.get(DRAFTS).text
        assert "放错的草稿" in desk.get(BIN).text
        assert desk.move(f"/declaration/bin/restore/{draft.id}", BIN).status_code == 302
        assert "放错的草稿" in desk.get(DRAFTS).text

    def test_deleted_for_good_it_is_gone(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        declaration.recycle(office.actor("chen"), draft.id, draft.version)
        assert desk.move(f"/declaration/bin/purge/{draft.id}", BIN).status_code == 302
        assert office.session.scalar(select(Declaration.id).where(Declaration.id == draft.id)) is None

    def test_an_open_draft_cannot_be_deleted_for_good(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        assert desk.move(f"/declaration/bin/purge/{draft.id}").status_code in (404, 409)
        assert office.row(draft.id).status is DocumentStatus.DRAFT

    def test_of_several_each_row_tells_its_own_result(self, office: Office) -> None:
        desk = office.at_work("chen")
        draft, returned = office.draft(title="草稿"), office.returned(title="退回件")
        answer = desk.move("/declaration/drafts/recycle", rowid=[str(draft.id), str(returned.id)])
        assert answer.status_code == 200
        assert 'data-done="1" data-refused="1"' in answer.text
        assert returned.code in words(answer).partition(draft.code)[0], "the refused one stands first"
        assert returned.code in words(desk.get(DRAFTS))
        assert office.row(draft.id).status is DocumentStatus.RECYCLED
        assert office.row(returned.id).status is DocumentStatus.RETURNED

    def test_one_row_of_another_unit_refuses_them_all(self, office: Office) -> None:
        desk = office.at_work("chen")
        mine, theirs = office.draft(), office.draft(by="other")
        answer = desk.move("/declaration/drafts/recycle", rowid=[str(mine.id), str(theirs.id)])
        assert answer.status_code == 404
        assert office.row(mine.id).status is DocumentStatus.DRAFT

    @pytest.mark.parametrize("rows", [[], ["x"], ["1"] * 201])
    def test_an_empty_or_odd_choice_is_refused(self, office: Office, rows: list[str]) -> None:
        desk = office.at_work("chen")
        office.draft()
        assert desk.move("/declaration/drafts/recycle", rowid=rows).status_code == 400


class TestScope:
    def test_another_units_declaration_is_not_there(self, office: Office) -> None:
        desk, theirs = office.at_work("chen"), office.draft(by="other")
        form = desk.form()
        pages = ["/declaration/show/{}", "/declaration/drafts/edit/{}", "/declaration/drafts/state/{}"]
        for path in pages:
            assert desk.get(path.format(theirs.id)).status_code == 404
        moves = ["drafts/submit", "drafts/recycle", "bin/restore", "bin/purge", "withdraw", "urge"]
        for move in moves:
            answer = desk.move(f"/declaration/{move}/{theirs.id}", NEW, version=str(theirs.version))
            assert answer.status_code == 404, move
        saved = desk.autosave(form, f"/declaration/drafts/autosave/{theirs.id}", title="越权")
        assert saved.status_code == 404
        sent = desk.send(
            f"/declaration/drafts/edit/{theirs.id}", [*form.filled(title="越权"), ("intent", "save")]
        )
        assert sent.status_code == 404
        assert desk.upload(form, theirs.id, "越权.pdf", samples.pdf()).status_code == 404
        assert office.row(theirs.id).title == theirs.title

    def test_a_reviewer_has_no_drafts_and_no_form(self, office: Office) -> None:
        desk = office.at_work("first")
        for path in (NEW, DRAFTS, BIN):
            assert desk.get(path).status_code in (302, 403)

    def test_lists_hold_what_they_say(self, office: Office) -> None:
        desk = office.at_work("wu")
        office.draft(title="甲草稿")
        office.returned(title="乙退回件")
        office.submitted(title="丙已申报")
        office.draft(by="other", title="丁别单位草稿")
        drafts, declared = words(desk.get(DRAFTS)), words(desk.get("/declaration/list/"))
        assert "甲草稿" in drafts
        assert "乙退回件" in drafts
        assert "丙已申报" not in drafts
        assert "丁别单位草稿" not in drafts
        assert "丙已申报" in declared
        assert "乙退回件" in declared
        assert "甲草稿" not in declared

    def test_declared_projects_show_the_step_they_wait_at(self, office: Office) -> None:
        office.submitted()
        assert "单位负责人审核" in words(office.at_work("chen").get("/declaration/list/"))

    def test_posted_fields_that_are_not_the_units_to_set_are_ignored(self, office: Office) -> None:
        desk, draft = office.at_work("chen"), office.draft()
        form = desk.form(f"/declaration/drafts/edit/{draft.id}")
        desk.press(form, "save", status="APPROVED", unit_id="1", code="KP1", created_by_id="1", title="改名")
        row = office.row(draft.id)
        assert row.title == "改名"
        assert (row.status, row.unit_id, row.code) == (DocumentStatus.DRAFT, office.unit.id, draft.code)


class TestReading:
    def test_mobile_numbers_are_masked_outside_the_unit(self, office: Office) -> None:
        row = office.submitted(contact_mobile="13912345678")
        path = f"/declaration/show/{row.id}"
        assert "13912345678" in office.at_work("chen").get(path).text
        outside = office.at_work("first").get(path).text
        assert "13912345678" not in outside
        assert "139****5678" in outside

    def test_asks_the_database_the_same_whatever_its_size(self, office: Office) -> None:
        (line,) = (one for one in samples.maintenance()["budget_lines"] if one["name"] == "补丁升级服务")
        many = [{**line, "name": f"第 {number} 项"} for number in range(100)]
        amounts = {
            "requested_amount": "10000.00",
            "funding_splits": [{"channel": "GENERAL_BUDGET", "amount": "10000.00"}],
        }
        small = office.submitted()
        large = office.submitted(title="大", budget_lines=many, **amounts)
        desk = office.at_work("first")

        def asked(number: int) -> int:
            desk.get(f"/declaration/show/{number}")
            with count_statements() as sent:
                assert desk.get(f"/declaration/show/{number}").status_code == 200
            assert len(sent) <= 30, sent
            return len(sent)

        assert asked(small.id) == asked(large.id)

    def test_shows_what_was_changed_since_it_was_submitted(self, office: Office) -> None:
        row = office.returned(title="改前名称")
        declaration.save(office.actor("wu"), row.id, office.row(row.id).version, {"title": "改后名称"})
        page = words(office.at_work("first").get(f"/declaration/show/{row.id}"))
        assert "改前名称" in page
        assert "改后名称" in page
        assert "吴建华" in page

    def test_a_draft_can_be_looked_at_before_it_is_submitted(self, office: Office) -> None:
        draft = office.draft()
        assert office.at_work("chen").get(f"/declaration/show/{draft.id}").status_code == 200
        assert office.at_work("first").get(f"/declaration/show/{draft.id}").status_code == 404


def test_page_tokens_are_not_guessable(office: Office) -> None:
    desk = office.at_work("chen")
    assert desk.form().value("page") != desk.form().value("page")
    assert len(desk.form().value("page")) >= len(secrets.token_urlsafe(16))


def test_a_draft_made_today_says_when_it_was_saved(office: Office) -> None:
    desk = office.at_work("chen")
    saved = desk.autosave(desk.form(), title="x").get_json()["saved_text"]
    assert re.search(r"\d\d:\d\d", saved)
    assert str(dt.date.today().year) not in saved
