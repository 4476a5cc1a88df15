"""Files given with an opinion: the reviewer's own while he writes, the history's once he has decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.core.errors import InvalidInput, Problem
from app.core.flow import Verb
from app.models.attachment import OF_OPINION, OF_TASK, Attachment
from app.models.flow import FlowLog, FlowRun, Task

CARRIED_BY = frozenset(
    {Verb.APPROVE, Verb.RETURN, Verb.REJECT, Verb.TRANSFER, Verb.DELEGATE, Verb.ADD_SIGNER}
)
"""The verbs whose record keeps files."""


def uploaded(session: Session, task_id: int) -> Sequence[Attachment]:
    """What was uploaded for the opinion on a task and not given yet, oldest first."""
    return session.scalars(
        select(Attachment)
        .where(Attachment.owner_kind == OF_TASK, Attachment.owner_id == task_id)
        .order_by(Attachment.id)
    ).all()


def chosen(
    session: Session, run: FlowRun, task: Task, verb: str, ids: Iterable[int] | None
) -> tuple[int, ...]:
    """The files to be named in the record; None means all uploaded for this task.

    Raises InvalidInput for one that belongs neither to the task nor to the document under review.
    """
    if verb not in CARRIED_BY:
        return ()
    if ids is None:
        return tuple(row.id for row in uploaded(session, task.id))
    wanted = tuple(dict.fromkeys(ids))
    if not wanted:
        return ()
    own = session.scalars(
        select(Attachment.id).where(
            Attachment.id.in_(wanted),
            or_(
                and_(Attachment.owner_kind == OF_TASK, Attachment.owner_id == task.id),
                and_(Attachment.owner_kind == run.document_kind, Attachment.owner_id == run.document_id),
            ),
        )
    ).all()
    if len(own) != len(wanted):
        raise InvalidInput({"attachments": [Problem.of("A file is not attached to this document.")]})
    return wanted


def keep(session: Session, entries: Iterable[FlowLog], task: Task) -> None:
    """Make the uploaded files that a record names the record's own: from now on whoever may read the
    history may read them, and nobody takes them away."""
    waiting = {row.id: row for row in uploaded(session, task.id)}
    for entry in entries:
        for number in entry.attachment_ids:
            if (row := waiting.pop(number, None)) is not None:
                row.owner_kind, row.owner_id = OF_OPINION, entry.id


def named_in(session: Session, entries: Iterable[FlowLog]) -> Mapping[int, Attachment]:
    """The files that these records name, by id; one statement, none when there are none."""
    ids = {number for entry in entries for number in entry.attachment_ids}
    if not ids:
        return {}
    rows = session.scalars(
        select(Attachment).where(Attachment.id.in_(ids)).options(joinedload(Attachment.created_by))
    )
    return {row.id: row for row in rows}
