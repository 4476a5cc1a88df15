"""Dictionaries on a page: asked for once per request, however many columns and conditions use them."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import get_locale

from app.services import dictionary
from app.services.dictionary import Catalogue
from app.services.unit_of_work import current_session
from app.views.base.columns import Labels
from app.views.base.search import ChoiceField


def catalogue() -> Catalogue:
    """Every dictionary, as of this request."""
    if "catalogue" not in g:
        g.catalogue = dictionary.catalogue(current_session())
    found: Catalogue = g.catalogue
    return found


def labels() -> Labels:
    """(dictionary, code) → label in the reader's language."""
    return catalogue().labels(str(get_locale()))


def dictionary_choice(name: str, label: Any, column: Any, type_code: str, **options: Any) -> ChoiceField:
    """A choice among the entries of a dictionary; those no longer in use are still in old rows."""

    def offered() -> list[tuple[str, str]]:
        known = catalogue()
        everything = known.entries.get(type_code, {}).keys()
        choices = known.choices(type_code, str(get_locale()), keep=everything)
        return [(choice.code, choice.label) for choice in choices]

    return ChoiceField(name, label, column=column, options=offered, **options)
