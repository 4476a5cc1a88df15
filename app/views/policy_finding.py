"""What the policy rules found, on forms and on the page of a document."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import get_locale, gettext

from app.models.policy_rule import RuleFinding
from app.services import policy_rule
from app.services.policy_rule import ShownFinding
from app.services.unit_of_work import current_session
from app.views.document_pages import add_to_pages


def findings_shown(findings: Iterable[RuleFinding]) -> list[ShownFinding]:
    """Findings in the reader's language."""
    return [policy_rule.shown(finding, str(get_locale()), gettext) for finding in findings]


def latest_findings(kind: str, document_id: int) -> list[ShownFinding]:
    """What was found when the document was last submitted; the page has checked that it may be read."""
    return findings_shown(policy_rule.latest(current_session(), kind, document_id))


add_to_pages("findings", latest_findings)
