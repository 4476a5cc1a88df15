"""Messages: told with what happened or not at all, delivered once, tried again, safe whatever users type."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.gateways.sms import RecordingGateway, SmsRefused, SmsUnavailable, make_gateway
from app.models.log import SystemLog
from app.models.message import Channel, Message, OutboxMessage, OutboxState, SmsMessage
from app.models.user import AppUser
from app.services import message
from app.services.unit_of_work import unit_of_work
from tests.factories import actor_of, make_actor, make_user
from tests.tasks.office import china

DECLARED = {"unit": "市公安局", "title": "公安局视频专网安全加固", "code": "SB2027-00001"}


@pytest.fixture(autouse=True)
def asleep() -> object:
    """No worker is woken, so that each test delivers when it says so."""
    hook = message.wake_up.bind(None)
    yield
    message.wake_up.bind(hook)


@pytest.fixture
def reviewer(session: Session) -> AppUser:
    return make_user("bureau_reviewer", mobile="13800002210")


def tell(*people: AppUser, key: str = "declaration:1:submitted", **changes: object) -> None:
    told = {
        "template": "declaration_notice",
        "recipients": [person.id for person in people],
        "params": DECLARED,
        "link": message.link_to("declaration", 1),
        "key": key,
        "channels": message.EVERYWHERE,
    } | changes
    with unit_of_work(SYSTEM) as work:
        message.notify(work, **told)  # type: ignore[arg-type]  # tests change single arguments


def outbox(session: Session, channel: Channel) -> list[OutboxMessage]:
    session.expire_all()
    rows = session.scalars(
        select(OutboxMessage).where(OutboxMessage.channel == channel).order_by(OutboxMessage.id)
    )
    return list(rows)


class Provider:
    """A gateway that fails as often as it is told to, and remembers what it was handed."""

    name = "provider"

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.handed: list[tuple[str, str, str]] = []

    def send(self, mobile: str, text: str, key: str) -> str:
        self.handed.append((mobile, text, key))
        if self.failures:
            raise self.failures.pop(0)
        return "receipt-1"


def test_a_declaration_reaches_the_reviewer_in_his_inbox_and_on_his_telephone(
    session: Session, reviewer: AppUser
) -> None:
    tell(reviewer)
    done = message.deliver_due(RecordingGateway())

    assert (done.in_app, done.sms, done.failed) == (1, 1, 0)
    (received,) = message.inbox(actor_of(reviewer))
    words = message.text_of(received.template, received.params)
    assert words == "市公安局已提交申报项目《公安局视频专网安全加固》（SB2027-00001），请及时受理。"
    assert message.label_of(received.template) == "申报通知"
    assert received.link == "/go/declaration/1"
    texted = session.scalars(select(SmsMessage)).one()
    assert (texted.mobile, texted.text, texted.gateway) == ("13800002210", words, "recording")


def test_nothing_is_told_of_what_was_rolled_back(session: Session, reviewer: AppUser) -> None:
    class PowerCut(Exception):
        pass

    with pytest.raises(PowerCut), unit_of_work(SYSTEM) as work:
        message.notify(
            work,
            template="declaration_notice",
            recipients=[reviewer.id],
            params=DECLARED,
            link="/go/declaration/1",
            key="declaration:1",
        )
        raise PowerCut

    assert message.deliver_due(RecordingGateway()).in_app == 0


def test_the_same_event_told_twice_arrives_once(session: Session, reviewer: AppUser) -> None:
    colleague = make_user("bureau_reviewer", mobile="13800002211")
    tell(reviewer)
    tell(reviewer, colleague)
    message.deliver_due(RecordingGateway())
    message.deliver_due(RecordingGateway())

    assert message.unread_count(actor_of(reviewer)) == 1
    assert message.unread_count(actor_of(colleague)) == 1
    assert session.scalar(select(func.count()).select_from(SmsMessage)) == 2


def test_the_worker_is_woken_once_after_the_commit_and_never_before(
    session: Session, reviewer: AppUser
) -> None:
    woken: list[int] = []
    message.wake_up.bind(lambda: woken.append(1))
    with unit_of_work(SYSTEM) as work:
        for key in ("a", "b"):
            message.notify(
                work,
                template="declaration_notice",
                recipients=[reviewer.id],
                params=DECLARED,
                link="/go/declaration/1",
                key=key,
            )
        assert woken == []

    assert woken == [1]


def test_a_queue_that_is_down_does_not_fail_the_users_request(session: Session, reviewer: AppUser) -> None:
    def down() -> None:
        raise ConnectionError("redis is down")

    message.wake_up.bind(down)
    tell(reviewer)

    assert message.deliver_due(RecordingGateway()).in_app == 1


def test_a_provider_that_is_down_is_tried_again_later_and_then_given_up_with_a_log_line(
    session: Session, reviewer: AppUser
) -> None:
    provider = Provider(*[SmsUnavailable("busy")] * 20)
    now = china("2026-11-23 09:00")
    tell(reviewer, channels=["sms"])
    waits = []
    for _attempt in range(message.MAX_ATTEMPTS):
        (row,) = outbox(session, Channel.SMS)
        now = max(now, row.next_attempt_at)
        assert message.deliver_due(provider, now=now).failed == 1
        (row,) = outbox(session, Channel.SMS)
        waits.append(round((row.next_attempt_at - now).total_seconds() / 60))
        assert message.deliver_due(provider, now=now).failed == 0

    assert waits[:-1] == [1, 5, 15, 60, 240]
    assert row.state is OutboxState.GAVE_UP
    assert "busy" in row.error
    assert len(provider.handed) == message.MAX_ATTEMPTS
    assert message.deliver_due(provider, now=now + dt.timedelta(days=30)).failed == 0
    logged = session.scalars(select(SystemLog).where(SystemLog.event == "SMS_GAVE_UP")).one()
    assert logged.level == "ERROR"


def test_a_failed_text_message_that_gets_through_later_is_recorded_once(
    session: Session, reviewer: AppUser
) -> None:
    provider = Provider(SmsUnavailable("busy"))
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    tell(reviewer, channels=["sms"])
    message.deliver_due(provider, now=now)
    message.deliver_due(provider, now=now + dt.timedelta(minutes=2))

    (row,) = outbox(session, Channel.SMS)
    assert (row.state, row.attempts, row.error) == (OutboxState.SENT, 2, "")
    assert session.scalars(select(SmsMessage.receipt)).all() == ["receipt-1"]


@pytest.mark.parametrize("mobile", [None, "0750-2215566", "1380000221"])
def test_a_person_without_a_mobile_number_is_told_in_the_inbox_only(
    session: Session, mobile: str | None
) -> None:
    person = make_user("bureau_reviewer", mobile=mobile)
    provider = Provider()
    tell(person)
    message.deliver_due(provider)

    (row,) = outbox(session, Channel.SMS)
    assert (row.state, row.error) == (OutboxState.GAVE_UP, "the person has no mobile number")
    assert provider.handed == []
    assert message.unread_count(actor_of(person)) == 1


def test_a_disabled_account_is_not_texted(session: Session) -> None:
    person = make_user("bureau_reviewer", mobile="13800002210", active=False)
    provider = Provider()
    tell(person)
    message.deliver_due(provider)

    assert provider.handed == []


def test_a_refused_number_is_not_tried_again_and_does_not_hold_up_the_others(
    session: Session, reviewer: AppUser
) -> None:
    colleague = make_user("bureau_reviewer", mobile="13800002211")
    provider = Provider(SmsRefused("no such number"))
    tell(reviewer, colleague, channels=["sms"])

    done = message.deliver_due(provider)

    assert (done.sms, done.failed) == (1, 1)
    assert {row.state for row in outbox(session, Channel.SMS)} == {OutboxState.GAVE_UP, OutboxState.SENT}


class Killed(BaseException):
    """The worker's process ends here."""


def test_a_worker_killed_while_sending_loses_nothing_and_another_repeats_under_the_same_key(
    session: Session, reviewer: AppUser
) -> None:
    provider = Provider(Killed())
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    tell(reviewer)
    with pytest.raises(Killed):
        message.deliver_due(provider, now=now, worker="first")

    (row,) = outbox(session, Channel.SMS)
    assert row.state is OutboxState.SENDING
    assert (row.claimed_by or "").startswith("first:")
    assert message.deliver_due(provider, now=now + dt.timedelta(minutes=4), worker="second").sms == 0
    assert message.deliver_due(provider, now=now + message.CLAIM_LASTS, worker="second").sms == 1
    assert len({key for _mobile, _text, key in provider.handed}) == 1
    assert len(provider.handed) == 2
    assert session.scalar(select(func.count()).select_from(SmsMessage)) == 1
    assert message.unread_count(actor_of(reviewer)) == 1


def test_a_message_that_kills_every_worker_is_given_up(session: Session, reviewer: AppUser) -> None:
    provider = Provider(*[Killed()] * 20)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    tell(reviewer, channels=["sms"])
    for _worker in range(message.MAX_ATTEMPTS):
        with pytest.raises(Killed):
            message.deliver_due(provider, now=now)
        now += message.CLAIM_LASTS

    assert message.deliver_due(provider, now=now).failed == 1
    assert outbox(session, Channel.SMS)[0].state is OutboxState.GAVE_UP


@pytest.mark.parametrize(
    "title", ["{{7*7}}", "{% for x in y %}", "{0.__class__}", "$code ${unit} $$", "%(code)s"]
)
def test_what_users_type_never_becomes_part_of_the_template(
    session: Session, reviewer: AppUser, title: str
) -> None:
    tell(reviewer, params=DECLARED | {"title": title})
    message.deliver_due(RecordingGateway())

    (received,) = message.inbox(actor_of(reviewer))
    expected = f"市公安局已提交申报项目《{title}》（SB2027-00001），请及时受理。"
    assert message.text_of(received.template, received.params) == expected
    assert session.scalars(select(SmsMessage.text)).one() == expected


def test_a_text_message_stays_on_one_line_and_affordable(session: Session, reviewer: AppUser) -> None:
    tell(reviewer, params=DECLARED | {"title": "碉楼\r\n文物\u202e" + "数字化" * 60})
    message.deliver_due(RecordingGateway())

    text = session.scalars(select(SmsMessage.text)).one()
    assert "\n" not in text and "\u202e" not in text
    assert len(text) < 130
    assert "…》" in text


@pytest.mark.parametrize(
    "changes",
    [
        {"template": "no_such"},
        {"params": {"unit": "市公安局"}},
        {"link": "https://evil.example/"},
        {"link": "//evil.example"},
        {"link": "/\\evil.example"},
        {"key": ""},
        {"key": "k" * 161},
        {"channels": ["pigeon"]},
    ],
)
def test_a_caller_that_tells_nonsense_is_stopped_at_once(
    session: Session, reviewer: AppUser, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError):
        tell(reviewer, **changes)


def test_every_template_asks_for_the_same_in_both_languages_and_names_the_four_kinds_required() -> None:
    from string import Template

    for template in message.TEMPLATES:
        assert template.placeholders == frozenset(Template(template.text_en).get_identifiers()), template.code
        filled = dict.fromkeys(template.placeholders, "词")
        assert "$" not in template.text(filled, "zh") + template.text(filled, "en")
        assert not re.search(r"[一-鿿]", template.text_en + template.label_en)
    labels = "".join(template.label_zh for template in message.TEMPLATES)
    assert all(kind in labels for kind in ("申报通知", "受理意见", "审核意见", "结果告知"))


def test_a_message_is_read_in_the_readers_language(session: Session, reviewer: AppUser) -> None:
    tell(reviewer)
    message.deliver_due(RecordingGateway())

    (received,) = message.inbox(actor_of(reviewer))
    assert message.text_of(received.template, received.params, "en").endswith("Please take it up.")


def test_people_mark_their_own_messages_read_and_nobody_elses(session: Session, reviewer: AppUser) -> None:
    colleague = make_user("bureau_reviewer")
    for number in range(3):
        tell(reviewer, colleague, key=f"declaration:{number}", channels=["in_app"])
    message.deliver_due(RecordingGateway())
    mine, theirs = actor_of(reviewer), actor_of(colleague)
    first, second, third = message.inbox(mine)
    assert first.id > second.id > third.id

    assert message.mark_read(theirs, [first.id, second.id]) == 0
    assert message.mark_read(mine, [first.id]) == 1
    assert message.mark_read(mine, [first.id]) == 0
    assert message.unread_count(mine) == 2
    assert [row.id for row in message.inbox(mine, unread_only=True)] == [second.id, third.id]
    assert [row.id for row in message.inbox(mine, before_id=second.id)] == [third.id]
    assert message.mark_read(mine) == 2
    assert message.unread_count(mine) == 0
    assert message.unread_count(theirs) == 3


def test_the_administrator_sees_what_was_texted_and_a_handler_does_not(
    session: Session, reviewer: AppUser
) -> None:
    tell(reviewer)
    message.deliver_due(RecordingGateway())

    assert len(session.scalars(message.sms_statement(make_actor("sys_admin"))).all()) == 1
    assert session.scalars(message.sms_statement(make_actor("unit_handler"))).all() == []


def test_delivered_entries_are_purged_when_old_and_the_inbox_stays(
    session: Session, reviewer: AppUser
) -> None:
    tell(reviewer)
    message.deliver_due(RecordingGateway())
    now = dt.datetime.now(dt.UTC)

    assert message.purge_delivered(now - dt.timedelta(days=1)) == 0
    assert message.purge_delivered(now + dt.timedelta(minutes=1)) == 2
    assert session.scalar(select(func.count()).select_from(Message)) == 1


def test_an_unknown_gateway_stops_the_program_at_its_start() -> None:
    with pytest.raises(ValueError, match=r"recording"):
        make_gateway("pigeon")
