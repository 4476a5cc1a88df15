"""Alerts on reviews: the light of each open task, and telling its reviewer (domain.md 9.2 and 11).

A review is AMBER while no more than `review.due_soon_days` working days are left, RED once its time limit
has passed. The reviewer is told once on entering AMBER, once on entering RED, then every
`review.repeat_days` days while it stays RED.

Any number of workers may scan at once. What decides who tells is a row of the database, never luck: a
light is told of by the transaction that inserted or reopened its row (unique by kind, target and light),
a reminder by the one that moved `next_notice_at` on; the message's key (alert, light, date) guards both.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.access.policy import criterion, scoped
from app.core.enums import Light
from app.core.flow import TaskState
from app.core.workdays import SHANGHAI, WorkCalendar, end_of_day, last_day, today_in_china
from app.models.alert import Alert, AlertKind
from app.models.base import utcnow
from app.models.flow import AgentAppointment, FlowRun, Task
from app.models.upsert import upsert
from app.services import message, parameter, work_calendar
from app.services.unit_of_work import current_session, unit_of_work

_AT_ONCE = 500
_TEMPLATES = {Light.AMBER: "review_due_soon", Light.RED: "review_overdue"}
_IDENTITY = frozenset({"kind", "target_id", "light"})
_RAISED_COLUMNS = (
    "kind",
    "light",
    "target_id",
    "document_kind",
    "document_id",
    "task_id",
    "unit_id",
    "user_id",
    "code",
    "title",
    "due_at",
    "raised_at",
    "next_notice_at",
    "notices",
)
_TOLD_COLUMNS = (
    Alert.kind,
    Alert.light,
    Alert.target_id,
    Alert.user_id,
    Alert.code,
    Alert.title,
    Alert.due_at,
)


_Step = Callable[[Session, "_Rules", int], Sequence[Any]]
"""Does something for the tasks after an id; returns `_TOLD_COLUMNS` of those it was done for."""


@dataclass(frozen=True)
class Scanned:
    """What one scan did."""

    raised: int = 0
    reminded: int = 0
    closed: int = 0

    def __str__(self) -> str:
        return f"raised={self.raised} reminded={self.reminded} closed={self.closed}"


@dataclass(frozen=True)
class _Rules:
    """The numbers of one scan, read once."""

    now: dt.datetime
    horizon: dt.datetime
    calendar: WorkCalendar
    repeat: dt.timedelta
    sms_from: dt.datetime


def scan_reviews(now: dt.datetime | None = None) -> Scanned:
    """Close the lights that no longer apply, raise those that do, remind of those that stay RED.

    Works in transactions of a few hundred rows; what has been told before costs one indexed query, however
    many tasks are overdue.
    """
    rules = _read_rules(now or utcnow())
    closed = _close(rules)
    raised = _in_batches(rules, _raise)
    reminded = _in_batches(rules, _remind)
    return Scanned(raised, reminded, closed)


def settle(session: Session, run_id: int, now: dt.datetime | None = None) -> None:
    """Put out the lights of a run's tasks that are no longer open, in the caller's unit of work, so that an
    alert goes with its task and not at the next scan."""
    not_open = select(Task.id).where(Task.run_id == run_id, Task.state != TaskState.OPEN)
    session.execute(
        update(Alert)
        .where(_open_review(), Alert.target_id.in_(not_open))
        .values(closed_at=now or utcnow(), next_notice_at=None)
        .execution_options(synchronize_session=False)
    )


def alerts(
    actor: Actor, *, light: Light | None = None, kind: AlertKind | None = None, limit: int = 50
) -> Sequence[Alert]:
    """The open alerts within the actor's scope, the most overdue first."""
    statement = alerts_statement(actor)
    if light is not None:
        statement = statement.where(Alert.light == light)
    if kind is not None:
        statement = statement.where(Alert.kind == kind)
    return current_session().scalars(statement.order_by(Alert.due_at, Alert.id).limit(limit)).all()


def alerts_statement(actor: Actor, *, closed: bool = False) -> Select[Alert]:
    """The open (or closed) alerts within the actor's scope, for a list page to filter and sort."""
    return scoped(actor, Alert).where(Alert.closed_at.is_not(None) if closed else Alert.closed_at.is_(None))


def red_count_query(actor: Actor) -> ScalarSelect[int]:
    """How many open red alerts the actor sees, as a part of another statement."""
    return (
        select(func.count())
        .where(criterion(actor, Alert), Alert.closed_at.is_(None), Alert.light == Light.RED)
        .scalar_subquery()
    )


def light_counts(actor: Actor) -> dict[Light, int]:
    """How many open alerts of each light the actor sees: one grouped query."""
    rows: Sequence[tuple[Light, int]] = (
        current_session()
        .execute(
            select(Alert.light, func.count())
            .where(criterion(actor, Alert), Alert.closed_at.is_(None))
            .group_by(Alert.light)
        )
        .all()
    )
    return dict.fromkeys((Light.RED, Light.AMBER), 0) | dict(rows)


def _read_rules(now: dt.datetime) -> _Rules:
    with unit_of_work(SYSTEM) as session:
        calendar = work_calendar.load_calendar(session)
        soon = parameter.int_of(session, "review.due_soon_days")
        today = today_in_china(now)
        last = calendar.add(today, soon) if soon else today
        return _Rules(
            now,
            end_of_day(last),
            calendar,
            dt.timedelta(days=parameter.int_of(session, "review.repeat_days")),
            _next_office_hour(
                now,
                parameter.int_of(session, "sms.first_hour"),
                parameter.int_of(session, "sms.last_hour"),
            ),
        )


def _next_office_hour(now: dt.datetime, first: int, last: int) -> dt.datetime:
    """`now` between the two hours of China's day, else the next time the first strikes: deadlines end at
    midnight, and nobody is to be woken by a reminder."""
    local = now.astimezone(SHANGHAI)
    if first <= local.hour < last:
        return now
    opening = local.replace(hour=first, minute=0, second=0, microsecond=0)
    if opening <= local:
        opening += dt.timedelta(days=1)
    return opening.astimezone(dt.UTC)


def _in_batches(rules: _Rules, step: _Step) -> int:
    """Do a step for the next few hundred tasks, in the order of their ids, until none is left; each batch
    is told of in its own transaction. Returns how many there were."""
    total = reached = 0
    while True:
        with unit_of_work(SYSTEM) as session:
            rows = step(session, rules, reached)
            _tell(session, rules, rows)
        if not rows:
            return total
        total += len(rows)
        reached = max(row.target_id for row in rows)


def _light_now(rules: _Rules) -> ColumnElement[Light]:
    """The light of a task by its deadline; NULL while it is still far."""
    return case(
        (Task.due_at <= rules.now, literal(Light.RED, Alert.light.type)),
        (Task.due_at <= rules.horizon, literal(Light.AMBER, Alert.light.type)),
        else_=null(),
    )


def _open_review() -> ColumnElement[bool]:
    return and_(Alert.kind == AlertKind.REVIEW_DUE, Alert.closed_at.is_(None))


def _close(rules: _Rules) -> int:
    """Close every open light whose task is done, somebody else's or of another light now; follow deadlines.

    The task is fetched by its key for each alert: a join would leave the choice to the database's
    statistics, which after a busy day may still be those of an empty table.
    """
    its_task = Task.id == Alert.target_id
    still_his = and_(Task.state == TaskState.OPEN, Task.user_id == Alert.user_id)
    light = select(case((still_his, _light_now(rules)), else_=null())).where(its_task)
    deadline = select(Task.due_at).where(its_task)
    with unit_of_work(SYSTEM) as session:
        result = session.execute(
            update(Alert)
            .where(_open_review(), Alert.light.is_distinct_from(light.correlate(Alert).scalar_subquery()))
            .values(closed_at=rules.now, next_notice_at=None)
            .execution_options(synchronize_session=False)
        )
        due_at = deadline.correlate(Alert).scalar_subquery()
        session.execute(
            update(Alert)
            .where(_open_review(), Alert.due_at != due_at)
            .values(due_at=due_at)
            .execution_options(synchronize_session=False)
        )
        return int(getattr(result, "rowcount", 0))


def _raise(session: Session, rules: _Rules, reached: int) -> Sequence[Any]:
    """Raise the lights of tasks that have none yet; the rows are those this transaction raised."""
    light = _light_now(rules)
    has_it = (
        select(Alert.id)
        .where(_open_review(), Alert.target_id == Task.id, Alert.light == light)
        .correlate(Task)
        .scalar_subquery()
    )
    without = (
        select(
            literal(AlertKind.REVIEW_DUE, Alert.kind.type),
            light,
            Task.id,
            FlowRun.document_kind,
            FlowRun.document_id,
            Task.id,
            FlowRun.unit_id,
            Task.user_id,
            FlowRun.code,
            FlowRun.title,
            Task.due_at,
            literal(rules.now, Alert.raised_at.type),
            case(
                (Task.due_at <= rules.now, literal(rules.now + rules.repeat, Alert.next_notice_at.type)),
                else_=null(),
            ),
            literal(1),
        )
        .join(FlowRun, FlowRun.id == Task.run_id)
        .where(
            Task.state == TaskState.OPEN,
            Task.due_at <= rules.horizon,
            Task.id > reached,
            has_it.is_(None),
        )
        # One order for all workers, so that two of them queue instead of waiting for each other in a ring.
        .order_by(Task.id)
        .limit(_AT_ONCE)
    )
    insert = upsert(session, Alert).from_select(_RAISED_COLUMNS, without, include_defaults=False)
    statement = insert.on_conflict_do_update(
        index_elements=["kind", "target_id", "light"],
        set_={
            **{name: insert.excluded[name] for name in _RAISED_COLUMNS if name not in _IDENTITY},
            "closed_at": None,
        },
        where=Alert.closed_at.is_not(None),
    ).returning(*_TOLD_COLUMNS)
    return session.execute(statement).all()


def _remind(session: Session, rules: _Rules, reached: int) -> Sequence[Any]:
    """Move on the reminders that are due; those missed while no worker ran are not made up for."""
    due = (
        select(Alert.id)
        .where(_open_review(), Alert.next_notice_at <= rules.now, Alert.target_id > reached)
        .order_by(Alert.target_id)
        .limit(_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return session.execute(
        update(Alert)
        .where(Alert.id.in_(session.scalars(due).all()))
        .values(next_notice_at=rules.now + rules.repeat, notices=Alert.notices + 1)
        .returning(*_TOLD_COLUMNS)
        .execution_options(synchronize_session=False)
    ).all()


def _agents(session: Session, principals: set[int], today: dt.date) -> dict[int, frozenset[int]]:
    """Who stands in today for those who are absent: they are told too."""
    agents: defaultdict[int, set[int]] = defaultdict(set)
    for principal, agent in session.execute(
        select(AgentAppointment.principal_id, AgentAppointment.agent_id).where(
            AgentAppointment.principal_id.in_(principals),
            AgentAppointment.date_from <= today,
            AgentAppointment.date_to >= today,
            AgentAppointment.revoked_at.is_(None),
        )
    ):
        agents[principal].add(agent)
    return {principal: frozenset(names) for principal, names in agents.items()}


def _tell(session: Session, rules: _Rules, rows: Sequence[Any]) -> None:
    if not rows:
        return
    today = today_in_china(rules.now)
    agents = _agents(session, {row.user_id for row in rows}, today)
    message.notify_all(
        session,
        (
            message.Notice(
                template=_TEMPLATES[row.light],
                recipients=frozenset({row.user_id}) | agents.get(row.user_id, frozenset()),
                params={
                    "title": row.title,
                    "code": row.code,
                    "due": last_day(row.due_at).isoformat(),
                    "days": str(max(0, work_calendar.days_left(rules.calendar, row.due_at, rules.now))),
                },
                link=message.link_to("task", row.target_id),
                key=f"alert:{row.kind.lower()}:{row.target_id}:{row.light.lower()}:{today.isoformat()}",
                channels=message.EVERYWHERE,
                sms_not_before=rules.sms_from,
            )
            for row in rows
        ),
    )
