"""Why nobody can act at a step, said in full."""

from __future__ import annotations

from app.services.review.flows.staffing import Obstacle


def N_(text: str) -> str:
    """Marks a text for translation that is said later."""
    return text


NO_USERS = N_("Nobody can act at the step “%(step)s”: no user is named.")
GONE = N_("Nobody can act at the step “%(step)s”: none of the named users can log in any more.")
NO_GROUP = N_("Nobody can act at the step “%(step)s”: no group is chosen.")
EMPTY_GROUP = N_("Nobody can act at the step “%(step)s”: the group has no active member.")
NO_ROLE = N_("Nobody can act at the step “%(step)s”: no role is chosen.")
UNKNOWN_ROLE = N_("Nobody can act at the step “%(step)s”: its role does not exist.")
DISABLED_ROLE = N_("Nobody can act at the step “%(step)s”: its role is switched off.")
EMPTY_ROLE = N_("Nobody can act at the step “%(step)s”: no active user holds the role.")
NO_HEAD = N_("Nobody can act at the step “%(step)s”: no unit that submits has a head.")
NO_RIGHT = N_(
    "Nobody can act at the step “%(step)s”: the people exist, but none holds a role that may review."
)
WRONG_UNIT = N_(
    "Nobody can act at the step “%(step)s”: the people exist, but none in a unit that fits the document's."
)

STOPS = {
    Obstacle.SUBMITTER: N_(
        "The flow cannot end at the step “%(step)s”: its only reviewer is the only one who can submit, and "
        "nobody reviews what he submitted."
    ),
    Obstacle.SAME_PERSON: N_(
        "The steps “%(first)s” and “%(step)s” have the same single reviewer, who may act only once."
    ),
    Obstacle.USED_UP: N_(
        "The flow cannot end at the step “%(step)s”: all its reviewers have acted before, at “%(first)s” or "
        "another step, and nobody acts twice."
    ),
}
STOPS_SOMEWHERE = {
    Obstacle.SUBMITTER: N_(
        "At the step “%(step)s” the only reviewer is the only one who can submit, for documents of %(count)s "
        "units: %(units)s"
    ),
    Obstacle.SAME_PERSON: N_(
        "The steps “%(first)s” and “%(step)s” have the same single reviewer for documents of %(count)s "
        "units: %(units)s"
    ),
    Obstacle.USED_UP: N_(
        "At the step “%(step)s” nobody is left who has not acted at “%(first)s” or another step, for "
        "documents of %(count)s units: %(units)s"
    ),
}
