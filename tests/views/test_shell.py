"""What surrounds a page: figures counted in one statement, and a menu that is each reader's own."""

from __future__ import annotations

import re

from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.models.flow import Task
from app.services import review
from app.services.demo import ACCOUNTS
from app.views.shell import Entry, _tree, counts
from app.workflow.registry import registered
from tests.conftest import OwnDatabase
from tests.databases import DEMO
from tests.factories import actor_of, make_user
from tests.security.town import log_in
from tests.sql import count_statements
from tests.views.bureau import Bureau

ONE_OF_EACH_ROLE = {account.role: account.username for account in reversed(ACCOUNTS)}.values()


def keys(entries: tuple[Entry, ...]) -> set[str]:
    """Everything that can be reached in a menu."""
    return {entry.key for entry in entries} | {key for entry in entries for key in keys(entry.items)}


def expected(session: Session, actor: Actor) -> dict[str, int]:
    """The figures, each counted by the list behind it."""
    open_to_unit = (DocumentStatus.DRAFT, DocumentStatus.RETURNED)
    drafts = {
        f"drafts.{kind}": len(
            session.scalars(
                policy.scoped(actor, entry.model, "edit").where(entry.model.status.in_(open_to_unit))
            ).all()
        )
        for kind, entry in registered().items()
    }
    tasks = session.scalars(select(Task).where(policy.criterion(actor, Task, "act"))).all()
    by_kind = review.todo_counts(actor)
    return drafts | {"todo": len(tasks)} | {f"todo.{kind}": by_kind.get(kind, 0) for kind in registered()}


def test_every_figure_is_that_of_its_list(bureau: Bureau) -> None:
    for number in range(3):
        bureau.declared(title=f"项目{number}")
    for actor in map(actor_of, bureau.people.values()):
        with count_statements() as sent:
            found = counts(bureau.session, actor)
        assert len(sent) == 1, str(sent)
        for name, number in expected(bureau.session, actor).items():
            assert found.get(name, 0) == number, (actor.username, name)
    assert counts(bureau.session, actor_of(bureau.people["first"]))["todo.declaration"] == 3


class TestMenu:
    def test_everybody_can_open_every_entry_of_his_own(self, own_database: OwnDatabase) -> None:
        with own_database("menu", projects=DEMO) as app:
            for username in ONE_OF_EACH_ROLE:
                person = log_in(app, username)
                menu = person.get("/").text.partition("<aside")[2].partition("</aside>")[0]
                addresses = set(re.findall(r'<a[^>]* href="(/[^"]*)"', menu))
                assert len(addresses) > 3, username
                for address in addresses:
                    answer = person.get(address)
                    assert answer.status_code == 200, (username, address)
                    assert f'href="{address}" aria-current="page"' in answer.text, (username, address)

    def test_each_reader_gets_his_own(self, app: Flask, session: Session) -> None:
        handler, administrator = (actor_of(make_user(role)) for role in ("unit_handler", "sys_admin"))
        with app.test_request_context("/"):
            his, another = (_tree(1, actor.reach, True, "") for actor in (handler, administrator))
        assert "declaration.drafts" in keys(his) - keys(another)
        assert "system.user" in keys(another) - keys(his)

    def test_it_is_in_the_readers_language_and_below_the_servers_root(
        self, app: Flask, session: Session
    ) -> None:
        reach = actor_of(make_user()).reach
        with app.test_request_context("/"), force_locale("en"):
            english = _tree(2, reach, False, "")
        with app.test_request_context("/", base_url="http://localhost/office"):
            mounted = _tree(2, reach, True, "/office")
        assert (english[0].label, mounted[0].label) == ("Workbench", "工作台")
        assert mounted[0].href == f"/office{english[0].href}"
