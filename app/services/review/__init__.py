"""Reviewing, as the office does it: submit and follow a document, do one's tasks, keep flows and opinions.

`submission` is what other documents' services call; `acting` does tasks; `listing` and `reading` show
them; `flows`, `agents` and `opinions` are kept by administrators and reviewers.
"""

from app.services.review.acting import ItemResult, Result, act, approve_many, reassign_many
from app.services.review.agents import appoint, appointments, others_appointments, revoke
from app.services.review.flows import (
    Finding,
    Severity,
    draft_of,
    findings,
    publish,
    published_kinds,
    seed_default_flows,
)
from app.services.review.flows import copy_to as copy_flow
from app.services.review.flows import create as create_flow
from app.services.review.flows import remove as remove_flow
from app.services.review.flows import save as save_flow
from app.services.review.ledger import Held, Ledger, Party, ledger
from app.services.review.listing import (
    SORTS,
    TaskFilter,
    box_count_query,
    box_criterion,
    mark_copies_read,
    mark_document_copies_read,
    of_kinds,
    overdue_count_query,
    runs_done_by,
    tasks,
    todo_count,
    todo_count_query,
    todo_counts,
    unread_copies_query,
)
from app.services.review.opinions import (
    add_opinion,
    change_opinion,
    move_opinion,
    remove_opinion,
    saved_opinions,
    seed_opinions,
)
from app.services.review.reading import (
    Answer,
    Panel,
    Timeline,
    document_edited,
    has_submitted,
    history,
    in_review_past,
    may_edit_now,
    open_run_of,
    open_task,
    panel,
    passed_step,
    timeline,
    unfit_people,
)
from app.services.review.submission import submit, terminate, urge, withdraw

__all__ = [
    "SORTS",
    "Answer",
    "BoxCounts",
    "Finding",
    "Held",
    "ItemResult",
    "Ledger",
    "Panel",
    "Party",
    "Result",
    "Severity",
    "TaskFilter",
    "Timeline",
    "act",
    "add_opinion",
    "appoint",
    "appointments",
    "approve_many",
    "box_count_query",
    "box_criterion",
    "change_opinion",
    "copy_flow",
    "create_flow",
    "document_edited",
    "draft_of",
    "findings",
    "has_submitted",
    "history",
    "in_review_past",
    "ledger",
    "mark_copies_read",
    "mark_document_copies_read",
    "may_edit_now",
    "move_opinion",
    "of_kinds",
    "open_run_of",
    "open_task",
    "others_appointments",
    "overdue_count_query",
    "panel",
    "passed_step",
    "publish",
    "published_kinds",
    "reassign_many",
    "remove_flow",
    "remove_opinion",
    "revoke",
    "runs_done_by",
    "save_flow",
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
    "unfit_people",
    "unread_copies_query",
    "urge",
    "withdraw",
]
