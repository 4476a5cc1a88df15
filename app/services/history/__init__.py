"""The history of documents: versions kept at the moments that count, any two of them compared.

A document takes part by its `DocumentKind`, which registers what its versions hold; `services/review` keeps
one whenever it is submitted, changed in review or approved. What is not reviewed (a project) registers one
`Described` and calls `keep` where it changes.
"""

from app.services.history.compare import Comparison, FilePair, Mark, Pair, RowPair, TablePair, compare
from app.services.history.description import (
    Described,
    Part,
    Rows,
    VersionEvent,
    all_described,
    described,
    of_document,
    register,
)
from app.services.history.keep import Kept, backfill, document_of, keep, keep_all, kind_of, pair, versions_of

__all__ = [
    "Comparison",
    "Described",
    "FilePair",
    "Kept",
    "Mark",
    "Pair",
    "Part",
    "RowPair",
    "Rows",
    "TablePair",
    "VersionEvent",
    "all_described",
    "backfill",
    "compare",
    "described",
    "document_of",
    "keep",
    "keep_all",
    "kind_of",
    "of_document",
    "pair",
    "register",
    "versions_of",
]
