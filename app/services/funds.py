"""资金安排: the chain of what each project was given, and the only way to add to it (domain.md 3.3).

Invariant 5 of domain.md section 4: arranged = initial + Σ adjustments, per project and per channel, after
every transaction. The ledger `ProjectFundEntry` is the one source; `Project.arranged_amount` follows it in
the same transaction, and the database refuses a commit in which it does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, case, func, insert, or_, select
from sqlalchemy.orm import Session, joinedload

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict
from app.core.funds import Direction, FundEntryKind, share_out
from app.core.money import format_yuan
from app.models.adjustment import AdjustmentLine, FundAdjustment
from app.models.annual_plan import AnnualPlan
from app.models.project import Project, ProjectFundEntry, ProjectFunding
from app.services import log
from app.services.log import Difference

NOTHING = Decimal("0.00")
_UNNAMED_CHANNEL = "OTHER"
"""Where the money of a project goes that was declared before channels were asked for."""


@dataclass(frozen=True)
class Source:
    """The document that changes a project's funds; `no` is how people call it, such as 开财〔2027〕8号."""

    kind: str
    id: int
    no: str


@dataclass(frozen=True)
class Step:
    """One change of one channel, in yuan, signed."""

    kind: FundEntryKind
    channel: str
    amount: Decimal


def locked_projects(session: Session, ids: Collection[int]) -> dict[int, Project]:
    """These projects, their rows locked in the order of their ids, so that two transactions that change the
    funds of the same projects wait for each other and never for ever."""
    statement = (
        select(Project)
        .where(Project.id.in_(ids))
        .order_by(Project.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {project.id: project for project in session.scalars(statement)}


def channel_balances(session: Session, ids: Collection[int]) -> dict[int, dict[str, Decimal]]:
    """What each project has of each channel now, in yuan; one without a chain is missing. One statement."""
    entry = ProjectFundEntry
    statement = (
        select(entry.project_id, entry.channel, func.sum(entry.amount))
        .where(entry.project_id.in_(ids))
        .group_by(entry.project_id, entry.channel)
        .order_by(entry.project_id, entry.channel)
    )
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for project_id, channel, amount in session.execute(statement):
        found[project_id][channel] = amount
    return dict(found)


def arrange(
    session: Session,
    actor: Actor,
    project: Project,
    amount: Decimal,
    source: Source,
    channels: Mapping[str, Decimal] | None = None,
) -> None:
    """Give a project its initial amount, or correct it; adjustments made meanwhile stay in the sum.

    `channels` says how much comes from each; without it the amount is shared out as the project asked. The
    project is locked by the caller. Raises `Conflict` naming the channel of which adjustments took more.
    """
    wanted = dict(channels) if channels else share_out(amount, _asked(session, project.id))
    given = _initial(session, project.id)
    if not given:
        kind, steps = FundEntryKind.INITIAL, wanted
        if any(wanted.values()):
            steps = {channel: part for channel, part in wanted.items() if part}
    else:
        kind = FundEntryKind.CORRECTION
        changed = {
            channel: wanted.get(channel, NOTHING) - given.get(channel, NOTHING)
            for channel in sorted({*wanted, *given})
        }
        # What one channel gains comes before what another loses: the project's balance never dips below zero.
        steps = dict(sorted(((c, part) for c, part in changed.items() if part), key=lambda each: -each[1]))
    post(session, actor, project, [Step(kind, channel, part) for channel, part in steps.items()], source)


def begin(session: Session, actor: Actor, given: Iterable[tuple[Project, Decimal, Source]]) -> None:
    """Begin the chains of new projects, many at once; each amount in yuan is shared out as its project, which
    comes with its funding, asked."""
    rows: list[dict[str, Any]] = []
    for project, amount, source in given:
        asked = {split.channel: split.amount for split in project.funding} or {_UNNAMED_CHANNEL: amount}
        shares = share_out(amount, asked)
        steps = [(channel, part) for channel, part in shares.items() if part] or list(shares.items())[:1]
        balance = NOTHING
        for seq, (channel, part) in enumerate(steps, start=1):
            rows.append(
                {
                    "project_id": project.id,
                    "seq": seq,
                    "previous_seq": seq - 1 or None,
                    "kind": FundEntryKind.INITIAL,
                    "channel": channel,
                    "amount": part,
                    "balance_before": balance,
                    "balance": balance + part,
                    "channel_balance": part,
                    "document_kind": source.kind,
                    "document_id": source.id,
                    "document_no": source.no,
                    "by_id": actor.user_id,
                }
            )
            balance += part
        project.arranged_amount, project.fund_seq = balance, len(steps)
    if rows:
        with session.no_autoflush:
            session.execute(insert(ProjectFundEntry), rows)
        session.flush()


def post(session: Session, actor: Actor, project: Project, steps: Iterable[Step], source: Source) -> None:
    """Add steps to a project's chain and let its arranged amount follow. The project is locked by the caller.

    Raises `Conflict` naming the figure when a channel or the project would fall below nothing.
    """
    channels = channel_balances(session, [project.id]).get(project.id, {})
    before, balance, seq = project.arranged_amount, project.arranged_amount or NOTHING, project.fund_seq or 0
    for step in steps:
        here = channels.get(step.channel, NOTHING)
        if here + step.amount < 0 or balance + step.amount < 0:
            raise Conflict(
                "%(project)s has only %(amount)s yuan left of this funding channel.",
                project=project.code,
                amount=format_yuan(here),
            )
        channels[step.channel] = here + step.amount
        session.add(
            ProjectFundEntry(
                project_id=project.id,
                seq=seq + 1,
                previous_seq=seq or None,
                kind=step.kind,
                channel=step.channel,
                amount=step.amount,
                balance_before=balance,
                balance=balance + step.amount,
                channel_balance=channels[step.channel],
                document_kind=source.kind,
                document_id=source.id,
                document_no=source.no,
                by_id=actor.user_id,
            )
        )
        balance, seq = balance + step.amount, seq + 1
    if seq == (project.fund_seq or 0):
        return
    project.arranged_amount, project.fund_seq = balance, seq
    session.flush()
    log.record_changes(
        session,
        actor,
        "project",
        project.id,
        project.version,
        [Difference("arranged_amount", "" if before is None else f"{before:.2f}", f"{balance:.2f}")],
    )


def chain(session: Session, project_id: int) -> Sequence[ProjectFundEntry]:
    """Every step of what a project was given, the first one first, with who did it."""
    statement = (
        select(ProjectFundEntry)
        .where(ProjectFundEntry.project_id == project_id)
        .order_by(ProjectFundEntry.seq)
        .options(joinedload(ProjectFundEntry.by))
    )
    return session.scalars(statement).all()


@dataclass(frozen=True)
class ChannelFunds:
    """One channel of a project, or all of them together: initial + adjusted = arranged, in yuan."""

    channel: str
    initial: Decimal
    moved_in: Decimal
    moved_out: Decimal
    arranged: Decimal


def per_channel(entries: Iterable[ProjectFundEntry]) -> list[ChannelFunds]:
    """The chain of one project summed up, channel by channel."""
    sums: dict[str, list[Decimal]] = {}
    for entry in entries:
        row = sums.setdefault(entry.channel, [NOTHING, NOTHING, NOTHING])
        if entry.kind.is_initial:
            row[0] += entry.amount
        elif entry.amount > 0:
            row[1] += entry.amount
        else:
            row[2] -= entry.amount
    return [ChannelFunds(name, a, b, c, a + b - c) for name, (a, b, c) in sorted(sums.items())]


@dataclass(frozen=True)
class BrokenChain:
    """A project whose figures do not agree, in yuan; None where there is no figure."""

    project_id: int
    code: str
    arranged: Decimal | None
    ledger: Decimal | None
    initial_plan: Decimal | None
    initial_ledger: Decimal | None
    adjusted_documents: Decimal
    adjusted_ledger: Decimal
    broken_entries: int


def broken_chains(session: Session) -> list[BrokenChain]:
    """Every project whose chain is broken, in one statement over all of them; an empty list is right.

    Looked at: arranged = Σ entries; each entry's balances are the running sums, of the project and of the
    channel; the entries' initial amount is the plan's; what approved adjustments say is what was posted.
    """
    entry, line = ProjectFundEntry, AdjustmentLine
    running = select(
        entry.project_id,
        entry.amount,
        entry.kind,
        or_(
            entry.balance != func.sum(entry.amount).over(partition_by=entry.project_id, order_by=entry.seq),
            entry.channel_balance
            != func.sum(entry.amount).over(
                partition_by=(entry.project_id, entry.channel), order_by=entry.seq
            ),
        ).label("broken"),
    ).subquery()
    is_initial = running.c.kind.in_([kind for kind in FundEntryKind if kind.is_initial])
    ledger = (
        select(
            running.c.project_id,
            func.sum(running.c.amount).label("total"),
            func.sum(running.c.amount).filter(is_initial).label("initial"),
            func.sum(running.c.amount).filter(~is_initial).label("adjusted"),
            func.count().filter(running.c.broken).label("broken"),
        )
        .group_by(running.c.project_id)
        .subquery()
    )
    applied = (
        select(
            line.project_id,
            func.sum(case((line.direction == Direction.OUT, -line.amount), else_=line.amount)).label(
                "amount"
            ),
        )
        .join(FundAdjustment, FundAdjustment.id == line.adjustment_id)
        .where(FundAdjustment.status == DocumentStatus.APPROVED)
        .group_by(line.project_id)
        .subquery()
    )
    adjusted_documents = func.coalesce(applied.c.amount, 0)
    adjusted_ledger = func.coalesce(ledger.c.adjusted, 0)
    statement = (
        select(
            Project.id,
            Project.code,
            Project.arranged_amount,
            ledger.c.total,
            AnnualPlan.initial_amount,
            ledger.c.initial,
            applied.c.amount,
            ledger.c.adjusted,
            func.coalesce(ledger.c.broken, 0),
        )
        .outerjoin(ledger, ledger.c.project_id == Project.id)
        .outerjoin(applied, applied.c.project_id == Project.id)
        .outerjoin(AnnualPlan, AnnualPlan.project_id == Project.id)
        .where(
            or_(
                Project.arranged_amount.is_distinct_from(ledger.c.total),
                and_(
                    AnnualPlan.id.is_not(None), AnnualPlan.initial_amount.is_distinct_from(ledger.c.initial)
                ),
                adjusted_documents != adjusted_ledger,
                ledger.c.broken > 0,
            )
        )
        .order_by(Project.id)
    )
    return [
        BrokenChain(pk, code, arranged, total, planned, initial, said or NOTHING, done or NOTHING, broken)
        for pk, code, arranged, total, planned, initial, said, done, broken in session.execute(statement)
    ]


def _asked(session: Session, project_id: int) -> dict[str, Decimal]:
    """What the project asked of each channel, in yuan."""
    statement = select(ProjectFunding.channel, ProjectFunding.amount).where(
        ProjectFunding.project_id == project_id
    )
    asked = dict(session.execute(statement).all())
    return asked or {_UNNAMED_CHANNEL: NOTHING}


def _initial(session: Session, project_id: int) -> dict[str, Decimal]:
    """What the plan gave of each channel so far, in yuan."""
    entry = ProjectFundEntry
    statement = (
        select(entry.channel, func.sum(entry.amount))
        .where(
            entry.project_id == project_id,
            entry.kind.in_([kind for kind in FundEntryKind if kind.is_initial]),
        )
        .group_by(entry.channel)
    )
    return dict(session.execute(statement).all())
