"""Parameters: the value in force on a day, what may be entered, who may enter it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.core.errors import InvalidInput, NotAllowed
from app.models.dictionary import RuleParameter
from app.models.log import SystemLog
from app.services import parameter
from tests.factories import make_actor

THRESHOLD = "third_party.threshold"


def test_the_requirements_threshold_is_one_million_yuan_and_says_where_it_comes_from(
    session: Session,
) -> None:
    assert parameter.decimal_of(session, THRESHOLD) == Decimal("1000000.00")
    row = session.scalars(select(RuleParameter).where(RuleParameter.key == THRESHOLD)).one()
    assert (row.unit, row.source, row.article) == ("元", "采购需求", "专家论证")


def test_every_declared_default_can_be_entered_and_is_seeded_once(session: Session) -> None:
    assert [p.key for p in parameter.PARAMETERS if parameter.problem_with(p.key, p.value)] == []
    assert parameter.seed_parameters(session) == 0
    rows = session.scalar(select(func.count()).select_from(RuleParameter))
    assert rows == len(parameter.PARAMETERS) == len(parameter.all_values(session))


def test_a_new_threshold_holds_from_its_day_and_not_before(session: Session) -> None:
    admin = make_actor("sys_admin")

    parameter.change(admin, THRESHOLD, "800000.00", dt.date(2027, 1, 1))

    assert parameter.decimal_of(session, THRESHOLD, dt.date(2026, 12, 31)) == 1_000_000
    assert parameter.decimal_of(session, THRESHOLD, dt.date(2027, 1, 1)) == 800_000
    entry = session.scalars(select(SystemLog).where(SystemLog.event == "PARAMETER_CHANGED")).one()
    assert entry.user_id == admin.user_id
    assert "1000000.00 -> 800000.00" in entry.summary


def test_the_same_day_entered_again_replaces_the_value(session: Session) -> None:
    admin = make_actor("sys_admin")
    day = dt.date(2027, 1, 1)

    parameter.change(admin, THRESHOLD, "800000", day)
    parameter.change(admin, THRESHOLD, "900000", day)

    assert parameter.decimal_of(session, THRESHOLD, day) == 900_000


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (THRESHOLD, "10万"),
        (THRESHOLD, "1000.005"),
        (THRESHOLD, "-1"),
        ("login.max_failures", "2"),
        ("login.max_failures", "21"),
        ("login.max_failures", "5.5"),
        ("log.keep_days", "179"),
        ("review.resubmit_target", "SOMEWHERE"),
        ("attachment.types", "pdf,exe"),
        ("access.handler_sub_units", "perhaps"),
        ("declaration.window_end", "02-30"),
        ("declaration.window_end", "W01-1"),
        ("declaration.window_end", "9-30"),
        ("attachment.types", "pdf," * 60),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_beside_its_field(
    session: Session, key: str, text: str
) -> None:
    before = parameter.value(session, key)

    with pytest.raises(InvalidInput) as refused:
        parameter.change(make_actor("sys_admin"), key, text, dt.date(2027, 1, 1))

    assert list(refused.value.fields) == ["value"]
    assert parameter.value(session, key, dt.date(2027, 1, 2)) == before


def test_only_those_who_keep_parameters_change_them(session: Session) -> None:
    with pytest.raises(NotAllowed):
        parameter.change(make_actor("bureau_leader"), THRESHOLD, "1", dt.date(2027, 1, 1))
    with pytest.raises(InvalidInput):
        parameter.change(make_actor("sys_admin"), "no.such", "1", dt.date(2027, 1, 1))


def test_values_are_read_as_what_they_are(session: Session) -> None:
    assert parameter.int_of(session, "session.idle_minutes") == 30
    assert parameter.bool_of(session, "access.handler_sub_units") is True
    assert "ofd" in parameter.list_of(session, "attachment.types")
    assert parameter.list_of(session, "declaration.required.simple") == ()
    with pytest.raises(KeyError):
        parameter.value(session, "no.such")


def test_a_request_reads_the_table_once_however_many_values_it_asks_for(session: Session) -> None:
    statements: list[str] = []
    session.rollback()

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    try:
        parameter.all_values(session)
        parameter.int_of(session, "login.lock_minutes")
    finally:
        event.remove(engine, "before_cursor_execute", count)

    assert len([statement for statement in statements if "rule_parameter" in statement]) == 1
