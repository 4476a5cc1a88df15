"""Where a document stands while somebody fills it in: its state beside the title, why it came back, and who
moved it on while the form was open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.flow import Verb
from app.models.base import Fillable
from app.models.flow import FlowLog
from app.models.log import FieldChange
from app.views.filters import localtime
from app.views.flow_log import who
from app.workflow.naming import step_name

_ROUND = (Verb.SUBMIT, Verb.RESUBMIT, Verb.RETURN)


@dataclass(frozen=True)
class Returned:
    """Why a document came back: by whom, from which step and when (`sentence`), in which words, and what
    reviewers had changed in it themselves since it was submitted last."""

    sentence: str
    at: dt.datetime
    opinion: str
    changes: Sequence[FieldChange]


def returned(session: Session, document: Fillable | None) -> Returned | None:
    """The latest return of a document that is with its unit again; None for every other."""
    if document is None or document.status is not DocumentStatus.RETURNED:
        return None
    entries = session.scalars(
        select(FlowLog)
        .where(
            FlowLog.document_kind == document.document_kind,
            FlowLog.document_id == document.id,
            FlowLog.verb.in_(_ROUND),
        )
        .order_by(FlowLog.id.desc())
        .options(joinedload(FlowLog.from_step), joinedload(FlowLog.on_behalf_of))
    ).all()
    entry = next((each for each in entries if each.verb is Verb.RETURN), None)
    if entry is None:
        return None
    submitted = next((each.at for each in entries if each.verb is not Verb.RETURN), entry.at)
    changes = session.scalars(
        select(FieldChange)
        .where(
            FieldChange.noun == document.document_kind,
            FieldChange.row_id == document.id,
            FieldChange.by_reviewer,
            FieldChange.at >= submitted,
        )
        .order_by(FieldChange.id)
    ).all()
    words = {"who": who(entry), "time": localtime(entry.at)}
    if entry.from_step is None:
        sentence = gettext("Returned by %(who)s, %(time)s.", **words)
    else:
        step = step_name(entry.from_step)
        sentence = gettext("Returned by %(who)s at “%(step)s”, %(time)s.", step=step, **words)
    return Returned(sentence, entry.at, entry.opinion or gettext("No reason was given."), changes)


def moved_on(session: Session, actor: Actor, document: Any) -> str:
    """Who put a document into its present state, and when; the reader's own other window is said to be so."""
    latest = session.scalar(
        select(FieldChange)
        .where(
            FieldChange.noun == document.document_kind,
            FieldChange.row_id == document.id,
            FieldChange.field == "status",
        )
        .order_by(FieldChange.id.desc())
        .limit(1)
    )
    if latest is None:
        return ""
    words = {"status": gettext(document.status.label), "time": localtime(latest.at)}
    if latest.user_id == actor.user_id:
        return gettext(
            "You put it into the state “%(status)s” yourself, %(time)s, in another window.", **words
        )
    return gettext(
        "%(who)s put it into the state “%(status)s”, %(time)s.",
        who=latest.user_name or gettext("System"),
        **words,
    )
