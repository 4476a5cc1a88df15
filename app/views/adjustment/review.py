"""The reviewer's lists of adjustments: 项目调整审核 and 项目调整已审核."""

from __future__ import annotations

from flask_babel import lazy_gettext

from app.models.adjustment import FundAdjustment
from app.views.review.lists import KindReviewedView, KindTasksView

_AMOUNT = lazy_gettext("Adjusted (10,000 yuan)")
_AMOUNT_EXPORTED = lazy_gettext("Adjusted amount (yuan)")


class AdjustmentTaskView(KindTasksView):
    """项目调整审核."""

    document_kind = FundAdjustment.document_kind
    title = lazy_gettext("Review of adjustments")
    route_base = "/review/adjustment/tasks"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED


class AdjustmentReviewedView(KindReviewedView):
    """项目调整已审核."""

    document_kind = FundAdjustment.document_kind
    title = lazy_gettext("Reviewed adjustments")
    route_base = "/review/adjustment/reviewed"
    amount_label, amount_export_label = _AMOUNT, _AMOUNT_EXPORTED
