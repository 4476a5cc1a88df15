"""直接修改: a reviewer corrects the declaration he has before him; the unit reads what and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.access import policy
from app.core.errors import Conflict, InvalidInput, NotFound, StaleVersion
from app.models.flow import Task
from app.services import declaration
from app.services.document.form import raw_from_form
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.declaration.drafts import FORM
from app.views.document.filling import DocumentForm
from app.views.document.form import EMPTY_ROWS, FormPage, texts_of
from app.views.document.labels import change_rows
from app.views.document.sentences import script_texts
from app.views.document_pages import page_of
from app.views.errors import translate
from app.views.review.tasks import NO_VERSION, known_task, number_of
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

_HIDDEN = frozenset({"lead_mobile", "contact_mobile"})
"""Telephones are masked outside their unit (domain.md 3.1.1), so a reviewer cannot edit them either."""


class EditView(BaseView):
    """A document's form in a reviewer's hands: a reason is required, nothing is saved by itself. A kind names
    its `form` and `save`, the service's function (actor, id, version, raw, reason)."""

    form: ClassVar[DocumentForm]
    save: ClassVar[Callable[..., Any]]
    tasks_endpoint: ClassVar[str]
    saved_text: ClassVar[Any]

    default_view = "edit"
    class_permission_name = "task"
    method_permission_name = {"edit": "act"}
    base_permissions = ["can_act"]

    @expose("/<int:pk>/edit", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def edit(self, pk: int) -> ResponseReturnValue:
        """The form, and its answer."""
        actor = current_actor()
        task = known_task(pk)
        if task.run.document_kind != self.form.kind.name:
            return _to_its_own(task)
        document_id = task.run.document_id
        if request.method == "GET":
            # Asked here as well, so that a form that cannot be saved is not offered.
            policy.load(current_session(), actor, self.form.kind.model, document_id, verb="amend")
            return self._page(task, self._form(document_id))
        raw = raw_from_form(self.form.kind.description, request.form.items(multi=True))
        table = request.form.get("rows", "").partition(".")[0]
        if table:
            page = self._form(document_id, raw)
            page.extra_rows = {table: EMPTY_ROWS}
            return self._page(task, page)
        reason = request.form.get("reason", "")
        version = number_of(request.form.get("version")) or NO_VERSION
        try:
            self.save(actor, document_id, version, raw, reason)
        except InvalidInput as error:
            page = self._form(document_id, raw)
            page.version = version
            page.errors = {**page.errors, **texts_of(error.fields)}
            page.headline = translate(error.message, error.params)
            return self._page(task, page), error.status
        except StaleVersion as error:
            page = self._form(document_id, raw)
            page.changes = self.form.shown_changes(error)
            return self._page(task, page), error.status
        except Conflict as error:
            page = self._form(document_id, raw)
            page.headline = translate(error.message, error.params)
            return self._page(task, page), error.status
        flash(str(self.saved_text), "success")
        return redirect(url_for("ReviewView.task", pk=pk))

    def _form(self, document_id: int, typed: dict[str, Any] | None = None) -> FormPage:
        session, actor = current_session(), current_actor()
        row = self.form.kind.load(session, actor, document_id)
        return self.form.builder(session, actor).page(row, self.form.check(session, row), "", state=typed)

    def _page(self, task: Task, page: FormPage) -> str:
        menu_endpoint(self.tasks_endpoint)
        add_crumb(task.run.code, url_for("ReviewView.task", pk=task.id))
        add_crumb(gettext("Edit directly"))
        return self.render_template(
            "review/edit.html",
            title=task.run.title,
            task=task,
            page=page,
            changes=change_rows(page.changes) if page.changes is not None else None,
            hidden=_HIDDEN,
            reason=request.form.get("reason", ""),
            texts=script_texts(),
            back_href=url_for("ReviewView.task", pk=task.id),
        )


def _to_its_own(task: Task) -> ResponseReturnValue:
    """A task of another kind is edited on that kind's page."""
    policy.load(current_session(), current_actor(), Task, task.id, verb="act")
    endpoint = page_of(task.run.document_kind).edit_endpoint
    if endpoint is None:
        raise NotFound
    return redirect(url_for(endpoint, pk=task.id))


class ReviewEditView(EditView):
    """直接修改 of a declaration."""

    route_base = "/review"
    form = FORM
    save = staticmethod(declaration.reviewer_edit)
    tasks_endpoint = "ReviewTaskView.list"
    saved_text = lazy_gettext("The declaration was changed. The unit can read what and why.")
