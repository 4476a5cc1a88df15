"""One thing the check has to say."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.enums import Labelled
from app.core.errors import Problem


class Severity(Labelled):
    """Does a finding forbid publishing?"""

    ERROR = "ERROR", "To be mended", "red"
    WARNING = "WARNING", "To be considered", "yellow"


@dataclass(frozen=True)
class Finding:
    """Something about a version; `step` is the seq it is about, None for the whole flow, `field` what of the
    step to look at first."""

    step: int | None
    problem: Problem
    severity: Severity = Severity.ERROR
    field: str = "name_zh"
