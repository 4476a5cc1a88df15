"""The rules of a declaration (domain.md 3.1 and 11), each below, at and above its limit."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import ConstructionStatus, Stage
from app.models.declaration import Declaration
from app.models.dictionary import RuleParameter
from app.models.project import Project
from app.services import declaration as service
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import arrange_funds, make_actor

YEAR = samples.next_year()
_numbers = itertools.count(1)


@pytest.fixture
def handler(session: Session) -> Actor:
    return make_actor("unit_handler")


@pytest.fixture
def small(session: Session, handler: Actor) -> Any:
    """Checks the maintenance renewal with some values changed; gives field -> sentence."""
    return lambda **changes: errors(session, service.create(handler, samples.maintenance(**changes)))


@pytest.fixture
def big(session: Session, handler: Actor) -> Any:
    """The same for the new build, whose attachments are not there yet."""

    def run(**changes: Any) -> dict[str, str]:
        found = errors(session, service.create(handler, samples.new_build(**changes)))
        return {field: words for field, words in found.items() if not field.startswith("attachments.")}

    return run


def errors(session: Session, draft: Declaration, now: dt.datetime | None = None) -> dict[str, str]:
    found = service.check(session, draft, now=now).errors()
    return {name: problems[0].message % problems[0].params for name, problems in found.items()}


def one_line(amount: str, **changes: Any) -> dict[str, Any]:
    """A declaration of one line and one channel, both of this amount."""
    line = {**samples.maintenance()["budget_lines"][0], "quantity": "1", "unit_price": amount}
    return {
        "requested_amount": amount,
        "budget_lines": [line],
        "funding_splits": [{"channel": "GENERAL_BUDGET", "amount": amount}],
        **changes,
    }


def set_parameter(session: Session, key: str, value: str) -> None:
    with unit_of_work(SYSTEM):
        session.add(
            RuleParameter(
                key=key, value=value, label_zh=key, label_en=key, effective_from=dt.date(2026, 1, 2)
            )
        )


def make_project(handler: Actor, year: int, arranged: str | None = None) -> Project:
    with unit_of_work(SYSTEM) as session:
        project = Project(
            code=f"KP{year}YW{9000 + next(_numbers)}",
            title="上年度运维",
            budget_year=year,
            unit_id=handler.unit_id,
            nature="OPERATION",
            declaration_type="OTHER",
            stage=Stage.PLANNED,
            construction_status=ConstructionStatus.PLANNED,
            requested_amount=Decimal("31900.00"),
        )
        session.add(project)
        session.flush()
        if arranged:
            arrange_funds(project, arranged)
        return project


def test_the_maintenance_renewal_needs_nothing_more(small: Any) -> None:
    assert small() == {}


def test_the_new_build_needs_its_attachments_and_nothing_more(
    session: Session, handler: Actor, big: Any
) -> None:
    assert big() == {}
    draft = service.create(handler, samples.new_build(title="另一个项目"))
    checklist = service.check(session, draft)
    assert set(checklist.errors()) == {f"attachments.{category}" for category in samples.NEW_BUILD_FILES}
    assert "attachments.SCHEME" in checklist.warnings(), "it may follow at the scheme stage"


def test_an_empty_draft_says_what_is_missing_chapter_by_chapter(session: Session, handler: Actor) -> None:
    checklist = service.check(session, service.create(handler, {}))

    states = {chapter.key.value: chapter.state.value for chapter in checklist.chapters}
    assert states == {
        "basic": "missing",
        "basis": "missing",
        "scope": "missing",
        "lines": "missing",
        "funding": "missing",
        "performance": "missing",
        "attachments": "missing",
        "contacts": "missing",
    }
    assert "budget_year" not in checklist.errors(), "next year is filled in"
    assert not checklist.complete


def test_a_chapter_with_a_wrong_amount_is_wrong_not_missing(session: Session, handler: Actor) -> None:
    kept = service.autosave(handler, None, None, {"requested_amount": "31900.005"})
    checklist = service.check(session, service.load(session, handler, kept.id))

    lines = next(chapter for chapter in checklist.chapters if chapter.key == "lines")
    assert lines.state.value == "wrong"
    assert "more than %(places)s decimals" in checklist.errors()["requested_amount"][0].message


@pytest.mark.parametrize(
    ("year", "channel", "taken"),
    [
        (YEAR - 1, None, False),
        (YEAR, None, True),
        (YEAR + 1, None, False),
        (YEAR - 2, "SUPPLEMENTARY", False),
        (YEAR - 1, "SUPPLEMENTARY", True),
        (YEAR, "FILING", True),
        (YEAR + 1, "FILING", False),
    ],
)
def test_d01_units_declare_for_next_year(small: Any, year: int, channel: str | None, taken: bool) -> None:
    found = small(budget_year=str(year), plan_channel=channel, begin_date="", end_date="")
    assert ("budget_year" not in found) is taken


@pytest.mark.parametrize(
    ("day", "taken"),
    [("08-31", False), ("09-01", True), ("10-15", True), ("10-31", True), ("11-01", False)],
)
def test_d01_within_the_window(session: Session, handler: Actor, day: str, taken: bool) -> None:
    set_parameter(session, "declaration.window_begin", "09-01")
    set_parameter(session, "declaration.window_end", "10-31")
    # Late in the evening in China is still the day before in UTC: the office's own date counts.
    now = dt.datetime.fromisoformat(f"{YEAR - 1}-{day}T00:30:00+08:00")

    found = errors(session, service.create(handler, samples.maintenance()), now)

    assert ("budget_year" not in found) is taken


def test_d01_a_window_may_span_the_new_year(session: Session, handler: Actor) -> None:
    set_parameter(session, "declaration.window_begin", "12-01")
    set_parameter(session, "declaration.window_end", "01-31")
    draft = service.create(handler, samples.maintenance())

    inside = dt.datetime.fromisoformat(f"{YEAR - 1}-12-31T09:00:00+08:00")
    outside = dt.datetime.fromisoformat(f"{YEAR - 1}-11-30T09:00:00+08:00")
    assert "budget_year" not in errors(session, draft, inside)
    assert "budget_year" in errors(session, draft, outside)


@pytest.mark.parametrize(
    ("requested", "equal"), [("31899.99", False), ("31900.00", True), ("31900.01", False)]
)
def test_d02_lines_equal_the_request_to_the_fen(small: Any, requested: str, equal: bool) -> None:
    found = small(requested_amount=requested, funding_splits=[{"channel": "BOND", "amount": requested}])
    assert ("requested_amount" not in found) is equal


@pytest.mark.parametrize(("split", "equal"), [("31899.99", False), ("31900.00", True), ("31900.01", False)])
def test_d02_channels_equal_the_request_to_the_fen(small: Any, split: str, equal: bool) -> None:
    found = small(funding_splits=[{"channel": "BOND", "amount": split}])
    assert ("funding_splits" not in found) is equal
    if not equal:
        assert "0.01 yuan" in found["funding_splits"]
        assert "D-02" not in found["funding_splits"], "a rule of our own cites nothing"


def test_d02_totals_add_rounded_lines(small: Any) -> None:
    """Each line rounds half up to 0.34, and the lines decide, not the exact product."""
    line = {**samples.maintenance()["budget_lines"][0], "quantity": "0.335", "unit_price": "1.00"}
    found = small(
        budget_lines=[line, line, line],
        requested_amount="1.02",
        funding_splits=[{"channel": "BOND", "amount": "1.02"}],
    )
    assert found == {}


@pytest.mark.parametrize(("amount", "taken"), [("0.00", False), ("0.01", True)])
def test_d04_more_than_nothing(small: Any, amount: str, taken: bool) -> None:
    assert ("requested_amount" not in small(**one_line(amount))) is taken


@pytest.mark.parametrize(
    ("amount", "taken"), [("299999.99", False), ("300000.00", True), ("300000.01", True)]
)
def test_d04_the_offices_own_minimum(session: Session, big: Any, amount: str, taken: bool) -> None:
    set_parameter(session, "declaration.minimum_amount", "300000.00")
    found = big(**one_line(amount, total_investment=amount, later_years=[]))
    assert ("requested_amount" not in found) is taken


@pytest.mark.parametrize(
    ("amount", "short"), [("99999.99", True), ("100000.00", False), ("100000.01", False)]
)
def test_decision_9_small_maintenance_has_a_short_form(small: Any, amount: str, short: bool) -> None:
    found = small(**one_line(amount))
    assert ("necessity" not in found) is short
    assert ("attachments.FORM" not in found) is short


def test_decision_9_a_small_new_build_still_fills_every_chapter(small: Any) -> None:
    found = small(**one_line("30000.00", nature="NEW", declaration_type="NEW"))
    assert {"necessity", "goals", "indicators", "data_catalogue", "attachments.BASIS"} <= found.keys()


def test_decision_9_the_demands_are_parameters(session: Session, small: Any) -> None:
    set_parameter(session, "declaration.required.simple", "necessity")
    set_parameter(session, "declaration.attachments.simple", "QUOTE")
    assert set(small()) == {"necessity", "attachments.QUOTE"}


@pytest.mark.parametrize(("length", "enough"), [(49, False), (50, True), (51, True)])
def test_the_necessity_has_fifty_characters(big: Any, length: int, enough: bool) -> None:
    assert ("necessity" not in big(necessity="必" * length)) is enough


@pytest.mark.parametrize(
    ("total", "found_wrong"), [("4949999.99", True), ("4950000.00", False), ("4950000.01", True)]
)
def test_the_total_covers_the_request(big: Any, total: str, found_wrong: bool) -> None:
    assert ("total_investment" in big(total_investment=total, later_years=[])) is found_wrong


@pytest.mark.parametrize(
    ("later", "adds_up"), [("1199999.99", False), ("1200000.00", True), ("1200000.01", False)]
)
def test_request_and_later_years_make_the_total(big: Any, later: str, adds_up: bool) -> None:
    found = big(later_years=[{"year": str(YEAR + 1), "amount": later}])
    assert ("total_investment" not in found) is adds_up


def test_what_earlier_years_arranged_belongs_to_the_total(session: Session, handler: Actor, big: Any) -> None:
    first = make_project(handler, YEAR - 2, "1000000.00")
    second = make_project(handler, YEAR - 1, "500000.00")
    with unit_of_work(SYSTEM):
        session.add(
            Declaration(
                code="SB-earlier",
                unit_id=handler.unit_id,
                budget_year=YEAR - 1,
                project_id=second.id,
                predecessor_id=first.id,
            )
        )
    linked = {"declaration_type": "CONTINUING", "predecessor_id": str(second.id)}

    assert "total_investment" not in big(**linked, total_investment="7650000.00")
    assert "total_investment" in big(**linked, total_investment="6650000.00")


@pytest.mark.parametrize("kind", ["CONTINUING", "CONTRACT_DUE"])
def test_what_continues_names_what_it_continues(handler: Actor, small: Any, kind: str) -> None:
    earlier, same = make_project(handler, YEAR - 1), make_project(handler, YEAR)

    assert "predecessor_id" in small(declaration_type=kind)
    assert "predecessor_id" not in small(declaration_type=kind, predecessor_id=str(earlier.id))
    assert "predecessor_id" in small(declaration_type=kind, predecessor_id=str(same.id))
    assert "predecessor_id" not in small()


@pytest.mark.parametrize(
    ("weights", "right"),
    [
        (["30", "20", "30", "19.99"], False),
        (["30", "20", "30", "20"], True),
        (["30", "20", "30", "20.01"], False),
        (["30", "20", "50", ""], False),
        (["", "", "", ""], True),
    ],
)
def test_weights_add_up_to_100_when_they_are_used(big: Any, weights: list[str], right: bool) -> None:
    rows = [
        {**row, "weight": weight}
        for row, weight in zip(samples.new_build()["indicators"], weights, strict=True)
    ]
    assert ("indicators" not in big(indicators=rows)) is right


def test_every_class_of_indicators_is_there(big: Any) -> None:
    rows = [{**row, "weight": ""} for row in samples.new_build()["indicators"]]
    assert "indicators" not in big(indicators=rows)
    assert "indicators" in big(indicators=rows[:3])


def test_an_indicator_belongs_to_its_class(big: Any) -> None:
    rows = samples.new_build()["indicators"]
    rows[0]["level2"] = "SOCIAL"
    assert "does not belong" in big(indicators=rows)["indicators.0.level2"]


@pytest.mark.parametrize(
    ("field", "rows", "path"),
    [
        ("budget_lines", [{"name": "只有名称"}], "budget_lines.0.quantity"),
        ("funding_splits", [{"amount": "1"}], "funding_splits.0.channel"),
        (
            "funding_splits",
            [{"channel": "BOND", "amount": "1"}, {"channel": "BOND", "amount": "2"}],
            "funding_splits.1.channel",
        ),
        ("later_years", [{"year": str(YEAR), "amount": "1"}], "later_years.0.year"),
        (
            "later_years",
            [{"year": str(YEAR + 1), "amount": "1"}, {"year": str(YEAR + 1), "amount": "1"}],
            "later_years.1.year",
        ),
        ("data_catalogue", [{"name": "法人库"}], "data_catalogue.0.sharing_type"),
        ("schedule", [{"content": "设计"}], "schedule.0.begin_date"),
        ("indicators", [{"level1": "OUTPUT"}], "indicators.0.name"),
    ],
)
def test_a_row_that_is_begun_is_finished(big: Any, field: str, rows: list[dict[str, str]], path: str) -> None:
    assert path in big(**{field: rows})


def test_the_same_title_twice_in_a_year_is_a_warning(session: Session, handler: Actor) -> None:
    first = service.create(handler, samples.maintenance())
    second = service.check(session, service.create(handler, samples.maintenance()))
    elsewhere = service.check(session, service.create(make_actor(), samples.maintenance()))

    assert second.warnings()["title"][0].params == {"code": first.code}
    assert second.complete
    assert "title" not in elsewhere.warnings()


@pytest.mark.parametrize(
    ("amount", "hinted"), [("999999.99", False), ("1000000.00", True), ("1000000.01", True)]
)
def test_the_third_party_steps_are_announced_from_a_million_on(
    session: Session, handler: Actor, amount: str, hinted: bool
) -> None:
    draft = service.create(handler, samples.new_build(**one_line(amount)))
    assert ("requested_amount" in service.check(session, draft).hints()) is hinted
