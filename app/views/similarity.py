"""Similar projects: the hint while a title is typed, and what reviewers and units see of those found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, jsonify, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import InvalidInput, Problem
from app.core.text import trim
from app.models.similarity import SimilarProject
from app.models.unit import Unit
from app.services import declaration, similarity
from app.services.similarity.pace import check_pace
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.links import link

_LONGEST_TITLE = 200
_SHORTEST_TITLE = 4

_BANDS = {
    "10": lazy_gettext("below 100,000 yuan"),
    "50": lazy_gettext("100,000 to 500,000 yuan"),
    "100": lazy_gettext("500,000 to 1,000,000 yuan"),
    "500": lazy_gettext("1 to 5 million yuan"),
    "500+": lazy_gettext("5 million yuan and more"),
}
_PARTS = {"title": lazy_gettext("Project title"), "scope": lazy_gettext("Scope of work")}


@dataclass(frozen=True)
class Side:
    """One compared part, cut at the shared passages: this declaration at the left, the other at the right."""

    label: str
    left: Sequence[similarity.Piece]
    right: Sequence[similarity.Piece]


@dataclass(frozen=True)
class Similar:
    """A similar project as it is shown; `href` only where the reader may open it."""

    score: int
    colour: str
    scores: str
    title: str
    unit_name: str
    year: int
    years: str
    code: str
    band: str
    href: str | None
    sides: Sequence[Side]


class SimilarityView(BaseView):
    """What resembles a title that is being typed."""

    route_base = "/similar"
    default_view = "title"
    class_permission_name = "project"
    method_permission_name = {"title": "similar"}
    base_permissions = ["can_similar"]

    @expose("/title")
    @has_access
    @permission_name("title")
    def title(self) -> Response:
        """{"summary", "count", "html"} for `title`, and for the scope that the draft `declaration` has."""
        actor, session = current_actor(), current_session()
        check_pace(actor.user_id)
        typed = trim(request.args.get("title", "")[:_LONGEST_TITLE])
        if len(typed) < _SHORTEST_TITLE:
            return jsonify({"summary": "", "count": 0, "html": ""})
        hits = similarity.find(session, actor, _sought(session, actor, typed))
        shown = from_hits(session, actor, hits)
        html = render_template("similarity/_hits.html", similar=shown) if shown else ""
        return jsonify({"summary": summary(shown), "count": len(shown), "html": html})


def summary(shown: Sequence[Similar]) -> str:
    """The line below the title: the most similar one, and how many more."""
    if not shown:
        return ""
    first = shown[0]
    words = gettext(
        "%(score)s%% similar to “%(title)s” (%(unit)s, %(year)s)",
        score=first.score,
        title=first.title,
        unit=first.unit_name,
        year=str(first.year),
    )
    more = len(shown) - 1
    return words + (gettext(", and %(count)s more", count=more) if more else "")


def from_hits(session: Session, actor: Actor, hits: Sequence[similarity.Hit]) -> list[Similar]:
    """Hits of a search as they are shown."""
    mine = similarity.readable(session, actor, [hit.project_id for hit in hits]) if hits else set()
    return [
        _shown(
            hit,
            [compared.dump() for compared in hit.compared],
            hit.project_id in mine,
            years=", ".join(map(str, hit.years)),
        )
        for hit in hits
    ]


def from_kept(session: Session, actor: Actor, rows: Sequence[SimilarProject]) -> list[Similar]:
    """What was found at submission as it is shown."""
    mine = similarity.readable(session, actor, [row.project_id for row in rows]) if rows else set()
    return [_shown(row, row.passages, row.project_id in mine) for row in rows]


def _shown(
    found: similarity.Hit | SimilarProject,
    passages: Sequence[dict[str, object]],
    may_open: bool,
    years: str = "",
) -> Similar:
    scores = [gettext("title %(percent)s%%", percent=found.title_score)]
    if found.scope_score:
        scores.append(gettext("scope %(percent)s%%", percent=found.scope_score))
    return Similar(
        score=found.score,
        colour="red" if found.score >= _ALIKE else "orange",
        scores=" · ".join(scores),
        title=found.title,
        unit_name=found.unit_name,
        year=found.budget_year,
        years=years,
        code=found.code,
        band=str(_BANDS[found.amount_band]),
        href=link("ProjectView.show", pk=found.project_id) if may_open else None,
        sides=[_side(part) for part in passages],
    )


_ALIKE = 80
"""From this score on a hit is drawn in red: hardly another project."""


def _side(part: dict[str, object]) -> Side:
    return Side(
        str(_PARTS[str(part["part"])]),
        similarity.pieces(str(part["left"]), part["left_spans"]),  # type: ignore[arg-type]
        similarity.pieces(str(part["right"]), part["right_spans"]),  # type: ignore[arg-type]
    )


def _sought(session: Session, actor: Actor, typed: str) -> similarity.Sought:
    chosen = request.args.get("declaration", "")
    if not chosen:
        names = session.execute(
            select(Unit.name, Unit.short_name).where(Unit.id == actor.unit_id)
        ).one_or_none()
        return similarity.Sought(typed, unit_names=tuple(names or ()))
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 10):
        raise InvalidInput(
            {"declaration": [Problem.of("“%(value)s” is not a whole number from 1.", value=chosen[:40])]}
        )
    row = declaration.load(session, actor, int(chosen), verb="edit")
    return similarity.sought_by(session, row, typed)
