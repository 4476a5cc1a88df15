"""Fund adjustments of the demo: a handful in every state, made through the services as people make them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.funds import AdjustmentKind, Direction
from app.core.money import round_half_up
from app.core.workdays import today_in_china
from app.models.adjustment import FundAdjustment
from app.models.base import utcnow
from app.models.project import Project
from app.models.user import AppUser
from app.services import access, adjustment, attachment, funds, review
from app.services.unit_of_work import current_session

_PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n"
_REASONS = {
    AdjustmentKind.TRANSFER: "一个项目招标后有节余，另一个项目因需求增加资金不足，在两者之间调剂（示例）。",
    AdjustmentKind.ADD: "上级新增任务，须在原预算之外追加资金（示例）。",
    AdjustmentKind.WITHDRAW: "项目实施内容减少，结余资金由财政收回（示例）。",
}
_TITLES = {
    AdjustmentKind.TRANSFER: "信息化项目资金调剂",
    AdjustmentKind.ADD: "追加信息化项目资金",
    AdjustmentKind.WITHDRAW: "收回信息化项目结余资金",
}
_STORIES: tuple[tuple[AdjustmentKind, str], ...] = (
    (AdjustmentKind.TRANSFER, "approved"),
    (AdjustmentKind.ADD, "approved"),
    (AdjustmentKind.WITHDRAW, "approved"),
    (AdjustmentKind.TRANSFER, "approved"),
    (AdjustmentKind.TRANSFER, "bureau"),
    (AdjustmentKind.WITHDRAW, "finance"),
    (AdjustmentKind.TRANSFER, "finance"),
    (AdjustmentKind.ADD, "return"),
    (AdjustmentKind.TRANSFER, "reject"),
    (AdjustmentKind.WITHDRAW, "terminate"),
    (AdjustmentKind.TRANSFER, "draft"),
    (AdjustmentKind.ADD, "unfinished"),
    (AdjustmentKind.WITHDRAW, "recycle"),
)
"""What is adjusted, and how far it has come."""


def load_adjustments(users: Mapping[str, AppUser]) -> None:
    """Draft, submit and review the stories, as far as there are projects to adjust."""
    session = current_session()
    actors = {name: access.actor_for(session, users[name].id) for name in ("reviewer", "director", "finance")}
    projects = _adjustable(session)
    for number, (kind, fate) in enumerate(_STORIES, start=1):
        chosen = [project for _, project in zip(kind.directions, projects, strict=False)]
        if len(chosen) < len(kind.directions):
            return
        _tell(session, actors, number, kind, fate, chosen)


def _adjustable(session: Session) -> Iterator[Project]:
    """Each project once, the newest budget years first, so that no story disturbs another's figures."""
    rows = session.scalars(
        select(Project)
        .where(Project.stage.in_(sorted(adjustment.ADJUSTABLE)), Project.arranged_amount > 1000)
        .order_by(Project.budget_year.desc(), Project.id)
        .limit(2 * len(_STORIES))
    )
    return iter(rows.all())


def _tell(
    session: Session,
    actors: Mapping[str, Actor],
    number: int,
    kind: AdjustmentKind,
    fate: str,
    projects: list[Project],
) -> None:
    drafter, year = actors["reviewer"], adjustment.this_year()
    raw: dict[str, Any] = {
        "title": f"{year}年{_TITLES[kind]}",
        "kind": kind,
        "year": str(year),
        "basis_no": f"示例财调〔{year}〕{number}号",
        "basis_date": (today_in_china(utcnow()) - dt.timedelta(days=number)).isoformat(),
        "reason": _REASONS[kind],
        "lines": _lines(session, kind, projects),
    }
    if fate == "unfinished":
        raw |= {"basis_no": "", "basis_date": "", "reason": ""}
    row = adjustment.create(drafter, raw)
    attachment.add(
        drafter, adjustment.KIND.name, row.id, adjustment.ATTACHMENT, "调整文件（示例）.pdf", io.BytesIO(_PDF)
    )
    match fate:
        case "draft" | "unfinished":
            return
        case "recycle":
            adjustment.recycle(drafter, row.id, row.version)
            return
    row = adjustment.submit(drafter, row.id, row.version)
    match fate:
        case "approved":
            _act(actors["director"], row, "approve", "同意。")
            _act(actors["finance"], row, "approve", "同意调整。")
        case "finance":
            _act(actors["director"], row, "approve", "情况属实，报财政局审批。")
        case "return":
            _act(actors["director"], row, "return", "请补充上级任务文件。")
        case "reject":
            _act(actors["director"], row, "reject", "调入项目尚有结余，不予调整。")
        case "terminate":
            review.terminate(
                actors["director"], adjustment.KIND.name, row.id, "资金已由其他渠道收回（示例）。"
            )


def _lines(session: Session, kind: AdjustmentKind, projects: list[Project]) -> list[dict[str, Any]]:
    """A tenth of what the first project has of its largest channel; the second gets as much of the same."""
    channels = funds.channel_balances(session, [projects[0].id])[projects[0].id]
    channel, has = max(channels.items(), key=lambda each: each[1])
    amount = f"{round_half_up(has / 10, 2).quantize(Decimal('0.01')):.2f}"
    directions = sorted(kind.directions, key=lambda direction: direction is not Direction.OUT)
    return [
        {"project_id": project.id, "direction": direction, "channel": channel, "amount": amount}
        for direction, project in zip(directions, projects, strict=True)
    ]


def _act(actor: Actor, row: FundAdjustment, verb: str, opinion: str) -> None:
    task = review.open_task(actor, adjustment.KIND.name, row.id)
    if task is not None:
        review.act(actor, task.id, verb, version=task.version, opinion=opinion)
