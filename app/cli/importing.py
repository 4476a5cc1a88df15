"""`flask import projects FILE.xlsx`: the import of the pages, for whoever has a shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from app.access.actor import Actor
from app.core.errors import DomainError, InvalidInput, Problem
from app.models.importing import ImportRun, RowState
from app.models.user import AppUser
from app.services import importing
from app.services.access import actor_for
from app.services.importing import Importable
from app.services.unit_of_work import current_session

WRONG, REFUSED, NOT_DONE = 1, 2, 3
"""Exit codes: rows are wrong; the file or the user is refused; not confirmed, or changed meanwhile."""

_MOST_SHOWN = 200

group = AppGroup(
    "import",
    help="Import a list from an Excel workbook. Exit codes: 0 done or nothing to do, 1 rows are wrong and "
    "nothing was imported, 2 refused, 3 not confirmed or changed meanwhile.",
)


def _command(kind: type[Importable]) -> click.Command:
    @click.command(kind.key, help=f"Import the list “{kind.key}”: show what each row would do, then ask.")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--user", required=True, help="User name of whoever imports; his permissions count.")
    @click.option("--dry-run", is_flag=True, help="Only show; keep and change nothing.")
    @click.option("--yes", is_flag=True, help="Import without asking.")
    @click.option("--only-good", is_flag=True, help="Leave wrong rows out instead of refusing the file.")
    @with_appcontext
    def command(file: Path, user: str, dry_run: bool, yes: bool, only_good: bool) -> None:
        try:
            _run(kind.key, file, _actor(user), dry_run=dry_run, yes=yes, only_good=only_good)
        except DomainError as error:
            click.echo("\n".join(_said(error)), err=True)
            raise SystemExit(REFUSED) from None

    return command


def _run(key: str, file: Path, actor: Actor, *, dry_run: bool, yes: bool, only_good: bool) -> None:
    if dry_run:
        with file.open("rb") as stream:
            found = importing.dry_run(actor, key, stream, file.name)
        counts = found.counts()
        _show(found.records, {state: counts[state] for state in RowState}, found.notices)
        raise SystemExit(WRONG if counts[RowState.WRONG] else 0)
    with file.open("rb") as stream:
        run = importing.preview(actor, key, stream, file.name)
    rows = importing.page_of(current_session(), run, None, 0, _MOST_SHOWN * 100)
    _show([_record(row) for row in rows], _counts(run), ())
    _confirm(actor, run, yes=yes, only_good=only_good)


def _confirm(actor: Actor, run: ImportRun, *, yes: bool, only_good: bool) -> None:
    run_id, wrong, to_do = run.id, run.wrong_count, run.to_do
    if wrong and not only_good:
        importing.discard(actor, run_id)
        click.echo(
            "Nothing was imported. Correct the wrong rows, or leave them out with --only-good.", err=True
        )
        raise SystemExit(WRONG)
    if not to_do:
        importing.discard(actor, run_id)
        click.echo("There is nothing to import.")
        return
    if not yes and not click.confirm(f"Import {to_do} rows?"):
        importing.discard(actor, run_id)
        raise SystemExit(NOT_DONE)
    try:
        done = importing.confirm(actor, run_id, only_good=only_good)
    except DomainError as error:
        click.echo("\n".join(_said(error)), err=True)
        raise SystemExit(NOT_DONE) from None
    click.echo(f"Imported: {done.new_count} new, {done.changed_count} changed. Record no. {done.id}.")


def _actor(username: str) -> Actor:
    session = current_session()
    user_id = session.scalar(select(AppUser.id).where(AppUser.username == username, AppUser.active))
    if user_id is None:
        raise InvalidInput({"user": [Problem.of("There is no active user of this name.")]})
    return actor_for(session, user_id)


def _counts(run: ImportRun) -> dict[RowState, int]:
    return {
        RowState.NEW: run.new_count,
        RowState.CHANGED: run.changed_count,
        RowState.UNCHANGED: run.unchanged_count,
        RowState.WRONG: run.wrong_count,
    }


def _record(row: Any) -> dict[str, Any]:
    names = ("row_no", "state", "record_key", "title", "changes", "problems")
    return {name: getattr(row, name) for name in names}


def _show(records: Any, counts: dict[RowState, int], notices: Any) -> None:
    """The table: wrong and changed rows with everything, new ones by their title, unchanged ones counted."""
    shown = [record for record in records if record["state"] != RowState.UNCHANGED]
    for record in shown[:_MOST_SHOWN]:
        click.echo(
            f"{record['row_no']:>6}  {record['state']:<9}  {record['record_key']:<20}  {record['title']}"
        )
        for line in _lines(record):
            click.echo(f"{'':8}{line}")
    if len(shown) > _MOST_SHOWN:
        click.echo(f"        … and {len(shown) - _MOST_SHOWN} more")
    for notice in notices:
        click.echo(f"! {_words(notice.message, notice.params)}")
    click.echo(", ".join(f"{count} {state.value.lower()}" for state, count in counts.items()))


def _lines(record: dict[str, Any]) -> list[str]:
    if record["problems"]:
        return [
            " ".join(filter(None, (each["cell"], each["field"], _words(each["message"], each["params"]))))
            for each in record["problems"]
        ]
    if record["state"] == RowState.CHANGED:
        return [f"{each['field']}: {each['old'] or '-'} -> {each['new']}" for each in record["changes"]]
    return []


def _words(message: str, params: Any) -> str:
    return message % dict(params) if params else message


def _said(error: DomainError) -> list[str]:
    if isinstance(error, InvalidInput):
        return [
            f"{field}: {_words(problem.message, problem.params)}"
            for field, problems in error.fields.items()
            for problem in problems
        ]
    return [_words(error.message, error.params)]


for _kind in importing.importables().values():
    group.add_command(_command(_kind))
