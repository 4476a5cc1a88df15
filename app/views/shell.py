"""What surrounds every page: menu, counts, the user, crumbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, g, request, url_for
from flask_babel import get_locale, gettext
from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
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


_menus: dict[int, Sequence[MenuItem]] = {}


def _menu_items(session: Session, version: int) -> Sequence[MenuItem]:
    if version not in _menus:
        _menus.clear()
        _menus[version] = menu.visible_items(session)
    return _menus[version]


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
        review.todo_count_query(actor).label("todo"),
        message.unread_count_query(actor).label("unread"),
        alert.red_count_query(actor).label("red"),
        review.unread_copies_query(actor).label("copied"),
        *(_to_fill_in(actor, kind).label(f"drafts.{kind}") for kind in registered()),
        *(review.todo_count_query(actor, kind).label(f"todo.{kind}") for kind in registered()),
        *(query.label(name) for name, query in asked.items()),
    )
    return dict(session.execute(statement).one()._mapping)


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
            session = current_session()
            self.counts = counts(session, self.actor)
            self.menu = self._tree(_menu_items(session, current_access_version()))
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

    def _href(self, endpoint: str) -> str | None:
        return url_for(endpoint) if endpoint in current_app.view_functions else None

    def __getattr__(self, name: str) -> str | None:
        endpoint = _ADDRESSES.get(name)
        if endpoint is None:
            raise AttributeError(name)
        return self._href(endpoint)

    def _tree(self, items: Sequence[MenuItem]) -> list[Node]:
        children: dict[int | None, list[MenuItem]] = {}
        for item in items:
            children.setdefault(item.parent_id, []).append(item)
        return self._nodes(children, None)

    def _nodes(self, children: Mapping[int | None, list[MenuItem]], parent: int | None) -> list[Node]:
        nodes = (self._node(item, children) for item in children.get(parent, ()))
        return [node for node in nodes if node is not None]

    def _node(self, item: MenuItem, children: Mapping[int | None, list[MenuItem]]) -> Node | None:
        """The entry, or None when its page is not there, not permitted, or the group is empty."""
        if item.permission and not self.actor.holds(*item.permission.rsplit(".", 1)):
            return None
        href = self._href(item.endpoint) if item.endpoint else None
        items = self._nodes(children, item.id)
        if href is None and not items:
            return None
        label = item.label_zh if str(get_locale()).startswith("zh") else item.label_en
        active = (href is not None and _current_menu_endpoint() == item.endpoint) or any(
            child.active for child in items
        )
        return Node(item.key, label, item.icon, href, self.counts.get(item.badge or "", 0), active, items)

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
