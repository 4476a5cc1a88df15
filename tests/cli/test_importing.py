"""`flask import projects FILE.xlsx --user …`: what it prints, what it does, how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.gateways.storage import LocalStorage
from app.models.importing import ImportRun, ImportState
from app.models.project import Project
from app.services import attachment
from app.services.unit_of_work import unit_of_work
from tests.factories import actor_of, make_unit, make_user
from tests.services.importing_support import project, sheet_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[None]:
    """Files of this test alone."""
    before = attachment.store()
    attachment.bind(LocalStorage(tmp_path / "files"))
    yield
    attachment.bind(before)


class Shell:
    """An operator at the command line."""

    def __init__(self, app: Flask, session: Session, folder: Path) -> None:
        make_unit("市水利局")
        self.clerk = make_user("bureau_reviewer")
        self.app, self.session, self.folder = app, session, folder

    def run(self, *records: dict[str, Any], options: str = "--yes", answer: str = "") -> Result:
        path = self.folder / "projects.xlsx"
        path.write_bytes(sheet_of(*records).getvalue())
        return self.call(str(path), "--user", self.clerk.username, *options.split(), answer=answer)

    def call(self, *words: str, answer: str = "") -> Result:
        result: Result = self.app.test_cli_runner().invoke(args=["import", "projects", *words], input=answer)
        self.session.expire_all()
        return result

    @property
    def projects(self) -> int:
        return self.session.scalar(select(func.count(Project.id))) or 0


@pytest.fixture
def shell(app: Flask, session: Session, store: None, tmp_path: Path) -> Shell:
    return Shell(app, session, tmp_path)


def test_new_rows_are_shown_and_imported(shell: Shell) -> None:
    done = shell.run(project("A-1"), project("A-2"))
    assert done.exit_code == 0, done.output
    assert "2 new, 0 changed, 0 unchanged, 0 wrong" in done.output
    assert "A-1" in done.output
    assert shell.projects == 2
    run = shell.session.scalars(select(ImportRun)).one()
    assert (run.state, run.created_by_id, run.file_name) == (
        ImportState.DONE,
        shell.clerk.id,
        "projects.xlsx",
    )


def test_the_same_file_again_has_nothing_to_do(shell: Shell) -> None:
    shell.run(project("A-1"))
    again = shell.run(project("A-1"))
    assert again.exit_code == 0
    assert "There is nothing to import." in again.output


def test_a_changed_row_is_shown_with_old_and_new(shell: Shell) -> None:
    shell.run(project("A-1"))
    done = shell.run(project("A-1", 申报年度=2025), options="--dry-run")
    assert "budget_year: 2024 -> 2025" in done.output
    assert done.exit_code == 0
    assert shell.session.scalar(select(Project.budget_year)) == 2024
    assert shell.session.scalar(select(func.count(ImportRun.id))) == 1


def test_wrong_rows_end_with_1_and_nothing_is_imported(shell: Shell) -> None:
    done = shell.run(project("A-1"), project("A-2", 申报单位="市不存在局"))
    assert done.exit_code == 1
    assert "C3 unit_id" in done.output
    assert shell.projects == 0
    assert shell.run(project("A-2", 项目名称=""), options="--dry-run").exit_code == 1
    partly = shell.run(project("A-1"), project("A-2", 项目名称=""), options="--yes --only-good")
    assert partly.exit_code == 0
    assert shell.projects == 1


def test_without_a_yes_it_asks(shell: Shell) -> None:
    assert shell.run(project("A-1"), options="--only-good", answer="n\n").exit_code == 3
    assert shell.projects == 0
    assert shell.run(project("A-1"), options="--only-good", answer="y\n").exit_code == 0
    assert shell.projects == 1


def test_a_file_that_is_no_workbook_ends_with_2(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "old.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 999)
    refused = shell.call(str(path), "--user", shell.clerk.username, "--yes")
    assert refused.exit_code == 2
    assert "old or password-protected" in refused.output


@pytest.mark.parametrize("who", ["nobody", "handler", "retired"])
def test_the_users_permissions_count(shell: Shell, tmp_path: Path, who: str) -> None:
    name = "nobody"
    if who != "nobody":
        person = make_user("unit_handler" if who == "handler" else "bureau_reviewer")
        with unit_of_work(actor_of(person)) as work:
            work.merge(person).active = who != "retired"
        name = person.username
    path = tmp_path / "projects.xlsx"
    path.write_bytes(sheet_of(project("A-1")).getvalue())
    assert shell.call(str(path), "--user", name, "--yes").exit_code == 2
    assert shell.projects == 0
