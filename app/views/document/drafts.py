"""What is not submitted yet, of any kind: the list of drafts, and the form they are filled in with."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from flask import Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from app.access import policy
from app.core.errors import Conflict, InvalidInput, NotAllowed, Problem, StaleVersion
from app.services import attachment, remark
from app.services.document import draft
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction
from app.views.base.bulk import by_code, do_each
from app.views.document.filling import Answer, DocumentForm, Filling, Intent, Kept, by_oneself
from app.views.document.form import chapter_states, errors_shown, form_findings, saved_text, texts_of
from app.views.document.labels import change_rows
from app.views.document.standing import moved_on
from app.views.errors import translate
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

Page = BaseResponse | Answer | str
_LARGEST_BODY = 4 << 20


def draft_actions(drafts: str, show_endpoint: str) -> tuple[RowAction, ...]:
    """What the row menu of a list of drafts offers; `drafts` is the name of its view."""
    return (
        RowAction("edit", lazy_gettext("Fill in"), "edit", f"{drafts}.edit", "ti-edit"),
        RowAction("preview", lazy_gettext("Preview"), "read", show_endpoint, "ti-eye"),
        RowAction(
            "submit",
            lazy_gettext("Submit for review"),
            "submit",
            f"{drafts}.submit",
            "ti-send",
            post=True,
            confirm=lazy_gettext("Submit this for review?"),
        ),
        RowAction(
            "recycle",
            lazy_gettext("Move to the recycle bin"),
            "recycle",
            f"{drafts}.recycle",
            "ti-trash",
            post=True,
            confirm=lazy_gettext("Move this draft to the recycle bin? It can be restored there."),
        ),
    )


def bulk_draft_actions(drafts: str) -> tuple[RowAction, ...]:
    """What can be done with several drafts at once."""
    return (
        RowAction(
            "recycle",
            lazy_gettext("Move to the recycle bin"),
            "edit",
            f"{drafts}.recycle_many",
            "ti-trash",
            post=True,
            confirm=lazy_gettext("Move the chosen drafts to the recycle bin? They can be restored there."),
        ),
    )


class DraftsView(OfficeView):
    """Drafts and returned documents of one kind of the actor's units, and the form to fill them in. A kind
    names its `form`, its columns, and how a draft is begun."""

    form: ClassVar[DocumentForm]

    list_verb = "edit"
    export_verb = None
    default_sort = "-updated_at"
    include_route_methods = {
        "list",
        "save_columns",
        "create",
        "edit",
        "autosave",
        "state",
        "submit",
        "recycle",
        "recycle_many",
    }
    method_permission_name = {
        "create": "create",
        "edit": "edit",
        "autosave": "edit",
        "state": "edit",
        "submit": "submit",
        "recycle": "edit",
        "recycle_many": "edit",
    }

    # --- the form --------------------------------------------------------------------------------------

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def edit(self, pk: int) -> Page:
        """The form of a draft or of a returned declaration."""
        menu_endpoint(self.form.menu or f"{self.form.drafts}.list")
        if request.method == "GET":
            return self._shown(pk)
        return self._filled_in(Filling(self.form, current_actor(), pk))

    def _shown(self, pk: int | None) -> Page:
        actor, session = current_actor(), current_session()
        if pk is None:
            if actor.unit_id is None:
                raise NotAllowed(
                    "Your account belongs to no unit, so it cannot declare. Ask the administrator."
                )
            row, checklist = None, None
        else:
            row = self.form.kind.load(session, actor, pk)
            if not policy.may(actor, "edit", row):
                return redirect(url_for(self.form.show_endpoint, pk=pk))
            add_crumb(row.code)
            checklist = self.form.check(session, row)
        return self.form.draw(
            self.form.builder(session, actor).page(row, checklist, secrets.token_urlsafe(16)), actor
        )

    def _filled_in(self, filling: Filling) -> Page:
        if order := filling.form.get("rows"):
            return filling.with_rows_changed(order)
        if filling.nothing_yet:
            empty = InvalidInput(
                {"title": [Problem.of("Give it at least a title.")]},
                "Nothing is filled in yet, so no draft was made.",
            )
            return filling.again(empty, status=empty.status)
        try:
            kept = filling.keep()
        except (StaleVersion, Conflict) as error:
            return self._came_late(filling, error)
        except InvalidInput as error:
            return filling.again(error, status=error.status)
        refused = filling.upload(kept)
        self._remove_attachment(filling)
        filling.form = MultiDict([*filling.form.items(multi=True)])
        filling.form.setlist("version", [str(kept.version)])
        if refused:
            return filling.again(status=filling.refusal_status, errors=refused)
        if filling.intent is Intent.SUBMIT:
            return self._submitted(filling, kept)
        if kept.unreadable:
            answer, _ = filling.again(
                InvalidInput({}, "Saved as typed. Correct what is marked below before submitting.")
            )
            return answer, InvalidInput.status
        if filling.intent is Intent.SAVE and "remove_attachment" not in filling.form:
            flash(gettext("Draft saved."), "success")
        return redirect(url_for(f"{self.form.drafts}.edit", pk=kept.id))

    def _came_late(self, filling: Filling, error: StaleVersion | Conflict) -> Page:
        """Somebody was faster, perhaps this very page by a second click."""
        if filling.intent is Intent.SUBMIT and filling.already_submitted():
            return redirect(url_for(self.form.show_endpoint, pk=filling.document_id))
        if filling.document_id is None:
            return filling.again(error, status=error.status)
        is_open, status = self.form.still_open(filling.actor, filling.document_id)
        if is_open and isinstance(error, StaleVersion):
            return filling.stale(error)
        return filling.refused(error, status)

    def _submitted(self, filling: Filling, kept: Kept) -> Page:
        try:
            answer = filling.form.get("opinion", "")
            row = self.form.submit(filling.actor, kept.id, kept.version, page=filling.token, opinion=answer)
        except InvalidInput as error:
            return filling.again(error, status=error.status)
        except (StaleVersion, Conflict) as error:
            if not isinstance(error, StaleVersion) and self.form.still_open(filling.actor, kept.id)[0]:
                return filling.again(error, status=error.status)
            return self._came_late(filling, error)
        return self._in_review(row)

    def _in_review(self, row: Any) -> BaseResponse:
        flash(gettext("Submitted: %(code)s. It is in review now.", code=row.code), "success")
        waiting = remark.unanswered(current_session(), self.form.kind.name, row.id)
        if waiting:
            labels = "、".join(label or gettext("The whole document") for label in waiting)
            flash(gettext("Submitted without an answer to: %(labels)s", labels=labels), "warning")
        return redirect(url_for(self.form.show_endpoint, pk=row.id))

    def _remove_attachment(self, filling: Filling) -> None:
        chosen = filling.form.get("remove_attachment", "")
        if chosen.isdecimal():
            attachment.remove(filling.actor, int(chosen))

    # --- autosave --------------------------------------------------------------------------------------

    @expose("/autosave/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("autosave")
    def autosave(self, pk: int) -> Response:
        """Keep what was typed so far, readable or not."""
        return self._autosaved(pk)

    def _autosaved(self, pk: int | None) -> Response:
        filling = Filling(self.form, current_actor(), pk, _posted_json())
        try:
            saved = filling.autosaved()
        except (StaleVersion, Conflict) as error:
            if pk is None:
                raise
            return self._conflict(filling, error, pk)
        return jsonify(
            {
                "saved_text": saved_text(saved.saved_at),
                "turn": saved.turn,
                **self._state(saved.id, tried="tried" in filling.form),
            }
        )

    def _conflict(self, filling: Filling, error: StaleVersion | Conflict, pk: int) -> Response:
        is_open, status = self.form.still_open(filling.actor, pk)
        row = self.form.kind.load(current_session(), filling.actor, pk)
        found = self.form.shown_changes(error) if isinstance(error, StaleVersion) else []
        urls = self.form.urls(pk)
        html = render_template(
            "document/_conflict.html",
            changes=change_rows(found),
            own_changes=by_oneself(filling.actor, found),
            moved="" if is_open else moved_on(current_session(), filling.actor, row),
            current_href=urls["form"] if is_open else urls["preview"],
            may_keep=is_open,
        )
        body = {
            "message": translate(error.message, error.params),
            "version": row.version,
            "conflict": html,
            "closed": None if is_open else {"state": gettext(status.label), "colour": status.colour},
        }
        return make_response(jsonify(body), StaleVersion.status)

    @expose("/state/<int:pk>")
    @has_access
    @permission_name("state")
    def state(self, pk: int) -> Response:
        """Ticks, marks, messages and attachment cards as they are now, for the form's script."""
        return jsonify(self._state(pk, tried="tried" in request.args))

    def _state(self, pk: int, *, tried: bool) -> dict[str, Any]:
        actor, session = current_actor(), current_session()
        row = self.form.kind.load(session, actor, pk)
        checklist = self.form.check(session, row)
        errors = errors_shown(checklist, tried=tried)
        builder = self.form.builder(session, actor)
        cards = render_template(
            "document/_attachments.html",
            cards=builder.cards(row, checklist),
            attachment_errors=errors,
            attachment_accept=builder.limits["accept"],
        )
        return {
            "id": row.id,
            "version": row.version,
            "urls": self.form.urls(row.id),
            "chapters": [
                {"key": key, "state": tick, "text": str(_TICK_TEXTS[tick])}
                for key, tick in chapter_states(builder.layout, checklist, tried=tried).items()
            ],
            "required": sorted(checklist.required),
            "head": self.form.head(row, errors) if self.form.head else None,
            "errors": errors,
            "warnings": texts_of(checklist.warnings()),
            "attachments": cards,
            "findings": render_template(
                "policy_rule/_findings.html", findings=form_findings(checklist), finding_links=True
            ),
        }

    # --- moves from the list ---------------------------------------------------------------------------

    @expose("/submit/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("submit")
    def submit(self, pk: int) -> Page:
        """Submit a draft from the list as it is stored; what is missing is shown on its form."""
        menu_endpoint(self.form.menu or f"{self.form.drafts}.list")
        actor = current_actor()
        row = self.form.kind.load(current_session(), actor, pk, verb="submit")
        try:
            return self._in_review(self.form.submit(actor, pk, row.version))
        except InvalidInput as error:
            filling = Filling(
                self.form,
                actor,
                pk,
                MultiDict({"version": str(row.version), "page": secrets.token_urlsafe(16)}),
            )
            page = filling.page(tried=True, typed=False)
            page.headline = translate(error.message, error.params)
            return self.form.draw(page, actor), error.status

    @expose("/recycle/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("recycle")
    def recycle(self, pk: int) -> BaseResponse:
        """Put a draft into the recycle bin."""
        actor = current_actor()
        row = self.form.kind.load(current_session(), actor, pk, verb="recycle")
        draft.recycle(self.form.kind, actor, pk, row.version)
        flash(gettext("Moved to the recycle bin: %(code)s", code=row.code), "success")
        return redirect(url_for(f"{self.form.drafts}.list"))

    @expose("/recycle", methods=["POST"])
    @has_access
    @permission_name("recycle_many")
    def recycle_many(self) -> ResponseReturnValue:
        """Put the chosen drafts into the recycle bin; each row tells its own result."""
        actor, kind = current_actor(), self.form.kind

        def recycle(row: Any) -> None:
            draft.recycle(kind, actor, row.id, row.version)

        results = do_each(self.chosen_rows("recycle"), recycle, by_code)
        return self.tell_results(results, gettext("Move to the recycle bin"))


_TICK_TEXTS = {
    "ok": lazy_gettext("complete"),
    "missing": lazy_gettext("not complete"),
    "wrong": lazy_gettext("needs attention"),
}


def _posted_json() -> MultiDict[str, str]:
    """The script's body {"version", "turn", "values": [[name, value], …]} as a form."""
    body = request.get_json(silent=True) if (request.content_length or 0) <= _LARGEST_BODY else None
    if not isinstance(body, dict) or not _are_pairs(body.get("values")):
        raise InvalidInput({"values": [Problem.of("Send the form's fields as pairs of texts.")]})
    form: MultiDict[str, str] = MultiDict([(name, value) for name, value in body["values"]])
    for name in ("version", "turn"):
        form.setlist(name, [str(body.get(name) or "")])
    return form


def _are_pairs(values: object) -> bool:
    return isinstance(values, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        for pair in values
    )
