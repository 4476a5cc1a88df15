"""The projects that were given money before there was a chain get one, and lose it again on the way back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import downgrade, upgrade
from sqlalchemy import MetaData, insert, inspect, text
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from tests.conftest import build_app
from tests.databases import fresh_database

AFTER = "adjustment"


@pytest.fixture
def old_office(worker: str, tmp_path: Path) -> Iterator[Flask]:
    """An office as it was: the tables of the first version, and three projects in them."""
    url = fresh_database(f"migrating_{worker}", tmp_path)
    app = build_app(url, tmp_path)
    with app.app_context():
        upgrade(revision=_before())
        _fill()
        yield app
        db.session.remove()
        db.engine.dispose()


_PROJECTS: tuple[tuple[int, int | None, dict[str, int]], ...] = (
    (1, 100, {"GENERAL_BUDGET": 200}),
    (2, 100, {"GENERAL_BUDGET": 100, "SUPERIOR_GRANT": 50}),
    (3, None, {"GENERAL_BUDGET": 70}),
)
"""Number, what was arranged, what was asked of each channel; in yuan."""

_THEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _before() -> str:
    """The revision that the chain came after."""
    script = ScriptDirectory(str(Path(current_app.extensions["migrate"].directory)))
    found = script.get_revision(AFTER)
    assert found is not None and isinstance(found.down_revision, str)
    return found.down_revision


def _scale() -> int:
    """SQLite keeps whole cents."""
    return 100 if db.engine.dialect.name == "sqlite" else 1


def _fill() -> None:
    """Rows as the first version's tables take them; what a column is called today does not matter."""
    then = MetaData()
    then.reflect(db.engine, only=["unit", "project", "annual_plan", "project_funding"])
    unit, project = then.tables["unit"], then.tables["project"]
    plan, funding = then.tables["annual_plan"], then.tables["project_funding"]
    stamps = {"version": 1, "created_at": _THEN, "updated_at": _THEN}
    with db.engine.begin() as connection:
        connection.execute(
            insert(unit).values(
                id=1, code="U1", name="测试单位", short_name="单位", kind="GOVERNMENT", path="/1/", sort=1,
                active=True, is_demo=True, updated_at=_THEN,
            )
        )  # fmt: skip
        for pk, arranged, channels in _PROJECTS:
            asked, given = sum(channels.values()) * _scale(), arranged and arranged * _scale()
            connection.execute(
                insert(project).values(
                    id=pk, code=f"KP2027XJ{pk:04d}", title="线路租赁", budget_year=2027, unit_id=1,
                    nature="NEW", declaration_type="NEW", stage="PLANNED", construction_status="PLANNED",
                    requested_amount=asked, arranged_amount=given, **stamps,
                )
            )  # fmt: skip
            connection.execute(
                insert(plan).values(
                    id=pk, year=2027, project_id=pk, unit_id=1, requested_amount=asked, initial_amount=given,
                    doc_no="开财〔2026〕1号", planned_at=_THEN, **stamps,
                )
            )  # fmt: skip
            for channel, amount in channels.items():
                row = {"project_id": pk, "channel": channel, "amount": amount * _scale()}
                connection.execute(insert(funding).values(row))


def test_there_and_back_and_there_again(old_office: Flask) -> None:
    upgrade(revision=AFTER)
    scale = _scale()
    chain = text(
        "SELECT project_id, seq, channel, amount, balance, document_no FROM project_fund_entry ORDER BY 1, 2"
    )
    with db.engine.connect() as connection:
        entries = [
            (*row[:3], round(float(row[3]) / scale, 2), float(row[4]) / scale, row[5])
            for row in connection.execute(chain)
        ]
        assert entries == [
            (1, 1, "GENERAL_BUDGET", 100.0, 100.0, "开财〔2026〕1号"),
            (2, 1, "GENERAL_BUDGET", 66.67, 66.67, "开财〔2026〕1号"),
            (2, 2, "SUPERIOR_GRANT", 33.33, 100.0, "开财〔2026〕1号"),
        ]
        assert connection.execute(text("SELECT fund_seq FROM project ORDER BY id")).scalars().all() == [
            1,
            2,
            None,
        ]
        assert connection.scalar(text("SELECT count(*) FROM project_funding")) == 4, (
            "rebuilding deletes nothing"
        )
        assert connection.scalar(text("SELECT count(*) FROM annual_plan")) == 3

    downgrade(revision=_before())
    with db.engine.connect() as connection:
        assert not inspect(connection).has_table("project_fund_entry")
        assert connection.scalar(text("SELECT count(*) FROM project_funding")) == 4
        kept = connection.execute(text("SELECT arranged_amount FROM project ORDER BY id")).scalars().all()
        assert [None if each is None else float(each) / scale for each in kept] == [100.0, 100.0, None]

    upgrade(revision=AFTER)


@pytest.mark.parametrize(
    "breach",
    [
        "UPDATE project SET arranged_amount = arranged_amount + 1 WHERE id = 1",
        "UPDATE project SET fund_seq = NULL WHERE id = 1",
        "UPDATE project SET fund_seq = 1 WHERE id = 2",
        "INSERT INTO project_fund_entry (project_id, seq, previous_seq, kind, channel, amount,"
        " balance_before, balance, channel_balance, document_kind, document_id, document_no, at)"
        " VALUES (1, 2, 1, 'ADJUST_IN', 'GENERAL_BUDGET', 5, 7, 12, 12, 'adjustment', 1, '', '2026-01-01')",
    ],
    ids=["another amount", "no chain", "not the last entry", "an entry that does not continue"],
)
def test_the_database_refuses_what_breaks_a_chain(old_office: Flask, breach: str) -> None:
    upgrade(revision=AFTER)
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text(breach))


@pytest.mark.parametrize(
    "breach", ["UPDATE project_fund_entry SET amount = 1", "DELETE FROM project_fund_entry"]
)
def test_the_chain_only_grows(old_office: Flask, breach: str) -> None:
    upgrade(revision=AFTER)
    with pytest.raises(Exception, match="append-only"), db.engine.begin() as connection:
        connection.execute(text(breach))
