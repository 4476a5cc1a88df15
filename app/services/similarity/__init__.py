"""查重: similar projects of any unit, by title and scope, explained by the passages that overlap."""

from app.services.similarity.index import Rebuilt, index_projects, rebuild, rebuild_all, refresh
from app.services.similarity.kept import keep, kept, readable, sought_by
from app.services.similarity.passages import Compared, Piece, compare, pieces
from app.services.similarity.search import AmountBand, Hit, Sought, band_of, find

__all__ = [
    "AmountBand",
    "Compared",
    "Hit",
    "Piece",
    "Rebuilt",
    "Sought",
    "band_of",
    "compare",
    "find",
    "index_projects",
    "keep",
    "kept",
    "pieces",
    "readable",
    "rebuild",
    "rebuild_all",
    "refresh",
    "sought_by",
]
