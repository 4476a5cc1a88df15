"""A unit that declares and the bureau that reviews, with a browser for everybody."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.flow import Verb
from app.models.declaration import Declaration
from app.models.flow import FlowLog, FlowRun, FlowStep, Task
from app.models.user import AppUser
from app.services import declaration, review
from app.services.unit_of_work import current_session
from tests import samples
from tests.factories import actor_of, make_unit, make_user
from tests.keys import enter, keys_of
from tests.security.conftest import Browser


@dataclass
class Bureau:
    """A unit that declares, and four reviewers of the bureau, two of them at the same step."""

    app: Flask
    handler: Actor
    people: Mapping[str, AppUser]
    keys: Mapping[str, str]

    @property
    def session(self) -> Session:
        return current_session()

    def declared(self, **changes: Any) -> int:
        """A declaration in review."""
        draft = declaration.create(self.handler, samples.maintenance(**changes))
        return declaration.submit(self.handler, draft.id, draft.version).id

    def task(self, name: str, document_id: int) -> Task:
        """The latest task of a person on a declaration."""
        rows = self.session.scalars(
            select(Task)
            .join(FlowRun, FlowRun.id == Task.run_id)
            .where(FlowRun.document_id == document_id, Task.user_id == self.people[name].id)
            .order_by(Task.id.desc())
            .execution_options(populate_existing=True)
        ).all()
        return rows[0]

    def row(self, document_id: int) -> Declaration:
        row = self.session.get(Declaration, document_id, populate_existing=True)
        assert row is not None
        return row

    def status(self, document_id: int) -> DocumentStatus:
        return self.row(document_id).status

    def step(self, document_id: int) -> str | None:
        return self.session.scalar(
            select(FlowStep.code)
            .join(FlowRun, FlowRun.current_step_id == FlowStep.id)
            .where(FlowRun.document_id == document_id)
        )

    def approve(self, document_id: int, *names: str) -> None:
        for name in names:
            task = self.task(name, document_id)
            review.act(actor_of(self.people[name]), task.id, Verb.APPROVE, version=task.version)

    def told(self, document_id: int, verb: Verb) -> int:
        """How often a verb stands in the history."""
        counted = select(func.count()).where(FlowLog.document_id == document_id, FlowLog.verb == verb)
        return self.session.scalar(counted) or 0

    def at_work(self, name: str) -> Desk:
        """A browser of his own, logged in."""
        desk = Desk(self.app.test_client())
        if name in self.keys:
            return enter(desk, self.keys[name])
        desk.log_in(self.people[name].username)
        return desk


class Desk(Browser):
    """A reviewer's browser."""

    def fields(self, path: str) -> dict[str, str]:
        """The hidden fields of the review form as the page has them."""
        page = self.get(path).text
        found = re.search(r'name="version" value="(\d+)"', page)
        return {"version": found[1] if found else ""}

    def act(self, task: Task, verb: str, **fields: str) -> TestResponse:
        """Open the page of a task and press a button on it."""
        path = f"/review/{task.id}"
        return self.post(f"{path}/act", {**self.fields(path), "verb": verb, **fields}, form_on=path)


def opened(app: Flask) -> Bureau:
    """A bureau with new people."""
    unit = make_unit("市政数局(审核)")
    office = make_unit("开平市教育局(审核)")
    people = {
        "handler": make_user("unit_handler", office, last_name="陈", first_name="晓琳"),
        "first": make_user("bureau_reviewer", unit, last_name="梁", first_name="志明", position="初审"),
        "twin": make_user("bureau_reviewer", unit, last_name="黄", first_name="国强", position="初审"),
        "second": make_user("bureau_checker", unit, last_name="周", first_name="伟杰", position="复核"),
        "last": make_user("bureau_leader", unit, last_name="谭", first_name="慧敏", position="终审"),
    }
    return Bureau(app, actor_of(people["handler"]), people, keys_of(app, people))


def words(page: TestResponse) -> str:
    """The page's text without its marks."""
    return html.unescape(re.sub(r"<[^>]+>", " ", page.text))
