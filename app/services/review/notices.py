"""Telling people what happened in a review, through the outbox, in the same transaction."""

from __future__ import annotations

from sqlalchemy import select

from app.access.rules_task import in_force
from app.core.workdays import today_in_china
from app.models.flow import AgentAppointment
from app.models.unit import Unit
from app.services import alert
from app.services.message import EVERYWHERE, IN_APP_ONLY, Notice, link_to, notify_all
from app.services.message.templates import BY_CODE
from app.workflow.case import Case, Event, EventKind

_BY_SMS = frozenset(
    {
        EventKind.ACCEPTED,
        EventKind.OPINION,
        EventKind.RETURNED,
        EventKind.APPROVED,
        EventKind.REJECTED,
        EventKind.TERMINATED,
    }
)
"""受理意见, 审核意见 and 结果告知 go out as text messages too (requirements.txt, 与短信接口对接)."""

_FOR_REVIEWERS = frozenset(
    {
        EventKind.ARRIVED,
        EventKind.SENT_BACK,
        EventKind.TRANSFERRED,
        EventKind.DELEGATED,
        EventKind.REPLIED,
        EventKind.TAKEN_BACK,
        EventKind.SIGNER,
        EventKind.URGED,
    }
)
_NO_OPINION = "—"


def tell(case: Case, *, submitted: bool = False) -> None:
    """Put the case's events into the outbox, and out the lights of what is done with. A first submission is
    told to its reviewers as 申报通知."""
    alert.settle(case.session, case.run.id, case.now)
    if not case.events:
        return
    case.session.flush()
    agents = _agents(case)
    unit = case.session.scalar(select(Unit.name).where(Unit.id == case.run.unit_id)) or ""
    notify_all(
        case.session, [_notice(case, event, unit, agents, submitted=submitted) for event in case.events]
    )
    case.events.clear()


def _notice(case: Case, event: Event, unit: str, agents: dict[int, set[int]], *, submitted: bool) -> Notice:
    template: str = event.kind
    channels = EVERYWHERE if event.kind in _BY_SMS else IN_APP_ONLY
    recipients = set(event.recipients)
    if event.kind in _FOR_REVIEWERS:
        recipients.update(*(agents.get(user, ()) for user in event.recipients))
    notice = f"{case.run.document_kind}_notice"
    if submitted and event.kind is EventKind.ARRIVED and notice in BY_CODE:
        template, channels = notice, EVERYWHERE
    task = event.task
    about = link_to("task", task.id) if task else link_to(case.run.document_kind, case.run.document_id)
    return Notice(
        template=template,
        recipients=frozenset(recipients),
        params={
            "title": case.run.title,
            "code": case.run.code,
            "unit": unit,
            "step": event.step.name_zh if event.step else "",
            "sender": case.actor.name,
            "reviewer": case.actor.name,
            "opinion": event.opinion or _NO_OPINION,
        },
        link=about,
        key=f"{event.kind}:{case.run.id}:{task.id if task else 0}:{case.now:%Y%m%dT%H%M%S%f}",
        channels=channels,
    )


def _agents(case: Case) -> dict[int, set[int]]:
    people = {user for event in case.events if event.kind in _FOR_REVIEWERS for user in event.recipients}
    agents: dict[int, set[int]] = {}
    if people:
        rows = case.session.execute(
            select(AgentAppointment.principal_id, AgentAppointment.agent_id).where(
                AgentAppointment.principal_id.in_(people), in_force(today_in_china(case.now))
            )
        )
        for principal, agent in rows:
            agents.setdefault(principal, set()).add(agent)
    return agents
