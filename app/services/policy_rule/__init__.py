"""政策规则: rules as data, asked of each document that is submitted, their findings kept with it."""

from app.services.policy_rule.declared import RULES, seed_rules
from app.services.policy_rule.evaluating import (
    ELSEWHERE,
    at_submit,
    evaluate,
    forget,
    in_force,
    keep,
    latest,
    refusals,
)
from app.services.policy_rule.rows import Row, is_inert, parameters, rows_of, typed
from app.services.policy_rule.table import RULES_TABLE
from app.services.policy_rule.trial import Trial, TriedRow, try_rule
from app.services.policy_rule.wording import (
    UNVERIFIED,
    ShownFigure,
    ShownFinding,
    basis,
    is_house_check,
    problem,
    shown,
    shown_figures,
)

__all__ = [
    "ELSEWHERE",
    "RULES",
    "RULES_TABLE",
    "UNVERIFIED",
    "Row",
    "ShownFigure",
    "ShownFinding",
    "Trial",
    "TriedRow",
    "at_submit",
    "basis",
    "evaluate",
    "forget",
    "in_force",
    "is_house_check",
    "is_inert",
    "keep",
    "latest",
    "parameters",
    "problem",
    "refusals",
    "rows_of",
    "seed_rules",
    "shown",
    "shown_figures",
    "try_rule",
    "typed",
]
