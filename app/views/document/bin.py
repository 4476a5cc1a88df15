"""回收站: deleted drafts of the actor's units, to be restored or removed for good; a tab for each kind."""

from __future__ import annotations

from typing import Any, ClassVar

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, func, select
from werkzeug.wrappers import Response as BaseResponse

from app.access import policy
from app.services.document import draft
from app.services.document.kind import DocumentKind
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import OfficeView, RowAction
from app.views.base.bulk import by_code, do_each
from app.workflow import registry


def bin_actions(view: str) -> tuple[RowAction, ...]:
    """What the row menu of a bin offers."""
    return (
        RowAction(
            "restore",
            lazy_gettext("Restore"),
            "restore",
            f"{view}.restore",
            "ti-restore",
            post=True,
        ),
        RowAction(
            "purge",
            lazy_gettext("Delete for good"),
            "purge",
            f"{view}.purge",
            "ti-trash-x",
            post=True,
            confirm=lazy_gettext(
                "Delete this draft and its attachments for good? This cannot be undone;"
                " only the log keeps its number."
            ),
        ),
    )


def bulk_bin_actions(view: str) -> tuple[RowAction, ...]:
    """What can be done with several deleted drafts at once."""
    return (
        RowAction(
            "restore",
            lazy_gettext("Restore"),
            "edit",
            f"{view}.restore_many",
            "ti-restore",
            post=True,
        ),
        RowAction(
            "purge",
            lazy_gettext("Delete for good"),
            "edit",
            f"{view}.purge_many",
            "ti-trash-x",
            post=True,
            confirm=lazy_gettext(
                "Delete the chosen drafts and their attachments for good? This cannot be undone."
            ),
        ),
    )


BINS: list[type[BinView]] = []
"""The bin of each kind, in the order of their tabs."""


def bin_tabs() -> list[tuple[str, str, int]]:
    """The bins the actor may open: endpoint, what lies in it, how much; in one statement."""
    actor = current_actor()
    bins = [view for view in BINS if actor.holds(view.noun, view.list_verb)]
    counts = [
        select(func.count())
        .select_from(view.kind.model)
        .where(policy.criterion(actor, view.kind.model, "restore"))
        .scalar_subquery()
        for view in bins
    ]
    return [
        (f"{view.__name__}.list", gettext(registry.reviewable(view.kind.name).label), count)
        for view, count in zip(bins, current_session().execute(select(*counts)).one(), strict=True)
    ]


class BinView(OfficeView):
    """The recycle bin of one kind. A kind names itself, its columns and its actions."""

    kind: ClassVar[DocumentKind[Any, Any]]

    title = lazy_gettext("Recycle bin")
    # The page needs the grant to fill in; its rows are those that may be restored.
    list_verb = "edit"
    export_verb = None
    list_template = "document/tabs.html"
    default_sort = "-updated_at"
    include_route_methods = {"list", "save_columns", "restore", "purge", "restore_many", "purge_many"}
    method_permission_name = {
        "restore": "edit",
        "purge": "edit",
        "restore_many": "edit",
        "purge_many": "edit",
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        BINS.append(cls)

    def render_template(self, template: str, **kwargs: Any) -> str:
        return super().render_template(template, tabs=bin_tabs(), **kwargs)

    def scope(self, verb: str) -> ColumnElement[bool]:
        """What lies in the bin; the policy's "edit" is about open drafts."""
        return policy.criterion(current_actor(), self.kind.model, "restore")

    @expose("/restore/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("restore")
    def restore(self, pk: int) -> BaseResponse:
        """Take a draft out of the bin."""
        actor = current_actor()
        row = self.kind.load(current_session(), actor, pk, verb="restore")
        draft.restore(self.kind, actor, pk, row.version)
        flash(gettext("Restored: %(code)s. It is among the drafts again.", code=row.code), "success")
        return redirect(url_for(f"{type(self).__name__}.list"))

    @expose("/purge/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("purge")
    def purge(self, pk: int) -> BaseResponse:
        """Remove a draft in the bin for good."""
        actor = current_actor()
        row = self.kind.load(current_session(), actor, pk, verb="purge")
        code = row.code
        draft.purge(self.kind, actor, pk, row.version)
        flash(gettext("Deleted for good: %(code)s", code=code), "success")
        return redirect(url_for(f"{type(self).__name__}.list"))

    @expose("/restore", methods=["POST"])
    @has_access
    @permission_name("restore_many")
    def restore_many(self) -> ResponseReturnValue:
        """Take the chosen drafts out of the bin."""
        actor = current_actor()

        def restore(row: Any) -> None:
            draft.restore(self.kind, actor, row.id, row.version)

        results = do_each(self.chosen_rows("restore"), restore, by_code)
        return self.tell_results(results, gettext("Restore"))

    @expose("/purge", methods=["POST"])
    @has_access
    @permission_name("purge_many")
    def purge_many(self) -> ResponseReturnValue:
        """Remove the chosen drafts for good."""
        actor = current_actor()

        def purge(row: Any) -> None:
            draft.purge(self.kind, actor, row.id, row.version)

        results = do_each(self.chosen_rows("purge"), purge, by_code)
        return self.tell_results(results, gettext("Delete for good"))
