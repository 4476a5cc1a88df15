"""A town at work, shared by the tests of the surface: demo data, hostile texts in it, people logged in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import String, Table, cast, insert, inspect, literal, select, update
from werkzeug.datastructures import Headers
from werkzeug.routing import Rule

from app.access.actor import SYSTEM
from app.extensions import db, metadata
from app.models.log import FieldChange, SystemLog
from app.models.message import Message
from app.models.user import AppUser
from app.services.unit_of_work import unit_of_work
from tests.factories import let_in

PEER = {"REMOTE_ADDR": "10.1.2.3"}
HOSTILE = "\"'><img src=x onerror=a()></script><script>b()</script>{{7**13}}"
"""Breaks out of an attribute, a script and a text, and is 96889010407 where a template is made of it, which
is too long to stand in a token by chance."""

SHORT = '"><img src=x>'
"""The same for columns too short for it."""

TEXTS = {
    "alert": ("title",),
    "fund_adjustment": ("title", "basis_no", "reason"),
    "annual_plan": ("doc_no",),
    "attachment": ("name",),
    "budget_line": ("name", "spec", "unit_name", "basis_text"),
    "catalogue_entry": ("name", "provider", "note"),
    "declaration": (
        "title",
        "lead_name",
        "contact_name",
        "basis_text",
        "necessity",
        "feasibility",
        "reasonableness",
        "current_state",
        "goals",
        "scope_text",
        "cloud_resources",
        "long_term_goal",
        "annual_goal",
    ),
    "dict_item": ("label_zh", "label_en", "source"),
    "flow_run": ("title",),
    "flow_step": ("name_zh", "name_en"),
    "menu_item": ("label_zh", "label_en"),
    "performance_indicator": ("level1", "level2", "name", "operator", "target_value", "unit_name"),
    "project": ("title",),
    "role_scope": ("label_zh", "label_en"),
    "rule_parameter": ("label_zh", "label_en", "source", "article", "unit"),
    "schedule_step": ("content",),
    "sms_message": ("text", "mobile", "receipt"),
    "task": ("saved_opinion",),
    "unit": ("name", "short_name"),
    "unit_name": ("name",),
    "ab_user": ("first_name", "last_name", "position"),
    "work_calendar_day": ("note",),
}
"""Every column that shows what people type, or what an administrator names things."""

WRITTEN_ALONG = {"system_log", "user_session", "login_attempt"}
"""What a look at a page may write: the log, and that the session was seen."""


def poison(app: Flask) -> None:
    """Put hostile text into every text column of every row."""
    with app.app_context(), unit_of_work(SYSTEM) as session:
        for name, columns in TEXTS.items():
            table = metadata.tables[name]
            values: dict[str, Any] = {}
            number = cast(next(iter(table.primary_key)), String)
            for column in columns:
                room = getattr(table.c[column].type, "length", None) or 10_000
                text = HOSTILE if room > len(HOSTILE) + 10 else SHORT
                values[column] = text + number if room > len(text) + 10 else text
            session.execute(update(table).values(values))
        session.execute(_hostile_copies(metadata.tables["flow_log"]))
        people = session.scalars(select(AppUser.id)).all()
        for number in people:
            session.add(
                Message(
                    outbox_key=f"hostile:{number}",
                    recipient_id=number,
                    template="review_opinion",
                    params={
                        "title": HOSTILE,
                        "code": HOSTILE,
                        "step": HOSTILE,
                        "reviewer": HOSTILE,
                        "opinion": HOSTILE,
                    },
                    link="javascript:alert(1)",
                )
            )
        session.add(SystemLog(event="HOSTILE", username=HOSTILE, address=SHORT, summary=HOSTILE))
        declared = session.scalars(select(metadata.tables["declaration"].c.id)).all()
        for number in declared:
            session.add(
                FieldChange(
                    user_name=HOSTILE,
                    noun="declaration",
                    row_id=number,
                    row_version=2,
                    field="title",
                    old=HOSTILE,
                    new=HOSTILE,
                    by_reviewer=True,
                )
            )


def _hostile_copies(table: Table) -> Any:
    """Its rows once more with a hostile name and opinion; they themselves cannot be changed."""
    names = [column.name for column in table.c if column.name != "id"]
    hostile = {"user_name": HOSTILE, "opinion": HOSTILE}
    chosen = [literal(hostile[name]) if name in hostile else table.c[name] for name in names]
    return insert(table).from_select(names, select(*chosen))


def contents(app: Flask, leave_out: set[str]) -> dict[str, int]:
    """A checksum of every table's rows."""
    with app.app_context():
        engine = db.engines[None]
    with engine.connect() as connection:
        present = set(inspect(connection).get_table_names())  # plain_fab.py declares tables of its own
        return {
            table.name: hash(tuple(sorted(map(repr, connection.execute(_columns(table))))))
            for table in metadata.sorted_tables
            if table.name in present - leave_out
        }


def _columns(table: Table) -> Any:
    # A log-in notes when and how often on the user's row; that is not a change anybody asked for.
    noted = {"last_login", "login_count", "fail_login_count"}
    return select(*(column for column in table.c if column.name not in noted))


@dataclass
class Person:
    """Somebody at a browser of his own."""

    username: str
    client: FlaskClient
    token: str = ""

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, environ_base=PEER, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        sent = {"csrf_token": self.token, **(data or {})}
        return self.client.post(path, data=sent, environ_base=PEER, **options)


def log_in(app: Flask, username: str, **options: Any) -> Person:
    person = Person(username, app.test_client())
    let_in(person.client, username, **options)
    person.token = token_of(person.client.get("/profile/", environ_base=PEER, **options).text)
    return person


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, page[:300]
    return found[1]


@dataclass
class Answer:
    """What one address answered to one person."""

    who: str
    path: str
    endpoint: str
    status: int
    headers: Headers
    body: bytes = field(repr=False)

    @property
    def is_page(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def __str__(self) -> str:
        return f"{self.who}: {self.path} ({self.status})"


ROWS = {
    "AlertView.show": "alert",
    "AnnualPlanView": "project",
    "DictionaryView": "dict_item",
    "ParameterView": "rule_parameter",
    "ProjectView": "project",
    "ProjectApi": "project",
    "ReviewView": "task",
    "ReviewEditView": "task",
    "TaskApi": "task",
    "SavedOpinionView": "saved_opinion",
    "UnitView": "unit",
    "UnitApi": "unit",
    "UserView": "ab_user",
    "AttachmentView": "attachment",
    "AttachmentApi": "attachment",
}
"""Which table's ids an address takes; the others take a declaration's."""


def addresses(app: Flask, each: int = 3) -> Iterator[tuple[Rule, str]]:
    """Every address that answers a GET, with ids that exist where it takes one."""
    ids: dict[str, list[int]] = {}
    with app.app_context():
        for name in {"declaration", *ROWS.values()}:
            table = metadata.tables[name]
            found = [*db.session.scalars(select(table.c.id).order_by(table.c.id))]
            ids[name] = sorted({*found[:each], *found[-each:]}) or [1]
        db.session.remove()
    for rule in sorted(app.url_map.iter_rules(), key=str):
        if "GET" not in (rule.methods or ()):
            continue
        view = rule.endpoint.partition(".")[0]
        name = ROWS.get(rule.endpoint) or ROWS.get(view) or "declaration"
        for number in ids[name] if "<int:pk>" in rule.rule else [0]:
            path = rule.rule.replace("<int:pk>", str(number)).replace("<noun>", "declaration")
            path = path.replace("<string:key>", "local").replace("<string:code>", "nature")
            yield rule, path.replace("<path:filename>", "css/app.css")
