"""architecture.md section 6, what concerns pages: the hole in plain Flask-AppBuilder, and ours closed.

Plain Flask-AppBuilder runs in a process of its own (`plain_fab.py`); in this one our guards on sessions
would already protect it. The rows about logging in are in tests/security.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.errors import InvalidInput
from app.extensions import db
from app.models.declaration import Declaration
from app.models.dictionary import DictItem
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import configuration, declaration, unit
from app.services.configuration import Table
from app.services.unit_of_work import current_session
from app.views import VIEWS
from app.views.base import OfficeView, ScopedInterface
from tests import samples
from tests.conftest import IsolatedClient, OwnDatabase
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.security.conftest import Browser
from tests.sql import count_statements
from tests.views.plain_fab import MANY, REQUESTS, THREADS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What happened to plain Flask-AppBuilder."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.views.plain_fab"], cwd=ROOT, capture_output=True, text=True, timeout=180
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.fixture
def desk(app: Flask, session: Session) -> Callable[[AppUser], Browser]:
    """Gives a user a browser, logged in."""
    app.test_client_class = IsolatedClient

    def open_for(user: AppUser) -> Browser:
        browser = Browser(app.test_client())
        browser.log_in(user.username)
        return browser

    return open_for


@pytest.fixture
def office(desk: Callable[[AppUser], Browser]) -> Browser:
    """A browser of somebody who may do everything there is in these pages."""
    return desk(make_user("sys_admin,audit_admin,unit_handler,bureau_reviewer"))


@pytest.fixture
def server(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose requests use connections of their own, as on a server."""
    with own_database("threads") as app:
        yield app


def rules_of(app: Flask, endpoint: str) -> Iterator[Rule]:
    """The routes of one view."""
    return (rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{endpoint}."))


LISTS = [view for view in VIEWS if issubclass(view, OfficeView)]
NO_EXPORT = {
    "AdjustmentBinView",
    "AdjustmentDraftView",
    "ChangeBinView",
    "ChangeDraftView",
    "DeclarationBinView",
    "DeclarationDraftView",
    "MessageView",
    "SavedQueryView",
}
"""Lists of one's own unfinished things, which nobody takes along."""


class TestRowsOutOfScope:
    def test_an_action_changes_no_other_units_row(
        self,
        plain: dict[str, Any],
        app: Flask,
        session: Session,
        desk: Callable[[AppUser], Browser],
    ) -> None:
        assert plain["action_out_of_scope"], "plain: stamped a row that base_filters hide"
        assert not [rule.rule for rule in app.url_map.iter_rules() if "/action" in rule.rule]

        handler, stranger = make_user("unit_handler"), make_user("unit_handler")
        own = declaration.create(actor_of(handler), samples.maintenance())
        foreign = declaration.create(actor_of(stranger), samples.maintenance())
        refused = desk(handler).post(
            "/declaration/drafts/recycle", {"rowid": [str(own.id), str(foreign.id)]}, form_on="/password/"
        )
        assert refused.status_code == 404
        states = session.scalars(
            select(Declaration.status).where(Declaration.id.in_((own.id, foreign.id)))
        ).all()
        assert set(states) == {DocumentStatus.DRAFT}, "one row out of scope refuses the whole batch"

    def test_a_file_is_reached_only_through_its_owner(
        self, plain: dict[str, Any], app: Flask, office: Browser
    ) -> None:
        assert plain["download_of_anything"] == 200, "plain: any upload to whoever may see the class"
        assert not [rule.rule for rule in app.url_map.iter_rules() if "/download/" in rule.rule]
        assert office.get("/unit/download/1_sep_of-another-office.pdf").status_code == 404

    def test_a_picker_takes_no_id_from_outside_the_scope(
        self, plain: dict[str, Any], app: Flask, session: Session, office: Browser
    ) -> None:
        assert plain["picker_takes_any_id"], "plain: any id that exists"
        # A generated form over the units: one that is not offered is refused.
        out_of_use = make_unit(active=False)
        form = {
            "code": "X1",
            "name": "甲",
            "short_name": "甲",
            "kind": "TOWNSHIP",
            "sort": "1",
            "active": "y",
        }
        for parent in (str(out_of_use.id), "987654", "1 OR 1=1"):
            assert office.post("/unit/add", form | {"parent_id": parent}).status_code == 400, parent
        # A document's own form: another unit's project is not a predecessor.
        foreign = _project_of_another_unit()
        handler = make_actor("unit_handler")
        with pytest.raises(InvalidInput) as refusal:
            declaration.create(handler, samples.maintenance(predecessor_id=str(foreign.id)))
        assert set(refusal.value.fields) == {"predecessor_id"}

    def test_the_data_interface_itself_finds_nothing_outside(self, app: Flask, session: Session) -> None:
        foreign = _project_of_another_unit()
        own = make_user("unit_handler")
        with app.test_request_context():
            g.actor = actor_of(own)
            papers = ScopedInterface(Declaration)
            assert papers.get(str(foreign.id)) is None
            assert papers.get("1; DROP TABLE declaration") is None
            assert papers.get_related_obj("predecessor", foreign.id) is None


class TestFiltersAndThreads:
    def test_every_page_shows_its_own_filter(self, plain: dict[str, Any], server: Flask) -> None:
        assert plain["filters_of_other_requests"] > REQUESTS, "plain: filters live on the shared view object"
        with server.app_context():
            user = make_user("sys_admin").username
            for thread in range(1, THREADS + 1):
                configuration.create(
                    SYSTEM,
                    unit.TABLE,
                    {
                        "code": f"P{thread}9",
                        "name": f"paper {thread}9",
                        "short_name": "p",
                        "kind": "TOWNSHIP",
                    },
                )
            db.session.remove()
        browser = Browser(server.test_client())
        browser.log_in(user)
        start = Barrier(THREADS)

        def work(thread: int) -> int:
            mine = Browser(server.test_client())
            mine.cookie = browser.cookie
            start.wait(timeout=30)
            wrong = 0
            for _ in range(REQUESTS):
                page = mine.get(f"/unit/list/?q=paper%20{thread}9").text
                wrong += {f"paper {thread}9"} != set(re.findall(r"paper [1-9]9\b", page))
            return wrong

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(work, range(1, THREADS + 1))) == 0


class TestWrites:
    def test_what_is_refused_is_not_saved_by_a_later_commit(
        self, plain: dict[str, Any], session: Session
    ) -> None:
        assert plain["refused_and_saved_all_the_same"], "plain: pre_update refuses, the object stays dirty"
        row = make_unit()
        with pytest.raises(InvalidInput):
            configuration.update(SYSTEM, unit.TABLE, row.id, {"name": "被拒绝的名称", "uscc": "123"})
        current_session().commit()
        assert session.get_one(Unit, row.id, populate_existing=True).name == row.name != "被拒绝的名称"

    def test_what_follows_is_part_of_the_write(self, plain: dict[str, Any], session: Session) -> None:
        assert plain["saved_though_what_follows_failed"], "plain: the interface has committed by then"

        def fails(_session: Session, _row: Unit, _before: object) -> None:
            raise RuntimeError("what has to follow failed")

        table = Table(model=Unit, event="UNIT_CHANGED", fields=unit.TABLE.fields, saved=fails)
        with pytest.raises(RuntimeError):
            configuration.create(
                SYSTEM, table, {"code": "B1", "name": "半途单位", "short_name": "半途", "kind": "TOWNSHIP"}
            )
        current_session().commit()
        assert session.scalar(select(Unit.id).where(Unit.name == "半途单位")) is None

    def test_the_interface_writes_nothing_by_itself(self) -> None:
        papers = ScopedInterface(Declaration)
        for write in (papers.add, papers.edit, papers.delete):
            with pytest.raises(RuntimeError):
                write(Declaration())
        with pytest.raises(RuntimeError):
            papers.delete_all([])

    def test_a_failed_form_comes_back_filled_in(
        self, plain: dict[str, Any], office: Browser, session: Session
    ) -> None:
        assert not plain["typed_text_after_a_failed_add"], "plain: what was typed is gone"
        form = {"code": make_unit().code, "name": "已填好的名称", "short_name": "名称", "kind": "TOWNSHIP"}
        page = office.post("/unit/add", form)
        assert page.status_code == 400
        assert 'value="已填好的名称"' in page.text


class TestRoutes:
    def test_what_is_not_opened_is_closed(self, plain: dict[str, Any], app: Flask) -> None:
        assert {"add", "edit", "delete", "download", "action_post"} <= set(plain["routes_of_a_list"])
        registered = {type(view): view for view in app.appbuilder.baseviews}  # type: ignore[attr-defined]
        for view in LISTS:
            opened = {rule.endpoint.partition(".")[2] for rule in rules_of(app, view.__name__)}
            assert opened == set(registered[view].include_route_methods), view.__name__
            units = {"unit_tree", "unit_counts"} if registered[view].unit_column is not None else set()
            assert opened == set(view.include_route_methods) | units, view.__name__
            assert not opened & {"delete", "download", "action", "action_post"}, view.__name__
        log = {rule.endpoint.partition(".")[2] for rule in rules_of(app, "SystemLogView")}
        assert log == {"list", "export", "save_columns"}

    def test_a_get_never_deletes(
        self, plain: dict[str, Any], app: Flask, office: Browser, session: Session
    ) -> None:
        assert plain["get_deletes"], "plain: GET /delete/1"
        row = make_unit()
        assert office.get(f"/unit/remove/{row.id}").status_code == 405
        assert session.get(Unit, row.id, populate_existing=True) is not None
        changing = (
            "remove",
            "deactivate",
            "activate",
            "recycle",
            "purge",
            "restore",
            "approve",
            "act",
            "take_back",
        )
        for rule in app.url_map.iter_rules():
            if rule.endpoint.partition(".")[2] in changing:
                assert rule.methods is not None
                assert not rule.methods & {"GET", "HEAD"}, rule.rule

    def test_every_list_is_exported(self, plain: dict[str, Any], app: Flask) -> None:
        assert plain["ways_to_export"] == 0
        for view in LISTS:
            exported = any(rule.endpoint.endswith(".export") for rule in rules_of(app, view.__name__))
            assert exported is (view.__name__ not in NO_EXPORT), view.__name__


class TestAddresses:
    @pytest.mark.parametrize(
        "query",
        [
            "page=abc",
            "page=0",
            "page=-1",
            "page=１",
            "page_size=many",
            "sort=nonsense",
            "sort=-password",
            "nonsense=1",
            "active=maybe",
        ],
    )
    def test_an_unreadable_one_is_refused(self, plain: dict[str, Any], office: Browser, query: str) -> None:
        assert plain["unreadable_addresses"] == [500, 500, 500]
        answer = office.get(f"/unit/list/?{query}")
        assert answer.status_code == 400
        assert "X-Request-ID" in answer.headers

    def test_a_page_beyond_the_last_is_the_last(self, office: Browser) -> None:
        assert office.get("/unit/list/?page=999999999").status_code == 200

    def test_a_million_rows_are_not_one_page(
        self, plain: dict[str, Any], office: Browser, session: Session
    ) -> None:
        assert plain["rows_of_one_page"] == MANY
        for number in range(210):
            configuration.create(
                SYSTEM,
                _ENTRIES,
                {
                    "type_code": "nature",
                    "code": f"N{number}",
                    "label_zh": f"{number}",
                    "label_en": f"{number}",
                },
            )
        page = office.get("/dictionary/list/?type=nature&page_size=1000000").text
        assert page.count("/dictionary/edit/") // 2 <= 200


class TestStatements:
    @pytest.mark.parametrize(
        "path", ["/unit/list/", "/dictionary/list/", "/review/tasks/list/", "/declaration/list/"]
    )
    def test_permissions_are_not_asked_of_the_database(
        self, plain: dict[str, Any], office: Browser, path: str
    ) -> None:
        assert plain["permission_statements"] >= 10, "plain: a query for each button and menu entry"
        office.get(path)
        with count_statements() as sent:
            assert office.get(path).status_code == 200
        assert not [text for text in sent if "ab_permission" in text], sent
        assert len(sent) <= 10, sent


_ENTRIES = Table(
    model=DictItem, event="DICTIONARY_CHANGED", fields=("type_code", "code", "label_zh", "label_en")
)


def _project_of_another_unit() -> Project:
    """A project that the handlers of other units may not see."""
    for role in ("bureau_reviewer", "bureau_checker", "bureau_leader"):
        make_actor(role)
    stranger = make_actor("unit_handler", make_unit())
    draft = declaration.create(stranger, samples.maintenance())
    row = declaration.submit(stranger, draft.id, draft.version)
    return current_session().get_one(Project, row.project_id)
