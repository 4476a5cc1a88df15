"""What is stored by code is read by name, in the reader's language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.services import log
from app.services.unit_of_work import unit_of_work
from app.tasks.runtime import clock_of
from app.views import VIEWS, names
from app.views.document_pages import PAGES
from app.workflow.registry import registered
from tests.factories import make_user
from tests.pages import words
from tests.security.conftest import Browser


@pytest.fixture
def zh(app: Flask) -> Any:
    with app.test_request_context(), force_locale("zh"):
        yield


def test_every_list_and_every_document_has_a_name_in_the_log(app: Flask) -> None:
    nouns = {view.noun for view in VIEWS if hasattr(view, "noun")} | set(registered()) | set(PAGES)
    assert nouns <= set(names.NOUNS)


def test_every_job_of_the_clock_has_a_name(app: Flask) -> None:
    jobs = {task.name.removesuffix("Task") for task in clock_of(app).huey._registry.periodic_tasks}
    assert jobs == set(names.JOBS)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("in_app=0 sms=2 failed=1", "站内消息 0，短信 2，失败 1"),
        (
            "outbox=0 attempts=3 sessions=0 files=0 imports=0",
            "已发消息 0，登录尝试 3，会话 0，文件 0，导入记录 0",
        ),
        ("ConnectionError: the disk is full", "ConnectionError: the disk is full"),
        ("", ""),
    ],
)
def test_what_a_job_did_is_said_in_words(zh: None, outcome: str, said: str) -> None:
    assert names.outcome_words(outcome) == said


@pytest.mark.parametrize(
    ("event", "summary", "said"),
    [
        ("LOGIN_OK", "local", "本地账号"),
        ("LOGIN_FAILED", "api:db", "本地账号（接口）"),
        ("LOGIN_REFUSED", "local: locked until 2026-11-30", "本地账号: locked until 2026-11-30"),
        ("LOGIN_OK", "elsewhere", "elsewhere"),
        ("EXPORT", "local", "local"),
    ],
)
def test_a_way_in_is_named(zh: None, event: str, summary: str, said: str) -> None:
    assert names.summary_words(event, summary) == said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("CHANGE_SUBMITTED", "项目变更申请：提交"),
        ("DECLARATION_PURGED", "项目申报：彻底删除"),
        ("LOCKED", "账号已锁定"),
        ("SOMETHING_ELSE", "SOMETHING_ELSE"),
    ],
)
def test_an_event_is_named(zh: None, event: str, said: str) -> None:
    assert names.event_name(event) == said


def test_the_log_and_its_export_condition_speak_of_records_by_name(app: Flask, session: Session) -> None:
    with unit_of_work(SYSTEM) as work:
        log.record(work, SYSTEM, "LOGIN_OK", noun="declaration", summary="api:db")
    browser = Browser(app.test_client())
    browser.log_in(make_user("audit_admin").username)
    page = browser.get("/system-log/list/?noun=declaration&event=LOGIN_OK")
    shown = words(re.sub(r"(?s)^.*<tbody>|</tbody>.*$", "", page.text))
    assert "项目申报" in shown and "本地账号（接口）" in shown
    assert "declaration" not in shown and "api:db" not in shown


def test_a_parameters_choices_are_read_by_their_labels(app: Flask, session: Session) -> None:
    browser = Browser(app.test_client())
    browser.log_in(make_user("sys_admin").username)
    page = browser.get("/parameter/list/?page_size=100")
    shown = words(page)
    assert "申报表(盖章扫描)、" in shown and "首个环节" in shown and "仅提示" in shown
    assert not {"FORM", "QUOTE", "FIRST_STEP", "WARN"} & set(re.findall(r"\w+", shown))
