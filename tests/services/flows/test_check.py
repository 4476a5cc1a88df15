"""The check: each finding just below, at and above the point where it begins."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Group, Role
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.errors import Conflict, InvalidInput, StaleVersion
from app.models.dictionary import RuleParameter
from app.models.user import AppUser, RoleScope
from app.services import review
from app.services.review.flows.staffing import Obstacle, first_stop
from app.services.unit_of_work import unit_of_work
from tests.factories import make_actor, make_unit, make_user
from tests.services.flows.support import draft, errors, findings, published, step, warnings, when, write


@pytest.fixture
def admin(session: Session) -> Actor:
    return make_actor("sys_admin")


@pytest.fixture
def unit_people(session: Session) -> list[AppUser]:
    """A unit with two handlers, so that declarations are submitted somewhere."""
    unit = make_unit()
    return [make_user("unit_handler", unit), make_user("unit_handler", unit)]


@pytest.fixture
def people(session: Session, unit_people: list[AppUser]) -> list[str]:
    """The user names of four reviewers of the bureau."""
    bureau = make_unit()
    return [make_user("bureau_checker", bureau).username for _ in range(4)]


AMOUNT = "requested_amount"
FROM_BUDGET = when("funding_channels", "IN", ["GENERAL_BUDGET"])


class TestWhole:
    def test_a_sound_flow_has_no_findings_but_its_likeness(self, admin: Actor, people: list[str]) -> None:
        assert errors(admin, step("one", people[0]), step("two", people[1])) == []
        assert warnings(admin, step("one", people[0]), step("two", people[1])) == [
            (
                None,
                "The step “First review” (code first_review) is gone: the declaration summary would show a "
                "project only once it is approved.",
            )
        ]

    def test_no_step(self, admin: Actor) -> None:
        assert errors(admin) == [(None, "A flow needs at least one step.")]

    def test_nobody_may_return_or_reject(self, admin: Actor, people: list[str]) -> None:
        closed = {"may_return_applicant": False, "may_reject": False}
        text = "No step may return or reject a document, so every document would have to be approved."
        assert (None, text) in warnings(admin, step("one", people[0], **closed))
        assert (None, text) not in warnings(admin, step("one", people[0], **{**closed, "may_reject": True}))

    def test_a_copy_of_the_published_version_says_so(self, admin: Actor) -> None:
        copy = review.draft_of(admin, published().id)
        found = [one.problem.message for one in findings(admin, copy)]
        assert "Nothing differs from the published version %(version)s." in found

    @pytest.mark.parametrize(
        ("conditions", "gap"),
        [
            ([[when(AMOUNT, "GE", "1000000")]], True),
            ([[when(AMOUNT, "GE", "1000000")], [when(AMOUNT, "LT", "1000000")]], False),
            ([[when(AMOUNT, "GE", "1000000")], [when(AMOUNT, "LE", "999999.99")]], False),
            ([[when(AMOUNT, "GT", "1000000")], [when(AMOUNT, "LT", "1000000")]], True),
            ([[when("nature", "IN", ["NEW"])], [when("nature", "NOT_IN", ["NEW"])]], False),
            ([[when("nature", "IN", ["NEW"])], [when("nature", "IN", ["OPERATION"])]], True),
            ([[when("crypto_required", "EQ", True)], [when("crypto_required", "EQ", False)]], True),
            ([[when("crypto_required", "EQ", True)], [when("crypto_required", "NE", True)]], False),
            # total investment need not be given at all
            ([[when("total_investment", "GE", "1")], [when("total_investment", "LT", "1")]], True),
            ([[when("funding_channels", "IN", ["GENERAL_BUDGET"])], [when("nature", "NE", "NEW")]], True),
        ],
    )
    def test_documents_that_nobody_would_review(
        self, admin: Actor, people: list[str], conditions: list[list[dict[str, Any]]], gap: bool
    ) -> None:
        steps = [step(f"s{at}", people[at], conditions=rows) for at, rows in enumerate(conditions)]
        messages = [text for _, text in errors(admin, *steps)]
        assert any(text.startswith("No step has to review every document") for text in messages) is gap
        assert len(messages) == gap

    def test_the_gap_is_shown_by_an_example(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("big", people[0], conditions=[when(AMOUNT, "GE", "1000000")]))
        (finding,) = [one for one in findings(admin, made) if one.severity is review.Severity.ERROR]
        assert "999,999.99" in str(finding.problem.params["values"])

    def test_only_skippable_steps(self, admin: Actor, people: list[str]) -> None:
        told = errors(admin, step("one", people[0], optional=True))
        assert [text.split(",")[0] for _, text in told] == ["Every step may be skipped"]
        assert errors(admin, step("one", people[0], optional=True), step("two", people[1])) == []


class TestConditions:
    @pytest.mark.parametrize(
        ("rows", "clash"),
        [
            ([when(AMOUNT, "GE", "1000000"), when(AMOUNT, "LT", "500000")], True),
            ([when(AMOUNT, "GE", "1000000"), when(AMOUNT, "LT", "1000000")], True),
            ([when(AMOUNT, "GE", "1000000"), when(AMOUNT, "LE", "1000000")], False),
            ([when(AMOUNT, "GT", "1000000"), when(AMOUNT, "LT", "1000000.01")], True),
            ([when(AMOUNT, "GT", "1000000"), when(AMOUNT, "LT", "1000000.02")], False),
            ([when(AMOUNT, "LT", "0")], True),
            ([when("budget_year", "GT", "2026"), when("budget_year", "LT", "2027")], True),
            ([when("nature", "IN", ["NEW"]), when("nature", "NE", "NEW")], True),
            ([when("nature", "IN", ["NEW", "OPERATION"]), when("nature", "NE", "NEW")], False),
            ([FROM_BUDGET, when("funding_channels", "IN", ["SUPERIOR_GRANT"])], False),
            ([FROM_BUDGET, when("funding_channels", "NOT_IN", ["GENERAL_BUDGET"])], True),
        ],
    )
    def test_rows_that_exclude_each_other(
        self, admin: Actor, people: list[str], rows: list[dict[str, Any]], clash: bool
    ) -> None:
        told = errors(admin, step("all", people[0]), step("some", people[1], conditions=rows))
        assert [(seq, "exclude each other" in text) for seq, text in told] == ([(2, True)] if clash else [])

    def test_units_exclude_each_other_only_outside_their_tree(self, admin: Actor, people: list[str]) -> None:
        above = make_unit()
        below, other = make_unit(parent=above), make_unit()

        def clash(*codes: tuple[str, str]) -> bool:
            rows = [when("unit", operator, code) for operator, code in codes]
            return bool(errors(admin, step("all", people[0]), step("x", people[1], conditions=rows)))

        assert not clash(("UNDER", above.code), ("EQ", below.code))
        assert clash(("UNDER", above.code), ("EQ", other.code))
        assert clash(("EQ", above.code), ("NE", above.code))

    def test_an_entry_out_of_use_is_only_warned_of(self, admin: Actor, people: list[str]) -> None:
        unit = make_unit(active=False)
        rows = [when("unit", "EQ", unit.code)]
        steps = step("all", people[0]), step("x", people[1], conditions=rows)
        assert errors(admin, *steps) == []
        assert (2, "A condition of the step “%(step)s” names an entry that is no longer in use.") in warnings(
            admin, *steps
        )


class TestPeople:
    def reason(self, admin: Actor, **fields: Any) -> list[str]:
        return [text.partition(": ")[2] for _, text in errors(admin, step("x", **fields))]

    def test_named_users(self, admin: Actor, people: list[str]) -> None:
        gone, other_gone = (make_user("bureau_checker", active=False).username for _ in range(2))
        clerk = make_user("viewer_stats").username
        assert self.reason(admin, assignee_kind="USERS") == ["no user is named."]
        assert self.reason(admin, assignee_kind="USERS", users=[gone, other_gone]) == [
            "none of the named users can log in any more."
        ]
        assert self.reason(admin, assignee_kind="USERS", users=[clerk]) == [
            "the people exist, but none holds a role that may review."
        ]
        assert self.reason(admin, assignee_kind="USERS", users=[gone, people[0]]) == []
        assert any("can no longer log in" in text for _, text in warnings(admin, step("x", gone, people[0])))

    def test_a_role(self, admin: Actor, unit_people: list[AppUser]) -> None:
        assert self.reason(admin) == ["no role is chosen."]
        assert self.reason(admin, role="expert") == ["no active user holds the role."]
        make_user("expert", active=False)
        assert self.reason(admin, role="expert") == ["no active user holds the role."]
        make_user("expert")
        assert self.reason(admin, role="expert") == []
        with unit_of_work(SYSTEM) as session:
            role = session.scalar(select(Role.id).where(Role.name == "expert"))
            session.execute(update(RoleScope).where(RoleScope.role_id == role).values(enabled=False))
        assert self.reason(admin, role="expert") == ["its role is switched off."]

    def test_a_group(self, admin: Actor, people: list[str]) -> None:
        write(Group(name="panel", label="评审组"))
        assert self.reason(admin, assignee_kind="GROUP") == ["no group is chosen."]
        assert self.reason(admin, assignee_kind="GROUP", group="panel") == ["the group has no active member."]
        with unit_of_work(SYSTEM) as session:
            group = session.scalars(select(Group).where(Group.name == "panel")).one()
            group.users = list(session.scalars(select(AppUser).where(AppUser.username == people[0])))
        assert self.reason(admin, assignee_kind="GROUP", group="panel") == []

    def test_the_right_people_in_the_wrong_unit(self, admin: Actor, people: list[str]) -> None:
        assert self.reason(admin, assignee_kind="USERS", users=people, unit_match="SAME") == [
            "the people exist, but none in a unit that fits the document's."
        ]

    def test_a_step_that_may_be_skipped_is_only_warned_of(self, admin: Actor, people: list[str]) -> None:
        steps = step("x", optional=True), step("y", people[0])
        assert errors(admin, *steps) == []
        assert (1, "Nobody can act at the step “%(step)s” at present; it is skipped.") in warnings(
            admin, *steps
        )

    def test_units_without_a_head_are_counted_and_named(self, admin: Actor, people: list[str]) -> None:
        steps = step("head", assignee_kind="UNIT_HEAD"), step("y", people[0])
        assert self.reason(admin, assignee_kind="UNIT_HEAD") == ["no unit that submits has a head."]
        led, unled = make_unit("有负责人单位"), make_unit("无负责人单位")
        for unit in (led, unled):
            make_user("unit_handler", unit)
        make_user("unit_leader", led)
        assert errors(admin, *steps) == []
        (finding,) = [one for one in findings(admin, draft(admin, *steps)) if "units" in one.problem.params]
        assert finding.problem.params["count"] == 2
        assert "无负责人单位" in str(finding.problem.params["units"])
        assert "有负责人单位" not in str(finding.problem.params["units"])
        elsewhere = [when("unit", "EQ", led.code)]
        steps = step("head", assignee_kind="UNIT_HEAD", conditions=elsewhere), step("y", people[0])
        assert not [one for one in findings(admin, draft(admin, *steps)) if "units" in one.problem.params]


class TestEnding:
    """Nobody acts twice, and nobody reviews what he submitted."""

    def test_the_same_single_reviewer_twice(self, admin: Actor, people: list[str]) -> None:
        one, two = people[:2]
        text = "The steps “%(first)s” and “%(step)s” have the same single reviewer, who may act only once."
        assert errors(admin, step("a", one), step("b", two), step("c", one)) == [(3, text)]
        assert errors(admin, step("a", one), step("b", two), step("c", one, two, people[2])) == []
        assert errors(admin, step("a", one), step("b", one, conditions=[when(AMOUNT, "GE", "1")])) == []

    def test_two_people_for_three_steps(self, admin: Actor, people: list[str]) -> None:
        one, two, three = people[:3]
        both = step("a", one, two), step("b", one, two)
        assert errors(admin, *both) == []
        assert [seq for seq, _ in errors(admin, *both, step("c", one, two))] == [3]
        assert errors(admin, *both, step("c", one, two, three)) == []

    @pytest.mark.parametrize("quorum", ["ALL", "SEQUENCE"])
    def test_everybody_is_used_up(self, admin: Actor, people: list[str], quorum: str) -> None:
        one, two, three = people[:3]
        everybody = step("a", one, two, quorum=quorum)
        assert [seq for seq, _ in errors(admin, everybody, step("b", two))] == [2]
        assert errors(admin, everybody, step("b", two, three)) == []
        assert errors(admin, step("b", two), everybody) == []

    def test_the_only_reviewer_submits_everything(self, admin: Actor, session: Session) -> None:
        unit = make_unit()
        lone = make_user("unit_handler", unit)
        told = errors(admin, step("a", lone.username))
        assert [(seq, "only one who can submit" in text) for seq, text in told] == [(1, True)]
        make_user("unit_handler", unit)
        assert errors(admin, step("a", lone.username)) == []

    def test_a_unit_alone_is_a_warning(self, admin: Actor, people: list[str]) -> None:
        lone = make_user("unit_handler")
        steps = (step("a", lone.username),)
        assert errors(admin, *steps) == []
        assert [seq for seq, text in warnings(admin, *steps) if "only one who can submit" in text] == [1]

    def test_share_needs_its_percent(self, admin: Actor, people: list[str]) -> None:
        text = "The step “%(step)s” needs the share of its reviewers, in percent."
        assert errors(admin, step("a", *people, quorum="SHARE")) == [(1, text)]
        assert errors(admin, step("a", *people, quorum="SHARE", share_percent=1)) == []

    def test_stops_agree_with_trying_every_way(self) -> None:
        """The matching against brute force, over every small flow."""
        crews = [frozenset(each) for size in (1, 2) for each in itertools.combinations(range(3), size)]
        for crew in itertools.product(crews, repeat=3):
            for full in itertools.product((False, True), repeat=3):
                for submitter in (frozenset(), frozenset({0})):
                    stop = first_stop((0, 1, 2), crew, full, submitter)
                    assert (stop is None) is _can_end(crew, full, submitter), (crew, full, submitter)
                    assert stop is None or crew[stop.step]

    def test_why_it_stops(self) -> None:
        one, two = frozenset({1}), frozenset({1, 2})
        assert first_stop((0,), (one,), (False,), one).obstacle is Obstacle.SUBMITTER  # type: ignore[union-attr]
        same = first_stop((0, 4), (one, one), (False, False), frozenset())
        assert same is not None and (same.step, same.obstacle, same.other) == (4, Obstacle.SAME_PERSON, 0)
        used = first_stop((0, 1), (two, one), (True, False), frozenset())
        assert used is not None and (used.obstacle, used.other) == (Obstacle.USED_UP, 0)


def _can_end(crews: Any, full: Any, submitter: frozenset[int]) -> bool:
    ways = {submitter}
    for crew, everybody in zip(crews, full, strict=True):
        following = set()
        for acted in ways:
            free = crew - acted
            if everybody and free:
                following.add(acted | free)
            elif not everybody:
                following |= {acted | {person} for person in free}
        ways = following
    return bool(ways)


class TestLimitsAndSwitches:
    def test_a_step_without_a_limit(self, admin: Actor, people: list[str]) -> None:
        text = "The step “%(step)s” has no limit: nobody is warned when it takes too long."
        assert (1, text) in warnings(admin, step("a", people[0], limit_days=None))
        assert (1, text) not in warnings(admin, step("a", people[0], limit_days=1))

    def test_a_step_that_is_switched_off(self, admin: Actor, people: list[str]) -> None:
        steps = step("a", people[0], switch="review.unit_leader_step"), step("b", people[1])
        text = "A parameter has switched the step “%(step)s” off at present."
        assert (1, text) not in warnings(admin, *steps)
        with unit_of_work(SYSTEM) as session:
            session.execute(
                update(RuleParameter)
                .where(RuleParameter.key == "review.unit_leader_step")
                .values(value="false")
            )
        assert (1, text) in warnings(admin, *steps)


class TestPublishing:
    def test_an_error_refuses_and_a_warning_does_not(self, admin: Actor, people: list[str]) -> None:
        wrong = draft(admin, step("a", people[0]), step("b", people[0]))
        with pytest.raises(InvalidInput) as refused:
            review.publish(admin, wrong.id, revision=wrong.revision)
        assert list(refused.value.fields) == ["steps.2"]
        right = draft(admin, step("a", people[0], limit_days=None))
        review.publish(admin, right.id, revision=right.revision)
        with pytest.raises(Conflict):
            review.publish(admin, right.id, revision=right.revision)

    def test_what_was_checked_is_what_is_published(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0]))
        review.save_flow(
            admin, made.id, {"name": "改", "steps": [step("a", people[1])]}, revision=made.revision
        )
        with pytest.raises(StaleVersion):
            review.publish(admin, made.id, revision=1)
