"""Agents: who may be named and why not; acting for somebody never loosens the separation of duty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import LogLevel
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.models.flow import AgentAppointment
from app.models.log import SystemLog
from app.models.message import OutboxMessage
from app.services import review
from app.services.unit_of_work import current_session
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step

TODAY = dt.date(2026, 4, 29)
_NINE = dt.datetime(2026, 4, 29, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def office(session: Session) -> Iterator[Office]:
    with declarations_for_tests() as outcomes, time_machine.travel(_NINE, tick=True):
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)


def named(principal: Actor, agent: Actor, first: int = 0, last: int = 5) -> AgentAppointment:
    """An appointment by days from today."""
    return review.appoint(principal, agent.user_id or 0, *(TODAY + dt.timedelta(n) for n in (first, last)))


class TestRings:
    def test_of_two_is_refused_with_the_names_and_days(self, office: Office) -> None:
        one, two = office.people(2)
        named(one, two, 0, 5)
        with pytest.raises(Conflict) as refused:
            named(two, one, 3, 9)
        said = refused.value.params
        assert (said["agent"], said["principal"]) == (one.name, two.name)
        assert said["links"] == f"{one.name} → {two.name} (2026-04-29 – 2026-05-04)"
        assert (said["from"], said["to"]) == ("2026-05-02", "2026-05-04")

    def test_of_four_is_refused_with_every_link(self, office: Office) -> None:
        one, two, three, four = office.people(4)
        named(one, two)
        named(two, three)
        named(three, four)
        with pytest.raises(Conflict) as refused:
            named(four, one, 5, 5)
        assert str(refused.value.params["links"]).count("→") == 3
        assert refused.value.params["from"] == refused.value.params["to"] == "2026-05-04"

    def test_is_none_when_the_days_never_meet(self, office: Office) -> None:
        one, two, three = office.people(3)
        named(one, two, 0, 2)
        named(two, one, 3, 5)
        # Each of these overlaps the new one, but no day has all three.
        named(two, three, 6, 8)
        named(three, one, 9, 11)
        assert named(one, two, 6, 11).principal_id == one.user_id

    def test_is_none_once_a_link_was_revoked(self, office: Office) -> None:
        one, two = office.people(2)
        review.revoke(one, named(one, two).id)
        assert named(two, one).principal_id == two.user_id


class TestNaming:
    def test_a_second_one_for_the_same_days_is_refused_naming_the_first(self, office: Office) -> None:
        one, two, three = office.people(3)
        named(one, two, 2, 4)
        for first, last in ((4, 9), (0, 2), (3, 3), (0, 9)):
            with pytest.raises(Conflict) as refused:
                named(one, three, first, last)
            assert refused.value.params["agent"] == two.name
            assert refused.value.params["from"] == "2026-05-01"
        named(one, three, 5, 9)
        named(one, three, 0, 1)

    def test_only_somebody_who_reviews_and_is_still_there(self, office: Office) -> None:
        (one,) = office.people(1)
        for unfit in (
            office.person("viewer_stats"),
            office.person(active=False),
            one,
        ):
            with pytest.raises(InvalidInput) as refused:
                named(one, unfit)
            assert "agent_id" in refused.value.fields

    def test_both_days_count_and_the_agent_is_told(self, office: Office) -> None:
        one, two = office.people(2)
        publish_flow(step("first", one))
        office.submitted()
        named(one, two, 1, 2)
        told = current_session().scalars(select(OutboxMessage).where(OutboxMessage.template == "agent_named"))
        assert [message.recipient_id for message in told] == [two.user_id]
        waiting = []
        for day in range(4):
            with time_machine.travel(_NINE + dt.timedelta(day)):
                waiting.append(review.todo_count(two))
        assert waiting == [0, 1, 1, 0]


class TestForTheAbsent:
    def test_an_administrator_names_one_and_it_is_in_the_log(self, office: Office) -> None:
        one, two = office.people(2)
        admin = office.person("sys_admin")
        appointment = review.appoint(admin, two.user_id or 0, TODAY, TODAY, principal_id=one.user_id)
        assert (appointment.principal_id, appointment.created_by_id) == (one.user_id, admin.user_id)
        entry = current_session().scalars(select(SystemLog).where(SystemLog.event == "AGENT_NAMED")).one()
        assert (entry.level, entry.user_id) == (LogLevel.WARNING, admin.user_id)
        assert one.name in entry.summary and two.name in entry.summary
        told = current_session().scalars(
            select(OutboxMessage.recipient_id).where(OutboxMessage.template == "agent_named")
        )
        assert set(told) == {one.user_id, two.user_id}
        assert appointment in review.others_appointments(admin)
        review.revoke(admin, appointment.id)
        assert appointment not in review.others_appointments(admin)

    def test_a_colleague_may_not(self, office: Office) -> None:
        one, two, three = office.people(3)
        with pytest.raises(NotFound):
            review.appoint(three, two.user_id or 0, TODAY, TODAY, principal_id=one.user_id)
        appointment = named(one, two)
        with pytest.raises(NotFound):
            review.revoke(three, appointment.id)
        with pytest.raises(NotAllowed):
            review.revoke(two, appointment.id)
        assert review.others_appointments(three) == []

    def test_nor_for_somebody_who_has_left(self, office: Office) -> None:
        with pytest.raises(NotFound):
            review.appoint(
                office.person("sys_admin"),
                office.people(1)[0].user_id or 0,
                TODAY,
                TODAY,
                principal_id=office.person(active=False).user_id,
            )


class TestSeparationOfDuty:
    def test_who_submitted_does_nothing_with_it_as_an_agent(self, office: Office) -> None:
        one, other = office.people(2)
        publish_flow(step("first", one))
        declaration = office.submitted()
        named(one, office.handler)
        for verb in ("approve", "return", "reject", "transfer", "delegate", "add_signer", "copy_to"):
            with pytest.raises(NotAllowed, match="You submitted"):
                office.act(
                    office.handler, declaration, verb, task_of=one, to_user=other.user_id, opinion="同意"
                )
        with pytest.raises(NotAllowed, match="You submitted"):
            office.act(office.handler, declaration, "save_opinion", task_of=one, opinion="同意")
        assert office.verbs(declaration) == ["submit"]

    def test_who_submitted_before_a_withdrawal_does_not_review_afterwards(self, office: Office) -> None:
        second = office.person("unit_handler,bureau_checker")
        publish_flow(step("first", second, office.people(1)[0]))
        declaration = office.draft()
        office.submit(declaration, second)
        review.withdraw(second, "declaration", declaration, version=office.document(declaration).version)
        office.submit(declaration)
        assert office.open_users(declaration) == {office.people(1)[0].user_id}

    def test_who_has_reviewed_it_does_not_submit_it_again(self, office: Office) -> None:
        leader, last = office.person("unit_handler,unit_leader"), office.people(1)[0]
        publish_flow(step("leader", leader), step("last", last))
        declaration = office.submitted()
        office.approve(declaration, leader)
        office.act(last, declaration, "return", opinion="请补充")
        with pytest.raises(Conflict, match="somebody else of your unit"):
            office.submit(declaration, leader)
        office.submit(declaration)
        assert office.at(declaration) == "leader"

    def test_who_brought_in_a_signer_does_not_submit_it_again(self, office: Office) -> None:
        """He decided nothing, but he took a reviewer's part."""
        leader, (last, signer) = office.person("unit_handler,unit_leader"), office.people(2)
        publish_flow(step("leader", leader, last, quorum="SEQUENCE"))
        declaration = office.submitted()
        office.act(leader, declaration, "add_signer", to_user=signer.user_id, position="BEFORE")
        office.act(signer, declaration, "return", opinion="请补充")
        with pytest.raises(Conflict, match="somebody else of your unit"):
            office.submit(declaration, leader)
        office.submit(declaration)

    def test_an_agent_who_acted_hands_the_second_task_on(self, office: Office) -> None:
        absent, agent, third = office.people(3)
        publish_flow(step("all", absent, agent, quorum="ALL"))
        declaration = office.submitted()
        named(absent, agent)
        office.act(agent, declaration, "approve", task_of=absent)
        with pytest.raises(Conflict, match="already reviewed"):
            office.approve(declaration, agent)
        with pytest.raises(InvalidInput):
            office.act(agent, declaration, "transfer", to_user=absent.user_id)
        office.act(agent, declaration, "transfer", to_user=third.user_id)
        office.approve(declaration, third)
        assert office.status(declaration) == "APPROVED"
