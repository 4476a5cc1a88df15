"""What people see of policy rules and similar projects: on forms, on documents, in the settings."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.models.declaration import Declaration
from app.models.dictionary import RuleParameter
from app.models.policy_rule import PolicyRule
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import declaration, review
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.conftest import IsolatedClient
from tests.factories import actor_of, make_unit, make_user
from tests.pages import form_of, words
from tests.security.conftest import Browser
from tests.services.test_policy_rule import new_rule, row, rule_of

RULES = "/policy-rule"


class Office:
    """Two units, each with a handler; a reviewer with everything in scope; an administrator."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.water, self.safety = make_unit("开平市水利局(查重)"), make_unit("开平市应急管理局(查重)")
        self.people: dict[str, AppUser] = {
            "water": make_user("unit_handler", self.water),
            "safety": make_user("unit_handler", self.safety),
            "first": make_user("bureau_reviewer"),
            "second": make_user("bureau_checker"),
            "last": make_user("bureau_leader"),
            "admin": make_user("sys_admin"),
        }

    def actor(self, name: str) -> Actor:
        return actor_of(self.people[name])

    def at_work(self, name: str) -> Browser:
        self.app.test_client_class = IsolatedClient
        browser = Browser(self.app.test_client())
        browser.log_in(self.people[name].username)
        return browser

    def draft(self, name: str = "water", **changes: Any) -> Declaration:
        return declaration.create(self.actor(name), samples.maintenance(**changes))

    def submitted(self, name: str = "water", **changes: Any) -> Declaration:
        draft = self.draft(name, **changes)
        return declaration.submit(self.actor(name), draft.id, draft.version)

    def unit(self, name: str) -> Unit:
        return {"water": self.water, "safety": self.safety}[name]


@pytest.fixture
def office(app: Flask, session: Session, client: FlaskClient) -> Office:
    return Office(app)


def lower_the_limit(session: Session) -> None:
    """From the maintenance renewal's own amount on, third-party steps are due."""
    with unit_of_work(SYSTEM):
        session.add(
            RuleParameter(
                key="third_party.threshold",
                value="31900.00",
                label_zh="",
                label_en="",
                effective_from=dt.date(2026, 1, 2),
            )
        )


class TestOnTheForm:
    def test_findings_stand_above_the_form_before_submission(self, session: Session, office: Office) -> None:
        lower_the_limit(session)
        draft = office.draft()
        page = words(office.at_work("water").get(f"/declaration/drafts/edit/{draft.id}"))
        assert "S-01 须开展第三方评审" in page
        assert "31,900.00 元" in page
        assert "采购需求 专家论证" in page

    def test_the_scripts_state_brings_them_up_to_date(self, session: Session, office: Office) -> None:
        lower_the_limit(session)
        draft = office.draft()
        desk = office.at_work("water")
        state = desk.get(f"/declaration/drafts/state/{draft.id}", headers={"Accept": "application/json"})
        assert "S-01" in state.get_json()["findings"]
        assert state.get_json()["errors"] == {}, "a warning refuses nothing"

    def test_a_refusal_names_rule_source_and_article_beside_the_field(
        self, session: Session, office: Office
    ) -> None:
        new_rule(
            office.actor("admin"),
            "X-9",
            [row("requested_amount", "GE", "1")],
            level="BLOCKS",
            place="requested_amount",
            source="《试验办法》",
            article="第九条",
            message_zh="试验：不得申报。",
            message_en="A test: not to be declared.",
        )
        draft = office.draft()
        desk = office.at_work("water")
        form = form_of(desk.get(f"/declaration/drafts/edit/{draft.id}"), "declaration-form")
        sent: dict[str, list[str]] = {"intent": ["submit"]}
        for name, value in form.pairs:
            sent.setdefault(name, []).append(value)
        refused = desk.client.post(form.action, data=sent, environ_base=desk.peer)
        assert refused.status_code == 400
        beside = re.search(r'id="requested_amount-error">(.*?)</div></div>', refused.text, flags=re.S)
        assert beside
        said = html.unescape(beside[1])
        for part in ("试验：不得申报。", "X-9", "《试验办法》 第九条", "31,900.00 元"):
            assert part in said, said


class TestOnTheDocument:
    def test_reviewers_and_the_unit_see_what_was_found_at_submission(
        self, session: Session, office: Office
    ) -> None:
        lower_the_limit(session)
        declared = office.submitted()
        task = review.open_task(office.actor("first"), "declaration", declared.id)
        assert task is not None
        for page in (
            office.at_work("water").get(f"/declaration/show/{declared.id}"),
            office.at_work("first").get(f"/review/{task.id}"),
        ):
            assert page.status_code == 200
            assert "S-01 须开展第三方评审" in words(page)

    def test_a_rule_edited_afterwards_changes_nothing_there(self, session: Session, office: Office) -> None:
        from app.services import configuration, policy_rule

        lower_the_limit(session)
        declared = office.submitted()
        configuration.update(
            office.actor("admin"),
            policy_rule.RULES_TABLE,
            rule_of(session, "S-01").id,
            {"name_zh": "改名的规则", "active": False},
        )
        page = words(office.at_work("water").get(f"/declaration/show/{declared.id}"))
        assert "须开展第三方评审" in page
        assert "改名的规则" not in page

    def test_similar_projects_stand_side_by_side_with_the_passages_marked(
        self, session: Session, office: Office
    ) -> None:
        scope = samples.new_build()["scope_text"]
        office.submitted("safety", title="智慧水利综合管理平台", scope_text=scope)
        declared = office.submitted(title="智慧水利一张图平台", scope_text=f"本年度内容：{scope}")
        page = office.at_work("water").get(f"/declaration/show/{declared.id}")
        pane = page.text.split('id="pane-similar"')[1].split('id="pane-changes"')[0]
        assert "<mark>智慧水利</mark>" in pane
        assert pane.count('similar-side"') == 4, "title and scope, both sides"
        assert "10 万元以下" in pane
        assert "31,900" not in pane, "of another unit's amount only the band"
        assert "/project/show/" not in pane, "and its page is not offered"
        reviewer = office.at_work("first").get(f"/declaration/show/{declared.id}")
        assert "/project/show/" in reviewer.text.split('id="pane-similar"')[1].split('id="pane-changes"')[0]

    def test_titles_of_other_units_are_shown_not_run(self, session: Session, office: Office) -> None:
        """SEC-01."""
        office.submitted("safety", title="智慧水利综合管理平台<script>")
        declared = office.submitted(title="智慧水利综合管理平台")
        page = office.at_work("water").get(f"/declaration/show/{declared.id}").text
        assert "平台<script>" not in page
        assert "&lt;" in page.split('id="pane-similar"')[1]

    def test_without_any_there_is_no_tab(self, session: Session, office: Office) -> None:
        declared = office.submitted(title="独一无二的碉楼保护工程")
        assert "pane-similar" not in office.at_work("water").get(f"/declaration/show/{declared.id}").text


class TestWhileTyping:
    def ask(self, browser: Browser, **query: str) -> Any:
        return browser.get("/similar/title", query_string=query, headers={"Accept": "application/json"})

    def test_the_hint_names_the_most_similar(self, session: Session, office: Office) -> None:
        office.submitted("safety", title="智慧水利综合管理平台")
        answer = self.ask(office.at_work("water"), title="智慧水利一张图平台").get_json()
        assert answer["count"] == 1
        assert "智慧水利综合管理平台" in answer["summary"]
        assert "<mark>" in answer["html"]

    def test_the_draft_itself_and_short_titles_say_nothing(self, session: Session, office: Office) -> None:
        declared = office.submitted(title="智慧水利一张图平台")
        row = declaration.withdraw(office.actor("water"), declared.id, declared.version)
        desk = office.at_work("water")
        assert self.ask(desk, title="智慧水利一张图平台", declaration=str(row.id)).get_json()["count"] == 0
        assert self.ask(desk, title="智慧").get_json() == {"summary": "", "count": 0, "html": ""}

    def test_nobody_asks_in_the_name_of_another_units_draft(self, session: Session, office: Office) -> None:
        draft = office.draft("safety")
        desk = office.at_work("water")
        assert self.ask(desk, title="智慧水利平台", declaration=str(draft.id)).status_code == 404
        assert self.ask(desk, title="智慧水利平台", declaration="1 OR 1").status_code == 400

    def test_it_is_for_those_who_declare_or_review(self, session: Session, office: Office) -> None:
        assert self.ask(office.at_work("admin"), title="智慧水利平台").status_code == 403
        assert self.ask(office.at_work("first"), title="智慧水利平台").status_code == 200

    def test_it_leaves_nothing_behind(self, session: Session, office: Office) -> None:
        desk = office.at_work("water")
        before = [len(session.scalars(select(model)).all()) for model in (Declaration, PolicyRule)]
        self.ask(desk, title="智慧水利一张图平台")
        assert [len(session.scalars(select(model)).all()) for model in (Declaration, PolicyRule)] == before


class TestInTheSettings:
    def test_the_list_says_which_rules_are_not_asked_yet(self, session: Session, office: Office) -> None:
        page = words(office.at_work("admin").get(f"{RULES}/list/"))
        assert "D-01" in page and "CH-2" in page
        assert "暂不核对" in page, "the scheme is not built yet"
        assert "生效中" in page

    def test_a_rule_is_added_with_its_conditions_and_holds_at_once(
        self, session: Session, office: Office
    ) -> None:
        desk = office.at_work("admin")
        saved = desk.post(f"{RULES}/add", self.filled())
        assert saved.status_code == 302, words(saved)[:600]
        rule = rule_of(session, "X-7")
        assert rule.conditions == [
            {"group": 1, "field": "requested_amount", "operator": "GE", "value": "30000.00"},
            {"group": 1, "field": "nature", "operator": "IN", "value": ["OPERATION", "NEW"]},
        ]
        draft = office.draft()
        assert "X-7 试验规则" in words(office.at_work("water").get(f"/declaration/drafts/edit/{draft.id}"))

    def test_a_row_that_makes_no_sense_comes_back_as_typed(self, session: Session, office: Office) -> None:
        desk = office.at_work("admin")
        page = desk.post(f"{RULES}/add", self.filled(**{"conditions.0.value": "三万"}))
        assert page.status_code == 400
        assert 'value="三万"' in page.text
        assert "rule-error" in page.text
        assert session.scalars(select(PolicyRule).where(PolicyRule.code == "X-7")).all() == []

    def test_editing_keeps_the_history_readable(self, session: Session, office: Office) -> None:
        desk = office.at_work("admin")
        desk.post(f"{RULES}/add", self.filled())
        rule = rule_of(session, "X-7")
        path = f"{RULES}/edit/{rule.id}"
        seen = re.search(r'name="seen" value="([^"]+)"', desk.get(path).text)
        assert seen
        given = self.filled(**{"conditions.0.value": "40000", "kind": "declaration", "seen": seen[1]})
        assert desk.post(path, given).status_code == 302
        history = words(desk.get(path)).split("最近修改")[-1]
        assert "本年度申请资金 大于等于 30000" in history
        assert "本年度申请资金 大于等于 40000" in history

    def test_law_is_shown_but_not_offered_for_editing(self, session: Session, office: Office) -> None:
        page = office.at_work("admin").get(f"{RULES}/edit/{rule_of(session, 'D-02').id}")
        assert "data-rule-rows" not in page.text
        assert "只能修改表述与出处" in words(page)

    def test_a_rule_is_tried_on_a_submitted_document(self, session: Session, office: Office) -> None:
        declared, draft = office.submitted(), office.draft()
        desk = office.at_work("admin")
        path = f"{RULES}/trial/{rule_of(session, 'S-01').id}"
        tried = words(desk.get(path, query_string={"code": declared.code}))
        assert "31,900.00 元" in tried and "大于等于 1,000,000.00 元" in tried
        assert declared.title not in tried, "the figures, never the document"
        assert desk.get(path, query_string={"code": draft.code}).status_code == 400

    def test_only_administrators_come_here(self, session: Session, office: Office) -> None:
        rule = rule_of(session, "S-01")
        for name in ("water", "first"):
            desk = office.at_work(name)
            for path in ("list/", f"edit/{rule.id}", f"trial/{rule.id}"):
                assert desk.get(f"{RULES}/{path}").status_code in (302, 403, 404), path

    def filled(self, **changes: str) -> dict[str, str]:
        return {
            "code": "X-7",
            "document_kind": "declaration",
            "name_zh": "试验规则",
            "name_en": "A test",
            "level": "WARNS",
            "place": "requested_amount",
            "source": "试验",
            "article": "第一条",
            "valid_from": "2026-01-01",
            "valid_to": "",
            "message_zh": "试验",
            "message_en": "Test",
            "active": "y",
            "conditions_given": "1",
            "kind": "",
            "conditions.0.group": "1",
            "conditions.0.field": "requested_amount",
            "conditions.0.operator": "GE",
            "conditions.0.value": "30,000.00",
            "conditions.0.parameter": "",
            "conditions.1.group": "1",
            "conditions.1.field": "nature",
            "conditions.1.operator": "IN",
            "conditions.1.value": "OPERATION, NEW",
            "conditions.2.group": "1",
            "conditions.2.field": "",
            "conditions.2.operator": "EQ",
            "conditions.2.value": "",
            **changes,
        }
