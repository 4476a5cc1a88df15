"""The common shape of a refused value: a reason that code can test and a sentence that people can read."""

from __future__ import annotations

from app.core.enums import Labelled
from app.core.errors import Problem


class Refusal(ValueError):
    """A value that is not taken. `reason.label` is the English msgid, `params` fill its %(name)s places."""

    def __init__(self, reason: Labelled, **params: object) -> None:
        super().__init__(reason.label % params)
        self.reason = reason
        self.params = params

    @property
    def message(self) -> str:
        """The English msgid, not yet translated or filled in."""
        return self.reason.label

    @property
    def problem(self) -> Problem:
        """The same, ready to be put beside its field in `InvalidInput`."""
        return Problem(self.reason.label, self.params)
