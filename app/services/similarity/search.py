"""Finding projects like one that is being declared, among those of all units.

The rarest grams of the text are looked up until they account for most of its weight; what shares most of
them is compared gram by gram, and only what is shown is compared passage by passage.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import Actor
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.similarity import SimilarityEntry, SimilarityGram, SimilarityPosting
from app.models.unit import Unit
from app.services import parameter
from app.services.similarity.index import TOLD, TOTAL
from app.services.similarity.passages import Compared, compare
from app.services.similarity.text import (
    Grams,
    Weights,
    scope_prints,
    scope_score,
    title_grams,
    title_score,
    unpack,
)

MOST_SHOWN = 8
_CANDIDATES = 150
_WEIGHT_SOUGHT = 0.6
_POSTINGS_SOUGHT = 25_000
"""Postings read for one text at most, beyond its three rarest grams: the price of a search has a lid."""
_RAREST = 3
_WORTH_WEIGHING = 0.25


class AmountBand(StrEnum):
    """What is told of the amount of a project outside one's scope; the bounds are in 10,000 yuan."""

    BELOW_10 = "10"
    BELOW_50 = "50"
    BELOW_100 = "100"
    BELOW_500 = "500"
    ABOVE = "500+"


_BOUNDS = (
    (Decimal(100_000), AmountBand.BELOW_10),
    (Decimal(500_000), AmountBand.BELOW_50),
    (Decimal(1_000_000), AmountBand.BELOW_100),
    (Decimal(5_000_000), AmountBand.BELOW_500),
)


def band_of(amount: Decimal) -> AmountBand:
    """The band of an amount in yuan; a bound itself belongs to the band above it."""
    return next((band for bound, band in _BOUNDS if amount < bound), AmountBand.ABOVE)


@dataclass(frozen=True)
class Hit:
    """A similar project. Scores are percent; `others` are further years of the same project of the unit."""

    project_id: int
    code: str
    title: str
    unit_name: str
    unit_id: int
    budget_year: int
    amount_band: AmountBand
    score: int
    title_score: int
    scope_score: int
    compared: tuple[Compared, ...] = ()
    years: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sought:
    """What is being declared: its text, the project that it is itself, and what its unit is called."""

    title: str
    scope: str = ""
    project_id: int | None = None
    unit_names: tuple[str, ...] = ()
    grams: Grams = field(init=False)
    prints: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grams", title_grams(self.title, self.unit_names))
        object.__setattr__(self, "prints", scope_prints(self.scope))


def find(session: Session, actor: Actor, sought: Sought, *, most: int = MOST_SHOWN) -> list[Hit]:
    """Projects whose title or scope is similar, the most similar first, of any unit (policy: `similar`); the
    years of one project of one unit are one hit, its latest."""
    least = parameter.int_of(session, "similarity.threshold")
    weights = _weights(session, sought.grams.indexed | sought.prints)
    wanted = {
        *_candidates(session, sought.grams.indexed, weights),
        *_candidates(session, sought.prints, weights),
    } - {sought.project_id}
    scored = _scored(session, sought, wanted, least)
    if not scored:
        return []
    hits = _described(session, actor, scored)
    return [_explained(session, sought, hit) for hit in _by_project(hits)[:most]]


def _candidates(session: Session, grams: Collection[int], weights: Weights) -> Sequence[int]:
    chosen = _chosen(grams, weights)
    if not chosen:
        return []
    rank = func.sum(_tiers(chosen, weights))
    return session.scalars(
        select(SimilarityPosting.project_id)
        .where(SimilarityPosting.gram.in_(chosen))
        .group_by(SimilarityPosting.project_id)
        .order_by(rank.desc(), SimilarityPosting.project_id.desc())
        .limit(_CANDIDATES)
    ).all()


def _chosen(grams: Collection[int], weights: Weights) -> list[int]:
    """The rarest grams, until they carry enough of the weight or cost too much to read."""
    chosen: list[int] = []
    weight, postings = 0.0, 0
    enough = _WEIGHT_SOUGHT * sum(map(weights.of, grams))
    for gram in sorted(grams, key=lambda each: (weights.counts.get(each, 0), each)):
        postings += weights.counts.get(gram, 0)
        if len(chosen) >= _RAREST and (weight >= enough or postings > _POSTINGS_SOUGHT):
            break
        chosen.append(gram)
        weight += weights.of(gram)
    return chosen


def _tiers(chosen: Sequence[int], weights: Weights) -> Any:
    """What a posting counts, in tenths; the same for all when no gram is much rarer than another."""
    tenths: dict[int, list[int]] = {}
    for gram in chosen:
        tenths.setdefault(round(weights.of(gram) * 10), []).append(gram)
    if len(tenths) == 1:
        return literal(1)
    *rarer, (rest, _) = sorted(tenths.items(), reverse=True)
    return case(*((SimilarityPosting.gram.in_(part), tenth) for tenth, part in rarer), else_=rest)


def _weights(session: Session, grams: Collection[int]) -> Weights:
    rows = session.execute(
        select(SimilarityGram.gram, SimilarityGram.projects).where(SimilarityGram.gram.in_({*grams, TOTAL}))
    )
    counts = dict(rows.all())
    return Weights(counts.pop(TOTAL, 0), counts)


@dataclass(frozen=True)
class _Score:
    title: int
    scope: int

    @property
    def best(self) -> int:
        """A like title or a like scope is enough; both together say a little more than either."""
        high, low = max(self.title, self.scope), min(self.title, self.scope)
        return min(100, round(high + (100 - high) * low / 400))


def _scored(session: Session, sought: Sought, wanted: Collection[int], least: int) -> dict[int, _Score]:
    rows = session.execute(
        select(SimilarityEntry.project_id, SimilarityEntry.title_grams, SimilarityEntry.scope_grams).where(
            SimilarityEntry.project_id.in_(wanted)
        )
    )
    unpacked = ((pk, Grams.unpack(title), frozenset(unpack(scope))) for pk, title, scope in rows)
    entries = [
        (pk, title, scope)
        for pk, title, scope in unpacked
        if _overlap(sought.grams.all, title.all) or _overlap(sought.prints, scope)
    ]
    near = {gram for _, title, _ in entries for gram in title.telling} | sought.grams.telling
    if sought.prints:
        near |= {gram for _, _, scope in entries for gram in scope} | sought.prints
    weights = _weights(session, near)
    found: dict[int, _Score] = {}
    for project_id, title, scope in entries:
        score = _Score(
            round(100 * title_score(sought.grams, title, weights)),
            round(100 * scope_score(sought.prints, scope, weights)),
        )
        if score.best >= least:
            found[project_id] = score
    return found


def _overlap(left: frozenset[int], right: frozenset[int]) -> bool:
    """Is the pair worth weighing? Weights are looked up for what is left only."""
    shared = len(left & right)
    return shared > 1 and shared >= _WORTH_WEIGHING * min(len(left), len(right))


def _described(session: Session, actor: Actor, scored: Mapping[int, _Score]) -> list[Hit]:
    rows = session.execute(
        select(
            Project.id,
            Project.code,
            Project.title,
            Project.budget_year,
            Project.requested_amount,
            Project.unit_id,
            Unit.name,
        )
        .join(Unit, Unit.id == Project.unit_id)
        .where(Project.id.in_(scored), policy.criterion(actor, Project, "similar"))
    )
    return [
        Hit(
            project_id=row.id,
            code=row.code,
            title=row.title,
            unit_name=row.name,
            unit_id=row.unit_id,
            budget_year=row.budget_year,
            amount_band=band_of(row.requested_amount),
            score=scored[row.id].best,
            title_score=scored[row.id].title,
            scope_score=scored[row.id].scope,
        )
        for row in rows
    ]


def _by_project(hits: Sequence[Hit]) -> list[Hit]:
    """One hit for the years of one project of one unit, and the most similar first."""
    groups: dict[tuple[int, frozenset[int], frozenset[int]], list[Hit]] = {}
    for hit in hits:
        grams = title_grams(hit.title, (hit.unit_name,))
        groups.setdefault((hit.unit_id, grams.telling, grams.generic), []).append(hit)
    found: list[Hit] = []
    for group in groups.values():
        best = max(group, key=lambda hit: (hit.score, hit.budget_year, hit.project_id))
        years = tuple(sorted({hit.budget_year for hit in group} - {best.budget_year}, reverse=True))
        found.append(Hit(**{**vars(best), "years": years}))
    return sorted(found, key=lambda hit: (-hit.score, -hit.budget_year, -hit.project_id))


def _explained(session: Session, sought: Sought, hit: Hit) -> Hit:
    """The hit with the passages behind its scores."""
    compared = [compare("title", sought.title, hit.title)]
    if hit.scope_score and sought.scope:
        scope = session.scalar(
            select(Declaration.scope_text).where(
                Declaration.project_id == hit.project_id, Declaration.status.in_(TOLD)
            )
        )
        compared.append(compare("scope", sought.scope, scope or ""))
    return Hit(**{**vars(hit), "compared": tuple(each for each in compared if each is not None)})
