"""项目调整: drafting, lists, the page of one adjustment, and the reviewers' lists."""

from app.views.adjustment.bin import AdjustmentBinView
from app.views.adjustment.drafts import AdjustmentDraftView
from app.views.adjustment.lines import AdjustmentLineView
from app.views.adjustment.listed import AdjustmentView
from app.views.adjustment.review import AdjustmentReviewedView, AdjustmentTaskView

__all__ = [
    "AdjustmentBinView",
    "AdjustmentDraftView",
    "AdjustmentLineView",
    "AdjustmentReviewedView",
    "AdjustmentTaskView",
    "AdjustmentView",
]
