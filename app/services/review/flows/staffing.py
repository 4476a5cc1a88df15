"""Who would be there at each step, unit by unit, and whether a flow can be brought to its end.

Nobody reviews what he submitted and nobody acts twice, so it is not enough that each step has somebody: the
steps that every document goes through need different people (a matching of steps to people).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_group_role,
    assoc_permissionview_role,
    assoc_user_group,
    assoc_user_role,
)
from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import Session

from app.access import policy
from app.core.enums import DataScope
from app.core.flow import AssigneeKind, Quorum, UnitMatch
from app.models.flow import FlowStep
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope
from app.services.access import PERMISSION_PREFIX
from app.services.people import may_review
from app.workflow.candidates import may_act
from app.workflow.registry import ReviewableDocument

People = frozenset[int]

_UNIT_FREE_SCOPES = (DataScope.ALL, DataScope.OWN, DataScope.ASSIGNED)
_EVERYBODY = (Quorum.ALL, Quorum.SEQUENCE)


class Obstacle(StrEnum):
    """Why a step that has candidates still has nobody left for it."""

    SUBMITTER = "SUBMITTER"
    SAME_PERSON = "SAME_PERSON"
    USED_UP = "USED_UP"


@dataclass(frozen=True)
class Stop:
    """A document stops at `step` (its place); `other` is the step that takes the people away."""

    step: int
    obstacle: Obstacle
    other: int | None = None


class Staffing:
    """Everybody who could act, for one version of one document kind."""

    def __init__(
        self, session: Session, entry: ReviewableDocument[Any] | None, steps: Sequence[FlowStep]
    ) -> None:
        self._session = session
        self._entry = entry
        self._steps = steps

    @cached_property
    def submitters(self) -> Mapping[int, People]:
        """Active units with the active people who may submit such documents there."""
        if self._entry is None:
            return {}
        users = select(AppUser.unit_id, AppUser.id).join(Unit, Unit.id == AppUser.unit_id)
        rows = self._session.execute(users.where(Unit.active, AppUser.active, self._may_submit()))
        return _grouped((row.unit_id, row.id) for row in rows)

    @cached_property
    def reviewers(self) -> Sequence[Mapping[int | None, People]]:
        """For each step its candidates who also hold the right to review, by the document's unit; under None
        when the unit does not matter."""
        return [self._reviewers(step) for step in self._steps]

    def at(self, place: int, unit_id: int | None) -> People:
        """The candidates of a step (its place) for a document of a unit, whoever submitted it."""
        found = self.reviewers[place]
        return found.get(None) or found.get(unit_id) or frozenset()

    def anybody(self, place: int) -> bool:
        """Has the step any candidate, for whatever unit?"""
        return any(self.reviewers[place].values())

    def only_submitter(self, unit_id: int) -> People:
        """Who submits everything of a unit, when it is one person alone."""
        people = self.submitters.get(unit_id, frozenset())
        return people if len(people) == 1 else frozenset()

    def stops(self, places: Sequence[int]) -> Mapping[int | None, Stop]:
        """Units whose documents cannot be brought through these steps, with the first stop of each; under
        None when no unit submits anything yet. Steps without candidates are left out: they are told apart."""
        units: Iterable[int | None] = self.submitters or [None]
        known: dict[tuple[tuple[People, ...], People], Stop | None] = {}
        found: dict[int | None, Stop] = {}
        for unit_id in units:
            crews = tuple(self.at(place, unit_id) for place in places)
            alone = self.only_submitter(unit_id) if unit_id is not None else frozenset()
            if (crews, alone) not in known:
                known[crews, alone] = first_stop(places, crews, self._quorums(places), alone)
            stop = known[crews, alone]
            if stop is not None:
                found[unit_id] = stop
        return found

    def _quorums(self, places: Sequence[int]) -> list[bool]:
        return [self._steps[place].quorum in _EVERYBODY for place in places]

    def _reviewers(self, step: FlowStep) -> Mapping[int | None, People]:
        if self._is_unit_free(step):
            people = frozenset(
                self._session.scalars(select(AppUser.id).where(may_act(step, 0), may_review()))
            )
            return {None: people} if people else {}
        pairs = (
            select(Unit.id, AppUser.id)
            .select_from(Unit)
            .join(AppUser, true())
            .where(Unit.id.in_(self._units()), may_act(step, Unit.id), may_review())
        )
        return _grouped((row[0], row[1]) for row in self._session.execute(pairs))

    def _units(self) -> Select[Any]:
        """The units whose documents are looked at: those that submit, or all while none does."""
        if not self.submitters:
            return select(Unit.id).where(Unit.active)
        return (
            select(AppUser.unit_id)
            .join(Unit, Unit.id == AppUser.unit_id)
            .where(Unit.active, AppUser.active, self._may_submit())
        )

    def _is_unit_free(self, step: FlowStep) -> bool:
        """Are the candidates the same whatever the document's unit?"""
        if step.unit_match is not UnitMatch.ANY or step.assignee_kind is AssigneeKind.UNIT_HEAD:
            return False
        if step.assignee_kind is not AssigneeKind.ROLE:
            return True
        scope = self._session.scalar(
            select(RoleScope.scope)
            .join(Role, Role.id == RoleScope.role_id)
            .where(Role.name == step.role_name)
        )
        return scope is None or scope in _UNIT_FREE_SCOPES

    def _may_submit(self) -> ColumnElement[bool]:
        noun = policy.noun(self._entry.model) if self._entry else ""
        roles = (
            select(assoc_permissionview_role.c.role_id)
            .join(PermissionView, PermissionView.id == assoc_permissionview_role.c.permission_view_id)
            .join(Permission, Permission.id == PermissionView.permission_id)
            .join(ViewMenu, ViewMenu.id == PermissionView.view_menu_id)
            .join(RoleScope, RoleScope.role_id == assoc_permissionview_role.c.role_id)
            .where(ViewMenu.name == noun, Permission.name == f"{PERMISSION_PREFIX}submit", RoleScope.enabled)
        )
        own = select(assoc_user_role.c.user_id).where(assoc_user_role.c.role_id.in_(roles))
        through_group = (
            select(assoc_user_group.c.user_id)
            .join(assoc_group_role, assoc_group_role.c.group_id == assoc_user_group.c.group_id)
            .where(assoc_group_role.c.role_id.in_(roles))
        )
        return or_(AppUser.id.in_(own), AppUser.id.in_(through_group))


def first_stop(
    places: Sequence[int], crews: Sequence[People], everybody: Sequence[bool], submitter: People
) -> Stop | None:
    """The first step that no way of sharing out the work leaves anybody for; None when the end is reached.

    A step that everybody approves takes all its people away from the steps behind it. Steps without a crew
    are passed over.
    """
    taken: dict[int, int] = {}  # person -> index of the step he is kept for
    consumed: dict[int, int] = {}  # person -> index of the earlier step that everybody there approves
    for index, crew in enumerate(crews):
        if not crew:
            continue
        free = [person for person in sorted(crew - submitter) if person not in consumed]
        crews_free = {index: free}
        if not _place(index, {**_free_of(crews, everybody, submitter, index), **crews_free}, taken, set()):
            return _why(places, crews, submitter, consumed, taken, index)
        if everybody[index]:
            consumed.update({person: index for person in crew if person not in consumed})
    return None


def _free_of(
    crews: Sequence[People], everybody: Sequence[bool], submitter: People, before: int
) -> dict[int, list[int]]:
    """For each earlier step, the people who may stand there."""
    consumed: set[int] = set()
    free: dict[int, list[int]] = {}
    for index in range(before):
        free[index] = sorted(crews[index] - submitter - consumed)
        if everybody[index]:
            consumed |= crews[index]
    return free


def _place(index: int, free: Mapping[int, list[int]], taken: dict[int, int], tried: set[int]) -> bool:
    """Find a person for a step, moving others on where they can stand elsewhere (an augmenting path)."""
    for person in free[index]:
        if person in tried:
            continue
        tried.add(person)
        if person not in taken or _place(taken[person], free, taken, tried):
            taken[person] = index
            return True
    return False


def _why(
    places: Sequence[int],
    crews: Sequence[People],
    submitter: People,
    consumed: Mapping[int, int],
    taken: Mapping[int, int],
    index: int,
) -> Stop:
    crew = crews[index]
    if not crew - submitter:
        return Stop(places[index], Obstacle.SUBMITTER)
    rivals = [consumed.get(person, taken.get(person)) for person in sorted(crew - submitter)]
    other = next((places[rival] for rival in rivals if rival is not None), None)
    same = other is not None and len(crew) == 1 and crews[places.index(other)] == crew
    return Stop(places[index], Obstacle.SAME_PERSON if same else Obstacle.USED_UP, other)


def _grouped(rows: Iterable[tuple[int | None, int]]) -> dict[Any, People]:
    grouped: dict[Any, set[int]] = {}
    for unit_id, user_id in rows:
        grouped.setdefault(unit_id, set()).add(user_id)
    return {unit_id: frozenset(people) for unit_id, people in grouped.items()}
