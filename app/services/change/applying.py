"""An approved change request becomes the project's new state, in the approval's own transaction."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from app.access.actor import Actor
from app.core.enums import ConstructionStatus, Stage
from app.core.errors import Conflict
from app.models.annual_plan import AnnualPlan
from app.models.base import utcnow
from app.models.change import ChangeRequest
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit
from app.services import history, log, similarity
from app.services.change.fields import TERMINATION
from app.services.change.project_state import CHANGEABLE_STAGES, Present, moved_since, present
from app.services.change.values import PROJECT, ChangeValues, before, values_of
from app.services.document.changes import differences, names_from
from app.services.document.values import sum_of
from app.services.history import VersionEvent
from app.services.log import Difference


def apply(session: Session, actor: Actor, change: ChangeRequest) -> None:
    """Give the project what the request says, raise its version and keep what changed in its history.

    The project is locked first, so that of two documents that would change it at once the second sees what
    the first has done. Raises `Conflict` naming the figure that is not what the request took over, or the
    stage in which a project takes no change; nothing is written then.
    """
    project = session.scalars(
        select(Project)
        .where(Project.id == change.project_id)
        .options(selectinload(Project.funding))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    session.refresh(change, ["items"])
    if project.stage not in CHANGEABLE_STAGES:
        raise Conflict(
            "The project %(code)s is in the stage “%(stage)s”. It can be changed from its admission to the"
            " plan on, until it is closed.",
            code=project.code,
            stage=project.stage,
        )
    _refuse_stale(session, change, present(session, project))
    found = _end(project) if TERMINATION in change.kinds else _become(session, change, project)
    # The version rises also when only contents changed that the project's own row does not carry.
    project.updated_at = utcnow()
    session.flush()
    change.applied_at, change.applied_version = utcnow(), project.version
    log.record_changes(
        session,
        actor,
        "project",
        project.id,
        project.version,
        [*found, Difference("change", "", change.code)],
    )
    log.record(
        session,
        actor,
        "PROJECT_CHANGED",
        noun="project",
        row_id=project.id,
        summary=f"{project.code} {change.code} version {project.version}",
    )
    similarity.index_projects(session, [project.id])
    history.keep(session, actor, project, VersionEvent.CHANGED)


def _refuse_stale(session: Session, change: ChangeRequest, now: Present) -> None:
    moved = moved_since(session, change, now)
    if not moved:
        return
    first = moved[0]
    raise Conflict(
        "The project has changed since this request took its data over: %(field)s was “%(old)s” and is"
        " “%(new)s”. Return the request, so that the unit takes the data over again.",
        field=first.field,
        old=first.old or "—",
        new=first.new or "—",
    )


def _end(project: Project) -> list[Difference]:
    was, project.stage = project.stage, Stage.TERMINATED
    project.construction_status = ConstructionStatus.TERMINATED
    return [Difference("stage", was, project.stage)]


def _become(session: Session, change: ChangeRequest, project: Project) -> list[Difference]:
    old, new = before(change), values_of(change)
    found = differences(PROJECT, old, new, names_from(session))
    project.title = new.title
    _money(session, change, project, new)
    if new.owner_unit_id is not None and new.owner_unit_id != project.unit_id:
        _move_to(session, project, new.owner_unit_id)
    return found


def _money(session: Session, change: ChangeRequest, project: Project, new: ChangeValues) -> None:
    """What is requested, approved and asked of each channel; the arranged budget is the adjustments' affair
    (domain.md 3.3: arranged = initial + Σ adjustments)."""
    if new.requested_amount is not None:
        project.requested_amount = new.requested_amount
    if project.approved_amount is not None:
        project.approved_amount += change.amount_delta or Decimal(0)
    if change.needs_assessment:
        project.needs_assessment = True
    channels = {split.channel for split in new.funding_splits if split.channel}
    wanted = {
        channel: sum_of(split.amount for split in new.funding_splits if split.channel == channel)
        for channel in channels
    }
    for row in [row for row in project.funding if row.channel not in wanted]:
        project.funding.remove(row)
    kept = {row.channel: row for row in project.funding}
    for channel, amount in sorted(wanted.items()):
        if channel in kept:
            kept[channel].amount = amount
        else:
            project.funding.append(ProjectFunding(channel=channel, amount=amount))


def _move_to(session: Session, project: Project, unit_id: int) -> None:
    """机构改革: the project and its place in the plan go to another unit; documents keep the one they had."""
    if session.get(Unit, unit_id) is None:
        raise Conflict("The unit that is to own the project does not exist any more.")
    project.unit_id = unit_id
    session.execute(update(AnnualPlan).where(AnnualPlan.project_id == project.id).values(unit_id=unit_id))
