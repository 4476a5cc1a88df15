"""办理时长: who held a document for how many working days, on its page and as a workbook."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.access import policy
from app.core.flow import TaskKind
from app.core.workdays import last_day
from app.core.xlsx import Column, ColumnKind
from app.models.flow import Task
from app.services import export, review
from app.services.review import Held
from app.views import workbook
from app.views.actor import current_actor
from app.views.document_pages import add_to_pages, page_of
from app.workflow.naming import step_name


@dataclass(frozen=True)
class LedgerPage:
    """The ledger as drawn; `estimated` names the years without a holiday arrangement."""

    ledger: review.Ledger
    rows: tuple[dict[str, object], ...]
    estimated: str


def ledger_page(kind: str, document_id: int) -> LedgerPage | None:
    """The ledger of a document for whoever asks; None before its first submission."""
    found = review.ledger(current_actor(), kind, document_id)
    if not found.rows:
        return None
    years = "、".join(str(year) for year in found.estimated_years)
    return LedgerPage(found, tuple(_row(row) for row in found.rows), years)


class LedgerView(BaseView):
    """The ledger of one document as a workbook; the document's own policy says who may read it."""

    route_base = "/ledger"
    default_view = "export"

    @expose("/<kind>/<int:pk>")
    @login_required
    def export(self, kind: str, pk: int) -> Response:
        """The rows of the page, and the totals of both sides."""
        page = page_of(kind)
        found = review.ledger(current_actor(), kind, pk)
        detail = page.detail(current_actor(), pk)
        title = gettext("Ledger of the review")
        rows = [
            *(_row(row) for row in found.rows),
            {"holder": gettext("Reviewers, in all"), "days": found.office_days},
            {"holder": gettext("Declaring unit, in all"), "days": found.unit_days},
        ]
        columns = _columns()
        written = export.workbook(
            current_actor(),
            noun=policy.noun(Task),
            title=title,
            columns=columns,
            rows=([row.get(column.key) for column in columns] for row in rows),
            total_label="",
            criteria=detail.code,
        )
        return workbook.send(written, f"{title} {detail.code}")


def _columns() -> list[Column]:
    return [
        Column("party", gettext("Whose time")),
        Column("step", gettext("Step")),
        Column("holder", gettext("Held by"), width=24),
        Column("round", gettext("Round"), ColumnKind.INTEGER),
        Column("since", gettext("From"), ColumnKind.DATETIME),
        Column("until", gettext("To"), ColumnKind.DATETIME),
        Column("days", gettext("Working days"), ColumnKind.INTEGER),
        Column("limit", gettext("Limit (working days)"), ColumnKind.INTEGER, width=18),
        Column("due", gettext("Due on"), ColumnKind.DATE),
        Column("over", gettext("Over by (working days)"), ColumnKind.INTEGER, width=20),
        Column("result", gettext("Result")),
    ]


def _row(row: Held) -> dict[str, object]:
    holder = row.holder
    if row.agent:
        holder = gettext("%(agent)s for %(principal)s", agent=row.agent, principal=row.holder)
    elif row.kind is not None and row.kind is not TaskKind.STEP:
        holder = gettext("%(name)s (%(part)s)", name=row.holder, part=gettext(row.kind.label))
    return {
        "party": gettext(row.party.label),
        "colour": row.party.colour,
        "step": str(step_name(row.step)) if row.step else "",
        "holder": holder,
        "round": row.round,
        "since": row.since,
        "until": row.until,
        "days": row.days,
        "limit": row.limit,
        "due": last_day(row.due_at) if row.due_at else None,
        "over": row.over or None,
        "result": _result(row),
    }


def _result(row: Held) -> str:
    if row.decision is not None:
        return gettext(row.decision.label)
    return gettext("Has it now") if row.until is None else gettext("Passed on")


add_to_pages("ledger", ledger_page)
