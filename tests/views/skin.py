"""What the tests of the skin share: an environment without the application, a full shell, a full list."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask_appbuilder.filters import TemplateFilters
from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "app" / "templates"


def source(name: str) -> str:
    """A template as the browser may get it: without Jinja comments."""
    return re.sub(r"\{#.*?#\}", "", (TEMPLATES / name).read_text(encoding="utf-8"), flags=re.DOTALL)


class Texts:
    """gettext that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, text: str, **values: object) -> str:
        self.asked += 1
        return text % values if values else text


def environment(texts: Texts) -> Environment:
    """Jinja as the application sets it up, its functions replaced by the simplest ones."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        _=texts,
        csrf_token=lambda: "the-token",
        csp_nonce=lambda: "the-nonce",
        url_for=lambda endpoint, **values: f"/{endpoint}/{values.get('filename', '')}",
        get_flashed_messages=lambda with_categories=False: [],
        request=SimpleNamespace(
            path="/project/list", full_path="/project/list?", args={}, form={}, cookies={}, script_root=""
        ),
    )
    made.filters.update(
        yuan=lambda amount: f"{amount:,.2f}",
        wan=lambda amount: f"{amount / 10000:,.2f}",
        words=str,
        localdate=lambda moment: f"{moment:%Y-%m-%d}",
        localtime=lambda moment: f"{moment:%Y-%m-%d %H:%M}",
    )
    for name in vars(TemplateFilters):
        filter_name = getattr(getattr(TemplateFilters, name), "_filter", None)
        if filter_name:
            made.filters[filter_name] = lambda value, *args, **kwargs: value
    return made


def full_shell(**changes: Any) -> SimpleNamespace:
    values: dict[str, Any] = {
        "menu": [
            {"key": "home", "label": "工作台", "icon": "ti-home", "href": "/", "active": False, "items": []},
            {
                "key": "project",
                "label": "项目管理",
                "icon": "ti-folders",
                "href": None,
                "active": True,
                "items": [
                    {
                        "key": "drafts",
                        "label": "待申报项目",
                        "href": "/drafts",
                        "active": True,
                        "badge": 3,
                        "items": [],
                    },
                    {
                        "key": "review",
                        "label": "项目申报审核",
                        "href": None,
                        "active": False,
                        "items": [
                            {"key": "done", "label": "已审核申报项目", "href": "/done", "active": False}
                        ],
                    },
                ],
            },
        ],
        "user": SimpleNamespace(name="梁志明", initial="梁", unit="市政数局", role="初审", logged_in=True),
        "todo_count": 6,
        "unread_count": 0,
        "todo_href": "/todo",
        "may_act": True,
        "messages_href": "/messages",
        "search_href": "/search",
        "logout_href": "/logout",
        "profile_href": "/me",
        "password_href": "/password",
        "languages": [
            SimpleNamespace(code="zh", label="中文", href="/language/zh", active=True),
            SimpleNamespace(code="en", label="English", href="/language/en", active=False),
        ],
        "crumbs": [{"label": "项目管理", "href": "/p"}, {"label": "待申报项目", "href": None}],
        "title": "待申报项目",
        "footer": SimpleNamespace(
            office="开平市政务服务和数据管理局", version="0.1.0", hotline="0750-0000000"
        ),
        "product": SimpleNamespace(name="政务信息化项目管理系统", short="政务项目管理"),
    }
    return SimpleNamespace(**{**values, **changes})


def full_listing(row_count: int = 25, **changes: Any) -> SimpleNamespace:
    """A list as full as the mock-up's: eleven columns, boxes, a menu of four entries in each row."""
    labels = (
        "项目编号",
        "项目名称",
        "申请单位",
        "类型",
        "资金渠道",
        "申请资金",
        "评估金额",
        "生命周期",
        "状态",
        "更新",
        "联系人",
    )
    kinds = ("code", "title", "unit", "text", "text", "money", "money", "stage", "badge", "date", "text")
    columns = [
        {
            "key": f"c{at}",
            "label": label,
            "sortable": at < 3,
            "sort_href": f"?sort=c{at}",
            "kind": kind,
            "direction": "desc" if at == 0 else None,
            "align": "start",
            "visible": True,
        }
        for at, (label, kind) in enumerate(zip(labels, kinds, strict=True))
    ]
    menu = [
        {
            "label": label,
            "href": f"/project/{label}/17",
            "icon": "ti-eye",
            "post": label == "作废",
            "confirm": "确定作废？",
        }
        for label in ("查看", "修改", "打印", "作废")
    ]
    stage = Markup('<span class="stage d8"></span>')
    cells = [
        Markup('<a href="/project/show/17">KP2026-0031</a>'),
        Markup('<a href="/project/show/17">开平市智慧城管综合指挥平台（二期）及配套设施升级改造</a>'),
        "市城市管理和综合执法局",
        "依合同支付项目",
        "财政预算",
        "486.50",
        "412.30",
        stage,
        Markup('<span class="badge bg-green-lt">合同履行中</span>'),
        "2026-11-22",
        "陈晓琳",
    ]
    values: dict[str, Any] = {
        "title": "项目总览",
        "subtitle": "",
        "actions": [],
        "columns": columns,
        "chips": [],
        "totals": None,
        "fields": [
            {"name": "title", "label": "项目名称", "kind": "text", "value": "平台", "primary": True},
            {
                "name": "channel",
                "label": "资金渠道",
                "kind": "select",
                "primary": True,
                "options": [("1", "财政预算", False), ("2", "自筹资金", True)],
            },
            {
                "name": "status",
                "label": "建设状态",
                "kind": "multiselect",
                "primary": True,
                "options": [("a", "待建", True), ("b", "在建", False)],
            },
            {
                "name": "amount",
                "label": "申请资金",
                "kind": "amountrange",
                "primary": False,
                "min_name": "amount_from",
                "max_name": "amount_to",
                "min_value": "1000000",
                "max_value": "",
            },
        ],
        "rows": [
            SimpleNamespace(id=at, href="", cells=cells, menu=menu, classes="") for at in range(row_count)
        ],
        "bulk": [{"label": "批量通过", "href": "/bulk/approve", "confirm": "确定？"}],
        "pagination": SimpleNamespace(
            page=1,
            pages=52,
            page_size=25,
            sizes=[25, 50, 100],
            first=1,
            last=25,
            total=1284,
            href=lambda page: f"?page={page}",
        ),
        "export_href": "/project/export",
        "column_action_href": "/project/columns",
        "selectable": True,
        "bulk_all": 200,
        "dense": False,
        "unreadable": False,
        "sort": "-c0",
        "hidden_query": [("sort", "c0")],
    }
    return SimpleNamespace(**{**values, **changes})


def list_page(env: Environment, listing: SimpleNamespace, **shell: Any) -> str:
    """A list page as the builder has it drawn: what is kept first, by itself."""
    drawn = {
        name: Markup(env.get_template(f"list/_{template}.html").render(**context))
        for name, template, context in (
            ("search", "search", _search_context(listing)),
            ("cells", "head", {"columns": listing.columns, "several": False}),
            ("dialogs", "dialogs", {"columns": listing.columns, "dense": False}),
            ("units", "units", {"items": Markup("<li><label>开平市</label></li>"), "counts_href": "/c"}),
        )
    }
    listing.head = SimpleNamespace(columns=listing.columns, reset_href="/list", **drawn)
    listing.filtered = bool(listing.chips)
    return env.get_template("list/list.html").render(shell=full_shell(**shell), listing=listing)


def _search_context(listing: SimpleNamespace) -> dict[str, Any]:
    sorting = {
        "keys": [],
        "chosen": False,
        "add": [{"label": "年度", "href": "?sort=year"}],
        "reset_href": "/list",
    }
    return {
        "path": "/project/list",
        "fields": listing.fields,
        "chips": listing.chips,
        "hidden_query": listing.hidden_query,
        "reset_href": "/list",
        "sorting": sorting,
        "saved": None,
    }
