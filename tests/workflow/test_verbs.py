"""Each verb of a review, done and refused, as people meet it."""

from __future__ import annotations

import pytest

from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion
from app.core.flow import RunState, TaskState
from app.services import review
from tests.workflow.support import Office, publish_flow, retire_flows, step


def test_three_people_approve_and_the_declaration_is_approved(office: Office) -> None:
    first, second, third = office.people(3)
    publish_flow(step("first", first), step("recheck", second), step("final", third))
    declaration = office.submitted()
    assert office.status(declaration) is DocumentStatus.IN_REVIEW
    assert office.at(declaration) == "first"
    office.approve(declaration, first)
    assert office.at(declaration) == "recheck"
    office.approve(declaration, second)
    result = office.act(third, declaration, "approve", opinion="同意。")
    assert result.status is DocumentStatus.APPROVED
    assert result.run_state is RunState.APPROVED
    assert office.document(declaration).finished_at is not None
    assert office.verbs(declaration) == ["submit", "approve", "approve", "approve"]
    assert office.outcomes.calls == ["on_submitted", "on_approved"]


class TestSubmit:
    def test_a_declaration_in_review_cannot_be_submitted_again(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        with pytest.raises(Conflict):
            office.submit(declaration)
        assert office.verbs(declaration) == ["submit"]

    def test_without_a_published_flow_nothing_is_submitted(self, office: Office) -> None:
        retire_flows()
        declaration = office.draft()
        with pytest.raises(Conflict, match="No review flow"):
            office.submit(declaration)
        assert office.status(declaration) is DocumentStatus.DRAFT

    def test_a_step_whose_only_reviewer_is_the_submitter_is_refused_by_name(self, office: Office) -> None:
        publish_flow(step("初审", office.handler))
        declaration = office.draft()
        with pytest.raises(Conflict) as refused:
            office.submit(declaration)
        assert str(refused.value.params["step"]) == "初审"
        assert "submitted this document" in refused.value.message
        assert office.status(declaration) is DocumentStatus.DRAFT

    def test_a_reviewer_who_left_is_not_a_candidate(self, office: Office) -> None:
        publish_flow(step("first", office.person(active=False)))
        with pytest.raises(Conflict, match="has no reviewer"):
            office.submit(office.draft())

    def test_an_optional_step_without_anybody_is_passed_by_and_said_so(self, office: Office) -> None:
        (second,) = office.people(1)
        publish_flow(step("leader", office.handler, optional=True), step("second", second))
        declaration = office.submitted()
        assert office.at(declaration) == "second"
        assert office.verbs(declaration) == ["submit", "skip"]
        assert office.log(declaration)[-1].skip_reason == "NOBODY"

    def test_running_cases_keep_their_version_new_ones_take_the_new(self, office: Office) -> None:
        old, new = office.people(2)
        publish_flow(step("old", old))
        running = office.submitted()
        publish_flow(step("new", new))
        assert office.at(office.submitted()) == "new"
        assert office.at(running) == "old"
        office.approve(running, old)
        assert office.status(running) is DocumentStatus.APPROVED


class TestReturn:
    def test_to_the_applicant_with_an_opinion_and_back_into_review_in_a_new_round(
        self, office: Office
    ) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(second, declaration, "return", opinion="请补充云资源近一年使用率")
        assert office.status(declaration) is DocumentStatus.RETURNED
        assert office.run(declaration).state is RunState.RETURNED
        assert not office.open_users(declaration)
        office.submit(declaration)
        assert office.at(declaration) == "first"
        assert office.run(declaration).round == 2
        office.approve(declaration, first, second)
        assert office.status(declaration) is DocumentStatus.APPROVED
        assert office.outcomes.calls == ["on_submitted", "on_returned", "on_submitted", "on_approved"]

    def test_resubmitted_to_the_step_that_returned_it_when_the_parameter_says_so(
        self, office: Office, returning_step: None
    ) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(second, declaration, "return", opinion="请补充")
        office.submit(declaration)
        assert office.at(declaration) == "second"
        office.approve(declaration, second)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_an_amount_raised_in_the_unit_does_not_slip_past_a_conditional_step(
        self, office: Office, returning_step: None
    ) -> None:
        first, finance, last = office.people(3)
        publish_flow(
            step("first", first),
            step("finance", finance, conditions=(("amount", "GE", "1000000.00"),)),
            step("last", last),
        )
        declaration = office.submitted(amount="999999.99")
        office.approve(declaration, first)
        assert office.at(declaration) == "last"
        office.act(last, declaration, "return", opinion="金额有误")
        office.change(declaration, requested_amount="1000000.00")
        office.submit(declaration)
        assert office.at(declaration) == "finance"
        office.approve(declaration, finance, last)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_needs_an_opinion(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        with pytest.raises(InvalidInput) as refused:
            office.act(first, declaration, "return", opinion="  ")
        assert list(refused.value.fields) == ["opinion"]
        assert office.status(declaration) is DocumentStatus.IN_REVIEW

    def test_to_an_earlier_step_whose_reviewer_acts_again(self, office: Office) -> None:
        first, second, third = office.people(3)
        publish_flow(step("first", first), step("second", second), step("third", third))
        declaration = office.submitted()
        office.approve(declaration, first, second)
        office.act(third, declaration, "return", opinion="请初审复核单价", to_step="first")
        assert office.status(declaration) is DocumentStatus.IN_REVIEW
        assert office.at(declaration) == "first"
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first, second, third)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_to_an_earlier_step_at_once_though_others_have_not_decided(self, office: Office) -> None:
        first, second, beside = office.people(3)
        publish_flow(step("first", first), step("second", second, beside, quorum="ALL"))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(second, declaration, "return", opinion="请初审复核", to_step="first")
        assert office.open_users(declaration) == {first.user_id}
        with pytest.raises(Conflict):
            office.act(beside, declaration, "approve")
        office.approve(declaration, first)
        assert office.open_users(declaration) == {second.user_id, beside.user_id}

    def test_never_forward_nor_to_the_step_itself_nor_where_it_never_was(self, office: Office) -> None:
        first, second, third = office.people(3)
        publish_flow(
            step("first", first, conditions=(("nature", "EQ", "NEW"),)),
            step("second", second),
            step("third", third),
        )
        declaration = office.submitted()
        for target in ("third", "second", "first"):
            with pytest.raises(Conflict):
                office.act(second, declaration, "return", opinion="退回", to_step=target)
        with pytest.raises(InvalidInput):
            office.act(second, declaration, "return", opinion="退回", to_step="no such step")

    def test_not_where_the_step_forbids_it(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(
            step("first", first),
            step("second", second, may_return_applicant=False, may_return_earlier=False, may_reject=False),
        )
        declaration = office.submitted()
        office.approve(declaration, first)
        for verb, target in (("return", None), ("return", "first"), ("reject", None)):
            with pytest.raises(NotAllowed):
                office.act(second, declaration, verb, opinion="退回", to_step=target)


def test_reject_ends_it_for_good_and_needs_an_opinion(office: Office) -> None:
    (first,) = office.people(1)
    publish_flow(step("first", first))
    declaration = office.submitted()
    with pytest.raises(InvalidInput):
        office.act(first, declaration, "reject")
    office.act(first, declaration, "reject", opinion="重复建设")
    assert office.status(declaration) is DocumentStatus.REJECTED
    with pytest.raises(Conflict):
        office.submit(declaration)
    assert office.outcomes.calls[-1] == "on_rejected"


class TestWithdraw:
    def test_before_anybody_acted_at_the_present_step(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.withdraw(declaration)
        assert office.status(declaration) is DocumentStatus.DRAFT
        assert office.run(declaration).state is RunState.WITHDRAWN
        assert not office.open_users(declaration)
        office.submit(declaration)
        assert office.at(declaration) == "first"

    def test_not_after_one_of_several_has_approved(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("both", first, second, quorum="ALL"))
        declaration = office.submitted()
        office.approve(declaration, first)
        with pytest.raises(Conflict):
            office.withdraw(declaration)
        assert office.status(declaration) is DocumentStatus.IN_REVIEW

    def test_another_unit_does_not_even_learn_that_it_exists(self, office: Office) -> None:
        publish_flow(step("first", *office.people(1)))
        declaration = office.submitted()
        stranger = office.stranger()
        with pytest.raises(NotFound):
            review.withdraw(
                stranger, "declaration", declaration, version=office.document(declaration).version
            )

    def test_a_page_opened_before_is_stale(self, office: Office) -> None:
        publish_flow(step("first", *office.people(1)))
        declaration = office.submitted()
        with pytest.raises(StaleVersion):
            review.withdraw(office.handler, "declaration", declaration, version=1)


class TestTakeBack:
    def test_while_the_next_reviewer_has_not_touched_it(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(first, declaration, "take_back")
        assert office.at(declaration) == "first"
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first, second)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_gives_the_others_their_turn_back_too(self, office: Office) -> None:
        first, other, second = office.people(3)
        publish_flow(step("first", first, other), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(first, declaration, "take_back")
        assert office.open_users(declaration) == {first.user_id, other.user_id}
        office.approve(declaration, other)
        assert office.at(declaration) == "second"

    def test_not_after_the_next_one_acted(self, office: Office) -> None:
        first, second, third = office.people(3)
        publish_flow(step("first", first), step("second", second), step("third", third))
        declaration = office.submitted()
        office.approve(declaration, first, second)
        with pytest.raises(Conflict):
            office.act(first, declaration, "take_back")

    def test_not_after_the_next_one_handed_it_on(self, office: Office) -> None:
        first, second, third = office.people(3)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.approve(declaration, first)
        office.act(second, declaration, "transfer", to_user=third.user_id)
        with pytest.raises(Conflict):
            office.act(first, declaration, "take_back")

    def test_not_once_it_is_approved(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.approve(declaration, first)
        with pytest.raises(Conflict):
            office.act(first, declaration, "take_back")
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_within_a_sequence_the_next_one_waits_again(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("both", first, second, quorum="SEQUENCE"))
        declaration = office.submitted()
        office.approve(declaration, first)
        assert office.open_users(declaration) == {second.user_id}
        office.act(first, declaration, "take_back")
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first, second)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_of_a_signer_asked_before_makes_the_one_who_asked_wait_again(self, office: Office) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=signer.user_id, position="BEFORE")
        office.approve(declaration, signer)
        office.act(signer, declaration, "take_back")
        assert office.open_users(declaration) == {signer.user_id}
        office.approve(declaration, signer, first)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_calls_back_a_delegate_who_has_not_answered(self, office: Office) -> None:
        first, expert = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "delegate", to_user=expert.user_id)
        office.act(first, declaration, "take_back")
        assert office.open_users(declaration) == {first.user_id}


class TestTransfer:
    def test_hands_the_task_over_for_good(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first, limit_days=3))
        declaration = office.submitted()
        due = office.task(first, declaration).due_at
        office.act(first, declaration, "transfer", to_user=other.user_id)
        assert office.open_users(declaration) == {other.user_id}
        assert office.task(other, declaration).due_at == due
        with pytest.raises(Conflict):
            office.act(first, declaration, "approve")
        office.approve(declaration, other)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_may_come_back_the_same_way(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "transfer", to_user=other.user_id)
        office.act(other, declaration, "transfer", to_user=first.user_id)
        office.approve(declaration, first)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_takes_along_the_signers_who_were_added(self, office: Office) -> None:
        first, heir, after = office.people(3)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=after.user_id, position="AFTER")
        office.act(first, declaration, "transfer", to_user=heir.user_id)
        office.approve(declaration, heir)
        assert office.open_users(declaration) == {after.user_id}
        office.approve(declaration, after)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_not_to_the_submitter_oneself_or_somebody_who_left(self, office: Office) -> None:
        (first,) = office.people(1)
        gone = office.person(active=False)
        publish_flow(step("first", first))
        declaration = office.submitted()
        for target in (office.handler, first, gone):
            with pytest.raises(InvalidInput) as refused:
                office.act(first, declaration, "transfer", to_user=target.user_id)
            assert list(refused.value.fields) == ["to_user"]
        with pytest.raises(InvalidInput):
            office.act(first, declaration, "transfer")

    def test_not_to_who_reviewed_an_earlier_step_or_has_a_task_here(self, office: Office) -> None:
        first, second, beside = office.people(3)
        publish_flow(step("first", first), step("second", second, beside, quorum="ALL"))
        declaration = office.submitted()
        office.approve(declaration, first)
        with pytest.raises(InvalidInput):
            office.act(second, declaration, "transfer", to_user=first.user_id)
        with pytest.raises(Conflict):
            office.act(second, declaration, "transfer", to_user=beside.user_id)

    def test_not_where_the_step_forbids_it(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(
            step("first", first, may_transfer=False, may_delegate=False, may_add_signer=False, may_copy=False)
        )
        declaration = office.submitted()
        for verb in ("transfer", "delegate", "add_signer", "copy_to"):
            with pytest.raises(NotAllowed):
                office.act(first, declaration, verb, to_user=other.user_id)


class TestDelegate:
    def test_comes_back_with_an_answer(self, office: Office) -> None:
        first, expert = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "delegate", to_user=expert.user_id, opinion="请核单价")
        assert office.open_users(declaration) == {expert.user_id}
        with pytest.raises(Conflict):
            office.act(first, declaration, "approve")
        answered = office.act(expert, declaration, "approve", opinion="单价合理")
        assert str(answered.verb) == "reply"
        assert office.status(declaration) is DocumentStatus.IN_REVIEW
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first)
        assert office.verbs(declaration) == ["submit", "delegate", "reply", "approve"]

    def test_the_delegate_decides_nothing(self, office: Office) -> None:
        first, expert, third = office.people(3)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "delegate", to_user=expert.user_id)
        for verb in ("return", "reject", "transfer", "delegate", "add_signer"):
            with pytest.raises(NotAllowed):
                office.act(expert, declaration, verb, opinion="不行", to_user=third.user_id)

    def test_lapses_when_another_reviewer_decides_the_step(self, office: Office) -> None:
        first, other, expert, last = office.people(4)
        publish_flow(step("first", first, other), step("last", last))
        declaration = office.submitted()
        office.act(first, declaration, "delegate", to_user=expert.user_id)
        office.approve(declaration, other)
        assert office.open_users(declaration) == {last.user_id}
        with pytest.raises(Conflict) as refused:
            office.act(expert, declaration, "approve")
        assert refused.value.params["who"] == other.name


class TestAddSigner:
    @pytest.mark.parametrize("quorum", ["ANY", "ALL"])
    def test_before_the_one_who_asks_waits(self, office: Office, quorum: str) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first, quorum=quorum))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=signer.user_id, position="BEFORE")
        assert office.open_users(declaration) == {signer.user_id}
        office.approve(declaration, signer)
        assert office.status(declaration) is DocumentStatus.IN_REVIEW
        office.approve(declaration, first)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_beside_both_are_needed_even_where_any_one_would_do(self, office: Office) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=signer.user_id, position="PARALLEL")
        assert office.open_users(declaration) == {first.user_id, signer.user_id}
        office.approve(declaration, first)
        assert office.status(declaration) is DocumentStatus.IN_REVIEW
        office.approve(declaration, signer)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_after_signs_last(self, office: Office) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=signer.user_id, position="AFTER")
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first)
        assert office.open_users(declaration) == {signer.user_id}
        office.approve(declaration, signer)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_a_signer_may_return_at_once(self, office: Office) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "add_signer", to_user=signer.user_id, position="PARALLEL")
        office.act(signer, declaration, "return", opinion="缺少密码应用方案")
        assert office.status(declaration) is DocumentStatus.RETURNED

    def test_not_somewhere_else(self, office: Office) -> None:
        first, signer = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        for position in ("DELEGATED", "sideways"):
            with pytest.raises(InvalidInput) as refused:
                office.act(first, declaration, "add_signer", to_user=signer.user_id, position=position)
            assert list(refused.value.fields) == ["position"]


def test_a_copy_is_shown_and_gives_nothing_to_do(office: Office) -> None:
    first, reader = office.people(2)
    publish_flow(step("first", first))
    declaration = office.submitted()
    office.act(first, declaration, "copy_to", to_user=[reader.user_id])
    assert office.open_users(declaration) == {first.user_id}
    with pytest.raises(InvalidInput):
        office.act(first, declaration, "copy_to", to_user=[reader.user_id])
    assert office.verbs(declaration) == ["submit", "copy_to"]


def test_urging_once_a_day_by_the_unit_only(office: Office) -> None:
    publish_flow(step("first", *office.people(1)))
    declaration = office.submitted()
    review.urge(office.handler, "declaration", declaration)
    with pytest.raises(Conflict):
        review.urge(office.handler, "declaration", declaration)
    with pytest.raises(NotAllowed):
        review.urge(office.people(1)[0], "declaration", declaration)
    assert office.verbs(declaration) == ["submit", "urge"]


def test_a_saved_opinion_moves_nothing_and_is_gone_once_the_task_is_done(office: Office) -> None:
    first, second = office.people(2)
    publish_flow(step("first", first), step("second", second))
    declaration = office.submitted()
    office.act(first, declaration, "save_opinion", opinion="材料齐全，")
    assert office.task(first, declaration).saved_opinion == "材料齐全，"
    assert office.verbs(declaration) == ["submit"]
    with pytest.raises(InvalidInput):
        office.act(first, declaration, "save_opinion", opinion="好" * 2001)
    office.approve(declaration, first)
    assert office.task(first, declaration).saved_opinion == ""


class TestTerminate:
    def test_by_who_holds_the_grant_with_a_reason(self, office: Office) -> None:
        publish_flow(step("first", *office.people(1)))
        declaration = office.submitted()
        director = office.person("bureau_leader")
        with pytest.raises(InvalidInput):
            review.terminate(director, "declaration", declaration, " ")
        review.terminate(director, "declaration", declaration, "机构改革，项目取消")
        assert office.status(declaration) is DocumentStatus.TERMINATED
        assert not office.open_users(declaration)
        assert office.outcomes.calls[-1] == "on_terminated"
        with pytest.raises(Conflict):
            review.terminate(director, "declaration", declaration, "再来一次")

    def test_also_while_the_unit_has_it(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, "return", opinion="补充")
        review.terminate(office.person("bureau_leader"), "declaration", declaration, "逾期未补充")
        assert office.run(declaration).state is RunState.TERMINATED

    def test_not_by_a_reviewer_without_the_grant(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        with pytest.raises((NotAllowed, NotFound)):
            review.terminate(first, "declaration", declaration, "不办了")
        with pytest.raises(NotFound):
            review.terminate(office.people(2)[1], "declaration", declaration, "不办了")


class TestReassign:
    def test_frees_a_task_whose_reviewer_left(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        admin = office.person("sys_admin")
        office.act(admin, declaration, "reassign", task_of=first, to_user=other.user_id)
        assert office.open_users(declaration) == {other.user_id}
        assert office.task(first, declaration).state is TaskState.CANCELLED
        office.approve(declaration, other)
        entry = office.log(declaration)[1]
        assert (str(entry.verb), entry.user_id, entry.to_user_id, entry.on_behalf_of_id) == (
            "reassign",
            admin.user_id,
            other.user_id,
            first.user_id,
        )

    def test_keeps_the_place_in_a_sequence(self, office: Office) -> None:
        first, second, other = office.people(3)
        publish_flow(step("both", first, second, quorum="SEQUENCE"))
        declaration = office.submitted()
        office.act(office.person("sys_admin"), declaration, "reassign", task_of=second, to_user=other.user_id)
        assert office.open_users(declaration) == {first.user_id}
        office.approve(declaration, first, other)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_an_administrator_does_not_make_himself_reviewer(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        admin = office.person("sys_admin")
        with pytest.raises(InvalidInput):
            office.act(admin, declaration, "reassign", task_of=first, to_user=admin.user_id)
        with pytest.raises(NotFound):
            office.act(admin, declaration, "approve", task_of=first)

    def test_not_by_a_reviewer(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        with pytest.raises(NotAllowed):
            office.act(first, declaration, "reassign", to_user=other.user_id)


class TestWhoMayAct:
    def test_nobody_does_anothers_task(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first))
        declaration = office.submitted()
        for verb in ("approve", "return", "reject", "transfer", "take_back", "save_opinion"):
            with pytest.raises(NotFound):
                office.act(other, declaration, verb, task_of=first, opinion="同意", to_user=other.user_id)

    def test_the_same_person_is_not_asked_twice_in_a_round(self, office: Office) -> None:
        both, second = office.people(2)
        publish_flow(step("first", both), step("second", both, second))
        declaration = office.submitted()
        office.approve(declaration, both)
        assert office.open_users(declaration) == {second.user_id}

    def test_an_approval_is_refused_when_the_next_step_would_have_nobody(self, office: Office) -> None:
        (both,) = office.people(1)
        publish_flow(step("初审", both), step("终审", both))
        declaration = office.submitted()
        with pytest.raises(Conflict) as refused:
            office.approve(declaration, both)
        assert str(refused.value.params["step"]) == "终审"
        assert office.open_users(declaration) == {both.user_id}
        assert office.verbs(declaration) == ["submit"]

    def test_a_double_click_has_one_effect_and_says_so(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        task = office.task(first, declaration)
        version = task.version
        review.act(first, task.id, "approve", version=version)
        with pytest.raises(Conflict) as refused:
            review.act(first, task.id, "approve", version=version)
        assert refused.value.params["who"] == first.name
        assert office.verbs(declaration) == ["submit", "approve"]

    def test_a_page_opened_before_the_document_was_edited_is_stale(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first, other, may_edit=True))
        declaration = office.submitted()
        version = office.task(other, declaration).version
        office.amend(first, declaration, title="改过的名称")
        with pytest.raises(StaleVersion):
            review.act(other, office.task(other, declaration).id, "approve", version=version)
        assert office.run(declaration).title == "改过的名称"
        office.approve(declaration, first)
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_an_unknown_verb_is_no_page(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        for verb in ("skip", "submit", "no_such"):
            with pytest.raises(NotFound):
                office.act(first, declaration, verb)
