"""Figures: whose rows they count, in which month, and that they add up to the fen."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.core.enums import DocumentStatus, LogLevel, Stage
from app.core.lifecycle import Milestone
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.models.project import Project
from app.services import clock, log, project, review, statistics
from app.services.demo import load_demo
from app.services.unit_of_work import unit_of_work
from tests import change as changes
from tests.factories import make_actor, make_unit
from tests.figures import day, make_declaration, make_project
from tests.sql import count_statements


@pytest.fixture
def leader(session: Session) -> Actor:
    """Somebody who sees every unit."""
    return make_actor("viewer_stats")


def of_year(actor: Actor, year: int) -> statistics.YearFigure:
    figures = statistics.years(statistics.by_stage(actor))
    return next((figure for figure in figures if figure.year == year), statistics.YearFigure(year))


class TestWhoseRowsAreCounted:
    def test_a_handler_counts_his_unit_and_what_is_below_it(self, leader: Actor) -> None:
        bureau = make_unit("市公安局(统计)")
        brigade = make_unit("交警大队(统计)", parent=bureau)
        school = make_unit("市教育局(统计)")
        for unit in (bureau, brigade, school):
            make_project(unit, requested="31900.00")
        handler = make_actor("unit_handler", bureau)
        assert of_year(handler, 2027).projects == 2
        assert of_year(leader, 2027).projects == 3
        named = {figure.name for figure in statistics.by_unit(handler, 2027).named}
        assert named == {"市公安局(统计)", "交警大队(统计)"}
        assert sum(figure.projects for figure in statistics.by_month(handler, 2027)) == 2

    def test_whoever_may_read_no_project_counts_none(self, session: Session) -> None:
        make_project(make_unit())
        administrator = make_actor("sys_admin")
        assert statistics.by_stage(administrator) == []
        assert statistics.by_unit(administrator, 2027).named == []
        assert statistics.by_month(administrator, 2027) == []

    def test_the_units_to_choose_from_are_those_in_scope(self, leader: Actor) -> None:
        bureau, school = make_unit("市公安局(选择)"), make_unit("市教育局(选择)")
        below = make_unit("派出所(选择)", parent=bureau)
        assert statistics.units_in_scope(make_actor("unit_handler", bureau)) == [
            (bureau.id, bureau.name),
            (below.id, below.name),
        ]
        assert {bureau.id, school.id} <= {unit_id for unit_id, _ in statistics.units_in_scope(leader)}
        assert statistics.units_in_scope(make_actor("sys_admin")) == []


class TestAmounts:
    def test_fen_are_not_lost_in_a_sum(self, leader: Actor) -> None:
        unit = make_unit()
        for _ in range(3):
            make_project(unit, requested="0.10", arranged="0.03", stage=Stage.PLANNED)
        make_project(unit, requested="99999999999.99")
        figure = of_year(leader, 2027)
        assert figure.requested == Decimal("100000000000.29")
        assert figure.arranged == Decimal("0.09")

    def test_units_come_by_what_they_ask_for_and_the_rest_are_others(self, leader: Actor) -> None:
        units = [make_unit(f"单位之{place}") for place in range(5)]
        for place, unit in enumerate(units, start=1):
            make_project(unit, requested=f"{place}000.01", arranged=f"{place}00.00", stage=Stage.PLANNED)
        figures = statistics.by_unit(leader, 2027, top=2)
        assert [figure.name for figure in figures.named] == ["单位之4", "单位之3"]
        assert figures.other_units == 3
        assert figures.others.projects == 3
        assert figures.others.requested == Decimal("6000.03")
        assert figures.others.arranged == Decimal("600.00")

    def test_a_single_other_unit_keeps_its_name(self, leader: Actor) -> None:
        for place in range(3):
            make_project(make_unit(f"三个单位之{place}"))
        figures = statistics.by_unit(leader, 2027, top=2)
        assert len(figures.named) == 3
        assert figures.other_units == 0

    def test_another_year_is_another_figure(self, leader: Actor) -> None:
        unit = make_unit()
        make_project(unit, year=2026, requested="5.00")
        make_project(unit, year=2027, requested="7.00")
        assert of_year(leader, 2026).requested == Decimal("5.00")
        assert statistics.by_unit(leader, 2026).named[0].requested == Decimal("5.00")


class TestMonths:
    @pytest.mark.parametrize(
        ("moment", "month"),
        [
            ("2026-02-28T15:59:59+00:00", "2026-02"),
            ("2026-02-28T16:00:00+00:00", "2026-03"),
            ("2026-12-31T16:00:00+00:00", "2027-01"),
        ],
    )
    def test_a_month_begins_at_midnight_in_china(self, leader: Actor, moment: str, month: str) -> None:
        make_project(make_unit(), submitted=dt.datetime.fromisoformat(moment))
        assert [figure.month for figure in statistics.by_month(leader, 2027)] == [month]

    def test_types_are_counted_apart(self, leader: Actor) -> None:
        unit = make_unit()
        for kind in ("NEW", "NEW", "CONTINUING"):
            make_project(unit, kind=kind, submitted=day("2026-09-30"))
        assert statistics.by_month(leader, 2027) == [
            statistics.MonthFigure("2026-09", "CONTINUING", 1),
            statistics.MonthFigure("2026-09", "NEW", 2),
        ]

    def test_a_withdrawn_declaration_is_not_submitted(self, session: Session, leader: Actor) -> None:
        row = make_project(make_unit())
        with unit_of_work(SYSTEM):
            declaration = session.scalars(select(Declaration).where(Declaration.project_id == row.id)).one()
            declaration.status, declaration.submitted_at = DocumentStatus.DRAFT, None
        assert statistics.by_month(leader, 2027) == []

    def test_a_project_declared_twice_in_a_month_is_one(self, leader: Actor) -> None:
        unit = make_unit()
        row = make_project(unit, submitted=day("2026-09-02"))
        make_declaration(unit, row, status=DocumentStatus.IN_REVIEW, submitted=day("2026-09-20"))
        assert [figure.projects for figure in statistics.by_month(leader, 2027)] == [1]


class TestFunnel:
    def test_each_milestone_holds_those_that_came_further(self, leader: Actor) -> None:
        unit = make_unit()
        for stage in (Stage.DECLARED, Stage.REJECTED, Stage.TERMINATED, Stage.PLANNED, Stage.CONTRACTED):
            make_project(unit, stage=stage)
        figures = statistics.funnel(statistics.by_stage(leader), 2027)
        assert {figure.milestone: figure.projects for figure in figures} == {
            Milestone.DECLARED: 5,
            Milestone.PLANNED: 2,
            Milestone.SCHEME: 1,
            Milestone.APPROVED: 1,
            Milestone.CONTRACTED: 1,
            Milestone.AWAITING: 0,
            Milestone.ACCEPTED: 0,
        }

    def test_it_never_widens(self, session: Session, leader: Actor) -> None:
        load_demo("Demo-2026-kaiping", 120, 7)
        stages = statistics.by_stage(leader)
        for figure in statistics.years(stages):
            counts = [step.projects for step in statistics.funnel(stages, figure.year)]
            assert counts == sorted(counts, reverse=True)
            assert counts[0] == figure.projects


def test_the_first_year_shown_is_the_one_declared_for() -> None:
    now = day("2026-11-22")
    years = [statistics.YearFigure(year, 1) for year in (2025, 2027)]
    assert statistics.year_of(years, now) == 2027
    assert statistics.year_of(years[:1], now) == 2025
    assert statistics.year_of([], now) == 2027


def test_every_figure_is_one_statement(leader: Actor) -> None:
    make_project(make_unit())
    questions = (
        lambda: statistics.by_stage(leader),
        lambda: statistics.by_unit(leader, 2027),
        lambda: statistics.by_month(leader, 2027),
        lambda: statistics.budget_years(leader),
        lambda: statistics.units_in_scope(leader),
        lambda: statistics.desk(leader),
        lambda: statistics.security_state(leader),
    )
    for ask in questions:
        with count_statements() as sent:
            ask()
        assert len(sent) == 1, sent


class TestOwnWork:
    def test_drafts_and_returned_of_my_unit_alone(self, session: Session) -> None:
        mine, other = make_unit(), make_unit()
        make_declaration(mine, title="草稿一")
        make_declaration(mine, title="退回一", status=DocumentStatus.RETURNED, submitted=utcnow())
        make_declaration(mine, title="已删除", status=DocumentStatus.RECYCLED)
        make_declaration(other, title="别的单位")
        handler = make_actor("unit_handler", mine)
        desk = statistics.desk(handler)
        assert desk.filling["declaration"] == statistics.Filling(drafts=1, returned=1)
        assert (desk.drafts, desk.returned) == (1, 1)
        assert [draft.title for draft in statistics.own_drafts(handler)] == ["退回一", "草稿一"]

    def test_a_change_request_waits_on_the_workbench_like_a_declaration(self, session: Session) -> None:
        unit = make_unit()
        handler, bureau = make_actor("unit_handler", unit), changes.make_bureau()
        project = changes.planned_project(handler, bureau, changes.of_amount("31900.00"))
        request = changes.drafted(handler, project)
        found = statistics.desk(handler)
        assert found.filling["change"] == statistics.Filling(drafts=1, returned=0)
        assert found.filling["declaration"] == statistics.Filling(0, 0)
        (waiting,) = statistics.own_drafts(handler)
        assert (waiting.kind, waiting.id, waiting.title) == ("change", request.id, project.title)


class TestTheOffice:
    def test_a_worker_that_beats_is_alive_and_one_that_stopped_is_not(self, session: Session) -> None:
        administrator = make_actor("sys_admin")
        assert not statistics.office_state(administrator).alive
        clock.record_run(clock.BEATS, utcnow(), "worker-1")
        clock.record_run("scan_alerts", utcnow(), "worker-1", failed=True)
        state = statistics.office_state(administrator)
        assert state.alive
        assert state.failed_jobs == ["scan_alerts"]
        assert not statistics.office_state(administrator, utcnow() + dt.timedelta(minutes=10)).alive

    def test_it_is_told_only_to_those_who_keep_it(self, session: Session) -> None:
        clock.record_run(clock.BEATS, utcnow(), "worker-1")
        assert list(statistics.office_state(make_actor("unit_handler")).jobs) == []

    def test_the_log_is_counted_by_level(self, session: Session) -> None:
        auditor = make_actor("audit_admin")
        before = {figure.level: figure.entries for figure in statistics.log_figures(auditor)}
        with unit_of_work(SYSTEM) as work:
            log.record(work, SYSTEM, "TEST", summary="出错了", level=LogLevel.ERROR)
        after = {figure.level: figure.entries for figure in statistics.log_figures(auditor)}
        assert list(after) == [LogLevel.ERROR, LogLevel.WARNING, LogLevel.INFO]
        assert after[LogLevel.ERROR] == before[LogLevel.ERROR] + 1
        assert statistics.recent_warnings(auditor)[0].summary == "出错了"
        assert all(figure.entries == 0 for figure in statistics.log_figures(make_actor("sys_admin")))


def test_the_summary_asks_in_a_cheap_way_for_what_the_engine_says(session: Session) -> None:
    """The list decides by stage where it can; the engine's own answer has to be the same set."""
    load_demo("Demo-2026-kaiping", 150, 3)
    passed = review.passed_step("declaration", project.FIRST_REVIEW)
    expected = set(session.scalars(select(Declaration.project_id).where(Declaration.id.in_(passed))))
    listed = select(Project.id).where(policy.criterion(make_actor("finance"), Project), project.in_summary())
    assert set(session.scalars(listed)) == expected
    assert expected
