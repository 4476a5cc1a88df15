"""项目变更申请审核 and 项目变更申报已审核, and a reviewer's direct edit."""

from __future__ import annotations

from flask_babel import lazy_gettext

from app.models.change import ChangeRequest
from app.services import change
from app.views.change.drafts import FORM
from app.views.review.edit import EditView
from app.views.review.lists import KindReviewedView, KindTasksView

_AMOUNT = lazy_gettext("Amount after (10,000 yuan)")
_AMOUNT_EXPORTED = lazy_gettext("Amount after (yuan)")


class ChangeTaskView(KindTasksView):
    """项目变更申请审核."""

    document_kind = ChangeRequest.document_kind
    title = lazy_gettext("Change reviews")
    route_base = "/review/changes"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED


class ChangeReviewedView(KindReviewedView):
    """项目变更申报已审核."""

    document_kind = ChangeRequest.document_kind
    title = lazy_gettext("Reviewed changes")
    route_base = "/review/changed"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED


class ChangeEditView(EditView):
    """直接修改 of a change request."""

    route_base = "/review/change"
    form = FORM
    save = staticmethod(change.reviewer_edit)
    tasks_endpoint = "ChangeTaskView.list"
    saved_text = lazy_gettext("The change request was changed. The unit can read what and why.")
