"""Is a change request complete and allowed? One check for the form's ticks, for submission and for REST."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.access.actor import SYSTEM
from app.core.errors import Problem
from app.core.money import format_yuan
from app.models.change import OPEN_STATES, ChangeRequest
from app.models.project import Project
from app.services import parameter
from app.services.change.fields import KIND_OF, TERMINATION, ChapterKey
from app.services.change.project_state import CHANGEABLE_STAGES, Present, moved_since, present
from app.services.change.values import DESCRIPTION, ChangeValues, as_declared, values_of
from app.services.declaration.requirements import demands, limits
from app.services.declaration.rules import apply_rules
from app.services.declaration.values import DeclarationValues
from app.services.dictionary import catalogue
from app.services.document import findings
from app.services.document.directory import Directory
from app.services.document.findings import Findings, Severity
from app.services.document.form import form_state
from app.services.document.values import parse

BASE = "base"
"""The path of what is said about the project itself, not about a field."""

REQUIRED = frozenset({"kinds", "content", "reason_code", "reason_text"})
LETTER, SCHEME, MINUTES = "CHANGE_LETTER", "CHANGE_SCHEME", "MINUTES"
_WITH_SCHEME = frozenset({"CONTENT", "FUNDS", "TECHNICAL"})
_ON_PERFORMANCE = frozenset({"CONTENT", "FUNDS", "PERFORMANCE", TERMINATION})


@dataclasses.dataclass(frozen=True)
class Checklist(findings.Checklist):
    """What is found in a change request. `stale` names what of the project changed since its data were
    taken over; `major` says that the amount changes by more than the parameter allows for a general one;
    `reassess` that it rises to where the third-party steps are due."""

    stale: bool
    major: bool
    reassess: bool


def check(session: Session, change: ChangeRequest) -> Checklist:
    """Check a stored request as it would be checked at submission; its items must be loaded."""
    project = session.scalars(
        select(Project).where(Project.id == change.project_id).options(selectinload(Project.funding))
    ).one()
    now = present(session, project)
    stored = values_of(change)
    parsed = parse(
        DESCRIPTION, form_state(DESCRIPTION, stored, change.draft_input), Directory(session, SYSTEM), stored
    )
    found = Findings()
    for path, problems in parsed.problems.items():
        for problem in problems:
            found.add(path, problem, Severity.WRONG)
    stale = _project(found, session, change, project, now)
    kinds = _changed_kinds(change)
    required = _required(found, change, kinds)
    _kinds(found, session, change, kinds)
    _data(found, session, parsed.values, now)
    _amounts(found, session, change, project)
    wanted = frozenset({LETTER, SCHEME} if kinds & _WITH_SCHEME else {LETTER})
    rules = findings.add_rules(found, session, change)
    counts = findings.attachment_counts(session, ChangeRequest.document_kind, change.id)
    for category in sorted(wanted - counts.keys()):
        found.missing(f"attachments.{category}", "This attachment is required.")
    return Checklist(
        findings.by_chapter(found, ChapterKey, _chapter_of),
        findings.attachment_needs(wanted, frozenset(), counts),
        required,
        stale,
        is_major(session, change),
        reassess(session, change),
        rules=rules,
    )


def is_major(session: Session, change: ChangeRequest) -> bool:
    """CH-2: more than the parameter's percentage of the approved amount; just as much is general."""
    return (change.change_ratio or Decimal(0)) > parameter.int_of(session, "change.major_percent")


def reassess(session: Session, change: ChangeRequest) -> bool:
    """S-01: does it lift the amount to the threshold of the third-party steps? Equal counts as reached."""
    if change.amount_before is None or change.amount_after is None:
        return False
    threshold = parameter.decimal_of(session, "third_party.threshold")
    return change.amount_before < threshold <= change.amount_after


def other_open(session: Session, project_id: int, but: int | None = None) -> ChangeRequest | None:
    """The open change request of a project, other than `but`."""
    statement = select(ChangeRequest).where(
        ChangeRequest.project_id == project_id, ChangeRequest.status.in_(OPEN_STATES)
    )
    if but is not None:
        statement = statement.where(ChangeRequest.id != but)
    return session.scalars(statement.limit(1)).one_or_none()


def _project(
    found: Findings, session: Session, change: ChangeRequest, project: Project, now: Present
) -> bool:
    """The project must still be open to changes, and be what the request took over."""
    if project.stage not in CHANGEABLE_STAGES:
        found.wrong(
            BASE,
            "The project %(code)s is in the stage “%(stage)s”. It can be changed from its admission to the"
            " plan on, until it is closed.",
            code=project.code,
            stage=project.stage,
        )
    moved = moved_since(session, change, now)
    for each in moved:
        found.wrong(
            BASE,
            "The project changed since its data were taken over: %(field)s was “%(old)s” and is “%(new)s”."
            " Take over the data again.",
            field=each.field,
            old=each.old or "—",
            new=each.new or "—",
        )
    return bool(moved)


def _changed_kinds(change: ChangeRequest) -> frozenset[str]:
    """The kinds of change its items amount to, and a termination that is chosen."""
    kinds = {KIND_OF[item.field] for item in change.items if item.field in KIND_OF}
    return frozenset(kinds | ({TERMINATION} & set(change.kinds)))


def _required(found: Findings, change: ChangeRequest, kinds: frozenset[str]) -> frozenset[str]:
    required = REQUIRED | ({"performance_effect"} if kinds & _ON_PERFORMANCE else frozenset())
    for name in sorted(required):
        if getattr(change, name) in (None, "", []):
            found.missing(name)
    return required


def _kinds(found: Findings, session: Session, change: ChangeRequest, kinds: frozenset[str]) -> None:
    """The diff is not empty, a termination comes alone, and what is changed is named."""
    chosen = set(change.kinds)
    if TERMINATION in chosen and change.items:
        found.wrong("kinds", "A termination ends the project as it is. Take back what is changed beside it.")
    if TERMINATION not in chosen and not change.items:
        found.missing("kinds", "Nothing differs from the project as it is. Enter what is to be changed.")
    known = catalogue(session)
    for code in sorted(kinds - chosen) if chosen else ():
        found.add(
            "kinds",
            Problem.of(
                "Something of the kind “%(kind)s” is changed below. Choose it too.",
                kind=known.label("change_kind", code, "zh"),
            ),
            Severity.WARNING,
        )


def _data(found: Findings, session: Session, values: ChangeValues, now: Present) -> None:
    """The project afterwards keeps the declaration's rules; what broke them before is not held against it."""
    whole = as_declared(now.values, now.declared)
    grave = (Severity.MISSING, Severity.WRONG)
    faults = {path for path, _, severity in _by_rules(session, whole) if severity in grave}
    for path, problem, severity in _by_rules(session, as_declared(values, now.declared)):
        if path in faults or severity is Severity.HINT or found.has(path):
            continue
        if _name(path) in DESCRIPTION.names:
            found.add(path, problem, severity)
    for name in ("title", "owner_unit_id"):
        if getattr(values, name) in (None, ""):
            found.missing(name)


def _by_rules(session: Session, values: DeclarationValues) -> Iterable[tuple[str, Problem, Severity]]:
    found = Findings()
    apply_rules(found, values, limits(session), demands(session, values), session=session)
    return found.entries


def _amounts(found: Findings, session: Session, change: ChangeRequest, project: Project) -> None:
    after = change.amount_after
    if after is None or not change.amount_delta:
        return
    if after < 0:
        found.wrong(
            "requested_amount",
            "This would take %(delta)s yuan from an approved amount of %(before)s.",
            delta=format_yuan(-change.amount_delta),
            before=format_yuan(change.amount_before or 0),
        )
    if project.arranged_amount is not None and after > project.arranged_amount:
        found.add(
            "requested_amount",
            Problem.of(
                "%(after)s yuan is more than the %(arranged)s arranged in the budget. A change does not"
                " alter the arranged budget; a fund adjustment has to follow.",
                after=format_yuan(after),
                arranged=format_yuan(project.arranged_amount),
            ),
            Severity.WARNING,
        )
    if reassess(session, change):
        found.add(
            "requested_amount",
            Problem.of(
                "The amount rises to %(limit)s yuan or more: technical review, cost assessment and expert"
                " appraisal are needed again.",
                limit=format_yuan(parameter.decimal_of(session, "third_party.threshold")),
            ),
            Severity.WARNING,
        )


def _name(path: str) -> str:
    return path.partition(".")[0]


def _chapter_of(path: str) -> ChapterKey:
    name = _name(path)
    if name == BASE:
        return ChapterKey.REQUEST
    found = DESCRIPTION.chapter_of(path, ChapterKey.ATTACHMENTS)
    return ChapterKey(found)
