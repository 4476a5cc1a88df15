"""Worker processes for real: two at once, one killed in the middle, one woken by the web process."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access.actor import SYSTEM
from app.models.alert import Alert
from app.models.message import Channel, Message, OutboxMessage, OutboxState, SmsMessage
from app.models.user import AppUser
from app.services import message
from app.services.unit_of_work import current_session, unit_of_work
from app.tasks.runtime import clock_of
from tests import programs
from tests.conftest import build_app
from tests.databases import Templates
from tests.factories import make_user
from tests.programs import Running
from tests.tasks.contender import contend
from tests.tasks.office import china, make_tasks

SECRET = "one secret for the site and its workers"
OFFICE_HOUR = china("2026-11-09 10:00")
ARRIVED = china("2026-11-02 10:00")
PAST = china("2026-11-07 00:00")


class Contender:
    """A worker process that waits for orders."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.line, far_end = programs.line()
        self.running = Running(contend, far_end, environment=environment)
        far_end.close()

    def heard(self) -> str:
        """What it says next; its exit code when it has nothing more to say."""
        try:
            return str(self.line.recv())
        except EOFError:
            return str(self.running.wait(20))


@dataclass
class Installation:
    """A database of its own, to which worker processes connect."""

    app: Flask
    environment: dict[str, str]
    folder: Path
    idle: list[Contender] = field(default_factory=list)

    def contend(self, action: str, now: dt.datetime, *, count: int) -> list[str]:
        """Let `count` workers do the same at the same moment; returns what each said at its end."""
        while len(self.idle) < count:
            self.idle.append(Contender(self.environment))
        workers, self.idle = self.idle[:count], self.idle[count:]
        flag = self.folder / f"go-{time.monotonic_ns()}"
        for each in workers:
            each.line.send((action, now, flag))
        assert [each.heard() for each in workers] == ["ready"] * count
        flag.touch()
        last_words = [each.heard() for each in workers]
        self.idle += [each for each in workers if each.running.ended() is None]
        return last_words

    def close(self) -> None:
        """End the workers that wait."""
        for each in self.idle:
            each.running.kill()


@pytest.fixture(scope="module")
def installation(
    app: Flask, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("workers")
    url = templates.copy(app, "workers", folder)
    settings = {"HUEY_URL": f"sqlite:///{folder / 'queue.db'}", "SECRET_KEY": SECRET}
    environment = {
        **os.environ,
        **settings,
        "APP_PROFILE": "testing",
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "FLASK_APP": "run.py",
    }
    opened = Installation(build_app(url, folder, **settings), environment, folder)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def office(installation: Installation) -> Iterator[None]:
    with installation.app.app_context():
        yield


def received(person: AppUser) -> tuple[int, int]:
    """How many messages he has in his inbox, and how many on his telephone."""
    session = current_session()
    session.rollback()
    inbox = session.scalar(select(func.count()).where(Message.recipient_id == person.id))
    texted = session.scalar(select(func.count()).where(SmsMessage.recipient_id == person.id))
    return inbox or 0, texted or 0


def sms_state(person: AppUser) -> OutboxState:
    """How far his one text message has come."""
    session = current_session()
    session.rollback()
    return session.scalars(
        select(OutboxMessage.state).where(
            OutboxMessage.channel == Channel.SMS, OutboxMessage.recipient_id == person.id
        )
    ).one()


def approve(person: AppUser) -> None:
    """Something that is told to a person: his declaration was approved."""
    with unit_of_work(SYSTEM) as session:
        message.notify(
            session,
            template="result_approved",
            recipients=[person.id],
            params={"title": "数字档案馆建设", "code": "SB2027-00003"},
            link="/go/declaration/3",
            key="declaration:3:approved",
            channels=message.EVERYWHERE,
        )


def test_two_workers_at_once_raise_one_alert_and_send_one_message_per_task_and_later_one_reminder(
    installation: Installation,
) -> None:
    reviewer = make_user("bureau_reviewer", mobile="13800002210")
    # More than one batch, so that the two meet in the middle as well as at the start.
    make_tasks(reviewer, [PAST] * 510, arrived=ARRIVED)

    assert installation.contend("scan", OFFICE_HOUR, count=2) == ["done", "done"]
    assert received(reviewer) == (510, 510)

    assert installation.contend("scan", OFFICE_HOUR + dt.timedelta(days=7), count=2) == ["done", "done"]
    assert received(reviewer) == (1020, 1020)
    notices = current_session().execute(
        select(Alert.notices, func.count()).where(Alert.user_id == reviewer.id).group_by(Alert.notices)
    )
    assert notices.all() == [(2, 510)]


def test_a_worker_killed_between_the_provider_and_our_record_is_made_good_by_the_next(
    installation: Installation,
) -> None:
    handler = make_user("unit_handler", mobile="13800002210")
    approve(handler)
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)

    assert installation.contend("die", now, count=1) == [str(-signal.SIGKILL)]
    assert (sms_state(handler), *received(handler)) == (OutboxState.SENDING, 1, 0)

    assert installation.contend("deliver", now + message.CLAIM_LASTS, count=2) == ["done", "done"]
    assert (sms_state(handler), *received(handler)) == (OutboxState.SENT, 1, 1)


def test_the_worker_is_woken_by_what_the_site_commits(installation: Installation) -> None:
    log = installation.folder / "worker.log"
    consumer = programs.flask("serve", "worker", environment=installation.environment, output=log)
    handler = make_user("unit_handler")
    try:
        approve(handler)
        deadline = time.monotonic() + 40
        while received(handler)[0] == 0 and time.monotonic() < deadline:
            assert consumer.ended() is None, log.read_text()
            time.sleep(0.1)
        assert received(handler)[0] == 1, log.read_text()
    finally:
        consumer.terminate()
        consumer.wait(20)


def test_an_entry_forged_in_the_queue_runs_nothing(installation: Installation) -> None:
    clock = clock_of(installation.app)
    clock.huey.flush()
    clock.wake()
    genuine = bytes(clock.huey.storage.dequeue())
    forged = genuine[:-40] + b"0" * 40

    assert clock.huey.deserialize_task(genuine).name == "wake"
    with pytest.raises(ValueError, match="Signature"):
        clock.huey.deserialize_task(forged)
