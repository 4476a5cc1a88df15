"""Reviewing, as the office does it: submit and follow a document, do one's tasks, keep flows and opinions.

`submission` is what other documents' services call; `acting` does tasks; `listing` and `reading` show
them; `flows`, `agents` and `opinions` are kept by administrators and reviewers.
"""

from app.services.review.acting import ItemResult, Result, act, approve_many
from app.services.review.agents import appoint, appointments, revoke
from app.services.review.flows import (
    Finding,
    draft_of,
    findings,
    publish,
    published_kinds,
    seed_default_flows,
)
from app.services.review.listing import SORTS, TaskFilter, tasks, todo_count, todo_count_query, todo_counts
from app.services.review.opinions import (
    add_opinion,
    change_opinion,
    remove_opinion,
    saved_opinions,
    seed_opinions,
)
from app.services.review.reading import (
    Panel,
    Timeline,
    document_edited,
    history,
    in_review_past,
    may_edit_now,
    open_task,
    panel,
    passed_step,
    timeline,
)
from app.services.review.submission import submit, terminate, urge, withdraw

__all__ = [
    "SORTS",
    "Finding",
    "ItemResult",
    "Panel",
    "Result",
    "TaskFilter",
    "Timeline",
    "act",
    "add_opinion",
    "appoint",
    "appointments",
    "approve_many",
    "change_opinion",
    "document_edited",
    "draft_of",
    "findings",
    "history",
    "in_review_past",
    "may_edit_now",
    "open_task",
    "panel",
    "passed_step",
    "publish",
    "published_kinds",
    "remove_opinion",
    "revoke",
    "saved_opinions",
    "seed_default_flows",
    "seed_opinions",
    "submit",
    "tasks",
    "terminate",
    "timeline",
    "todo_count",
    "todo_count_query",
    "todo_counts",
    "urge",
    "withdraw",
]
