"""The ledger: who held a document for how many working days, and that nobody's clock runs at its unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.flow import TaskKind, TaskState, Verb
from app.core.workdays import SHANGHAI
from app.models.alert import Alert
from app.services import alert, review
from app.services.review import Held, Ledger, Party
from app.services.review.ledger import minus
from app.services.unit_of_work import current_session
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step


def at(month: int, day: int, hour: int = 9) -> dt.datetime:
    """An hour of a day of 2026 in the office."""
    return dt.datetime(2026, month, day, hour, tzinfo=SHANGHAI)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Wednesday 29 April 2026, nine o'clock; 1 to 5 May are free and 9 May (a Saturday) is worked."""
    with time_machine.travel(at(4, 29), tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(session: Session, clock: time_machine.Coordinates) -> Iterator[Office]:
    with declarations_for_tests() as outcomes:
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit, first_name="晓琳", last_name="陈"), outcomes)


def ledger_of(office: Office, document_id: int) -> Ledger:
    return review.ledger(office.handler, "declaration", document_id)


def told(row: Held) -> tuple[str, int, int]:
    """What of a row the office argues about: whose time, how many working days, how many too many."""
    return (row.party.value, row.days, row.over)


@pytest.mark.parametrize(
    ("arrives", "leaves", "days"),
    [
        # The golden vectors of domain.md 9.2, read backwards: n days after the start the n-th day is over.
        (dt.date(2025, 1, 22), dt.date(2025, 2, 7), 7),
        (dt.date(2025, 4, 29), dt.date(2025, 5, 6), 2),
        (dt.date(2026, 2, 11), dt.date(2026, 2, 27), 7),
        (dt.date(2026, 4, 30), dt.date(2026, 5, 20), 12),
        (dt.date(2026, 9, 30), dt.date(2026, 10, 8), 1),
    ],
)
def test_days_are_counted_as_limits_count_them(
    office: Office, clock: time_machine.Coordinates, arrives: dt.date, leaves: dt.date, days: int
) -> None:
    (reviewer,) = office.people(1)
    publish_flow(step("first", reviewer, limit_days=days))
    clock.move_to(dt.datetime.combine(arrives, dt.time(10), tzinfo=SHANGHAI))
    document = office.submitted()
    clock.move_to(dt.datetime.combine(leaves, dt.time(23, 59), tzinfo=SHANGHAI))
    office.approve(document, reviewer)
    found = ledger_of(office, document)
    assert [told(row) for row in found.rows] == [("OFFICE", days, 0)]
    assert found.rows[0].limit == days
    assert (found.office_days, found.unit_days) == (days, 0)


class TestReturn:
    def test_the_clock_stops_while_it_is_with_its_unit(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        """Two days with the reviewer, eight with the unit, one with him again, three with the second one."""
        first, second = office.people(2)
        publish_flow(step("first", first, limit_days=3), step("second", second, limit_days=2))
        document = office.submitted()  # Wednesday 29 April
        clock.move_to(at(5, 6))  # 30 April and 6 May
        office.act(first, document, "return", opinion="请补充报价。")
        clock.move_to(at(5, 15, 16))  # 7, 8, 9, 11, 12, 13, 14, 15 May
        office.submit(document)
        clock.move_to(at(5, 18))
        office.approve(document, first)
        clock.move_to(at(5, 21))
        found = ledger_of(office, document)
        assert [told(row) for row in found.rows] == [
            ("OFFICE", 2, 0),
            ("UNIT", 8, 0),
            ("OFFICE", 1, 0),
            ("OFFICE", 3, 1),
        ]
        assert [row.round for row in found.rows] == [1, 1, 2, 2]
        assert found.rows[1].holder == "陈晓琳"
        assert found.rows[-1].until is None and found.rows[-1].decision is None
        assert (found.office_days, found.unit_days, found.over) == (6, 8, 1)

    def test_a_resubmitted_document_gets_its_full_limit_again(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first, limit_days=3))
        document = office.submitted()
        assert office.task(first, document).due_at == dt.datetime(2026, 5, 7, 16, tzinfo=dt.UTC)
        clock.move_to(at(5, 7, 17))  # the last hours of the limit
        office.act(first, document, "return", opinion="请补充。")
        clock.move_to(at(6, 1))
        office.submit(document)
        again = office.task(first, document)
        assert again.round == 2
        assert again.due_at == dt.datetime(2026, 6, 4, 16, tzinfo=dt.UTC)

    def test_no_alert_is_raised_while_it_is_with_its_unit(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first, second, quorum="ALL", limit_days=3))
        document = office.submitted()
        office.act(first, document, "return", opinion="请补充。")
        clock.move_to(at(6, 30))  # long past the limit that both had
        alert.scan_reviews()
        session = current_session()
        lit = select(Alert.user_id).where(
            Alert.document_kind == "declaration", Alert.document_id == document, Alert.closed_at.is_(None)
        )
        assert session.scalars(lit).all() == []
        office.submit(document)
        alert.scan_reviews()
        assert session.scalars(lit).all() == [], "the limit has just begun"
        clock.move_to(at(7, 6))
        alert.scan_reviews()
        assert set(session.scalars(lit)) == {first.user_id, second.user_id}

    def test_a_light_that_was_red_goes_out_with_the_return(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first, limit_days=1))
        document = office.submitted()
        clock.move_to(at(5, 8))
        alert.scan_reviews()
        lit = select(Alert.light).where(Alert.document_id == document, Alert.closed_at.is_(None))
        assert current_session().scalars(lit).all() == ["RED"]
        office.act(first, document, "return", opinion="请补充。")
        assert current_session().scalars(lit).all() == []


class TestHolders:
    def test_a_delegate_holds_it_instead_of_who_asked_him(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        asking, delegate = office.people(2)
        publish_flow(step("first", asking, limit_days=5))
        document = office.submitted()
        clock.move_to(at(4, 30))
        office.act(asking, document, "delegate", to_user=delegate.user_id)
        clock.move_to(at(5, 7))
        office.approve(document, delegate)
        clock.move_to(at(5, 8))
        office.approve(document, asking)
        rows = ledger_of(office, document).rows
        assert [(row.holder, row.days) for row in rows] == [
            (asking.name, 1),
            (delegate.name, 2),
            (asking.name, 1),
        ]
        assert [row.decision for row in rows] == [None, Verb.REPLY, Verb.APPROVE]
        assert rows[1].kind is TaskKind.DELEGATED

    def test_while_a_delegate_is_asked_nobody_else_has_it(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        asking, delegate = office.people(2)
        publish_flow(step("first", asking, limit_days=5))
        document = office.submitted()
        clock.move_to(at(4, 30))
        office.act(asking, document, "delegate", to_user=delegate.user_id)
        clock.move_to(at(5, 6))
        open_rows = [row.holder for row in ledger_of(office, document).rows if row.until is None]
        assert open_rows == [delegate.name]

    def test_two_reviewers_at_once_are_counted_once_for_the_office(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        first, second = office.people(2)
        publish_flow(step("both", first, second, quorum="ALL", limit_days=1))
        document = office.submitted()
        clock.move_to(at(4, 30))
        office.approve(document, first)
        clock.move_to(at(5, 7))
        office.approve(document, second)
        found = ledger_of(office, document)
        assert sorted(told(row) for row in found.rows) == [("OFFICE", 1, 0), ("OFFICE", 3, 2)]
        assert found.office_days == 3

    def test_what_was_taken_back_was_meanwhile_with_the_next_one(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        document = office.submitted()
        clock.move_to(at(4, 30))
        office.approve(document, first)
        clock.move_to(at(5, 7))
        office.act(first, document, "take_back")
        clock.move_to(at(5, 8))
        rows = ledger_of(office, document).rows
        assert [(row.holder, row.days, row.until is None) for row in rows] == [
            (first.name, 1, False),
            (second.name, 2, False),
            (first.name, 1, True),
        ]

    def test_a_withdrawn_draft_is_on_nobodys_account(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        document = office.submitted()
        clock.move_to(at(4, 30))
        office.withdraw(document)
        clock.move_to(at(5, 8))
        office.submit(document)
        clock.move_to(at(5, 9, 18))
        office.approve(document, first)
        found = ledger_of(office, document)
        assert (found.office_days, found.unit_days) == (2, 0)
        clock.move_to(at(6, 30))
        assert ledger_of(office, document) == found, "what has ended does not grow"

    def test_an_agent_is_named_beside_whom_he_stood_in_for(
        self, office: Office, clock: time_machine.Coordinates
    ) -> None:
        principal, agent = office.people(2)
        publish_flow(step("first", principal))
        review.appoint(principal, agent.user_id or 0, dt.date(2026, 4, 29), dt.date(2026, 5, 30))
        document = office.submitted()
        office.act(agent, document, "approve", task_of=principal)
        (row,) = ledger_of(office, document).rows
        assert (row.holder, row.agent) == (principal.name, agent.name)


def test_the_ledger_follows_the_documents_own_scope(office: Office) -> None:
    publish_flow(step("first", *office.people(1)))
    document = office.submitted()
    with pytest.raises(NotFound):
        review.ledger(office.stranger(), "declaration", document)


def test_both_sides_together_are_the_whole_way(office: Office, clock: time_machine.Coordinates) -> None:
    """No day since the first submission is lost or counted twice, however often it went to and fro."""
    (first,) = office.people(1)
    publish_flow(step("first", first))
    document = office.submitted()
    for day in (6, 8, 12, 14, 19):
        clock.move_to(at(5, day))
        if office.task(first, document).state is TaskState.OPEN:
            office.act(first, document, "return", opinion="请补充。")
        else:
            office.submit(document)
    clock.move_to(at(5, 21))
    found = ledger_of(office, document)
    assert [row.party for row in found.rows] == [Party.OFFICE, Party.UNIT] * 3
    assert found.office_days + found.unit_days == 14  # 30 April to 21 May


@pytest.mark.parametrize(
    ("gaps", "left"),
    [
        ([], [(0, 10)]),
        ([(2, 4)], [(0, 2), (4, 10)]),
        ([(0, 4)], [(4, 10)]),
        ([(6, 12)], [(0, 6)]),
        ([(2, 5), (4, 6)], [(0, 2), (6, 10)]),
        ([(-3, 20)], []),
        ([(11, 12)], [(0, 10)]),
    ],
)
def test_what_is_left_of_a_stretch(gaps: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    def moment(hours: int) -> dt.datetime:
        return at(5, 11, 0) + dt.timedelta(hours=hours)

    def moments(pairs: list[tuple[int, int]]) -> list[tuple[dt.datetime, dt.datetime]]:
        return [(moment(start), moment(end)) for start, end in pairs]

    assert minus(moments([(0, 10)])[0], moments(gaps)) == moments(left)
