"""意见与答复: a reviewer pins remarks to fields and files, the unit answers each, a reviewer settles it.

Works for every reviewed document: what it is about is told by its kind and id, and who may do what by the
document's own policy. People are told by hand-over, never by click: the unit when a reviewer asks for answers
or returns the document, the reviewers when the unit sends answers or submits again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.access.actor import Actor
from app.access.policy import criterion
from app.core.errors import Change, Conflict, InvalidInput, NotAllowed, NotFound, Problem
from app.core.flow import RemarkState, RunState
from app.core.text import trim
from app.models.attachment import Attachment
from app.models.base import utcnow
from app.models.flow import FlowRun, Task
from app.models.log import FieldChange
from app.models.remark import Remark, RemarkAnswer
from app.services import message, parameter
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow.reading import open_task
from app.workflow.registry import registered

LONGEST = 2_000
"""Characters of a remark or an answer."""
UNANSWERED = "review.unanswered_remarks"
BLOCK = "BLOCK"
_LONGEST_LABEL = 200
_NAMED_AT_MOST = 5
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,2}")


# --- reading --------------------------------------------------------------------------------------------


def remarks(actor: Actor, kind: str, document_id: int) -> Sequence[Remark]:
    """Every remark on a document the actor may read, with step and answers: those not settled first, then in
    the order in which they were made. Raises NotFound for a document outside his scope."""
    session = current_session()
    _require_readable(session, actor, kind, document_id)
    return session.scalars(
        select(Remark)
        .where(*_on(kind, document_id))
        .order_by((Remark.state == RemarkState.SETTLED), Remark.id)
        .options(joinedload(Remark.step), selectinload(Remark.answers))
    ).all()


def changes_since(kind: str, document_id: int, found: Iterable[Remark]) -> Mapping[int, list[Change]]:
    """What became of the fields of some remarks after each was made, by remark: one entry for each field or
    cell, from its first value to its last. One statement for all."""
    pinned = [remark for remark in found if remark.field]
    if not pinned:
        return {}
    entries = current_session().scalars(
        select(FieldChange)
        .where(
            FieldChange.noun == kind,
            FieldChange.row_id == document_id,
            FieldChange.at >= min(remark.created_at for remark in pinned),
        )
        .order_by(FieldChange.id)
    )
    seen = list(entries)
    return {remark.id: _merged(remark, seen) for remark in pinned}


def may_add(actor: Actor, kind: str, document_id: int) -> bool:
    """Has the actor a task on this document now?"""
    return _may(current_session(), actor, kind, document_id, "remark")


def may_answer(actor: Actor, kind: str, document_id: int) -> bool:
    """Does the actor answer for the document's unit, and can it be answered now?"""
    return _may(current_session(), actor, kind, document_id, "answer")


def untold_count(found: Iterable[Remark]) -> int:
    """How many remarks wait for an answer of which the unit was not told yet."""
    return sum(remark.state is RemarkState.OPEN and remark.told_at is None for remark in found)


# --- reviewers ------------------------------------------------------------------------------------------


def add(
    actor: Actor,
    kind: str,
    document_id: int,
    text: str,
    *,
    field: str = "",
    attachment_id: int | None = None,
    label: str = "",
) -> Remark:
    """Pin a remark to a field (by its path), to an attachment, or to the whole document; nothing moves.

    `label` is what the page calls the field. Raises NotAllowed for who has no task there, InvalidInput for an
    empty text, a path that is none, or a file of another document.
    """
    with unit_of_work(actor) as session:
        task = _task(session, actor, kind, document_id)
        problems = {"text": problem} if (problem := _text_problem(text)) else {}
        if field and (len(field) > 80 or not _PATH.fullmatch(field)):
            problems["field"] = Problem.of("“%(value)s” cannot be read.", value=field[:40])
        if attachment_id is not None:
            field, label = "", _file_name(session, actor, kind, document_id, attachment_id)
            if not label:
                problems["attachment"] = Problem.of("This file does not belong to the document.")
        if problems:
            raise InvalidInput({name: [found] for name, found in problems.items()})
        remark = Remark(
            document_kind=kind,
            document_id=document_id,
            run_id=task.run_id,
            round=task.run.round,
            step_id=task.step_id,
            field=field,
            attachment_id=attachment_id,
            label=(trim(label) or field)[:_LONGEST_LABEL],
            text=text.strip(),
            author_name=actor.name,
            answers=[],
        )
        session.add(remark)
        session.flush()
        return remark


def ask(actor: Actor, kind: str, document_id: int) -> int:
    """Tell the unit, once, of all remarks it was not told of yet; returns how many. The document stays where
    it is. Raises NotAllowed for who has no task there."""
    with unit_of_work(actor) as session:
        run = _task(session, actor, kind, document_id).run
        fresh = session.scalars(
            select(Remark)
            .where(*_on(kind, document_id), Remark.state == RemarkState.OPEN, Remark.told_at.is_(None))
            .with_for_update()
        ).all()
        if not fresh:
            return 0
        now = utcnow()
        for remark in fresh:
            remark.told_at = now
        document = session.get_one(registered()[kind].model, document_id)
        people = {run.started_by_id, document.submitted_by_id} - {None, actor.user_id}
        _notify(session, actor, "remarks_asked", run, people, len(fresh), f"asked:{fresh[-1].id}")
        return len(fresh)


def settle(actor: Actor, kind: str, document_id: int, remark_id: int) -> Remark:
    """Whoever reviews the document now is content. Settling twice is settling once."""
    with unit_of_work(actor) as session:
        remark = _reviewed(session, actor, kind, document_id, remark_id)
        if remark.state is not RemarkState.SETTLED:
            remark.state = RemarkState.SETTLED
            remark.settled_at, remark.settled_name = utcnow(), actor.name
        return remark


def reopen(actor: Actor, kind: str, document_id: int, remark_id: int) -> Remark:
    """It is not settled after all, or its answer will not do: the unit has to answer again."""
    with unit_of_work(actor) as session:
        remark = _reviewed(session, actor, kind, document_id, remark_id)
        remark.state, remark.told_at = RemarkState.OPEN, None
        remark.settled_at, remark.settled_name = None, ""
        # What was said stays; the next answer is a new one.
        for given in remark.answers:
            given.told_at = given.told_at or utcnow()
        return remark


def remove(actor: Actor, kind: str, document_id: int, remark_id: int) -> None:
    """Take back one's own remark while the unit has neither been told of it nor answered. Raises Conflict
    afterwards, NotAllowed for somebody else's."""
    with unit_of_work(actor) as session:
        remark = _reviewed(session, actor, kind, document_id, remark_id)
        if remark.created_by_id != actor.user_id:
            raise NotAllowed("Only who wrote a remark may take it back.")
        if remark.told_at is not None or remark.answers:
            raise Conflict("The unit has read this remark already; settle it instead.")
        session.delete(remark)


# --- the unit -------------------------------------------------------------------------------------------


def answer(actor: Actor, kind: str, document_id: int, answers: Mapping[int, str]) -> int:
    """Answer remarks of one document, by their ids; blank texts are passed over. Returns how many.

    In review the reviewers are told at once, of all together; while the document is with its unit they are
    told when it is submitted again. Raises NotAllowed for who does not answer for the unit, NotFound for a
    remark on another document, Conflict for a settled one, InvalidInput (`answer.<id>`) for a long text.
    """
    given = {number: text.strip() for number, text in answers.items() if text.strip()}
    problems = {
        f"answer.{number}": [problem] for number, text in given.items() if (problem := _text_problem(text))
    }
    if problems:
        raise InvalidInput(problems)
    with unit_of_work(actor) as session:
        _require_readable(session, actor, kind, document_id)
        if not _may(session, actor, kind, document_id, "answer"):
            raise NotAllowed("Only the document's unit answers remarks, and only until the review has ended.")
        if not given:
            return 0
        found = session.scalars(
            select(Remark)
            .where(*_on(kind, document_id), Remark.id.in_(given))
            .order_by(Remark.id)
            .with_for_update()
            .options(selectinload(Remark.answers))
            .execution_options(populate_existing=True)
        ).all()
        if len(found) != len(given):
            raise NotFound
        for remark in found:
            _answered(actor, remark, given[remark.id])
        session.flush()
        run = _latest_run(session, kind, document_id)
        if run is not None and run.state is RunState.RUNNING:
            tell_answers(session, actor, kind, document_id)
        return len(found)


def unanswered(session: Session, kind: str, document_id: int) -> Sequence[str]:
    """What the remarks without an answer are about, in order."""
    waiting = (*_on(kind, document_id), Remark.state == RemarkState.OPEN)
    return session.scalars(select(Remark.label).where(*waiting).order_by(Remark.id)).all()


def check_submission(session: Session, kind: str, document_id: int) -> None:
    """Called before a document goes into review again. Raises Conflict naming the remarks without an answer
    when the parameter `review.unanswered_remarks` says that they block; by default they are only shown."""
    if parameter.value(session, UNANSWERED) != BLOCK:
        return
    labels = unanswered(session, kind, document_id)
    if labels:
        raise Conflict(
            "Answer every remark before submitting; without an answer: %(count)s (%(labels)s).",
            count=len(labels),
            labels="、".join(label or "—" for label in labels[:_NAMED_AT_MOST]),
        )


def tell_answers(session: Session, actor: Actor, kind: str, document_id: int) -> None:
    """Tell the authors, in one message, of the answers they were not told of; what stands is said now."""
    rows = session.execute(
        select(RemarkAnswer.id, Remark.id.label("remark_id"), Remark.created_by_id)
        .join(Remark, Remark.id == RemarkAnswer.remark_id)
        .where(*_on(kind, document_id), RemarkAnswer.told_at.is_(None))
    ).all()
    now = utcnow()
    session.execute(
        update(Remark).where(*_on(kind, document_id), Remark.told_at.is_(None)).values(told_at=now)
    )
    run = _latest_run(session, kind, document_id)
    if not rows or run is None:
        return
    ids = [row.id for row in rows]
    session.execute(update(RemarkAnswer).where(RemarkAnswer.id.in_(ids)).values(told_at=now))
    people = {row.created_by_id for row in rows} - {None, actor.user_id}
    number = len({row.remark_id for row in rows})
    _notify(session, actor, "remarks_answered", run, people, number, f"answered:{max(ids)}")


# --- parts ----------------------------------------------------------------------------------------------


def _on(kind: str, document_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Remark.document_kind == kind, Remark.document_id == document_id


def _may(session: Session, actor: Actor, kind: str, document_id: int, verb: str) -> bool:
    # By its id alone: a page has often loaded the document already, with all that belongs to it.
    entry = registered().get(kind)
    if entry is None:
        raise NotFound
    model: Any = entry.model
    allowed = select(model.id).where(model.id == document_id, criterion(actor, model, verb))
    return session.scalar(allowed) is not None


def _require_readable(session: Session, actor: Actor, kind: str, document_id: int) -> None:
    if not _may(session, actor, kind, document_id, "read"):
        raise NotFound


def _task(session: Session, actor: Actor, kind: str, document_id: int) -> Task:
    _require_readable(session, actor, kind, document_id)
    task = open_task(session, actor, kind, document_id)
    if task is None or not _may(session, actor, kind, document_id, "remark"):
        raise NotAllowed("Remarks are made by whoever has a task on this document.")
    return task


def _reviewed(session: Session, actor: Actor, kind: str, document_id: int, remark_id: int) -> Remark:
    """A remark on a document the actor reviews now, locked. Raises NotAllowed for who does not review it,
    InvalidInput for a remark that is not on it."""
    _task(session, actor, kind, document_id)
    remark = session.scalars(
        select(Remark)
        .where(*_on(kind, document_id), Remark.id == remark_id)
        .options(selectinload(Remark.answers))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if remark is None:
        raise InvalidInput({"remark": [Problem.of("There is no such remark on this document.")]})
    return remark


def _text_problem(text: str) -> Problem | None:
    if not text.strip():
        return Problem.of("Please write what you mean.")
    if len(text.strip()) > LONGEST:
        return Problem.of("At most %(limit)s characters, please.", limit=LONGEST)
    return None


def _file_name(session: Session, actor: Actor, kind: str, document_id: int, attachment_id: int) -> str:
    return (
        session.scalar(
            select(Attachment.name).where(
                criterion(actor, Attachment),
                Attachment.id == attachment_id,
                Attachment.owner_kind == kind,
                Attachment.owner_id == document_id,
            )
        )
        or ""
    )


def _answered(actor: Actor, remark: Remark, text: str) -> None:
    if remark.state is RemarkState.SETTLED:
        raise Conflict("This remark is settled: “%(label)s”.", label=remark.label or remark.text[:40])
    last = remark.answers[-1] if remark.answers else None
    if last is not None and last.told_at is None and last.user_id == actor.user_id:
        last.text, last.at = text, utcnow()
    else:
        remark.answers.append(RemarkAnswer(text=text, user_id=actor.user_id, author_name=actor.name))
    remark.state = RemarkState.ANSWERED


def _merged(remark: Remark, entries: Sequence[FieldChange]) -> list[Change]:
    """One change for each field under the remark's path, from what it was then to what it is now."""
    first: dict[str, FieldChange] = {}
    last: dict[str, FieldChange] = {}
    for entry in entries:
        under = entry.field == remark.field or entry.field.startswith(f"{remark.field}.")
        if under and entry.at >= remark.created_at:
            first.setdefault(entry.field, entry)
            last[entry.field] = entry
    return [
        Change(name, first[name].old, end.new, end.user_name, end.at)
        for name, end in last.items()
        if first[name].old != end.new
    ]


def _latest_run(session: Session, kind: str, document_id: int) -> FlowRun | None:
    return session.scalars(
        select(FlowRun)
        .where(FlowRun.document_kind == kind, FlowRun.document_id == document_id)
        .order_by(FlowRun.id.desc())
        .limit(1)
    ).first()


def _notify(
    session: Session, actor: Actor, template: str, run: FlowRun, people: Iterable[Any], count: int, key: str
) -> None:
    message.notify(
        session,
        template=template,
        recipients=people,
        params={"sender": actor.name, "title": run.title, "code": run.code, "count": str(count)},
        link=message.link_to(run.document_kind, run.document_id),
        key=f"remark:{key}:{run.round}",
    )
