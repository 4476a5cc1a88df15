"""Numbers of projects and documents (domain.md 9.1): unique, not gap-free."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.core.fiscal import PROJECT_PREFIX, DocumentCode, NatureMark, ProjectCode
from app.models.dictionary import NumberSequence
from app.models.upsert import upsert


def next_number(session: Session, prefix: str, year: int) -> int:
    """The next number of (prefix, year), counting from 1.

    One statement makes the row or raises it, and the row stays locked until this transaction ends: two
    transactions never get the same number, and one that is rolled back gives its number back.
    """
    statement = (
        upsert(session, NumberSequence)
        .values(prefix=prefix, year=year, last=1)
        .on_conflict_do_update(index_elements=["prefix", "year"], set_={"last": NumberSequence.last + 1})
        .returning(NumberSequence.last)
    )
    return int(session.execute(statement).scalar_one())


def reserve(session: Session, prefix: str, year: int, number: int) -> None:
    """Let the numbers given from now on begin behind `number`, which came from elsewhere."""
    statement = upsert(session, NumberSequence).values(prefix=prefix, year=year, last=number)
    higher = statement.excluded.last > NumberSequence.last
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["prefix", "year"], set_={"last": statement.excluded.last}, where=higher
        )
    )


def document_code(session: Session, prefix: str, year: int) -> str:
    """The next number of a kind of document, `SB2027-00001`. Raises ValueError for a prefix that is not
    two to four capital letters."""
    return str(DocumentCode(prefix, year, next_number(session, prefix, year)))


def project_code(session: Session, year: int, nature: str) -> str:
    """The next 项目编号 of a year and nature (`NEW`, `OPERATION`), `KP2027XJ0042`.

    Raises ValueError for a nature that has no mark.
    """
    try:
        mark = NatureMark[nature]
    except KeyError:
        raise ValueError(f"no project number for the nature {nature!r}") from None
    return str(ProjectCode(year, mark, next_number(session, f"{PROJECT_PREFIX}{mark}", year)))
