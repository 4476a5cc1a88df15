"""Whatever is arranged, corrected and adjusted, in whatever order: the chain holds (invariant 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from threading import Barrier

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, DomainError, InvalidInput
from app.core.funds import share_out
from app.extensions import db
from app.models.annual_plan import AnnualPlan
from app.models.project import Project, ProjectFundEntry
from app.services import adjustment, annual_plan, funds, review
from app.services.unit_of_work import current_session
from tests.adjustments import GENERAL, GRANT, Bureau, arranged, into, out, task_of
from tests.conftest import OwnDatabase, Standing, anew

CENTS = st.integers(0, 200_000).map(lambda cents: f"{Decimal(cents) / 100:.2f}")
CHANNELS = st.sampled_from([GENERAL, GRANT, "BOND"])
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["IN", "OUT"]), CHANNELS, CENTS), min_size=1, max_size=4
)
TRANSFER = st.tuples(st.permutations(range(3)), CHANNELS, CHANNELS, CENTS).map(
    lambda drawn: [(drawn[0][0], "OUT", drawn[1], drawn[3]), (drawn[0][1], "IN", drawn[2], drawn[3])]
)
"""From one project to another, both sides equal: most of these are legal."""

STEPS = st.one_of(
    st.tuples(st.just("adjust"), st.just("TRANSFER"), TRANSFER),
    st.tuples(st.just("arrange"), st.integers(0, 2), CENTS),
    st.tuples(st.just("adjust"), st.sampled_from(["TRANSFER", "ADD", "WITHDRAW"]), ROWS),
)


@given(
    amount=st.integers(0, 10**16 - 1).map(lambda cents: Decimal(cents) / 100),
    weights=st.dictionaries(
        st.text("ABC", min_size=1, max_size=3),
        st.integers(0, 10**16 - 1).map(lambda cents: Decimal(cents) / 100),
        min_size=1,
        max_size=8,
    ),
)
def test_shares_add_up_to_the_cent_and_none_is_far_from_its_part(
    amount: Decimal, weights: dict[str, Decimal]
) -> None:
    parts = share_out(amount, weights)
    assert sum(parts.values()) == amount
    assert all(part >= 0 and part == round(part, 2) for part in parts.values())
    total = sum(weights.values())
    if total:
        assert all(abs(parts[key] * total - amount * weights[key]) <= total / 100 for key in weights)


@dataclass(frozen=True)
class Town:
    """A bureau, and three projects: with money of two channels, with money of one, with none."""

    bureau: Bureau
    projects: list[Project]


@pytest.fixture(scope="module")
def town(standing: Standing) -> Town:
    with standing():
        bureau = Bureau.open()
        channels = {GENERAL: "60.00", GRANT: "40.00"}
        projects = [
            bureau.project("100.00", channels=channels),
            bureau.project("50.00"),
            bureau.project(None),
        ]
        return Town(bureau, projects)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=1, max_size=8))
def test_any_order_of_arrangements_and_adjustments_keeps_every_chain(
    app: Flask, session: Session, town: Town, steps: list[tuple]
) -> None:
    """What is legal happens, what is not is refused; after each, our own sums and the database's agree."""
    with anew(app):
        _take(current_session(), town.bureau, town.projects, steps)


def _take(session: Session, bureau: Bureau, projects: list[Project], steps: list[tuple]) -> None:
    expected: list[Counter[str]] = [
        Counter({GENERAL: Decimal("60.00"), GRANT: Decimal("40.00")}),
        Counter({GENERAL: Decimal("50.00")}),
        Counter(),
    ]
    begun = [True, True, False]
    for step in steps:
        if step[0] == "arrange":
            _, place, amount = step
            if _arrange(session, bureau, projects[place], amount):
                given_now = (
                    share_out(Decimal(amount), {GENERAL: Decimal(6), GRANT: Decimal(4)})
                    if place == 0
                    else {GENERAL: Decimal(amount)}
                )
                moved = _moved(session, projects[place])
                expected[place] = Counter(
                    {c: given_now.get(c, Decimal(0)) + moved[c] for c in {*given_now, *moved}}
                )
                begun[place] = True
        else:
            _, kind, rows = step
            if _adjust(bureau, kind, [(projects[place], *rest) for place, *rest in rows]):
                for place, way, channel, amount in rows:
                    expected[place][channel] += Decimal(amount) * (1 if way == "IN" else -1)
        assert funds.broken_chains(session) == []
        for project, wanted, has in zip(projects, expected, begun, strict=True):
            total = sum(wanted.values(), Decimal("0.00"))
            assert arranged(session, project) == (total if has else None)
            found = funds.channel_balances(session, [project.id]).get(project.id, {})
            assert {c: a for c, a in found.items() if a} == {c: a for c, a in wanted.items() if a}
            assert all(balance >= 0 for balance in found.values())


def _arrange(session: Session, bureau: Bureau, project: Project, amount: str) -> bool:
    plan = session.scalars(
        select(AnnualPlan)
        .where(AnnualPlan.project_id == project.id)
        .execution_options(populate_existing=True)
    ).one()
    try:
        annual_plan.arrange(bureau.finance, project.id, plan.version, amount, confirmed=amount)
    except InvalidInput:
        return False
    return True


def _adjust(bureau: Bureau, kind: str, rows: list[tuple]) -> bool:
    lines = [
        {"project_id": project.id, "direction": way, "channel": channel, "amount": amount}
        for project, way, channel, amount in rows
    ]
    try:
        bureau.approve(bureau.submitted(*lines, kind=kind))
    except (InvalidInput, Conflict):
        return False
    return True


def _moved(session: Session, project: Project) -> Counter[str]:
    moved: Counter[str] = Counter()
    for entry in funds.chain(session, project.id):
        if not entry.kind.is_initial:
            moved[entry.channel] += entry.amount
    return moved


@pytest.fixture
def server(own_database: OwnDatabase) -> Iterator[Flask]:
    """An application whose transactions are real and seen by other connections."""
    with own_database("funding") as app:
        yield app


@pytest.fixture
def bureau(server: Flask) -> Iterator[Bureau]:
    with server.app_context():
        yield Bureau.open()
        db.session.remove()


def _both_at_once(server: Flask, bureau: Bureau, *adjustment_ids: int) -> list[str]:
    """Finance approves each in the same moment, from browsers of its own; what became of them."""
    tasks = []
    for pk in adjustment_ids:
        row = adjustment.KIND.load(current_session(), SYSTEM, pk)
        task = task_of(bureau.finance, row)
        tasks.append((task.id, task.version))
    current_session().rollback()
    start = Barrier(len(tasks))

    def approve(task: tuple[int, int]) -> str:
        with server.app_context():
            start.wait(timeout=30)
            try:
                review.act(bureau.finance, task[0], "approve", version=task[1])
            except DomainError as refused:
                return refused.message % refused.params if refused.params else type(refused).__name__
            finally:
                db.session.remove()
            return "done"

    with ThreadPoolExecutor(len(tasks)) as browsers:
        return list(browsers.map(approve, tasks))


def _ready(bureau: Bureau, *lines: dict[str, object], kind: str) -> int:
    row = bureau.submitted(*lines, kind=kind)
    bureau.approve(row, bureau.leader)
    return row.id


def test_two_adjustments_of_one_channel_at_once_the_second_is_told_the_figure(
    server: Flask, bureau: Bureau
) -> None:
    project = bureau.project("1000.00")
    first = _ready(bureau, out(project, "600.00"), kind="WITHDRAW")
    second = _ready(bureau, out(project, "300.00"), kind="WITHDRAW")
    said = sorted(_both_at_once(server, bureau, first, second), key=len)
    assert said[0] == "done"
    assert project.code in said[1] and "1,000.00" in said[1]
    session = current_session()
    left = arranged(session, project)
    assert left in (Decimal("400.00"), Decimal("700.00"))
    states = {adjustment.KIND.load(session, SYSTEM, pk).status for pk in (first, second)}
    assert states == {DocumentStatus.APPROVED, DocumentStatus.IN_REVIEW}
    assert funds.broken_chains(session) == []


def test_two_adjustments_of_two_channels_in_opposite_order_both_apply(server: Flask, bureau: Bureau) -> None:
    """Each locks both projects; in the order of their ids they never wait for each other for ever."""
    one = bureau.project("1000.00", channels={GENERAL: "600.00", GRANT: "400.00"})
    two = bureau.project("1000.00", channels={GENERAL: "600.00", GRANT: "400.00"})
    first = _ready(bureau, out(one, "100.00"), into(two, "100.00"), kind="TRANSFER")
    second = _ready(bureau, out(two, "50.00", GRANT), into(one, "50.00", GRANT), kind="TRANSFER")
    assert _both_at_once(server, bureau, first, second) == ["done", "done"]
    session = current_session()
    assert (arranged(session, one), arranged(session, two)) == (Decimal("950.00"), Decimal("1050.00"))
    assert len(funds.chain(session, one.id)) == 4
    assert funds.broken_chains(session) == []


def test_a_second_click_on_approve_moves_nothing_twice(server: Flask, bureau: Bureau) -> None:
    project = bureau.project("1000.00")
    row = _ready(bureau, out(project, "100.00"), kind="WITHDRAW")
    said = _both_at_once(server, bureau, row, row)
    assert said.count("done") == 1
    assert arranged(current_session(), project) == Decimal("900.00")


def test_the_database_refuses_a_commit_that_leaves_the_chain(server: Flask, bureau: Bureau) -> None:
    project = bureau.project("1000.00")
    with pytest.raises(Exception, match=r"(?i)foreign key"), db.engine.begin() as connection:
        connection.execute(text("UPDATE project SET arranged_amount = 5 WHERE id = :pk"), {"pk": project.id})
    with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
        connection.execute(ProjectFundEntry.__table__.delete())
    assert fresh_amount(project) == Decimal("1000.00")


def fresh_amount(project: Project) -> Decimal | None:
    current_session().rollback()
    return arranged(current_session(), project)
