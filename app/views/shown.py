"""Texts kept for every reader (codes, plain amounts, ISO dates), as one reader sees them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask_babel import get_locale, gettext

from app.core.fiscal import mask_mobile
from app.core.money import format_yuan
from app.services.dictionary import Catalogue
from app.services.reading import Choice, Code, Codes, Flag, Kind, Mobile, Number, Year, Yuan
from app.views.base.dictionaries import catalogue

Text = str | list[str]


@dataclass(frozen=True)
class Shown:
    """Shows stored texts in the reader's language; `masked` hides mobile numbers."""

    known: Catalogue
    language: str
    masked: bool = False

    def text(self, kind: Kind | None, stored: Text) -> str:
        """One value; nothing is an empty text."""
        codes = stored if isinstance(stored, list) else [code for code in stored.split(",") if code]
        plain = "、".join(stored) if isinstance(stored, list) else stored
        match kind:
            case Code(dictionary=dictionary) | Codes(dictionary=dictionary):
                labels = [self.known.label(dictionary, code, self.language) for code in codes]
                return ("、" if self.language.startswith("zh") else ", ").join(labels)
            case Choice(options=enum):
                return gettext(enum[plain].label) if plain in enum.__members__ else plain
            case Flag():
                return gettext("Yes") if plain else gettext("No")
            case Yuan():
                amount = amount_of(plain)
                return format_yuan(amount) if amount is not None else plain
            case Mobile():
                return mask_mobile(plain) if plain and self.masked else plain
        return plain


def shown_to_reader(*, masked: bool = False) -> Shown:
    """For whoever asks now."""
    return Shown(catalogue(), str(get_locale()), masked)


def amount_of(text: str) -> Decimal | None:
    """The amount a stored text says."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def is_figure(kind: Kind) -> bool:
    """Is it set to the right?"""
    return isinstance(kind, Yuan | Number | Year)
