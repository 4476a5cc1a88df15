"""The pages of reviewers: what waits for them, one task with its panel, what they did, their sentences."""

from app.views.review.edit import ReviewEditView
from app.views.review.lists import HandledTaskView, ReviewedView, ReviewTaskView
from app.views.review.opinions import SavedOpinionView
from app.views.review.page import ReviewView

__all__ = [
    "HandledTaskView",
    "ReviewEditView",
    "ReviewTaskView",
    "ReviewView",
    "ReviewedView",
    "SavedOpinionView",
]
