"""A declaration and its HTML form: from posted pairs to input, from a draft to what fills the form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.models.declaration import Declaration
from app.services.declaration.values import DESCRIPTION, DeclarationValues, values_of
from app.services.document import form
from app.services.document.form import PRESENT, FormState

__all__ = ["PRESENT", "FormState", "form_state", "raw_from_form", "state_of"]


def raw_from_form(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parser's input from posted pairs (`document.form.raw_from_form`)."""
    return form.raw_from_form(DESCRIPTION, pairs)


def form_state(declaration: Declaration) -> FormState:
    """What fills the form of a declaration; its tables of rows must be loaded."""
    return form.form_state(DESCRIPTION, values_of(declaration), declaration.draft_input)


def state_of(values: DeclarationValues) -> FormState:
    """The values as a form shows them."""
    return form.state_of(DESCRIPTION, values)
