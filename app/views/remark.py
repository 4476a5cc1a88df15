"""意见与答复 on the pages: the panel beside a document, what is sent from it, and the sheet of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.access import policy
from app.core.errors import Change, InvalidInput
from app.core.flow import RemarkState
from app.core.xlsx import Column, ColumnKind
from app.models.remark import Remark
from app.services import export, remark
from app.views import go, workbook
from app.views.actor import current_actor
from app.views.document_pages import add_to_pages, page_of
from app.views.errors import field_errors
from app.views.redirects import local_address
from app.views.review.tasks import number_of
from app.views.trail import add_crumb
from app.workflow.naming import step_name

_ANSWER = "answer."


@dataclass(frozen=True)
class RemarkPanel:
    """The remarks on one document as drawn; `may_add` and `may_answer` say which side the reader is on."""

    kind: str
    document_id: int
    items: tuple[dict[str, Any], ...]
    may_add: bool
    may_answer: bool
    untold: int

    @property
    def open_count(self) -> int:
        """How many are not settled."""
        return sum(item["state"] is not RemarkState.SETTLED for item in self.items)

    @property
    def unanswered(self) -> list[dict[str, Any]]:
        """Those the unit has not answered yet."""
        return [item for item in self.items if item["state"] is RemarkState.OPEN]


def remark_panel(kind: str, document_id: int) -> RemarkPanel | None:
    """The panel of a document for whoever asks; None where there is nothing to show or to say."""
    actor = current_actor()
    found = remark.remarks(actor, kind, document_id)
    may_add = remark.may_add(actor, kind, document_id)
    if not found and not may_add:
        return None
    may_answer = remark.may_answer(actor, kind, document_id)
    changes = _changes(kind, document_id, found, own=may_answer)
    items = tuple(_item(row, changes.get(row.id, []), may_add=may_add) for row in found)
    return RemarkPanel(kind, document_id, items, may_add, may_answer, remark.untold_count(found))


class RemarkView(BaseView):
    """What is said about a document. Who may do what its own policy says, not a permission of this view:
    the same addresses serve every kind."""

    route_base = "/remark"
    default_view = "sheet"

    @expose("/<kind>/<int:pk>/add", methods=["POST"])
    @login_required
    def add(self, kind: str, pk: int) -> ResponseReturnValue:
        """Pin a remark to what the form names."""
        form = request.form
        try:
            remark.add(
                current_actor(),
                kind,
                pk,
                form.get("text", ""),
                field=form.get("field", ""),
                attachment_id=number_of(form.get("attachment")),
                label=form.get("label", ""),
            )
        except InvalidInput as error:
            return self._again(kind, pk, error)
        return self._done(kind, pk, gettext("Your remark is noted. The unit sees it on the document."))

    @expose("/<kind>/<int:pk>/answer", methods=["POST"])
    @login_required
    def answer(self, kind: str, pk: int) -> ResponseReturnValue:
        """Keep every answer the form carries; blank ones are passed over."""
        answers = {
            number: text
            for name, text in request.form.items()
            if name.startswith(_ANSWER) and (number := number_of(name.removeprefix(_ANSWER))) is not None
        }
        try:
            count = remark.answer(current_actor(), kind, pk, answers)
        except InvalidInput as error:
            return self._again(kind, pk, error)
        words = gettext("Answers kept: %(count)s.", count=count)
        return self._done(kind, pk, words if count else gettext("Nothing was written yet."))

    @expose("/<kind>/<int:pk>/ask", methods=["POST"])
    @login_required
    def ask(self, kind: str, pk: int) -> ResponseReturnValue:
        """Tell the unit of what it was not told of yet."""
        count = remark.ask(current_actor(), kind, pk)
        words = gettext("The unit was told of %(count)s remarks.", count=count)
        return self._done(kind, pk, words if count else gettext("The unit knows of all of them already."))

    @expose("/<kind>/<int:pk>/settle", methods=["POST"])
    @login_required
    def settle(self, kind: str, pk: int) -> ResponseReturnValue:
        """The reviewer is content."""
        remark.settle(current_actor(), kind, pk, _chosen())
        return self._done(kind, pk, gettext("Settled."))

    @expose("/<kind>/<int:pk>/reopen", methods=["POST"])
    @login_required
    def reopen(self, kind: str, pk: int) -> ResponseReturnValue:
        """It has to be answered again."""
        remark.reopen(current_actor(), kind, pk, _chosen())
        return self._done(kind, pk, gettext("It has to be answered again."))

    @expose("/<kind>/<int:pk>/remove", methods=["POST"])
    @login_required
    def remove(self, kind: str, pk: int) -> ResponseReturnValue:
        """Take back one's own remark while nobody has read it."""
        remark.remove(current_actor(), kind, pk, _chosen())
        return self._done(kind, pk, gettext("Your remark was taken back."))

    @expose("/<kind>/<int:pk>/sheet")
    @login_required
    def sheet(self, kind: str, pk: int) -> str:
        """意见与答复表: everything that was said, on one sheet to be printed."""
        panel = remark_panel(kind, pk)
        detail = page_of(kind).detail(current_actor(), pk)
        add_crumb(detail.code, go.address(kind, pk))
        add_crumb(gettext("Sheet of remarks"))
        return self.render_template(
            "remark/sheet.html",
            title=gettext("Sheet of remarks"),
            detail=detail,
            items=_in_order(panel),
            kind=kind,
            document_id=pk,
            document_href=go.address(kind, pk),
        )

    @expose("/<kind>/<int:pk>/export")
    @login_required
    def export(self, kind: str, pk: int) -> Response:
        """The same as a workbook."""
        panel = remark_panel(kind, pk)
        detail = page_of(kind).detail(current_actor(), pk)
        title = gettext("Sheet of remarks")
        columns = _columns()
        rows = (
            [cells.get(column.key) for column in columns]
            for cells in (_cells(number, item) for number, item in enumerate(_in_order(panel), start=1))
        )
        written = export.workbook(
            current_actor(),
            noun=policy.noun(Remark),
            title=title,
            columns=columns,
            rows=rows,
            total_label="",
            criteria=detail.code,
        )
        return workbook.send(written, f"{title} {detail.code}")

    # --- answers of this view --------------------------------------------------------------------------

    def _done(self, kind: str, pk: int, words: str) -> ResponseReturnValue:
        """Back to the page; a script gets the panel as it is now instead."""
        if _for_script():
            panel = render_template("remark/_list.html", remarks=remark_panel(kind, pk))
            return jsonify(panel=panel, message=words)
        flash(words, "success")
        return redirect(local_address(request.form.get("next"), go.address(kind, pk)))

    def _again(self, kind: str, pk: int, error: InvalidInput) -> ResponseReturnValue:
        """Everything typed, and what is wrong with it; where no script shows it on the page itself."""
        if _for_script():
            raise error
        texts = {
            name: text for name, text in request.form.items() if name == "text" or name.startswith(_ANSWER)
        }
        carried = {name: text for name, text in request.form.items() if name not in {*texts, "csrf_token"}}
        page = self.render_template(
            "remark/again.html",
            title=gettext("Remarks and answers"),
            texts=texts,
            carried=carried,
            errors=field_errors(error),
            back_href=local_address(request.form.get("next"), go.address(kind, pk)),
        )
        return page, error.status


def _chosen() -> int:
    """The remark that a button belongs to; 0, which is none, when it names none."""
    return number_of(request.form.get("remark")) or 0


def _for_script() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _changes(
    kind: str, document_id: int, found: Sequence[Remark], *, own: bool
) -> Mapping[int, list[dict[str, Any]]]:
    """What became of each remark's field, named and worded as the document's own pages do."""
    since: Mapping[int, list[Change]] = remark.changes_since(kind, document_id, found)
    # Telephones are masked outside their unit (domain.md 3.1.1).
    shown = {
        number: [change for change in changes if own or not change.field.endswith("_mobile")]
        for number, changes in since.items()
    }
    worded = iter(page_of(kind).changes([change for changes in shown.values() for change in changes]))
    return {number: [next(worded) for _ in changes] for number, changes in shown.items()}


def _item(row: Remark, changes: list[dict[str, Any]], *, may_add: bool) -> dict[str, Any]:
    actor = current_actor()
    told = row.told_at is not None
    return {
        "id": row.id,
        "label": row.label or gettext("The whole document"),
        "field": row.field,
        "attachment_id": row.attachment_id,
        "text": row.text,
        "by": row.author_name,
        "at": row.created_at,
        "round": row.round,
        "step": str(step_name(row.step)) if row.step else "",
        "state": row.state,
        "state_label": gettext(row.state.label),
        "answers": [
            {"text": answer.text, "by": answer.author_name, "at": answer.at, "draft": answer.told_at is None}
            for answer in row.answers
        ],
        "typed": next(
            (
                answer.text
                for answer in row.answers[-1:]
                if answer.told_at is None and answer.user_id == actor.user_id
            ),
            "",
        ),
        "changes": changes,
        "settled_by": row.settled_name,
        "settled_at": row.settled_at,
        "may_remove": may_add and not told and not row.answers and row.created_by_id == actor.user_id,
    }


def _in_order(panel: RemarkPanel | None) -> list[dict[str, Any]]:
    """As they were made, for the sheet."""
    return sorted(panel.items, key=lambda item: item["id"]) if panel else []


def _columns() -> list[Column]:
    return [
        Column("number", gettext("No."), ColumnKind.INTEGER, width=6),
        Column("round", gettext("Round"), ColumnKind.INTEGER, width=6),
        Column("step", gettext("Step"), width=14),
        Column("label", gettext("About"), width=28),
        Column("text", gettext("Remark"), width=50),
        Column("by", gettext("By")),
        Column("at", gettext("At"), ColumnKind.DATETIME),
        Column("answer", gettext("Answer"), width=50),
        Column("answered_by", gettext("Answered by")),
        Column("answered_at", gettext("Answered at"), ColumnKind.DATETIME),
        Column("changes", gettext("What was changed"), width=40),
        Column("state", gettext("State")),
        Column("settled_by", gettext("Settled by")),
        Column("settled_at", gettext("Settled at"), ColumnKind.DATETIME),
    ]


def _cells(number: int, item: dict[str, Any]) -> dict[str, object]:
    answers = item["answers"]
    return {
        **{
            key: item[key]
            for key in ("round", "step", "label", "text", "by", "at", "settled_by", "settled_at")
        },
        "number": number,
        "answer": "\n".join(answer["text"] for answer in answers),
        "answered_by": "、".join(dict.fromkeys(answer["by"] for answer in answers)),
        "answered_at": answers[-1]["at"] if answers else None,
        "changes": "\n".join(
            f"{change['field']}: {change['old'] or '—'} → {change['new'] or '—'}"
            for change in item["changes"]
        ),
        "state": item["state_label"],
    }


add_to_pages("remarks", remark_panel)
