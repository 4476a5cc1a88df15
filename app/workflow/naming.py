"""Names that are data, in the language of whoever reads them."""

from __future__ import annotations

from flask_babel import get_locale
from flask_babel.speaklater import LazyString

from app.models.flow import FlowStep


def step_name(step: FlowStep) -> LazyString:
    """A step's name in the reader's language at the moment it is shown; Chinese outside a request."""
    zh, en = step.name_zh, step.name_en

    def name() -> str:
        locale = get_locale()
        return en if locale is not None and locale.language == "en" and en else zh

    return LazyString(name)
