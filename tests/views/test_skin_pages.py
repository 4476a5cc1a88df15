"""What the shared templates make of their context: shell, error pages, list, macros, login."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment
from wtforms import BooleanField, Form, SelectField, StringField
from wtforms.validators import DataRequired

from tests.views.skin import Texts, environment, full_listing, full_shell, list_page


@pytest.fixture
def texts() -> Texts:
    return Texts()


@pytest.fixture
def env(texts: Texts) -> Environment:
    return environment(texts)


# ---------- the shell ----------


def test_the_menu_shows_three_levels_and_where_the_reader_is(env: Environment) -> None:
    page = env.get_template("shell/base.html").render(shell=full_shell())
    assert 'href="/drafts" aria-current="page"' in page
    assert "已审核申报项目" in page
    assert 'lang="zh-CN"' in page
    assert page.count('aria-current="page"') == 2  # the menu entry and the last crumb


def test_leaving_and_switching_the_language_are_posts(env: Environment) -> None:
    page = env.get_template("shell/base.html").render(shell=full_shell())
    for address in ("/logout", "/language/en"):
        assert f'<form method="post" action="{address}"><input type="hidden" name="csrf_token"' in page
    assert 'name="next" value="/project/list"' in page


class _Untouchable:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"shell.{name} was asked: that may be a query, and the database may be down")


def test_the_page_of_an_internal_error_asks_nobody(env: Environment) -> None:
    page = env.get_template("errors/error.html").render(
        code=500, title="系统出错了", request_id="r-20261122-01", shell=_Untouchable()
    )
    assert "r-20261122-01" in page
    assert "app-menu" not in page


@pytest.mark.parametrize("code", [400, 401, 403, 404, 413, 429])
def test_an_error_page_has_the_menu_for_those_who_are_logged_in(env: Environment, code: int) -> None:
    template = env.get_template("errors/error.html")
    assert 'id="app-menu"' in template.render(code=code, title="x", shell=full_shell())
    stranger = full_shell(user=SimpleNamespace(logged_in=False))
    assert 'id="app-menu"' not in template.render(code=code, title="x", shell=stranger)
    assert 'id="app-menu"' not in template.render(code=code, title="x")


def test_a_stale_page_says_who_changed_what(env: Environment) -> None:
    changes = [
        {
            "field": "申请资金",
            "old": "31,900.00",
            "new": "33,000.00",
            "by": "梁志明",
            "at": datetime(2026, 11, 22, 9, 30),
        }
    ]
    page = env.get_template("errors/error.html").render(
        code=409, title="数据已被修改", changes=changes, back_href="/declaration/7", shell=full_shell()
    )
    for part in ("申请资金", "31,900.00", "33,000.00", "梁志明", "2026-11-22 09:30", 'href="/declaration/7"'):
        assert part in page


# ---------- the list ----------


class _Tags(HTMLParser):
    VOID = frozenset(
        ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
    )

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def _check_markup(page: str) -> None:
    tags = _Tags()
    tags.feed(page)
    assert tags.wrong == [] and tags.open == []
    assert len(tags.ids) == len(set(tags.ids)), "an id stands twice in the page"


def test_pages_are_well_formed(env: Environment) -> None:
    _check_markup(list_page(env, full_listing(3)))
    _check_markup(list_page(env, full_listing(0)))
    _check_markup(env.get_template("errors/error.html").render(code=404, title="x", shell=full_shell()))


def test_a_list_page_stays_under_150_kb(env: Environment) -> None:
    page = list_page(env, full_listing(25))
    assert len(page.encode()) < 150_000 / 2  # half: the menu of an administrator is longer than this one
    full = list_page(env, full_listing(100))
    assert len(full.encode()) < 150_000


def test_texts_are_translated_once_whatever_the_number_of_rows(env: Environment, texts: Texts) -> None:
    counts = []
    for rows in (1, 60):
        texts.asked = 0
        list_page(env, full_listing(rows))
        counts.append(texts.asked)
    assert counts[0] == counts[1]


def test_what_people_typed_is_shown_as_text(env: Environment) -> None:
    evil = '"><img src=x onerror=alert(1)><script>'
    listing = full_listing(
        1,
        rows=[SimpleNamespace(id=1, href="", cells=[evil] * 11, menu=[], classes="")],
        chips=[{"label": evil, "href": "?"}],
        fields=[{"name": "title", "label": "项目名称", "kind": "text", "value": evil, "primary": True}],
    )
    page = list_page(env, listing, title=evil)
    assert "<img" not in page
    assert page.count("&lt;img") >= 13


def test_the_search_form_keeps_what_was_asked_and_the_order(env: Environment) -> None:
    page = list_page(env, full_listing(1))
    assert 'name="title" maxlength="200" value="平台"' in page
    assert '<option value="2" selected>自筹资金</option>' in page
    assert 'name="status" value="a" checked' in page
    assert 'type="hidden" name="sort" value="c0"' in page
    assert 'id="search-more" checked' in page  # a filled condition is never hidden


def test_an_action_in_the_row_menu_is_a_post_with_a_question(env: Environment) -> None:
    page = list_page(env, full_listing(1))
    button = re.search(r'<button[^>]*formaction="/project/作废/17"[^>]*>', page)
    assert button and 'data-confirm="确定作废？"' in button.group()
    assert '<form method="post" id="list-post"' in page


def test_totals_stand_under_their_columns(env: Environment) -> None:
    page = list_page(env, full_listing(2, totals={"c5": "37,200.00", "c6": "21,800.00"}))
    foot = re.findall(r"<td[^>]*>(.*?)</td>", page.split("<tfoot>")[1].split("</tfoot>")[0])
    assert foot[1] == "Total" and foot[6:8] == ["37,200.00", "21,800.00"] and len(foot) == 13


@pytest.mark.parametrize(
    ("page", "pages"), [(1, 2), (1, 52), (2, 5), (26, 52), (52, 52), (2999, 4000), (3000, 4000)]
)
def test_pagination_links_first_last_and_neighbours(env: Environment, page: int, pages: int) -> None:
    state = SimpleNamespace(page=page, pages=pages, href=lambda number: f"?page={number}")
    html = env.get_template("ui.html").module.pagination(state)
    shown = [int(number) for number in re.findall(r'href="\?page=\d+"[^>]*>(\d+)<', html)]
    assert shown == sorted(set(shown)) and len(shown) <= 7
    assert {1, pages, page} <= set(shown)
    assert {number for number in (page - 1, page + 1) if 1 <= number <= pages} <= set(shown)
    assert html.count("…") == (min(shown[1:]) > 2) + (len(shown) > 1 and shown[-2] < pages - 1)


# ---------- macros ----------


class _Declaration(Form):
    title = StringField("项目名称", [DataRequired("请填写项目名称")], description="与上年名称相似")
    nature = SelectField("项目现状", choices=["新建", "运维"])
    secret = BooleanField("是否涉密")


@pytest.fixture
def ui(env: Environment) -> Any:
    return env.get_template("ui.html").module


def test_an_error_stands_beside_its_field_and_the_form_stays_filled(ui: Any) -> None:
    form = _Declaration(data={"title": " ", "nature": "运维"})
    form.title.errors = ["请填写项目名称"]
    html = ui.field(form.title, width=8)
    assert 'aria-invalid="true"' in html and "is-invalid" in html and 'class="form-label required"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html)
    assert described and all(f'id="{target}"' in html for target in described.group(1).split())
    assert 'value=" "' in html
    assert '<option selected value="运维">' in ui.field(form.nature)


def test_a_field_without_errors_says_nothing_about_errors(ui: Any) -> None:
    html = ui.field(_Declaration().nature)
    assert "aria-invalid" not in html and "field-error" not in html and 'class="form-select"' in html


def test_amounts_show_ten_thousands_with_the_exact_yuan_behind(ui: Any) -> None:
    html = ui.money(Decimal("31900.00"), unit="wan")
    assert ">3.19<" in html and 'title="31,900.00"' in html
    assert "—" in ui.money(None)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_chart_cannot_close_its_script(ui: Any, as_text: bool) -> None:
    options = {
        "title": {"text": "</script><b>粗</b>"},
        "series": [{"data": [{"value": 1, "href": "/list?u=1"}]}],
    }
    html = ui.chart(
        json.dumps(options) if as_text else options, "各部门申请资金", ["单位", "申请"], [("公安局", 980)]
    )
    source = re.search(r"<script[^>]*>(.*?)</script>", html, flags=re.DOTALL)
    assert source and json.loads(source.group(1)) == options
    assert html.count("</script>") == 1
    assert '<th scope="row">公安局</th>' in html  # the same figures as a table


def test_a_confirmed_button_carries_its_values(ui: Any) -> None:
    html = ui.confirm_button("提交审核", "/declaration/7/submit", "确定提交吗？", fields={"version": 3})
    assert 'method="post"' in html and 'name="csrf_token" value="the-token"' in html
    assert 'name="version" value="3"' in html and 'data-confirm="确定提交吗？"' in html


# ---------- login ----------


class _Login(Form):
    username = StringField("用户名")
    password = StringField("密码")


def _login(env: Environment, **context: Any) -> str:
    template = env.get_template("appbuilder/general/security/login_db.html")
    return template.render(
        form=_Login(), title="", shell=full_shell(user=SimpleNamespace(logged_in=False)), **context
    )


def test_one_login_page_offers_all_ways_in(env: Environment) -> None:
    page = _login(
        env,
        providers=[
            {"key": "db", "label": "本地账号", "tab": "password"},
            {"key": "ldap", "label": "统一认证", "tab": "password"},
            {"key": "yuezhengyi", "label": "粤政易扫码", "href": "/login/yuezhengyi"},
        ],
    )
    assert 'name="provider" id="provider-db" value="db" checked' in page
    assert 'name="provider" id="provider-ldap" value="ldap"' in page
    assert 'href="/login/yuezhengyi"' in page
    _check_markup(page)


def test_demonstration_accounts_show_only_where_they_are_given(env: Environment) -> None:
    with_accounts = _login(env, demo_accounts=[("handler1", "经办人", "市公安局")], demo_password="secret-1")
    assert "handler1" in with_accounts and "secret-1" in with_accounts and "login.js" in with_accounts
    without = _login(env, demo_accounts=[], demo_password="secret-1")
    assert "secret-1" not in without and "login.js" not in without
