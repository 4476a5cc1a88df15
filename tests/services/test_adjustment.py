"""项目调整: what may be moved and what may not, at, below and above each limit (domain.md 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DataScope, DocumentStatus, Stage
from app.core.errors import Conflict, InvalidInput, NotAllowed, StaleVersion
from app.core.flow import AssigneeKind, FlowState
from app.models.annual_plan import AnnualPlan
from app.models.flow import FlowDefinition, FlowStep
from app.models.project import Project
from app.models.user import RoleScope
from app.services import adjustment, annual_plan, commitment, funds, review
from app.services.access import bump
from app.services.project import committed_amount
from app.services.unit_of_work import unit_of_work
from tests.adjustments import GENERAL, GRANT, Bureau, arranged, fresh, into, out, raw
from tests.conftest import Standing
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.sql import count_statements

pytestmark = pytest.mark.usefixtures("bureau")


@pytest.fixture(scope="module")
def open_bureau(standing: Standing) -> Bureau:
    """As every test finds it."""
    with standing():
        return Bureau.open()


@pytest.fixture
def bureau(open_bureau: Bureau, session: Session) -> Bureau:
    """A test's own: it may put somebody else in a place."""
    return replace(open_bureau)


@pytest.fixture
def bound() -> Iterator[dict[int, commitment.Commitment]]:
    """A book of contracts, until contracts are a document: project → what is bound."""
    book: dict[int, commitment.Commitment] = {}
    commitment.register("contract", lambda session, ids: {pk: book[pk] for pk in ids if pk in book})
    yield book
    commitment.unregister("contract")


def refusal(bureau: Bureau, *lines: dict[str, Any], **fields: Any) -> dict[str, str]:
    """What submitting says, by field; the first problem of each, filled in."""
    row = bureau.draft(*lines, **fields)
    with pytest.raises(InvalidInput) as excinfo:
        adjustment.submit(bureau.drafter, row.id, row.version)
    return {name: found[0].message % found[0].params for name, found in excinfo.value.fields.items()}


class TestMovingFunds:
    def test_bureau_drafts_leader_and_finance_approve_and_the_money_has_moved(
        self, session: Session, bureau: Bureau
    ) -> None:
        giver, taker = bureau.project("1000.00"), bureau.project("500.00")
        row = bureau.submitted(out(giver, "300.00"), into(taker, "300.00"))
        assert row.code.startswith("TZ2026-") and row.status is DocumentStatus.IN_REVIEW
        assert arranged(session, giver) == Decimal("1000.00"), "nothing moves before finance approves"
        bureau.approve(row, bureau.leader)
        assert arranged(session, giver) == Decimal("1000.00")
        bureau.approve(row, bureau.finance)

        assert fresh(row).status is DocumentStatus.APPROVED
        assert arranged(session, giver) == Decimal("700.00")
        assert arranged(session, taker) == Decimal("800.00")
        initial, step = funds.chain(session, giver.id)
        assert (initial.kind, initial.balance) == ("INITIAL", Decimal("1000.00"))
        assert (step.amount, step.balance, step.document_id, step.document_no) == (
            Decimal("-300.00"),
            Decimal("700.00"),
            row.id,
            "开财〔2026〕8号",
        )
        assert step.by_id == bureau.finance.user_id
        assert funds.broken_chains(session) == []

    def test_a_supplement_only_gives_and_a_withdrawal_only_takes(
        self, session: Session, bureau: Bureau
    ) -> None:
        project = bureau.project("1000.00")
        bureau.approve(bureau.submitted(into(project, "0.01"), kind="ADD"))
        assert arranged(session, project) == Decimal("1000.01")
        bureau.approve(bureau.submitted(out(project, "1000.01"), kind="WITHDRAW"))
        assert arranged(session, project) == Decimal("0.00"), "all of it may be taken back"
        assert "lines.0.direction" in refusal(bureau, into(project, "1.00"), kind="WITHDRAW")
        assert "lines.0.direction" in refusal(bureau, out(project, "1.00"), kind="ADD")

    def test_a_channel_that_the_project_did_not_have_begins_at_nothing(
        self, session: Session, bureau: Bureau
    ) -> None:
        project = bureau.project("1000.00")
        row = bureau.submitted(into(project, "50.00", GRANT), kind="ADD")
        assert (row.lines[0].amount_before, row.lines[0].amount_after) == (Decimal("0.00"), Decimal("50.00"))
        bureau.approve(row)
        assert funds.channel_balances(session, [project.id]) == {
            project.id: {GENERAL: Decimal("1000.00"), GRANT: Decimal("50.00")}
        }

    def test_funds_change_their_channel_within_two_documents_only(self, bureau: Bureau) -> None:
        project = bureau.project()
        said = refusal(bureau, out(project, "10.00"), into(project, "10.00", GRANT))
        assert said == {
            "lines.1.direction": "Row 1 moves funds of the same project the other way. One document either"
            " takes from a project or gives to it."
        }


class TestLimits:
    @pytest.mark.parametrize(("given", "difference"), [("299.99", "0.01"), ("300.01", "-0.01")])
    def test_both_sides_are_equal_to_the_cent(self, bureau: Bureau, given: str, difference: str) -> None:
        said = refusal(bureau, out(bureau.project(), "300.00"), into(bureau.project(), given))
        assert said == {
            "lines": f"300.00 yuan are transferred out and {given} yuan in;"
            f" the difference is {difference} yuan."
        }

    def test_equal_sides_pass(self, bureau: Bureau) -> None:
        row = bureau.submitted(
            out(bureau.project(), "300.00"), into(bureau.project(), "299.99"), into(bureau.project(), "0.01")
        )
        assert row.out_amount == row.in_amount == Decimal("300.00")

    @pytest.mark.parametrize(("amount", "passes"), [("999.99", True), ("1000.00", True), ("1000.01", False)])
    def test_no_more_than_the_channel_has(self, bureau: Bureau, amount: str, passes: bool) -> None:
        project = bureau.project("1000.00")
        if passes:
            bureau.submitted(out(project, amount), kind="WITHDRAW")
            return
        said = refusal(bureau, out(project, amount), kind="WITHDRAW")
        assert said == {
            "lines.0.amount": f"{project.code} has only 1,000.00 yuan of this channel;"
            " 1,000.01 yuan cannot be taken out."
        }

    def test_a_channel_is_not_helped_by_another(self, bureau: Bureau) -> None:
        project = bureau.project("1000.00", channels={GENERAL: "600.00", GRANT: "400.00"})
        assert "lines.0.amount" in refusal(bureau, out(project, "600.01"), kind="WITHDRAW")
        bureau.submitted(out(project, "600.00"), out(project, "400.00", GRANT), kind="WITHDRAW")

    @pytest.mark.parametrize(("amount", "passes"), [("199.99", True), ("200.00", True), ("200.01", False)])
    def test_no_less_than_what_is_contracted(
        self, bureau: Bureau, bound: dict[int, commitment.Commitment], amount: str, passes: bool
    ) -> None:
        project = bureau.project("1000.00", stage=Stage.CONTRACTED)
        bound[project.id] = commitment.Commitment(Decimal("800.00"), "HT2026-00017")
        if passes:
            bureau.submitted(out(project, amount), kind="WITHDRAW")
            return
        assert refusal(bureau, out(project, amount), kind="WITHDRAW") == {
            "lines.0.amount": f"{project.code} would keep 799.99 yuan, but 800.00 yuan are bound already by"
            " HT2026-00017."
        }

    def test_what_is_contracted_counts_over_all_channels_and_rows(
        self, bureau: Bureau, bound: dict[int, commitment.Commitment]
    ) -> None:
        project = bureau.project("1000.00", channels={GENERAL: "600.00", GRANT: "400.00"})
        bound[project.id] = commitment.Commitment(Decimal("800.00"), "HT2026-00017")
        assert "lines.1.amount" in refusal(
            bureau, out(project, "100.00"), out(project, "100.01", GRANT), kind="WITHDRAW"
        )
        bureau.submitted(out(project, "100.00"), out(project, "100.00", GRANT), kind="WITHDRAW")

    def test_a_contract_larger_than_its_budget_does_not_stop_a_supplement(
        self, bureau: Bureau, bound: dict[int, commitment.Commitment]
    ) -> None:
        project = bureau.project("1000.00")
        bound[project.id] = commitment.Commitment(Decimal("1500.00"), "HT2026-00017")
        assert bureau.submitted(into(project, "100.00"), kind="ADD").status is DocumentStatus.IN_REVIEW

    @pytest.mark.parametrize(
        ("stage", "passes"),
        [
            (Stage.DECLARED, False),
            (Stage.PLANNED, True),
            (Stage.OPERATION, True),
            (Stage.CLOSED, False),
            (Stage.TERMINATED, False),
            (Stage.REJECTED, False),
        ],
    )
    def test_only_projects_in_the_plan_and_not_closed(
        self, bureau: Bureau, stage: Stage, passes: bool
    ) -> None:
        project = bureau.project("1000.00", stage=stage)
        if passes:
            bureau.submitted(into(project, "1.00"), kind="ADD")
            return
        said = refusal(bureau, into(project, "1.00"), kind="ADD")
        assert list(said) == ["lines.0.project_id"] and project.code in said["lines.0.project_id"]

    def test_a_project_without_an_arranged_budget_has_nothing_to_adjust(self, bureau: Bureau) -> None:
        project = bureau.project(None)
        assert refusal(bureau, into(project, "1.00"), kind="ADD") == {
            "lines.0.project_id": f"No budget has been arranged for {project.code} yet, so there is"
            " nothing to adjust."
        }

    @pytest.mark.parametrize("amount", ["1.005", "-1", "0", "x"])
    def test_amounts_are_positive_and_have_two_decimals(self, bureau: Bureau, amount: str) -> None:
        project = bureau.project()
        if amount == "0":
            assert "lines.0.amount" in refusal(bureau, out(project, amount), kind="WITHDRAW")
            return
        with pytest.raises(InvalidInput) as excinfo:
            bureau.draft(out(project, amount))
        assert set(excinfo.value.fields) == {"lines.0.amount"}

    def test_a_row_twice(self, bureau: Bureau) -> None:
        project = bureau.project()
        said = refusal(bureau, out(project, "1.00"), out(project, "2.00"), kind="WITHDRAW")
        assert list(said) == ["lines.1.channel"] and "Row 1" in said["lines.1.channel"]

    def test_what_is_missing_is_said_beside_each_field(self, bureau: Bureau) -> None:
        row = adjustment.create(bureau.drafter, {"lines": [{"amount": ""}]})
        with pytest.raises(InvalidInput) as excinfo:
            adjustment.submit(bureau.drafter, row.id, row.version)
        assert set(excinfo.value.fields) == {
            *("title", "basis_no", "basis_date", "reason", "attachments.ADJUSTMENT"),
            *(f"lines.0.{cell}" for cell in ("project_id", "direction", "channel", "amount")),
        }

    def test_the_adjustment_document_has_to_be_attached(self, bureau: Bureau) -> None:
        said = refusal(bureau, into(bureau.project(), "1.00"), kind="ADD", attach=False)
        assert list(said) == ["attachments.ADJUSTMENT"]

    def test_the_basis_is_published(self, bureau: Bureau) -> None:
        assert "basis_date" in refusal(
            bureau, into(bureau.project(), "1.00"), kind="ADD", basis_date="2098-01-01"
        )


class TestStaleFigures:
    def test_at_submission(self, session: Session, bureau: Bureau) -> None:
        project = bureau.project("1000.00")
        row = bureau.draft(out(project, "300.00"), kind="WITHDRAW")
        bureau.approve(bureau.submitted(out(project, "100.00"), kind="WITHDRAW"))
        with pytest.raises(InvalidInput) as excinfo:
            adjustment.submit(bureau.drafter, row.id, row.version)
        (problem,) = excinfo.value.fields["lines.0.amount_before"]
        assert (problem.params["seen"], problem.params["now"]) == ("1,000.00", "900.00")

        looked_again = {**out(project, "300.00"), "amount_before": "900.00"}
        row = adjustment.save(bureau.drafter, row.id, row.version, {"lines": [looked_again]})
        adjustment.submit(bureau.drafter, row.id, row.version)

    def test_at_the_approval_naming_the_figure_and_nothing_moves(
        self, session: Session, bureau: Bureau
    ) -> None:
        first, second = bureau.project("1000.00"), bureau.project("1000.00")
        slow = bureau.submitted(out(first, "300.00"), into(second, "300.00"))
        quick = bureau.submitted(into(second, "5.00"), kind="ADD")
        bureau.approve(quick)
        bureau.approve(slow, bureau.leader)
        with pytest.raises(Conflict) as excinfo:
            bureau.approve(slow, bureau.finance)
        assert second.code in str(excinfo.value.params["project"])
        assert (excinfo.value.params["seen"], excinfo.value.params["now"]) == ("1,000.00", "1,005.00")
        session.rollback()
        assert arranged(session, first) == Decimal("1000.00"), "not even the row that was right"
        assert fresh(slow).status is DocumentStatus.IN_REVIEW

    def test_a_contract_signed_meanwhile_stops_the_approval(
        self, session: Session, bureau: Bureau, bound: dict[int, commitment.Commitment]
    ) -> None:
        project = bureau.project("1000.00")
        row = bureau.submitted(out(project, "300.00"), kind="WITHDRAW")
        bureau.approve(row, bureau.leader)
        bound[project.id] = commitment.Commitment(Decimal("700.01"), "HT2026-00017")
        with pytest.raises(Conflict) as excinfo:
            bureau.approve(row, bureau.finance)
        assert excinfo.value.params["documents"] == "HT2026-00017"

    def test_a_project_closed_meanwhile_stops_the_approval(self, session: Session, bureau: Bureau) -> None:
        project = bureau.project("1000.00")
        row = bureau.submitted(out(project, "300.00"), kind="WITHDRAW")
        bureau.approve(row, bureau.leader)
        with unit_of_work(SYSTEM):
            session.get_one(Project, project.id).stage = Stage.CLOSED
        with pytest.raises(Conflict, match="stage"):
            bureau.approve(row, bureau.finance)


class TestInitialAmount:
    def arrange(self, session: Session, bureau: Bureau, project: Project, amount: str) -> None:
        plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == project.id)).one()
        annual_plan.arrange(bureau.finance, project.id, plan.version, amount, confirmed=amount)

    def test_a_correction_keeps_the_adjustments(self, session: Session, bureau: Bureau) -> None:
        project = bureau.project("1000.00", channels={GENERAL: "600.00", GRANT: "400.00"})
        bureau.approve(bureau.submitted(out(project, "100.00"), kind="WITHDRAW"))
        self.arrange(session, bureau, project, "2000.00")
        assert arranged(session, project) == Decimal("1900.00")
        general, grant = funds.per_channel(funds.chain(session, project.id))
        assert (general.initial, general.moved_out, general.arranged) == (
            Decimal("1200.00"),
            Decimal("100.00"),
            Decimal("1100.00"),
        )
        assert (grant.initial, grant.arranged) == (Decimal("800.00"), Decimal("800.00"))
        assert funds.broken_chains(session) == []

    @pytest.mark.parametrize(("amount", "passes"), [("800.01", True), ("800.00", True), ("799.99", False)])
    def test_not_below_what_is_contracted(
        self,
        session: Session,
        bureau: Bureau,
        bound: dict[int, commitment.Commitment],
        amount: str,
        passes: bool,
    ) -> None:
        project = bureau.project("1000.00")
        bound[project.id] = commitment.Commitment(Decimal("800.00"), "HT2026-00017")
        if passes:
            self.arrange(session, bureau, project, amount)
            return
        with pytest.raises(InvalidInput) as excinfo:
            self.arrange(session, bureau, project, amount)
        assert excinfo.value.fields["amount"][0].params["documents"] == "HT2026-00017"

    def test_the_same_amount_again_adds_no_step(self, session: Session, bureau: Bureau) -> None:
        project = bureau.project("1000.00")
        self.arrange(session, bureau, project, "1000.00")
        assert len(funds.chain(session, project.id)) == 1


class TestWho:
    def test_a_units_handler_neither_drafts_nor_sees_adjustments(self, bureau: Bureau) -> None:
        unit = make_unit()
        project, handler = bureau.project(unit=unit), make_actor("unit_handler", unit)
        with pytest.raises(NotAllowed):
            adjustment.create(handler, raw(out(project, "1.00")))

    def test_finance_does_not_draft(self, bureau: Bureau) -> None:
        with pytest.raises(NotAllowed):
            adjustment.create(bureau.finance, raw(out(bureau.project(), "1.00")))

    def test_no_project_of_another_scope(self, session: Session, bureau: Bureau) -> None:
        within, beyond = make_unit(), bureau.project()
        user = make_user("bureau_reviewer", within)
        with unit_of_work(SYSTEM):
            role = session.scalars(
                select(RoleScope)
                .join(Role, Role.id == RoleScope.role_id)
                .where(Role.name == "bureau_reviewer")
            ).one()
            role.scope = DataScope.UNIT_TREE
            bump(session)
        with pytest.raises(InvalidInput) as excinfo:
            adjustment.create(actor_of(user), raw(out(beyond, "1.00")))
        assert set(excinfo.value.fields) == {"lines.0.project_id"}

    def test_the_drafter_does_not_approve_his_own(self, session: Session, bureau: Bureau) -> None:
        both = make_actor("bureau_reviewer,bureau_leader", bureau.unit)
        bureau.drafter = both
        row = bureau.submitted(into(bureau.project(), "1.00"), kind="ADD")
        assert review.open_task(both, "adjustment", row.id) is None

    def test_an_approved_adjustment_is_never_changed(self, bureau: Bureau) -> None:
        row = bureau.submitted(into(bureau.project(), "1.00"), kind="ADD")
        bureau.approve(row)
        row = fresh(row)
        for deed in (
            lambda: adjustment.save(bureau.drafter, row.id, row.version, {"title": "x"}),
            lambda: adjustment.recycle(bureau.drafter, row.id, row.version),
            lambda: adjustment.withdraw(bureau.drafter, row.id, row.version),
            lambda: adjustment.submit(bureau.drafter, row.id, row.version),
        ):
            with pytest.raises((Conflict, NotAllowed, StaleVersion)):
                deed()

    def test_returned_revised_and_submitted_again(self, session: Session, bureau: Bureau) -> None:
        project = bureau.project("1000.00")
        row = bureau.submitted(into(project, "1.00"), kind="ADD")
        task = review.open_task(bureau.leader, "adjustment", row.id)
        assert task is not None
        review.act(bureau.leader, task.id, "return", version=task.version, opinion="金额有误。")
        row = fresh(row)
        assert row.status is DocumentStatus.RETURNED
        row = adjustment.save(bureau.drafter, row.id, row.version, {"lines": [into(project, "2.00")]})
        bureau.approve(fresh(adjustment.submit(bureau.drafter, row.id, row.version)))
        assert arranged(session, project) == Decimal("1002.00")


def about_finance(findings: Sequence[review.Finding]) -> list[review.Finding]:
    """What speaks of a role that has to review; the check also says who is missing in this empty office."""
    return [each for each in findings if "source" in each.problem.params]


class TestFlow:
    def test_a_flow_without_finance_cannot_be_published(self, session: Session) -> None:
        published = session.scalars(
            select(FlowDefinition).where(
                FlowDefinition.document_kind == "adjustment", FlowDefinition.state == FlowState.PUBLISHED
            )
        ).one()
        admin = make_actor("sys_admin")
        draft = review.draft_of(admin, published.id)
        assert about_finance(review.findings(session, draft)) == []
        with unit_of_work(SYSTEM):
            draft.steps = [step for step in draft.steps if step.role_name != "finance"]
        (found,) = about_finance(review.findings(session, draft))
        assert found.problem.params == {"role": "财政局", "source": "预算法第七十二条"}
        with pytest.raises(InvalidInput):
            review.publish(admin, draft.id, revision=draft.revision)

    @pytest.mark.parametrize("excuse", [{"optional": True}, {"switch": "review.unit_leader_step"}])
    def test_nor_one_that_may_skip_it(self, session: Session, excuse: dict[str, Any]) -> None:
        def step(seq: int, role: str, **fields: Any) -> FlowStep:
            kind = AssigneeKind.ROLE
            return FlowStep(
                seq=seq,
                code=role,
                name_zh=role,
                name_en=role,
                conditions=[],
                users=[],
                assignee_kind=kind,
                role_name=role,
                **fields,
            )

        with unit_of_work(SYSTEM):
            draft = FlowDefinition(
                document_kind="adjustment",
                name="调整",
                version=99,
                state=FlowState.DRAFT,
                steps=[step(1, "bureau_leader"), step(2, "finance", **excuse)],
            )
            session.add(draft)
            session.flush()
        (found,) = about_finance(review.findings(session, draft))
        assert found.problem.params["source"] == "预算法第七十二条"


class TestCommitments:
    def test_the_largest_kind_counts_and_nothing_is_left_out(
        self, session: Session, bound: dict[int, commitment.Commitment]
    ) -> None:
        bound[1] = commitment.Commitment(Decimal("800.00"), "HT2026-00017")
        paid = {1: commitment.Commitment(Decimal("300.00"), "BF2026-00001")}
        commitment.register("disbursement", lambda session, ids: paid)
        try:
            assert committed_amount(session, [1, 2]) == {1: bound[1]}
        finally:
            commitment.unregister("disbursement")


def test_the_check_of_all_chains_is_one_statement_and_finds_a_forged_figure(
    session: Session, bureau: Bureau
) -> None:
    project = bureau.project("1000.00")
    with count_statements() as seen:
        assert funds.broken_chains(session) == []
    assert len(seen) == 1
    with unit_of_work(SYSTEM):
        session.scalars(
            select(AnnualPlan).where(AnnualPlan.project_id == project.id)
        ).one().initial_amount = 1
    (broken,) = funds.broken_chains(session)
    assert (broken.code, broken.initial_plan, broken.initial_ledger) == (
        project.code,
        Decimal(1),
        Decimal("1000.00"),
    )
