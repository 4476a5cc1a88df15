"""项目变更: what is taken over, what is refused, what an approval does to the project (domain.md 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.models.annual_plan import AnnualPlan
from app.models.change import ChangeRequest
from app.models.declaration import Declaration
from app.models.log import FieldChange
from app.models.project import Project
from app.services import annual_plan, change, review
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.change import (
    REASONS,
    act,
    approve,
    drafted,
    fresh,
    make_bureau,
    of_amount,
    planned_project,
    submitted,
    to_amount,
    yuan,
)
from tests.conftest import Standing
from tests.factories import make_actor, make_unit


@dataclass(frozen=True)
class Town:
    """A unit's handler, the bureau, and what is in the plan: the new build, and small renewals by amount."""

    handler: Actor
    bureau: dict[str, Actor]
    new_build: int
    renewals: dict[str, int]


@pytest.fixture(scope="module")
def town(standing: Standing) -> Town:
    with standing():
        office = make_unit("开平市教育局(测试)")
        handler = make_actor("unit_handler", office, last_name="陈", first_name="晓琳")
        bureau = make_bureau()
        amounts = ("100000.00", "950000.00", "1000000.00")
        return Town(
            handler,
            bureau,
            planned_project(handler, bureau).id,
            {amount: planned_project(handler, bureau, of_amount(amount)).id for amount in amounts},
        )


@pytest.fixture
def handler(town: Town) -> Actor:
    return town.handler


@pytest.fixture
def bureau(town: Town) -> dict[str, Actor]:
    return town.bureau


@pytest.fixture
def project(town: Town, session: Session) -> Project:
    """The new build of 4,950,000 yuan, in the plan."""
    return session.get_one(Project, town.new_build)


@pytest.fixture
def renewal(town: Town, session: Session) -> Callable[[str], Project]:
    """The renewal of an amount, in the plan."""
    return lambda amount: session.get_one(Project, town.renewals[amount])


def refused(excinfo: pytest.ExceptionInfo[InvalidInput]) -> dict[str, str]:
    return {name: problems[0].message % problems[0].params for name, problems in excinfo.value.fields.items()}


def told(excinfo: pytest.ExceptionInfo[Conflict]) -> str:
    return excinfo.value.message % excinfo.value.params


def in_stage(project: Project, stage: Stage) -> None:
    with unit_of_work(SYSTEM) as session:
        session.get_one(Project, project.id).stage = stage


class TestTakingOver:
    def test_the_projects_data_are_there_and_nothing_differs(self, handler: Actor, project: Project) -> None:
        row = change.create(handler, project.id)

        values = change.values_of(row)
        assert values.title == project.title
        assert yuan(values.requested_amount) == samples.NEW_BUILD_AMOUNT
        assert len(values.budget_lines) == 8
        assert values.owner_unit_id == project.unit_id
        assert row.items == []
        assert row.base_version == project.version
        assert row.code.startswith("BG")
        assert (yuan(row.amount_before), yuan(row.amount_delta)) == (samples.NEW_BUILD_AMOUNT, "0.00")

    def test_what_is_changed_is_kept_before_and_after(self, handler: Actor, project: Project) -> None:
        year = samples.next_year()
        row = change.create(
            handler, project.id, {"title": "“一网统管”平台三期", "end_date": f"{year + 1}-07-30"}
        )

        assert {item.field: (item.before, item.after) for item in row.items} == {
            "title": (project.title, "“一网统管”平台三期"),
            "end_date": (f"{year + 1}-06-30", f"{year + 1}-07-30"),
        }
        assert row.days_delta == 30

    def test_what_is_put_back_differs_no_more(self, handler: Actor, project: Project) -> None:
        row = change.create(handler, project.id, {"title": "另一个名称"})

        row = change.save(handler, row.id, row.version, {"title": project.title})

        assert row.items == []

    def test_an_unreadable_amount_is_kept_as_typed_and_said(
        self, session: Session, handler: Actor, project: Project
    ) -> None:
        row = change.create(handler, project.id)

        saved = change.autosave(handler, row.id, row.version, {"requested_amount": "1.234"}, page="p")

        assert "requested_amount" in saved.problems
        assert fresh(session, row).draft_input == {"requested_amount": "1.234"}

    @pytest.mark.parametrize("stage", [Stage.DECLARED, Stage.CLOSED, Stage.TERMINATED, Stage.REJECTED])
    def test_a_project_outside_its_life_is_refused_by_its_stage(
        self, handler: Actor, project: Project, stage: Stage
    ) -> None:
        in_stage(project, stage)
        with pytest.raises(InvalidInput) as excinfo:
            change.create(handler, project.id)
        assert project.code in refused(excinfo)["project_id"]
        assert stage in refused(excinfo)["project_id"]

    def test_another_units_project_is_not_there(self, session: Session, project: Project) -> None:
        with pytest.raises(NotFound):
            change.create(make_actor("unit_handler"), project.id)
        with pytest.raises(NotAllowed):
            change.create(make_actor("bureau_reviewer"), project.id)

    def test_a_second_open_request_is_refused_naming_the_first(
        self, handler: Actor, project: Project
    ) -> None:
        first = change.create(handler, project.id)
        with pytest.raises(Conflict) as excinfo:
            change.create(handler, project.id)
        assert first.code in told(excinfo)

        recycled = change.recycle(handler, first.id, first.version)
        second = change.create(handler, project.id)
        with pytest.raises(Conflict) as excinfo:
            change.restore(handler, recycled.id, recycled.version)
        assert second.code in told(excinfo)

    def test_the_database_itself_refuses_a_second_one(
        self, session: Session, handler: Actor, project: Project
    ) -> None:
        row = change.create(handler, project.id)
        twin = ChangeRequest(
            code="BG2026-99999", project_id=project.id, unit_id=row.unit_id, base_version=1, base={}
        )
        with pytest.raises(Conflict) as excinfo, unit_of_work(SYSTEM) as open_session:
            open_session.add(twin)
        assert isinstance(excinfo.value.__cause__, IntegrityError)


class TestSubmitting:
    def test_an_empty_request_says_everything_that_is_missing(self, handler: Actor, project: Project) -> None:
        row = change.create(handler, project.id)
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        found = refused(excinfo)
        assert "Nothing differs" in found["kinds"] or found["kinds"] == "Fill this in."
        assert {"kinds", "content", "reason_code", "reason_text", "attachments.CHANGE_LETTER"} <= set(found)

    def test_nothing_different_is_refused(self, handler: Actor, project: Project) -> None:
        row = change.create(handler, project.id, {"kinds": ["CONTENT"], **REASONS})
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert refused(excinfo)["kinds"].startswith("Nothing differs")

    def test_a_change_of_people_needs_no_scheme_but_one_of_content_does(
        self, handler: Actor, project: Project
    ) -> None:
        row = change.create(handler, project.id, {"kinds": ["PARTIES"], **REASONS, "lead_name": "黄志强"})
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert set(refused(excinfo)) == {"attachments.CHANGE_LETTER"}
        row = change.save(
            handler, row.id, row.version, {"scope_text": "另加移动端。", "kinds": ["PARTIES", "CONTENT"]}
        )
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert set(refused(excinfo)) == {"attachments.CHANGE_LETTER", "attachments.CHANGE_SCHEME"}

    def test_the_budget_lines_must_follow_the_amount(self, handler: Actor, project: Project) -> None:
        row = drafted(handler, project, requested_amount="5000000.00", total_investment="6200000.00")
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert set(refused(excinfo)) == {"requested_amount", "funding_splits"}
        assert "4,950,000.00" in refused(excinfo)["requested_amount"]

    def test_a_project_closed_meanwhile_is_refused_by_its_stage(
        self, handler: Actor, project: Project
    ) -> None:
        row = drafted(handler, project, title="新名称")
        in_stage(project, Stage.CLOSED)
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert project.code in refused(excinfo)["base"]

    def test_a_figure_that_changed_meanwhile_is_named_and_taken_over_again(
        self, session: Session, handler: Actor, project: Project, bureau: dict[str, Actor]
    ) -> None:
        row = drafted(handler, project, title="新名称")
        arrange(session, bureau["finance"], project, "4000000.00")
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert "“4000000.00”" in refused(excinfo)["base"]

        row = change.refresh(handler, row.id, row.version)
        assert {item.field: item.after for item in row.items} == {"title": "新名称"}
        assert change.submit(handler, row.id, row.version).status is DocumentStatus.IN_REVIEW

    def test_a_project_that_only_moved_on_in_its_life_is_no_obstacle(
        self, handler: Actor, project: Project
    ) -> None:
        row = drafted(handler, project, title="新名称")
        in_stage(project, Stage.SCHEME)
        assert change.submit(handler, row.id, row.version).status is DocumentStatus.IN_REVIEW


def arrange(session: Session, finance: Actor, project: Project, amount: str) -> None:
    plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project.id)).one()
    annual_plan.arrange(finance, project.id, plan.version, amount)


class TestRatio:
    """CH-2: up to 10 % of the approved amount is a general change, more is a major one."""

    @pytest.mark.parametrize(
        ("amount", "ratio", "major"),
        [
            ("109999.99", "10.00", False),
            ("110000.00", "10.00", False),
            ("110005.00", "10.01", True),
            ("90000.00", "10.00", False),
            ("89990.00", "10.01", True),
        ],
    )
    def test_below_at_and_above(
        self,
        handler: Actor,
        bureau: dict[str, Actor],
        renewal: Callable[[str], Project],
        amount: str,
        ratio: str,
        major: bool,
    ) -> None:
        project = renewal("100000.00")
        row = submitted(handler, project, **to_amount(amount))
        assert (f"{row.change_ratio:.2f}", row.is_major) == (ratio, major)
        approve(bureau, row, "first")
        assert (review.open_task(bureau["recheck"], "change", row.id) is not None) is major

    def test_of_the_approved_amount_once_there_is_one(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], renewal: Callable[[str], Project]
    ) -> None:
        project = renewal("100000.00")
        with unit_of_work(SYSTEM) as open_session:
            open_session.get_one(Project, project.id).approved_amount = Decimal("80000.00")
        row = submitted(handler, project, **to_amount("108000.00"))
        assert (yuan(row.amount_before), yuan(row.amount_after)) == ("80000.00", "88000.00")
        assert (f"{row.change_ratio:.2f}", row.is_major) == ("10.00", False)
        approve(bureau, row)
        after = fresh(session, project)
        assert (yuan(after.approved_amount), yuan(after.requested_amount)) == ("88000.00", "108000.00")


class TestThreshold:
    """S-01: a change that lifts the amount to 1,000,000 yuan calls for the third-party steps again."""

    @pytest.mark.parametrize(
        ("before", "after", "again"),
        [
            ("950000.00", "999999.99", False),
            ("950000.00", "1000000.00", True),
            ("950000.00", "1000000.01", True),
            ("1000000.00", "1050000.00", False),
        ],
    )
    def test_below_at_and_above(
        self,
        session: Session,
        handler: Actor,
        bureau: dict[str, Actor],
        renewal: Callable[[str], Project],
        before: str,
        after: str,
        again: bool,
    ) -> None:
        project = renewal(before)
        row = submitted(handler, project, **to_amount(after))
        assert row.needs_assessment is again
        assert fresh(session, project).needs_assessment is False
        approve(bureau, row)
        assert fresh(session, project).needs_assessment is again


class TestApproval:
    def test_the_project_becomes_what_the_request_says_and_keeps_its_history(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        arrange(session, bureau["finance"], project, "4950000.00")
        before = fresh(session, project)
        was, title = before.version, before.title
        row = submitted(handler, project, title="“一网统管”平台二期及移动端", scope_text="另建移动端。")
        assert fresh(session, project).title == title

        approve(bureau, row)

        after, row = fresh(session, project), fresh(session, row)
        assert row.status is DocumentStatus.APPROVED
        assert (after.title, after.version) == ("“一网统管”平台二期及移动端", was + 1)
        assert row.applied_version == after.version
        assert yuan(after.arranged_amount) == "4950000.00"
        assert change.present(session, loaded(session, project)).values.scope_text == "另建移动端。"
        kept = session.scalars(
            select(FieldChange).where(
                FieldChange.noun == "project",
                FieldChange.row_id == project.id,
                FieldChange.row_version > was,
            )
        ).all()
        assert {each.field: (each.old, each.new) for each in kept}["title"] == (title, after.title)
        assert all(each.row_version == after.version for each in kept)
        approved = session.scalars(select(Declaration).where(Declaration.project_id == project.id)).one()
        assert approved.title == title

    def test_a_change_of_contents_alone_raises_the_version_too(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        was = project.version
        approve(bureau, submitted(handler, project, scope_text="另建移动端。"))
        assert fresh(session, project).version == was + 1

    def test_amounts_and_channels_follow_and_the_arranged_budget_does_not(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], renewal: Callable[[str], Project]
    ) -> None:
        project = renewal("100000.00")
        arrange(session, bureau["finance"], project, "90000.00")
        row = submitted(
            handler,
            project,
            **to_amount("105000.00")
            | {
                "funding_splits": [
                    {"channel": "GENERAL_BUDGET", "amount": "100000.00"},
                    {"channel": "SUPERIOR_GRANT", "amount": "5000.00"},
                ]
            },
        )
        approve(bureau, row)

        after = loaded(session, project)
        assert (yuan(after.requested_amount), yuan(after.arranged_amount)) == ("105000.00", "90000.00")
        assert {split.channel: yuan(split.amount) for split in after.funding} == {
            "GENERAL_BUDGET": "100000.00",
            "SUPERIOR_GRANT": "5000.00",
        }

    def test_a_stale_base_is_refused_at_approval_with_the_figure_and_nothing_is_applied(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        row = submitted(handler, project, title="新名称")
        act(bureau["first"], "change", row.id, "approve")
        arrange(session, bureau["finance"], project, "4000000.00")
        with pytest.raises(Conflict) as excinfo:
            act(bureau["final"], "change", row.id, "approve")
        assert "“4000000.00”" in told(excinfo)
        assert fresh(session, project).title == project.title != "新名称"
        assert fresh(session, row).status is DocumentStatus.IN_REVIEW

        act(bureau["final"], "change", row.id, "return", "项目数据已变化，请重新带入。")
        row = fresh(session, row)
        row = change.refresh(handler, row.id, row.version)
        change.submit(handler, row.id, row.version)
        while (task := open_task(bureau, row)) is not None:
            person, found = task
            review.act(bureau[person], found.id, "approve", version=found.version, opinion="同意。")
        assert fresh(session, project).title == "新名称"

    def test_a_closed_project_takes_no_approval(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        row = submitted(handler, project, title="新名称")
        act(bureau["first"], "change", row.id, "approve")
        in_stage(project, Stage.CLOSED)
        with pytest.raises(Conflict) as excinfo:
            act(bureau["final"], "change", row.id, "approve")
        assert project.code in told(excinfo)

    def test_a_termination_ends_the_project_and_comes_alone(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        row = drafted(handler, project, kinds=["TERMINATION"], title="新名称")
        with pytest.raises(InvalidInput) as excinfo:
            change.submit(handler, row.id, row.version)
        assert set(refused(excinfo)) == {"kinds"}
        row = change.save(handler, row.id, row.version, {"title": project.title})
        row = change.submit(handler, row.id, row.version)
        approve(bureau, row)
        after = fresh(session, project)
        assert (after.stage, after.construction_status) == (Stage.TERMINATED, ConstructionStatus.TERMINATED)

    def test_a_project_given_to_another_unit_takes_its_place_in_the_plan_along(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        other = make_unit("开平市应急管理局(测试)")
        approve(bureau, submitted(handler, project, owner_unit_id=str(other.id), kinds=["PARTIES"]))
        assert fresh(session, project).unit_id == other.id
        plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project.id)).one()
        assert plan.unit_id == other.id

    def test_the_second_change_builds_on_the_first_and_both_add_up(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], renewal: Callable[[str], Project]
    ) -> None:
        project = renewal("100000.00")
        approve(bureau, submitted(handler, project, **to_amount("106000.00")))
        row = change.create(handler, project.id)
        assert yuan(row.amount_before) == "106000.00"
        row = change.recycle(handler, row.id, row.version)
        approve(bureau, submitted(handler, project, **to_amount("103000.00")))

        total = change.cumulative(session, project.id)
        assert (total.count, yuan(total.amount), yuan(total.ratio)) == (2, "9000.00", "9.00")

    @pytest.mark.parametrize("verb", ["reject", "return"])
    def test_nothing_is_applied_otherwise(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project, verb: str
    ) -> None:
        was = project.version
        row = submitted(handler, project, title="新名称")
        act(bureau["first"], "change", row.id, verb, "材料不全。")
        assert (fresh(session, project).title, fresh(session, project).version) == (project.title, was)

    def test_an_approved_request_takes_no_write(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        row = submitted(handler, project, title="新名称")
        approve(bureau, row)
        row = fresh(session, row)
        for write in (
            lambda: change.save(handler, row.id, row.version, {"content": "改"}),
            lambda: change.submit(handler, row.id, row.version),
            lambda: change.withdraw(handler, row.id, row.version),
            lambda: change.recycle(handler, row.id, row.version),
            lambda: change.refresh(handler, row.id, row.version),
        ):
            with pytest.raises((Conflict, NotAllowed)):
                write()

    def test_a_reviewer_corrects_it_and_the_unit_reads_what(
        self, session: Session, handler: Actor, bureau: dict[str, Actor], project: Project
    ) -> None:
        row = submitted(handler, project, title="新名称")
        change.reviewer_edit(
            bureau["first"], row.id, row.version, {"title": "更准确的名称"}, "与会议纪要一致。"
        )
        kept = change.detail(session, handler, row.id).amendments
        assert {each.field: (each.old, each.new) for each in kept}["title"] == ("新名称", "更准确的名称")


def open_task(bureau: dict[str, Actor], row: ChangeRequest) -> tuple[str, Any] | None:
    for person in ("first", "recheck", "final"):
        if (task := review.open_task(bureau[person], "change", row.id)) is not None:
            return person, task
    return None


def loaded(session: Session, project: Project) -> Project:
    row = fresh(session, project)
    session.refresh(row, ["funding"])
    return row
