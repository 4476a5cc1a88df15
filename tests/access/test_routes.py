"""Every address × every role × own and another unit's rows × every state: the answer is the policy's.

The table of routes is the application's own; a new route without a declared permission fails here, and so
does one that answers otherwise than `access/policy.py` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus
from app.extensions import db
from app.gateways.storage import LocalStorage
from app.models.adjustment import FundAdjustment
from app.models.attachment import Attachment
from app.models.change import ChangeRequest
from app.models.declaration import Declaration
from app.models.flow import AgentAppointment, FlowDefinition, FlowRun, SavedOpinion, Task
from app.models.importing import ImportRun
from app.models.message import Message
from app.models.project import Project
from app.models.saved_query import SavedQuery
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import attachment, review
from app.services.access import actor_for
from app.services.demo import ACCOUNTS
from app.services.demo.units import DATA_BUREAU, EDUCATION, POLICE
from app.services.unit_of_work import current_session, unit_of_work
from tests.conftest import OwnDatabase
from tests.databases import on_server
from tests.factories import let_in

PUBLIC = {
    "static",
    "appbuilder.static",
    "LoginView.captcha",
    "LoginView.login",
    "LoginView.sign_on",
    "LoginView.signed_on",
    "LanguageView.switch",
    "TokenApi.login",
}
"""Open before logging in."""

OWN = {
    "HomeView.index",
    "GoView.to",
    "LoginView.logout",
    "MessageView.list",
    "MessageView.mark_all_read",
    "MessageView.mark_read",
    "MessageView.save_columns",
    "SavedQueryView.add",
    "SavedQueryView.list",
    "SavedQueryView.save_columns",
    "PasswordView.index",
    "ProfileView.index",
    "TokenApi.logout",
    "TokenApi.refresh",
    "AttachmentView.upload",
}
"""Everybody's own affairs: no permission is asked, and no other person's rows are reached by id."""

MODELS: dict[str, type[Any]] = {
    "AttachmentView": Attachment,
    "DocumentView": Declaration,
    "FlowView": FlowDefinition,
    "HistoryView": Declaration,
    "ImportView": ImportRun,
    "LedgerView": Declaration,
    "RemarkView": Declaration,
    "ReviewView": Task,
    "ReviewEditView": Task,
    "ChangeEditView": Task,
    "MessageView": Message,
    "SavedOpinionView": SavedOpinion,
    "SavedQueryView": SavedQuery,
    "SharedOpinionView": SavedOpinion,
    "AgentView": AgentAppointment,
}
"""Views that do not name their model as Flask-AppBuilder's do."""

ROW_VERBS = {
    "AttachmentView.content": "read",
    "AttachmentView.remove": "remove",
    "AdjustmentBinView.purge": "purge",
    "AdjustmentBinView.restore": "restore",
    "AdjustmentDraftView.recycle": "recycle",
    "AdjustmentDraftView.state": "read",
    "ChangeBinView.purge": "purge",
    "ChangeBinView.restore": "restore",
    "ChangeDraftView.recycle": "recycle",
    "ChangeDraftView.state": "read",
    "DeclarationBinView.purge": "purge",
    "DeclarationBinView.restore": "restore",
    "DeclarationDraftView.recycle": "recycle",
    "DeclarationDraftView.state": "read",
    "DeclarationView.show": "read",
    "DocumentView.urge": "urge",
    "DocumentView.withdraw": "withdraw",
    "HistoryView.compare": "read",
    "ImportView.confirm": "confirm",
    "ImportView.discard": "confirm",
    "LedgerView.export": "read",
    "MessageView.open": "read",
    "RemarkView.add": "remark",
    "RemarkView.answer": "answer",
    "RemarkView.ask": "remark",
    "RemarkView.export": "read",
    "RemarkView.remove": "remark",
    "RemarkView.reopen": "remark",
    "RemarkView.settle": "remark",
    "RemarkView.sheet": "read",
    "ReviewView.people": "read",
    "UserView.roles": "read",
    "SavedOpinionView.edit": "edit",
    "SavedOpinionView.move": "edit",
    "SharedOpinionView.edit": "edit",
    "SharedOpinionView.move": "edit",
    "SharedOpinionView.remove": "edit",
    "AgentView.open": "read",
    "AgentView.revoke": "revoke",
    "AgentView.revoke_for": "revoke",
    "DocumentView.terminate": "terminate",
    "SavedOpinionView.remove": "edit",
    "ReviewView.take_back": "take_back",
    "SavedQueryView.edit": "edit",
    "SavedQueryView.open": "read",
    "SavedQueryView.remove": "remove",
    "SavedQueryView.start": "read",
}
"""The policy's verb of an address with a row, where it is not the permission's own name."""

OTHER_ROWS: dict[str, type[Any]] = {"OpenTaskView.of_run": FlowRun}
"""Addresses whose row is not of their view's model."""

SEEN_BY = {"OpenTaskView.one": "reassign"}
"""The verb that makes a row known, where it is not reading."""

PERMISSIONS = {
    "UserView.roles": ("role", "manage"),
    "ImportView.upload": ("project", "import"),
    "ImportView.take": ("project", "import"),
    "ImportView.template": ("project", "import"),
}
"""Addresses that ask for more than the permission of their class."""

JSON = {
    "AdjustmentDraftView.autosave",
    "AdjustmentDraftView.autosave_new",
    "ChangeDraftView.autosave",
    "DeclarationDraftView.autosave",
    "DeclarationDraftView.autosave_new",
}
"""Addresses that only scripts call."""

FORMS = {"AdjustmentDraftView.edit", "ChangeDraftView.edit", "DeclarationDraftView.edit"}
"""Forms that lead to the page to read once they are closed."""

VISITORS = [each for each in ACCOUNTS if each.username not in ("handler2", "leader2")]
"""One account of every role; own and other units' rows are tried by each, so twins would find nothing new."""

_ROW = re.compile(r"<int:pk>")


@dataclass(frozen=True)
class Route:
    """One address and method, with what guards it."""

    endpoint: str
    method: str
    path: str
    noun: str | None
    verb: str | None
    model: type[Any] | None

    @property
    def row_verb(self) -> str:
        return ROW_VERBS.get(self.endpoint, self.verb or "read")

    @property
    def has_row(self) -> bool:
        return bool(_ROW.search(self.path))


class Kept(LocalStorage):
    """A store whose files come back with the rows when a click is undone."""

    def delete(self, key: str) -> None:
        """Nothing goes."""


@pytest.fixture(scope="module")
def office(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application with demo data in every state."""
    with own_database("routes", projects=300) as app:
        attachment.bind(Kept(attachment.store().root))
        with app.app_context():
            every_state_in_both_units()
        yield app


def routes_of(app: Flask) -> Iterator[Route]:
    views = {view.endpoint: view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
    rule: Rule
    for rule in app.url_map.iter_rules():
        name, _, method_name = rule.endpoint.partition(".")
        view = views.get(name)
        function = getattr(view, method_name, None)
        guarded = hasattr(function, "_permission_name")
        model = getattr(getattr(view, "datamodel", None), "obj", None) or MODELS.get(name)
        model = OTHER_ROWS.get(rule.endpoint, model)
        noun, verb = None, None
        if guarded and view is not None:
            asked = (view.class_permission_name, view.get_method_permission(method_name))
            noun, verb = PERMISSIONS.get(rule.endpoint, asked)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(rule.endpoint, method, str(rule), noun, verb, model)


def pages(app: Flask) -> list[Route]:
    """The addresses of pages; the API's have their own table in tests/api."""
    return [route for route in routes_of(app) if not route.path.startswith("/api/")]


def test_every_address_declares_its_permission(office: Flask) -> None:
    open_ones = {
        route.endpoint
        for route in pages(office)
        if route.noun is None and not (route.has_row and route.endpoint in ROW_VERBS)
    }
    assert open_ones - PUBLIC - OWN == set()


def test_every_permission_asked_for_can_be_granted(office: Flask) -> None:
    verbs = {
        f"{entry.noun}.{verb}"
        for entry in policy.POLICY.values()
        if isinstance(entry, policy.Policy)
        for verb in entry.verbs
    }
    asked = {f"{route.noun}.{route.verb}" for route in pages(office) if route.noun}
    assert asked - verbs - {"statistics.read", "statistics.export"} == set()


def test_nobody_gets_in_without_logging_in(office: Flask) -> None:
    client = office.test_client()
    for route in pages(office):
        if route.endpoint in PUBLIC:
            continue
        address = re.sub(r"<[^>]+>", "1", route.path)
        response = client.open(address, method=route.method)
        assert response.status_code in (302, 400, 401), f"{route.method} {address}: {response.status_code}"
        if response.status_code == 302:
            assert "/login" in response.headers["Location"], address


class Undoing:
    """Requests whose every effect is undone after each."""

    def __init__(self, app: Flask) -> None:
        with app.app_context():
            self.engines: dict[Any, Any] = db.engines
        self.engine = self.engines[None]
        self.connection = self.engine.connect()
        self.client: FlaskClient = app.test_client()

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A transaction of its own, rolled back: thousands of savepoints in one make PostgreSQL slow."""
        undo = self.connection.begin()
        self.engines[None] = self.connection
        db.session.session_factory.kw["join_transaction_mode"] = "create_savepoint"
        try:
            yield
        finally:
            self.engines[None] = self.engine
            undo.rollback()


class Visitor(Undoing):
    """One account clicking its way through."""

    def __init__(self, app: Flask, username: str) -> None:
        super().__init__(app)
        let_in(self.client, username)
        self.token = _token(self.client.get("/profile/").text)

    def click(self, route: Route, row: Any | None) -> int:
        """The status of one request, its effects undone."""
        address = _ROW.sub(str(row.id) if row is not None else "0", route.path)
        address = address.replace("<kind>", Declaration.document_kind).replace("<key>", "projects")
        values = {"version": str(getattr(row, "version", 1)), "opinion": "同意。"}
        # Only a refusal's status is looked at: its page need not be drawn thousands of times.
        headers = {"Accept": "application/json"}
        sent: dict[str, Any] = {}
        if route.endpoint in JSON:
            headers["X-CSRFToken"] = self.token
            sent = {"json": {**values, "values": []}}
        elif route.method == "POST":
            sent = {"data": {**values, "csrf_token": self.token}}
        with (
            self.undone(),
            self.client.open(address, method=route.method, headers=headers, **sent) as response,
        ):
            return response.status_code


def _token(html: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    assert found is not None
    return found[1]


UNITS = (POLICE, EDUCATION)
"""The unit of the handler and the leader among the visitors, and another one."""


def every_state_in_both_units() -> None:
    """Where the demo has no declaration in a state in one of the two units, a third unit gives it one."""
    with unit_of_work(SYSTEM) as session:
        ids = dict(session.execute(select(Unit.code, Unit.id).where(Unit.code.in_(UNITS))).all())
        for code, status in product(UNITS, DocumentStatus):
            held = select(Declaration.id).where(
                Declaration.unit_id == ids[code], Declaration.status == status
            )
            if session.scalar(held.limit(1)) is None:
                spare = select(Declaration).where(
                    Declaration.unit_id.not_in(ids.values()), Declaration.status == status
                )
                _give(session, session.scalars(spare.order_by(Declaration.id).limit(1)).one(), ids[code])


def _give(session: Session, declaration: Declaration, unit_id: int) -> None:
    """The declaration, with its project and its review, to a unit."""
    declaration.unit_id = unit_id
    session.execute(update(Project).where(Project.id == declaration.project_id).values(unit_id=unit_id))
    of_it = (FlowRun.document_kind == Declaration.document_kind, FlowRun.document_id == declaration.id)
    session.execute(update(FlowRun).where(*of_it).values(unit_id=unit_id))
    session.flush()


def samples_of(model: type[Any]) -> list[Any]:
    """Rows of the model to try, each once: of documents one of each state in the own and in another unit."""
    session = current_session()
    if model in (Declaration, ChangeRequest, FundAdjustment):
        rows = []
        for unit in (DATA_BUREAU,) if model is FundAdjustment else UNITS:
            for status in DocumentStatus:
                statement = select(model).join(Unit, Unit.id == model.unit_id)
                statement = statement.where(Unit.code == unit, model.status == status)
                rows += session.scalars(statement.limit(1)).all()
        return rows
    rows = list(session.scalars(select(model).order_by(model.id).limit(2)))
    rows += session.scalars(select(model).order_by(model.id.desc()).limit(2))
    return list(dict.fromkeys(rows))


class Samples:
    """The rows to try, read once for everybody: what is done with them is undone each time."""

    def __init__(self) -> None:
        self._rows: dict[type[Any], list[Any]] = {}
        self._runs: dict[tuple[str, int], FlowRun | None] = {}

    def of(self, model: type[Any]) -> list[Any]:
        """The model's rows, no longer in any session."""
        if model not in self._rows:
            self._rows[model] = samples_of(model)
            _let_go()
        return self._rows[model]

    def open_run(self, document: Any) -> FlowRun | None:
        """The review that a document is in."""
        key = (document.document_kind, document.id)
        if key not in self._runs:
            self._runs[key] = review.open_run_of(*key)
            _let_go()
        return self._runs[key]


def _let_go() -> None:
    """Out of the session with the rows, as they are; the visitors' own sessions read after it."""
    current_session().expunge_all()
    current_session().commit()


@pytest.fixture(scope="module")
def samples() -> Samples:
    return Samples()


class Verdicts:
    """With which rows the policy lets one account do what, asked of all rows at once."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._asked: dict[tuple[type[Any], str, frozenset[int]], frozenset[int]] = {}

    def allow(self, verb: str, row: Any, among: Iterable[Any]) -> bool:
        """Is the verb allowed with this row? It is asked of all `among` which it is."""
        model, ids = type(row), frozenset(each.id for each in among)
        key = (model, verb, ids)
        if key not in self._asked:
            statement = policy.scoped(self.actor, model, verb).where(model.id.in_(sorted(ids)))
            found = current_session().scalars(statement.with_only_columns(model.id))
            self._asked[key] = frozenset(found)
        return row.id in self._asked[key]


ALLOWED = {200, 302, 400, 409}
"""What a permitted request may answer: a page, a redirect, a refusal of what it sent; never 403 or 404."""


def _permitted(actor: Actor, route: Route) -> bool:
    """Does the actor hold what the address asks for? Who does not is refused before any row is looked at."""
    return route.noun is None or actor.holds(route.noun, route.verb or "")


def expectation(route: Route, verdicts: Verdicts, row: Any | None, samples: Samples) -> set[int]:
    """The policy's answer as the statuses it allows."""
    actor = verdicts.actor
    if not _permitted(actor, route):
        return {403}
    if row is None or route.model is None:
        return ALLOWED
    among = samples.of(route.model)
    if route.endpoint == "DocumentView.terminate":
        # It is the run that is ended; of a document without one only its readers learn that.
        runs = [run for each in among if (run := samples.open_run(each))]
        run = samples.open_run(row)
        if run is None:
            return {409} if verdicts.allow("read", row, among) else {404}
        row, among = run, runs
    if not verdicts.allow(SEEN_BY.get(route.endpoint, "read"), row, among):
        return {404}
    if route.endpoint == "UserView.roles" and row.id == actor.user_id:
        return ALLOWED | {403}  # nobody grants himself anything
    if not verdicts.allow(route.row_verb, row, among):
        # A form that is no longer open leads to the page to read.
        return {302} if route.endpoint in FORMS and route.method == "GET" else {403, 404, 409}
    return ALLOWED


Click = tuple[Route, Any | None, set[int]]
"""An address, the row it is asked for, and what it may answer."""


def clicks(app: Flask, actor: Actor, samples: Samples) -> Iterator[Click]:
    """Every address, with each row to try where it takes one."""
    verdicts = Verdicts(actor)
    for route in pages(app):
        if route.endpoint in PUBLIC | {"LoginView.logout", "GoView.to"}:
            continue
        rows: list[Any | None] = list(samples.of(route.model)) if route.has_row and route.model else [None]
        permitted = _permitted(actor, route)
        if not permitted and on_server():
            continue  # refused before any row is read: SQLite's run has shown it
        expected = [
            (route, row, expectation(route, verdicts, row, samples))
            for row in (rows if permitted else rows[:1])
        ]
        yield from once_unseen(expected) if on_server() else expected


def once_unseen(expected: Iterable[Click]) -> Iterator[Click]:
    """The clicks of one address, of rows that are not to be found only one of each unit.

    A statement that finds nothing gives the address no state to look at. That each address asks it, in every
    state, SQLite's run has shown; that the other database finds as little, one row of each unit shows.
    """
    units: set[int | None] = set()
    for route, row, answers in expected:
        unit = getattr(row, "unit_id", None)
        if answers != {404} or not hasattr(row, "unit_id") or unit not in units:
            yield route, row, answers
        if answers == {404}:
            units.add(unit)


@pytest.mark.parametrize("account", VISITORS, ids=lambda account: account.username)
def test_every_address_answers_as_the_policy_says(office: Flask, samples: Samples, account: Any) -> None:
    visitor = Visitor(office, account.username)
    wrong = []
    try:
        with office.app_context():
            user_id = current_session().scalar(select(AppUser.id).where(AppUser.username == account.username))
            actor = actor_for(current_session(), user_id or 0)
            tried = {(row.unit_id, row.status) for row in samples.of(Declaration)}
            assert len(tried) == len(UNITS) * len(DocumentStatus), "every state in both units"
            expected = list(clicks(office, actor, samples))
            db.session.remove()
        for route, row, answers in expected:
            status = visitor.click(route, row)
            if status not in answers:
                which = f" of {row}" if row is not None else ""
                wrong.append(
                    f"{route.method} {route.path} ({route.endpoint}){which}: {status}, not {answers}"
                )
        assert not wrong, "\n".join(wrong)
    finally:
        visitor.close()
