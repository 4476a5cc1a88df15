"""The engine's pure parts as tables: quorums, conditions, and the registry that refuses gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.core.flow import Operator, Quorum, TaskKind, TaskState, Verb
from app.models.declaration import Declaration
from app.models.flow import FlowStep, Task
from app.workflow import quorum, registry
from app.workflow.conditions import holds, problem
from app.workflow.registry import FieldKind, IncompleteRegistry, ReviewableDocument


@pytest.mark.parametrize(
    ("how", "percent", "reviewers", "approvals_needed"),
    [
        (Quorum.ANY, None, 1, 1),
        (Quorum.ANY, None, 20, 1),
        (Quorum.ALL, None, 3, 3),
        (Quorum.SEQUENCE, None, 3, 3),
        (Quorum.SHARE, 50, 4, 2),
        (Quorum.SHARE, 50, 5, 3),
        (Quorum.SHARE, 67, 3, 3),
        (Quorum.SHARE, 66, 3, 2),
        (Quorum.SHARE, 1, 20, 1),
        (Quorum.SHARE, 100, 7, 7),
    ],
)
def test_how_many_have_to_approve(
    how: Quorum, percent: int | None, reviewers: int, approvals_needed: int
) -> None:
    step = FlowStep(quorum=how, share_percent=percent)
    tasks = [Task(kind=TaskKind.STEP, state=TaskState.OPEN, seq=seq) for seq in range(reviewers)]
    for approved, task in enumerate(tasks):
        assert quorum.is_met(step, tasks) == (approved >= approvals_needed)
        task.state, task.decision = TaskState.DONE, Verb.APPROVE
    assert quorum.is_met(step, tasks)


def test_added_signers_and_tasks_handed_on_do_not_count() -> None:
    step = FlowStep(quorum=Quorum.ALL)
    tasks = [
        Task(kind=TaskKind.STEP, state=TaskState.DONE, decision=Verb.TRANSFER),
        Task(kind=TaskKind.PARALLEL, state=TaskState.DONE, decision=Verb.APPROVE),
        Task(kind=TaskKind.STEP, state=TaskState.CANCELLED),
    ]
    assert not quorum.is_met(step, tasks)
    tasks.append(Task(kind=TaskKind.STEP, state=TaskState.DONE, decision=Verb.APPROVE))
    assert quorum.is_met(step, tasks)


@pytest.mark.parametrize(
    ("kind", "operator", "expected", "actual", "met"),
    [
        (FieldKind.AMOUNT, "GE", "1000000.00", Decimal("999999.99"), False),
        (FieldKind.AMOUNT, "GE", "1000000.00", Decimal("1000000.00"), True),
        (FieldKind.AMOUNT, "GE", "1000000.00", Decimal("1000000.01"), True),
        (FieldKind.AMOUNT, "LT", "1000000", Decimal("999999.99"), True),
        (FieldKind.AMOUNT, "EQ", "31900", Decimal("31900.00"), True),
        (FieldKind.AMOUNT, "NE", "31900", None, True),
        (FieldKind.AMOUNT, "GE", "0", None, False),
        (FieldKind.CODE, "EQ", "NEW", "NEW", True),
        (FieldKind.CODE, "EQ", "NEW", None, False),
        (FieldKind.CODE, "IN", ["NEW", "OPERATION"], "OPERATION", True),
        (FieldKind.CODE, "NOT_IN", ["NEW"], "NEW", False),
        (FieldKind.CODES, "EQ", "BOND", frozenset({"BUDGET", "BOND"}), True),
        (FieldKind.CODES, "NE", "BOND", frozenset({"BUDGET", "BOND"}), False),
        (FieldKind.CODES, "IN", ["OTHER", "BOND"], frozenset({"BUDGET"}), False),
        (FieldKind.CODES, "NOT_IN", ["OTHER"], frozenset(), True),
        (FieldKind.FLAG, "EQ", True, False, False),
        (FieldKind.FLAG, "NE", True, False, True),
        (FieldKind.UNIT, "EQ", 7, "/1/7/31/", False),
        (FieldKind.UNIT, "EQ", 31, "/1/7/31/", True),
        (FieldKind.UNIT, "UNDER", 7, "/1/7/31/", True),
        (FieldKind.UNIT, "UNDER", 3, "/1/7/31/", False),
        (FieldKind.UNIT, "IN", [31, 32], "/1/7/31/", True),
    ],
)
def test_conditions_compare_by_kind(
    kind: FieldKind, operator: str, expected: Any, actual: Any, met: bool
) -> None:
    assert problem(kind, Operator(operator), expected) is None
    assert holds(kind, Operator(operator), expected, actual) is met


@pytest.mark.parametrize(
    ("kind", "operator", "expected"),
    [
        (FieldKind.AMOUNT, "GE", "a lot"),
        (FieldKind.AMOUNT, "GE", "NaN"),
        (FieldKind.AMOUNT, "GE", True),
        (FieldKind.AMOUNT, "GE", 1.1),
        (FieldKind.AMOUNT, "IN", ["1"]),
        (FieldKind.CODE, "GE", "NEW"),
        (FieldKind.CODE, "EQ", ["NEW", "OPERATION"]),
        (FieldKind.CODE, "IN", []),
        (FieldKind.CODE, "EQ", ""),
        (FieldKind.FLAG, "EQ", "yes"),
        (FieldKind.CODES, "UNDER", "7"),
    ],
)
def test_a_condition_that_makes_no_sense_is_told(kind: FieldKind, operator: str, expected: Any) -> None:
    assert problem(kind, Operator(operator), expected)


class TestRegistry:
    @pytest.fixture(autouse=True)
    def empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(registry, "_documents", {})

    @staticmethod
    def entry() -> ReviewableDocument[Declaration]:
        nothing = {outcome: (lambda session, actor, document: None) for outcome in registry.OUTCOMES}
        return ReviewableDocument(
            kind="declaration",
            model=Declaration,
            label="Declaration",
            title=lambda document: document.title,
            amount=lambda document: None,
            fields=(),
            **nothing,
        )

    def test_a_published_flow_without_a_service_does_not_start(self) -> None:
        with pytest.raises(IncompleteRegistry, match="declaration"):
            registry.verify(["declaration"])
        registry.register(self.entry())
        registry.verify(["declaration"])

    @pytest.mark.parametrize("outcome", registry.OUTCOMES)
    def test_nor_does_a_document_without_one_of_its_outcomes(self, outcome: str) -> None:
        registry.register(replace(self.entry(), **{outcome: None}))
        with pytest.raises(IncompleteRegistry, match=outcome):
            registry.verify([])

    def test_a_kind_belongs_to_one_model_and_bears_its_own_name(self) -> None:
        with pytest.raises(IncompleteRegistry):
            registry.register(replace(self.entry(), kind="change"))
        with pytest.raises(IncompleteRegistry):
            registry.reviewable("declaration")
