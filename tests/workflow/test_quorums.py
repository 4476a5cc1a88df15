"""Steps with several reviewers, as they sit around one table."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Group, Role
from sqlalchemy import select

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.errors import Conflict
from app.core.flow import AssigneeKind, UnitMatch
from app.models.user import AppUser, RoleScope
from app.services.unit_of_work import unit_of_work
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, publish_flow, step


def test_any_one_closes_the_others_and_says_who_was_quicker(office: Office) -> None:
    quick, slow, last = office.people(3)
    publish_flow(step("first", quick, slow), step("last", last))
    declaration = office.submitted()
    office.approve(declaration, quick)
    assert office.open_users(declaration) == {last.user_id}
    with pytest.raises(Conflict) as refused:
        office.approve(declaration, slow)
    assert refused.value.params["who"] == quick.name


def test_all_have_to_approve_and_one_return_is_enough(office: Office) -> None:
    people = office.people(3)
    publish_flow(step("all", *people, quorum="ALL"))
    declaration = office.submitted()
    office.approve(declaration, people[0], people[2])
    assert office.status(declaration) is DocumentStatus.IN_REVIEW
    office.act(people[1], declaration, "return", opinion="预算依据不足")
    assert office.status(declaration) is DocumentStatus.RETURNED
    office.submit(declaration)
    assert office.open_users(declaration) == {person.user_id for person in people}
    office.approve(declaration, *people)
    assert office.status(declaration) is DocumentStatus.APPROVED


def test_two_thirds_are_enough_and_one_rejection_ends_it(office: Office) -> None:
    people = office.people(3)
    publish_flow(step("share", *people, quorum="SHARE", share_percent=66))
    declaration = office.submitted()
    office.approve(declaration, *people[:2])
    assert office.status(declaration) is DocumentStatus.APPROVED
    other = office.submitted()
    office.approve(other, people[0])
    office.act(people[1], other, "reject", opinion="不符合规划")
    assert office.status(other) is DocumentStatus.REJECTED
    assert not office.open_users(other)


def test_in_sequence_each_one_only_when_it_is_his_turn(office: Office) -> None:
    people = office.people(3)
    publish_flow(step("one by one", *people, quorum="SEQUENCE", limit_days=3))
    declaration = office.submitted()
    with pytest.raises(Conflict):
        office.approve(declaration, people[1])
    assert office.task(people[1], declaration).due_at is None
    for person in people:
        assert office.open_users(declaration) == {person.user_id}
        assert office.task(person, declaration).due_at is not None
        office.approve(declaration, person)
    assert office.status(declaration) is DocumentStatus.APPROVED


def test_the_head_of_the_documents_unit_and_no_other(office: Office) -> None:
    head = make_actor("unit_leader", office.unit)
    make_actor("unit_leader", make_unit(parent=office.unit))
    make_actor("unit_leader")
    publish_flow(step("leader", assignee_kind=AssigneeKind.UNIT_HEAD))
    assert office.open_users(office.submitted()) == {head.user_id}


def test_holders_of_a_role_through_a_group_too_and_none_of_a_role_switched_off(office: Office) -> None:
    own, through_group = make_actor("expert"), make_actor("unit_handler")
    with unit_of_work(SYSTEM) as session:
        role = session.scalars(select(Role).where(Role.name == "expert")).one()
        member = session.get(AppUser, through_group.user_id)
        session.add(Group(name="专家组", label="专家组", description="", users=[member], roles=[role]))
    publish_flow(step("experts", assignee_kind=AssigneeKind.ROLE, role_name="expert"))
    assert office.open_users(office.submitted()) == {own.user_id, through_group.user_id}
    with unit_of_work(SYSTEM) as session:
        scope = session.scalars(select(RoleScope).where(RoleScope.role_id == role.id)).one()
        scope.enabled = False
    with pytest.raises(Conflict, match="has no reviewer"):
        office.submit(office.draft())


@pytest.mark.parametrize(
    ("match", "expected"), [(UnitMatch.ANY, "abc"), (UnitMatch.SAME, "b"), (UnitMatch.SAME_OR_ABOVE, "ab")]
)
def test_reviewers_whose_unit_has_to_match_the_documents(
    office: Office, match: UnitMatch, expected: str
) -> None:
    parent = make_unit()
    with_parent = make_unit(parent=parent)
    office.unit, office.handler = with_parent, make_actor("unit_handler", with_parent)
    people = {"a": parent, "b": with_parent, "c": make_unit(parent=with_parent)}
    actors = {name: make_actor("bureau_checker", unit) for name, unit in people.items()}
    publish_flow(step("matched", *actors.values(), unit_match=match))
    assert office.open_users(office.submitted()) == {actors[name].user_id for name in expected}
