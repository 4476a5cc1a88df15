"""Projects: those of the years before this system, and the numbers that finance issues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session, selectinload

from app.access import policy
from app.access.actor import Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import Problem
from app.core.fiscal import (
    PROJECT_PREFIX,
    ProjectCode,
    is_fiscal_code,
    is_national_code,
)
from app.core.lifecycle import STATUSES, Milestone, stage_of
from app.core.money import format_yuan
from app.models.among import among
from app.models.annual_plan import AnnualPlan
from app.models.base import utcnow
from app.models.importing import RowState
from app.models.project import Project, ProjectFunding
from app.models.unit import Unit
from app.services import annual_plan, history, log, numbering, project_version, similarity
from app.services.dictionary import catalogue
from app.services.history import VersionEvent
from app.services.importing.columns import LANGUAGES, SheetColumn, column, say
from app.services.importing.importable import Existing, Importable, Outcome, RowProblem, register
from app.services.log import Difference
from app.services.reading import Choice, Code, Issued, Line, Reference, Year, Yuan
from app.workflow.registry import registered

_AT_ONCE = 1_000
_FUNDING = "funding."
_CODE = re.compile(r"[0-9A-Za-z-]{1,20}")
_OPEN_TO_ALL = frozenset({"fiscal_code", "national_code"})
"""What may be filled in whatever documents a project has: numbers that others issue."""
_PLAIN = (
    "title",
    "unit_id",
    "budget_year",
    "nature",
    "declaration_type",
    "stage",
    "construction_status",
    "fiscal_code",
    "national_code",
    "requested_amount",
    "approved_amount",
)
_IN_HAND = (
    DocumentStatus.DRAFT,
    DocumentStatus.IN_REVIEW,
    DocumentStatus.RETURNED,
    DocumentStatus.RECYCLED,
)


@register
class ProjectImport(Importable):
    """项目. Recognised by its number or by the number finance gave it.

    A project with a document in hand is not altered; one whose documents have ended is altered by change
    requests and adjustments only; one that was imported and has no document here yet may be corrected.
    What is arranged is imported with a new project, never into one that is there (domain.md 3.3).
    """

    key = "projects"
    label = "Project"
    noun = "project"
    verb = "import"
    keys = ("code", "fiscal_code")
    endpoint = "ProjectView.show"

    def __init__(self) -> None:
        self._channels: tuple[str, ...] = ()
        self._units: dict[int, bool] = {}

    def columns(self, session: Session) -> list[SheetColumn]:
        known = catalogue(session)
        self._channels = tuple(choice.code for choice in known.choices("funding_channel", "zh"))
        return [
            column(
                "code",
                "Project no.",
                Issued(20, _is_code, message="Letters, digits and hyphens only, at most 20."),
                hint="A project of this number is changed, else a new one is made. Without a number, a new "
                "project gets the next one.",
            ),
            column(
                "fiscal_code",
                "Fiscal performance no.",
                Issued(40, is_fiscal_code, message="Letters, digits and hyphens only, at most 40."),
            ),
            column("title", "Project title", Line(200), required=True),
            column(
                "unit_id",
                "Declaring unit",
                Reference("unit"),
                required=True,
                hint="Name, short name or code; names borne earlier are understood.",
                aliases=("单位", "单位名称", "建设单位", "申请单位"),
            ),
            column("budget_year", "Budget year", Year(), required=True, aliases=("年度", "项目年度")),
            column("nature", "Project nature", Code("nature"), required=True),
            column("declaration_type", "Declaration type", Code("declaration_type"), required=True),
            column(
                "stage",
                "Stage",
                Choice(Stage),
                hint="Stage or construction status: one of them is enough.",
                aliases=("生命周期阶段",),
            ),
            column("construction_status", "Construction status", Choice(ConstructionStatus)),
            column(
                "national_code",
                "National project code",
                Issued(29, is_national_code, message="Write it as printed: 2612-440783-04-01-123456."),
            ),
            column(
                "requested_amount",
                "Requested amount",
                Yuan(),
                required=True,
                aliases=("申请资金", "申报金额", "申请金额", "申报资金"),
            ),
            column(
                "arranged_amount",
                "Arranged budget",
                Yuan(),
                hint="For new projects only; what is arranged for others is changed by an adjustment.",
                aliases=("安排预算", "安排资金"),
            ),
            column("approved_amount", "Approved amount", Yuan()),
            *(_channel(choice, known) for choice in self._channels),
        ]

    def load(
        self, session: Session, actor: Actor, keys: Mapping[str, Sequence[Any]], *, lock: bool
    ) -> Mapping[tuple[str, Any], Existing]:
        may = (policy.criterion(actor, Project, "import") & true()).label("may")
        statement = select(Project, may).where(
            or_(
                among(session, Project.code, keys["code"]),
                among(session, Project.fiscal_code, keys["fiscal_code"]),
            )
        )
        statement = statement.options(selectinload(Project.funding)).execution_options(populate_existing=True)
        if lock:
            statement = statement.with_for_update(of=Project)
        rows = session.execute(statement).all()
        documents = _documents(session, [row.id for row, _ in rows])
        found: dict[tuple[str, Any], Existing] = {}
        for row, within in rows:
            existing = self._existing(row, bool(within), documents.get(row.id, []))
            found["code", row.code] = existing
            if row.fiscal_code:
                found["fiscal_code", row.fiscal_code] = existing
        return found

    def check(self, session: Session, actor: Actor, outcome: Outcome) -> Iterator[RowProblem]:
        existing, given = outcome.existing, outcome.row.values
        if existing is None:
            if not any(key in given for key in self.keys) and not outcome.row.problems:
                yield RowProblem.of("code", "Give the project number or the fiscal performance number.")
        elif not existing.facts["within"]:
            yield RowProblem.of("", "This project is outside your data scope.")
            return
        else:
            yield from _forbidden(existing, outcome.changed)
        if "unit_id" in outcome.changed and not self._reaches(session, actor, given["unit_id"]):
            yield RowProblem.of("unit_id", "This organisation is outside your data scope.")
        held: Mapping[str, Any] = existing.values if existing else {}
        yield from _together({**held, **given}, new=existing is None)

    def apply(self, session: Session, actor: Actor, outcomes: Iterable[Outcome]) -> list[Problem]:
        listed = list(outcomes)
        new = [each for each in listed if each.state is RowState.NEW]
        for start in range(0, len(new), _AT_ONCE):
            self._add(session, actor, new[start : start + _AT_ONCE])
        _reserve_codes(session, [each.row.values.get("code", "") for each in new])
        changed = [each for each in listed if each.state is RowState.CHANGED]
        for start in range(0, len(changed), _AT_ONCE):
            self._change(session, actor, changed[start : start + _AT_ONCE])
        return []

    def _add(self, session: Session, actor: Actor, outcomes: Sequence[Outcome]) -> None:
        projects = []
        given: dict[AnnualPlan, Decimal] = {}
        for outcome in outcomes:
            values = outcome.row.values
            project = Project(
                code=values.get("code")
                or numbering.project_code(session, values["budget_year"], values["nature"]),
                funding=[],
            )
            _assign(project, values, _PLAIN)
            project.stage, project.construction_status = _stage_and_status(values)
            self._set_funding(project, values)
            projects.append(project)
            session.add(project)
            arranged = values.get("arranged_amount")
            if project.stage in Milestone.PLANNED.stages or arranged is not None:
                plan = annual_plan.enter(session, project)
                if arranged is not None:
                    given[plan] = arranged
        session.flush()
        annual_plan.begin(session, actor, given)
        similarity.index_projects(session, [project.id for project in projects])
        for project, outcome in zip(projects, outcomes, strict=True):
            outcome.record_id = project.id
        history.keep_all(session, actor, projects, VersionEvent.IMPORTED)
        session.flush()

    def _change(self, session: Session, actor: Actor, outcomes: Sequence[Outcome]) -> None:
        ids = [outcome.record_id for outcome in outcomes]
        projects = {
            project.id: project
            for project in session.scalars(
                select(Project).where(Project.id.in_(ids)).options(selectinload(Project.funding))
            )
        }
        for outcome in outcomes:
            project = projects[outcome.record_id or 0]
            _assign(project, outcome.row.values, [name for name in _PLAIN if name in outcome.changed])
            if any(name.startswith(_FUNDING) for name in outcome.changed):
                self._set_funding(project, outcome.row.values)
                project.updated_at = utcnow()  # its channels are a table of their own
        session.flush()
        for outcome in outcomes:
            project = projects[outcome.record_id or 0]
            log.record_changes(session, actor, "project", project.id, project.version, _differences(outcome))
        history.keep_all(session, actor, list(projects.values()), VersionEvent.IMPORTED)
        similarity.index_projects(session, list(projects))
        session.flush()

    def _set_funding(self, project: Project, values: Mapping[str, Any]) -> None:
        kept = {row.channel: row for row in project.funding}
        for channel in self._channels:
            amount: Decimal | None = values.get(_FUNDING + channel)
            if amount is None:
                continue
            if channel in kept and amount:
                kept[channel].amount = amount
            elif channel in kept:
                project.funding.remove(kept[channel])
            elif amount:
                project.funding.append(ProjectFunding(channel=channel, amount=amount))

    def _existing(self, row: Project, within: bool, documents: list[tuple[str, DocumentStatus]]) -> Existing:
        values = {name: getattr(row, name) for name in (*_PLAIN, "code", "arranged_amount")}
        split = {each.channel: each.amount for each in row.funding}
        values |= {_FUNDING + code: split.get(code, Decimal(0)) for code in {*self._channels, *split}}
        in_hand = next((code for code, status in documents if status in _IN_HAND), "")
        ended = next((code for code, status in documents if status not in _IN_HAND), "")
        return Existing(row.id, values, {"within": within, "in_hand": in_hand, "ended": ended})

    def _reaches(self, session: Session, actor: Actor, unit_id: int) -> bool:
        if unit_id not in self._units:
            unit = session.get_one(Unit, unit_id)
            with session.no_autoflush:
                wanted = Project(unit_id=unit_id, unit=unit)
                self._units[unit_id] = policy.may(actor, "import", wanted)
        return self._units[unit_id]


def _channel(code: str, known: Any) -> SheetColumn:
    headers = {
        language: say(
            "Funding channel: %(channel)s", language, channel=known.label("funding_channel", code, language)
        )
        for language in LANGUAGES
    }
    return SheetColumn(_FUNDING + code, headers, Yuan())


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def _documents(session: Session, ids: Sequence[int]) -> dict[int, list[tuple[str, DocumentStatus]]]:
    """The documents of projects, of every kind that is reviewed: number and state."""
    found: dict[int, list[tuple[str, DocumentStatus]]] = {}
    for entry in registered().values():
        model: Any = entry.model
        if not ids or not hasattr(model, "project_id"):
            continue
        rows = session.execute(
            select(model.project_id, model.code, model.status).where(among(session, model.project_id, ids))
        )
        for project_id, code, status in rows:
            found.setdefault(project_id, []).append((code, status))
    return found


def _forbidden(existing: Existing, changed: Sequence[str]) -> Iterator[RowProblem]:
    """What may not be written into a project that is there."""
    if existing.facts["in_hand"]:
        yield RowProblem.of(
            "",
            "The document %(code)s of this project is in hand; nothing is changed by import meanwhile.",
            code=existing.facts["in_hand"],
        )
        return
    for name in changed:
        if name == "code":
            yield RowProblem.of(
                name, "A project's number never changes; this one is %(code)s.", code=existing.values["code"]
            )
        elif name == "arranged_amount":
            yield RowProblem.of(
                name, "What is arranged for a project is changed by an adjustment, not by import."
            )
        elif existing.facts["ended"] and name not in _OPEN_TO_ALL:
            yield RowProblem.of(
                name,
                "This project was declared here (%(code)s); a change request changes it, not an import.",
                code=existing.facts["ended"],
            )


def _together(values: Mapping[str, Any], *, new: bool) -> Iterator[RowProblem]:
    """Rules over several columns, on the record as it would be."""
    stage, status = values.get("stage"), values.get("construction_status")
    if stage is None and status is None:
        yield RowProblem.of("stage", "Give the stage or the construction status.")
    elif stage is not None and status is not None and status not in STATUSES[stage]:
        yield RowProblem.of(
            "construction_status",
            "At the stage “%(stage)s” a project is not “%(status)s”.",
            stage=stage,
            status=status,
        )
    requested = values.get("requested_amount")
    split = sum((amount for name, amount in values.items() if name.startswith(_FUNDING)), Decimal(0))
    if requested is not None and split and split != requested:
        yield RowProblem.of(
            "requested_amount",
            "The funding channels add up to %(sum)s yuan, the requested amount is %(requested)s yuan.",
            sum=format_yuan(split),
            requested=format_yuan(requested),
        )
    arranged, approved = values.get("arranged_amount"), values.get("approved_amount")
    if arranged is not None and approved is not None and approved > arranged:
        yield RowProblem.of("approved_amount", "The approved amount is above the arranged budget.")
    if new and arranged is not None and (stage or status) is not None:
        reached, _ = _stage_and_status(values)
        if reached in (Stage.DECLARED, Stage.REJECTED):
            yield RowProblem.of(
                "arranged_amount", "Nothing can be arranged for a project that is not in the plan."
            )


def _stage_and_status(values: Mapping[str, Any]) -> tuple[Stage, ConstructionStatus]:
    """Both, where one of them is given."""
    status: ConstructionStatus | None = values.get("construction_status")
    stage: Stage = values.get("stage") or stage_of(status or ConstructionStatus.DECLARING)
    return stage, status or STATUSES[stage][0]


def _assign(project: Project, values: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if name in values:
            setattr(project, name, values[name])


def _differences(outcome: Outcome) -> list[Difference]:
    kinds = {part.name: part.kind for part in project_version.DESCRIBED.fields}
    held = outcome.existing.values if outcome.existing else {}
    return [
        Difference(
            name,
            str(kinds.get(name, Yuan()).show(held.get(name))),
            str(kinds.get(name, Yuan()).show(outcome.row.values[name])),
        )
        for name in outcome.changed
    ]


def _reserve_codes(session: Session, codes: Iterable[str]) -> None:
    """Our own numbers that come in from elsewhere must not be given again."""
    highest: dict[tuple[str, int], int] = {}
    for code in codes:
        try:
            number = ProjectCode.parse(code)
        except ValueError:
            continue
        place = (f"{PROJECT_PREFIX}{number.nature}", number.year)
        highest[place] = max(highest.get(place, 0), number.sequence)
    for (prefix, year), last in highest.items():
        numbering.reserve(session, prefix, year, last)
