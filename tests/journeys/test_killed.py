"""Processes die in the middle of their work: what they were doing is done wholly or not at all, and once."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import Engine, Select, create_engine, func, insert, select, text, update
from sqlalchemy.orm import Session

from app.core.enums import DocumentStatus
from app.core.flow import RunState, TaskState, Verb
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.flow import FlowLog, FlowRun, Task
from app.models.message import Channel, Message, OutboxMessage, OutboxState, SmsMessage
from app.models.project import Project
from app.models.user import AppUser
from app.services.message.delivery import CLAIM_LASTS
from config import Settings
from tests import samples
from tests.browser.server import Server
from tests.databases import DEMO, PASSWORD, Templates

TITLE = "断电试验"
DRAFTS = 40
THREADS = 8
KILLS = 3
SEED = 20261122
IN_APP = 1_600
TEXTS = 300


@pytest.fixture(scope="module")
def server(app: Flask, templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product on a database of its own, without a worker yet."""
    folder = tmp_path_factory.mktemp("killed")
    running = Server(folder, DATABASE_URL=templates.copy(app, "killed", folder, projects=DEMO))
    running.prepare()
    running.start_web()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def engine(server: Server) -> Iterator[Engine]:
    """The same database seen from outside."""
    opened = create_engine(Settings.from_environment(server.environment).database_url)
    yield opened
    opened.dispose()


class Program:
    """A program of a unit, on a connection of its own."""

    def __init__(self, server: Server, token: str = "") -> None:
        self.address = urlsplit(server.base).netloc
        self.token = token

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send; raises OSError or HTTPException when the other side is gone before it has answered."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
            connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def log_in(server: Server, username: str) -> Program:
    """A program with a token."""
    body = {"username": username, "password": PASSWORD, "provider": "db"}
    status, answer = Program(server).post("/security/login", body)
    assert status == 200, answer
    return Program(server, answer["access_token"])


@dataclass
class Rush:
    """Everybody submits at once, until nothing is left to submit or the site is gone."""

    program: Program
    waiting: list[tuple[int, int]]
    done: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    odd: list[tuple[int, int, Any]] = field(default_factory=list)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        return threads

    def _work(self) -> None:
        while self.waiting:
            try:
                document_id, version = self.waiting.pop()
            except IndexError:
                return
            try:
                status, answer = self.program.post(f"/declaration/{document_id}/submit", {"version": version})
            except (OSError, http.client.HTTPException):
                self.unanswered.add(document_id)
                return
            if status == 200:
                self.done.add(document_id)
            else:
                self.odd.append((document_id, status, answer))


def counted(session: Session, column: Any, *conditions: Any) -> Counter[int]:
    """How many rows there are of each value."""
    rows = session.execute(select(column, func.count()).where(*conditions).group_by(column))
    return Counter({row[0]: row[1] for row in rows})


def expect_all_or_nothing(engine: Engine, ids: Sequence[int]) -> dict[int, DocumentStatus]:
    """Each declaration is a draft of which nothing else exists, or wholly in review; returns their states."""
    # One look at one moment: a server may still be finishing what the killed site sent it last.
    with Session(engine.execution_options(isolation_level="SERIALIZABLE")) as session:
        rows = session.execute(
            select(Declaration.id, Declaration.status, Declaration.project_id).where(Declaration.id.in_(ids))
        ).all()
        mine = (FlowRun.document_kind == "declaration", FlowRun.document_id.in_(ids))
        runs = counted(session, FlowRun.document_id, *mine)
        open_runs = counted(session, FlowRun.document_id, *mine, FlowRun.state == RunState.RUNNING)
        logs = counted(
            session, FlowLog.document_id, FlowLog.document_id.in_(ids), FlowLog.verb == Verb.SUBMIT
        )
        tasks = counted(
            session, FlowRun.document_id, *mine, Task.run_id == FlowRun.id, Task.state == TaskState.OPEN
        )
        projects = session.scalars(select(Project.id).where(Project.title.startswith(TITLE))).all()
        codes = session.scalars(select(Project.code)).all()
        if engine.dialect.name == "sqlite":
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    assert len(rows) == len(ids)
    assert len(set(codes)) == len(codes)
    in_review = {row.id for row in rows if row.status is DocumentStatus.IN_REVIEW}
    assert {row.status for row in rows} <= {DocumentStatus.DRAFT, DocumentStatus.IN_REVIEW}
    assert sorted(row.project_id for row in rows if row.project_id) == sorted(projects)
    assert {row.id for row in rows if row.project_id} == in_review
    for found in (runs, open_runs, logs, tasks):
        assert found == Counter(in_review)
    return {row.id: row.status for row in rows}


def test_a_site_killed_while_everybody_submits_leaves_nothing_half_done(
    server: Server, engine: Engine
) -> None:
    handler = log_in(server, "handler1")
    drafts: dict[int, int] = {}
    for number in range(DRAFTS):
        status, answer = handler.post("/declaration/", samples.maintenance(title=f"{TITLE}{number:02d}"))
        assert status == 201, answer
        drafts[answer["id"]] = answer["result"]["version"]
    ids = sorted(drafts)
    clock = random.Random(SEED)
    unanswered = 0
    left = dict(drafts)
    for kill in range(KILLS + 1):
        rush = Rush(handler, list(left.items()))
        threads = rush.start()
        if kill < KILLS:
            # Not before the first is through, so that there is a middle to be killed in.
            wait_until(lambda now=rush: bool(now.done), seconds=30)
            time.sleep(clock.uniform(0, 0.15))
            server.kill_web()
        for thread in threads:
            thread.join()
        assert rush.odd == []
        states = expect_all_or_nothing(engine, ids)
        # Whoever was told that it is submitted may rely on it.
        assert all(states[document_id] is DocumentStatus.IN_REVIEW for document_id in rush.done)
        # Whoever got no answer sends the same again; so do those whose turn had not come.
        unanswered += len(rush.unanswered)
        left = {key: version for key, version in left.items() if key not in rush.done}
        if kill < KILLS:
            server.start_web()
    assert unanswered >= KILLS
    assert left == {}
    assert set(states.values()) == {DocumentStatus.IN_REVIEW}


def wait_until(happened: Callable[[], bool], seconds: float) -> None:
    """Look again and again, quickly enough to come into the middle of what others do."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


@dataclass(frozen=True)
class Post:
    """What is to be delivered to one person, and how far it has come."""

    engine: Engine
    person: int
    prefix: str

    def write(self, channel: Channel, count: int) -> None:
        """Put messages into the outbox, as services do."""
        row = {
            "channel": channel,
            "recipient_id": self.person,
            "template": "result_approved",
            "params": {"title": "数字档案馆建设", "code": "SB2027-00003"},
            "link": "/go/declaration/3",
        }
        keys = [f"{self.prefix}:{number}:{channel}:{self.person}" for number in range(count)]
        with self.engine.begin() as connection:
            connection.execute(insert(OutboxMessage), [{"key": key, **row} for key in keys])

    def count(self, model: type[Message | SmsMessage]) -> int:
        """How many have arrived."""
        return self._number(select(func.count()).where(model.outbox_key.startswith(self.prefix)))

    def left(self) -> int:
        """How many are not yet written down as sent."""
        mine = OutboxMessage.key.startswith(self.prefix)
        return self._number(select(func.count()).where(mine, OutboxMessage.state != OutboxState.SENT))

    def arrived_unrecorded(self) -> int:
        """How many stand in the inbox while the outbox still says that they wait."""
        return self._number(
            select(func.count())
            .select_from(Message)
            .join(OutboxMessage, OutboxMessage.key == Message.outbox_key)
            .where(Message.outbox_key.startswith(self.prefix), OutboxMessage.state != OutboxState.SENT)
        )

    def let_claims_lapse(self) -> None:
        """Five minutes later, for the text messages that the dead worker had taken."""
        with self.engine.begin() as connection:
            connection.execute(
                update(OutboxMessage)
                .where(OutboxMessage.state == OutboxState.SENDING)
                .values(claimed_at=utcnow() - CLAIM_LASTS)
            )

    def _number(self, statement: Select[tuple[int]]) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(statement) or 0


def test_a_worker_killed_while_it_delivers_loses_nothing_and_repeats_nothing(
    server: Server, engine: Engine
) -> None:
    with Session(engine) as session:
        person = session.scalars(select(AppUser.id).where(AppUser.username == "handler1")).one()
    post = Post(engine, person, "killed")
    post.write(Channel.IN_APP, IN_APP)
    post.write(Channel.SMS, TEXTS)
    for model in (Message, SmsMessage):
        server.start_worker()
        wait_until(lambda model=model: post.count(model) > 0, seconds=60)
        server.kill_worker()
        assert post.left() > 0
        assert post.arrived_unrecorded() == 0
        post.let_claims_lapse()
    server.start_worker()
    wait_until(lambda: post.left() == 0, seconds=60)
    assert post.count(Message) == IN_APP
    assert post.count(SmsMessage) == TEXTS
