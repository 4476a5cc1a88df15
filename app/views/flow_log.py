"""流转日志: what happened to a document in review, as the template macro `ui.timeline` draws it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_babel import gettext

from app.core.flow import TaskState, Verb
from app.models.attachment import Attachment
from app.models.flow import FlowLog, FlowStep
from app.services import review
from app.workflow.naming import step_name

_LOOKS: Mapping[Verb, str] = {
    Verb.SUBMIT: "send",
    Verb.RESUBMIT: "refresh",
    Verb.APPROVE: "check",
    Verb.REPLY: "check",
    Verb.RETURN: "arrow-back-up",
    Verb.REJECT: "x",
    Verb.WITHDRAW: "arrow-back",
    Verb.TAKE_BACK: "arrow-back",
    Verb.TERMINATE: "player-stop",
    Verb.URGE: "bell-ringing",
    Verb.COPY_TO: "copy",
    Verb.SKIP: "player-skip-forward",
}


def log_entries(timeline: review.Timeline) -> tuple[dict[str, Any], ...]:
    """Entries for `ui.timeline`, newest first; who is asked to act stands on top."""
    waiting = [
        {
            "title": gettext("%(step)s · %(name)s", step=step_name(task.step), name=task.user.full_name),
            "icon": "clock",
            "colour": "orange" if task.state is TaskState.OPEN else "secondary",
            "note": gettext("waiting") if task.state is TaskState.OPEN else gettext("not yet asked"),
        }
        for task in timeline.waiting
    ]
    return (*waiting, *(_entry(entry, timeline.files) for entry in reversed(timeline.entries)))


def who(entry: FlowLog) -> str:
    """Who did it; of an agent also for whom."""
    name = entry.user_name or gettext("System")
    if entry.on_behalf_of is None or entry.verb is Verb.REASSIGN:
        return name
    return gettext("%(agent)s for %(principal)s", agent=name, principal=entry.on_behalf_of.full_name)


def _entry(entry: FlowLog, files: Mapping[int, Attachment]) -> dict[str, Any]:
    return {
        "title": _entry_title(entry),
        "icon": _LOOKS.get(entry.verb, "user-share"),
        "colour": entry.verb.colour,
        "at": entry.at,
        "opinion": entry.opinion,
        "files": [
            {"name": files[number].name, "href": url_for("AttachmentView.content", pk=number)}
            for number in entry.attachment_ids
            if number in files
        ],
    }


def _entry_title(entry: FlowLog) -> str:
    given_away = entry.verb is Verb.REASSIGN
    step: FlowStep | None = entry.from_step or (entry.to_step if entry.verb is Verb.SKIP else None)
    verb = gettext(entry.verb.label)
    if entry.skip_reason is not None:
        verb = gettext(entry.skip_reason.label)
    if entry.on_behalf_of is not None and given_away:
        # Not done in his name: his task was given to another.
        verb = gettext("%(verb)s %(name)s", verb=verb, name=entry.on_behalf_of.full_name)
    if entry.to_user is not None:
        verb = gettext("%(verb)s → %(name)s", verb=verb, name=entry.to_user.full_name)
    if step is None:
        return gettext("%(who)s: %(verb)s", who=who(entry), verb=verb)
    return gettext("%(step)s · %(who)s: %(verb)s", step=step_name(step), who=who(entry), verb=verb)
