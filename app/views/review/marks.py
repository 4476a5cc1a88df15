"""代: columns of task lists, and of their workbooks, that say when somebody acts for somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy import String, case, cast, func, literal, select
from sqlalchemy.orm import aliased

from app.core.flow import Verb
from app.models.flow import FlowStep, Task
from app.models.user import AppUser
from app.views.actor import current_actor
from app.views.base.cells import in_english
from app.views.base.columns import Column, Labels

_BETWEEN = "\x1f"
_principal, _agent = aliased(AppUser), aliased(AppUser)


def _name(user: Any, column: Any) -> Any:
    return select(user.last_name + user.first_name).where(user.id == column).correlate(Task).scalar_subquery()


def _joined(*parts: Any) -> Any:
    whole: Any = func.coalesce(parts[0], "")
    for part in parts[1:]:
        whole = whole + _BETWEEN + func.coalesce(part, "")
    return whole


@dataclass(frozen=True)
class StepOfTaskColumn(Column):
    """The step; with whose task it is where the reader is only his agent."""

    def text(self, value: Any, labels: Labels) -> Any:
        zh, en, owner, name = str(value or "").split(_BETWEEN)
        step = (en or zh) if in_english() else zh
        if owner == str(current_actor().user_id):
            return step
        return gettext("%(step)s (for %(name)s)", step=step, name=name)


@dataclass(frozen=True)
class DecisionColumn(Column):
    """What was decided, with who did it in whose name where an agent did."""

    def text(self, value: Any, labels: Labels) -> Any:
        verb, agent, principal = str(value or "").split(_BETWEEN)
        words = gettext(Verb(verb).label) if verb else ""
        if not agent:
            return words
        acted = gettext("%(agent)s for %(principal)s", agent=agent, principal=principal)
        return gettext("%(verb)s · %(who)s", verb=words, who=acted)

    def cell(self, value: Any, labels: Labels) -> str | Markup:
        verb, agent, _ = str(value or "").split(_BETWEEN)
        text = self.text(value, labels)
        if not verb:
            return str(text)
        return Markup('<span class="badge bg-%s-lt">%s</span>') % (
            "purple" if agent else Verb(verb).colour,
            text,
        )


STEP_OF_TASK = StepOfTaskColumn(
    "step",
    lazy_gettext("Step"),
    _joined(FlowStep.name_zh, FlowStep.name_en, cast(Task.user_id, String), _name(_principal, Task.user_id)),
)

_BY_AGENT = Task.acted_by_id != Task.user_id

DECISION = DecisionColumn(
    "decision",
    lazy_gettext("My decision"),
    _joined(
        cast(Task.decision, String),
        case((_BY_AGENT, _name(_agent, Task.acted_by_id)), else_=literal("")),
        case((_BY_AGENT, _name(_principal, Task.user_id)), else_=literal("")),
    ),
    sortable=False,
)
