"""Change requests of the demo: a handful in every state, made through the services as people make them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.money import round_half_up
from app.models.change import ChangeRequest
from app.models.project import Project
from app.models.user import AppUser
from app.services import access, attachment, change, review
from app.services.unit_of_work import current_session

_PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n"
_FILES = {"CHANGE_LETTER": "变更申请函（示例）.pdf", "CHANGE_SCHEME": "变更方案（示例）.pdf"}
_PEOPLE = ("handler1", "leader1", "handler2", "leader2", "reviewer", "checker", "director")

Raw = dict[str, Any]


def _scope(base: Mapping[str, Any]) -> Raw:
    return {
        "kinds": ["CONTENT"],
        "content": "增加移动端办理功能，相应扩充建设内容（示例）。",
        "scope_text": f"{base['scope_text']}；移动端办理功能。",
        "reason_code": "DEMAND",
        "reason_text": "群众和基层反映需要移动端办理（示例）。",
    }


def _period(base: Mapping[str, Any]) -> Raw:
    begin, end = dt.date.fromisoformat(base["begin_date"]), dt.date.fromisoformat(base["end_date"])
    return {
        "kinds": ["PERIOD"],
        "content": "因招标延期，建设周期顺延（示例）。",
        "begin_date": (begin + dt.timedelta(days=15)).isoformat(),
        "end_date": (end + dt.timedelta(days=60)).isoformat(),
        "reason_code": "POLICY",
        "reason_text": "采购计划审批时间较预期推迟（示例）。",
    }


def _people(base: Mapping[str, Any]) -> Raw:
    return {
        "kinds": ["PARTIES"],
        "content": "项目负责人调整（示例）。",
        "lead_name": "何示例",
        "lead_mobile": "13800001234",
        "reason_code": "ORGANISATION",
        "reason_text": "机构改革后分管领导调整（示例）。",
    }


def _more(share: str) -> Callable[[Mapping[str, Any]], Raw]:
    """The amount rises by a share: one more budget line, the first channel bears it."""

    def raw(base: Mapping[str, Any]) -> Raw:
        requested = Decimal(base["requested_amount"])
        delta = round_half_up(requested * Decimal(share))
        line = {**base["budget_lines"][0], "name": "新增移动端开发", "quantity": "1"}
        line |= {"unit_price": f"{delta:.2f}", "amount": f"{delta:.2f}"}
        first, *rest = base["funding_splits"]
        total = base["total_investment"] or base["requested_amount"]
        return {
            "kinds": ["CONTENT", "FUNDS", "CHANNEL"],
            "content": "新增移动端开发内容，资金相应增加（示例）。",
            "scope_text": f"{base['scope_text']}；新增移动端。",
            "requested_amount": f"{requested + delta:.2f}",
            "total_investment": f"{Decimal(total) + delta:.2f}",
            "budget_lines": [*base["budget_lines"], line],
            "funding_splits": [{**first, "amount": f"{Decimal(first['amount']) + delta:.2f}"}, *rest],
            "reason_code": "DEMAND",
            "reason_text": "上级部署的专项任务要求同步建设（示例）。",
        }

    return raw


def _end(base: Mapping[str, Any]) -> Raw:
    return {
        "kinds": ["TERMINATION"],
        "content": "业务已并入市级平台，项目终止（示例）。",
        "reason_code": "ORGANISATION",
        "reason_text": "职能划转，原系统不再使用（示例）。",
    }


_STORIES: tuple[tuple[str, Callable[[Mapping[str, Any]], Raw], str], ...] = (
    ("handler1", _more("0.05"), "recycle"),
    ("handler1", _scope, "approved"),
    ("handler2", _more("0.08"), "approved"),
    ("handler1", _more("0.25"), "approved"),
    ("handler2", _end, "approved"),
    ("handler1", _period, "first_review"),
    ("handler2", _more("0.12"), "first_review"),
    ("handler1", _more("0.3"), "recheck"),
    ("handler2", _scope, "final_review"),
    ("handler1", _people, "return"),
    ("handler2", _period, "return"),
    ("handler1", _scope, "reject"),
    ("handler2", _people, "terminate"),
    ("handler1", _period, "draft"),
    ("handler2", _scope, "draft"),
)
"""Whose project is changed, how, and how far the request has come."""


def load_changes(users: Mapping[str, AppUser]) -> None:
    """Draft, submit and review the stories, as far as there are projects to change."""
    session = current_session()
    actors = {name: access.actor_for(session, users[name].id) for name in _PEOPLE}
    projects = {name: _changeable(session, users[name]) for name in ("handler1", "handler2")}
    for handler, wanted, fate in _STORIES:
        if projects[handler]:
            project_id = projects[handler].pop(0)
            _tell(actors, handler, project_id, wanted, fate)
            if fate == "recycle":
                projects[handler].append(project_id)


def _changeable(session: Session, handler: AppUser) -> list[int]:
    """The unit's projects, the oldest budget years first: adjustments begin with the newest."""
    return list(
        session.scalars(
            select(Project.id)
            .where(Project.unit_id == handler.unit_id, Project.stage.in_(sorted(change.CHANGEABLE_STAGES)))
            .order_by(Project.budget_year, Project.id)
            .limit(len(_STORIES))
        )
    )


def _tell(
    actors: Mapping[str, Actor],
    handler: str,
    project_id: int,
    wanted: Callable[[Mapping[str, Any]], Raw],
    fate: str,
) -> None:
    unit = actors[handler]
    row = change.create(unit, project_id)
    raw = {**wanted(row.base), "performance_effect": "绩效目标不降低（示例）。"}
    row = change.save(unit, row.id, row.version, raw)
    if fate == "recycle":
        change.recycle(unit, row.id, row.version)
        return
    for category, name in _FILES.items():
        attachment.add(unit, change.KIND.name, row.id, category, name, io.BytesIO(_PDF))
    if fate == "draft":
        return
    row = change.submit(unit, row.id, row.version)
    reviewers = [actors[handler.replace("handler", "leader")], *(actors[name] for name in _PEOPLE[4:])]
    match fate:
        case "approved":
            while _acted(reviewers, row, "approve", "同意变更。"):
                pass
        case "return" | "reject":
            _acted(reviewers, row, "approve", "情况属实。")
            opinion = "请补充变更的依据文件。" if fate == "return" else "变更理由不充分，不予同意。"
            _acted(reviewers, row, fate, opinion)
        case "terminate":
            review.terminate(actors["director"], change.KIND.name, row.id, "申报单位不再需要变更（示例）。")
        case _:
            while _step(reviewers, row) not in (fate, None):
                _acted(reviewers, row, "approve", "同意。")


def _acted(reviewers: list[Actor], row: ChangeRequest, verb: str, opinion: str) -> bool:
    """Whoever is asked decides. False when nobody is asked any more."""
    for person in reviewers:
        if (task := review.open_task(person, change.KIND.name, row.id)) is not None:
            review.act(person, task.id, verb, version=task.version, opinion=opinion)
            return True
    return False


def _step(reviewers: list[Actor], row: ChangeRequest) -> str | None:
    """The step the request waits at."""
    for person in reviewers:
        if (task := review.open_task(person, change.KIND.name, row.id)) is not None:
            return task.step.code
    return None
