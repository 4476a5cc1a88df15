"""What reading a document asks of the database: codes that may be chosen, rows that may be referred to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.models.project import Project
from app.models.unit import Unit
from app.services.dictionary import catalogue


class Directory:
    """The lookup of one request. References go through the actor's scope: a number typed by hand reaches
    no other unit's project."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._catalogue = catalogue(session)
        self._found: set[tuple[str, int]] = set()

    def allows(self, type_code: str, code: str) -> bool:
        """Is the code an active entry of the dictionary?"""
        return self._catalogue.allows(type_code, code)

    def knows(self, target: str, row_id: int) -> bool:
        """Is there an active unit, or a project within the actor's scope, of this id?"""
        if target == "unit":
            found = select(Unit.id).where(Unit.id == row_id, Unit.active)
        else:
            found = select(Project.id).where(Project.id == row_id, policy.criterion(self._actor, Project))
        return (target, row_id) in self._found or self._session.scalar(found) is not None

    def find(self, target: str, number: str) -> int | None:
        """The project within the actor's scope that has this number."""
        if target != "project":
            return None
        statement = select(Project.id).where(Project.code == number, policy.criterion(self._actor, Project))
        found = self._session.scalar(statement)
        if found is not None:
            self._found.add((target, found))
        return found
