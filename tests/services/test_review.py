"""The task centre, the review page, flows, agents and opinions, as reviewers and administrators use them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.access.policy import may
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.flow import AssigneeKind, Box, FlowState, Operator, Quorum
from app.models.flow import AgentAppointment, FlowCondition, FlowDefinition, FlowLog, FlowStep, Task
from app.models.log import SystemLog
from app.models.message import OutboxMessage
from app.services import review
from app.services.review import TaskFilter
from app.services.seed import seed
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow.registry import IncompleteRegistry
from tests.factories import make_actor, make_unit
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step

TODAY = dt.date(2026, 4, 29)
_NINE = dt.datetime(2026, 4, 29, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def office(session: Session) -> Iterator[Office]:
    with declarations_for_tests() as outcomes, time_machine.travel(_NINE, tick=True):
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)


def rows(actor: Actor, box: Box | str, narrowed: TaskFilter | None = None) -> list[str]:
    """The titles in a box, in order."""
    return [row.title for row in current_session().execute(review.tasks(actor, box, narrowed))]


class TestDefaultFlow:
    """The flow every installation starts with: unit leader, first review, re-check, final."""

    def test_four_people_take_a_declaration_through(self, office: Office) -> None:
        leader = make_actor("unit_leader", office.unit)
        reviewer, checker, director = map(make_actor, ("bureau_reviewer", "bureau_checker", "bureau_leader"))
        declaration = office.submitted()
        for person, code in (
            (leader, "unit_leader"),
            (reviewer, "first_review"),
            (checker, "recheck"),
            (director, "final_review"),
        ):
            assert office.at(declaration) == code
            office.act(person, declaration, "approve", opinion="同意")
        assert office.status(declaration) is DocumentStatus.APPROVED

    def test_a_unit_without_a_leader_goes_straight_to_first_review(self, office: Office) -> None:
        make_actor("bureau_reviewer")
        declaration = office.submitted()
        assert office.at(declaration) == "first_review"

    def test_first_review_has_three_working_days_over_the_holiday(self, office: Office) -> None:
        """2026-04-29 is a Wednesday; 1 to 5 May are free, 9 May is worked."""
        reviewer = make_actor("bureau_reviewer")
        task = office.task(reviewer, office.submitted())
        assert task.due_at == dt.datetime(2026, 5, 7, 16, 0, tzinfo=dt.UTC)

    def test_only_the_first_reviewer_may_edit_and_only_while_it_is_his(self, office: Office) -> None:
        reviewer, checker = make_actor("bureau_reviewer"), make_actor("bureau_checker")
        make_actor("bureau_leader")
        declaration = office.submitted()
        session = current_session()

        def editors() -> list[bool]:
            document = office.document(declaration)
            answers = [
                review.may_edit_now(session, actor, document, declaration)
                for actor in (reviewer, checker, office.handler)
            ]
            assert answers == [may(actor, "amend", document) for actor in (reviewer, checker, office.handler)]
            return answers

        assert editors() == [True, False, False]
        office.approve(declaration, reviewer)
        assert editors() == [False, False, False]

    def test_seeding_again_changes_nothing(self, session: Session) -> None:
        with unit_of_work(SYSTEM) as work:
            review.seed_default_flows(work)
        kept = session.scalars(
            select(FlowDefinition.version).where(FlowDefinition.document_kind == "declaration")
        )
        assert list(kept) == [1]

    def test_a_published_flow_without_a_service_ends_the_start(self, session: Session) -> None:
        seed()
        with unit_of_work(SYSTEM) as work:
            work.add(
                FlowDefinition(document_kind="orphan", name="无主", version=1, state=FlowState.PUBLISHED)
            )
        with pytest.raises(IncompleteRegistry, match="orphan"):
            seed()


class TestTaskCentre:
    def test_four_boxes_follow_one_declaration(self, office: Office) -> None:
        first, second, reader = office.people(3)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted(title="数字档案馆建设")
        assert rows(first, "todo") == ["数字档案馆建设"]
        assert rows(second, "todo") == rows(first, "done") == rows(reader, "copied") == []
        assert rows(office.handler, "started") == ["数字档案馆建设"]
        office.act(first, declaration, "copy_to", to_user=reader.user_id)
        office.approve(declaration, first)
        assert rows(first, "todo") == []
        assert rows(first, "done") == rows(second, "todo") == rows(reader, "copied") == ["数字档案馆建设"]
        assert [review.todo_count(person) for person in (first, second, reader)] == [0, 1, 0]
        assert review.todo_counts(second) == {"declaration": 1}

    def test_a_row_says_all_that_a_list_shows(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("初审", first, limit_days=2))
        office.submitted(title="教育城域网运维", amount="368000.00")
        (row,) = current_session().execute(review.tasks(first, Box.TODO)).all()
        assert (row.kind, row.title, row.amount, row.step_zh, row.round) == (
            "declaration",
            "教育城域网运维",
            Decimal("368000.00"),
            "初审",
            1,
        )
        assert (row.unit_id, row.unit_name) == (office.unit.id, office.unit.short_name)
        assert row.starter_last + row.starter_first == office.handler.name
        assert row.due_at == dt.datetime(2026, 5, 6, 16, 0, tzinfo=dt.UTC)

    def test_narrowed_and_sorted(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        for title, amount in (
            ("视频专网安全加固", "999999.99"),
            ("智慧城管100%升级", "1000000.00"),
            ("云资源", "5.00"),
        ):
            office.submitted(title=title, amount=amount)
        large = TaskFilter(amount_from=Decimal("999999.99"), sort="-amount")
        assert rows(first, "todo", large) == ["智慧城管100%升级", "视频专网安全加固"]
        assert rows(first, "todo", TaskFilter(text="100%")) == ["智慧城管100%升级"]
        assert rows(first, "todo", TaskFilter(text="_")) == []
        assert rows(first, "todo", TaskFilter(below_unit_id=office.unit.id, sort="amount"))[0] == "云资源"
        assert rows(first, "todo", TaskFilter(below_unit_id=make_unit().id)) == []
        assert rows(first, "todo", TaskFilter(kind="change")) == []
        assert rows(office.handler, "started", TaskFilter(sort="-amount"))[0] == "智慧城管100%升级"

    @pytest.mark.parametrize(
        ("box", "sort"),
        [("todo", "password"), ("started", "due_at"), ("todo", "copied_at"), ("copied", "done_at")],
    )
    def test_an_unknown_sort_is_refused(self, office: Office, box: str, sort: str) -> None:
        with pytest.raises(InvalidInput):
            review.tasks(office.handler, box, TaskFilter(sort=sort))

    def test_who_may_not_review_at_all_has_an_empty_list(self, office: Office) -> None:
        viewer = make_actor("viewer_stats")
        publish_flow(step("first", viewer))
        declaration = office.submitted()
        assert rows(viewer, "todo") == []
        assert review.todo_count(viewer) == 0
        with pytest.raises(NotFound):
            office.approve(declaration, viewer)

    def test_many_at_once_each_with_its_own_result(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first, other))
        declarations = [office.submitted() for _ in range(3)]
        pages = [(office.task(first, one).id, office.task(first, one).version) for one in declarations]
        office.approve(declarations[1], other)
        results = review.approve_many(first, pages, "同意")
        assert [result.error is None for result in results] == [True, False, True]
        assert isinstance(results[1].error, Conflict)
        assert all(office.status(one) is DocumentStatus.APPROVED for one in declarations)

    def test_one_row_of_somebody_else_refuses_the_whole_batch(self, office: Office) -> None:
        first, other = office.people(2)
        publish_flow(step("first", first, other))
        declaration = office.submitted()
        mine, others = office.task(first, declaration), office.task(other, declaration)
        with pytest.raises(NotFound):
            review.approve_many(first, [(mine.id, mine.version), (others.id, others.version)])
        assert office.status(declaration) is DocumentStatus.IN_REVIEW
        with pytest.raises(InvalidInput):
            review.approve_many(first, [])


class TestReviewPage:
    def test_the_panel_offers_what_the_step_allows(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first, may_reject=False, may_edit=True), step("second", second))
        declaration = office.submitted()
        panel = review.panel(first, "declaration", declaration)
        assert panel is not None and panel.may_edit
        offered = {str(verb) for verb in panel.options.verbs}
        assert offered == {
            "approve", "return", "transfer", "delegate", "add_signer", "copy_to", "save_opinion",
        }  # fmt: skip
        assert panel.options.return_to == ()
        assert review.panel(second, "declaration", declaration) is None
        office.approve(declaration, first)
        panel = review.panel(second, "declaration", declaration)
        assert panel is not None and not panel.may_edit
        assert [target.code for target in panel.options.return_to] == ["first"]

    def test_history_and_who_has_it_now(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        declaration = office.submitted()
        office.act(first, declaration, "approve", opinion="材料齐全，同意提交复核。")
        timeline = review.timeline(office.handler, "declaration", declaration)
        assert [str(entry.verb) for entry in timeline.entries] == ["submit", "approve"]
        approval = timeline.entries[1]
        assert approval.user is not None and approval.user.full_name == first.name
        assert approval.from_step is not None and approval.from_step.code == "first"
        assert approval.to_step is not None and approval.to_step.code == "second"
        assert approval.opinion == "材料齐全，同意提交复核。"
        assert [task.user.full_name for task in timeline.waiting] == [second.name]
        with pytest.raises(NotFound):
            review.history(office.stranger(), "declaration", declaration)
        with pytest.raises(NotFound):
            review.history(office.handler, "no such kind", declaration)

    def test_whoever_was_asked_may_read_it_wherever_he_works(self, office: Office) -> None:
        (first,) = office.people(1)
        firm, reader = make_actor("cost_firm"), make_actor("unit_handler")
        publish_flow(step("first", first))
        declaration = office.submitted()
        for outsider in (firm, reader):
            with pytest.raises(NotFound):
                review.history(outsider, "declaration", declaration)
        office.act(first, declaration, "add_signer", to_user=firm.user_id, position="PARALLEL")
        office.act(first, declaration, "copy_to", to_user=reader.user_id)
        for outsider in (firm, reader):
            assert review.history(outsider, "declaration", declaration)

    def test_the_summary_shows_what_passed_first_review(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first_review", first), step("second", second))
        passed, waiting, returned = office.submitted(), office.submitted(), office.submitted()
        office.approve(passed, first)
        office.approve(returned, first)
        office.act(second, returned, "return", opinion="退回")
        shown = set(current_session().scalars(review.passed_step("declaration", "first_review")))
        assert passed in shown and not shown & {waiting, returned}

    def test_a_file_of_another_document_cannot_be_shown_with_an_opinion(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        with pytest.raises(InvalidInput):
            office.act(first, declaration, "approve", attachment_ids=[123456])
        assert office.status(declaration) is DocumentStatus.IN_REVIEW


class TestMessages:
    @staticmethod
    def told() -> set[tuple[str, int, str]]:
        return {
            (message.template, message.recipient_id, message.channel)
            for message in current_session().scalars(select(OutboxMessage))
        }

    def test_reviewers_and_the_unit_are_told(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("初审", first), step("终审", second))
        declaration = office.submitted()
        handler = office.handler.user_id
        assert ("declaration_notice", first.user_id, "SMS") in self.told()
        assert ("acceptance_opinion", handler, "SMS") in self.told()
        office.act(first, declaration, "approve", opinion="同意")
        assert ("review_opinion", handler, "SMS") in self.told()
        assert ("task_assigned", second.user_id, "IN_APP") in self.told()
        office.act(second, declaration, "return", opinion="请补充部门会议纪要。")
        returned = current_session().scalars(
            select(OutboxMessage).where(
                OutboxMessage.template == "review_returned", OutboxMessage.channel == "SMS"
            )
        )
        (message,) = returned
        assert message.recipient_id == handler
        assert message.params["opinion"] == "请补充部门会议纪要。"
        assert message.link == f"/go/declaration/{declaration}"

    def test_nobody_is_told_what_did_not_happen(self, office: Office) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first), step("second", first))
        declaration = office.submitted()
        before = self.told()
        with pytest.raises(Conflict):
            office.approve(declaration, first)
        assert self.told() == before

    @pytest.mark.parametrize(
        ("verb", "template"), [("reject", "result_rejected"), ("approve", "result_approved")]
    )
    def test_the_result_goes_to_the_unit(self, office: Office, verb: str, template: str) -> None:
        (first,) = office.people(1)
        publish_flow(step("first", first))
        declaration = office.submitted()
        office.act(first, declaration, verb, opinion="意见")
        assert (template, office.handler.user_id, "SMS") in self.told()


class TestAgents:
    def test_acts_in_the_others_name_and_both_are_recorded(self, office: Office) -> None:
        absent, agent, last = office.people(3)
        publish_flow(step("first", absent), step("last", last))
        earlier = office.submitted(title="从前的项目")
        office.approve(earlier, absent)
        review.appoint(absent, agent.user_id or 0, TODAY, TODAY + dt.timedelta(days=2))
        declaration = office.submitted()
        assert rows(agent, "todo") == rows(absent, "todo") != []
        office.act(agent, declaration, "approve", task_of=absent, opinion="同意（代）")
        entry = office.log(declaration)[-1]
        assert (entry.user_id, entry.on_behalf_of_id) == (agent.user_id, absent.user_id)
        done_by_agent = office.document(declaration).title
        assert rows(agent, "done") == [done_by_agent]
        assert sorted(rows(absent, "done")) == sorted([done_by_agent, "从前的项目"])
        recipients = current_session().scalars(select(OutboxMessage.recipient_id))
        assert {absent.user_id, agent.user_id} <= set(recipients)

    def test_only_from_and_to_the_days_named_and_not_once_revoked(self, office: Office) -> None:
        absent, agent = office.people(2)
        publish_flow(step("first", absent))
        tomorrow = TODAY + dt.timedelta(days=1)
        appointment = review.appoint(absent, agent.user_id or 0, tomorrow, tomorrow)
        declaration = office.submitted()
        task = office.task(absent, declaration)
        with pytest.raises(NotFound):
            review.act(agent, task.id, "approve", version=task.version)
        with time_machine.travel(_NINE + dt.timedelta(days=1)):
            assert review.todo_count(agent) == 1
            review.revoke(absent, appointment.id)
            assert review.todo_count(agent) == 0
            with pytest.raises(Conflict):
                review.revoke(absent, appointment.id)

    def test_does_not_review_what_he_submitted_nor_twice_in_a_round(self, office: Office) -> None:
        absent, agent = office.people(2)
        publish_flow(step("both", absent, agent, quorum="ALL"))
        declaration = office.submitted()
        review.appoint(absent, agent.user_id or 0, TODAY, TODAY)
        office.approve(declaration, agent)
        with pytest.raises(Conflict, match="already reviewed"):
            office.act(agent, declaration, "approve", task_of=absent)
        handler_as_agent = office.handler
        other = office.submitted()
        with unit_of_work(SYSTEM) as session:
            for appointment in session.scalars(select(AgentAppointment)):
                session.delete(appointment)
        review.appoint(absent, handler_as_agent.user_id or 0, TODAY, TODAY)
        with pytest.raises(NotAllowed):
            office.act(handler_as_agent, other, "approve", task_of=absent)

    def test_wrong_days_rings_and_second_agents_are_refused(self, office: Office) -> None:
        one, two, three = office.people(3)
        for days in ((1, 0), (-2, -1)):
            with pytest.raises(InvalidInput):
                review.appoint(one, two.user_id or 0, *(TODAY + dt.timedelta(days=day) for day in days))
        with pytest.raises(InvalidInput):
            review.appoint(one, one.user_id or 0, TODAY, TODAY)
        review.appoint(one, two.user_id or 0, TODAY, TODAY + dt.timedelta(days=5))
        review.appoint(two, three.user_id or 0, TODAY, TODAY)
        with pytest.raises(Conflict, match="in a ring"):
            review.appoint(three, one.user_id or 0, TODAY, TODAY)
        with pytest.raises(Conflict, match="already named"):
            review.appoint(
                one, three.user_id or 0, TODAY + dt.timedelta(days=5), TODAY + dt.timedelta(days=9)
            )
        assert len(review.appointments(two)) == 2
        with pytest.raises(NotFound):
            review.revoke(three, review.appointments(one)[0].id)


class TestFlows:
    @staticmethod
    def draft(*steps: FlowStep) -> FlowDefinition:
        with unit_of_work(SYSTEM) as session:
            for seq, one in enumerate(steps, start=1):
                one.seq = seq
            definition = FlowDefinition(
                document_kind="declaration",
                name="草稿",
                version=900,
                state=FlowState.DRAFT,
                steps=list(steps),
            )
            session.add(definition)
        return definition

    def test_the_next_version_is_a_copy_that_replaces_the_last(self, office: Office) -> None:
        admin, _director = make_actor("sys_admin"), make_actor("bureau_leader")
        (first,) = office.people(1)
        old = publish_flow(step("first", first, conditions=(("amount", "GE", "1.00"),)), step("last", first))
        draft = review.draft_of(admin, old.id)
        assert (draft.version, draft.state) == (old.version + 1, FlowState.DRAFT)
        with unit_of_work(SYSTEM) as session:
            last = session.scalars(
                select(FlowStep).where(FlowStep.definition_id == draft.id, FlowStep.code == "last")
            ).one()
            last.assignee_kind, last.role_name = AssigneeKind.ROLE, "bureau_leader"
        published = review.publish(admin, draft.id, revision=draft.revision)
        assert published.state is FlowState.PUBLISHED
        session = current_session()
        assert session.get_one(FlowDefinition, old.id, populate_existing=True).state is FlowState.RETIRED
        copied = session.scalars(
            select(FlowCondition)
            .join(FlowStep, FlowStep.id == FlowCondition.step_id)
            .where(FlowStep.definition_id == draft.id)
        ).one()
        assert (copied.field, copied.operator, copied.value) == ("amount", Operator.GE, "1.00")
        with pytest.raises(Conflict):
            review.publish(admin, draft.id, revision=published.revision)
        events = session.scalars(select(SystemLog.event).where(SystemLog.noun == "flow"))
        assert list(events) == ["FLOW_DRAFT_CREATED", "SENSITIVE_OP"]

    def test_dead_ends_are_named_step_by_step(self, office: Office) -> None:
        admin = make_actor("sys_admin")
        gone = office.person(active=False)
        (lone,) = office.people(1)
        draft = self.draft(
            step("gone", gone),
            step("no role", assignee_kind=AssigneeKind.ROLE, role_name="astronaut"),
            step("share", lone, quorum=Quorum.SHARE),
            step("twice", lone),
            step("condition", lone, conditions=(("colour", "EQ", "red"), ("amount", "IN", ["1"]))),
        )
        with pytest.raises(InvalidInput) as refused:
            review.publish(admin, draft.id, revision=draft.revision)
        told = {field: [problem.message for problem in told] for field, told in refused.value.fields.items()}
        assert list(told) == ["steps.1", "steps.2", "steps.3", "steps.4", "steps.5"]
        assert "Nobody can act" in told["steps.1"][0] and "Nobody can act" in told["steps.2"][0]
        assert "share" in told["steps.3"][0]
        assert "same single reviewer" in told["steps.4"][0]
        assert len(told["steps.5"]) == 2

    def test_a_flow_that_may_review_nothing_is_refused(self, office: Office) -> None:
        admin = make_actor("sys_admin")
        (first,) = office.people(1)
        for steps in ((), (step("maybe", first, optional=True),)):
            draft = self.draft(*steps)
            with pytest.raises(InvalidInput) as refused:
                review.publish(admin, draft.id, revision=draft.revision)
            assert list(refused.value.fields) == ["steps"]
            with unit_of_work(SYSTEM) as session:
                session.delete(session.merge(draft))

    def test_only_who_manages_flows(self, office: Office) -> None:
        (first,) = office.people(1)
        draft = self.draft(step("first", first))
        for actor in (first, office.handler, make_actor("sec_admin")):
            with pytest.raises(NotFound):
                review.publish(actor, draft.id, revision=draft.revision)


class TestOpinions:
    def test_ones_own_first_then_the_shared_ones(self, office: Office) -> None:
        def texts(actor: Actor) -> list[str]:
            return [opinion.text for opinion in review.saved_opinions(actor)]

        mine, other = office.people(2)
        admin = make_actor("sys_admin")
        before = texts(mine)
        review.add_opinion(admin, "请附密码应用方案。", shared=True)
        kept = review.add_opinion(mine, " 同意上会。 ")
        review.add_opinion(other, "暂缓。")
        assert texts(mine) == ["同意上会。", *before, "请附密码应用方案。"]
        review.change_opinion(mine, kept.id, "同意上会研究。")
        assert texts(mine)[0] == "同意上会研究。"
        review.remove_opinion(mine, kept.id)
        assert texts(mine) == [*before, "请附密码应用方案。"]

    def test_refusals(self, office: Office) -> None:
        mine, other = office.people(2)
        kept = review.add_opinion(mine, "同意。")
        for wrong in ("同意。", "   ", "长" * 501):
            with pytest.raises(InvalidInput):
                review.add_opinion(mine, wrong)
        with pytest.raises(NotAllowed):
            review.add_opinion(mine, "大家用", shared=True)
        with pytest.raises(NotFound):
            review.change_opinion(other, kept.id, "改了")
        shared = review.add_opinion(make_actor("sys_admin"), "大家用", shared=True)
        with pytest.raises(NotAllowed):
            review.remove_opinion(mine, shared.id)


@pytest.mark.parametrize("statement", ["UPDATE flow_log SET opinion = ''", "DELETE FROM flow_log"])
def test_the_database_itself_keeps_the_history(office: Office, statement: str) -> None:
    publish_flow(step("first", *office.people(1)))
    declaration = office.submitted()
    session = current_session()
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text(statement))
    assert session.scalars(select(FlowLog).where(FlowLog.document_id == declaration)).all()
    assert session.scalars(select(Task)).all()
