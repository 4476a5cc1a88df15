"""When a step is decided, and whose turn is next: pure functions of its tasks."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.flow import Quorum, TaskKind, TaskState, Verb
from app.models.flow import FlowStep, Task


def counted(tasks: Iterable[Task]) -> list[Task]:
    """The tasks a quorum counts: the step's own reviewers, not signers added by one of them, nor tasks
    that were handed to somebody else."""
    return [
        task
        for task in tasks
        if task.kind is TaskKind.STEP
        and task.state is not TaskState.CANCELLED
        and task.decision is not Verb.TRANSFER
    ]


def needed(step: FlowStep, reviewers: int) -> int:
    """How many of so many reviewers have to approve; a share is rounded up."""
    match step.quorum:
        case Quorum.ANY:
            return min(1, reviewers)
        case Quorum.ALL | Quorum.SEQUENCE:
            return reviewers
        case Quorum.SHARE:
            return -(-reviewers * (step.share_percent or 100) // 100)


def is_met(step: FlowStep, tasks: Iterable[Task]) -> bool:
    """Have enough of the step's own reviewers approved?"""
    own = counted(tasks)
    approvals = sum(task.decision is Verb.APPROVE for task in own)
    return approvals >= needed(step, len(own)) > 0


def next_in_sequence(step: FlowStep, tasks: Iterable[Task]) -> Task | None:
    """The reviewer whose turn it is now, when the step goes in sequence and nobody before him is left."""
    if step.quorum is not Quorum.SEQUENCE:
        return None
    undecided = sorted(
        (task for task in counted(tasks) if task.state is not TaskState.DONE), key=lambda task: task.seq
    )
    first = undecided[0] if undecided else None
    # Whoever has it already may be waiting for a delegate or a signer before him.
    return first if first is not None and first.arrived_at is None else None
