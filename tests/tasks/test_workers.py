"""Worker processes for real: two at once, one killed in the middle, one woken by the web process."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
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
from tests.conftest import build_app, fresh_database
from tests.factories import make_user
from tests.tasks.office import china, make_tasks

ROOT = Path(__file__).resolve().parents[2]
SECRET = "one secret for the site and its workers"
OFFICE_HOUR = china("2026-11-09 10:00")


@dataclass
class Office:
    """An installation with a database of its own, to which worker processes connect."""

    app: Flask
    environment: dict[str, str]
    folder: Path

    def contenders(self, action: str, count: int, now: dt.datetime) -> list[int]:
        """Run `count` processes that all begin at the same moment; returns their exit codes."""
        flag = self.folder / f"go-{action}-{time.monotonic_ns()}"
        command = [sys.executable, "-m", "tests.tasks.contender", action, str(flag), now.isoformat()]
        processes = [
            subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for _ in range(count)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        flag.touch()
        return [process.wait(timeout=60) for process in processes]


@pytest.fixture
def office(worker: str, tmp_path: Path) -> Iterator[Office]:
    url = fresh_database(worker, "workers", tmp_path)
    settings = {"HUEY_URL": f"sqlite:///{tmp_path / 'queue.db'}", "SECRET_KEY": SECRET}
    app = build_app(url, tmp_path, **settings)
    environment = {
        **os.environ,
        **settings,
        "APP_PROFILE": "testing",
        "DATABASE_URL": url,
        "DATA_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    with app.app_context():
        yield Office(app, environment, tmp_path)


def count(model: type[Message | SmsMessage | Alert | OutboxMessage]) -> int:
    """Rows there are now."""
    session = current_session()
    session.rollback()
    return session.scalar(select(func.count()).select_from(model)) or 0


def sms_state() -> OutboxState:
    """How far the one text message has come."""
    session = current_session()
    session.rollback()
    return session.scalars(select(OutboxMessage.state).where(OutboxMessage.channel == Channel.SMS)).one()


def notify(person: AppUser) -> None:
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


def test_two_workers_scanning_at_once_raise_one_alert_and_send_one_message_per_task(office: Office) -> None:
    reviewer = make_user("bureau_reviewer", mobile="13800002210")
    # More than one batch, so that the two meet in the middle as well as at the start.
    make_tasks(reviewer, [china("2026-11-07 00:00")] * 600, arrived=china("2026-11-02 10:00"))

    assert office.contenders("scan", 2, OFFICE_HOUR) == [0, 0]

    assert (count(Alert), count(OutboxMessage), count(Message), count(SmsMessage)) == (600, 1200, 600, 600)
    notices = current_session().scalars(select(Alert.notices).distinct()).all()
    assert notices == [1]


def test_two_workers_reminding_at_once_remind_once(office: Office) -> None:
    reviewer = make_user("bureau_reviewer", mobile="13800002210")
    make_tasks(reviewer, [china("2026-11-07 00:00")], arrived=china("2026-11-02 10:00"))
    office.contenders("scan", 1, OFFICE_HOUR)

    assert office.contenders("scan", 2, OFFICE_HOUR + dt.timedelta(days=7)) == [0, 0]

    assert (count(Alert), count(Message), count(SmsMessage)) == (1, 2, 2)
    assert current_session().scalars(select(Alert.notices)).one() == 2


def test_a_worker_killed_between_the_provider_and_our_record_is_made_good_by_the_next(office: Office) -> None:
    notify(make_user("unit_handler", mobile="13800002210"))
    now = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)

    assert office.contenders("die", 1, now) == [-signal.SIGKILL]
    assert (sms_state(), count(SmsMessage), count(Message)) == (OutboxState.SENDING, 0, 1)

    assert office.contenders("deliver", 2, now + message.CLAIM_LASTS) == [0, 0]
    assert (sms_state(), count(SmsMessage), count(Message)) == (OutboxState.SENT, 1, 1)


def test_the_worker_is_woken_by_what_the_site_commits(office: Office) -> None:
    log = office.folder / "worker.log"
    with log.open("w") as output:
        consumer = subprocess.Popen(
            [sys.executable, "-m", "app.tasks.worker"],
            env=office.environment,
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        notify(make_user("unit_handler"))
        # Well before the job of the full minute can have done it, unless a minute begins just now.
        deadline = time.monotonic() + 40
        while count(Message) == 0 and time.monotonic() < deadline:
            assert consumer.poll() is None, log.read_text()
            time.sleep(0.1)
        assert count(Message) == 1, log.read_text()
    finally:
        consumer.terminate()
        consumer.wait(timeout=20)


def test_an_entry_forged_in_the_queue_runs_nothing(office: Office) -> None:
    clock = clock_of(office.app)
    clock.wake()
    genuine = clock.huey.storage.dequeue()
    forged = bytes(genuine[:-40]) + b"0" * 40

    assert clock.huey.deserialize_task(bytes(genuine)).name == "wake"
    with pytest.raises(ValueError, match="Signature"):
        clock.huey.deserialize_task(forged)
