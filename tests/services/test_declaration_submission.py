"""From submission to the annual plan: what is refused, what follows each outcome, one effect a click."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion
from app.core.funds import FundEntryKind
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.flow import FlowRun
from app.models.log import FieldChange, SystemLog
from app.models.message import OutboxMessage
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import annual_plan, attachment, dictionary, funds, review
from app.services import declaration as service
from app.services import project as projects
from app.services.declaration import changes
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.conftest import Standing
from tests.factories import make_actor, make_unit
from tests.sql import count_statements


@dataclass(frozen=True)
class Town:
    """A unit and its handler; the data bureau's three reviewers and finance."""

    office: Unit
    handler: Actor
    bureau: dict[str, Actor]


@pytest.fixture(scope="module")
def town(standing: Standing) -> Town:
    with standing():
        office, unit = make_unit("开平市教育局(测试)"), make_unit("市政数局(测试)")
        return Town(
            office,
            make_actor("unit_handler", office, last_name="陈", first_name="晓琳"),
            {
                "first": make_actor("bureau_reviewer", unit),
                "second": make_actor("bureau_checker", unit),
                "last": make_actor("bureau_leader", unit),
                "finance": make_actor("finance"),
            },
        )


@pytest.fixture
def office(town: Town) -> Unit:
    return town.office


@pytest.fixture
def handler(town: Town, session: Session) -> Actor:
    return town.handler


@pytest.fixture
def bureau(town: Town, session: Session) -> dict[str, Actor]:
    return town.bureau


def with_files(actor: Actor, draft: Declaration, files: Mapping[str, str] = samples.NEW_BUILD_FILES) -> None:
    for category, name in files.items():
        attachment.add(actor, "declaration", draft.id, category, name, io.BytesIO(samples.pdf(name)))


def submitted(actor: Actor, raw: Mapping[str, object]) -> Declaration:
    draft = service.create(actor, raw)
    return service.submit(actor, draft.id, draft.version)


def act(actor: Actor, declaration: Declaration, verb: str, opinion: str = "") -> None:
    task = review.open_task(actor, "declaration", declaration.id)
    assert task is not None
    review.act(actor, task.id, verb, version=task.version, opinion=opinion)


def approve_all(bureau: dict[str, Actor], declaration: Declaration) -> None:
    for person in ("first", "second", "last"):
        act(bureau[person], declaration, "approve", "同意。")


def fresh(session: Session, declaration: Declaration) -> Declaration:
    row = session.get(Declaration, declaration.id, populate_existing=True)
    assert row is not None
    return row


def project_of(session: Session, declaration: Declaration) -> Project:
    project = session.get(Project, declaration.project_id, populate_existing=True)
    assert project is not None
    return project


def funding_of(session: Session, project: Project) -> dict[str, str]:
    rows = session.execute(
        select(ProjectFunding.channel, ProjectFunding.amount).where(ProjectFunding.project_id == project.id)
    )
    return {channel: f"{amount:.2f}" for channel, amount in rows}


class TestSubmit:
    def test_the_maintenance_renewal_opens_its_project(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())

        assert declared.status is DocumentStatus.IN_REVIEW
        assert declared.submitted_by_id == handler.user_id
        project = project_of(session, declared)
        assert project.code.startswith(f"KP{samples.next_year()}YW")
        assert (project.stage, project.construction_status) == (Stage.DECLARED, ConstructionStatus.DECLARING)
        assert f"{project.requested_amount:.2f}" == samples.MAINTENANCE_AMOUNT
        assert funding_of(session, project) == {"GENERAL_BUDGET": "31900.00"}
        assert review.open_task(bureau["first"], "declaration", declared.id) is not None
        told = session.scalars(
            select(OutboxMessage.recipient_id).where(OutboxMessage.template == "declaration_notice")
        )
        assert bureau["first"].user_id in set(told)

    def test_the_new_build_needs_its_files_first(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        draft = service.create(handler, samples.new_build())
        with pytest.raises(InvalidInput) as excinfo:
            service.submit(handler, draft.id, draft.version)
        assert set(excinfo.value.fields) == {f"attachments.{each}" for each in samples.NEW_BUILD_FILES}
        assert fresh(session, draft).status is DocumentStatus.DRAFT

        with_files(handler, draft)
        declared = service.submit(handler, draft.id, draft.version)

        project = project_of(session, declared)
        assert project.code.startswith(f"KP{samples.next_year()}XJ")
        assert f"{project.requested_amount:.2f}" == samples.NEW_BUILD_AMOUNT
        assert funding_of(session, project) == {
            "GENERAL_BUDGET": "3950000.00",
            "SUPERIOR_GRANT": "1000000.00",
        }

    def test_a_refusal_lists_every_field_and_changes_nothing(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        draft = service.create(
            handler, samples.maintenance(title="", lead_mobile="", requested_amount="31900.01")
        )
        with pytest.raises(InvalidInput) as excinfo:
            service.submit(handler, draft.id, draft.version)

        assert set(excinfo.value.fields) == {"title", "lead_mobile", "requested_amount", "funding_splits"}
        assert session.scalar(select(func.count(FlowRun.id))) == 0
        assert session.scalar(select(func.count(Project.id)).where(Project.unit_id == handler.unit_id)) == 0

    def test_what_cannot_be_read_is_not_submitted(self, handler: Actor, bureau: dict[str, Actor]) -> None:
        draft = service.create(handler, samples.maintenance())
        kept = service.autosave(handler, draft.id, draft.version, {"contact_mobile": "139"})
        with pytest.raises(InvalidInput) as excinfo:
            service.submit(handler, draft.id, kept.version)
        assert set(excinfo.value.fields) == {"contact_mobile"}

    def test_a_double_click_has_one_effect(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        draft = service.create(handler, samples.maintenance())
        first = service.submit(handler, draft.id, draft_version := draft.version)
        version = first.version
        second = service.submit(handler, draft.id, draft_version)

        assert second.id == first.id
        assert second.version == version
        assert session.scalar(select(func.count(FlowRun.id))) == 1
        assert session.scalar(select(func.count(Project.id)).where(Project.unit_id == handler.unit_id)) == 1

    def test_a_colleague_who_submits_second_is_told(
        self, handler: Actor, office: Unit, bureau: dict[str, Actor]
    ) -> None:
        draft = service.create(handler, samples.maintenance())
        seen = draft.version
        service.submit(handler, draft.id, seen)
        with pytest.raises(StaleVersion) as excinfo:
            service.submit(make_actor("unit_handler", office), draft.id, seen)
        [change] = excinfo.value.changes
        assert (change.field, change.old, change.new, change.by) == ("status", "DRAFT", "IN_REVIEW", "陈晓琳")

    def test_what_a_colleague_changed_meanwhile_is_not_submitted_unread(
        self, handler: Actor, office: Unit, bureau: dict[str, Actor]
    ) -> None:
        draft = service.create(handler, samples.maintenance())
        seen = draft.version
        service.save(make_actor("unit_handler", office), draft.id, seen, {"title": "改过的名称"})
        with pytest.raises(StaleVersion):
            service.submit(handler, draft.id, seen)

    def test_without_a_reviewer_nothing_happens(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        with unit_of_work(SYSTEM) as work:
            for person in ("first", "second", "last"):
                work.get_one(AppUser, bureau[person].user_id).roles = []
        draft = service.create(handler, samples.maintenance())
        with pytest.raises(Conflict):
            service.submit(handler, draft.id, draft.version)
        assert fresh(session, draft).status is DocumentStatus.DRAFT
        assert session.scalar(select(func.count(Project.id)).where(Project.unit_id == handler.unit_id)) == 0

    def test_in_review_the_unit_edits_nothing(self, handler: Actor, bureau: dict[str, Actor]) -> None:
        declared = submitted(handler, samples.maintenance())
        for move in (service.recycle, service.purge):
            with pytest.raises(Conflict):
                move(handler, declared.id, declared.version)
        with pytest.raises(Conflict):
            service.save(handler, declared.id, declared.version, {"title": "改名"})
        with pytest.raises(Conflict):
            service.autosave(handler, declared.id, declared.version, {"title": "改名"})


class TestOutcomes:
    def test_approved_it_enters_the_annual_plan(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        approve_all(bureau, declared)

        assert fresh(session, declared).status is DocumentStatus.APPROVED
        project = project_of(session, declared)
        assert (project.stage, project.construction_status) == (Stage.PLANNED, ConstructionStatus.PLANNED)
        plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project.id)).one()
        assert (plan.year, f"{plan.requested_amount:.2f}") == (samples.next_year(), "31900.00")
        assert plan.initial_amount is None

    @pytest.mark.parametrize(
        "role", ["unit_handler", "bureau_reviewer", "bureau_leader", "finance", "sys_admin"]
    )
    def test_approved_nobody_changes_it(
        self, session: Session, handler: Actor, office: Unit, bureau: dict[str, Actor], role: str
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        approve_all(bureau, declared)
        now = fresh(session, declared)
        someone = make_actor(role, office)
        refused = (Conflict, NotAllowed, NotFound)
        with pytest.raises(refused):
            service.save(someone, now.id, now.version, {"title": "改名"})
        with pytest.raises(refused):
            service.reviewer_edit(someone, now.id, now.version, {"title": "改名"}, "更正")
        for move in (service.submit, service.withdraw, service.recycle, service.restore, service.purge):
            with pytest.raises(refused):
                move(someone, now.id, now.version)
        with pytest.raises(refused):
            with_files(someone, now, {"OTHER": "补充.pdf"})

    def test_rejected_it_is_over(self, session: Session, handler: Actor, bureau: dict[str, Actor]) -> None:
        declared = submitted(handler, samples.maintenance())
        act(bureau["first"], declared, "reject", "与在建项目重复。")

        assert fresh(session, declared).status is DocumentStatus.REJECTED
        project = project_of(session, declared)
        assert (project.stage, project.construction_status) == (
            Stage.REJECTED,
            ConstructionStatus.NOT_APPROVED,
        )
        assert session.scalar(select(func.count(AnnualPlan.id))) == 0

    def test_returned_changed_and_submitted_again_it_keeps_its_number(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        number = project_of(session, declared).code
        act(bureau["first"], declared, "return", "请补充依据。")
        returned = fresh(session, declared)
        assert returned.status is DocumentStatus.RETURNED

        lines = samples.maintenance()["budget_lines"][:2]
        saved = service.save(
            handler,
            returned.id,
            returned.version,
            {
                "budget_lines": lines,
                "requested_amount": "31800.00",
                "funding_splits": [{"channel": "SELF_RAISED", "amount": "31800.00"}],
            },
        )
        # It may come back in January: the window and the year were asked at the first submission.
        january = dt.datetime(samples.next_year(), 1, 10, 9, tzinfo=dt.UTC)
        again = service.submit(handler, saved.id, saved.version, now=january)

        project = project_of(session, again)
        assert project.code == number
        assert f"{project.requested_amount:.2f}" == "31800.00"
        assert funding_of(session, project) == {"SELF_RAISED": "31800.00"}
        approve_all(bureau, again)
        plan = session.scalars(select(AnnualPlan)).one()
        assert f"{plan.requested_amount:.2f}" == "31800.00"

    def test_withdrawn_it_is_a_draft_again(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        back = service.withdraw(handler, declared.id, declared.version)

        assert back.status is DocumentStatus.DRAFT
        assert project_of(session, back).stage is Stage.DECLARED
        binned = service.recycle(handler, back.id, back.version)
        assert project_of(session, binned).stage is Stage.TERMINATED
        restored = service.restore(handler, binned.id, binned.version)
        assert project_of(session, restored).stage is Stage.DECLARED

    def test_once_a_reviewer_acted_it_is_not_withdrawn(
        self, session: Session, handler: Actor, office: Unit, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        act(bureau["first"], declared, "approve")
        act(bureau["second"], declared, "return", "请补充。")
        with pytest.raises(Conflict):
            service.withdraw(handler, declared.id, fresh(session, declared).version)

    def test_terminated_its_project_ends(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        review.terminate(bureau["last"], "declaration", declared.id, "机构改革，职责划转。")

        assert fresh(session, declared).status is DocumentStatus.TERMINATED
        assert project_of(session, declared).construction_status is ConstructionStatus.TERMINATED


class TestReviewerEdit:
    def test_every_field_is_kept_old_and_new_and_shown_to_the_unit(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        lines = samples.maintenance()["budget_lines"]
        lines[0]["unit_price"] = "1900.00"
        edited = service.reviewer_edit(
            bureau["first"],
            declared.id,
            declared.version,
            {
                "plan_channel": "IN_PLAN",
                "budget_lines": lines,
                "requested_amount": "30700.00",
                "funding_splits": [{"channel": "GENERAL_BUDGET", "amount": "30700.00"}],
            },
            "单价按上年合同执行。",
        )

        assert edited.status is DocumentStatus.IN_REVIEW
        found = changes.history(session, declared.id, by_reviewers=True)
        shown = changes.readable(found, dictionary.catalogue(session), "zh", str)
        assert [(each.label, each.row, each.old, each.new) for each in shown] == [
            ("Way into the plan", None, "", "计划内"),
            ("Requested amount", None, "31,900.00", "30,700.00"),
            ("Unit price", 1, "2,000.00", "1,900.00"),
            ("Amount", 1, "31,900.00", "30,700.00"),
            ("Reason for the edit", None, "", "单价按上年合同执行。"),
        ]
        assert {each.by for each in shown} == {bureau["first"].name}
        assert f"{project_of(session, declared).requested_amount:.2f}" == "30700.00"
        run = session.scalars(select(FlowRun).execution_options(populate_existing=True)).one()
        assert run.amount == Decimal("30700.00")
        assert service.detail(session, handler, declared.id).amendments == found

    def test_totals_have_to_match_afterwards(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        with pytest.raises(InvalidInput) as excinfo:
            service.reviewer_edit(
                bureau["first"], declared.id, declared.version, {"requested_amount": "30000"}, "核减"
            )
        assert set(excinfo.value.fields) == {"requested_amount", "funding_splits"}
        assert f"{fresh(session, declared).requested_amount:.2f}" == "31900.00"
        assert session.scalar(select(func.count()).where(FieldChange.by_reviewer)) == 0

    def test_a_reason_is_given(self, handler: Actor, bureau: dict[str, Actor]) -> None:
        declared = submitted(handler, samples.maintenance())
        with pytest.raises(InvalidInput) as excinfo:
            service.reviewer_edit(bureau["first"], declared.id, declared.version, {"title": "改名"}, "  ")
        assert set(excinfo.value.fields) == {"reason"}

    def test_only_where_the_step_allows_it(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = submitted(handler, samples.maintenance())
        with pytest.raises((NotAllowed, NotFound)):
            service.reviewer_edit(bureau["second"], declared.id, declared.version, {"title": "改名"}, "更正")
        act(bureau["first"], declared, "approve")
        # 复核 may not edit by the seeded flow, and the first reviewer's turn is over.
        for person in ("first", "second"):
            with pytest.raises(NotAllowed):
                service.reviewer_edit(
                    bureau[person], declared.id, fresh(session, declared).version, {"title": "改名"}, "更正"
                )


class TestPlanAndSummary:
    def arranged(self, session: Session, handler: Actor, bureau: dict[str, Actor]) -> Declaration:
        declared = submitted(handler, samples.maintenance())
        approve_all(bureau, declared)
        return fresh(session, declared)

    def test_finance_arranges_the_budget(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = self.arranged(session, handler, bureau)
        assert declared.project_id is not None
        plan = annual_plan.arrange(
            bureau["finance"], declared.project_id, 1, "30,000.00", "开财〔2026〕88号", "2026-01-15"
        )
        assert plan.version == 2
        assert project_of(session, declared).arranged_amount == Decimal("30000.00") == plan.initial_amount
        assert plan.requested_amount == Decimal("31900.00")
        with pytest.raises(StaleVersion) as excinfo:
            annual_plan.arrange(bureau["finance"], declared.project_id, 1, "1", "", None)
        assert {change.field for change in excinfo.value.changes} == {"amount", "doc_no", "published_on"}

    def test_an_adjustment_made_meanwhile_stays_in_the_sum(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = self.arranged(session, handler, bureau)
        assert declared.project_id is not None
        annual_plan.arrange(bureau["finance"], declared.project_id, 1, "30000", "", None)
        with unit_of_work(SYSTEM):
            out = funds.Step(FundEntryKind.ADJUST_OUT, "GENERAL_BUDGET", Decimal("-2000.00"))
            moved = funds.Source("adjustment", 1, "TZ2026-00001")
            funds.post(session, SYSTEM, project_of(session, declared), [out], moved)
        annual_plan.arrange(bureau["finance"], declared.project_id, 2, "31000", "", None)
        assert project_of(session, declared).arranged_amount == Decimal("29000.00")
        with pytest.raises(InvalidInput):
            annual_plan.arrange(bureau["finance"], declared.project_id, 3, "1999.99", "", None)

    def test_more_than_was_requested_is_arranged_only_when_that_amount_is_confirmed(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = self.arranged(session, handler, bureau)
        assert declared.project_id is not None
        enter = partial(annual_plan.arrange, bureau["finance"], declared.project_id)
        for confirmed in ("", "31900.02", "true"):
            with pytest.raises(InvalidInput) as excinfo:
                enter(1, "31900.01", confirmed=confirmed)
            assert set(excinfo.value.fields) == {"amount", "confirmed"}
        assert excinfo.value.fields["amount"][0].params == {
            "arranged": "31,900.01",
            "requested": "31,900.00",
        }
        assert project_of(session, declared).arranged_amount is None
        assert enter(1, "31900.00").version == 2
        assert enter(2, "40,000", confirmed="40000.00").version == 3
        assert enter(3, "40000", "开财〔2026〕88号").doc_no == "开财〔2026〕88号", "it stands already"
        summaries = session.scalars(
            select(SystemLog.summary).where(SystemLog.event == "BUDGET_ARRANGED").order_by(SystemLog.id)
        ).all()
        assert ["confirmed above the requested 31900.00" in each for each in summaries] == [
            False,
            True,
            False,
        ]

    @pytest.mark.parametrize(
        ("amount", "published", "field"),
        [
            ("", None, "amount"),
            ("1.005", None, "amount"),
            ("-1", None, "amount"),
            ("1", "2099-01-01", "published_on"),
        ],
    )
    def test_what_cannot_be_arranged_is_said_beside_its_field(
        self, bureau: dict[str, Actor], amount: str, published: str | None, field: str
    ) -> None:
        with pytest.raises(InvalidInput) as excinfo:
            annual_plan.arrange(bureau["finance"], 1, 1, amount, "", published)
        assert set(excinfo.value.fields) == {field}

    def test_only_finance_arranges(self, session: Session, handler: Actor, bureau: dict[str, Actor]) -> None:
        declared = self.arranged(session, handler, bureau)
        assert declared.project_id is not None
        for person in (handler, bureau["first"]):
            with pytest.raises(NotAllowed):
                annual_plan.arrange(person, declared.project_id, 1, "1")
        with pytest.raises(NotFound):
            annual_plan.arrange(make_actor(), declared.project_id, 1, "1")

    def test_the_summary_begins_after_the_first_review(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        first = submitted(handler, samples.maintenance())
        submitted(handler, samples.maintenance(title="还在初审的项目"))
        in_summary = select(Project.id).where(projects.in_summary())
        assert session.scalars(in_summary).all() == []

        act(bureau["first"], first, "approve")
        assert session.scalars(in_summary).all() == [first.project_id]

    def test_the_overview_shows_what_the_reader_may_see(
        self, session: Session, handler: Actor, bureau: dict[str, Actor]
    ) -> None:
        declared = self.arranged(session, handler, bureau)
        assert declared.project_id is not None
        mine = projects.overview(handler, declared.project_id)
        assert [each.id for each in mine.declarations] == [declared.id]
        assert mine.plan is not None
        assert [stage for stage, reached in mine.stages if reached] == [Stage.DECLARED, Stage.PLANNED]
        with pytest.raises(NotFound):
            projects.overview(make_actor(), declared.project_id)


def test_the_lists_of_the_unit(session: Session, handler: Actor, bureau: dict[str, Actor]) -> None:
    draft = service.create(handler, samples.maintenance(title="草稿"))
    binned = service.create(handler, samples.maintenance(title="回收"))
    service.recycle(handler, binned.id, binned.version)
    open_ = submitted(handler, samples.maintenance(title="在审"))
    done = submitted(handler, samples.maintenance(title="已审"))
    approve_all(bureau, done)

    def ids(statement: Select[Any]) -> set[int]:
        return {row.id for row in session.scalars(statement)}

    assert ids(service.pending(handler)) == {draft.id}
    assert ids(service.recycled(handler)) == {binned.id}
    assert ids(service.submitted(handler)) == {open_.id, done.id}
    assert ids(service.reviewed(handler)) == {done.id}
    assert ids(service.pending(bureau["first"])) == set()
    assert ids(service.reviewed(bureau["first"])) == {done.id}
    assert ids(service.submitted(make_actor())) == set()


def test_a_page_takes_the_same_statements_whatever_the_size(session: Session, handler: Actor) -> None:
    small = service.create(handler, samples.maintenance())
    large = service.create(
        handler, {"budget_lines": [{"name": f"第{n}项", "unit_price": "1"} for n in range(200)]}
    )
    session.expunge_all()
    with count_statements() as few:
        service.detail(session, handler, small.id)
    session.expunge_all()
    with count_statements() as many:
        found = service.detail(session, handler, large.id)

    assert len(found.declaration.budget_lines) == 200
    assert len(few) == len(many) <= 10, many
