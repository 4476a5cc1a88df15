"""Our texts in a language that is not the reader's: the headers of a workbook are known in both."""

from __future__ import annotations

from functools import lru_cache

from babel.support import NullTranslations, Translations
from flask import current_app


@lru_cache
def _catalogue(directories: str, language: str) -> NullTranslations:
    # Flask-AppBuilder puts a directory of its own before ours.
    return Translations.load(directories.rpartition(";")[2], [language])


def say(message: str, language: str, **params: object) -> str:
    """A text in `zh` or `en`."""
    text = str(_catalogue(current_app.config["BABEL_TRANSLATION_DIRECTORIES"], language).ugettext(message))
    return text % params if params else text
