"""Alerts: the light of each review, who is told and how often, and who may see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import Light
from app.gateways.sms import RecordingGateway
from app.models.alert import Alert
from app.models.flow import AgentAppointment, Task
from app.models.message import Channel, OutboxMessage, SmsMessage
from app.models.user import AppUser
from app.services import alert, message, parameter, work_calendar
from app.services.unit_of_work import unit_of_work
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.tasks.office import china, finish, make_tasks

ARRIVED = china("2026-11-02 10:00")
MONDAY = china("2026-11-09 10:00")
FAR = china("2026-11-13 00:00")  # the end of Thursday: three working days after Monday
SOON = china("2026-11-12 00:00")  # the end of Wednesday: two
TODAY = china("2026-11-10 00:00")
PAST = china("2026-11-07 00:00")  # the end of Friday


@pytest.fixture(autouse=True)
def asleep() -> Iterator[None]:
    """No worker is woken, so that each test delivers when it says so."""
    hook = message.wake_up.bind(None)
    yield
    message.wake_up.bind(hook)


@pytest.fixture
def reviewer(session: Session) -> AppUser:
    return make_user("bureau_reviewer", mobile="13800002210")


def lights(session: Session) -> dict[int, Light]:
    """The open light of each task."""
    rows = session.execute(select(Alert.target_id, Alert.light).where(Alert.closed_at.is_(None)))
    return dict(rows.all())


def told(session: Session, channel: Channel = Channel.IN_APP) -> list[tuple[int, str]]:
    """Who was told what, in order."""
    rows = session.execute(
        select(OutboxMessage.recipient_id, OutboxMessage.template)
        .where(OutboxMessage.channel == channel)
        .order_by(OutboxMessage.id)
    )
    return [(recipient, template) for recipient, template in rows]


def test_two_working_days_before_the_end_is_amber_three_is_not_and_past_the_end_is_red(
    session: Session, reviewer: AppUser
) -> None:
    _far, soon, today, past, _without = make_tasks(reviewer, [FAR, SOON, TODAY, PAST, None], arrived=ARRIVED)

    done = alert.scan_reviews(MONDAY)

    assert done.raised == 3
    assert lights(session) == {soon.id: Light.AMBER, today.id: Light.AMBER, past.id: Light.RED}


@pytest.mark.parametrize(
    ("now", "light"),
    [
        ("2026-11-06 23:59:59", Light.AMBER),
        ("2026-11-07 00:00:00", Light.RED),
    ],
)
def test_a_limit_ends_at_midnight_of_its_last_day(
    session: Session, reviewer: AppUser, now: str, light: Light
) -> None:
    (task,) = make_tasks(reviewer, [PAST], arrived=ARRIVED)

    alert.scan_reviews(china(now))

    assert lights(session) == {task.id: light}


def test_due_soon_counts_working_days_across_the_national_holiday(
    session: Session, reviewer: AppUser
) -> None:
    # Due at the end of 9 October: from 30 September that is two working days, the 8th and the 9th.
    (task,) = make_tasks(reviewer, [china("2026-10-10 00:00")], arrived=china("2026-09-25 10:00"))

    alert.scan_reviews(china("2026-09-29 10:00"))
    assert lights(session) == {}
    alert.scan_reviews(china("2026-09-30 10:00"))
    assert lights(session) == {task.id: Light.AMBER}


def test_the_number_of_days_is_the_administrators(session: Session, reviewer: AppUser) -> None:
    admin = make_actor("sys_admin")
    far, today = make_tasks(reviewer, [FAR, TODAY], arrived=ARRIVED)

    parameter.change(admin, "review.due_soon_days", "0", dt.date(2026, 1, 1))
    alert.scan_reviews(MONDAY)
    assert lights(session) == {today.id: Light.AMBER}

    parameter.change(admin, "review.due_soon_days", "3", dt.date(2026, 1, 1))
    alert.scan_reviews(MONDAY)
    assert set(lights(session)) == {far.id, today.id}


def test_the_reviewer_is_told_once_on_amber_once_on_red_and_weekly_after_that(
    session: Session, reviewer: AppUser
) -> None:
    make_tasks(reviewer, [SOON], arrived=ARRIVED)
    moments = [
        "2026-11-09 10:00",
        "2026-11-09 10:10",
        "2026-11-10 10:00",
        "2026-11-12 10:00",  # red
        "2026-11-13 10:00",
        "2026-11-19 09:59",
        "2026-11-19 10:00",  # a week later
        "2026-11-19 10:10",
        "2026-11-20 10:00",
        "2026-12-20 10:00",  # the worker was away for a month: one reminder, not four
        "2026-12-20 10:10",
    ]
    counts = []
    for moment in moments:
        alert.scan_reviews(china(moment))
        counts.append(len(told(session)))

    assert counts == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]
    assert told(session) == [(reviewer.id, "review_due_soon")] + [(reviewer.id, "review_overdue")] * 3
    assert told(session, Channel.SMS) == told(session)


def test_the_message_names_the_document_the_day_and_the_days_left(
    session: Session, reviewer: AppUser
) -> None:
    (task,) = make_tasks(reviewer, [SOON], arrived=ARRIVED, title="智慧城管视频分析升级")
    alert.scan_reviews(MONDAY)
    message.deliver_due(RecordingGateway(), now=MONDAY)
    message.deliver_due(RecordingGateway())

    (received,) = message.inbox(actor_of(reviewer))
    words = message.text_of(received.template, received.params)
    assert "《智慧城管视频分析升级》" in words
    assert "须于2026-11-11前完成审核，还剩2个工作日" in words
    assert received.link == f"/go/task/{task.id}"
    assert session.scalars(select(SmsMessage.text)).one() == words


@pytest.mark.parametrize(
    ("scanned", "earliest"),
    [
        ("2026-11-07 00:10", "2026-11-07 08:00"),
        ("2026-11-07 08:00", "2026-11-07 08:00"),
        ("2026-11-07 19:59", "2026-11-07 19:59"),
        ("2026-11-07 20:00", "2026-11-08 08:00"),
    ],
)
def test_nobody_is_texted_at_night_though_limits_end_at_midnight(
    session: Session, reviewer: AppUser, scanned: str, earliest: str
) -> None:
    make_tasks(reviewer, [PAST], arrived=ARRIVED)

    alert.scan_reviews(china(scanned))

    at = {row.channel: row.next_attempt_at for row in session.scalars(select(OutboxMessage))}
    assert at[Channel.SMS] == china(earliest)
    assert at[Channel.IN_APP] <= dt.datetime.now(dt.UTC)


def test_a_task_that_is_done_closes_its_alert_and_is_not_spoken_of_again(
    session: Session, reviewer: AppUser
) -> None:
    task, other = make_tasks(reviewer, [PAST, PAST], arrived=ARRIVED)
    alert.scan_reviews(MONDAY)
    finish(task)

    done = alert.scan_reviews(MONDAY + dt.timedelta(days=8))

    assert done.closed == 1
    assert lights(session) == {other.id: Light.RED}
    assert len(told(session)) == 3


def test_settling_closes_the_alert_with_the_task_and_not_at_the_next_scan(
    session: Session, reviewer: AppUser
) -> None:
    task, other = make_tasks(reviewer, [PAST, PAST], arrived=ARRIVED)
    alert.scan_reviews(MONDAY)

    finish(task)
    with unit_of_work(SYSTEM) as work:
        for run_id in (task.run_id, other.run_id):
            alert.settle(work, run_id)

    assert lights(session) == {other.id: Light.RED}


def test_a_deadline_moved_by_the_calendar_puts_the_light_out_and_later_on_again(
    session: Session, reviewer: AppUser
) -> None:
    (task,) = make_tasks(reviewer, [SOON], arrived=ARRIVED)
    alert.scan_reviews(MONDAY)
    admin = make_actor("sys_admin")
    work_calendar.set_day(admin, dt.date(2026, 11, 6), False, "台风停工")

    alert.scan_reviews(MONDAY)
    assert lights(session) == {}

    alert.scan_reviews(MONDAY + dt.timedelta(days=1))
    session.expire_all()
    (row,) = session.scalars(select(Alert))
    assert (row.light, row.due_at, row.closed_at) == (Light.AMBER, china("2026-11-13 00:00"), None)
    assert session.get_one(Task, task.id).due_at == row.due_at
    assert len(told(session)) == 2


def test_a_task_handed_to_somebody_else_is_told_to_him(session: Session, reviewer: AppUser) -> None:
    colleague = make_user("bureau_reviewer")
    (task,) = make_tasks(reviewer, [PAST], arrived=ARRIVED)
    alert.scan_reviews(MONDAY)
    with unit_of_work(SYSTEM) as work:
        work.get_one(Task, task.id).user_id = colleague.id

    alert.scan_reviews(MONDAY + dt.timedelta(minutes=10))

    assert told(session) == [(reviewer.id, "review_overdue"), (colleague.id, "review_overdue")]


def test_whoever_stands_in_for_an_absent_reviewer_is_told_too(session: Session, reviewer: AppUser) -> None:
    stand_in, former = make_user("bureau_reviewer"), make_user("bureau_reviewer")
    with unit_of_work(SYSTEM) as work:
        for agent, last in ((stand_in, dt.date(2026, 11, 9)), (former, dt.date(2026, 11, 8))):
            work.add(
                AgentAppointment(
                    principal_id=reviewer.id, agent_id=agent.id, date_from=dt.date(2026, 11, 1), date_to=last
                )
            )
    make_tasks(reviewer, [PAST], arrived=ARRIVED)

    alert.scan_reviews(MONDAY)

    assert {recipient for recipient, _template in told(session)} == {reviewer.id, stand_in.id}


def test_people_see_the_alerts_of_their_scope_and_those_on_their_own_tasks(session: Session) -> None:
    bureau = make_unit("测试数据局")
    police = make_unit("测试公安局")
    reviewer = make_user("bureau_reviewer", bureau)
    leader = make_user("unit_leader", police)
    outsider = make_user("unit_leader", make_unit("测试教育局"))
    expert = make_user("expert", make_unit("测试评审公司"))
    (of_police,) = make_tasks(leader, [PAST], arrived=ARRIVED)
    (of_expert,) = make_tasks(expert, [SOON], arrived=ARRIVED)
    alert.scan_reviews(MONDAY)

    def seen(user: AppUser, **filters: Light) -> list[int]:
        return [row.target_id for row in alert.alerts(actor_of(user), **filters)]

    assert seen(reviewer) == [of_police.id, of_expert.id]
    assert seen(reviewer, light=Light.RED) == [of_police.id]
    assert seen(leader) == [of_police.id]
    assert seen(outsider) == []
    assert seen(expert) == [of_expert.id]
    assert alert.light_counts(actor_of(reviewer)) == {Light.RED: 1, Light.AMBER: 1}
    assert alert.light_counts(actor_of(outsider)) == {Light.RED: 0, Light.AMBER: 0}


def test_a_thousand_overdue_tasks_cost_statements_by_the_hundreds_of_rows_and_later_next_to_none(
    session: Session, reviewer: AppUser
) -> None:
    make_tasks(reviewer, [PAST] * 1_100, arrived=ARRIVED)
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "SAVEPOINT" not in statement:
            statements.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    try:
        first = alert.scan_reviews(MONDAY)
        at_first = len(statements)
        again = alert.scan_reviews(MONDAY)
    finally:
        event.remove(engine, "before_cursor_execute", count)

    assert (first.raised, again.raised) == (1_100, 0)
    assert at_first < 20
    assert len(statements) - at_first < 8
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 2_200
