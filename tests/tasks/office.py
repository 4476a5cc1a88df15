"""A document under review with tasks of chosen deadlines, made straight in the tables."""

from __future__ import annotations

import datetime as dt
import itertools

from app.access.actor import SYSTEM
from app.core.flow import AssigneeKind, FlowState, TaskState
from app.core.workdays import SHANGHAI
from app.models.flow import FlowDefinition, FlowRun, FlowStep, Task
from app.models.user import AppUser
from app.services.unit_of_work import unit_of_work

_numbers = itertools.count(1)


def china(text: str) -> dt.datetime:
    """'2026-03-02 10:00' on the office's clock, in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


def make_tasks(
    user: AppUser, due: list[dt.datetime | None], *, arrived: dt.datetime, title: str = ""
) -> list[Task]:
    """One review task of `user` for each deadline, each on a document of its own."""
    number = next(_numbers)
    with unit_of_work(SYSTEM) as session:
        step = FlowStep(
            seq=1,
            code="first",
            name_zh="科室初审",
            name_en="First review",
            assignee_kind=AssigneeKind.ROLE,
            role_name="bureau_reviewer",
            limit_days=5,
        )
        definition = FlowDefinition(
            document_kind=f"test_{number}", name="初审", version=1, state=FlowState.RETIRED, steps=[step]
        )
        session.add(definition)
        session.flush()
        tasks = []
        for position, due_at in enumerate(due, start=1):
            run = FlowRun(
                definition_id=definition.id,
                document_kind=definition.document_kind,
                document_id=position,
                code=f"SB2026-{number:02d}{position:03d}",
                title=title or f"数字档案馆建设{position}",
                unit_id=user.unit_id,
                current_step_id=step.id,
            )
            session.add(run)
            session.flush()
            tasks.append(
                Task(
                    run_id=run.id,
                    step_id=step.id,
                    round=1,
                    user_id=user.id,
                    state=TaskState.OPEN,
                    arrived_at=arrived,
                    due_at=due_at,
                )
            )
        session.add_all(tasks)
        session.flush()
    return tasks


def finish(task: Task) -> None:
    """The reviewer does his task."""
    with unit_of_work(SYSTEM) as session:
        row = session.get_one(Task, task.id)
        row.state = TaskState.DONE
