"""The ledger of a review: who held a document from when to when, and for how many working days.

The office's clock runs from a submission until the document is returned to its unit or the review ends; while
it is with its unit the clock stops, and the unit's own days are counted instead. A day is counted as a limit
counts it (domain.md 9.2): the day on which something arrives is not counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.access.actor import Actor
from app.core.enums import DocumentStatus, Labelled
from app.core.flow import TaskKind, TaskState, Verb
from app.core.workdays import WorkCalendar, last_day, today_in_china
from app.models.base import utcnow
from app.models.flow import FlowLog, FlowRun, FlowStep, Task
from app.services.review.reading import history
from app.services.unit_of_work import current_session
from app.services.work_calendar import load_calendar

Interval = tuple[dt.datetime, dt.datetime]
"""From a moment until before another one."""


class Party(Labelled):
    """Whose time it is."""

    OFFICE = "OFFICE", "Reviewers", "orange"
    UNIT = "UNIT", "Declaring unit", "yellow"


@dataclass(frozen=True)
class Held:
    """One stretch in which somebody held a document. `days` are working days; `until` is empty while he still
    has it; `limit` and `over` are working days, the latter beyond his deadline. `agent` acted in his name."""

    party: Party
    holder: str
    since: dt.datetime
    until: dt.datetime | None
    days: int
    round: int
    step: FlowStep | None = None
    kind: TaskKind | None = None
    decision: Verb | None = None
    agent: str = ""
    limit: int | None = None
    due_at: dt.datetime | None = None
    over: int = 0


@dataclass(frozen=True)
class Ledger:
    """Every stretch in order, and the working days of each side; reviewers who hold a document at the same
    time are counted once. `estimated_years` have no holiday arrangement yet."""

    rows: tuple[Held, ...]
    office_days: int
    unit_days: int
    estimated_years: tuple[int, ...] = ()

    @property
    def over(self) -> int:
        """Working days beyond the limits, over all reviewers."""
        return sum(row.over for row in self.rows)


def ledger(actor: Actor, kind: str, document_id: int) -> Ledger:
    """The ledger of a document the actor may read, over all its runs. Raises NotFound for any other."""
    entries = history(actor, kind, document_id)
    session = current_session()
    tasks = session.scalars(
        select(Task)
        .join(Task.run)
        .where(FlowRun.document_kind == kind, FlowRun.document_id == document_id)
        .order_by(Task.id)
        .options(joinedload(Task.step), joinedload(Task.user), joinedload(Task.acted_by))
    ).all()
    return account(entries, tasks, load_calendar(session), utcnow())


def account(
    entries: Sequence[FlowLog], tasks: Sequence[Task], calendar: WorkCalendar, now: dt.datetime
) -> Ledger:
    """The ledger of a document from its flow log (in order) and its tasks, as of `now`."""
    rows = [row for task in tasks for row in _of_task(task, tasks, entries, calendar, now)]
    phases = _phases(entries)
    rows += [_of_unit(phase, calendar, now) for phase in phases if phase.party is Party.UNIT]
    totals = {
        party: sum(
            _days(calendar, phase.since, phase.until or now) for phase in phases if phase.party is party
        )
        for party in Party
    }
    years = {moment.year for row in rows for moment in (row.since, row.until or now)}
    return Ledger(
        rows=tuple(sorted(rows, key=lambda row: (row.since, row.until or now))),
        office_days=totals[Party.OFFICE],
        unit_days=totals[Party.UNIT],
        estimated_years=tuple(sorted(years - calendar.known_years)),
    )


@dataclass(frozen=True)
class _Phase:
    party: Party
    since: dt.datetime
    until: dt.datetime | None
    holder: str
    round: int


_ENDED = frozenset({DocumentStatus.APPROVED, DocumentStatus.REJECTED, DocumentStatus.TERMINATED})


def _phases(entries: Sequence[FlowLog]) -> list[_Phase]:
    """On whose side the document was, in order; a draft that was withdrawn is on nobody's."""
    phases: list[_Phase] = []
    side: tuple[Party, FlowLog] | None = None
    submitter = ""
    for entry in entries:
        following = _side_after(entry)
        if entry.verb in (Verb.SUBMIT, Verb.RESUBMIT):
            submitter = entry.user_name
        if following is _SAME:
            continue
        if side is not None:
            phases.append(_Phase(side[0], side[1].at, entry.at, submitter, side[1].round))
        side = (following, entry) if isinstance(following, Party) else None
    if side is not None:
        phases.append(_Phase(side[0], side[1].at, None, submitter, side[1].round))
    return phases


_SAME, _NOBODY = object(), object()


def _side_after(entry: FlowLog) -> object:
    """Where the document is after an entry: a party, nobody, or where it was before."""
    if entry.verb is Verb.WITHDRAW or entry.status in _ENDED:
        return _NOBODY
    if entry.verb in (Verb.SUBMIT, Verb.RESUBMIT):
        return Party.OFFICE
    return Party.UNIT if entry.verb is Verb.RETURN and entry.to_step_id is None else _SAME


def _of_unit(phase: _Phase, calendar: WorkCalendar, now: dt.datetime) -> Held:
    return Held(
        party=Party.UNIT,
        holder=phase.holder,
        since=phase.since,
        until=phase.until,
        days=_days(calendar, phase.since, phase.until or now),
        round=phase.round,
        decision=Verb.RESUBMIT if phase.until else None,
    )


def _of_task(
    task: Task, tasks: Sequence[Task], entries: Sequence[FlowLog], calendar: WorkCalendar, now: dt.datetime
) -> list[Held]:
    """The stretches of one task: those in which its person waited for somebody he asked, or had already
    decided and took it back, are not his."""
    if task.arrived_at is None or (task.state is TaskState.WAITING and not _asked(task, tasks)):
        return []
    ended = task.done_at if task.state in (TaskState.DONE, TaskState.CANCELLED) else None
    whole = (task.arrived_at, ended or now)
    gaps = [*_asked(task, tasks, now), *_taken_back(task, entries)]
    pieces = minus(whole, gaps)
    agent = ""
    if task.acted_by is not None and task.acted_by_id != task.user_id:
        agent = task.acted_by.full_name
    held = []
    for place, (since, until) in enumerate(pieces, start=1):
        last = place == len(pieces)
        open_end = last and ended is None and task.state is TaskState.OPEN
        held.append(
            Held(
                party=Party.OFFICE,
                holder=task.user.full_name,
                since=since,
                until=None if open_end else until,
                days=_days(calendar, since, until),
                round=task.round,
                step=task.step,
                kind=task.kind,
                decision=task.decision if last else None,
                agent=agent,
                limit=task.step.limit_days,
                due_at=task.due_at,
                # Only where it ended: what went before is part of the same limit.
                over=_over(calendar, task.due_at, until) if last else 0,
            )
        )
    return held


def _asked(task: Task, tasks: Sequence[Task], now: dt.datetime | None = None) -> list[Interval]:
    """When others were asked first: delegates, and signers before him."""
    return [
        (child.arrived_at, child.done_at or now or child.arrived_at)
        for child in tasks
        if child.parent_id == task.id
        and child.kind in (TaskKind.BEFORE, TaskKind.DELEGATED)
        and child.arrived_at is not None
    ]


def _taken_back(task: Task, entries: Sequence[FlowLog]) -> list[Interval]:
    """From an approval until it was taken back the document was with the next one."""
    gaps: list[Interval] = []
    approved: dt.datetime | None = None
    for entry in entries:
        if entry.run_id != task.run_id or entry.round != task.round:
            continue
        if task.user_id not in (entry.user_id, entry.on_behalf_of_id):
            continue
        if entry.verb is Verb.APPROVE and entry.from_step_id == task.step_id:
            approved = entry.at
        elif entry.verb is Verb.TAKE_BACK and entry.to_step_id == task.step_id and approved is not None:
            gaps.append((approved, entry.at))
            approved = None
    return gaps


def minus(whole: Interval, gaps: Iterable[Interval]) -> list[Interval]:
    """What is left of an interval without the gaps, in order."""
    pieces = []
    since, end = whole
    for start, stop in sorted(gaps):
        start, stop = max(start, since), min(stop, end)
        if stop <= start:
            continue
        if start > since:
            pieces.append((since, start))
        since = stop
    if since < end or (not pieces and since == whole[0]):
        pieces.append((since, end))
    return pieces


def _days(calendar: WorkCalendar, since: dt.datetime, until: dt.datetime) -> int:
    return calendar.between(today_in_china(since), today_in_china(until))


def _over(calendar: WorkCalendar, due_at: dt.datetime | None, until: dt.datetime) -> int:
    """Working days past a deadline; 0 within it."""
    if due_at is None or until < due_at:
        return 0
    return calendar.between(last_day(due_at), today_in_china(until))
