"""Doing a task: one entrance for every reviewer's verb, alone or for many tasks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.access.actor import Actor
from app.access.policy import load, require, scoped
from app.core.enums import DocumentStatus, LogLevel
from app.core.errors import Change, DomainError, InvalidInput, NotFound, Problem, StaleVersion
from app.core.flow import RunState, TaskKind, Verb
from app.models.flow import FlowRun, FlowStep, Task
from app.models.log import FieldChange
from app.services import history, people
from app.services.history import VersionEvent
from app.services.log import record
from app.services.review import files
from app.services.review.notices import tell
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow import verbs
from app.workflow.case import Case, open_case

MOST_AT_ONCE = 200
"""Tasks approved in one request."""


@dataclass(frozen=True)
class Result:
    """What became of a task: its verb as recorded, and where the document is now."""

    task_id: int
    task_version: int
    verb: Verb
    document_kind: str
    document_id: int
    status: DocumentStatus
    run_state: RunState
    round: int
    step: FlowStep | None


@dataclass(frozen=True)
class ItemResult:
    """One of many tasks: done, or why not."""

    task_id: int
    result: Result | None = None
    error: DomainError | None = None


@dataclass(frozen=True)
class Wish:
    """What somebody wants done with a task."""

    opinion: str
    to_step: int | str | None
    to_users: tuple[int, ...]
    position: TaskKind
    attachment_ids: tuple[int, ...] = ()

    @property
    def to_user(self) -> int:
        """The one person named. Raises InvalidInput when it is none or several."""
        if len(self.to_users) != 1:
            raise InvalidInput({"to_user": [Problem.of("Choose one person.")]})
        return self.to_users[0]


def act(
    actor: Actor,
    task_id: int,
    verb: str,
    *,
    version: int | None,
    opinion: str = "",
    to_step: int | str | None = None,
    to_user: int | Sequence[int] | None = None,
    position: str = TaskKind.AFTER,
    attachment_ids: Iterable[int] | None = (),
) -> Result:
    """Do one verb with one task: `approve`, `return` (to `to_step`, a step's id or code, else to the
    applicant), `reject`, `take_back`, `transfer`, `delegate`, `add_signer` (`position` BEFORE, PARALLEL or
    AFTER), `copy_to` (one or several `to_user`), `save_opinion`, `reassign`. `attachment_ids` are files given
    with the opinion: of the document, or uploaded for the task; None means all that were uploaded for it.

    Raises NotFound for a task outside the actor's scope or an unknown verb, NotAllowed, InvalidInput (the
    opinion is required for return and reject), Conflict saying who was quicker, StaleVersion when the task
    or its document changed after version `version` of the task was read.
    """
    deed = _DEEDS.get(verb)
    if deed is None:
        raise NotFound
    named = (to_user,) if isinstance(to_user, int) else tuple(to_user or ())
    wish = Wish(opinion, to_step, named, _position(position))
    with unit_of_work(actor) as session:
        case = _case_for(session, actor, task_id, verb)
        task = next(task for task in case.tasks if task.id == task_id)
        if verb not in (Verb.TAKE_BACK, Verb.REASSIGN):
            require(actor, "act", task)
        read = task.version
        if version is not None and read != version:
            raise StaleVersion(_latest_changes(session, case.run))
        _check_people(session, verb, wish)
        wish = replace(wish, attachment_ids=files.chosen(session, case.run, task, verb, attachment_ids))
        was = case.document.status
        deed(case, task, wish)
        files.keep(session, case.entries, task)
        session.flush()
        if task.version == read:
            # Whatever was done, a page opened before it is out of date: two clicks have one effect.
            flag_modified(task, "state")
            session.flush()
        if case.document.status is DocumentStatus.APPROVED and was is not DocumentStatus.APPROVED:
            history.keep(session, actor, case.document, VersionEvent.APPROVED)
        tell(case)
        if verb == Verb.REASSIGN:
            _record_reassignment(case, task, wish)
        return _result(case, task, Verb(verb))


def approve_many(
    actor: Actor, wanted: Sequence[tuple[int, int | None]], opinion: str = ""
) -> list[ItemResult]:
    """Approve many tasks, given as (id, version), each in a transaction of its own; one that is refused does
    not hold back the others. Raises NotFound, and does nothing, when one of them is outside the scope."""
    return _many(
        actor,
        wanted,
        "read",
        lambda task_id, version: act(actor, task_id, Verb.APPROVE, version=version, opinion=opinion),
    )


def reassign_many(
    actor: Actor, wanted: Sequence[tuple[int, int | None]], to_user: int, opinion: str = ""
) -> list[ItemResult]:
    """Give many tasks, given as (id, version), to one person; else as `approve_many`."""
    return _many(
        actor,
        wanted,
        "reassign",
        lambda task_id, version: act(
            actor, task_id, Verb.REASSIGN, version=version, opinion=opinion, to_user=to_user
        ),
    )


def _many(
    actor: Actor,
    wanted: Sequence[tuple[int, int | None]],
    verb: str,
    deed: Callable[[int, int | None], Result],
) -> list[ItemResult]:
    ids = {task_id for task_id, _ in wanted}
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise InvalidInput({"ids": [Problem.of("Choose between 1 and %(limit)s tasks.", limit=MOST_AT_ONCE)]})
    reachable = scoped(actor, Task, verb).where(Task.id.in_(ids)).subquery()
    if current_session().scalar(select(func.count()).select_from(reachable)) != len(ids):
        raise NotFound
    results = []
    for task_id, version in wanted:
        try:
            results.append(ItemResult(task_id, result=deed(task_id, version)))
        except DomainError as error:
            results.append(ItemResult(task_id, error=error))
    return results


def _case_for(session: Session, actor: Actor, task_id: int, verb: str) -> Case:
    """The locked case of a task that the actor may know of, or whose run he administers."""
    if verb != Verb.REASSIGN:
        task = load(session, actor, Task, task_id, verb="take_back" if verb == Verb.TAKE_BACK else "read")
        return open_case(session, actor, task.run_id)
    run_id = session.scalar(select(Task.run_id).where(Task.id == task_id))
    if run_id is None:
        raise NotFound
    load(session, actor, FlowRun, run_id, verb="reassign")
    return open_case(session, actor, run_id)


def _return(case: Case, task: Task, wish: Wish) -> None:
    if wish.to_step is None:
        verbs.return_to_applicant(case, task, wish.opinion, wish.attachment_ids)
        return
    step = next((step for step in case.steps if wish.to_step in (step.id, step.code, str(step.id))), None)
    if step is None:
        raise InvalidInput({"to_step": [Problem.of("This flow has no such step.")]})
    verbs.return_to_step(case, task, step.id, wish.opinion, wish.attachment_ids)


_DEEDS: Mapping[str, Callable[[Case, Task, Wish], None]] = {
    Verb.APPROVE: lambda case, task, wish: verbs.approve(case, task, wish.opinion, wish.attachment_ids),
    Verb.RETURN: _return,
    Verb.REJECT: lambda case, task, wish: verbs.reject(case, task, wish.opinion, wish.attachment_ids),
    Verb.TAKE_BACK: lambda case, task, wish: verbs.take_back(case, task),
    Verb.TRANSFER: lambda case, task, wish: verbs.transfer(
        case, task, wish.to_user, wish.opinion, wish.attachment_ids
    ),
    Verb.DELEGATE: lambda case, task, wish: verbs.delegate(
        case, task, wish.to_user, wish.opinion, wish.attachment_ids
    ),
    Verb.ADD_SIGNER: lambda case, task, wish: verbs.add_signer(
        case, task, wish.to_user, wish.position, wish.opinion, wish.attachment_ids
    ),
    Verb.COPY_TO: lambda case, task, wish: verbs.copy_to(case, task, wish.to_users, wish.opinion),
    Verb.SAVE_OPINION: lambda case, task, wish: verbs.save_opinion(case, task, wish.opinion),
    Verb.REASSIGN: lambda case, task, wish: verbs.reassign(case, task, wish.to_user, wish.opinion),
}


def _position(text: str) -> TaskKind:
    try:
        return TaskKind(text.upper())
    except ValueError:
        return TaskKind.STEP  # no signer's position: the verb itself refuses it, beside its field


_NEEDS_GRANT: Mapping[str, str] = {
    Verb.TRANSFER: "act",
    Verb.DELEGATE: "act",
    Verb.ADD_SIGNER: "act",
    Verb.REASSIGN: "act",
    Verb.COPY_TO: "read",
}


def _check_people(session: Session, verb: str, wish: Wish) -> None:
    """Whoever is given a part must hold the grant for it: a task nobody could open helps nobody."""
    grant = _NEEDS_GRANT.get(verb)
    if grant is None or not wish.to_users:
        return
    if set(wish.to_users) - people.holders(session, wish.to_users, grant):
        raise InvalidInput({"to_user": [Problem.of("This person has no access to review tasks.")]})


def _latest_changes(session: Session, run: FlowRun) -> list[Change]:
    """What was changed last in the document, so that a reviewer sees what he has not read yet."""
    of_document = (FieldChange.noun == run.document_kind, FieldChange.row_id == run.document_id)
    latest = select(func.max(FieldChange.row_version)).where(*of_document).scalar_subquery()
    entries = session.scalars(
        select(FieldChange).where(*of_document, FieldChange.row_version == latest).order_by(FieldChange.id)
    )
    return [Change(entry.field, entry.old, entry.new, entry.user_name, entry.at) for entry in entries]


def _record_reassignment(case: Case, task: Task, wish: Wish) -> None:
    record(
        case.session,
        case.actor,
        "SENSITIVE_OP",
        noun="task",
        row_id=task.id,
        summary=f"reassigned a task of {case.run.code} from user {task.user_id} to user {wish.to_user}",
        level=LogLevel.WARNING,
    )


def _result(case: Case, task: Task, verb: Verb) -> Result:
    run = case.run
    return Result(
        task_id=task.id,
        task_version=task.version,
        verb=task.decision if verb is Verb.APPROVE and task.decision is not None else verb,
        document_kind=run.document_kind,
        document_id=run.document_id,
        status=case.document.status,
        run_state=run.state,
        round=run.round,
        step=next((step for step in case.steps if step.id == run.current_step_id), None),
    )
