"""What the system writes down by code, by the names people read: jobs and what they did, records, ways in.

The codes stay in the tables; whatever has no name here is shown as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext

JOBS: Mapping[str, Any] = {
    "deliver_outbox": lazy_gettext("Deliver messages"),
    "scan_reviews": lazy_gettext("Watch the time limits of reviews"),
    "clean_up": lazy_gettext("Remove what has been kept long enough"),
    "refresh_similarity": lazy_gettext("Renew the index of similar projects"),
}
_FIGURES: Mapping[str, Any] = {
    "in_app": lazy_gettext("in-app messages"),
    "sms": lazy_gettext("text messages"),
    "failed": lazy_gettext("failed"),
    "raised": lazy_gettext("alerts raised"),
    "reminded": lazy_gettext("reminders"),
    "closed": lazy_gettext("alerts closed"),
    "outbox": lazy_gettext("delivered messages"),
    "attempts": lazy_gettext("log-in attempts"),
    "sessions": lazy_gettext("sessions"),
    "files": lazy_gettext("files"),
    "imports": lazy_gettext("imports"),
    "projects": lazy_gettext("projects"),
    "postings": lazy_gettext("index entries"),
    "grams": lazy_gettext("pairs of characters"),
}
GATEWAYS: Mapping[str, Any] = {"recording": lazy_gettext("Recorded only, not sent out")}
NOUNS: Mapping[str, Any] = {
    "adjustment": lazy_gettext("Fund adjustment"),
    "agent": lazy_gettext("Agent"),
    "alert": lazy_gettext("Alert"),
    "annual_plan": lazy_gettext("Annual demand plan"),
    "attachment": lazy_gettext("Attachment"),
    "change": lazy_gettext("Change request"),
    "declaration": lazy_gettext("Declaration"),
    "dictionary": lazy_gettext("Dictionary"),
    "flow": lazy_gettext("Review flow"),
    "import": lazy_gettext("Import"),
    "log": lazy_gettext("Log"),
    "menu": lazy_gettext("Menu"),
    "message": lazy_gettext("In-app message"),
    "parameter": lazy_gettext("Rule parameter"),
    "policy_rule": lazy_gettext("Policy rule"),
    "project": lazy_gettext("Project"),
    "remark": lazy_gettext("Remark"),
    "role": lazy_gettext("Role"),
    "saved_query": lazy_gettext("Saved query"),
    "session": lazy_gettext("Log-in session"),
    "sms": lazy_gettext("Text message"),
    "statistics": lazy_gettext("Statistics"),
    "task": lazy_gettext("Review task"),
    "unit": lazy_gettext("Organisation"),
    "user": lazy_gettext("User"),
    "work_calendar": lazy_gettext("Work calendar"),
}
WAYS: Mapping[str, Any] = {
    "local": lazy_gettext("Local account"),
    "db": lazy_gettext("Local account"),
    "ldap": lazy_gettext("Directory account"),
    "yuezhengyi": lazy_gettext("Unified provincial log-in"),
}
_EVENTS: Mapping[str, Any] = {
    "LOGIN_OK": lazy_gettext("Logged in"),
    "LOGIN_FAILED": lazy_gettext("Log-in failed"),
    "LOGIN_REFUSED": lazy_gettext("Log-in refused"),
    "LOCKED": lazy_gettext("Account locked"),
    "LOGOUT": lazy_gettext("Logged out"),
    "SESSION_ENDED": lazy_gettext("Session ended by an administrator"),
    "AUTHZ_DENIED": lazy_gettext("Unauthorised access"),
    "SENSITIVE_OP": lazy_gettext("Sensitive operation"),
    "EXPORT": lazy_gettext("Export"),
    "PASSWORD_CHANGED": lazy_gettext("Password changed"),
    "PASSWORD_RESET": lazy_gettext("Password reset"),
    "PROFILE_CHANGED": lazy_gettext("Profile changed"),
    "CONTACT_CHANGED": lazy_gettext("Telephone or e-mail changed"),
    "PERMISSION_CHANGED": lazy_gettext("Permissions changed"),
    "USER_CREATED": lazy_gettext("User added"),
    "USER_CHANGED": lazy_gettext("User changed"),
    "USER_ENABLED": lazy_gettext("User enabled"),
    "USER_DISABLED": lazy_gettext("User disabled"),
    "UNIT_CHANGED": lazy_gettext("Organisation changed"),
    "DICTIONARY_CHANGED": lazy_gettext("Dictionary changed"),
    "PARAMETER_CHANGED": lazy_gettext("Rule parameter changed"),
    "POLICY_RULE_CHANGED": lazy_gettext("Policy rule changed"),
    "CALENDAR_CHANGED": lazy_gettext("Work calendar changed"),
    "AGENT_NAMED": lazy_gettext("Agent named"),
    "AGENT_REVOKED": lazy_gettext("Agent revoked"),
    "PROJECT_CHANGED": lazy_gettext("Project changed"),
    "ATTACHMENT_ADDED": lazy_gettext("File attached"),
    "ATTACHMENT_REMOVED": lazy_gettext("Attachment removed"),
    "IMPORT_PREVIEWED": lazy_gettext("File uploaded for import"),
    "IMPORTED": lazy_gettext("Data imported"),
    "BUDGET_ARRANGED": lazy_gettext("Budget arranged"),
    "FLOW_DRAFT_CREATED": lazy_gettext("Flow draft begun"),
    "FLOW_DRAFT_SAVED": lazy_gettext("Flow draft saved"),
    "FLOW_DRAFT_REMOVED": lazy_gettext("Flow draft deleted"),
    "SAVED_QUERY_CREATED": lazy_gettext("Query saved"),
    "SAVED_QUERY_CHANGED": lazy_gettext("Saved query changed"),
    "SAVED_QUERY_REMOVED": lazy_gettext("Saved query removed"),
    "SMS_GAVE_UP": lazy_gettext("Text message not delivered"),
}
_OF_DOCUMENTS: Mapping[str, Any] = {
    "CREATED": lazy_gettext("begun"),
    "SUBMITTED": lazy_gettext("submitted"),
    "WITHDRAWN": lazy_gettext("withdrawn"),
    "AMENDED": lazy_gettext("changed by its reviewer"),
    "APPROVED": lazy_gettext("approved"),
    "RETURNED": lazy_gettext("returned"),
    "REJECTED": lazy_gettext("rejected"),
    "TERMINATED": lazy_gettext("review terminated"),
    "REFRESHED": lazy_gettext("brought up to date"),
    "RECYCLED": lazy_gettext("moved to the recycle bin"),
    "RESTORED": lazy_gettext("restored"),
    "PURGED": lazy_gettext("purged"),
}
_DOCUMENTS = ("declaration", "change", "adjustment")
_WAY = re.compile(r"(api:)?(\w+)(?=$|: )")
_FIGURE = re.compile(r"(\w+)=(\d+)")


def event_name(event: str) -> str:
    """What happened; what happens to documents is told alike of every kind."""
    if event in _EVENTS:
        return str(_EVENTS[event])
    kind, _, what = event.partition("_")
    if kind.lower() in _DOCUMENTS and what in _OF_DOCUMENTS:
        return gettext("%(kind)s: %(what)s", kind=NOUNS[kind.lower()], what=_OF_DOCUMENTS[what])
    return event


def summary_words(event: str, summary: str) -> str:
    """A line's summary; one about a log-in begins with the way it was tried."""
    found = _WAY.match(summary) if event.startswith(("LOGIN_", "LOCKED")) else None
    if found is None or found[2] not in WAYS:
        return summary
    way = str(WAYS[found[2]])
    return (gettext("%(way)s, by a program", way=way) if found[1] else way) + summary[found.end() :]


def job_name(name: str) -> str:
    """A job of the clock."""
    return str(JOBS.get(name, name))


def outcome_words(outcome: str) -> str:
    """What a job did, “in_app=0 sms=2” in words; an error stays as it is."""
    parts = [_FIGURE.fullmatch(part) for part in outcome.split()]
    if not all(parts):
        return outcome
    return gettext(", ").join(
        gettext("%(what)s: %(count)s", what=_FIGURES.get(part[1], part[1]), count=part[2])
        for part in parts
        if part
    )
