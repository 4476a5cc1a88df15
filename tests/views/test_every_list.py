"""Every list of the product, walked: each column sorts, each condition searches, each page is cheap.

The lists are those that are registered, so a new one is walked the day it is added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.models.user import AppUser
from app.services.access import actor_for
from app.services.demo import ACCOUNTS
from app.services.unit_of_work import current_session
from app.views import VIEWS
from app.views.base import AmountRange, ChoiceField, DateRange, OfficeView, TextField
from app.views.base.query import PAGE_SIZES, SAVED
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


@pytest.fixture(scope="module")
def browsers(office: Flask) -> dict[str, Browser]:
    """Everybody who has an account, logged in when first needed."""
    return {}


class Walk:
    """One list as somebody who may open it sees it."""

    def __init__(self, office: Flask, browsers: dict[str, Browser], name: str) -> None:
        self.view: Any = next(
            view
            for view in office.appbuilder.baseviews  # type: ignore[attr-defined]
            if type(view).__name__ == name
        )
        self.path = f"{self.view.route_base}/list/"
        username = self._reader(office)
        if username not in browsers:
            browsers[username] = Browser(office.test_client())
            browsers[username].log_in(username)
        self.browser = browsers[username]

    def _reader(self, office: Flask) -> str:
        """Whose permission is for this list; of several, who sees the most kinds of rows."""
        with office.app_context():
            session = current_session()
            for account in sorted(ACCOUNTS, key=lambda each: each.username != "reviewer"):
                user_id = session.scalar(select(AppUser.id).where(AppUser.username == account.username))
                actor = actor_for(session, user_id) if user_id else None
                if actor and (
                    type(self.view).__name__ in OPEN_TO_ALL
                    or actor.holds(self.view.noun, self.view.list_verb)
                ):
                    return account.username
        raise AssertionError(f"nobody may open {self.path}")

    def get(self, query: str) -> Any:
        answer = self.browser.get(f"{self.path}?{query}")
        assert answer.status_code == 200, f"{self.path}?{query}: {answer.status}"
        return answer

    def queries(self) -> Iterator[str]:
        """Every condition with a value it understands, every sort both ways, and several keys at once."""
        sortable = [column.key for column in self.view.columns if column.sortable]
        for key in sortable:
            yield f"sort={key}"
            yield f"sort=-{key}"
        yield "sort=" + ",".join(sortable[:5])
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
def test_every_column_sorts_and_every_condition_searches(
    office: Flask, browsers: dict[str, Browser], name: str
) -> None:
    walk = Walk(office, browsers, name)
    walk.get("page=1")
    with office.test_request_context():
        queries = list(walk.queries())
    assert queries
    for query in queries:
        with count_statements() as sent:
            page = walk.get(query)
        assert len(sent) <= MOST_STATEMENTS, f"{walk.path}?{query}\n{sent}"
        assert len(page.data) < MOST_BYTES, f"{walk.path}?{query}"


@pytest.mark.parametrize("name", LISTS)
def test_the_largest_page_that_is_offered_is_small(
    office: Flask, browsers: dict[str, Browser], name: str
) -> None:
    """Of a list with fewer rows, as large as it would be with rows like those it has."""
    walk, most = Walk(office, browsers, name), PAGE_SIZES[-1]
    page = walk.get(f"page_size={most}")
    offered = {int(size) for size in re.findall(rb'<option value="(\d+)"[^>]*>[^<]*\xe6\x9d\xa1/', page.data)}
    assert max(offered, default=most) <= most
    rows = re.findall(rb'<tr id="r\d+.*?</tr>', page.data, re.S)
    average = sum(map(len, rows)) / max(1, len(rows))
    assert len(page.data) + (most - len(rows)) * average < MOST_BYTES, (walk.path, len(rows), average)


@pytest.mark.parametrize("name", LISTS)
def test_an_unreadable_condition_is_marked_and_kept(
    office: Flask, browsers: dict[str, Browser], name: str
) -> None:
    walk = Walk(office, browsers, name)
    ranges = [each for each in walk.view.fields if isinstance(each, DateRange | AmountRange)]
    choices = [each for each in walk.view.fields if isinstance(each, ChoiceField)]
    for argument in [f"{each.name}_from" for each in ranges] + [each.name for each in choices]:
        answer = walk.browser.get(f"{walk.path}?{argument}=odd<b>thing")
        assert answer.status_code == 400, argument
        assert f'id="error-{argument}"' in answer.text, "the message stands beside its field"
        assert "odd&lt;b&gt;thing" in answer.text and "odd<b>thing" not in answer.text
        assert 'name="rowid"' not in answer.text
    for each in choices:
        if not each.beyond:  # well formed, and still none of those to choose from
            answer = walk.browser.get(f"{walk.path}?{each.name}=99999")
            assert answer.status_code == 400 and f'id="error-{each.name}"' in answer.text, each.name
    assert walk.browser.get(f"{walk.path}?nonsense=1").status_code == 400


@pytest.mark.parametrize("name", LISTS)
def test_a_list_whose_rows_have_a_unit_has_a_tree_of_the_units_in_scope(
    office: Flask, browsers: dict[str, Browser], name: str
) -> None:
    walk = Walk(office, browsers, name)
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
