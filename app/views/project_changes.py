"""Changes on a project's page."""

from __future__ import annotations

from collections.abc import Sequence

from app.access.actor import Actor
from app.models.change import OPEN_STATES, ChangeRequest
from app.models.project import Project
from app.services.change import CHANGEABLE_STAGES


def may_change(actor: Actor, project: Project, changes: Sequence[ChangeRequest]) -> bool:
    """Is it worth offering a new change request? Whether it works is the service's to say."""
    if not actor.holds("change", "create") or project.stage not in CHANGEABLE_STAGES:
        return False
    own = bool(actor.unit_path) and project.unit.path.startswith(actor.unit_path)
    return own and all(each.status not in OPEN_STATES for each in changes)
