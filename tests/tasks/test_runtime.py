"""The clock of one application: its queue's address, its jobs, its heartbeat, its clean-ups."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from huey import RedisHuey, SqliteHuey
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.models.base import utcnow
from app.models.clock import ClockJob
from app.models.user import LoginAttempt
from app.services import clock, message, parameter
from app.services.unit_of_work import unit_of_work
from app.tasks.queue import make_huey
from app.tasks.runtime import clock_of
from tests.factories import actor_of, make_actor, make_user


def test_the_queue_is_where_huey_url_says(tmp_path: Path) -> None:
    embedded = make_huey(f"sqlite:///{tmp_path / 'var' / 'queue.db'}", secret="s" * 32)
    assert isinstance(embedded, SqliteHuey)
    assert (tmp_path / "var" / "queue.db").exists()
    assert not embedded.immediate
    assert isinstance(make_huey("redis://localhost:6379/0", secret="s" * 32), RedisHuey)
    assert make_huey("memory://", secret="s" * 32).immediate


@pytest.mark.parametrize("url", ["", "queue.db", "sqlite:queue.db", "http://localhost/", "amqp://localhost"])
def test_an_unknown_queue_stops_the_program_at_its_start(url: str) -> None:
    with pytest.raises(ValueError, match="HUEY_URL"):
        make_huey(url, secret="s" * 32)


def test_every_job_runs_by_the_clock_and_can_be_woken(app: Flask) -> None:
    huey = clock_of(app).huey

    def due(moment: str) -> set[str]:
        at = dt.datetime.fromisoformat(moment)
        return {type(task).__name__ for task in huey.read_periodic(at)}

    assert due("2026-11-09 19:10") == {"deliver_outbox", "scan_reviews", "clean_up"}
    assert due("2026-11-09 01:20") == {"deliver_outbox", "scan_reviews"}
    assert due("2026-11-09 01:21") == {"deliver_outbox"}


def test_what_a_request_commits_is_delivered_at_once_where_the_queue_is_in_memory(
    delivering: None, session: Session
) -> None:
    person = make_user("unit_handler")
    with unit_of_work(SYSTEM) as work:
        message.notify(
            work,
            template="result_approved",
            recipients=[person.id],
            params={"title": "数字档案馆建设", "code": "SB2027-00003"},
            link="/go/declaration/3",
            key="declaration:3:approved",
        )

    assert message.unread_count(actor_of(person)) == 1


def test_operators_see_when_a_job_last_ran_and_that_it_failed(app: Flask, session: Session) -> None:
    runtime = clock_of(app)
    admin = make_actor("sys_admin")
    assert not clock.is_alive()

    runtime.run(clock.BEATS, runtime.deliver_outbox)
    assert clock.is_alive()
    assert not clock.is_alive(utcnow() + dt.timedelta(minutes=4))
    (beat,) = clock.last_runs(admin)
    assert (beat.name, beat.outcome, beat.failed) == ("deliver_outbox", "in_app=0 sms=0 failed=0", False)

    def broken() -> None:
        raise ConnectionError("the disk\nis full")

    with pytest.raises(ConnectionError):
        runtime.run("scan_reviews", broken)
    session.expire_all()
    failed = session.get_one(ClockJob, "scan_reviews")
    assert (failed.outcome, failed.failed) == ("ConnectionError: the disk is full", True)
    runtime.run("scan_reviews", runtime.scan_reviews)
    session.expire_all()
    assert not session.get_one(ClockJob, "scan_reviews").failed
    assert clock.last_runs(make_actor("unit_handler")) == []


def test_log_in_records_are_kept_for_half_a_year_and_no_less(session: Session) -> None:
    now = utcnow()
    with unit_of_work(SYSTEM) as work:
        for age in (179, 181):
            work.add(
                LoginAttempt(
                    at=now - dt.timedelta(days=age),
                    username=f"{age}",
                    address="::1",
                    way="db",
                    succeeded=True,
                )
            )

    assert parameter.int_of(session, "log.keep_days") == 180
    assert clock.clean_up(now).attempts == 1
    assert session.scalars(select(LoginAttempt.username)).all() == ["179"]
