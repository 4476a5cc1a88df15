"""Dictionaries: what a code is called, and which codes may be chosen (domain.md section 6)."""

from app.services.dictionary.items import in_use
from app.services.dictionary.lookup import Catalogue, Choice, catalogue, choices, labels
from app.services.dictionary.seed import seed_dictionaries

__all__ = [
    "Catalogue",
    "Choice",
    "catalogue",
    "choices",
    "in_use",
    "labels",
    "seed_dictionaries",
]
