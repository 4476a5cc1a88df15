"""What the boxes of the task centre are searched by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, and_, or_

from app.core.enums import Light
from app.core.flow import RunState
from app.core.workdays import end_of_day, today_in_china
from app.models.base import utcnow
from app.models.flow import CopyTo, FlowRun, FlowStep
from app.services import review
from app.views.base import (
    AmountRange,
    ChoiceField,
    DateRange,
    SearchField,
    enum_choice,
)
from app.views.base.cells import (
    calendar,
    due_soon_days,
)
from app.views.base.search import Options
from app.views.review.centre.columns import (
    KEPT,
    LIGHT,
)
from app.views.review.lists import SEARCH, steps_of
from app.workflow.registry import registered


def _kinds() -> Sequence[tuple[str, str]]:
    return [(kind, gettext(entry.label)) for kind, entry in registered().items()]


def _known_kind(text: str) -> str:
    if text not in registered():
        raise ValueError(text)
    return text


def _lights(*shown: Light) -> Options:
    return lambda: [(light.value, gettext(light.label)) for light in shown]


def _with_light(due_at: Any) -> Callable[[list[Any]], ColumnElement[bool]]:
    """Rows whose deadline shows one of the lights, by the very rule that draws the lamp (`light_of`)."""

    def condition(chosen: list[Any]) -> ColumnElement[bool]:
        now = utcnow()
        # Not amber any more from the end of the working day after the last one that is "soon".
        amber = end_of_day(calendar().add(today_in_china(now), due_soon_days() + 1))
        of_light = {
            Light.GREY: due_at.is_(None),
            Light.RED: due_at <= now,
            Light.AMBER: and_(due_at > now, due_at < amber),
            Light.GREEN: and_(due_at > now, due_at >= amber),
        }
        return or_(*(of_light[light] for light in chosen))

    return condition


def done_in(chosen: list[Any]) -> ColumnElement[bool]:
    return KEPT.in_([light.value for light in chosen])


_OPEN_LIGHTS = _lights(Light.RED, Light.AMBER, Light.GREEN, Light.GREY)


def days(name: str, label: Any, column: Any, *, primary: bool = False) -> DateRange:
    return DateRange(name, label, column=column, moment=True, primary=primary)


def light_field(due_at: Any) -> ChoiceField:
    return ChoiceField("light", LIGHT, options=_OPEN_LIGHTS, where=_with_light(due_at), convert=Light)


def read_states() -> Sequence[tuple[str, str]]:
    return [("unread", gettext("Unread")), ("read", gettext("Read"))]


def read_state(text: str) -> str:
    if text not in ("unread", "read"):
        raise ValueError(text)
    return text


def read_or_not(states: list[str]) -> ColumnElement[bool]:
    unread = CopyTo.read_at.is_(None)
    return or_(*(unread if state == "unread" else ~unread for state in states))


KIND_FIELD = ChoiceField(
    "kind",
    lazy_gettext("Kind of document"),
    options=_kinds,
    where=lambda kinds: review.of_kinds(kinds),
    convert=_known_kind,
)
EVERYWHERE: tuple[SearchField, ...] = (
    *SEARCH,
    KIND_FIELD,
    ChoiceField("step", lazy_gettext("Step"), column=FlowStep.code, options=steps_of()),
)
AMOUNT_RANGE = AmountRange("amount", lazy_gettext("Amount (yuan)"), column=FlowRun.amount, primary=False)


def state_field(*, primary: bool = False) -> ChoiceField:
    return enum_choice("state", lazy_gettext("Review"), FlowRun.state, RunState, primary=primary)
