"""查重: an index of what projects are called and build, and the similar ones found at submission."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import JsonList, Model
from app.models.declaration import Declaration
from app.models.project import Project


class SimilarityEntry(Model):
    """What the index holds of one project: the grams of its title and the prints of its scope, packed as
    32-bit numbers (services/similarity/text.py says what they are; a negative one is a generic gram)."""

    __tablename__ = "similarity_entry"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    title_grams: Mapped[bytes] = mapped_column(LargeBinary)
    scope_grams: Mapped[bytes] = mapped_column(LargeBinary)


class SimilarityPosting(Model):
    """One gram of one project; the key is the index, so there is no other."""

    __tablename__ = "similarity_posting"
    __table_args__ = {"sqlite_with_rowid": False}

    gram: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class SimilarityGram(Model):
    """How many projects had a gram when they were last counted; rare grams are left out, and the entry of
    gram 0 is the number of projects. Counted by the clock, never at submission, so that no two submissions
    wait for each other at a common word."""

    __tablename__ = "similarity_gram"

    gram: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    projects: Mapped[int]


class SimilarProject(Model):
    """A project like the one declared, as it was found when the declaration was last submitted.

    Scores are percent. `passages` are the overlapping passages of title and scope, {part, left, right, spans}
    (services/similarity/passages.py); `amount_band` is all that is told of the other project's amount.
    """

    __tablename__ = "similar_project"
    __table_args__ = (
        Index("ix_similar_project_declaration", "declaration_id", "seq"),
        Index("ix_similar_project_project", "project_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("declaration.id", ondelete="CASCADE"))
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    seq: Mapped[int]
    score: Mapped[int]
    title_score: Mapped[int]
    scope_score: Mapped[int]
    code: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    unit_name: Mapped[str] = mapped_column(String(120))
    budget_year: Mapped[int]
    amount_band: Mapped[str] = mapped_column(String(20))
    passages: Mapped[list[dict[str, Any]]] = mapped_column(JsonList, default=list)

    declaration: Mapped[Declaration] = relationship(Declaration, lazy="raise_on_sql")
    project: Mapped[Project] = relationship(Project, lazy="raise_on_sql")
