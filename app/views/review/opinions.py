"""常用审批意见: a reviewer's own sentences, and those shared by all."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from app.access import policy
from app.core.errors import InvalidInput
from app.models.flow import SavedOpinion
from app.services import review
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors
from app.views.shell import menu_endpoint

_LONGEST = 500


class OpinionForm(DynamicForm):
    """One opinion."""

    text = TextAreaField(
        lazy_gettext("Opinion"),
        validators=[
            InputRequired(lazy_gettext("This is required.")),
            Length(max=_LONGEST, message=lazy_gettext("At most %(most)s characters.", most=_LONGEST)),
        ],
    )


class SavedOpinionView(BaseView):
    """One's own sentences: added, reworded, put in order and removed."""

    shared = False
    title: Any = lazy_gettext("Saved opinions")
    route_base = "/opinions"
    default_view = "list"
    class_permission_name = "task"
    method_permission_name = dict.fromkeys(("list", "add", "edit", "move", "remove"), "act")
    base_permissions = ["can_act"]

    @expose("/")
    @has_access
    @permission_name("list")
    def list(self) -> ResponseReturnValue:
        """All of them, with a form for another."""
        return self._page(OpinionForm(formdata=None))

    @expose("/add", methods=["POST"])
    @has_access
    @permission_name("add")
    def add(self) -> ResponseReturnValue:
        """Keep another one."""
        form = OpinionForm()
        if form.validate():
            try:
                review.add_opinion(current_actor(), form.text.data or "", shared=self.shared)
            except InvalidInput as error:
                form.text.errors = field_errors(error).get("text", [])
            else:
                flash(gettext("The opinion was kept."), "success")
                return redirect(url_for(f"{self.endpoint}.list"))
        return self._page(form), 400

    @expose("/edit/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def edit(self, pk: int) -> ResponseReturnValue:
        """Reword one."""
        row = policy.load(current_session(), current_actor(), SavedOpinion, pk, verb="edit")
        form = OpinionForm() if request.method == "POST" else OpinionForm(obj=row)
        if request.method == "POST" and form.validate():
            try:
                review.change_opinion(current_actor(), pk, form.text.data or "")
            except InvalidInput as error:
                form.text.errors = field_errors(error).get("text", [])
            else:
                flash(gettext("The opinion was kept."), "success")
                return redirect(url_for(f"{self.endpoint}.list"))
        menu_endpoint(f"{self.endpoint}.list")
        page = self.render_template(
            "configuration/form.html",
            title=gettext("Reword an opinion"),
            form=form,
            back_href=url_for(f"{self.endpoint}.list"),
        )
        return page, 400 if form.errors else 200

    @expose("/move/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("move")
    def move(self, pk: int) -> ResponseReturnValue:
        """One place further up, or down: the first nine have keys on the review page."""
        review.move_opinion(current_actor(), pk, up=request.form.get("to") == "up")
        return redirect(url_for(f"{self.endpoint}.list"))

    @expose("/remove/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("remove")
    def remove(self, pk: int) -> ResponseReturnValue:
        """Keep one no longer."""
        review.remove_opinion(current_actor(), pk)
        flash(gettext("The opinion was removed."), "success")
        return redirect(url_for(f"{self.endpoint}.list"))

    def _page(self, form: OpinionForm) -> str:
        actor = current_actor()
        menu_endpoint(f"{self.endpoint}.list")
        rows = [
            (row, policy.may(actor, "edit", row))
            for row in review.saved_opinions(actor)
            if row.user_id is None or not self.shared
        ]
        return self.render_template(
            "review/opinions.html",
            title=str(self.title),
            opinions=rows,
            form=form,
            endpoint=self.endpoint,
        )


class SharedOpinionView(SavedOpinionView):
    """The sentences every reviewer is offered, in the hands of who keeps the dictionaries."""

    shared = True
    title = lazy_gettext("Shared opinions")
    route_base = "/opinions/shared"
    class_permission_name = "dictionary"
    method_permission_name = dict.fromkeys(("list", "add", "edit", "move", "remove"), "manage")
    base_permissions = ["can_manage"]
