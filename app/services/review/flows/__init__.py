"""审核流程: flow definitions as administrators keep them.

A version's content is a *sheet* (`sheet`): plain JSON that names roles, groups, people and units by what they
are called everywhere, never by id. The form, the file, the comparison and the change log all use it.
`drafts` writes, `check` finds what is wrong, `publishing` puts a draft into force, `compare`, `transfer` and
`rehearsal` show versions beside each other, carry them to other offices, and try them without a document.
"""

from app.services.review.flows.check import check, findings
from app.services.review.flows.drafts import copy_to, create, draft_of, remove, save
from app.services.review.flows.finding import Finding, Severity
from app.services.review.flows.publishing import publish, published_kinds
from app.services.review.flows.seed import seed_default_flows

__all__ = [
    "Finding",
    "Severity",
    "check",
    "copy_to",
    "create",
    "draft_of",
    "findings",
    "publish",
    "published_kinds",
    "remove",
    "save",
    "seed_default_flows",
]
