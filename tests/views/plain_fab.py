"""A plain Flask-AppBuilder application as its documentation writes it, and what happens to it.

Run as a program: in this process our own guards on sessions would already protect it. It prints one JSON
object, hole by hole, for `test_fab_holes.py`.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from flask import Flask, redirect
from flask.testing import FlaskClient
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.actions import action
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.filters import FilterEqual
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import ForeignKey, String, event, select
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Mapped, mapped_column, relationship

THREADS, REQUESTS = 8, 12
MANY = 300

db = SQLA()


class Office(Model):
    """A unit."""

    __tablename__ = "office"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))

    def __repr__(self) -> str:
        return self.name


class Paper(Model):
    """A document of one unit."""

    __tablename__ = "paper"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(60), unique=True)
    stamped: Mapped[bool] = mapped_column(default=False)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"))
    office: Mapped[Office] = relationship(Office)


class PaperView(ModelView):
    """Only the papers of office 1 are anybody's business here: `base_filters` says so."""

    datamodel = SQLAInterface(Paper)
    base_filters = [["office_id", FilterEqual, 1]]
    list_columns = ["title", "stamped"]
    add_columns = edit_columns = ["title", "office"]
    search_columns = ["title"]

    @action("stamp", "Stamp", multiple=True, single=False)
    def stamp(self, items: list[Paper]) -> Any:
        """Stamp the chosen ones."""
        for item in items:
            item.stamped = True
            self.datamodel.edit(item)
        return redirect("/")

    def pre_update(self, item: Paper) -> None:
        if "forbidden" in item.title:
            raise ValueError("this title is refused")

    def post_add(self, item: Paper) -> None:
        if "broken" in item.title:
            raise RuntimeError("what has to follow failed")


class ListOnlyView(ModelView):
    """A view whose author thought of a list."""

    datamodel = SQLAInterface(Paper)
    list_columns = ["title"]


def build(folder: Path) -> Flask:
    """The application with two offices and their papers."""
    plain = Flask("plain")
    plain.config.update(
        SECRET_KEY="plain",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'plain.db'}",
        WTF_CSRF_ENABLED=False,
        UPLOAD_FOLDER=str(folder),
    )
    db.init_app(plain)
    with plain.app_context():
        appbuilder = AppBuilder(plain, db.session)
        appbuilder.add_view(PaperView, "Papers")
        appbuilder.add_view(ListOnlyView, "Titles")
        db.create_all()
        for number in (1, 2):
            db.session.add(Office(id=number, name=f"office {number}"))
        db.session.add_all(Paper(title=f"paper {number}", office_id=1) for number in range(MANY))
        db.session.add(Paper(id=9001, title="paper of office 2", office_id=2))
        db.session.commit()
        role = appbuilder.sm.find_role("Admin")
        appbuilder.sm.add_user("plain", "plain", "plain", "plain@example.invalid", role, "plain")

    @plain.after_request
    def keep_the_log(response: Any) -> Any:
        # What many applications do: something else commits later in the same request.
        db.session.commit()
        return response

    return plain


def titles(plain: Flask) -> set[str]:
    with plain.app_context():
        return set(db.session.scalars(select(Paper.title)))


def action_out_of_scope(plain: Flask, client: FlaskClient) -> bool:
    client.post("/paperview/action_post", data={"action": "stamp", "rowid": "9001"})
    with plain.app_context():
        return bool(db.session.get_one(Paper, 9001).stamped)


def download_of_anything(plain: Flask, client: FlaskClient) -> int:
    (Path(plain.config["UPLOAD_FOLDER"]) / "1_sep_of-another-office.pdf").write_bytes(b"%PDF")
    return client.get("/paperview/download/1_sep_of-another-office.pdf").status_code


def picker_takes_any_id(plain: Flask, client: FlaskClient) -> bool:
    client.post("/paperview/add", data={"title": "for a foreign office", "office": "2"})
    return "for a foreign office" in titles(plain)


def filters_of_other_requests(plain: Flask, client: FlaskClient) -> int:
    """List pages that name what another request filtered by, in their rows or in their search form."""
    start = Barrier(THREADS)
    cookie = client.get_cookie("session")
    assert cookie is not None

    def work(thread: int) -> int:
        mine = plain.test_client()
        mine.set_cookie("session", cookie.value)
        start.wait()
        wrong = 0
        for _ in range(REQUESTS):
            page = mine.get(f"/paperview/list/?_flt_3_title=paper%20{thread}9").text
            wrong += {f"paper {thread}9"} != set(re.findall(r"paper [1-9]9\b", page))
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(1, THREADS + 1)))


def refused_and_saved_all_the_same(plain: Flask, client: FlaskClient) -> bool:
    client.post("/paperview/edit/1", data={"title": "forbidden title", "office": "1"})
    return "forbidden title" in titles(plain)


def saved_though_what_follows_failed(plain: Flask, client: FlaskClient) -> bool:
    client.post("/paperview/add", data={"title": "broken afterwards", "office": "1"})
    return "broken afterwards" in titles(plain)


def typed_text_after_a_failed_add(_plain: Flask, client: FlaskClient) -> bool:
    answer = client.post(
        "/paperview/add", data={"title": "broken once more", "office": "1"}, follow_redirects=True
    )
    return 'value="broken once more"' in answer.text


def routes_of_a_list(plain: Flask, _client: FlaskClient) -> list[str]:
    return sorted(
        rule.endpoint.partition(".")[2]
        for rule in plain.url_map.iter_rules()
        if rule.endpoint.startswith("ListOnlyView.")
    )


def unreadable_addresses(_plain: Flask, client: FlaskClient) -> list[int]:
    queries = ("page_PaperView=abc", "psize_PaperView=many", "_oc_PaperView=nonsense&_od_PaperView=asc")
    return [client.get(f"/paperview/list/?{query}").status_code for query in queries]


def rows_of_one_page(_plain: Flask, client: FlaskClient) -> int:
    return client.get("/paperview/list/?psize_PaperView=1000000").text.count('name="rowid"')


def get_deletes(plain: Flask, client: FlaskClient) -> bool:
    client.get("/paperview/delete/2")
    return "paper 1" not in titles(plain)


def permission_statements(_plain: Flask, client: FlaskClient) -> int:
    sent: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    client.get("/paperview/list/")
    event.remove(Engine, "before_cursor_execute", note)
    return sum("ab_permission" in statement for statement in sent)


def ways_to_export(plain: Flask, _client: FlaskClient) -> int:
    return sum("export" in rule.rule for rule in plain.url_map.iter_rules())


HOLES: tuple[Callable[[Flask, FlaskClient], object], ...] = (
    routes_of_a_list,
    ways_to_export,
    permission_statements,
    rows_of_one_page,
    filters_of_other_requests,
    unreadable_addresses,
    action_out_of_scope,
    download_of_anything,
    picker_takes_any_id,
    refused_and_saved_all_the_same,
    saved_though_what_follows_failed,
    typed_text_after_a_failed_add,
    get_deletes,
)


def main() -> None:
    """Try everything, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        plain = build(Path(folder))
        client = plain.test_client()
        client.post("/login/", data={"username": "plain", "password": "plain"})
        found = {hole.__name__: hole(plain, client) for hole in HOLES}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
