"""项目变更申请: choosing the project, what is not submitted yet, and the form it is filled in with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.core.errors import Conflict, InvalidInput, StaleVersion
from app.models.change import ChangeRequest
from app.services import change
from app.services.change.draft import KIND
from app.services.change.queries import MOST_OFFERED
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import PageAction, ScopedInterface
from app.views.change.columns import DRAFT_COLUMNS, FIELDS
from app.views.change.form import FormBuilder, more_of
from app.views.document.columns import open_status
from app.views.document.drafts import DraftsView, Page, bulk_draft_actions, draft_actions
from app.views.document.filling import DocumentForm, Filling
from app.views.errors import translate
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb


def _head(row: Any, errors: Mapping[str, list[str]]) -> str:
    return render_template(
        "change/_head.html", document=row, more=more_of(row), base_errors=errors.get("base", [])
    )


FORM = DocumentForm(
    kind=KIND,
    builder=FormBuilder,
    check=change.check,
    submit=change.submit,
    template="change/form.html",
    drafts="ChangeDraftView",
    show_endpoint="ChangeView.show",
    head=_head,
)


class ChangeDraftView(DraftsView):
    """Drafts and returned change requests of the actor's units."""

    form = FORM
    datamodel = ScopedInterface(ChangeRequest)
    noun = "change"
    title = lazy_gettext("Change requests to submit")
    route_base = "/change/drafts"
    list_template = "document/tabs.html"
    columns = DRAFT_COLUMNS
    fields = (*FIELDS, open_status(ChangeRequest))
    joins = (ChangeRequest.project, ChangeRequest.unit)
    show_endpoint = "ChangeDraftView.edit"
    page_actions = (
        PageAction(lazy_gettext("New change request"), "ChangeDraftView.create", "change", "create"),
    )
    row_actions = draft_actions("ChangeDraftView", "ChangeView.show")
    bulk_actions = bulk_draft_actions("ChangeDraftView")
    include_route_methods = {*DraftsView.include_route_methods, "refresh"}
    method_permission_name = {**DraftsView.method_permission_name, "refresh": "edit"}

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=tabs(), **kwargs)

    @expose("/new", methods=["GET", "POST"])
    @has_access
    @permission_name("create")
    def create(self) -> Page:
        """The projects that can be changed; choosing one makes the draft with its data taken over."""
        menu_endpoint("ChangeDraftView.list")
        add_crumb(gettext("New change request"))
        if request.method == "GET":
            return self._choose()
        chosen = request.form.get("project_id", "")
        number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 else 0
        if not number:
            return self._choose(gettext("Choose a project.")), InvalidInput.status
        try:
            row = change.create(current_actor(), number)
        except (InvalidInput, Conflict) as error:
            problems = [*getattr(error, "fields", {}).values()]
            words = problems[0][0] if problems else error
            return self._choose(translate(words.message, words.params)), error.status
        flash(gettext("The project's data have been taken over. Change what is to be different."), "success")
        return redirect(url_for("ChangeDraftView.edit", pk=row.id))

    def _choose(self, refusal: str = "") -> str:
        text = request.values.get("q", "").strip()[:60]
        found = change.candidates(current_session(), current_actor(), text)
        return self.render_template(
            "change/choose.html",
            title=gettext("New change request"),
            candidates=found,
            q=text,
            chosen=request.values.get("project_id", ""),
            refusal=refusal,
            most=MOST_OFFERED,
        )

    @expose("/refresh/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("refresh")
    def refresh(self, pk: int) -> Page:
        """Keep what was typed, then take the project's data over again."""
        menu_endpoint("ChangeDraftView.list")
        filling = Filling(FORM, current_actor(), pk)
        try:
            kept = filling.keep()
            change.refresh(filling.actor, pk, kept.version)
        except StaleVersion as error:
            return filling.stale(error)
        flash(
            gettext("The project's data have been taken over again. What you changed is still there."),
            "success",
        )
        return redirect(url_for("ChangeDraftView.edit", pk=pk))


def tabs() -> list[tuple[str, str, int]]:
    """The lists of a unit's change requests."""
    return [
        ("ChangeDraftView.list", gettext("To submit"), 0),
        ("ChangeView.list", gettext("Submitted"), 0),
    ]
