"""Loading the demo data: units, people, and every story as the rows its real journey would have left.

Rows are inserted in bulk, so that the benchmark's 100,000 projects load in minutes; the numbers, runs,
tasks and log entries are those the services would have written.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import DocumentStatus
from app.core.fiscal import PROJECT_PREFIX, DocumentCode, NatureMark, ProjectCode
from app.core.flow import RunState, TaskState, Verb
from app.core.funds import FundEntryKind, share_out
from app.core.workdays import WorkCalendar
from app.models.annual_plan import AnnualPlan
from app.models.base import utcnow
from app.models.declaration import BudgetLine, Declaration, FundingSplit, PerformanceIndicator
from app.models.dictionary import NumberSequence
from app.models.flow import FlowLog, FlowRun, FlowStep, Task
from app.models.project import Project, ProjectFundEntry, ProjectFunding
from app.models.unit import Unit
from app.models.user import AppUser
from app.services import access, history, similarity, work_calendar
from app.services.demo import units as places
from app.services.demo.adjustments import load_adjustments
from app.services.demo.changes import load_changes
from app.services.demo.flow import add_flow_draft
from app.services.demo.people import ACCOUNTS, load_people, load_units, unit_handlers
from app.services.demo.stories import Declarer, Story, in_office_hours, stories
from app.services.unit_of_work import unit_of_work
from app.workflow.case import published, steps_of

_BATCH = 1_000

_REVIEWERS = {"bureau_reviewer": "reviewer", "bureau_checker": "checker", "bureau_leader": "director"}
_OPINIONS = ("材料齐全，同意提交复核。", "同意。", "同意列入年度需求计划。")
_UNTIL_ARRANGED = dt.timedelta(days=40)
_RETURN_OPINION = "请补充预算明细的报价依据。"
_REJECT_OPINION = "与在建平台功能重复，不予立项。"


def load_demo(password: str, projects: int, seed: int = 1, now: dt.datetime | None = None) -> None:
    """Load units, one account per role, a handler for every unit, and `projects` declarations."""
    moment = now or utcnow()
    with unit_of_work(SYSTEM) as session:
        units = load_units(session)
        users = load_people(session, units, password)
        access.bump(session)
        loader = _Loader.prepare(session, units, users, moment)
        told = stories(projects, seed, [_declarer(unit) for unit in loader.declaring], moment)
        while batch := list(islice(told, _BATCH)):
            loader.add(batch)
        loader.finish()
        history.backfill(session)
        similarity.rebuild(session)
        add_flow_draft(session)
    # Changes last: what an adjustment moves would make the base of an open request stale.
    load_adjustments(users)
    load_changes(users)


def _budget_document(year: int) -> str:
    return f"示例财预〔{year}〕1号"


def _declarer(unit: Unit) -> Declarer:
    """The units of the handlers' accounts are busier, so that whoever tries them finds something to do."""
    return Declarer(unit.short_name, 6 if unit.code in (places.POLICE, places.EDUCATION) else 1)


@dataclass
class _Loader:
    """Turns stories into rows; ids are given here, so that rows refer to each other before they exist."""

    session: Session
    now: dt.datetime
    declaring: Sequence[Unit]
    handlers: dict[int, AppUser]
    leaders: dict[int, AppUser]
    reviewers: dict[str, AppUser]
    finance: AppUser
    definition_id: int
    steps: Sequence[FlowStep]
    calendar: WorkCalendar
    rows: dict[Any, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[Any, int] = field(default_factory=dict)
    numbers: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def prepare(
        cls, session: Session, units: dict[str, Unit], users: dict[str, AppUser], now: dt.datetime
    ) -> _Loader:
        """Everything the rows refer to."""
        definition = published(session, Declaration.document_kind)
        declaring = [unit for unit in units.values() if unit.kind in places.DECLARING_KINDS]
        by_role = {account.username: account.role for account in (*ACCOUNTS, *unit_handlers())}
        return cls(
            session=session,
            now=now,
            declaring=declaring,
            handlers={
                user.unit_id or 0: user for name, user in users.items() if by_role[name] == "unit_handler"
            },
            leaders={
                user.unit_id or 0: user for name, user in users.items() if by_role[name] == "unit_leader"
            },
            reviewers={role: users[name] for role, name in _REVIEWERS.items()},
            finance=users["finance"],
            definition_id=definition.id,
            steps=steps_of(session, definition.id),
            calendar=work_calendar.load_calendar(session),
            ids={
                model: session.scalar(select(func.max(model.id))) or 0
                for model in (Project, Declaration, AnnualPlan, FlowRun, Task)
            },
        )

    def add(self, batch: Sequence[Story]) -> None:
        """Insert one batch of stories."""
        for story in batch:
            self._tell(story)
        for model in (Project, ProjectFunding, Declaration, BudgetLine, FundingSplit, PerformanceIndicator):
            self._insert(model)
        for model in (AnnualPlan, ProjectFundEntry, FlowRun, Task, FlowLog):
            self._insert(model)

    def finish(self) -> None:
        """Let numbering and the database's own sequences go on after the last number given."""
        for (prefix, year), last in self.numbers.items():
            self.session.add(NumberSequence(prefix=prefix, year=year, last=last))
        if self.session.get_bind().dialect.name == "postgresql":
            for model in self.ids:
                table = model.__tablename__
                statement = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608  names of our own tables
                self.session.execute(text(statement))

    def _insert(self, model: Any) -> None:
        rows = self.rows.pop(model, [])
        if rows:
            self.session.execute(insert(model), rows)

    def _id(self, model: Any) -> int:
        self.ids[model] += 1
        return self.ids[model]

    def _number(self, prefix: str, year: int) -> int:
        self.numbers[prefix, year] += 1
        return self.numbers[prefix, year]

    def _tell(self, story: Story) -> None:
        unit = self.declaring[story.unit]
        handler = self.handlers[unit.id]
        project_id = self._project(story, unit, handler) if story.submitted_at else None
        declaration = self._declaration(story, unit, handler, project_id)
        self._rows_of(story, declaration["id"])
        if story.submitted_at is not None:
            self._review(story, declaration, unit, handler, story.submitted_at)

    def _project(self, story: Story, unit: Unit, handler: AppUser) -> int:
        project_id = self._id(Project)
        nature = NatureMark[story.nature]
        number = self._number(f"{PROJECT_PREFIX}{nature}", story.budget_year)
        common = {
            "unit_id": unit.id,
            "requested_amount": story.requested,
            "created_by_id": handler.id,
            "updated_by_id": handler.id,
            "created_at": story.submitted_at,
            "updated_at": story.submitted_at,
            "version": 1,
        }
        self.rows[Project].append(
            {
                **common,
                "id": project_id,
                "code": str(ProjectCode(story.budget_year, nature, number)),
                "title": story.title,
                "budget_year": story.budget_year,
                "nature": story.nature,
                "declaration_type": story.declaration_type,
                "stage": story.stage,
                "construction_status": story.construction_status,
                "arranged_amount": story.arranged,
                "fund_seq": None if story.arranged is None else len(story.splits),
            }
        )
        self.rows[ProjectFunding] += [
            {"project_id": project_id, "channel": channel, "amount": amount}
            for channel, amount in story.splits
        ]
        if story.status is DocumentStatus.APPROVED:
            plan_id = self._id(AnnualPlan)
            self._fund(story, project_id, plan_id)
            self.rows[AnnualPlan].append(
                {
                    **common,
                    "id": plan_id,
                    "year": story.budget_year,
                    "project_id": project_id,
                    "initial_amount": story.arranged,
                    "doc_no": _budget_document(story.budget_year) if story.arranged is not None else "",
                    "planned_at": story.submitted_at,
                }
            )
        return project_id

    def _fund(self, story: Story, project_id: int, plan_id: int) -> None:
        """The first steps of the project's chain: what the plan gives it of each channel."""
        if story.arranged is None or story.submitted_at is None:
            return
        balance = Decimal("0.00")
        for seq, (channel, amount) in enumerate(
            share_out(story.arranged, dict(story.splits)).items(), start=1
        ):
            self.rows[ProjectFundEntry].append(
                {
                    "project_id": project_id,
                    "seq": seq,
                    "previous_seq": seq - 1 or None,
                    "kind": FundEntryKind.INITIAL,
                    "channel": channel,
                    "amount": amount,
                    "balance_before": balance,
                    "balance": balance + amount,
                    "channel_balance": amount,
                    "document_kind": AnnualPlan.__tablename__,
                    "document_id": plan_id,
                    "document_no": _budget_document(story.budget_year),
                    "at": min(story.submitted_at + _UNTIL_ARRANGED, self.now),
                    "by_id": self.finance.id,
                }
            )
            balance += amount

    def _declaration(
        self, story: Story, unit: Unit, handler: AppUser, project_id: int | None
    ) -> dict[str, Any]:
        number = self._number("SB", story.budget_year)
        row = {
            "id": self._id(Declaration),
            "code": str(DocumentCode("SB", story.budget_year, number)),
            "status": story.status,
            "version": 2 if story.submitted_at else 1,
            "unit_id": unit.id,
            "project_id": project_id,
            "budget_year": story.budget_year,
            "title": story.title,
            "nature": story.nature,
            "declaration_type": story.declaration_type,
            "service_categories": ["SPECIAL_SOFTWARE" if story.nature == "NEW" else "COMPREHENSIVE"],
            "plan_channel": "IN_PLAN",
            "lead_name": f"{handler.last_name}示例",
            "lead_mobile": handler.mobile or "",
            "contact_name": handler.full_name,
            "contact_mobile": handler.mobile or "",
            "basis_codes": ["DOCUMENT"],
            "basis_text": "依据《广东省省级政务信息化服务项目管理办法》及开平市数字政府建设规划（示例）。",
            "necessity": f"{story.title}承担本单位日常业务，停用将影响群众办事与部门协同；"
            "现有合同到期后须继续提供服务，并按等级保护要求持续加固，方能保证系统安全、稳定运行。",
            "current_state": "现有系统运行多年，部分设备老化，接口与上级平台不一致（示例）。",
            "goals": "保障系统连续运行，年可用率不低于99.9%（示例）。",
            "scope_text": "；".join(line.name for line in story.lines),
            "begin_date": dt.date(story.budget_year, 1, 1),
            "end_date": dt.date(story.budget_year, 12, 31),
            "total_investment": story.requested,
            "requested_amount": story.requested,
            "mlps_level": "L3" if story.requested > 500_000 else "L2",
            "long_term_goal": "业务持续在线（示例）。",
            "annual_goal": "全年无重大故障（示例）。",
            "created_at": story.created_at,
            "updated_at": story.submitted_at or story.created_at,
            "created_by_id": handler.id,
            "updated_by_id": handler.id,
            "submitted_by_id": handler.id if story.submitted_at else None,
            "submitted_at": story.submitted_at,
        }
        self.rows[Declaration].append(row)
        return row

    def _rows_of(self, story: Story, declaration_id: int) -> None:
        self.rows[BudgetLine] += [
            {
                "declaration_id": declaration_id,
                "seq": seq,
                "subject_code": line.subject_code,
                "name": line.name,
                "spec": line.spec,
                "unit_name": line.unit_name,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "amount": line.amount,
                "basis_text": "历史合同（示例）",
                "cost_method": "HISTORY",
            }
            for seq, line in enumerate(story.lines, start=1)
        ]
        self.rows[FundingSplit] += [
            {"declaration_id": declaration_id, "seq": seq, "channel": channel, "amount": amount}
            for seq, (channel, amount) in enumerate(story.splits, start=1)
        ]
        self.rows[PerformanceIndicator] += [
            {
                "declaration_id": declaration_id,
                "seq": seq,
                "level1": level1,
                "level2": level2,
                "name": name,
                "operator": "GE",
                "target_value": "95",
                "unit_name": "%",
            }
            for seq, (level1, level2, name) in enumerate(
                (
                    ("OUTPUT", "QUALITY", "系统可用率"),
                    ("BENEFIT", "SOCIAL", "业务在线办理率"),
                    ("SATISFACTION", "SERVED", "使用人员满意度"),
                ),
                start=1,
            )
        ]

    def _review(
        self, story: Story, declaration: dict[str, Any], unit: Unit, handler: AppUser, at: dt.datetime
    ) -> None:
        """The run, its tasks and its log, step by step as the engine writes them."""
        run_id = self._id(FlowRun)
        journey = _Journey(self, story, declaration["id"], run_id, at)
        journey.log(Verb.SUBMIT, handler, None, DocumentStatus.IN_REVIEW)
        stops = [(step, reviewer) for step in self.steps if (reviewer := self._reviewer(step, unit))]
        passed = (
            len(stops) if story.status is DocumentStatus.APPROVED else min(story.steps_done, len(stops) - 1)
        )
        for place, (step, reviewer) in enumerate(stops[:passed]):
            last = place == len(stops) - 1
            journey.pass_step(step, reviewer, DocumentStatus.APPROVED if last else DocumentStatus.IN_REVIEW)
        current: FlowStep | None = None
        returned_from: FlowStep | None = None
        if passed < len(stops):
            step, reviewer = stops[passed]
            match story.status:
                case DocumentStatus.IN_REVIEW:
                    journey.wait_at(step, reviewer)
                    current = step
                case DocumentStatus.RETURNED:
                    journey.end_at(step, reviewer, Verb.RETURN, _RETURN_OPINION, story.status)
                    returned_from = step
                case DocumentStatus.REJECTED:
                    journey.end_at(step, reviewer, Verb.REJECT, _REJECT_OPINION, story.status)
                case _:
                    journey.end_at(step, reviewer, Verb.TERMINATE, "申报单位不再需要（示例）。", story.status)
        ended = story.status not in (DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED)
        declaration["finished_at"] = journey.clock if ended else None
        self.rows[FlowRun].append(
            {
                "id": run_id,
                "definition_id": self.definition_id,
                "document_kind": Declaration.document_kind,
                "document_id": declaration["id"],
                "code": declaration["code"],
                "title": story.title,
                "amount": story.requested,
                "unit_id": unit.id,
                "state": _RUN_STATES[story.status],
                "current_step_id": current.id if current else None,
                "returned_from_id": returned_from.id if returned_from else None,
                "round": 1,
                "started_by_id": handler.id,
                "started_at": at,
                "finished_at": declaration["finished_at"],
                "version": 1,
            }
        )

    def _reviewer(self, step: FlowStep, unit: Unit) -> AppUser | None:
        if step.role_name in self.reviewers:
            return self.reviewers[step.role_name]
        return self.leaders.get(unit.id)


_RUN_STATES = {
    DocumentStatus.IN_REVIEW: RunState.RUNNING,
    DocumentStatus.RETURNED: RunState.RETURNED,
    DocumentStatus.APPROVED: RunState.APPROVED,
    DocumentStatus.REJECTED: RunState.REJECTED,
    DocumentStatus.TERMINATED: RunState.TERMINATED,
}


@dataclass
class _Journey:
    """One run being told, with its own clock."""

    loader: _Loader
    story: Story
    declaration_id: int
    run_id: int
    clock: dt.datetime

    def _tick(self) -> None:
        later = self.clock + dt.timedelta(hours=9, minutes=self.story.number % 50)
        self.clock = min(in_office_hours(later), self.loader.now)

    def log(
        self, verb: Verb, user: AppUser, step: FlowStep | None, status: DocumentStatus, opinion: str = ""
    ) -> None:
        """One line of the flow log."""
        self.loader.rows[FlowLog].append(
            {
                "run_id": self.run_id,
                "document_kind": Declaration.document_kind,
                "document_id": self.declaration_id,
                "round": 1,
                "verb": verb,
                "user_id": user.id,
                "user_name": user.full_name,
                "from_step_id": step.id if step else None,
                "opinion": opinion,
                "attachment_ids": [],
                "status": status,
                "at": self.clock,
            }
        )

    def _task(self, step: FlowStep, user: AppUser, state: TaskState, decision: Verb | None) -> None:
        due = self.loader.calendar.deadline(self.clock, step.limit_days) if step.limit_days else None
        arrived = self.clock
        if state is TaskState.DONE:
            self._tick()
        self.loader.rows[Task].append(
            {
                "id": self.loader._id(Task),
                "run_id": self.run_id,
                "step_id": step.id,
                "round": 1,
                "user_id": user.id,
                "state": state,
                "arrived_at": arrived,
                "due_at": due,
                "done_at": self.clock if state is TaskState.DONE else None,
                "decision": decision,
                "acted_by_id": user.id if state is TaskState.DONE else None,
                "version": 1,
            }
        )

    def pass_step(self, step: FlowStep, user: AppUser, status: DocumentStatus) -> None:
        """The step was approved."""
        self._task(step, user, TaskState.DONE, Verb.APPROVE)
        self.log(Verb.APPROVE, user, step, status, _OPINIONS[self.story.number % len(_OPINIONS)])

    def wait_at(self, step: FlowStep, user: AppUser) -> None:
        """The step waits for its reviewer."""
        self._task(step, user, TaskState.OPEN, None)

    def end_at(self, step: FlowStep, user: AppUser, verb: Verb, opinion: str, status: DocumentStatus) -> None:
        """The step sent the document back or ended it."""
        self._task(step, user, TaskState.DONE, verb)
        self.log(verb, user, step, status, opinion)
