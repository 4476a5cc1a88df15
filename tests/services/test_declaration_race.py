"""One draft from twenty browsers in one moment, and a process that dies in the middle: one effect or none."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count as count_from
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import DomainError
from app.extensions import db
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.flow import FlowRun, Task
from app.models.message import OutboxMessage
from app.models.project import Project
from app.services import attachment
from app.services import declaration as service
from app.services.document.kind import DocumentKind
from app.services.unit_of_work import current_session
from tests import samples
from tests.conftest import OwnDatabase
from tests.factories import make_actor, make_unit

CROWD = 20


@pytest.fixture(scope="module")
def server(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose transactions are real and seen by other connections."""
    with own_database("declaring") as app:
        yield app


@pytest.fixture
def handler(server: Flask) -> Iterator[Actor]:
    with server.app_context():
        for role in ("bureau_reviewer", "bureau_checker", "bureau_leader"):
            make_actor(role)
        yield make_actor("unit_handler", make_unit())
        db.session.remove()


def at_once(server: Flask, deed: Callable[[], object]) -> Counter[str]:
    """What became of it, done twenty times in the same moment."""
    start = Barrier(CROWD)

    def do(_: int) -> str:
        with server.app_context():
            start.wait(timeout=30)
            try:
                deed()
            except DomainError as refused:
                return type(refused).__name__
            finally:
                db.session.remove()
            return "done"

    current_session().rollback()
    with ThreadPoolExecutor(CROWD) as browsers:
        return Counter(browsers.map(do, range(CROWD)))


def count(model: type[object], *conditions: object) -> int:
    current_session().rollback()
    statement = select(func.count()).select_from(model).where(*conditions)  # type: ignore[arg-type]
    return current_session().scalar(statement) or 0


def test_twenty_clicks_on_submit_have_one_effect(server: Flask, handler: Actor) -> None:
    draft = service.create(handler, samples.maintenance())

    answers = at_once(server, partial(service.submit, handler, draft.id, draft.version))

    assert answers == {"done": CROWD}, "each click shows the same submitted declaration"
    assert count(FlowRun, FlowRun.document_id == draft.id) == 1
    assert count(Project, Project.unit_id == handler.unit_id) == 1


def test_twenty_saves_of_one_page_keep_one(server: Flask, handler: Actor) -> None:
    draft = service.create(handler, samples.maintenance())
    titles = iter(f"第{number}个浏览器" for number in range(CROWD))

    answers = at_once(server, lambda: service.save(handler, draft.id, draft.version, {"title": next(titles)}))

    assert answers == {"done": 1, "StaleVersion": CROWD - 1}


def test_twenty_first_saves_of_one_page_make_one_draft(server: Flask, handler: Actor) -> None:
    turns = count_from(1)

    answers = at_once(
        server, lambda: service.autosave(handler, None, None, {"title": "新页"}, page="new", turn=next(turns))
    )

    assert answers == {"done": CROWD}
    assert count(Declaration, Declaration.unit_id == handler.unit_id) == 1


def test_twenty_uploads_of_one_file_keep_one(server: Flask, handler: Actor) -> None:
    draft = service.create(handler, samples.maintenance())

    def upload() -> None:
        attachment.add(handler, "declaration", draft.id, "BASIS", "纪要.pdf", io.BytesIO(samples.pdf()))

    assert at_once(server, upload) == {"done": CROWD}
    assert count(Attachment, Attachment.owner_id == draft.id) == 1


def test_a_process_that_dies_in_mid_submit_leaves_nothing(
    server: Flask, handler: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        """Not an error anybody handles."""

    def die(*_args: object) -> None:
        raise PowerCut

    draft = service.create(handler, samples.maintenance())
    told = count(OutboxMessage)
    # The last thing a submission writes: project, run, tasks and messages are written by then.
    with monkeypatch.context() as patched, pytest.raises(PowerCut):
        patched.setattr(DocumentKind, "note_status", die)
        service.submit(handler, draft.id, draft.version)

    assert count(Project, Project.unit_id == handler.unit_id) == 0
    assert count(FlowRun, FlowRun.document_id == draft.id) == 0
    assert count(Task, Task.run_id.not_in(select(FlowRun.id))) == 0
    assert count(OutboxMessage) == told
    row = current_session().get_one(Declaration, draft.id, populate_existing=True)
    assert (row.status, row.project_id) == (DocumentStatus.DRAFT, None)
    assert service.submit(handler, draft.id, draft.version).status is DocumentStatus.IN_REVIEW
