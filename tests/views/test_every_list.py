"""Every list of the product, walked: each column sorts, each condition searches, each page is cheap.

The lists are those that are registered, so a new one is walked the day it is added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.actor import Actor
from app.models.user import AppUser
from app.services.access import actor_for
from app.services.demo import ACCOUNTS
from app.services.unit_of_work import current_session
from app.views import VIEWS
from app.views.base import AmountRange, ChoiceField, DateRange, OfficeView, TextField
from app.views.base.query import MOST_SORT_KEYS, PAGE_SIZES, SAVED
from app.views.base.units import UnitField
from tests.conftest import OwnDatabase
from tests.databases import DEMO
from tests.security.conftest import Browser
from tests.sql import count_statements

LISTS = [view.__name__ for view in VIEWS if issubclass(view, OfficeView)]
OPEN_TO_ALL = {"MessageView", "SavedQueryView"}
MOST_STATEMENTS = 10
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def office(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application with demo data in every state."""
    with own_database("lists", projects=DEMO) as app:
        yield app


@dataclass(frozen=True)
class Staff:
    """Everybody who has an account: what he may, and his browser."""

    actors: tuple[Actor, ...]
    browsers: dict[str, Browser]

    def reader(self, view: Any) -> Browser:
        """Whose permission is for this list; of several, who sees the most kinds of rows."""
        for actor in self.actors:
            if type(view).__name__ in OPEN_TO_ALL or actor.holds(view.noun, view.list_verb):
                return self.browsers[actor.username]
        raise AssertionError(f"nobody may open {view.route_base}/list/")


@pytest.fixture(scope="module")
def staff(office: Flask) -> Staff:
    """Who there is, logged in; the reviewer first, who sees the most."""
    names = sorted((account.username for account in ACCOUNTS), key=lambda name: name != "reviewer")
    with office.app_context():
        session = current_session()
        ids = dict(session.execute(select(AppUser.username, AppUser.id)).all())
        actors = tuple(actor_for(session, ids[name]) for name in names)
    browsers = {name: Browser(office.test_client()) for name in names}
    for name, browser in browsers.items():
        browser.enter(name)
    return Staff(actors, browsers)


class Walk:
    """One list as somebody who may open it sees it."""

    def __init__(self, office: Flask, staff: Staff, name: str) -> None:
        self.view: Any = next(
            view
            for view in office.appbuilder.baseviews  # type: ignore[attr-defined]
            if type(view).__name__ == name
        )
        self.path = f"{self.view.route_base}/list/"
        self.browser = staff.reader(self.view)

    def get(self, query: str) -> Any:
        answer = self.browser.get(f"{self.path}?{query}")
        assert answer.status_code == 200, f"{self.path}?{query}: {answer.status}"
        return answer

    def cheap(self, query: str) -> Any:
        """A page that asks the database little and is no larger than a page may be."""
        with count_statements() as sent:
            page = self.get(query)
        assert len(sent) <= MOST_STATEMENTS, f"{self.path}?{query}\n{sent}"
        assert len(page.data) < MOST_BYTES, f"{self.path}?{query}"
        return page

    def orders(self) -> Iterator[tuple[str, list[str]]]:
        """Every column by itself, then all of them the other way round, as many at once as a list takes; and
        which columns those are. What a column needs to be joined it must bring along when it is alone."""
        sortable = [column.key for column in self.view.columns if column.sortable]
        for key in sortable:
            yield f"sort={key}", [key]
        for start in range(0, len(sortable), MOST_SORT_KEYS):
            keys = sortable[start : start + MOST_SORT_KEYS]
            yield "sort=" + ",".join(f"-{key}" for key in keys), keys

    def searches(self) -> Iterator[str]:
        """Every condition with a value it understands."""
        for each in self.view.spec.fields:
            match each:
                case UnitField():
                    yield "under=1"
                    yield "under=1&under=2"
                case DateRange():
                    yield f"{each.name}_in=this_quarter&{each.name}_to=2030-01-01"
                    yield f"{each.name}_from=2030-01-01&{each.name}_to=2020-01-01"
                case AmountRange():
                    yield f"{each.name}_in=from_100&{each.name}_to=5000万"
                case ChoiceField():
                    values = [value for value, _ in each.options()][:3]
                    yield "&".join(f"{each.name}={value}" for value in values)
                case TextField():
                    yield f"{each.name}=%25_"
        yield f"{SAVED}=0"


@pytest.mark.parametrize("name", LISTS)
def test_every_column_sorts_and_every_condition_searches(office: Flask, staff: Staff, name: str) -> None:
    walk = Walk(office, staff, name)
    headed = "data-sort-key" in walk.get("page=1").text  # a list that is empty has no head
    shown = {column.key for column in walk.view.columns if column.visible and headed}
    for query, keys in walk.orders():
        page = walk.cheap(query)
        order = "descending" if "=-" in query else "ascending"
        marked = re.findall(rf'aria-sort="{order}"><a [^>]*data-sort-key="(\w+)"', page.text)
        assert set(marked) == shown & set(keys), f"{walk.path}?{query}"
    with office.test_request_context():
        searches = list(walk.searches())
    assert searches
    for query in searches:
        walk.cheap(query)


@pytest.mark.parametrize("name", LISTS)
def test_the_largest_page_that_is_offered_is_small(office: Flask, staff: Staff, name: str) -> None:
    """Of a list with fewer rows, as large as it would be with rows like those it has."""
    walk, most = Walk(office, staff, name), PAGE_SIZES[-1]
    page = walk.get(f"page_size={most}")
    offered = {int(size) for size in re.findall(rb'<option value="(\d+)"[^>]*>[^<]*\xe6\x9d\xa1/', page.data)}
    assert max(offered, default=most) <= most
    rows = re.findall(rb'<tr id="r\d+.*?</tr>', page.data, re.S)
    average = sum(map(len, rows)) / max(1, len(rows))
    assert len(page.data) + (most - len(rows)) * average < MOST_BYTES, (walk.path, len(rows), average)


@pytest.mark.parametrize("name", LISTS)
def test_an_unreadable_condition_is_marked_and_kept(office: Flask, staff: Staff, name: str) -> None:
    walk = Walk(office, staff, name)
    ranges = [each for each in walk.view.fields if isinstance(each, DateRange | AmountRange)]
    choices = [each for each in walk.view.fields if isinstance(each, ChoiceField)]
    arguments = [f"{each.name}_from" for each in ranges] + [each.name for each in choices]
    if arguments:
        odd = "&".join(f"{argument}=odd<b>{argument}" for argument in arguments)
        answer = walk.browser.get(f"{walk.path}?{odd}")
        assert answer.status_code == 400
        for argument in arguments:
            assert f'id="error-{argument}"' in answer.text, "the message stands beside its field"
            assert f"odd&lt;b&gt;{argument}" in answer.text and f"odd<b>{argument}" not in answer.text
        assert 'name="rowid"' not in answer.text
    closed = [each.name for each in choices if not each.beyond]
    if closed:  # well formed, and still none of those to choose from
        answer = walk.browser.get(f"{walk.path}?{'&'.join(f'{name}=99999' for name in closed)}")
        assert answer.status_code == 400
        for name in closed:
            assert f'id="error-{name}"' in answer.text, name
    assert walk.browser.get(f"{walk.path}?nonsense=1").status_code == 400


@pytest.mark.parametrize("name", LISTS)
def test_a_list_whose_rows_have_a_unit_has_a_tree_of_the_units_in_scope(
    office: Flask, staff: Staff, name: str
) -> None:
    walk = Walk(office, staff, name)
    page = walk.get("page=1").text
    if walk.view.unit_column is None:
        assert "data-units" not in page
        return
    counts = walk.browser.get(f"{walk.view.route_base}/unit-counts").get_json()
    fetched = re.search(r'data-tree="([^"]+)"', page)
    tree = walk.browser.get(fetched[1]).text if fetched else page
    offered = re.findall(r'name="under" value="(\d+)"', tree)
    assert set(offered) == set(counts) or len(counts) < 2
    for unit_id, count in list(counts.items())[:3]:
        assert f'data-total="{count}"' in walk.get(f"under={unit_id}").text


@pytest.mark.parametrize("name", LISTS)
def test_a_state_that_a_list_shows_can_be_chosen_several_at_once(name: str) -> None:
    view: Any = next(view for view in VIEWS if view.__name__ == name)
    choices = {each.name for each in view.fields if isinstance(each, ChoiceField)}
    states = {column.key for column in view.columns if column.enum is not None and column.sortable}
    assert states <= choices


def test_every_list_lives_under_a_readable_address(office: Flask) -> None:
    lists = [rule.rule for rule in office.url_map.iter_rules() if rule.rule.endswith("/list/")]
    assert lists and not [path for path in lists if re.search("[A-Z]|(?<!re)view/", path)]
