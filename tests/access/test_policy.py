"""The policy table: complete, closed by default, and with one answer for a button and a list."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import Session, joinedload

from app.access import policy, rules_task
from app.access.actor import SYSTEM, Actor, ScopeGrant
from app.access.roles import DEFAULT_ROLES
from app.core.enums import ConstructionStatus, DataScope, DocumentStatus, Stage
from app.core.errors import Conflict, NotAllowed, NotFound, StaleVersion
from app.extensions import Model
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.unit import Unit
from app.models.user import AppUser
from app.services.unit_of_work import unit_of_work
from tests.conftest import Standing
from tests.factories import actor_of, make_unit, make_user

_numbers = itertools.count(1)


def _declaration(unit: Unit, author: AppUser, status: DocumentStatus) -> Declaration:
    return Declaration(
        code=f"SB2027-{next(_numbers):05d}",
        unit_id=unit.id,
        created_by_id=author.id,
        status=status,
        budget_year=2027,
        title="视频专网安全加固",
    )


def _project(unit: Unit) -> Project:
    return Project(
        code=f"KP2027XJ{next(_numbers):04d}",
        title="视频专网安全加固",
        budget_year=2027,
        unit_id=unit.id,
        nature="NEW",
        declaration_type="NEW",
        stage=Stage.DECLARED,
        construction_status=ConstructionStatus.DECLARING,
        requested_amount=Decimal("999999.99"),
    )


class Town:
    """Two bureaus, one with a brigade below it; an author in each; rows of every kind and state."""

    def __init__(self) -> None:
        self.bureau = make_unit("市公安局")
        self.brigade = make_unit("市交警大队", parent=self.bureau)
        self.other = make_unit("市教育局")
        self.units = [self.bureau, self.brigade, self.other]
        self.authors = [make_user("unit_handler", unit) for unit in self.units]
        with unit_of_work(SYSTEM) as work:
            for unit, author in zip(self.units, self.authors, strict=True):
                work.add_all(_declaration(unit, author, status) for status in DocumentStatus)
                project = _project(unit)
                work.add(project)
                work.flush()
                work.add(
                    AnnualPlan(
                        year=2027,
                        project_id=project.id,
                        unit_id=unit.id,
                        requested_amount=project.requested_amount,
                    )
                )


@pytest.fixture(scope="module")
def settled(standing: Standing) -> Town:
    """The town as every test finds it."""
    with standing():
        return Town()


@pytest.fixture
def town(settled: Town, session: Session) -> Town:
    return settled


def test_every_table_has_its_row_in_the_policy(session: Session) -> None:
    ours = {mapper.class_ for mapper in Model.registry.mappers if mapper.class_.__module__.startswith("app.")}
    assert ours - set(policy.POLICY) == set()


def test_every_grant_of_a_default_role_is_a_verb_that_exists() -> None:
    known = {
        f"{entry.noun}.{verb}"
        for entry in policy.POLICY.values()
        if isinstance(entry, policy.Policy)
        for verb in entry.verbs
    }
    figures = {"statistics.read", "statistics.export"}
    granted = {grant for role in DEFAULT_ROLES for grant in role.grants}
    assert granted - known - figures == set()


def test_an_unknown_verb_or_table_is_nobodys(town: Town, session: Session) -> None:
    declaration = session.scalars(select(Declaration)).first()
    assert not policy.may(SYSTEM, "sell", declaration)
    assert session.scalars(policy.scoped(SYSTEM, Declaration, "sell")).all() == []


def _row_options(model: type[Any]) -> list[Any]:
    return [joinedload(model.unit)] if "unit" in inspect(model).relationships else []


def assert_one_answer(session: Session, actor: Actor, model: type[Any], verbs: Iterable[str]) -> None:
    """The rows a list shows are exactly those a button accepts."""
    rows = session.scalars(select(model).options(*_row_options(model))).unique().all()
    for verb in verbs:
        listed = {row.id for row in session.scalars(policy.scoped(actor, model, verb)).unique()}
        accepted = {row.id for row in rows if policy.may(actor, verb, row)}
        assert listed == accepted, f"{model.__name__}.{verb}"


@pytest.mark.parametrize("role", [role.name for role in DEFAULT_ROLES])
def test_lists_and_buttons_agree_for_every_role_and_verb(town: Town, session: Session, role: str) -> None:
    actor = actor_of(make_user(role, town.bureau))
    for model, entry in policy.POLICY.items():
        if isinstance(entry, policy.Policy) and hasattr(model, "id"):
            assert_one_answer(session, actor, model, entry.verbs)


_SCOPES = st.frozensets(st.sampled_from(list(DataScope)), max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["read", "edit", "submit", "export"]), _SCOPES),
    st.integers(0, 2),
    st.data(),
)
def test_lists_and_buttons_agree_whatever_the_scopes(
    town: Town, session: Session, granted: dict[str, frozenset[DataScope]], place: int, data: st.DataObject
) -> None:
    chosen = data.draw(st.frozensets(st.sampled_from([unit.id for unit in town.units])))
    base = actor_of(town.authors[place])
    grants = {
        f"{noun}.{verb}": frozenset(
            ScopeGrant(scope, chosen if scope is DataScope.CHOSEN_UNITS else frozenset()) for scope in scopes
        )
        for verb, scopes in granted.items()
        for noun in ("declaration", "project")
    }
    actor = replace(base, grants=grants)
    for model in (Declaration, Project):
        assert_one_answer(session, actor, model, ("read", "edit", "submit", "withdraw", "recycle", "export"))


def test_no_grant_no_rows(town: Town, session: Session) -> None:
    actor = replace(actor_of(town.authors[0]), grants={})
    assert session.scalars(policy.scoped(actor, Declaration)).all() == []


def test_below_means_below_and_not_beside(town: Town, session: Session) -> None:
    seen = {row.unit_id for row in session.scalars(policy.scoped(actor_of(town.authors[0]), Declaration))}
    assert seen == {town.bureau.id, town.brigade.id}


def test_the_brigade_does_not_see_the_bureau(town: Town, session: Session) -> None:
    seen = {row.unit_id for row in session.scalars(policy.scoped(actor_of(town.authors[1]), Declaration))}
    assert seen == {town.brigade.id}


def test_a_reviewer_does_not_see_what_no_unit_has_submitted(town: Town, session: Session) -> None:
    reviewer = actor_of(make_user("bureau_reviewer"))
    seen = {row.status for row in session.scalars(policy.scoped(reviewer, Declaration))}
    assert seen == set(DocumentStatus) - {DocumentStatus.DRAFT, DocumentStatus.RECYCLED}


@pytest.mark.parametrize("role", [role.name for role in DEFAULT_ROLES])
def test_an_approved_declaration_is_written_by_nobody_not_even_the_administrator(
    town: Town, session: Session, role: str
) -> None:
    actor = actor_of(make_user(role, town.bureau))
    statement = select(Declaration).where(
        Declaration.status == DocumentStatus.APPROVED, Declaration.unit_id == town.bureau.id
    )
    declaration = session.scalars(statement.options(joinedload(Declaration.unit))).one()
    for verb in ("edit", "submit", "withdraw", "recycle", "restore", "purge", "amend"):
        assert not policy.may(actor, verb, declaration)


class TestLoading:
    """One row through the actor's scope."""

    def _of(self, session: Session, unit: Unit, status: DocumentStatus) -> Declaration:
        statement = select(Declaration).where(Declaration.unit_id == unit.id, Declaration.status == status)
        return session.scalars(statement).one()

    def test_another_units_row_is_not_found_rather_than_forbidden(self, town: Town, session: Session) -> None:
        foreign = self._of(session, town.other, DocumentStatus.DRAFT)
        with pytest.raises(NotFound):
            policy.load(session, actor_of(town.authors[0]), Declaration, foreign.id)

    def test_a_verb_the_state_forbids_is_a_conflict_that_names_the_state(
        self, town: Town, session: Session
    ) -> None:
        ended = self._of(session, town.bureau, DocumentStatus.APPROVED)
        with pytest.raises(Conflict) as refused:
            policy.load(session, actor_of(town.authors[0]), Declaration, ended.id, verb="edit")
        assert refused.value.params["status"] is DocumentStatus.APPROVED

    def test_a_verb_no_role_holds_is_not_allowed(self, town: Town, session: Session) -> None:
        leader = actor_of(make_user("unit_leader", town.bureau))
        returned = self._of(session, town.bureau, DocumentStatus.RETURNED)
        with pytest.raises(NotAllowed):
            policy.load(session, leader, Declaration, returned.id, verb="edit")

    @pytest.mark.parametrize("version", [0, 2])
    def test_any_other_version_than_the_present_one_is_stale(
        self, town: Town, session: Session, version: int
    ) -> None:
        draft = self._of(session, town.bureau, DocumentStatus.DRAFT)
        with pytest.raises(StaleVersion):
            policy.load(
                session, actor_of(town.authors[0]), Declaration, draft.id, verb="edit", version=version
            )

    def test_the_present_version_loads(self, town: Town, session: Session) -> None:
        draft = self._of(session, town.bureau, DocumentStatus.DRAFT)
        assert (
            policy.load(session, actor_of(town.authors[0]), Declaration, draft.id, verb="edit", version=1)
            is draft
        )


def test_the_authors_own_rows_alone(town: Town, session: Session) -> None:
    grants = {"declaration.read": frozenset({ScopeGrant(DataScope.OWN)})}
    actor = replace(actor_of(town.authors[2]), grants=grants)
    authors = {row.created_by_id for row in session.scalars(policy.scoped(actor, Declaration))}
    assert authors == {town.authors[2].id}


def test_a_row_stamps_its_author_and_its_day(town: Town, session: Session) -> None:
    handler = actor_of(town.authors[0])
    with unit_of_work(handler) as work:
        row = Declaration(code="SB2027-99999", unit_id=town.bureau.id, budget_year=2027)
        work.add(row)
    assert row.created_by_id == handler.user_id
    assert dt.datetime.now(dt.UTC) - row.created_at < dt.timedelta(minutes=1)


def test_nothing_is_written_outside_a_unit_of_work(session: Session, town: Town) -> None:
    session.add(_project(town.bureau))
    with pytest.raises(RuntimeError, match="unit of work"):
        session.flush()
    session.rollback()


def every_verb() -> Iterator[tuple[type[Any], str]]:
    """Every model with every verb that the policy knows."""
    for model, entry in policy.POLICY.items():
        if isinstance(entry, policy.Policy):
            yield from ((model, verb) for verb in entry.verbs)


def sql(condition: ColumnElement[bool]) -> tuple[str, dict[str, Any]]:
    """What is asked of the database: the text and every value in it."""
    compiled = condition.compile()
    return str(compiled), dict(compiled.params)


def kept(actor: Actor) -> list[tuple[str, dict[str, Any]]]:
    """What the policy gives for every model and verb."""
    return [sql(policy.criterion(actor, model, verb)) for model, verb in every_verb()]


def built(actor: Actor) -> list[tuple[str, dict[str, Any]]]:
    """The same, built anew by the rules for this very actor."""
    return [sql(policy.rule(model, verb).criterion(actor)) for model, verb in every_verb()]


def _grants(*scopes: ScopeGrant) -> dict[str, frozenset[ScopeGrant]]:
    """Every grant there is, each within all these scopes."""
    entries = [entry for entry in policy.POLICY.values() if isinstance(entry, policy.Policy)]
    verbs = {verb for entry in entries for verb in entry.verbs}
    return {f"{entry.noun}.{verb}": frozenset(scopes) for entry in entries for verb in verbs}


_NARROW = (
    ScopeGrant(DataScope.UNIT_TREE),
    ScopeGrant(DataScope.UNIT),
    ScopeGrant(DataScope.OWN),
    ScopeGrant(DataScope.ASSIGNED),
)
_SOMEBODY = Actor(
    user_id=71,
    username="liang",
    name="梁志明",
    unit_id=31,
    unit_path="/1/31/",
    roles=frozenset({"unit_handler"}),
    grants=_grants(*_NARROW, ScopeGrant(DataScope.CHOSEN_UNITS, frozenset({5, 6}))),
    address="192.0.2.1",
)


@pytest.fixture(scope="module")
def his() -> list[tuple[str, dict[str, Any]]]:
    """What the rules build for somebody."""
    return built(_SOMEBODY)


@pytest.mark.any_database
class TestKeptCriteria:
    """A condition is built once for all who ask alike: nobody may ever be given another one's."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("user_id", 72),
            ("user_id", None),
            ("unit_id", 32),
            ("unit_path", "/1/32/"),
            ("is_system", True),
            ("grants", _grants(*_NARROW)),
            ("grants", _grants(*_NARROW, ScopeGrant(DataScope.CHOSEN_UNITS, frozenset({5, 7})))),
            ("grants", {name: scopes for name, scopes in _SOMEBODY.grants.items() if name != "task.act"}),
        ],
    )
    def test_whoever_differs_in_anything_that_counts_gets_his_own(
        self, his: list[tuple[str, dict[str, Any]]], field: str, value: Any
    ) -> None:
        other = replace(_SOMEBODY, **{field: value})
        first = [policy.criterion(_SOMEBODY, model, verb) for model, verb in every_verb()]
        asked = built(other)
        assert kept(other) == asked
        assert [sql(condition) for condition in first] == his
        assert asked != his, "this difference would prove nothing"

    @pytest.mark.parametrize(
        "change", [{"username": "wu"}, {"name": "吴"}, {"roles": frozenset({"sys_admin"})}, {"address": ""}]
    )
    def test_who_is_called_otherwise_sees_the_same(
        self, his: list[tuple[str, dict[str, Any]]], change: dict[str, Any]
    ) -> None:
        other = replace(_SOMEBODY, **change)
        assert other.reach == _SOMEBODY.reach
        assert built(other) == his

    def test_no_other_field_of_an_actor_is_left_out(self) -> None:
        named = {"username", "name", "roles", "address", "reach"}
        assert {*Actor.__slots__} - named == {*_SOMEBODY.reach._fields}

    def test_an_agents_day_begins_at_midnight_in_china(self, monkeypatch: pytest.MonkeyPatch) -> None:
        midnight = dt.datetime(2027, 3, 1, 16, tzinfo=dt.UTC)
        seen = []
        for moment in (midnight - dt.timedelta(seconds=1), midnight):
            monkeypatch.setattr(rules_task, "utcnow", lambda moment=moment: moment)
            seen.append(kept(_SOMEBODY))
            assert seen[-1] == built(_SOMEBODY)
        assert seen[0] != seen[1]

    def test_it_is_built_once(self) -> None:
        again = replace(_SOMEBODY, name="梁志明（代）")
        for model, verb in every_verb():
            assert policy.criterion(_SOMEBODY, model, verb) is policy.criterion(again, model, verb)
