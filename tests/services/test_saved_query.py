"""Saved queries: limits, who is offered which, and that a list and a button agree about it."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.access import policy
from app.core.errors import InvalidInput, NotAllowed, NotFound, StaleVersion
from app.models.log import SystemLog
from app.models.saved_query import SavedQuery, Sharing
from app.services import list_preference, saved_query
from app.services.saved_query import LONGEST_ARGUMENTS, LONGEST_NAME, MOST_OF_A_LIST, Wanted
from tests.factories import make_actor, make_unit

LIST = "ProjectView"


def test_a_list_and_a_button_agree(session: Session) -> None:
    bureau, archive = make_unit(), make_unit()
    owner = make_actor("bureau_reviewer", bureau)
    people = [
        owner,
        make_actor("unit_handler", bureau),
        make_actor("sys_admin", archive),
        make_actor("viewer_stats"),
    ]
    for sharing in Sharing:
        saved_query.create(owner, LIST, Wanted(sharing.value, "year=2026", sharing=sharing))
    rows = session.scalars(select(SavedQuery).options(joinedload(SavedQuery.owner))).all()
    assert len(rows) == 3
    for actor in people:
        for verb in ("read", "edit", "remove"):
            listed = {row.id for row in session.scalars(policy.scoped(actor, SavedQuery, verb))}
            assert listed == {row.id for row in rows if policy.may(actor, verb, row)}, (actor.username, verb)
    offered = [{each.name for each in saved_query.offered(session, actor, LIST)} for actor in people]
    assert offered == [{"MINE", "UNIT", "EVERYONE"}, {"UNIT", "EVERYONE"}, {"EVERYONE"}, {"EVERYONE"}]
    assert all(each.owner for each in saved_query.offered(session, people[1], LIST))


def test_limits_hold_at_their_edge(session: Session) -> None:
    actor = make_actor()
    at = Wanted("名" * LONGEST_NAME, "q=" + "x" * (LONGEST_ARGUMENTS - 2))
    assert saved_query.create(actor, LIST, at).name == at.name
    for above in (Wanted("名" * (LONGEST_NAME + 1), ""), Wanted("长", at.arguments + "x")):
        with pytest.raises(InvalidInput):
            saved_query.create(actor, LIST, above)
    for number in range(MOST_OF_A_LIST - 1):
        saved_query.create(actor, LIST, Wanted(f"{number}", ""))
    with pytest.raises(InvalidInput):
        saved_query.create(actor, LIST, Wanted("一个太多", ""))
    saved_query.create(actor, "AlertView", Wanted("另一列表", ""))


def test_a_query_is_changed_by_its_owner_at_the_version_he_saw(session: Session) -> None:
    owner, other = make_actor("bureau_reviewer"), make_actor("bureau_checker")
    row = saved_query.create(owner, LIST, Wanted("甲", "year=2026", sharing=Sharing.EVERYONE))
    saved_query.update(owner, row.id, 1, Wanted("乙", "year=2027", ("code",), Sharing.UNIT))
    with pytest.raises(StaleVersion):
        saved_query.update(owner, row.id, 1, Wanted("丙", "", ()))
    with pytest.raises(NotFound):
        saved_query.update(other, row.id, 2, Wanted("丁", "", ()))
    saved_query.update(owner, row.id, 2, Wanted("乙", "year=2027", ("code",), Sharing.EVERYONE))
    with pytest.raises(NotAllowed):
        saved_query.update(other, row.id, 3, Wanted("丁", "", ()))
    events = session.scalars(select(SystemLog.event).where(SystemLog.noun == "saved_query")).all()
    assert events == ["SAVED_QUERY_CREATED", "SAVED_QUERY_CHANGED", "SAVED_QUERY_CHANGED"]


def test_a_removed_default_leaves_the_list_as_it_is(session: Session) -> None:
    owner, reader = make_actor("bureau_reviewer"), make_actor("sys_admin")
    row_id = saved_query.create(owner, LIST, Wanted("给大家", "", sharing=Sharing.EVERYONE)).id
    saved_query.open_with(reader, row_id)
    assert list_preference.of(session, reader, LIST).saved_query_id == row_id
    saved_query.remove(reader, row_id)  # whoever may share with everybody may also tidy up
    session.expire_all()
    assert list_preference.of(session, reader, LIST).saved_query_id is None
    assert saved_query.offered(session, owner, LIST) == ()
