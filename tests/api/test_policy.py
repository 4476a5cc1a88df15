"""Every operation × every role × own and another unit's rows × every state: the answer is the policy's.

The pages have the same table in tests/access/test_routes.py.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.api import APIS
from app.api.base import ReadApi
from app.core.enums import DocumentStatus
from app.core.errors import DomainError
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
from tests.access.test_routes import VISITORS, Kept, Visitor, _samples
from tests.api.conftest import API
from tests.conftest import PASSWORD, OwnDatabase

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
            _attach_files(storage)
        yield app


def _attach_files(storage: LocalStorage) -> None:
    """One file to each of the declarations that are tried."""
    with unit_of_work(SYSTEM) as session:
        for row in _samples(Declaration):
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


class Program(Visitor):
    """One account's program; whatever it changes is undone after each call."""

    def __init__(self, app: Flask, username: str) -> None:
        super().__init__(app, username)
        self.client = app.test_client()
        answer = self.client.post(f"{API}/security/login", json={"username": username, "password": PASSWORD})
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def call(self, method: str, path: str, **sent: Any) -> TestResponse:
        with self.undone():
            return self.client.open(API + path, method=method, headers=self.headers, **sent)


def refused(actor: Actor, row: Any, verb: str) -> int | None:
    """The status with which the policy refuses; None when it allows."""
    try:
        policy.load(current_session(), actor, type(row), row.id, verb=verb)
    except DomainError as error:
        return error.status
    return None


def on_documents(actor: Actor) -> Iterator[tuple[str, str, dict[str, Any], set[int]]]:
    for row in (*_samples(Declaration), *_samples(FundAdjustment)):
        noun = row.document_kind
        path = f"/{noun}/{row.id}"
        why = refused(actor, row, "read")
        yield "GET", path, {}, {why or 200}
        for (method, move), verb in ROW_VERBS.items():
            why = refused(actor, row, verb)
            expected = {why} if why else DEPENDS.get(verb, {200})
            sent = {} if move == "/urge" else {"version": row.version}
            yield method, path + move, {"json": sent}, expected
        yield "POST", f"{path}/terminate", {"json": {"opinion": "不再需要"}}, {_on_terminating(actor, row)}
        # A reviewer whose step allows it may attach too.
        why = refused(actor, row, "amend") and refused(actor, row, "edit")
        sent = {"owner_kind": noun, "owner_id": str(row.id), "category": "OTHER"}
        file = (io.BytesIO(samples.pdf(str(row.id))), "补充.pdf")
        form = {"data": {**sent, "file": file}, "content_type": "multipart/form-data"}
        yield "POST", "/attachment/", form, {why or 201}


def _on_terminating(actor: Actor, row: Declaration | FundAdjustment) -> int:
    """The run's own rule decides; a document that is not in review has none."""
    why = refused(actor, row, "read")
    if why:
        return why
    run = review.open_run_of(row.document_kind, row.id)
    return 409 if run is None else refused(actor, run, "terminate") or 200


def on_tasks(actor: Actor) -> Iterator[tuple[str, str, dict[str, Any], set[int]]]:
    own = select(Task).where(policy.criterion(actor, Task, "act")).limit(2)
    for row in [*_samples(Task), *current_session().scalars(own)]:
        yield "GET", f"/task/{row.id}", {}, {refused(actor, row, "read") or 200}
        run = current_session().get_one(FlowRun, row.run_id)
        for verb in TASK_VERBS:
            sent = {"json": {"version": row.version, "opinion": "请核实。"}}
            why = refused(actor, row, "take_back" if verb == "take_back" else "act")
            if verb == "reassign":
                on_run, on_task = refused(actor, run, "reassign"), refused(actor, row, "read")
                why = 404 if on_run == 404 or (on_run and on_task) else on_run
            yield "POST", f"/task/{row.id}/{verb}", sent, {why} if why else {200, 400, 403, 409}


def on_others(actor: Actor) -> Iterator[tuple[str, str, dict[str, Any], set[int]]]:
    for model, noun in ((Project, "project"), (Unit, "unit")):
        for row in _samples(model):
            yield "GET", f"/{noun}/{row.id}", {}, {refused(actor, row, "read") or 200}
    for file in current_session().scalars(select(Attachment)):
        why = refused(actor, file, "read")
        yield "GET", f"/attachment/{file.id}", {}, {why or 200}
        yield "GET", f"/attachment/{file.id}/content", {}, {why or 200}
        yield "DELETE", f"/attachment/{file.id}", {}, {why or _refused_removal(actor, file) or 200}


def _refused_removal(actor: Actor, row: Attachment) -> int | None:
    owner = current_session().get_one(policy.OWNERS[row.owner_kind], row.owner_id)
    return refused(actor, owner, "amend") and refused(actor, owner, "edit")


def may_ask(actor: Actor, api: type[ReadApi], verb: str) -> bool:
    return api.noun in ALWAYS_OPEN or actor.holds(api.noun, verb)


def rows_within(actor: Actor, api: type[ReadApi], verb: str) -> int:
    """How many rows the policy puts into a list."""
    condition = policy.criterion(actor, api.model, verb)
    return current_session().scalar(select(func.count()).select_from(api.model).where(condition)) or 0


@pytest.fixture(params=VISITORS, ids=lambda account: account.username)
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


def test_a_single_record_answers_as_the_policy_says(visit: tuple[Program, Actor]) -> None:
    program, actor = visit
    seen = {row.status for row in _samples(Declaration)}
    assert seen == set(DocumentStatus)
    asked = [*on_documents(actor), *on_tasks(actor), *on_others(actor)]
    current_session().commit()
    wrong = []
    for method, path, sent, expected in asked:
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
