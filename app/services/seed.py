"""What every installation starts with: roles, dictionaries, parameters, the calendar, flows and the menu."""

from __future__ import annotations

from sqlalchemy import select

from app.access.actor import SYSTEM
from app.models.user import AccessVersion
from app.services import (
    access,
    history,
    menu,
    parameter,
    policy_rule,
    review,
    work_calendar,
)
from app.services import dictionary as dictionaries
from app.services.unit_of_work import unit_of_work
from app.workflow import registry


def seed() -> None:
    """Bring the reference data up to date; at every start, adding only what is missing.

    Raises IncompleteRegistry, and so ends the start, when a published flow's documents have no service.
    """
    with unit_of_work(SYSTEM) as session:
        if session.scalar(select(AccessVersion.id)) is None:
            session.add(AccessVersion(id=1, number=1))
        access.seed_roles(session)
        dictionaries.seed_dictionaries(session)
        parameter.seed_parameters(session)
        work_calendar.seed_calendar(session)
        policy_rule.seed_rules(session)
        review.seed_default_flows(session)
        review.seed_opinions(session)
        menu.seed_menu(session)
        history.backfill(session)
        registry.verify(review.published_kinds(session))
