"""回收站: deleted drafts of the actor's units, to be restored or removed for good."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement
from werkzeug.wrappers import Response as BaseResponse

from app.access import policy
from app.models.declaration import Declaration
from app.services import declaration
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction, ScopedInterface
from app.views.declaration.bulk import chosen_rows, do_each
from app.views.declaration.columns import BIN_COLUMNS, FIELDS


class DeclarationBinView(OfficeView):
    """The recycle bin."""

    datamodel = ScopedInterface(Declaration)
    noun = "declaration"
    title = lazy_gettext("Recycle bin")
    route_base = "/declaration/bin"
    # The page needs the grant to fill in; its rows are those that may be restored.
    list_verb = "edit"
    export_verb = None
    columns = BIN_COLUMNS
    fields = FIELDS
    joins = (Declaration.unit,)
    default_sort = "-updated_at"
    show_endpoint = "DeclarationView.show"
    row_actions = (
        RowAction(
            "restore",
            lazy_gettext("Restore"),
            "restore",
            "DeclarationBinView.restore",
            "ti-restore",
            post=True,
        ),
        RowAction(
            "purge",
            lazy_gettext("Delete for good"),
            "purge",
            "DeclarationBinView.purge",
            "ti-trash-x",
            post=True,
            confirm=lazy_gettext(
                "Delete this draft and its attachments for good? This cannot be undone;"
                " only the log keeps its number."
            ),
        ),
    )
    bulk_actions = (
        RowAction(
            "restore",
            lazy_gettext("Restore"),
            "edit",
            "DeclarationBinView.restore_many",
            "ti-restore",
            post=True,
        ),
        RowAction(
            "purge",
            lazy_gettext("Delete for good"),
            "edit",
            "DeclarationBinView.purge_many",
            "ti-trash-x",
            post=True,
            confirm=lazy_gettext(
                "Delete the chosen drafts and their attachments for good? This cannot be undone."
            ),
        ),
    )
    include_route_methods = {"list", "save_columns", "restore", "purge", "restore_many", "purge_many"}
    method_permission_name = {
        "restore": "edit",
        "purge": "edit",
        "restore_many": "edit",
        "purge_many": "edit",
    }

    def scope(self, verb: str) -> ColumnElement[bool]:
        """What lies in the bin; the policy's "edit" is about open drafts."""
        return policy.criterion(current_actor(), Declaration, "restore")

    @expose("/restore/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("restore")
    def restore(self, pk: int) -> BaseResponse:
        """Take a draft out of the bin."""
        actor = current_actor()
        row = declaration.load(current_session(), actor, pk, verb="restore")
        declaration.restore(actor, pk, row.version)
        flash(gettext("Restored: %(code)s. It is among the drafts again.", code=row.code), "success")
        return redirect(url_for("DeclarationBinView.list"))

    @expose("/purge/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("purge")
    def purge(self, pk: int) -> BaseResponse:
        """Remove a draft in the bin for good."""
        actor = current_actor()
        row = declaration.load(current_session(), actor, pk, verb="purge")
        code = row.code
        declaration.purge(actor, pk, row.version)
        flash(gettext("Deleted for good: %(code)s", code=code), "success")
        return redirect(url_for("DeclarationBinView.list"))

    @expose("/restore", methods=["POST"])
    @has_access
    @permission_name("restore_many")
    def restore_many(self) -> BaseResponse:
        """Take the chosen drafts out of the bin."""
        actor = current_actor()
        done = do_each(
            chosen_rows(actor, "restore"), lambda row: declaration.restore(actor, row.id, row.version)
        )
        if done:
            flash(gettext("Restored: %(count)s", count=done), "success")
        return redirect(url_for("DeclarationBinView.list"))

    @expose("/purge", methods=["POST"])
    @has_access
    @permission_name("purge_many")
    def purge_many(self) -> BaseResponse:
        """Remove the chosen drafts for good."""
        actor = current_actor()
        done = do_each(chosen_rows(actor, "purge"), lambda row: declaration.purge(actor, row.id, row.version))
        if done:
            flash(gettext("Deleted for good: %(count)s", count=done), "success")
        return redirect(url_for("DeclarationBinView.list"))
