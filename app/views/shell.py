"""What surrounds every page: menu, counts, the user, crumbs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import get_locale, gettext
from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor, Reach
from app.access.rules_task import today
from app.core.enums import DocumentStatus
from app.models.dictionary import MenuItem
from app.services import alert, menu, message, review
from app.services.recall import recalled
from app.services.unit_of_work import current_session
from app.views.actor import current_access_version, current_actor, current_user_row
from app.views.places import as_left
from app.workflow.registry import registered
from config import VERSION


@dataclass
class Crumb:
    """One step of the way to this page."""

    label: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu as one reader may open it, without what changes from page to page."""

    key: str
    label: str
    icon: str
    href: str | None
    endpoint: str | None
    badge: str
    items: tuple[Entry, ...]


@dataclass
class Node:
    """An entry of the menu as drawn."""

    key: str
    label: str
    icon: str
    href: str | None
    badge: int
    active: bool = False
    items: list[Node] = field(default_factory=list)


_FIGURES_KEPT = 500
_TREES_KEPT = 500
_ADDRESSES_KEPT = 200


@lru_cache(maxsize=2)
def _menu_items(_version: int) -> Sequence[MenuItem]:
    """All entries there are under an access version."""
    return menu.visible_items(current_session())


def also_count(**queries: ColumnElement[int]) -> None:
    """Have figures of this page counted with those of the menu; they are in `shell.counts` by their
    names. A figure of one name always answers the same question of an actor."""
    g.also_counted = queries


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """The figures beside menu entries, and those the page asked for, in one statement."""
    asked: Mapping[str, ColumnElement[int]] = g.get("also_counted", {})
    key = ("counts", actor.reach, *sorted(asked))
    return recalled(session, key, lambda: _counts(session, actor, asked))


def _counts(session: Session, actor: Actor, asked: Mapping[str, ColumnElement[int]]) -> dict[str, int]:
    statement = select(
        *_own_figures(actor.reach, today()), *(query.label(name) for name, query in asked.items())
    )
    return dict(session.execute(statement).one()._mapping)


@lru_cache(maxsize=_FIGURES_KEPT)
def _own_figures(reach: Reach, _day: dt.date) -> tuple[ColumnElement[int], ...]:
    """The figures beside menu entries. What the actor may not do is not looked for: there is none of it."""
    actor = reach.actor()
    kinds = registered()
    tasks = review.todo_figures(actor, kinds).c if actor.holds("task", "act") else ()
    return (
        message.unread_count_query(actor).label("unread"),
        alert.red_count_query(actor).label("red"),
        review.unread_copies_query(actor).label("copied"),
        *(_to_fill_in(actor, kind).label(f"drafts.{kind}") for kind in kinds if actor.holds(kind, "edit")),
        *tasks,
    )


def _to_fill_in(actor: Actor, kind: str) -> ScalarSelect[int]:
    model = registered()[kind].model
    open_now = model.status.in_((DocumentStatus.DRAFT, DocumentStatus.RETURNED))
    return (
        select(func.count())
        .select_from(model)
        .where(policy.criterion(actor, model, "edit"), open_now)
        .scalar_subquery()
    )


class Shell:
    """Made once per page, by the template that asks for it."""

    def __init__(self) -> None:
        settings = current_app.config["SETTINGS"]
        self.actor = current_actor()
        self.logged_in = self.actor.user_id is not None
        self.request_id = g.get("request_id", "")
        self.product = gettext("Government IT project management")
        self.demo = settings.profile == "demo"
        self.footer = {"office": settings.office_name, "version": VERSION, "hotline": settings.hotline}
        self.crumbs: list[Crumb] = []
        self.menu: list[Node] = []
        self.counts: Mapping[str, int] = {}
        self.languages = [
            {
                "code": code,
                "label": language["name"],
                "href": url_for("LanguageView.switch", code=code),
                "active": code == str(get_locale()),
            }
            for code, language in current_app.config["LANGUAGES"].items()
        ]
        if self.logged_in:
            self.counts = counts(current_session(), self.actor)
            chinese = str(get_locale()).startswith("zh")
            tree = _tree(current_access_version(), self.actor.reach, chinese, request.script_root)
            endpoint = _current_menu_endpoint()
            self.menu = [self._node(entry, endpoint) for entry in tree]
            self.crumbs = self._path()

    @property
    def user(self) -> dict[str, Any]:
        """Name, unit and role of who is logged in."""
        row = current_user_row()
        if row is None:
            return {"logged_in": False, "name": "", "initial": "", "unit": "", "role": ""}
        unit = row.unit.short_name if row.unit else ""
        return {
            "logged_in": True,
            "name": row.full_name,
            "initial": row.full_name[:1],
            "unit": unit,
            "role": row.position or "",
        }

    may_act = property(lambda self: self.actor.holds("task", "act"))
    todo_count = property(lambda self: self.counts.get("todo", 0))
    unread_count = property(lambda self: self.counts.get("unread", 0))

    def __getattr__(self, name: str) -> str | None:
        endpoint = _ADDRESSES.get(name)
        if endpoint is None:
            raise AttributeError(name)
        return _href(endpoint, request.script_root)

    def _node(self, entry: Entry, endpoint: str | None) -> Node:
        """The entry with its figure, and whether this page is behind it."""
        items = [self._node(each, endpoint) for each in entry.items]
        here = entry.href is not None and entry.endpoint == endpoint
        active = here or any(node.active for node in items)
        figure = self.counts.get(entry.badge, 0)
        return Node(entry.key, entry.label, entry.icon, entry.href, figure, active, items)

    def _path(self) -> list[Crumb]:
        for group in self.menu:
            if not group.active:
                continue
            path = [Crumb(group.label, group.href)]
            # Up from a row leads to the list as it was left.
            path += [
                Crumb(item.label, item.href and as_left(item.href)) for item in group.items if item.active
            ]
            return path
        return []


@lru_cache(maxsize=_ADDRESSES_KEPT)
def _href(endpoint: str, _root: str) -> str | None:
    """The page's address below the root the server is mounted at; None where there is no such page."""
    return url_for(endpoint) if endpoint in current_app.view_functions else None


@lru_cache(maxsize=_TREES_KEPT)
def _tree(version: int, reach: Reach, chinese: bool, root: str) -> tuple[Entry, ...]:
    """The menu under an access version, as one reader may open it."""
    children: dict[int | None, list[MenuItem]] = {}
    for item in _menu_items(version):
        children.setdefault(item.parent_id, []).append(item)
    actor = reach.actor()

    def below(parent: int | None) -> Iterator[Entry]:
        """The entries of a group whose page is there and permitted; no group that is empty."""
        for item in children.get(parent, ()):
            if item.permission and not actor.holds(*item.permission.rsplit(".", 1)):
                continue
            href = _href(item.endpoint, root) if item.endpoint else None
            items = tuple(below(item.id))
            if href is not None or items:
                label = item.label_zh if chinese else item.label_en
                yield Entry(item.key, label, item.icon, href, item.endpoint, item.badge or "", items)

    return tuple(below(None))


_ADDRESSES = {
    "todo_href": "TaskTodoView.list",
    "messages_href": "MessageView.list",
    "search_href": "ProjectView.list",
    "logout_href": "LoginView.logout",
    "login_href": "LoginView.login",
    "profile_href": "ProfileView.index",
    "password_href": "PasswordView.index",
    "home_href": "HomeView.index",
}


def menu_endpoint(endpoint: str) -> None:
    """Say which menu entry the present page belongs to, where its own endpoint is not in the menu."""
    g.menu_endpoint = endpoint


def _current_menu_endpoint() -> str | None:
    endpoint: str | None = g.get("menu_endpoint") or request.endpoint
    return endpoint


def install(app: Flask) -> None:
    """Give every template `shell`, made when first used."""

    @app.context_processor
    def supply() -> dict[str, Callable[[], Shell] | Shell]:
        if "shell" not in g:
            g.shell = Shell()
        return {"shell": g.shell}
