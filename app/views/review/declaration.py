"""The reviewer's lists of declarations: 申报项目审核 and 已审核申报项目."""

from __future__ import annotations

from flask_babel import lazy_gettext

from app.models.declaration import Declaration
from app.views.review.lists import KindReviewedView, KindTasksView

_AMOUNT = lazy_gettext("Requested (10,000 yuan)")
_AMOUNT_EXPORTED = lazy_gettext("Requested amount (yuan)")


class ReviewTaskView(KindTasksView):
    """申报项目审核."""

    document_kind = Declaration.document_kind
    title = lazy_gettext("Review tasks")
    route_base = "/review/tasks"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED


class ReviewedView(KindReviewedView):
    """已审核申报项目."""

    document_kind = Declaration.document_kind
    title = lazy_gettext("Reviewed declarations")
    route_base = "/review/reviewed"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED
