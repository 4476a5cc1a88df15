"""An import from the upload to its log: previewed, confirmed after a second look, or given up."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO
from uuid import uuid4

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.core.enums import LogLevel
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, Problem, TooLarge
from app.core.filetypes import safe_name
from app.gateways.storage import FileMissing
from app.models.base import utcnow
from app.models.importing import ImportRow, ImportRun, ImportState, RowState
from app.services import attachment, log, parameter
from app.services.importing.importable import Importable, importables
from app.services.importing.preview import Preview, examine
from app.services.unit_of_work import after_commit, current_session, unit_of_work

_MB = 1 << 20
_ROWS_AT_ONCE = 1_000
KEPT_UNCONFIRMED = dt.timedelta(days=30)
"""A preview that nobody confirmed is removed with its file after this time; what was imported stays."""


def importable_of(actor: Actor, key: str) -> Importable:
    """A list the actor may import. Raises `NotFound`, or `NotAllowed`."""
    found = importables().get(key)
    if found is None:
        raise NotFound
    importable = found()
    if not importable.allowed(actor):
        raise NotAllowed
    return importable


def preview(actor: Actor, key: str, stream: BinaryIO, name: str) -> ImportRun:
    """Take in a file, keep it, and say what each of its rows would do. Nothing of the list is changed.

    Raises `InvalidInput` beside `file` for one that cannot be read as a whole, `TooLarge`, `NotAllowed`.
    """
    importable = importable_of(actor, key)
    session = current_session()
    data = _received(session, stream)
    file = io.BytesIO(data)
    found = examine(session, actor, importable, file, name)
    storage_key = uuid4().hex
    file.seek(0)
    attachment.store().save(storage_key, file)
    try:
        with unit_of_work(actor) as work:
            run = ImportRun(
                list_key=key,
                user_name=actor.name[:128],
                file_name=safe_name(name),
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                storage_key=storage_key,
                fingerprint="",
            )
            work.add(run)
            _put(work, run, found)
            _record(work, actor, "IMPORT_PREVIEWED", run)
            return run
    except BaseException:
        attachment.store().delete(storage_key)
        raise


def dry_run(actor: Actor, key: str, stream: BinaryIO, name: str) -> Preview:
    """What a file would do, without keeping anything."""
    importable = importable_of(actor, key)
    session = current_session()
    return examine(session, actor, importable, io.BytesIO(_received(session, stream)), name)


def confirm(actor: Actor, run_id: int, *, only_good: bool = False) -> ImportRun:
    """Import what was previewed: all rows or none, in one transaction.

    The file is looked through once more under lock. Raises `Conflict` when anything comes out otherwise than
    previewed (the preview is then a fresh one), `InvalidInput` while rows are wrong, unless `only_good`
    leaves those out. Confirming twice is harmless: the second time nothing happens.
    """
    with unit_of_work(actor) as session:
        run: ImportRun = policy.load(session, actor, ImportRun, run_id, verb="confirm", lock=True)
        if run.state is ImportState.DONE:
            return run
        if run.state is ImportState.DISCARDED:
            raise Conflict("This import was given up. Upload the file again.")
        importable = importable_of(actor, run.list_key)
        with _file(run) as file:
            found = examine(session, actor, importable, file, run.file_name, lock=True)
        stale = found.fingerprint() != run.fingerprint
        if stale:
            _put(session, run, found)
        elif run.wrong_count and not only_good:
            raise InvalidInput(
                {
                    "only_good": [
                        Problem.of("%(count)s rows are wrong; nothing was imported.", count=run.wrong_count)
                    ]
                }
            )
        else:
            _apply(session, actor, importable, run, found)
            run.only_good = bool(run.wrong_count)
    if stale:
        raise Conflict(
            "The list has changed since the preview. Nothing was imported; look at the fresh preview and"
            " confirm again."
        )
    return run


def discard(actor: Actor, run_id: int) -> ImportRun:
    """Give up a preview; its record stays for a while."""
    with unit_of_work(actor) as session:
        run: ImportRun = policy.load(session, actor, ImportRun, run_id, verb="confirm", lock=True)
        if run.state is ImportState.DONE:
            raise Conflict("This file has been imported already.")
        run.state = ImportState.DISCARDED
        return run


def open_file(actor: Actor, run_id: int) -> tuple[ImportRun, BinaryIO]:
    """An import with its file, to be closed by the caller. Raises `NotFound`."""
    run: ImportRun = policy.load(current_session(), actor, ImportRun, run_id)
    return run, _file(run)


def wrong_rows(session: Session, run: ImportRun) -> Sequence[ImportRow]:
    """The rows of a run that are wrong, in order."""
    return session.scalars(
        select(ImportRow)
        .where(ImportRow.run_id == run.id, ImportRow.state == RowState.WRONG)
        .order_by(ImportRow.row_no)
    ).all()


def remove_unconfirmed(now: dt.datetime) -> int:
    """Remove previews nobody confirmed for `KEPT_UNCONFIRMED`, with their files. For the daily task."""
    with unit_of_work(SYSTEM) as session:
        runs = session.scalars(
            select(ImportRun).where(
                ImportRun.state != ImportState.DONE, ImportRun.created_at < now - KEPT_UNCONFIRMED
            )
        ).all()
        keys = [run.storage_key for run in runs]
        session.execute(delete(ImportRun).where(ImportRun.id.in_([run.id for run in runs])))
        store = attachment.store()
        for key in keys:
            after_commit(session, partial(store.delete, key))
    return len(runs)


def _received(session: Session, stream: BinaryIO) -> bytes:
    most = parameter.int_of(session, "import.max_file_mb")
    data = stream.read(most * _MB + 1)
    if len(data) > most * _MB:
        raise TooLarge("The file is larger than %(most)s MB.", most=most)
    if not data:
        raise InvalidInput({"file": [Problem.of("Choose a file.")]})
    return data


def _file(run: ImportRun) -> BinaryIO:
    try:
        return attachment.store().open(run.storage_key)
    except FileMissing as error:
        raise NotFound from error


def _put(session: Session, run: ImportRun, found: Preview) -> None:
    """Write down a preview, in the place of an earlier one."""
    counts = found.counts()
    run.new_count, run.changed_count = counts[RowState.NEW], counts[RowState.CHANGED]
    run.unchanged_count, run.wrong_count = counts[RowState.UNCHANGED], counts[RowState.WRONG]
    run.fingerprint = found.fingerprint()
    run.notices = [_notice(problem) for problem in found.notices]
    session.flush()
    session.execute(delete(ImportRow).where(ImportRow.run_id == run.id))
    for start in range(0, len(found.records), _ROWS_AT_ONCE):
        part = found.records[start : start + _ROWS_AT_ONCE]
        session.execute(insert(ImportRow), [{**record, "run_id": run.id} for record in part])


def _apply(session: Session, actor: Actor, importable: Importable, run: ImportRun, found: Preview) -> None:
    outcomes = [each for each in found.outcomes if each.state in (RowState.NEW, RowState.CHANGED)]
    told = importable.apply(session, actor, outcomes)
    run.notices = [*run.notices, *map(_notice, told)]
    run.state, run.confirmed_at = ImportState.DONE, utcnow()
    session.flush()
    ids = [
        {"run": run.id, "no": outcome.row.no, "record": outcome.record_id}
        for outcome in outcomes
        if outcome.state is RowState.NEW
    ]
    if ids:
        _name_records(session, ids)
    _record(session, actor, "IMPORTED", run)


def _notice(problem: Problem) -> dict[str, Any]:
    return {"message": problem.message, "params": dict(problem.params)}


def _name_records(session: Session, ids: list[dict[str, Any]]) -> None:
    """Put the ids of new records into the log's rows."""
    table = ImportRow.__table__
    session.connection().execute(
        update(ImportRow)
        .where(table.c.run_id == bindparam("run"), table.c.row_no == bindparam("no"))
        .values(record_id=bindparam("record")),
        ids,
    )


def _record(session: Session, actor: Actor, event: str, run: ImportRun) -> None:
    session.flush()
    log.record(
        session,
        actor,
        event,
        noun="import",
        row_id=run.id,
        summary=(
            f"{run.list_key} {run.file_name} sha256:{run.sha256} new {run.new_count}"
            f" changed {run.changed_count} unchanged {run.unchanged_count} wrong {run.wrong_count}"
        ),
        level=LogLevel.WARNING if event == "IMPORTED" else LogLevel.INFO,
    )


def load(actor: Actor, run_id: int) -> ImportRun:
    """One import within the actor's scope. Raises `NotFound`."""
    run: ImportRun = policy.load(current_session(), actor, ImportRun, run_id)
    return run


def page_of(
    session: Session, run: ImportRun, state: RowState | None, first: int, most: int
) -> Sequence[ImportRow]:
    """Rows of an import that was loaded through the scope, in the order of the sheet, from the `first` on
    (counting from 0)."""
    statement = select(ImportRow).where(ImportRow.run_id == run.id)
    if state is not None:
        statement = statement.where(ImportRow.state == state)
    return session.scalars(statement.order_by(ImportRow.row_no).offset(first).limit(most)).all()
