"""Every operation × every role × own and another unit's rows × every state: the answer is the policy's.

The pages have the same table in tests/access/test_routes.py.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select
from sqlalchemy.orm import joinedload
from werkzeug.test import TestResponse

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.api import APIS
from app.api.base import ReadApi
from app.core.enums import DocumentStatus
from app.core.errors import DomainError, NotFound
from app.extensions import db
from app.gateways.storage import LocalStorage
from app.models.adjustment import FundAdjustment
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.dictionary import DictType
from app.models.flow import FlowRun, Task
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import attachment, review
from app.services.access import actor_for
from app.services.unit_of_work import current_session, unit_of_work
from tests import samples
from tests.access.test_routes import (
    UNITS,
    VISITORS,
    Kept,
    Undoing,
    every_state_in_both_units,
    samples_of,
)
from tests.api.conftest import API
from tests.conftest import OwnDatabase
from tests.databases import on_server
from tests.factories import token_for

ALWAYS_OPEN = frozenset({"unit", "dictionary", "attachment", "openapi", "agent"})
"""Nouns whose lists every logged-in user may ask for; their rows follow the policy all the same."""

ROW_VERBS = {
    ("PUT", ""): "edit",
    ("DELETE", ""): "recycle",
    ("POST", "/submit"): "submit",
    ("POST", "/withdraw"): "withdraw",
    ("POST", "/urge"): "urge",
    ("POST", "/recycle"): "recycle",
    ("POST", "/restore"): "restore",
    ("POST", "/purge"): "purge",
}
"""What may be done with a document that is filled in, and the policy's verb for it."""

DEPENDS = {"submit": {200, 400, 409}, "withdraw": {200, 409}, "urge": {200, 409}}
"""Allowed moves that the document's content or its review may still refuse."""

TASK_VERBS = ("approve", "return", "save_opinion", "take_back", "reassign")


@pytest.fixture(scope="module")
def office(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application with demo data in every state."""
    with own_database("api", projects=300) as app:
        storage = Kept(attachment.store().root)
        attachment.bind(storage)
        with app.app_context():
            every_state_in_both_units()
            _attach_files(storage)
        yield app


def _attach_files(storage: LocalStorage) -> None:
    """One file to each of the declarations that are tried."""
    with unit_of_work(SYSTEM) as session:
        for row in samples_of(Declaration):
            content, key = samples.pdf(str(row.id)), f"{row.id:032}"
            storage.save(key, io.BytesIO(content))
            session.add(
                Attachment(
                    owner_kind="declaration",
                    owner_id=row.id,
                    category="BASIS",
                    name="依据.pdf",
                    media_type="application/pdf",
                    size=len(content),
                    sha256="0" * 64,
                    storage_key=key,
                )
            )


class Program(Undoing):
    """One account's program."""

    def __init__(self, app: Flask, username: str) -> None:
        super().__init__(app)
        self.headers = {"Authorization": f"Bearer {token_for(app, username)}"}

    def call(self, method: str, path: str, **sent: Any) -> TestResponse:
        with self.undone():
            return self.client.open(API + path, method=method, headers=self.headers, **sent)


class Rows:
    """The rows to try with everything the policy looks at."""

    def __init__(self) -> None:
        session = current_session()
        self.of = {model: samples_of(model) for model in (Declaration, FundAdjustment, Task, Project, Unit)}
        self.runs = runs_of(self.of[Task])
        self.open_runs = {
            row: review.open_run_of(row.document_kind, row.id)
            for row in (*self.of[Declaration], *self.of[FundAdjustment])
        }
        # Of whom a file is decides who may do what with it, nothing else: one of each owner.
        files = {(file.owner_kind, file.owner_id): file for file in session.scalars(select(Attachment))}
        self.owners = {
            file: session.get_one(policy.OWNERS[file.owner_kind], file.owner_id) for file in files.values()
        }
        self.all = {*self.runs.values(), *filter(None, self.open_runs.values())}
        self.all.update(*self.of.values(), self.owners, self.owners.values())
        with_units(self.all)


def with_units(rows: Iterable[Any]) -> None:
    """Read each row's unit along, as the policy does."""
    of_models: dict[type[Any], list[int]] = {}
    for row in rows:
        of_models.setdefault(type(row), []).append(row.id)
    for model, ids in of_models.items():
        if "unit" in inspect(model).relationships:
            statement = select(model).where(model.id.in_(ids)).options(joinedload(model.unit))
            current_session().scalars(statement.execution_options(populate_existing=True)).all()


def runs_of(tasks: Iterable[Task]) -> dict[Task, FlowRun]:
    """Each task with its review."""
    return {task: current_session().get_one(FlowRun, task.run_id) for task in tasks}


class Verdicts:
    """The policy's answers to one account: which rows he finds at all is asked of all of a model at once."""

    def __init__(self, actor: Actor, rows: Iterable[Any]) -> None:
        self.actor = actor
        self._found: dict[type[Any], frozenset[int]] = {}
        self._ids: dict[type[Any], set[int]] = {}
        self._unseen: set[tuple[type[Any], str, int]] = set()
        for row in rows:
            self._ids.setdefault(type(row), set()).add(row.id)

    def refused(self, row: Any, verb: str) -> int | None:
        """The status with which the policy refuses, as `policy.load` does; None when it allows."""
        if row.id not in self._readable(type(row)):
            return NotFound.status
        try:
            policy.require(self.actor, verb, row)
        except DomainError as error:
            return error.status
        return None

    def seen_to_be_refused(self, row: Any, document: Any) -> bool:
        """Need this row not be tried, on the second database, because one as little to be found was?

        A statement that finds nothing gives the operation no state to look at. That each operation asks it,
        in every state, SQLite's run has shown; that the other database finds as little, one row of each unit
        shows.
        """
        if not on_server() or self.refused(row, "read") != NotFound.status:
            return False
        kind = (type(row), document.document_kind, document.unit_id)
        tried = kind in self._unseen
        self._unseen.add(kind)
        return tried

    def _readable(self, model: type[Any]) -> frozenset[int]:
        if model not in self._found:
            statement = policy.scoped(self.actor, model).where(model.id.in_(sorted(self._ids[model])))
            self._found[model] = frozenset(current_session().scalars(statement.with_only_columns(model.id)))
        return self._found[model]


Call = tuple[str, str, dict[str, Any], set[int]]
"""Method, path, what is sent, and what may be answered."""


def on_documents(verdicts: Verdicts, rows: Rows) -> Iterator[Call]:
    refused = verdicts.refused
    for row in (*rows.of[Declaration], *rows.of[FundAdjustment]):
        if verdicts.seen_to_be_refused(row, row):
            continue
        noun = row.document_kind
        path = f"/{noun}/{row.id}"
        why = refused(row, "read")
        yield "GET", path, {}, {why or 200}
        for (method, move), verb in ROW_VERBS.items():
            why = refused(row, verb)
            expected = {why} if why else DEPENDS.get(verb, {200})
            sent = {} if move == "/urge" else {"version": row.version}
            yield method, path + move, {"json": sent}, expected
        on_run = _on_terminating(verdicts, row, rows.open_runs[row])
        yield "POST", f"{path}/terminate", {"json": {"opinion": "不再需要"}}, {on_run}
        # A reviewer whose step allows it may attach too.
        why = refused(row, "amend") and refused(row, "edit")
        sent = {"owner_kind": noun, "owner_id": str(row.id), "category": "OTHER"}
        file = (io.BytesIO(samples.pdf(str(row.id))), "补充.pdf")
        form = {"data": {**sent, "file": file}, "content_type": "multipart/form-data"}
        yield "POST", "/attachment/", form, {why or 201}


def _on_terminating(verdicts: Verdicts, row: Declaration | FundAdjustment, run: FlowRun | None) -> int:
    """The run's own rule decides; a document that is not in review has none."""
    why = verdicts.refused(row, "read")
    if why:
        return why
    return 409 if run is None else verdicts.refused(run, "terminate") or 200


def on_tasks(verdicts: Verdicts, runs: dict[Task, FlowRun]) -> Iterator[Call]:
    refused = verdicts.refused
    for row, run in runs.items():
        yield "GET", f"/task/{row.id}", {}, {refused(row, "read") or 200}
        for verb in TASK_VERBS:
            sent = {"json": {"version": row.version, "opinion": "请核实。"}}
            why = refused(row, "take_back" if verb == "take_back" else "act")
            if verb == "reassign":
                on_run, on_task = refused(run, "reassign"), refused(row, "read")
                why = 404 if on_run == 404 or (on_run and on_task) else on_run
            yield "POST", f"/task/{row.id}/{verb}", sent, {why} if why else {200, 400, 403, 409}


def on_others(verdicts: Verdicts, rows: Rows) -> Iterator[Call]:
    refused = verdicts.refused
    for model, noun in ((Project, "project"), (Unit, "unit")):
        for row in rows.of[model]:
            yield "GET", f"/{noun}/{row.id}", {}, {refused(row, "read") or 200}
    for file, owner in rows.owners.items():
        if verdicts.seen_to_be_refused(file, owner):
            continue
        why = refused(file, "read")
        removal = why or (refused(owner, "amend") and refused(owner, "edit"))
        yield "GET", f"/attachment/{file.id}", {}, {why or 200}
        yield "GET", f"/attachment/{file.id}/content", {}, {why or 200}
        yield "DELETE", f"/attachment/{file.id}", {}, {removal or 200}


def may_ask(actor: Actor, api: type[ReadApi], verb: str) -> bool:
    return api.noun in ALWAYS_OPEN or actor.holds(api.noun, verb)


def rows_within(actor: Actor, api: type[ReadApi], verb: str) -> int:
    """How many rows the policy puts into a list."""
    condition = policy.criterion(actor, api.model, verb)
    return current_session().scalar(select(func.count()).select_from(api.model).where(condition)) or 0


@pytest.fixture(scope="module", params=VISITORS, ids=lambda account: account.username)
def visit(request: pytest.FixtureRequest, office: Flask) -> Iterator[tuple[Program, Actor]]:
    """Each account, by its program and as the policy's actor."""
    program = Program(office, request.param.username)
    try:
        with office.app_context():
            found = select(AppUser.id).where(AppUser.username == request.param.username)
            yield program, actor_for(current_session(), current_session().scalar(found) or 0)
            db.session.remove()
    finally:
        program.close()


def calls(actor: Actor) -> list[Call]:
    """Every operation on single records with what the policy answers."""
    session, rows = current_session(), Rows()
    tried = {(row.unit_id, row.status) for row in rows.of[Declaration]}
    assert len(tried) == len(UNITS) * len(DocumentStatus), "every state in both units"
    own = session.scalars(select(Task).where(policy.criterion(actor, Task, "act")).limit(2))
    runs = {**rows.runs, **runs_of(own)}
    with_units(runs.values())
    verdicts = Verdicts(actor, {*rows.all, *runs, *runs.values()})
    asked = [*on_documents(verdicts, rows), *on_tasks(verdicts, runs), *on_others(verdicts, rows)]
    session.commit()
    return asked


def test_a_single_record_answers_as_the_policy_says(visit: tuple[Program, Actor]) -> None:
    program, actor = visit
    wrong = []
    for method, path, sent, expected in calls(actor):
        answer = program.call(method, path, **sent)
        if answer.status_code not in expected:
            wrong.append(f"{method} {path}: {answer.status_code}, not {expected}: {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_a_list_holds_what_the_policy_says(visit: tuple[Program, Actor]) -> None:
    program, actor = visit
    for api in APIS:
        if not issubclass(api, ReadApi) or api.model in (Task, DictType):
            continue
        expected = rows_within(actor, api, "read") if may_ask(actor, api, "read") else None
        exported = rows_within(actor, api, "export") if may_ask(actor, api, "export") else None
        current_session().commit()
        listed = program.call("GET", f"/{api.noun}/?page_size=3")
        if expected is None:
            assert listed.status_code == 403, api.noun
        else:
            assert (listed.status_code, listed.json["count"]) == (200, expected), api.noun
            assert len(listed.json["result"]) == min(expected, 3)
        if "export" in api.include_route_methods:
            workbook = program.call("GET", f"/{api.noun}/export")
            if exported is None:
                assert workbook.status_code == 403, api.noun
            else:
                assert workbook.headers["X-Rows"] == str(exported), api.noun


def test_a_collection_is_written_by_who_may(visit: tuple[Program, Actor]) -> None:
    program, actor = visit
    created = program.call("POST", "/declaration/", json={"title": "新申报"})
    assert created.status_code == (201 if actor.holds("declaration", "create") else 403)
    tasks = program.call("GET", "/task/")
    assert tasks.status_code == (200 if actor.holds("task", "read") else 403)
    assert program.call("GET", "/dictionary/").status_code == 200
    assert program.call("GET", "/_openapi").status_code == 200
