"""Template filters: how amounts, days and moments are shown, everywhere the same."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from flask import Flask, g
from flask_babel import get_translations

from app.core.money import format_wan, format_yuan, in_words
from app.core.workdays import SHANGHAI

_EMPTY = "—"


def yuan(amount: Decimal | None) -> str:
    """1,234.50"""
    return _EMPTY if amount is None else format_yuan(amount)


def wan(amount: Decimal | None) -> str:
    """Yuan shown in 万元, two decimals."""
    return _EMPTY if amount is None else format_wan(amount)


def words(amount: Decimal | None) -> str:
    """叁万壹仟玖佰元整"""
    return "" if amount is None else in_words(amount)


def localdate(value: dt.date | dt.datetime | None) -> str:
    """The day in China."""
    if isinstance(value, dt.datetime):
        value = value.astimezone(SHANGHAI).date()
    return _EMPTY if value is None else value.isoformat()


def localtime(value: dt.datetime | None) -> str:
    """Day and minute in China."""
    return _EMPTY if value is None else value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _translations() -> Any:
    """The catalogue of this request, looked up once: a page asks for sixty texts and more."""
    if "translations" not in g:
        g.translations = get_translations()
    return g.translations


def install(app: Flask) -> None:
    """Make the filters known to every template."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        gettext=lambda text: _translations().ugettext(text),
        ngettext=lambda one, many, n: _translations().ungettext(one, many, n),
        newstyle=True,
    )
    for function in (yuan, wan, words, localdate, localtime):
        app.jinja_env.filters[function.__name__] = function
